"""A range of amounts as a condition of a rate: above one figure, up to another."""

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Range"]


@dataclass(frozen=True, slots=True)
class Range:
    """More than `above`, and at most `up_to`; `None` leaves that end open."""

    above: Decimal | None = None
    up_to: Decimal | None = None

    def holds(self, amount: Decimal) -> bool:
        """Whether an amount is in the range."""
        return (self.above is None or amount > self.above) and (self.up_to is None or amount <= self.up_to)

    def meets(self, other: "Range") -> bool:
        """Whether some amount is in both."""
        aboves = [end for end in (self.above, other.above) if end is not None]
        tops = [end for end in (self.up_to, other.up_to) if end is not None]
        return not aboves or not tops or max(aboves) < min(tops)

    def __str__(self) -> str:
        return f"{'' if self.above is None else self.above}..{'' if self.up_to is None else self.up_to}"
