"""News of a run, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

if TYPE_CHECKING:
    from aggregator.workflow.plan import RunPlan

__all__ = ["Kind", "OnEvent", "RunEvent"]

Kind = Literal["planned", "ordered", "step", "ended"]
"""`planned`: what will be done, before anything is sent. `ordered`: a take has a job. `step`: a step is in another
state. `ended`: nothing goes on.
"""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One piece of news."""

    kind: Kind
    run: str
    """The run's name."""
    at_s: float
    """By the clock on the wall."""
    state: str
    """Of the step, or of the run."""
    step: str | None = None
    take: int | None = None
    job: str | None = None
    model: str | None = None
    cost_usd: Decimal | None = None
    """Of the step so far, or of the run; `None`: unknown."""
    why: str = ""
    plan: "RunPlan | None" = None

    def as_json(self) -> dict[str, JsonValue]:
        """What is known, as a line for machines."""
        given: dict[str, JsonValue] = {
            "kind": self.kind,
            "run": self.run,
            "at_s": round(self.at_s, 3),
            "state": self.state,
            "step": self.step,
            "take": self.take,
            "job": self.job,
            "model": self.model,
            "cost_usd": None if self.cost_usd is None else str(self.cost_usd),
            "why": self.why or None,
            "plan": None if self.plan is None else self.plan.as_json(),
        }
        return {name: value for name, value in given.items() if value is not None}


OnEvent = Callable[[RunEvent], None]
