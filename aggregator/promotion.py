"""Promotion: the recipe of an approved draft, made again on the final stage, with what was approved kept as it is.

The step itself is always made again; its inputs stay, unless the whole chain is promoted (`through="all"`). Seeds go
along only where they mean the same picture on the new model: both cards name the same `seeds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from pydantic import JsonValue

from aggregator.artifact import Result
from aggregator.errors import AggregatorError, NoRouteError, RequestError, UnknownModelError, WorkflowError
from aggregator.pricing.money import dollars
from aggregator.routing.plan import Ask, Plan
from aggregator.tasks import Request

if TYPE_CHECKING:
    from aggregator.options import Options
    from aggregator.project import Project

__all__ = ["PromotionPlan", "PromotionStep", "plan_promotion", "promote"]

Through = Literal["step", "all"]
LEAST_USD = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class PromotionStep:
    """One step that would be made again: the draft beside the plan for the final."""

    draft: Result
    plan: Plan
    notes: tuple[str, ...] = ()
    """What changes beside the model: a seed that is carried or dropped, an input that is not known yet."""

    def __str__(self) -> str:
        quote, was = self.plan.quote, self.draft.cost.amount_usd
        models = f"{self.draft.model} ({_shown(was)}) → {self.plan.offer.model} (at most {_shown(quote.high_usd)})"
        return "; ".join([f"{self.draft.key}: {models}", *self.notes])

    @property
    def difference_usd(self) -> Decimal | None:
        """What the final may cost beyond what the draft did; `None` if either is unknown."""
        high, was = self.plan.quote.high_usd, self.draft.cost.amount_usd
        return None if high is None or was is None else high - was

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "key": self.draft.key,
            "task": self.draft.lineage.request.task,
            "draft": {"model": self.draft.model, "cost": self.draft.cost.as_json()},
            "final": self.plan.as_json(),
            "difference_usd": None if self.difference_usd is None else str(self.difference_usd),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """What a promotion would make again, first things first, and what it would cost."""

    steps: tuple[PromotionStep, ...]
    kept: tuple[str, ...]
    """Keys of the chain that stay as they are."""

    @property
    def high_usd(self) -> Decimal | None:
        """The most it may cost; `None` if one price is unknown."""
        highs = [step.plan.quote.high_usd for step in self.steps]
        return None if None in highs else sum((high for high in highs if high is not None), Decimal(0))

    def __str__(self) -> str:
        lines = [str(step) for step in self.steps]
        lines += [f"kept: {', '.join(self.kept)}"] if self.kept else []
        return "\n".join([*lines, f"at most {_shown(self.high_usd)} in all"])

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "steps": [step.as_json() for step in self.steps],
            "kept": list(self.kept),
            "high_usd": None if self.high_usd is None else str(self.high_usd),
        }


def _shown(amount_usd: Decimal | None) -> str:
    return "unknown" if amount_usd is None else dollars(amount_usd)


async def plan_promotion(
    project: "Project", result: Result, *, through: Through, keep: Sequence[Result], options: "Options"
) -> PromotionPlan:
    """Plan every step that would be made again. Sends nothing."""
    chain, kept = await _chain(project, result, through, keep)
    again = {draft.job_id for draft in chain}
    steps = []
    for draft in chain:
        request = draft.lineage.request
        asked = _options(draft, result, options)
        plan, notes = _seeded(project, draft, request, await project.asked(request, asked))
        if any(media.job_id in again for _, media in request.media()):
            notes = (*notes, "planned with the draft's input: the new one may be of another size")
        steps.append(PromotionStep(draft, plan, notes))
    return PromotionPlan(tuple(steps), tuple(kept))


async def promote(
    project: "Project", result: Result, *, through: Through, keep: Sequence[Result], options: "Options"
) -> Result:
    """Make the chain's steps again, in order, each from what the one before it delivered."""
    chain, _ = await _chain(project, result, through, keep)
    if len(chain) > 1:
        await _check_bound(project, result, keep, options)
    made: dict[str, Result] = {}
    for draft in chain:
        asked = _options(draft, result, options)
        if "max_usd" in options:  # what came before may have turned out dearer than planned: the sum is bounded
            spent = [item.cost.amount_usd for item in made.values()]
            left_usd = Decimal(options["max_usd"]) - sum((cost for cost in spent if cost is not None), Decimal(0))
            # What nobody knows the cost of may have cost all of it.
            asked["max_usd"] = LEAST_USD if None in spent else max(left_usd, LEAST_USD)
        exchanged = {
            id(media): made[media.job_id].as_media()
            for _, media in draft.lineage.request.media()
            if media.job_id is not None and media.job_id in made
        }
        request = draft.lineage.request.replace_media(exchanged)
        try:
            job = await project.order(request, asked, served=partial(_served, project, draft, request))
            made[draft.job_id] = await job.result(wait_s=options.get("wait_s"))
        except AggregatorError as error:
            if len(chain) == 1:
                raise
            raise WorkflowError(
                f"step {draft.key!r} of the promotion failed: {error}", step=draft.key, results=tuple(made.values())
            ) from error
    return made[result.job_id]


