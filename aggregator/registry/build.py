"""Compile the package's cards and offers to one index: `python -m aggregator.registry.build [--check]`.

Hundreds of TOML files take too long to parse at every start; one JSON file does not. It is committed, and `--check`
fails when it is not what the files say.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from aggregator.errors import ConfigurationError
from aggregator.registry.load import index_text
from aggregator.registry.schema import check_references, read_directory

__all__ = ["compiled", "main"]

_HERE = Path(__file__).parent
_INDEX = _HERE / "index.json"


def compiled(root: Path = _HERE) -> str:
    """What the index must hold, from the files below `root`."""
    rows = read_directory(root)
    check_references(rows)
    return index_text(rows.cards, list(rows.offers.values()))


def main(arguments: Sequence[str]) -> int:
    """Write the index, or with `--check` only compare. The exit code."""
    try:
        text = compiled()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    current = _INDEX.read_text(encoding="utf-8") if _INDEX.exists() else ""
    if "--check" not in arguments:
        _INDEX.write_text(text, encoding="utf-8")
    elif text != current:
        sys.stderr.write(f"{_INDEX} is not current: run python -m aggregator.registry.build\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
