"""The tables of `models` and `prices`."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import heading, quoted, say, table, usd
from aggregator.pricing.table import Rate

if TYPE_CHECKING:
    from aggregator.cli.catalogue import OfferRow, PriceRow

__all__ = ["draw_models", "draw_prices"]

OUT_SHOWN = 6


def draw_models(on: Console, rows: "Sequence[OfferRow]") -> None:
    """One table a task."""
    for task, offers in groupby(rows, key=lambda row: row.offer.task):
        on.print(heading(task))
        found = table("", "model", "tier", "offer", "life", "price", fold=("offer", "price"))
        for row in offers:
            mark = Text("✓", "green") if row.not_usable is None else Text("–", "dim")
            found.add_row(mark, row.offer.model, row.tier, row.offer.id, _life(row), _rates(row.rates))
        on.print(found)
        on.print()
    if not rows:
        on.print("Nothing is on offer.")
    _missing(on, {row.offer.provider: row.not_usable for row in rows if row.not_usable is not None})


def draw_prices(
    on: Console, task: str, rows: "Sequence[PriceRow]", out: Mapping[str, str], *, today: date
) -> None:
    """The offers that can do the job, then how many cannot."""
    on.print(heading(f"This {task}", dim="cheapest first"))
    found = table("", "price", "basis", "checked", "tier", "offer", right=("price",), fold=("offer",))
    for row in rows:
        mark = Text("✓", "green") if row.not_usable is None else Text("–", "dim")
        as_of = row.quote.as_of
        age = "–" if as_of is None else f"{(today - as_of).days} d ago"
        found.add_row(mark, quoted(row.quote), row.quote.basis, age, row.tier, row.offer.id)
    on.print(found)
    for row in rows:
        if row.quote.high_usd is None:
            say(on, Text(f"{row.offer.id}: unknown: {row.quote.why}", "dim"))
    _missing(on, {row.offer.provider: row.not_usable for row in rows if row.not_usable is not None})
    if out:
        on.print()
        on.print(heading("Cannot do it"))
        for offer in list(out)[:OUT_SHOWN]:
            say(on, offer, Text(f"  {out[offer]}", "dim"), indent=2)
        if len(out) > OUT_SHOWN:
            on.print(Text(f"  and {len(out) - OUT_SHOWN} more: --json has all of them", "dim"))


def _missing(on: Console, reasons: Mapping[str, str]) -> None:
    for provider, reason in sorted(reasons.items()):
        say(on, Text(f"– {provider}: {reason}", "dim"))


def _life(row: "OfferRow") -> str:
    return row.life if row.days_left is None else f"{row.life}, {row.days_left} d left"


def _rates(rates: Mapping[str, Sequence[Rate]]) -> str:
    return " + ".join(_rate(unit, found) for unit, found in rates.items()) or "unknown"


def _rate(unit: str, found: Sequence[Rate]) -> str:
    if not found:
        return f"unknown / {unit}"
    low, high = min(rate.usd for rate in found), max(rate.usd for rate in found)
    return f"{usd(low)} / {unit}" if low == high else f"{usd(low)}–{usd(high)} / {unit}"
