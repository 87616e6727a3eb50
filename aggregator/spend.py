"""What a project's books say, as data. Reading them is `aggregator.ledger`."""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from aggregator.pricing.money import dollars

__all__ = ["Spend", "SpendLine"]


@dataclass(frozen=True, slots=True)
class SpendLine:
    """What one model cost in a project: settled, still reserved, and how many of its jobs were billed without a
    price.
    """

    model: str
    provider: str
    task: str
    jobs: int
    settled_usd: Decimal
    held_usd: Decimal
    unpriced_jobs: int


@dataclass(frozen=True, slots=True)
class Spend:
    """The books of a project, everything below it included. Dollars."""

    project: str
    budget_usd: Decimal | None
    settled_usd: Decimal
    """Known to be charged."""
    held_usd: Decimal
    """Reserved: running, or nobody knows yet whether it was charged."""
    overrun_usd: Decimal
    """By how much bills were above their reservations."""
    unpriced_jobs: int
    """Jobs booked at `max_usd` because no rate and no report said what they cost."""
    lines: tuple[SpendLine, ...] = ()

    @property
    def left_usd(self) -> Decimal | None:
        """What may still be reserved; `None` without a budget."""
        return None if self.budget_usd is None else self.budget_usd - self.settled_usd - self.held_usd

    def __str__(self) -> str:
        budget = "(no budget)" if self.budget_usd is None else f"of {dollars(self.budget_usd)}"
        text = f"{self.project}: {dollars(self.settled_usd)} spent {budget}, {dollars(self.held_usd)} reserved"
        return text + (f", {self.unpriced_jobs} jobs unpriced" if self.unpriced_jobs else "")

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "project": self.project,
            "budget_usd": None if self.budget_usd is None else str(self.budget_usd),
            "settled_usd": str(self.settled_usd),
            "held_usd": str(self.held_usd),
            "overrun_usd": str(self.overrun_usd),
            "unpriced_jobs": self.unpriced_jobs,
            "lines": [
                {
                    "model": line.model,
                    "provider": line.provider,
                    "task": line.task,
                    "jobs": line.jobs,
                    "settled_usd": str(line.settled_usd),
                    "held_usd": str(line.held_usd),
                    "unpriced_jobs": line.unpriced_jobs,
                }
                for line in self.lines
            ],
        }
