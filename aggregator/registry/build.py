"""Compile the package's cards and offers to one index: `python -m aggregator.registry.build [--check]`.

Hundreds of TOML files take too long to parse at every start; one JSON file does not. It is committed, and `--check`
fails when it is not what the files say. Both look at every offer together with its provider's table.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from aggregator.backends import provider_names, provider_table
from aggregator.errors import ConfigurationError
from aggregator.registry.load import index_text
from aggregator.registry.mapping import mappings_of
from aggregator.registry.schema import Rows, check_mappings, check_references, read_directory

__all__ = ["compiled", "main"]

_HERE = Path(__file__).parent
_INDEX = _HERE / "index.json"


def compiled(root: Path = _HERE) -> str:
    """What the index must hold, from the files below `root`."""
    return index_text(_rows(root))


def main(arguments: Sequence[str]) -> int:
    """Write the index, or with `--check` only compare. The exit code."""
    try:
        rows = _rows(_HERE)
        text = index_text(rows)
        current = _INDEX.read_text(encoding="utf-8") if _INDEX.exists() else ""
        if "--check" not in arguments:
            _INDEX.write_text(text, encoding="utf-8")
        elif text != current:
            sys.stderr.write(f"{_INDEX} is not current: run python -m aggregator.registry.build\n")
            return 1
        served = {provider for provider, _, _ in rows.offers} & set(provider_names())
        check_mappings(rows, mappings_of({name: provider_table(name) for name in sorted(served)}))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _rows(root: Path) -> Rows:
    rows = read_directory(root)
    check_references(rows)
    return rows


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
