"""Runs a graph: as parallel as its data allow, each purchase once, whatever happens. What one branch loses, its
siblings keep; what was written down is found again by the next start.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from aggregator import ledger
from aggregator.editing.edits import Edit
from aggregator.errors import AggregatorError, BudgetExceededError, PriceUnknownError, StoreError, WorkflowError
from aggregator.inputs import Media
from aggregator.pricing.money import dollars, micro_usd
from aggregator.runner import books
from aggregator.runner.context import retrieve
from aggregator.store import runs as rows
from aggregator.store.runs import RunState, RunStep, StepState
from aggregator.workflow.events import Kind, OnEvent, RunEvent
from aggregator.workflow.graph import Node
from aggregator.workflow.outcome import Outcome
from aggregator.workflow.plan import RunPlan
from aggregator.workflow.planning import plan_run
from aggregator.workflow.steps import Desk

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.artifact import Result
    from aggregator.workflow.deciding import Decision

__all__ = ["Finished", "check_money", "close", "execute", "make_edit", "set_aside", "state_of"]

MAX_STEPS_AT_ONCE = 512
"""Steps that are under way at the same time; providers have limits of their own."""
_WRITTEN: Mapping[str, StepState] = {
    "failed": "failed",
    "skipped": "skipped",
    "paused": "paused",
    "blocked": "waiting",
}
_DONE: Mapping[str, StepState] = {"reused": "reused", "attached": "attached", "run": "made"}


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run came to."""

    plan: RunPlan
    outcomes: Mapping[str, Outcome]
    state: RunState


async def execute(desk: Desk, *, on_event: OnEvent | None = None) -> Finished:
    """Run a graph to where it ends: finished, failed in part, or waiting for a person.

    Raises:
        BudgetExceededError: At worst it costs more than the run's budget, or than is left in the project: nothing was
            sent.
        PriceUnknownError: Nobody knows what a step costs, and nothing bounds it. Nothing was sent.
        RoutingError, RequestError: A step can be made by nobody. Nothing was sent.

    """
    plan = await plan_run(desk)
    check_money(plan, desk.budget_usd)
    work = _Execution(desk, plan, on_event)
    await set_aside(desk, plan)
    work.tell("planned", state="running", plan=plan)
    outcomes = await work.run()
    state = state_of(outcomes.values())
    await close(desk, state)
    costs = [one.cost_usd for one in outcomes.values()]
    cost = None if None in costs else sum((one for one in costs if one is not None), Decimal(0))
    work.tell("ended", state=state, cost_usd=cost)
    return Finished(plan, outcomes, state)


def check_money(plan: RunPlan, budget_usd: Decimal | None) -> None:
    """See that a run's price is known and within its budget."""
    if plan.unpriced:
        raise PriceUnknownError(
            f"nobody knows yet what {', '.join(plan.unpriced)} may cost: give the run budget_usd, or the step max_usd. "
            "Nothing was sent"
        )
    high = plan.high_usd
    if budget_usd is not None and high is not None and high > budget_usd:
        raise BudgetExceededError(
            f"run {plan.run}: it may cost {dollars(high)}, and budget_usd is {dollars(budget_usd)}. Nothing was sent. "
            "Raise it, take steps out, or let fit() choose what the money allows",
            account=plan.run,
            quote_usd=high,
            limit_usd=budget_usd,
            spent_usd=Decimal(0),
            held_usd=Decimal(0),
        )


def state_of(outcomes: Iterable[Outcome]) -> RunState:
    """How a run ended whose steps came to this."""
    states = {one.state for one in outcomes}
    if "failed" in states:
        return "failed"
    return "paused" if "paused" in states else "finished"


