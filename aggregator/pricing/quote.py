"""What a price is: before (`Quote`) and after (`Cost`). Exact decimals of US dollars; unknown is `None`, never zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import JsonValue

__all__ = ["Cost", "Line", "Quote"]


@dataclass(frozen=True, slots=True)
class Line:
    """One billed unit of a quote or a cost: how much of it, at which rate, by which row.

    Of a quote, `low` and `high` are `None` where nobody knows before how much will be used; a cost has no such line.
    """

    unit: str
    low: Decimal | None
    high: Decimal | None
    rate_usd: Decimal
    row: str
    """Which rate row: `provider/endpoint/unit@date`."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "unit": self.unit,
            "low": None if self.low is None else str(self.low),
            "high": None if self.high is None else str(self.high),
            "rate_usd": str(self.rate_usd),
            "row": self.row,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        low, high = _decimal(value["low"]), _decimal(value["high"])
        return cls(value["unit"], low, high, Decimal(value["rate_usd"]), value["row"])


@dataclass(frozen=True, slots=True)
class Quote:
    """The price before spending. `basis` is `exact`, `estimate` (low < high) or `unknown` (both `None`)."""

    low_usd: Decimal | None
    high_usd: Decimal | None
    basis: Literal["exact", "estimate", "unknown"]
    as_of: date | None = None
    """The day of the oldest rate row used."""
    table: str = ""
    """The version of the price table."""
    lines: tuple[Line, ...] = ()
    """What it is made of. An unknown price has lines where every rate is known and only how much is used is not."""
    why: str = ""
    """Why the price is unknown, or what makes it an estimate."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "low_usd": None if self.low_usd is None else str(self.low_usd),
            "high_usd": None if self.high_usd is None else str(self.high_usd),
            "basis": self.basis,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "table": self.table,
            "lines": [line.as_json() for line in self.lines],
            "why": self.why,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            low_usd=_decimal(value["low_usd"]),
            high_usd=_decimal(value["high_usd"]),
            basis=value["basis"],
            as_of=None if value["as_of"] is None else date.fromisoformat(value["as_of"]),
            table=value["table"],
            lines=tuple(Line.from_json(line) for line in value["lines"]),
            why=value["why"],
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What was charged. It keeps the table's version, the rows and the quantities, so that it can be recomputed."""

    amount_usd: Decimal | None
    """`None`: nobody knows yet (the money stays reserved)."""
    source: Literal["reported", "computed", "reserved", "operator", "none"]
    """`reported`: by what the provider counted; `computed`: by what was ordered; `reserved`: unpriced, booked at
    `max_usd`.
    """
    table: str = ""
    lines: tuple[Line, ...] = ()
    unpriced: bool = False

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "amount_usd": None if self.amount_usd is None else str(self.amount_usd),
            "source": self.source,
            "table": self.table,
            "lines": [line.as_json() for line in self.lines],
            "unpriced": self.unpriced,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            amount_usd=_decimal(value["amount_usd"]),
            source=value["source"],
            table=value["table"],
            lines=tuple(Line.from_json(line) for line in value["lines"]),
            unpriced=value["unpriced"],
        )


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
