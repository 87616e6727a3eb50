"""What a finished job cost, by the quote it was ordered under: recomputable from the quote alone, whatever the table
says now.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from aggregator.pricing.money import EXACT
from aggregator.pricing.quote import Cost, Line, Quote

__all__ = ["settled"]


def settled(
    quote: Quote,
    reported: Mapping[str, Decimal],
    *,
    reserved_usd: Decimal,
    charged_usd: Decimal | None = None,
    measured: Mapping[str, Decimal] = MappingProxyType({}),
) -> Cost:
    """Book what the answer says was charged, else by what the provider counted (`reported`, by unit), else by what was
    ordered, its high end where that is a range.

    Without a rate, or where nobody says how much was used, all that was reserved is booked, and the cost says
    `unpriced`.

    Args:
        measured: What was seen from here of what nobody reports (the seconds of a GPU of one's own): at most as quoted,
            since waiting is in it.

    """
    if charged_usd is not None:
        line = Line("usd", charged_usd, charged_usd, Decimal(1), "charged")
        return Cost(charged_usd, "reported", table=quote.table, lines=(line,))
    lines, total = [], Decimal(0)
    for line in quote.lines:
        amount = reported.get(line.unit, line.high)
        if amount is None:
            break
        if line.unit not in reported:
            amount = min(amount, measured.get(line.unit, amount))
        lines.append(Line(line.unit, amount, amount, line.rate_usd, line.row))
        total = EXACT.add(total, EXACT.multiply(amount, line.rate_usd))
    if not lines or len(lines) < len(quote.lines):
        return Cost(reserved_usd, "reserved", table=quote.table, unpriced=True)
    counted = all(line.unit in reported for line in lines)
    return Cost(total, "reported" if counted else "computed", table=quote.table, lines=tuple(lines))
