"""The card of whatever a server runs whose address is in a variable."""

from pathlib import Path


def written(at: Path, provider: str, row: str) -> Path:
    """A directory with one model, `mine`, and one offer of it: `row` without what every row says."""
    (at / "models").mkdir(parents=True)
    (at / "offers" / provider).mkdir(parents=True)
    (at / "models" / "mine.toml").write_text('[model]\nmaker = "mine"\ntier = "workhorse"\ntitle = "Mine"\n')
    head = 'model = "mine"\nchecked = 2026-11-20\n'
    (at / "offers" / provider / "mine.toml").write_text(head + row)
    return at
