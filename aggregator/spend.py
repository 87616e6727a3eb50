"""What the books say, as data: spend by whatever it is asked by, budgets, credits. Reading them is `store.reports`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict

from pydantic import JsonValue

from aggregator.pricing.money import dollars

__all__ = ["BY", "DIMENSIONS", "OUR_OWN", "Asked", "Budget", "Credits", "Dimension", "Spend", "SpendLine"]

Dimension = Literal["project", "provider", "model", "offer", "task", "stage", "tag", "day"]
DIMENSIONS: tuple[Dimension, ...] = ("project", "provider", "model", "offer", "task", "stage", "tag", "day")
"""What spend can be asked by. `day`: the day (UTC) on which it was reserved. `tag`: `name=value`; a job counts under
each of its tags, so that these lines may add up to more than was spent.
"""
OUR_OWN = "_"
"""How the names of tags begin that workflows find their jobs by: nobody is shown those."""
BY: tuple[Dimension, ...] = ("model", "provider", "task")


class Asked(TypedDict, total=False):
    """What a report is asked for."""

    by: Dimension | Sequence[Dimension]
    since: date | None
    until: date | None
    tags: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class SpendLine:
    """One line of a report: settled, still reserved, and how many of its jobs were billed without a price."""

    group: Mapping[str, str | None]
    """What the line is about, by dimension; a `tag` of `None` are jobs without any."""
    jobs: int
    """Purchases that cost something or may."""
    settled_usd: Decimal
    held_usd: Decimal
    unpriced_jobs: int

    def as_json(self) -> dict[str, JsonValue]:
        return {
            **self.group,
            "jobs": self.jobs,
            "settled_usd": str(self.settled_usd),
            "held_usd": str(self.held_usd),
            "unpriced_jobs": self.unpriced_jobs,
        }


@dataclass(frozen=True, slots=True)
class Credits:
    """What a provider was paid in its own credits, which are counted by themselves and never added to anything."""

    provider: str
    settled: Decimal
    held: Decimal

    def as_json(self) -> dict[str, JsonValue]:
        return {"provider": self.provider, "settled": str(self.settled), "held": str(self.held)}


@dataclass(frozen=True, slots=True)
class Budget:
    """A cap and what is used of it. Dollars, or credits of a provider."""

    account: str
    """A project's name, `organisation`, or `credits:<provider>`."""
    period: str
    """`total`, for its life; else `day`, `week` or `month`."""
    label: str | None
    """Which day, week or month, in UTC: `2026-11`."""
    until: datetime | None
    """When the next one begins."""
    currency: str
    """`USD` or `credit:<provider>`."""
    limit: Decimal
    settled: Decimal
    held: Decimal
    earmarked: Decimal = Decimal(0)
    """How much of what is held is kept for steps of runs that have not begun."""

    @property
    def left(self) -> Decimal:
        """What may still be reserved."""
        return max(Decimal(0), self.limit - self.settled - self.held)

    @property
    def percent(self) -> int:
        """How much of it is used, rounded down."""
        return int((self.settled + self.held) * 100 / self.limit) if self.limit else 100

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "account": self.account,
            "period": self.period,
            "label": self.label,
            "until": None if self.until is None else self.until.isoformat(),
            "currency": self.currency,
            "limit": str(self.limit),
            "settled": str(self.settled),
            "held": str(self.held),
            "earmarked": str(self.earmarked),
            "left": str(self.left),
            "percent": self.percent,
        }


@dataclass(frozen=True, slots=True)
class Spend:
    """The books of a project, everything below it included. Dollars."""

    project: str
    budget_usd: Decimal | None
    """For its life; the caps of periods are in `budgets`."""
    settled_usd: Decimal
    """Known to be charged."""
    held_usd: Decimal
    """Reserved: running, nobody knows yet whether it was charged, or earmarked."""
    overrun_usd: Decimal
    """By how much bills were above their reservations."""
    unpriced_jobs: int
    """Jobs booked at `max_usd` because no rate and no report said what they cost."""
    by: tuple[Dimension, ...] = BY
    lines: tuple[SpendLine, ...] = ()
    credits: tuple[Credits, ...] = ()
    budgets: tuple[Budget, ...] = ()
    earmarked_usd: Decimal = Decimal(0)
    """How much of what is reserved is kept for steps of runs that have not begun: they have no job, and so no line."""
    selected: bool = False
    """Only what was asked for by time or tag: the figures are of that alone, and there is no budget for it."""

    @property
    def left_usd(self) -> Decimal | None:
        """What may still be reserved within the budget for life; `None` without one."""
        if self.budget_usd is None:
            return None
        return max(Decimal(0), self.budget_usd - self.settled_usd - self.held_usd)

    def __str__(self) -> str:
        budget = "(no budget)" if self.budget_usd is None else f"of {dollars(self.budget_usd)}"
        text = f"{self.project}: {dollars(self.settled_usd)} spent {budget}, {dollars(self.held_usd)} reserved"
        text += f" ({dollars(self.earmarked_usd)} of it earmarked)" if self.earmarked_usd else ""
        return text + (f", {self.unpriced_jobs} jobs unpriced" if self.unpriced_jobs else "")

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "project": self.project,
            "budget_usd": None if self.budget_usd is None else str(self.budget_usd),
            "settled_usd": str(self.settled_usd),
            "held_usd": str(self.held_usd),
            "earmarked_usd": str(self.earmarked_usd),
            "overrun_usd": str(self.overrun_usd),
            "unpriced_jobs": self.unpriced_jobs,
            "by": list(self.by),
            "lines": [line.as_json() for line in self.lines],
            "credits": [one.as_json() for one in self.credits],
            "budgets": [one.as_json() for one in self.budgets],
        }

    def as_csv(self) -> str:
        """The lines as CSV (RFC 4180) with a header, in decimal dollars. A text that a spreadsheet would take for a
        formula begins with an apostrophe.
        """
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow([*self.by, "jobs", "settled_usd", "held_usd", "unpriced_jobs"])
        for line in self.lines:
            told = [_cell(line.group[name] or "") for name in self.by]
            rows.writerow([*told, line.jobs, f"{line.settled_usd:f}", f"{line.held_usd:f}", line.unpriced_jobs])
        return text.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
