"""What is known of a run while it goes on, put together from the news of its steps and of their jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from aggregator.job import AttemptState, Progress

if TYPE_CHECKING:
    from aggregator.workflow.events import RunEvent
    from aggregator.workflow.plan import RunPlan, StepPlan

__all__ = ["ENDED", "RUNNING", "THERE", "Following", "StepNews", "families", "grouped"]

ENDED = frozenset({"done", "reused", "skipped", "failed", "paused", "blocked"})
THERE = frozenset({"done", "reused", "skipped"})
RUNNING = "running"


def families(tasks: Mapping[str, str]) -> dict[str, str]:
    """Which flat steps belong together, by their names (`tasks` says of what task each is): the items of a fan-out, and
    those of one task that a function numbered.
    """
    found = {name: name.partition(".")[0] for name in tasks}
    numbered: dict[tuple[str, str], list[str]] = {}
    for name, task in tasks.items():
        base, _, number = name.rpartition("-")
        if "." not in name:
            numbered.setdefault((base if number.isdigit() else name, task), []).append(name)
    return found | {name: base for (base, _), names in numbered.items() if len(names) > 1 for name in names}


def grouped(steps: "Mapping[str, StepNews]") -> "list[tuple[str, list[StepNews]]]":
    """The flat steps that belong together, each family where its first one is."""
    of = families({name: step.plan.task for name, step in steps.items()})
    groups: dict[str, list[StepNews]] = {}
    for name, step in steps.items():
        groups.setdefault(of[name], []).append(step)
    return list(groups.items())


@dataclass(slots=True)
class StepNews:
    """One flat step."""

    plan: "StepPlan"
    state: str = "waiting"
    model: str | None = None
    cost_usd: Decimal | None = Decimal(0)
    """So far; `None`: unknown."""
    why: str = ""
    began_s: float | None = None
    took_s: float | None = None
    """`None`: it was there already, or has not ended."""
    jobs: dict[str, Progress | None] = field(default_factory=dict)
    """Of its takes, with what was heard last."""

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def running(self) -> list[Progress]:
        """The jobs of which it is known that somebody works on them."""
        return [news for news in self.jobs.values() if news is not None and news.state is AttemptState.RUNNING]

    @property
    def takes_done(self) -> int:
        """How many takes are there."""
        return sum(news is not None and news.state is AttemptState.STORED for news in self.jobs.values())

    def left_s(self, now_s: float) -> float | None:
        """How much longer it usually takes; `None`: nobody knows."""
        if self.ended or self.plan.state in ("reused", "edit", "skipped"):
            return 0.0
        time = self.plan.quote.time if self.plan.quote is not None else None
        if time is None:
            return None
        gone_s = 0.0 if self.began_s is None else now_s - self.began_s
        usual_s = time.p50_s if gone_s < time.p50_s else time.p90_s
        return max(0.0, usual_s - gone_s)


class Following:
    """A run that is followed: give it every event, and every piece of news of a job."""

    def __init__(self) -> None:
        self.plan: RunPlan | None = None
        self.steps: dict[str, StepNews] = {}
        self._heard: dict[str, Progress] = {}
        self._step_of: dict[str, StepNews] = {}

    def tell(self, event: "RunEvent") -> StepNews | None:
        """Take an event in; returns the step that is in another state now."""
        if event.plan is not None:
            self.plan = event.plan
            self.steps = {step.name: StepNews(step) for step in event.plan.steps}
        step = self.steps.get(event.step or "")
        if step is None:
            return None
        step.model = event.model or step.model
        was = step.state
        if event.kind == "ordered":
            assert event.job is not None
            step.jobs[event.job] = self._heard.get(event.job)
            self._step_of[event.job] = step
            if event.state == "reused":
                return None  # nobody works on it
            step.state = RUNNING
        else:
            step.state, step.why = event.state, event.why
            step.cost_usd = event.cost_usd if step.ended else step.cost_usd
        if step.state == RUNNING and step.began_s is None:
            step.began_s = event.at_s
        if step.ended and step.began_s is not None and step.state != "reused":
            step.took_s = event.at_s - step.began_s
        return step if step.state != was else None

    def hear(self, news: Progress) -> None:
        """Take in what a job says; it may say something before anybody knows which step it is of."""
        self._heard[news.job_id] = news
        if (step := self._step_of.get(news.job_id)) is not None:
            step.jobs[news.job_id] = news

    @property
    def done(self) -> int:
        """How many steps have what they were to make, or need not make it."""
        return sum(step.state in THERE for step in self.steps.values())

    @property
    def spent_usd(self) -> Decimal | None:
        """What was bought so far; `None`: the price of something is unknown."""
        costs = [step.cost_usd for step in self.steps.values()]
        return None if None in costs else sum((one for one in costs if one is not None), Decimal(0))

    def left_s(self, now_s: float) -> float | None:
        """How much longer it usually takes, by the longest way through what is left; `None`: nobody knows."""
        ends: dict[str, float] = {}
        for name, step in self.steps.items():
            own = step.left_s(now_s)
            if own is None:
                return None
            ends[name] = own + max((ends.get(other, 0.0) for other in step.plan.needs), default=0.0)
        return max(ends.values(), default=0.0)
