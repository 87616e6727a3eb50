"""Appends accepted rows to a user's rate files, as text: what stands there already is never touched."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from aggregator.errors import PricingError
from aggregator.pricing.history import same_when
from aggregator.pricing.ranges import Range
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable, Rate
from aggregator.registry.writing import toml_text

__all__ = ["append", "toml_row"]


def append(table: PriceTable, rates: Iterable[Rate], directory: Path) -> list[Path]:
    """Append rows to `rates/<provider>.toml` below a directory of `[registry] paths`; returns the files written.

    A user's rows take over whole places (an endpoint and unit), history and other conditions included. So the first
    row for a place brings along the rows the table has for it.

    Raises:
        PricingError: The file has another price from the same day on: correct it by hand.
        ConfigurationError: A file there is malformed.

    """
    folder = directory / "rates"
    own = PriceTable((read_rates(folder),))
    texts: dict[str, list[str]] = {}
    for rate in rates:
        there = [row for row in own.rates(rate.provider) if row.place == rate.place]
        written = texts.setdefault(rate.provider, [])
        twin = next((row for row in there if row.starts == rate.starts and same_when(row) == same_when(rate)), None)
        if twin is not None and twin.usd != rate.usd:
            file = folder / f"{rate.provider}.toml"
            raise PricingError(f"{file} says {twin.usd} for {twin.id} and is now to say {rate.usd}: edit it by hand")
        brought = [] if there else [row for row in table.rates(rate.provider) if row.place == rate.place]
        rows = [toml_row(row) for row in (*brought, *(() if twin is not None else (rate,)))]
        written += [row for row in rows if row not in written]  # several changes of one place bring it along once
    files = []
    for provider, rows in texts.items():
        if rows:
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"{provider}.toml"
            before = file.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if file.is_file() else ""
            file.write_text(before + "\n".join(rows), encoding="utf-8")
            files.append(file)
    return files


def toml_row(rate: Rate) -> str:
    """A rate as a rate file has it."""
    row = {
        "model" if rate.scope == "model" else "endpoint": rate.name,
        "task": rate.task,
        "unit": rate.unit,
        "usd": f"{rate.usd:f}",
        "from": rate.starts,
        "when": {name: _condition(values) for name, values in rate.when.items()} or None,
        **{name: f"{units:f}" for name in ("free", "step", "minimum") if (units := getattr(rate, name))},
        "source": rate.source or None,
        "note": rate.note or None,
        "checked": rate.checked,
    }
    return "[[rate]]\n" + toml_text(row, ("rate",))


def _condition(values: Sequence[JsonValue | Range]) -> Any:
    if isinstance(found := values[0], Range):
        return {"above": _number(found.above), "up_to": _number(found.up_to)}
    return list(values)


def _number(end: Decimal | None) -> Decimal | int | None:
    return int(end) if end is not None and end == end.to_integral_value() else end
