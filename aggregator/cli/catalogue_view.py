"""The tables of `models` and `prices`."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import NOT_USABLE, USABLE, entries, heading, quoted, say, usd
from aggregator.pricing.table import Rate

if TYPE_CHECKING:
    from aggregator.cli.catalogue import GoneRow, OfferRow, PriceRow

__all__ = ["draw_models", "draw_prices"]

OUT_SHOWN = 6


def draw_models(on: Console, rows: "Sequence[OfferRow]", gone: "Sequence[GoneRow]" = ()) -> None:
    """One table a task; then the models that are no longer, or never were, to be had."""
    for task, offers in groupby(rows, key=lambda row: row.offer.task):
        on.print(heading(task))
        found = [
            ((_mark(row.not_usable), row.offer.model, row.tier, _life(row), _rates(row.rates)), row.offer.id)
            for row in offers
        ]
        entries(on, ("", "model", "tier", "life", "price"), found)
        on.print()
    if not rows:
        on.print("Nothing is on offer.")
    if gone:
        on.print(heading("Gone, or never to be had"))
        for row in gone:
            say(on, row.card.id, Text(f"  {_gone(row)}", "dim"), indent=2)
        on.print()
    _missing(on, {row.offer.provider: row.not_usable for row in rows if row.not_usable is not None})


def draw_prices(on: Console, task: str, rows: "Sequence[PriceRow]", out: Mapping[str, str], *, today: date) -> None:
    """The offers that can do the job, then how many cannot."""
    on.print(heading(f"This {task}", dim="cheapest first"))
    found = []
    for row in rows:
        as_of = row.quote.as_of
        age = "–" if as_of is None else f"{(today - as_of).days} d ago"
        found.append(((_mark(row.not_usable), quoted(row.quote), row.quote.basis, age, row.tier), row.offer.id))
    entries(on, ("", "price", "basis", "checked", "tier"), found)
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


def _mark(not_usable: str | None) -> str:
    return USABLE if not_usable is None else NOT_USABLE


def _missing(on: Console, reasons: Mapping[str, str]) -> None:
    for provider, reason in sorted(reasons.items()):
        say(on, Text(f"{NOT_USABLE} {provider}: {reason}", "dim"))


def _life(row: "OfferRow") -> str:
    return row.life if row.days_left is None else f"{row.life}, {row.days_left} d left"


def _gone(row: "GoneRow") -> str:
    """Since when or why, and what to ask for instead."""
    card = row.card
    words = row.life + (f" since {card.retired}" if card.retired else "")
    if row.life != "retired":
        words += f": {card.why}"
    instead = card.successor or ", ".join(card.equivalents)
    return f"{words}; instead: {instead}" if instead else words


def _rates(rates: Mapping[str, Sequence[Rate]]) -> str:
    return " + ".join(_rate(unit, found) for unit, found in rates.items()) or "unknown"


def _rate(unit: str, found: Sequence[Rate]) -> str:
    if not found:
        return f"unknown / {unit}"
    low, high = min(rate.usd for rate in found), max(rate.usd for rate in found)
    return f"{usd(low)} / {unit}" if low == high else f"{usd(low)}–{usd(high)} / {unit}"
