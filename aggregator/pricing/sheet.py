"""An offer's rates on one day, ready to be asked: per meter the rows that can win, and which do for given values.

A sheet is made once per offer and day and kept by the table, and remembers what it was asked: the same words of a
request get the same rows again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

from aggregator.contract import Meter
from aggregator.pricing.known import DERIVED, Interval, domain, interval
from aggregator.pricing.money import EXACT, exact
from aggregator.pricing.ranges import Range
from aggregator.pricing.table import GIVEN, LEFT_OUT, OPTION, PriceTable, Rate
from aggregator.registry.cards import Offer

__all__ = ["Priced", "Sheet", "sheet_of"]

_ANYTHING_ELSE = object()
"""Stands for every value that no row mentions."""
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Priced:
    """A meter with the rows that can apply to it, the one that wins first."""

    meter: Meter
    rows: tuple[Rate, ...]
    names: tuple[str, ...]
    """What the rows' conditions ask about."""
    _found: dict[Any, tuple[Rate, ...] | str] = field(default_factory=dict)

    def winners(self, offer: Offer, values: Mapping[str, Any]) -> tuple[Rate, ...] | str:
        """The rows that win among the values the request may still turn out to have, or why none does."""
        if not self.names:
            return self.rows[:1]
        seen = [_seen(name, offer, values) for name in self.names]
        try:
            key = tuple((value.__class__, value) for value in seen)  # `True` is not 1
            if (known := self._found.get(key)) is not None:
                return known
        except TypeError:  # a list cannot be remembered
            return self._winners(offer, seen)
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        found = self._found[key] = self._winners(offer, seen)
        return found

    def _winners(self, offer: Offer, seen: Sequence[Any]) -> tuple[Rate, ...] | str:
        possible = (_possible(name, value, self.rows, offer) for name, value in zip(self.names, seen, strict=True))
        found: dict[int, Rate] = {}
        for combination in product(*possible):
            case = dict(zip(self.names, combination, strict=True))
            row = next((row for row in self.rows if _applies(row, case)), None)
            if row is None:
                said = ", ".join(f"{name}={'another' if v is _ANYTHING_ELSE else v}" for name, v in case.items())
                return f"no rate for {self.meter.unit} of {offer.id} with {said}"
            found[id(row)] = row
        return tuple(found.values())


Sheet = tuple[Priced, ...] | str
"""Every meter with its rows, or why the offer has no price on that day."""


def sheet_of(offer: Offer, table: PriceTable, day: date) -> Sheet:
    """The offer's sheet, from the table's memory where it was asked before."""
    kept = table.sheets.get((id(offer), day))
    if kept is not None:
        found: Sheet = kept[1]
        return found
    if len(table.sheets) >= table.KEPT:
        table.sheets.clear()
    made = _sheet(offer, table, day)
    table.sheets[id(offer), day] = (offer, made)  # the offer is held, so that its id stays its own
    return made


def _sheet(offer: Offer, table: PriceTable, day: date) -> Sheet:
    if not offer.mapping.meters:
        return f"{offer.id} has no meter: nothing says what is billed"
    priced = []
    for meter in offer.mapping.meters:
        rows = table.rows_for(offer, meter.unit, day)
        if not rows:
            return f"no rate for {meter.unit} of {offer.id} on {day}"
        priced.append(Priced(meter, rows, tuple(sorted({name for row in rows for name in row.when}))))
    return tuple(priced)


def _seen(name: str, offer: Offer, values: Mapping[str, Any]) -> Any:
    """What the request says of a condition: a value, the bounds of what follows from it, or `_ANYTHING_ELSE`."""
    if name in values:
        return values[name]
    if name.startswith(OPTION):
        return LEFT_OUT
    bounds = interval(name, offer, values) if name in DERIVED else None
    return _ANYTHING_ELSE if bounds is None else bounds


def _possible(name: str, seen: Any, rows: Sequence[Rate], offer: Offer) -> tuple[Any, ...]:
    """Every value that a condition may meet, as far as the rows tell values apart."""
    if name in DERIVED and isinstance(seen, tuple):
        return _between(seen, name, rows)
    if seen is not _ANYTHING_ELSE:
        return (seen,)
    if (known := domain(name, offer, {})) is not None:
        return known
    if any(isinstance(value, Range) for row in rows for value in row.when.get(name, ())):
        return _between(interval(name, offer, {}) or _beyond(name, rows), name, rows)
    mentioned = dict.fromkeys(value for row in rows for value in row.when.get(name, ()))
    return (*mentioned, _ANYTHING_ELSE)


def _edges(name: str, rows: Sequence[Rate]) -> Iterator[Decimal]:
    for value in (value for row in rows for value in row.when.get(name, ())):
        ends = (value.above, value.up_to) if isinstance(value, Range) else (exact(value),)
        yield from (end for end in ends if end is not None)


def _beyond(name: str, rows: Sequence[Rate]) -> Interval:
    """Bounds that nothing is known of: from nothing to above all that is mentioned."""
    return Decimal(0), EXACT.add(max(_edges(name, rows)), Decimal(1))


def _between(bounds: Interval, name: str, rows: Sequence[Rate]) -> tuple[Decimal, ...]:
    """Amounts that stand for all between the bounds: the ends, each figure a row names, and one between any two."""
    low, high = bounds
    if low == high:
        return (low,)
    points = sorted({low, high, *(edge for edge in _edges(name, rows) if low < edge < high)})
    middles = [EXACT.divide(EXACT.add(one, other), Decimal(2)) for one, other in pairwise(points)]
    return (*points, *middles)


def _applies(row: Rate, case: Mapping[str, Any]) -> bool:
    return all(any(_fulfils(case[name], wanted) for wanted in wants) for name, wants in row.when.items())


def _fulfils(value: Any, wanted: Any) -> bool:
    """In the range, given at all, or equal, where `True` is not 1."""
    if isinstance(wanted, Range):
        amount = exact(value)
        return amount is not None and wanted.holds(amount)
    if wanted == GIVEN:
        return bool(value != LEFT_OUT)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