async def set_aside(desk: Desk, plan: RunPlan) -> None:
    """Write the run down and keep the money for all of it, before anything is spent."""
    at = desk.now()
    new: dict[str, list[str]] = {}
    for one in plan.chain.steps if plan.chain else ():
        name, _, take = one.name.partition("#")
        new.setdefault(name, []).append(f"{name}#{take or 1}")
    marks: dict[str, int] = {}
    for step in plan.of("run"):
        assert step.high_usd is not None
        takes = new[step.name]  # of some, others may be there already
        marks |= dict.fromkeys(takes, -(-micro_usd(step.high_usd, "reserve") // len(takes)))
    warn_at, account = desk.project.opened.context.warn_at, desk.project.account

    def write(c: "Connection") -> ledger.Moved:
        rows.open_run(c, account, desk.name, run_id=desk.run, at=at, **desk.asked)
        moved = ledger.earmark(c, account, desk.run, marks, at=at, warn_at=warn_at)
        books.write(c, moved, None, at)
        return moved

    books.tell_crossed(await desk.project.opened.store.transact(write))


async def close(desk: Desk, state: RunState) -> None:
    """Write down how it ended. What was kept and not taken is free again, unless a person is waited for: then the
    rest of the run has its money still.
    """
    run, at = desk.run, desk.now()

    def write(c: "Connection") -> None:
        if state != "paused":
            ledger.unmark(c, run)
        rows.set_state(c, run, state, at=at)

    await desk.project.opened.store.transact(write)


async def make_edit(desk: Desk, where: str, edit: Edit, on_turn: Callable[[], None] = lambda: None) -> Media:
    """Make it here, and remember it by its content. `on_turn`: called when its turn begins."""
    paths = {media.sha256: await desk.have(media) for _, media in edit.media() if media.sha256 is not None}
    clock, began_s = desk.project.opened.clock, 0.0

    def begun() -> None:
        nonlocal began_s
        began_s = clock.monotonic()
        on_turn()

    async with desk.project.opened.edits.made(edit, paths, on_turn=begun) as file:
        made = await desk.project.opened.files.ingest(Media(source=file))
    took_ms = int((clock.monotonic() - began_s) * 1000)
    new = rows.Made(where, made.as_json(), took_ms, desk.now())
    await desk.project.opened.store.transact(lambda c: rows.remember_made(c, new))
    return made


class _Execution:
    """One start of a run."""

    def __init__(self, desk: Desk, plan: RunPlan, on_event: OnEvent | None) -> None:
        self._desk = desk
        self._plan = plan
        self._on_event = on_event
        self._outcomes: dict[str, Outcome] = {}
        self._steps = asyncio.Semaphore(MAX_STEPS_AT_ONCE)
        self._waiting: list[RunStep] = []
        self._writing: asyncio.Task[None] | None = None

    # -------------------------------------------------------------------------------------------------------- running

    async def run(self) -> Mapping[str, Outcome]:
        """Every flat step as soon as what it needs is there. Stopped in the middle, its jobs go on, its money stays
        kept, and the next start takes it up.
        """
        tasks: dict[str, asyncio.Task[Outcome]] = {}
        for node in self._desk.graph.nodes:
            needed = [tasks[name] for name in node.needs]
            tasks[node.name] = asyncio.create_task(self._one(node, needed), name=f"step {node.name}")
        try:
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            await self._written()
        return self._outcomes

    async def _one(self, node: Node, needed: Sequence[asyncio.Task[Outcome]]) -> Outcome:
        for task in needed:
            await task
        try:
            outcome = self._desk.ruled_out(node, self._outcomes)
            if outcome is None:
                async with self._steps:
                    outcome = await self._made(node)
        except AggregatorError as error:
            outcome = Outcome(node, "failed", why=str(error), error=error)
        self._outcomes[node.name] = outcome
        if outcome.state in _WRITTEN and not outcome.results:
            self._write(RunStep(self._desk.run, node.name, 1, _WRITTEN[outcome.state], why=outcome.why))
        self.tell("step", state=outcome.state, outcome=outcome)
        return outcome

    async def _made(self, node: Node) -> Outcome:
        full = await self._desk.requests(node, self._outcomes)
        if isinstance(full[0], Edit):
            return await self._edit(node, full[0])
        decisions = await self._desk.decisions(node, full)
        ends = await asyncio.gather(*(self._bought(one) for one in decisions), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, AggregatorError | TimeoutError):
                raise end
        return await self._desk.ended(node, decisions, ends)

    async def _bought(self, decision: "Decision") -> "Result":
        """One take, from the order to what came of it."""
        if decision.state == "reused" and decision.job is None:
            raise WorkflowError("this take failed in the run that it is kept from", step=decision.node.name)
        try:
            job = await self._desk.order(decision)
            decision = replace(decision, job=job)
            if decision.state == "run":
                self._note(decision, "running")
            self.tell("ordered", state=decision.state, decision=decision)
            made = await self._desk.result(job)
        except AggregatorError as error:
            self._note(decision, "failed", why=str(error))
            raise
        self._note(decision, _DONE[decision.state])
        return made

    async def _edit(self, node: Node, edit: Edit) -> Outcome:
        where, there = await self._desk.made(node, edit)
        made = there
        if made is None:
            made = await make_edit(self._desk, where, edit, lambda: self.tell("step", state="running", node=node))
        state: StepState = "reused" if there is not None else "made"
        self._write(RunStep(self._desk.run, node.name, 1, state, address=where, output=made.as_json()))
        return Outcome(node, "done", (made,), reused=there is not None)

    # -------------------------------------------------------------------------------------------------------- written

    def _note(self, decision: "Decision", state: StepState, *, why: str | None = None) -> None:
        row = RunStep(
            self._desk.run,
            decision.node.name,
            decision.take,
            state,
            address=decision.address,
            job=decision.job,
            why=why or decision.why,
        )
        self._write(row)

    def _write(self, row: RunStep) -> None:
        """Together with what others write at this moment: what counts is in the job's own journal already."""
        self._waiting.append(row)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
            self._writing.add_done_callback(retrieve)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._put(batch)
            except StoreError:  # the next one may be written; at the end it is said
                self._waiting = [*batch, *self._waiting]
                return

    async def _put(self, batch: Sequence[RunStep]) -> None:
        await self._desk.project.opened.store.transact(lambda c: rows.write_steps(c, batch))

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing
        if self._waiting:
            await self._put(self._waiting)

    # ----------------------------------------------------------------------------------------------------------- news

    def tell(
        self,
        kind: Kind,
        *,
        state: str,
        node: Node | None = None,
        outcome: Outcome | None = None,
        decision: "Decision | None" = None,
        plan: RunPlan | None = None,
        cost_usd: Decimal | None = None,
    ) -> None:
        """Give news to whoever shows them: by the event loop, so that what a callback raises stops nothing."""
        if self._on_event is None:
            return
        of = outcome.node if outcome else decision.node if decision else node
        results = [one for one in outcome.results if one is not None] if outcome else []
        reused = outcome is not None and outcome.reused
        event = RunEvent(
            kind,
            self._desk.name,
            self._desk.project.opened.clock.time(),
            "reused" if reused and state == "done" else state,
            step=None if of is None else of.name,
            take=None if decision is None else decision.take,
            job=None if decision is None else decision.job,
            model=results[0].model if results else decision.plan.offer.model if decision and decision.plan else None,
            cost_usd=outcome.cost_usd if outcome else cost_usd,
            why=outcome.why if outcome else decision.why if decision else "",
            plan=plan,
        )
        asyncio.get_running_loop().call_soon(self._on_event, event)
