"""What a chain will cost and how long it will take, as data: serialisable, and readable on one screen.

How the figures come about is said in `aggregator.routing.chain_draws`. What is not known of one step is not known of
the chain: it is named, never counted as nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, Self

from pydantic import JsonValue, TypeAdapter

from aggregator.pricing.money import EXACT, dollars

__all__ = ["ChainQuote", "Plain", "Spread", "StepQuote", "Times", "Way", "spoken"]

MINUTE_S = 60
ONE = Decimal(1)


class Plain:
    """Written and read as plain data; amounts are text."""

    __slots__ = ()

    def as_json(self) -> dict[str, JsonValue]:
        written: dict[str, JsonValue] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return written

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        return TypeAdapter(cls).validate_python(value)


@dataclass(frozen=True, slots=True)
class Way(Plain):
    """One way to make a step: an offer at a stage, and what is known of it."""

    stage: str
    offer: str
    model: str
    tier: str
    low_usd: Decimal | None
    """The ends of its quote; `None`: its price is unknown."""
    high_usd: Decimal | None
    bills: tuple[Decimal, Decimal, Decimal] | None = None
    """How its bills stood to its quotes: the low end, the median, the high end; `None`: nothing was billed yet."""
    p50_s: float | None = None
    """What its record says of how long it takes; `None`: there is none."""
    p90_s: float | None = None
    share: float | None = None
    """Of blind pairs against the best of today, how many its model is expected to win; `None`: nobody knows."""
    share_low: float | None = None
    share_high: float | None = None
    why: str = ""
    """Why its price is unknown."""

    @property
    def least_usd(self) -> Decimal | None:
        """The low end of what it may cost, its bills so far considered."""
        return None if self.low_usd is None else EXACT.multiply(self.low_usd, min(ONE, *(self.bills or (ONE,))))

    @property
    def most_usd(self) -> Decimal | None:
        """The high end of what it may cost, its bills so far considered."""
        return None if self.high_usd is None else EXACT.multiply(self.high_usd, max(ONE, *(self.bills or (ONE,))))


@dataclass(frozen=True, slots=True)
class Spread(Plain):
    """What something may cost."""

    low_usd: Decimal
    p50_usd: Decimal
    p90_usd: Decimal
    high_usd: Decimal
    """The worst case: what is reserved, or more, where bills have been above their quotes."""

    def __str__(self) -> str:
        if self.low_usd == self.high_usd:
            return dollars(self.high_usd)
        middle, mostly, most = (_cents(amount) for amount in (self.p50_usd, self.p90_usd, self.high_usd))
        if middle == mostly == most:
            return most
        return f"{middle} (p90 {mostly}, at most {most})"


@dataclass(frozen=True, slots=True)
class Times(Plain):
    """How long something may take."""

    p50_s: float
    p90_s: float

    def __str__(self) -> str:
        return f"{spoken(self.p50_s)} (p90 {spoken(self.p90_s)})"


@dataclass(frozen=True, slots=True)
class StepQuote(Plain):
    """One step and who would make it."""

    name: str
    task: str
    way: Way
    cost: Spread | None
    """`None`: its price is unknown; `way.why` says why."""
    time: Times | None
    """`None`: nothing is known of how long it takes."""

    def __str__(self) -> str:
        why = f" ({self.way.why})" if self.way.why else ""
        cost = f"price unknown{why}" if self.cost is None else str(self.cost)
        time = "time unknown" if self.time is None else str(self.time)
        share = "quality unknown" if self.way.share is None else f"quality {self.way.share:.2f}"
        return f"{self.name}: {self.way.model} by {self.way.offer} ({self.way.stage}); {cost}; {time}; {share}"


@dataclass(frozen=True, slots=True)
class ChainQuote(Plain):
    """What the whole chain may cost and how long it may take."""

    steps: tuple[StepQuote, ...]
    cost: Spread | None
    """`None`: the price of a step is unknown (`unpriced`)."""
    priced: Spread
    """The same of the steps whose price is known."""
    time: Times | None
    """From the first order to the last result; `None`: how long a step takes is unknown (`untimed`)."""
    worst_s: float
    """When the last call has ended, whatever happens: the longest way through the chain by deadlines."""
    unpriced: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()

    def __str__(self) -> str:
        cost = f"in all {self.priced}"
        if self.unpriced:
            cost += f", and what is unknown: the price of {', '.join(self.unpriced)}"
        time = f"done in {self.time}" if self.time else f"how long is unknown: of {', '.join(self.untimed)}"
        lines = [*(str(step) for step in self.steps), cost, f"{time}; by deadline after {spoken(self.worst_s)}"]
        return "\n".join(lines)


def _cents(amount_usd: Decimal) -> str:
    """A figure that is an estimate anyway, to four digits, rounded up."""
    digits = max(-2, min(-6, amount_usd.adjusted() - 3)) if amount_usd < ONE else -2
    return dollars(amount_usd.quantize(Decimal(1).scaleb(digits), rounding=ROUND_CEILING))


def spoken(seconds: float) -> str:
    """A length of time that is an estimate anyway, for people."""
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), MINUTE_S)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
