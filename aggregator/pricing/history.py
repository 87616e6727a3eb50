"""What prices were, and how they moved: read from the dated rows, which are appended and never edited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from aggregator.pricing.ranges import Range
from aggregator.pricing.table import PriceTable, Rate
from aggregator.registry.cards import Offer

__all__ = [
    "Change",
    "When",
    "changes",
    "effective",
    "first_known",
    "said_when",
    "same_when",
    "units_of",
    "when_as_json",
]

When = tuple[tuple[str, tuple[str, ...]], ...]
"""The conditions of a row, to compare rows by."""


@dataclass(frozen=True, slots=True)
class Change:
    """One price of one offer that is another one on a later day. `before` is `None` where none was known."""

    offer: Offer
    before: Rate | None
    after: Rate

    @property
    def percent(self) -> Decimal | None:
        """By how much it rose (above zero) or fell; `None` where nothing is known to compare with, or it was free."""
        if self.before is None or not self.before.usd:
            return None
        return (self.after.usd / self.before.usd - 1) * 100

    def as_json(self) -> dict[str, Any]:
        percent = self.percent
        return {
            "offer": self.offer.id,
            "model": self.offer.model,
            "task": self.offer.task,
            "unit": self.after.unit,
            "when": when_as_json(self.after.when),
            "before_usd": None if self.before is None else str(self.before.usd),
            "after_usd": str(self.after.usd),
            "percent": None if percent is None else str(percent.quantize(Decimal("0.1"))),
            "since": self.after.starts.isoformat(),
            "source": self.after.source,
        }


def changes(table: PriceTable, offers: Iterable[Offer], since: date, until: date) -> list[Change]:
    """Every price that is another one on `until` than on `since`; what was unknown then counts as new."""
    found: dict[tuple[str, str, str], Change] = {}
    for offer in offers:
        for unit in units_of(offer):
            earlier = effective(table, offer, unit, since)
            for when, rate in effective(table, offer, unit, until).items():
                before = earlier.get(when)
                if before is None or before.usd != rate.usd:
                    found.setdefault((offer.id, unit, rate.id), Change(offer, before, rate))
    return list(found.values())


def effective(table: PriceTable, offer: Offer, unit: str, day: date) -> dict[When, Rate]:
    """The rows that count on a day: of those under the same conditions the most specific, then the latest."""
    found: dict[When, Rate] = {}
    for rate in table.rows_for(offer, unit, day):
        found.setdefault(same_when(rate), rate)
    return found


def same_when(rate: Rate) -> When:
    """The conditions of a row in a form that is equal for rows that say the same."""
    return tuple(sorted((name, tuple(sorted(map(repr, values)))) for name, values in rate.when.items()))


def said_when(rate: Rate) -> str:
    """The conditions for people; empty where there are none."""
    return ", ".join(
        f"{name}={'|'.join(_word(value) for value in values)}" for name, values in sorted(rate.when.items())
    )


def when_as_json(when: Mapping[str, Sequence[JsonValue | Range]]) -> dict[str, JsonValue]:
    """Conditions as data: a list of values, or a range as text (`above..up_to`)."""
    return {
        name: [str(value) if isinstance(value, Range) else value for value in values] for name, values in when.items()
    }


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def first_known(table: PriceTable, offer: Offer) -> date | None:
    """The first day on which every unit of an offer has a price; `None`: no day, as far as is known."""
    starts = []
    for unit in units_of(offer):
        rows = table.rows_for(offer, unit, date.max)
        if not rows:
            return None
        starts.append(min(row.starts for row in rows))
    return max(starts, default=None)


def units_of(offer: Offer) -> tuple[str, ...]:
    """What an offer is billed by."""
    return tuple(dict.fromkeys(meter.unit for meter in offer.mapping.meters))