async def _check_bound(project: "Project", result: Result, keep: Sequence[Result], options: "Options") -> None:
    """`max_usd` bounds the whole call: all steps together."""
    if "max_usd" not in options:
        return
    bound = project.ask(options).max_usd
    high = (await plan_promotion(project, result, through="all", keep=keep, options=options)).high_usd
    if bound is not None and (high is None or high > bound):
        cost = "has a step whose price is unknown" if high is None else f"may cost ${high}"
        raise NoRouteError(
            f"promoting the whole chain {cost}, and max_usd is ${bound}: raise it, or keep more of the chain"
        )


async def _chain(
    project: "Project", result: Result, through: Through, keep: Sequence[Result]
) -> tuple[list[Result], list[str]]:
    """The steps to make again, inputs before what is made from them; and the keys that stay."""
    keep_ids = {item.job_id for item in keep}
    if result.job_id in keep_ids:
        raise RequestError("keep names the result that is to be promoted: leave one of them out")
    order: list[Result] = []
    kept: dict[str, None] = {}
    seen: set[str] = set()

    async def visit(item: Result) -> None:
        if item.job_id in seen:
            return
        seen.add(item.job_id)
        for job_id in dict.fromkeys(item.lineage.parents.values()):
            parent = await project.result_of(job_id)
            if through == "step" or job_id in keep_ids:
                kept[parent.key] = None
            else:
                await visit(parent)
        order.append(item)

    await visit(result)
    return order, list(kept)


def _options(draft: Result, target: Result, options: "Options") -> "Options":
    """What the draft was asked with, as far as it still holds: its role and extras, not the model it once got."""
    carried = {name: draft.lineage.ask[name] for name in ("role", "provider_options") if draft.lineage.ask.get(name)}
    asked = {**carried, **options}
    stage = str(asked.get("stage", "final"))
    if draft.job_id != target.job_id or "key" not in options:
        asked["key"] = f"{draft.key}@{stage}"
    return cast("Options", asked)


def _seeded(project: "Project", draft: Result, request: Request, ask: Ask) -> tuple[Plan, tuple[str, ...]]:
    """The plan for the final, with the seed that made the draft where that means the same picture."""
    if "seed" not in type(request).model_fields:
        return project.planner.plan(request, ask), ()
    plan = project.planner.plan(request.with_(seed=None), ask)
    seed = draft.lineage.seed
    if seed is None:
        return plan, ()
    model = plan.offer.model
    same = model == draft.model or (
        (family := _seeds(project, draft.model)) is not None and family == _seeds(project, model)
    )
    if same and "seed" in plan.offer.mapping.fields:
        seeded = project.planner.plan(request.with_(seed=seed), replace(ask, model=plan.offer.id))
        return replace(seeded, why=plan.why), (f"seed {seed} is carried",)
    return plan, (f"seed {seed} is left out: it means another picture on {model}",)


def _served(project: "Project", draft: Result, request: Request, ask: Ask) -> Plan:
    return _seeded(project, draft, request, ask)[0]


def _seeds(project: "Project", model: str) -> str | None:
    """Which models make the same picture from the same seed as this one; `None` where nothing is known."""
    try:
        return project.planner.registry.card(model).seeds
    except UnknownModelError:
        return None
