"""Works out what a run would do now and what it would cost. Nothing is sent, nothing is spent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, cast

from aggregator import chains
from aggregator.editing.edits import Edit
from aggregator.errors import AggregatorError
from aggregator.identity import digest
from aggregator.inputs import Media
from aggregator.pricing.known import interval, known_values
from aggregator.pricing.money import dollars
from aggregator.routing.chain import DEADLINE_S, ChainStep
from aggregator.routing.chain_quote import StepQuote
from aggregator.tasks import Request
from aggregator.workflow.content import symbolic
from aggregator.workflow.deciding import Decision
from aggregator.workflow.graph import Node
from aggregator.workflow.kinds import makes
from aggregator.workflow.outcome import Outcome
from aggregator.workflow.plan import RunPlan, StepPlan
from aggregator.workflow.steps import Desk

if TYPE_CHECKING:
    from aggregator.artifact import Result

__all__ = ["chain_of", "plan_run"]

ZERO = Decimal(0)
MICRO_USD = Decimal("0.000001")


async def plan_run(desk: Desk) -> RunPlan:
    """What a run would do now.

    Raises:
        RoutingError, RequestError: A step can be made by nobody; it is named, with its place.

    """
    work = await _looked(desk)
    desk.asked.setdefault("settings", {}).update(marks=work.marks, twins=work.twins)
    return await work.plan()


async def chain_of(desk: Desk) -> list[ChainStep]:
    """What a run would buy now, each take a step of a chain; of any stage, where the step names none."""
    work = await _looked(desk)
    return [replace(one, stage=work.stage_of(one)) for one in work.chain]


async def _looked(desk: Desk) -> "_Planning":
    work = _Planning(desk)
    for node in desk.graph.nodes:
        try:
            await work.look(node)
        except AggregatorError as error:
            place = f"{node.step.place}: " if node.step.place else ""
            error.args = (f"{place}step {node.name!r}: {error}", *error.args[1:])
            raise
    return work


class _Planning:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._outcomes: dict[str, Outcome] = {}
        self._steps: list[StepPlan] = []
        self._chain: dict[str, list[ChainStep]] = {}
        """By flat step that is bought, its takes."""
        self._after: dict[str, tuple[str, ...]] = {}
        """By flat step, what is bought and has to be over before it begins."""
        self._over: dict[str, tuple[str, ...]] = {}
        """By flat step, what is bought and has to be over before what it makes is there."""
        self._new: dict[tuple[str, str | None], tuple[str, Media]] = {}
        """By content and maker, the take that is bought: the same in another step is not bought again."""
        self._kept: list[Decimal | None] = []
        """What it cost to make what is found again; `None`: nobody knows."""
        self.marks: dict[str, str] = {}
        """By take, who would make it now."""
        self.twins: dict[str, str] = {}
        """By take, the one that it is the same as, which is priced and has the money of both."""

    async def look(self, node: Node) -> None:
        """Work out one flat step; those that it needs are known."""
        out = self._desk.ruled_out(node, self._outcomes)
        before = dict.fromkeys(name for need in node.needs for name in self._over[need])
        self._after[node.name] = self._over[node.name] = tuple(before)
        if out is not None:
            self._outcomes[node.name] = out
            self._add(node, "skipped", out.why)
            return
        full = await self._desk.requests(node, self._outcomes)
        coming = [name for name in node.needs if self._outcomes[name].state == "coming"]
        if isinstance(full[0], Edit):
            await self._edit(node, full[0], coming)
        else:
            await self._bought(node, full, coming)

    async def _edit(self, node: Node, edit: Edit, coming: Sequence[str]) -> None:
        there: Media | None = None
        if not coming:
            _, there = await self._desk.made(node, edit)
        if there is not None:
            self._outcomes[node.name] = Outcome(node, "done", (there,), reused=True)
            self._add(node, "reused", "the same was made before")
            return
        made = replace(symbolic(node.name, 1, edit), job_id=None)
        self._outcomes[node.name] = Outcome(node, "coming", (made,))
        self._add(node, "edit", _follows(coming) or "never made of this")

    async def _bought(self, node: Node, full: Sequence[Request], coming: Sequence[str]) -> None:
        decisions = await self._desk.decisions(node, full, any_price=True)
        self.marks |= {f"{node.name}#{one.take}": one.mark for one in decisions if one.mark is not None}
        if coming:
            decisions = [replace(one, state="run", why=_follows(coming), job=None) for one in decisions]
        results = [await self._desk.result(one.job) if one.state == "reused" and one.job else None for one in decisions]
        if all(results):
            await self._found_again(node, decisions, cast("Sequence[Result]", results))
            return
        known = {one.take: self._new.get((one.address, one.mark)) for one in decisions if one.state == "run"}
        twins = {take: twin for take, twin in known.items() if twin is not None}
        self.twins |= {f"{node.name}#{take}": name if "#" in name else f"{name}#1" for take, (name, _) in twins.items()}
        decisions = [_as_in(one, twins[one.take][0]) if one.take in twins else one for one in decisions]
        media = tuple(
            result.as_media() if result else twins[one.take][1] if one.take in twins else _to_come(one)
            for one, result in zip(decisions, results, strict=True)
        )
        picked = self._desk.picks.get((node.name, digest([one.address for one in decisions])), 0)
        there = 0 < picked <= len(results) and results[picked - 1] is not None  # whatever becomes of the other takes
        self._outcomes[node.name] = Outcome(node, "done" if there else "coming", media, picked=picked if there else 1)
        new = [one for one in decisions if one.state == "run"]
        self._chain[node.name] = chain = [self._chain_step(one, node) for one in new]
        self._new |= {
            (one.address, one.mark): (step.name, media[one.take - 1]) for one, step in zip(new, chain, strict=True)
        }
        bought = [step.name for step in chain] + [name for name, _ in twins.values()]
        self._over[node.name] = tuple(dict.fromkeys(bought)) or self._after[node.name]
        self._kept += [one.cost.amount_usd for one in results if one is not None]
        worst = next((one for one in decisions if one.state == "run"), decisions[0])
        notes = dict.fromkeys(note for one in decisions for note in one.notes)
        self._add(node, "run" if new else "attached", worst.why, notes=tuple(notes))

    async def _found_again(self, node: Node, decisions: Sequence[Decision], results: "Sequence[Result]") -> None:
        outcome = await self._desk.ended(node, decisions, list(results), write=False)
        if outcome.state == "paused":  # what follows is priced with the first take, until a person has picked
            outcome = replace(outcome, state="coming", picked=1)
        self._outcomes[node.name] = outcome
        costs = [one.cost.amount_usd for one in results]
        self._kept += costs
        self._add(node, "reused", decisions[0].why, was_usd=_sum(costs))

    def _chain_step(self, one: Decision, node: Node) -> ChainStep:
        step = node.step
        return ChainStep(
            node.name if node.takes == 1 else f"{node.name}#{one.take}",
            one.request,
            stage=node.stage or self._desk.stage,
            role=step.role,
            model=node.model,
            weight=step.weight / node.takes,
            max_usd=self._desk.bound_usd(node),
            deadline_s=step.deadline_s or DEADLINE_S,
            on_unsupported=step.on_unsupported,
            provider_options=cast("dict[str, dict[str, object]]", dict(step.provider_options)),  # type: ignore[arg-type]
            after=self._after[node.name],
        )

    def _add(
        self, node: Node, state: str, why: str, *, notes: tuple[str, ...] = (), was_usd: Decimal | None = None
    ) -> None:
        self._steps.append(
            StepPlan(
                name=node.name,
                task=node.task,
                state=state,  # type: ignore[arg-type]
                why=why,
                takes=node.takes,
                place=str(node.step.place or ""),
                needs=node.needs,
                was_usd=was_usd,
                notes=notes,
            )
        )

    # -------------------------------------------------------------------------------------------------------- figures

    @property
    def chain(self) -> list[ChainStep]:
        """Everything that would be bought, in order."""
        return [step for of in self._chain.values() for step in of]

    def stage_of(self, one: ChainStep) -> str | None:
        """The stage that the workflow names for it."""
        return self._desk.graph.by_name[one.name.partition("#")[0]].stage

    async def plan(self) -> RunPlan:
        """All of it, with its figures."""
        desk = self._desk
        chain = None
        if steps := self.chain:
            chain = await chains.quote(desk.project.opened, steps, desk.stage)
        quotes = {one.name: one for one in chain.steps} if chain is not None else {}
        return RunPlan(
            workflow=desk.graph.workflow.name,
            run=desk.name,
            stage=desk.stage,
            steps=tuple(self._bounded([self._priced(step, quotes) for step in self._steps])),
            chain=chain,
            kept_usd=_sum(self._kept),
        )

    def _priced(self, step: StepPlan, quotes: Mapping[str, StepQuote]) -> StepPlan:
        own = [quotes[one.name] for one in self._chain.get(step.name, ())]
        if not own:
            return step
        node = self._desk.graph.by_name[step.name]
        bound = self._desk.bounds_usd.get(step.name, node.step.max_usd)
        highs = [one.way.high_usd for one in own]
        high = bound if None in highs else sum((one for one in highs if one is not None), ZERO)
        if bound is not None and high is not None:
            high = min(high, bound)
        return replace(step, quote=own[0], high_usd=high)

    def _bounded(self, steps: Sequence[StepPlan]) -> list[StepPlan]:
        """What the run's budget leaves bounds, in equal parts, the steps whose price only shows later."""
        desk, unpriced = self._desk, [step.name for step in steps if step.high_usd is None]
        if desk.budget_usd is None or not unpriced:
            return list(steps)
        known = sum((step.high_usd for step in steps if step.high_usd is not None), ZERO)
        each = ((desk.budget_usd - known) / len(unpriced)).quantize(MICRO_USD, rounding=ROUND_FLOOR)
        if each <= 0:
            return list(steps)
        desk.bounds_usd |= dict.fromkeys(unpriced, each)
        note = f"its price shows later; the run's budget leaves {dollars(each)} for it"
        return [
            replace(step, high_usd=each, notes=(*step.notes, note)) if step.name in unpriced else step for step in steps
        ]


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    """`None`: the cost of one is unknown."""
    return None if None in costs else sum((cost for cost in costs if cost is not None), ZERO)


def _as_in(one: Decision, name: str) -> Decision:
    """A take that another step buys."""
    return replace(one, state="attached", why=f"the same as {name}")


def _to_come(one: Decision) -> Media:
    """What a take will be like, as far as the request and its maker's usual values say; else as large as its input."""
    media = replace(symbolic(one.node.name, one.take, one.request), job_id=None)
    if one.plan is None:
        return media
    offer = one.plan.offer
    values = known_values(offer, one.request)
    source = values.get("image") or values.get("video")
    like = source if isinstance(source, Media) and not one.node.task.endswith("upscaling") else Media()
    media = replace(
        media,
        width=media.width or _exactly(interval("width", offer, values)) or like.width,
        height=media.height or _exactly(interval("height", offer, values)) or like.height,
    )
    if makes(one.request) == "image":
        return media
    return replace(media, duration_s=media.duration_s or values.get("duration_s"), fps=media.fps or values.get("fps"))


def _exactly(ends: "tuple[Decimal, Decimal] | None") -> int | None:
    return None if ends is None or ends[0] != ends[1] else int(ends[0])


def _follows(coming: Sequence[str]) -> str:
    if not coming:
        return ""
    return f"follows from {', '.join(coming)}"
