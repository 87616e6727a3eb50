"""Promotion of a run: what was picked is kept, with all it is made from; what follows goes to the final stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.pricing.money import EXACT, dollars
from aggregator.routing.chain_quote import Times
from aggregator.store import runs as rows
from aggregator.workflow import runs
from aggregator.workflow.plan import RunPlan
from aggregator.workflow.reading import read_back
from aggregator.workflow.runs import Kept, Run

if TYPE_CHECKING:
    from aggregator.artifact import Result
    from aggregator.project import Project
    from aggregator.workflow.events import OnEvent

__all__ = ["Compared", "RunComparison", "asked_of", "compared", "kept_of", "name_of", "plan_promotion", "promote"]


def name_of(run: str, stage: str) -> str:
    """What the promotion of a run is called."""
    return f"{run}@{stage}"


def kept_of(draft: Run, also: Sequence[str] = ()) -> Kept:
    """What a promotion takes from a draft as it is: picked takes, those named, and everything they are made from.

    Raises:
        RequestError: The draft is not finished as far as that, or has no step of a name.

    """
    graph = draft.graph
    for name in also:
        if name not in graph.fans and name not in graph.by_name:
            raise RequestError(f"keep: run {draft.name} has no step {name!r}; it has {', '.join(graph.fans)}")
    named = {flat for name in also for flat in graph.fans.get(name, (name,))}
    picked = {node.name for node in graph.nodes if node.takes > 1 and node.step.pick != "all"}
    waiting = sorted(set(draft.waiting) & picked)
    if waiting:
        raise RequestError(
            f"run {draft.name} waits for a pick at {', '.join(waiting)}: pick, run it again, then promote"
        )
    keep = graph.above(sorted(named | picked))
    missing = [name for name in sorted(keep) if draft.outcomes[name].state not in ("done", "skipped")]
    if missing:
        raise RequestError(f"run {draft.name}: {', '.join(missing)} would be kept, and is not made: run it again first")
    takes = {name: draft.written[name] for name in keep if name in draft.written and draft.outcomes[name].results}
    return Kept(takes, {name: draft.outcomes[name].picked for name in picked & keep})


@dataclass(frozen=True, slots=True)
class Compared:
    """One flat step: the draft beside the final."""

    name: str
    task: str
    state: str
    """What became of it in the promotion, or would: `reused`, `run`, …"""
    draft_model: str | None
    draft_usd: Decimal | None
    draft_s: float | None
    """How long its slowest take took; `None`: nobody was watching."""
    final_model: str | None
    final_usd: Decimal | None
    """What it cost, or would at most; `None`: unknown."""
    final_s: float | None


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A draft beside its promotion, planned or made."""

    draft: str
    final: str
    steps: tuple[Compared, ...]
    draft_usd: Decimal | None
    final_usd: Decimal | None
    """Of what is new; `None`: the price of something is unknown."""
    time: Times | None = None
    """How long the promotion takes, where it is planned."""

    def as_json(self) -> dict[str, JsonValue]:
        """Plain data; amounts are text."""
        from pydantic import TypeAdapter

        written: dict[str, JsonValue] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return written

    def __str__(self) -> str:
        lines = []
        for one in self.steps:
            was, now = f"{one.draft_model or one.task} ({_usd(one.draft_usd)})", one.state
            if one.state not in ("reused", "skipped"):
                now = f"{one.final_model or one.task} ({_usd(one.final_usd)})"
            lines.append(f"{one.name}: {was} → {now}")
        return "\n".join([*lines, f"{self.draft} {_usd(self.draft_usd)} → {self.final} {_usd(self.final_usd)} more"])


async def compared(draft: Run, final: Run | RunPlan) -> RunComparison:
    """A draft beside what its promotion is planned to be, or became."""
    made = [draft] if isinstance(final, RunPlan) else [draft, final]
    jobs = [one.job_id for run in made for name in run.outcomes for one in run.results(name) if one is not None]
    seconds = await draft.project.opened.store.read(lambda c: rows.took_s_of(c, jobs))
    steps = tuple(_compared(name, draft, final, seconds) for name in draft.outcomes)
    costs = [_spent(draft.results(name)) for name in draft.outcomes]
    return RunComparison(
        draft=draft.name,
        final=final.run if isinstance(final, RunPlan) else final.name,
        steps=steps,
        draft_usd=_sum(costs),
        final_usd=final.high_usd if isinstance(final, RunPlan) else final.cost_usd,
        time=final.time if isinstance(final, RunPlan) else None,
    )


def _compared(name: str, draft: Run, final: Run | RunPlan, seconds: Mapping[str, float]) -> Compared:
    was, results = draft.outcomes[name], draft.results(name)
    state: str
    if isinstance(final, RunPlan):
        plan = next(step for step in final.steps if step.name == name)
        state, model = plan.state, plan.quote.way.model if plan.quote else None
        usd, took_s = plan.high_usd, plan.quote.time.p50_s if plan.quote and plan.quote.time else None
    else:
        now = final.outcomes[name]
        state = "reused" if now.reused and now.state == "done" else now.state
        model, usd, took_s = _model(now.results), now.cost_usd, _slowest(now.results, seconds)
    was_s = _slowest(results, seconds)
    return Compared(name, was.node.task, state, _model(results), _spent(results), was_s, model, usd, took_s)


def _slowest(results: "Sequence[Result | None]", seconds: Mapping[str, float]) -> float | None:
    return max((seconds[one.job_id] for one in results if one is not None and one.job_id in seconds), default=None)


def _model(results: "Sequence[Result | None]") -> str | None:
    return next((one.model for one in results if one is not None), None)


def _spent(results: "Sequence[Result | None]") -> Decimal | None:
    return _sum([one.cost.amount_usd for one in results if one is not None])


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total = EXACT.add(total, cost)
    return total


def _usd(amount_usd: Decimal | None) -> str:
    return "unknown" if amount_usd is None else dollars(amount_usd)


async def plan_promotion(
    project: "Project", run: str, *, stage: str = "final", keep: Sequence[str] = (), budget_usd: Decimal | None = None
) -> RunComparison:
    """What promoting a run would make again, and what that costs beside the draft. Nothing is sent."""
    draft = await read_back(project, run)
    given = asked_of(draft, stage, keep)
    return await compared(draft, await runs.plan(project, draft.graph.workflow, budget_usd=budget_usd, **given))


async def promote(
    project: "Project",
    run: str,
    *,
    stage: str = "final",
    keep: Sequence[str] = (),
    budget_usd: Decimal | None = None,
    on_event: "OnEvent | None" = None,
) -> Run:
    """Make a run again on the final stage, with what was approved kept as it is. It is a run of its own, `film@final`;
    promoted again, it goes on.
    """
    draft = await read_back(project, run)
    given = asked_of(draft, stage, keep)
    return await runs.start(project, draft.graph.workflow, budget_usd=budget_usd, on_event=on_event, **given)


def asked_of(draft: Run, stage: str, keep: Sequence[str]) -> dict[str, Any]:
    """What the promotion of a run is started with, beside its workflow."""
    return {
        "name": name_of(draft.name, stage),
        "inputs": draft.graph.inputs,
        "stage": stage,
        "kept": kept_of(draft, keep),
    }
