"""Compile the package's cards, offers and boards to one index and its rates to another:
`python -m aggregator.registry.build [--check]`.

Hundreds of TOML files take too long to parse at every start; a JSON file does not. Both are committed, and `--check`
fails when one is not what the files say. Either way every offer is looked at together with its provider's table.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from aggregator.backends import provider_names, provider_table
from aggregator.errors import ConfigurationError
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import rates_text
from aggregator.registry.mapping import mappings_of
from aggregator.registry.packing import packed_text
from aggregator.registry.rows import Rows, check_mappings, check_references
from aggregator.registry.schema import read_directory

__all__ = ["compiled", "main"]

_HERE = Path(__file__).parent
_PRICING = _HERE.parent / "pricing"
_INDEX = _HERE / "index.json"
_RATES = _PRICING / "index.json"


def compiled(root: Path = _HERE) -> str:
    """What the index must hold, from the files below `root`."""
    return packed_text(_rows(root))


def main(arguments: Sequence[str]) -> int:
    """Write both indexes, or with `--check` only compare. The exit code."""
    try:
        rows = _rows(_HERE)
        texts = {_INDEX: packed_text(rows), _RATES: rates_text(read_rates(_PRICING / "rates").rows)}
        for file, text in texts.items():
            current = file.read_text(encoding="utf-8") if file.exists() else ""
            if "--check" not in arguments:
                file.write_text(text, encoding="utf-8")
            elif text != current:
                sys.stderr.write(f"{file} is not current: run python -m aggregator.registry.build\n")
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
