"""What a request will cost, from the rates. Exact decimals; what is not known is `None`, never zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from aggregator.contract import Meter
from aggregator.errors import PricingError
from aggregator.pricing.known import DERIVED, domain, interval, known_values
from aggregator.pricing.money import EXACT
from aggregator.pricing.quote import Line, Quote
from aggregator.pricing.table import PriceTable, Rate
from aggregator.registry.cards import Offer
from aggregator.tasks import Request

__all__ = ["quote"]

_ANYTHING_ELSE = object()
"""Stands for every value that no row mentions."""


@dataclass(frozen=True, slots=True)
class _Span:
    """One meter priced: between how much at which rate, and how much at which."""

    unit: str
    low: Decimal
    high: Decimal
    cheap: Rate
    dear: Rate

    @property
    def low_usd(self) -> Decimal:
        return EXACT.multiply(self.low, self.cheap.usd)

    @property
    def high_usd(self) -> Decimal:
        return EXACT.multiply(self.high, self.dear.usd)

    def line(self) -> Line:
        """The line of a quote shows the rate at the high end: that is what is reserved."""
        return Line(self.unit, self.low, self.high, self.dear.usd, self.dear.id)


def quote(offer: Offer, request: Request, table: PriceTable, day: date) -> Quote:
    """The price of a request before it is sent.

    A field that was left out counts with the offer's documented default; without one, with every value the offer takes,
    which makes the quote an estimate from the cheapest to the dearest.
    """
    spans = _spans(offer, request, table, day)
    if isinstance(spans, str):
        return Quote(None, None, "unknown", table=table.version, why=spans)
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
    each = f"{span.cheap.usd} to {span.dear.usd}" if span.cheap.usd != span.dear.usd else f"{span.dear.usd}"
    return f"{much} {span.unit} at {each} USD"


def _spans(offer: Offer, request: Request, table: PriceTable, day: date) -> list[_Span] | str:
    """Every meter priced, or why one of them cannot be."""
    if not offer.mapping.meters:
        return f"{offer.id} has no meter: nothing says what is billed"
    values = known_values(offer, request)
    spans = []
    for meter in offer.mapping.meters:
        rows = table.rows_for(offer, meter.unit, day)
        if not rows:
            return f"no rate for {meter.unit} of {offer.id} on {day}"
        amounts = _quantity(meter, offer, values)
        if isinstance(amounts, str):
            return amounts
        rates = _rates(rows, offer, values)
        if isinstance(rates, str):
            return rates
        spans.append(_Span(meter.unit, *amounts, *rates))
    return spans


def _quantity(meter: Meter, offer: Offer, values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | str:
    if callable(meter.quantity):
        return _worked_out(meter, values)
    name = meter.quantity.removeprefix("request.")
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


def _rates(rows: Sequence[Rate], offer: Offer, values: Mapping[str, Any]) -> tuple[Rate, Rate] | str:
    """The cheapest and the dearest row among the values the request may still turn out to have."""
    names = sorted({name for row in rows for name in row.when})
    if not names:
        return rows[0], rows[0]
    found = []
    for combination in product(*(_possible(name, rows, offer, values) for name in names)):
        case = dict(zip(names, combination, strict=True))
        row = next((row for row in rows if _applies(row, case)), None)
        if row is None:
            said = ", ".join(f"{name}={'another' if v is _ANYTHING_ELSE else v}" for name, v in case.items())
            return f"no rate for {rows[0].unit} of {offer.id} with {said}"
        found.append(row)
    return min(found, key=lambda row: row.usd), max(found, key=lambda row: row.usd)


def _possible(name: str, rows: Sequence[Rate], offer: Offer, values: Mapping[str, Any]) -> tuple[Any, ...]:
    if name in DERIVED and name not in values and (bounds := interval(name, offer, values)) is not None:
        return (bounds[1],)
    known = domain(name, offer, values)
    if known is not None:
        return known
    mentioned = dict.fromkeys(value for row in rows for value in row.when.get(name, ()))
    return (*mentioned, _ANYTHING_ELSE)


def _applies(row: Rate, case: Mapping[str, Any]) -> bool:
    return all(any(_same(case[name], value) for value in values) for name, values in row.when.items())


def _same(value: Any, wanted: Any) -> bool:
    """Equal, and `True` is not 1."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
