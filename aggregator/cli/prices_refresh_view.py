"""What a refresh of prices found, on a screen."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import heading, say, usd
from aggregator.pricing.refresh import Kind, Refresh, Verdict

__all__ = ["draw_refresh"]

TITLES: Mapping[Kind, tuple[str, str]] = {
    "changed": ("Changed", "accepted"),
    "new": ("New", "accepted: no price was known"),
    "held": ("Held back", "--accept OFFER takes it, once you have looked"),
    "disagrees": ("Disagree", "shown, never averaged; the table stays as it is"),
}
SHOWN = 20


def draw_refresh(
    on: Console, result: Refresh, refused: Mapping[str, str], files: Sequence[str], *, write: bool
) -> None:
    """Everything that is not as the table has it, the accepted first."""
    on.print(heading("Live prices", dim=f"{len(result.of('same'))} are as in the table"))
    for kind, (title, hint) in TITLES.items():
        _section(on, result.of(kind), title, hint)
    if unusable := Counter(verdict.why for verdict in result.of("refused")):
        on.print()
        on.print(heading(f"Cannot be booked by: {unusable.total()}"))
        for why, count in unusable.most_common(SHOWN):
            say(on, Text(f"{count} × {why}", "dim"), indent=2)
    if refused:
        on.print()
        on.print(heading("Not asked, or not believed"))
        for source, why in refused.items():
            say(on, source, Text(f"  {why}", "dim"), indent=2)
    on.print()
    if files:
        say(on, f"written: {', '.join(files)}")
    elif result.accepted and not write:
        say(on, Text("Nothing was written: --write DIR appends what is accepted.", "dim"))


def _section(on: Console, verdicts: Sequence[Verdict], title: str, hint: str) -> None:
    if not verdicts:
        return
    on.print()
    on.print(heading(f"{title}: {len(verdicts)}", dim=hint))
    for verdict in verdicts[:SHOWN]:
        _draw(on, verdict)
    if len(verdicts) > SHOWN:
        on.print(Text(f"  and {len(verdicts) - SHOWN} more: --json has all of them", "dim"))


def _draw(on: Console, verdict: Verdict) -> None:
    before = "unknown" if verdict.row is None else usd(verdict.row.usd)
    case = ", ".join(f"{name}={'|'.join(map(str, values))}" for name, values in sorted(verdict.price.when.items()))
    say(
        on,
        Text(f"{verdict.offer}{f' ({case})' if case else ''}", "bold"),
        f"  {before} → {usd(verdict.price.usd)} per {verdict.price.unit}, says {verdict.source}",
        indent=2,
    )
    if verdict.why:
        say(on, Text(verdict.why, "dim"), indent=4)
