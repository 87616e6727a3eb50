"""The tables of `models`."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import NOT_USABLE, USABLE, entries, heading, say, usd
from aggregator.pricing.table import Rate

if TYPE_CHECKING:
    from aggregator.cli.catalogue import GoneRow, OfferRow

__all__ = ["draw_models", "mark", "missing"]


def draw_models(on: Console, rows: "Sequence[OfferRow]", gone: "Sequence[GoneRow]" = ()) -> None:
    """One table a task; then the models that are no longer, or never were, to be had."""
    for task, offers in groupby(rows, key=lambda row: row.offer.task):
        on.print(heading(task))
        found = [
            ((mark(row.not_usable), row.offer.model, row.tier, _life(row), _rates(row.rates)), row.offer.id)
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
    missing(on, {row.offer.provider: row.not_usable for row in rows if row.not_usable is not None})


def mark(not_usable: str | None) -> str:
    """Whether an offer can be used here."""
    return USABLE if not_usable is None else NOT_USABLE


def missing(on: Console, reasons: Mapping[str, str]) -> None:
    """Why providers cannot be used here."""
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
