"""What a request will cost, from the rates. Exact decimals; what is not known is `None`, never zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from aggregator.contract import UNKNOWN, Meter
from aggregator.errors import PricingError
from aggregator.pricing.compute import GPU_SECOND, gpu_time
from aggregator.pricing.known import interval, known_values
from aggregator.pricing.money import EXACT
from aggregator.pricing.quote import Line, Quote
from aggregator.pricing.sheet import Priced, sheet_of
from aggregator.pricing.table import OPTION, PriceTable, Rate
from aggregator.registry.cards import Offer
from aggregator.tasks import Request

__all__ = ["Spans", "high_usd", "quote", "quote_of", "spans_of"]


@dataclass(frozen=True, slots=True)
class _Span:
    """One meter priced: what it comes to at least, and at most, each with the amount that is billed and the row."""

    unit: str
    low: Decimal
    low_usd: Decimal
    cheap: Rate
    high: Decimal
    high_usd: Decimal
    dear: Rate
    said: str = ""
    """Where the amount is from, if no request says it."""

    def line(self) -> Line:
        """The line of a quote shows the rate at the high end: that is what is reserved."""
        return Line(self.unit, min(self.low, self.high), self.high, self.dear.most_usd, self.dear.id)


@dataclass(frozen=True, slots=True)
class _Unpriced:
    """Why a meter cannot be priced before; with every rate, where it is only unknown how much will be used."""

    why: str
    lines: tuple[Line, ...] = ()


Spans = list[_Span] | _Unpriced
"""Every meter priced, or why one of them cannot be."""


def quote(
    offer: Offer, request: Request, table: PriceTable, day: date, options: Mapping[str, JsonValue] | None = None
) -> Quote:
    """The price of a request before it is sent, with the provider's own `options` (path to value) where rates ask.

    A field that was left out counts with the offer's documented default; without one, with every value the offer takes,
    which makes the quote an estimate from the cheapest to the dearest.
    """
    return quote_of(spans_of(offer, request, table, day, options), table)


def high_usd(spans: Spans) -> Decimal | None:
    """The most that it costs: enough to put offers in order."""
    return None if isinstance(spans, _Unpriced) else _total(span.high_usd for span in spans)


def quote_of(spans: Spans, table: PriceTable) -> Quote:
    """The quote that follows from the priced meters."""
    if isinstance(spans, _Unpriced):
        return Quote(None, None, "unknown", table=table.version, lines=spans.lines, why=spans.why)
    low, high = _total(span.low_usd for span in spans), _total(span.high_usd for span in spans)
    return Quote(
        low,
        high,
        "exact" if low == high else "estimate",
        as_of=min(rate.checked or rate.starts for span in spans for rate in (span.cheap, span.dear)),
        table=table.version,
        lines=tuple(span.line() for span in spans),
        why="" if low == high else "; ".join(_spread(span) for span in spans if span.low_usd != span.high_usd),
    )


def _total(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _spread(span: _Span) -> str:
    much = f"{span.low} to {span.high}" if span.low != span.high else f"{span.high}"
    low_usd, high_usd = span.cheap.usd, span.dear.most_usd
    each = f"{low_usd} to {high_usd}" if low_usd != high_usd else f"{high_usd}"
    return f"{much} {span.unit} at {each} USD" + (f" ({span.said})" if span.said else "")


def spans_of(
    offer: Offer, request: Request, table: PriceTable, day: date, options: Mapping[str, JsonValue] | None = None
) -> Spans:
    """The meters of an offer, priced for a request."""
    sheet = sheet_of(offer, table, day)
    if isinstance(sheet, str):
        return _Unpriced(sheet)
    values = known_values(offer, request)
    if options:
        values |= {f"{OPTION}{path}": value for path, value in options.items()}
    spans = []
    for priced in sheet:
        compute = table.compute(offer) if priced.meter.unit == GPU_SECOND else None
        timed = None if compute is None else gpu_time(compute, offer, values)
        amounts = timed or _quantity(priced.meter, offer, values)
        if isinstance(amounts, str):
            return _Unpriced(amounts, _rated(sheet, offer, values))
        rows = priced.winners(offer, values)
        if isinstance(rows, str):
            return _Unpriced(rows)
        said = f"{compute.source}, {compute.gpu}" if timed and compute else ""
        spans.append(_span(priced.meter.unit, amounts, rows, said))
    return spans


def _rated(sheet: tuple[Priced, ...], offer: Offer, values: Mapping[str, Any]) -> tuple[Line, ...]:
    """Each meter's dearest rate, and how much will be used where that is known; nothing where a rate is missing."""
    lines = []
    for priced in sheet:
        rows = priced.winners(offer, values)
        if isinstance(rows, str):
            return ()
        amounts = _quantity(priced.meter, offer, values)
        if isinstance(amounts, str):
            dearest = max(rows, key=lambda row: row.most_usd)
            lines.append(Line(priced.meter.unit, None, None, dearest.most_usd, dearest.id))
        else:
            lines.append(_span(priced.meter.unit, amounts, rows, "").line())
    return tuple(lines)


def _span(unit: str, amounts: tuple[Decimal, Decimal], rows: tuple[Rate, ...], said: str) -> _Span:
    """The cheapest row at the least that can be used, and the dearest at the most."""
    least, most = amounts
    cheap = dear = rows[0]
    low = high = cheap.billed(least)
    low_usd = high_usd = EXACT.multiply(low, cheap.usd)
    if most is not least or dear.usd_to is not None:
        high = dear.billed(most)
        high_usd = EXACT.multiply(high, dear.most_usd)
    for row in rows[1:]:
        if (usd := EXACT.multiply(amount := row.billed(least), row.usd)) < low_usd:
            cheap, low, low_usd = row, amount, usd
        if (usd := EXACT.multiply(amount := row.billed(most), row.most_usd)) > high_usd:
            dear, high, high_usd = row, amount, usd
    return _Span(unit, low, low_usd, cheap, high, high_usd, dear, said)


def _quantity(meter: Meter, offer: Offer, values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | str:
    if callable(meter.quantity):
        return _worked_out(meter, values)
    name = meter.quantity.removeprefix("request.")
    if name == UNKNOWN:
        return f"the number of {meter.unit}s is not known before it is made"
    if name == meter.quantity:
        amount = Decimal(name)
        return amount, amount
    bounds = interval(name, offer, values)
    if bounds is not None:
        return bounds
    return f"the number of {meter.unit}s is not known before it is made: {name} is neither given nor documented"


def _worked_out(meter: Meter, values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | str:
    assert callable(meter.quantity)
    try:
        bounds = meter.quantity(values)
    except KeyError as missing:
        return f"the number of {meter.unit}s depends on {missing}, which is neither given nor documented"
    if bounds is None:
        return f"the number of {meter.unit}s is not known before it is made"
    if not all(isinstance(bound, str) for bound in bounds):
        raise PricingError(f"a quantity of {meter.unit} is given as {bounds!r}: decimal strings are asked for")
    low, high = (Decimal(bound) for bound in bounds)
    if not 0 <= low <= high:
        raise PricingError(f"a quantity of {meter.unit} runs from {low} to {high}")
    return low, high
