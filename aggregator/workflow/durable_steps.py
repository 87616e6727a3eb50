"""What one step of a durable run does: each is safe to repeat, takes and gives plain data, and waits for nothing.

The engine (`durable`) remembers what they gave. Nothing of it is known here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.editing.edits import Edit, edit_from_json
from aggregator.errors import AggregatorError, RequestError
from aggregator.inputs import Media
from aggregator.job import AttemptState
from aggregator.store import runs as rows
from aggregator.store.runs import RunStep, StepState
from aggregator.tasks import request_from_json
from aggregator.workflow.deciding import Decision
from aggregator.workflow.expand import expand
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import Ref, Step, Workflow
from aggregator.workflow.outcome import Outcome
from aggregator.workflow.planning import plan_run
from aggregator.workflow.run import MAX_EDITS_AT_ONCE, check_money, close, make_edit, set_aside, state_of
from aggregator.workflow.steps import Desk, Score

if TYPE_CHECKING:
    from aggregator.artifact import Result
    from aggregator.client import Aggregator
    from aggregator.project import Project

__all__ = ["Json", "Steps", "written"]

Json = dict[str, Any]
"""Plain data."""
LOOK_S = 0.5
"""How long a look at a job takes at most."""
FETCH_S = 10.0
"""How long reading back a job that is over takes at most."""
PAID_FOR = (AttemptState.SUCCEEDED, AttemptState.FETCHING)
_WRITTEN: Mapping[str, StepState] = {"failed": "failed", "skipped": "skipped", "blocked": "waiting"}
_DONE: Mapping[str, StepState] = {"reused": "reused", "attached": "attached", "run": "made"}


async def written(desk: Desk) -> Json:
    """A run as plain data, its files in the store: all that any host needs to go on with it."""
    return {
        "project": desk.project.name,
        "run": desk.name,
        "id": desk.run,
        "stage": desk.stage,
        "resuming": desk.resuming,
        "budget_usd": None if desk.budget_usd is None else str(desk.budget_usd),
        "asked": dict(desk.asked),
        "nodes": [await _written(desk, node) for node in desk.graph.nodes],
    }


async def _written(desk: Desk, node: Node) -> Json:
    inputs = takes(node.task)
    bound = desk.bounds_usd.get(node.name)
    return {
        "name": node.name,
        "step": node.step.as_json(),
        "task": node.task,
        "values": {key: await _stored(desk, one) if key in inputs else one for key, one in node.values.items()},
        "wanted": {key: await _stored(desk, one) if key in inputs else one for key, one in node.wanted.items()},
        "carried": list(node.carried),
        "when": node.when,
        "stage": node.stage,
        "model": node.model,
        "needs": list(node.needs),
        "bound_usd": None if bound is None else str(bound),
    }


async def _stored(desk: Desk, value: Any) -> Any:
    """An input as it is known on every host: a file of this one is stored first."""
    if isinstance(value, list):
        return [await _stored(desk, one) for one in value]
    if isinstance(value, Mapping) and "image" in value:
        return {**value, "image": await _stored(desk, value["image"])}
    if not isinstance(value, str) or Ref.of(value) is not None:
        return value
    media = Media.of(value)
    return value if media.source is None else (await desk.project.opened.files.ingest(media)).as_json()


def _node(value: Mapping[str, Any]) -> Node:
    plain = ("name", "task", "values", "wanted", "when", "stage", "model")
    step, carried = Step.from_json(value["step"]), tuple(value["carried"])
    return Node(step=step, carried=carried, **{name: value[name] for name in plain})


class Steps:
    """The steps of the runs of one client."""

    def __init__(self, client: "Aggregator", scorers: Mapping[str, Score] | None = None) -> None:
        self._client = client
        self._scorers = dict(scorers or {})
        self._projects: dict[str, Project] = {}
        self._edits = asyncio.Semaphore(MAX_EDITS_AT_ONCE)

    async def _desk(self, run: Json, nodes: Sequence[Json], *, history: bool = False, picks: bool = False) -> Desk:
        """The run as it is on this host, with these of its flat steps.

        Args:
            history: With what was written down of it before. picks: With what was picked.

        """
        project = await self._project(run["project"])
        asked = run.get("asked", {})
        if asked:
            workflow = Workflow.from_json(asked["workflow"], directory=Path(asked["workflow"]["directory"]))
            graph = replace(expand(workflow, asked["inputs"]), nodes=tuple(map(_node, nodes)))
        else:
            graph = Graph(Workflow(name=run["workflow"], steps=()), {}, tuple(map(_node, nodes)), {})
        store = project.opened.store
        before = await store.read(lambda c: rows.steps_of(c, run["id"])) if history else []
        picked = await store.read(lambda c: rows.picks_of(c, run["id"])) if picks else []
        budget = run.get("budget_usd")
        return Desk(
            project,
            graph,
            run["id"],
            run["run"],
            run["stage"],
            before={(one.step, one.take): one for one in before},
            resuming=run["resuming"],
            picks={(one.step, one.address): one.take for one in picked},
            scorers=self._scorers,
            budget_usd=None if budget is None else Decimal(budget),
            bounds_usd={one["name"]: Decimal(one["bound_usd"]) for one in nodes if one["bound_usd"] is not None},
            asked=asked,
        )

    async def _project(self, name: str) -> "Project":
        if name not in self._projects:
            self._projects[name] = await self._client.project(name).__aenter__()
        return self._projects[name]

    # ----------------------------------------------------------------------------------------------- of the whole run

    async def begin(self, run: Json) -> None:
        """Write the run down and keep the money for it."""
        desk = await self._desk(run, run["nodes"], history=True, picks=True)
        plan = await plan_run(desk)
        check_money(plan, desk.budget_usd)
        await set_aside(desk, plan)

    async def end(self, run: Json, outcomes: Mapping[str, Json]) -> str:
        """Write down how it ended."""
        desk = await self._desk(run, run["nodes"])
        state = state_of([_outcome(node, outcomes[node.name]) for node in desk.graph.nodes])
        await close(desk, state)
        return state

    # ------------------------------------------------------------------------------------------------- of a flat step

    async def decide(self, run: Json, of: Json, given: Mapping[str, Json]) -> Json:
        """What is to be done: `outcome`, if that is known already; `edit`, to be made here; or `takes`, each with the
        key that it is ordered under.

        Args:
            given: What became of the flat steps that it needs.

        """
        desk = await self._desk(run, [of], history=True)
        [node] = desk.graph.nodes
        outcomes = {name: _outcome(_other(name), one) for name, one in given.items()}
        outcome = desk.ruled_out(node, outcomes)
        if outcome is not None:
            await self._note(desk, RunStep(desk.run, node.name, 1, _WRITTEN[outcome.state], why=outcome.why))
            return {"outcome": _as_json(outcome)}
        try:
            full = await desk.requests(node, outcomes)
            if isinstance(full[0], Edit):
                return {"edit": full[0].as_json()}
            decisions = await desk.decisions(node, full)
        except AggregatorError as error:
            return {"outcome": await self._failed(desk, node, error)}
        return {"takes": [_take(one) for one in decisions]}

    async def edit(self, run: Json, of: Json, asked: Json) -> Json:
        """Make it here, unless it is there."""
        desk = await self._desk(run, [of])
        [node] = desk.graph.nodes
        edit = edit_from_json(asked)
        try:
            where, there = await desk.made(node, edit)
            async with self._edits:
                made = there or await make_edit(desk, where, edit)
        except AggregatorError as error:
            return await self._failed(desk, node, error)
        state: StepState = "reused" if there is not None else "made"
        await self._note(desk, RunStep(desk.run, node.name, 1, state, address=where, output=made.as_json()))
        return _as_json(Outcome(node, "done", (made,), reused=there is not None))

    async def submit(self, run: Json, of: Json, takes: Sequence[Json]) -> list[Json]:
        """Order each take, or find the job that was ordered under its key; gives the takes with `job`, or `error`."""
        desk = await self._desk(run, [of])
        found: list[Json] = []
        for decision in _decisions(desk, takes):
            row = RunStep(desk.run, decision.node.name, decision.take, "running", address=decision.address)
            try:
                job = await desk.order(decision)
            except AggregatorError as error:
                found.append({**takes[decision.take - 1], "error": str(error)})
                await self._note(desk, replace(row, state="failed", why=str(error)))
                continue
            found.append({**takes[decision.take - 1], "job": job})
            if decision.state == "run":
                await self._note(desk, replace(row, job=job, why=decision.why))
        return found

    async def look(self, takes: Sequence[Json]) -> bool:
        """Whether all takes are over. Whoever looks follows the jobs."""
        jobs = [self._client.job(one["job"]) for one in takes if "job" in one]
        return all(await asyncio.gather(*map(self._is_over, jobs)))

    async def _is_over(self, job: Any) -> bool:
        try:
            await job.result(wait_s=LOOK_S)
        except TimeoutError:
            return False
        except AggregatorError:
            return (await job.record()).state not in PAID_FOR  # its file may be there at the next look
        return True

    async def fetch(self, run: Json, of: Json, takes: Sequence[Json]) -> Json:
        """What the step made."""
        desk = await self._desk(run, [of], picks=True)
        [node] = desk.graph.nodes
        decisions = _decisions(desk, takes)
        ends = [await self._ended(desk, one) for one in takes]
        for decision, end in zip(decisions, ends, strict=True):
            failed = isinstance(end, Exception)
            state: StepState = "failed" if failed else _DONE[decision.state]
            row = RunStep(desk.run, node.name, decision.take, state, address=decision.address, job=decision.job)
            await self._note(desk, replace(row, why=str(end) if failed else decision.why))
        try:
            return _as_json(await desk.ended(node, decisions, ends))
        except AggregatorError as error:
            return await self._failed(desk, node, error)

    @staticmethod
    async def _ended(desk: Desk, take: Json) -> "Result | Exception":
        if "job" not in take:
            return RequestError(take["error"])
        try:
            return await desk.job(take["job"]).result(wait_s=FETCH_S)
        except (AggregatorError, TimeoutError) as error:
            return error

    async def _failed(self, desk: Desk, node: Node, error: AggregatorError) -> Json:
        await self._note(desk, RunStep(desk.run, node.name, 1, "failed", why=str(error)))
        return _as_json(Outcome(node, "failed", why=str(error)))

    @staticmethod
    async def _note(desk: Desk, row: RunStep) -> None:
        await desk.project.opened.store.transact(lambda c: rows.write_steps(c, [row]))


def _take(decision: Decision) -> Json:
    return {
        "take": decision.take,
        "request": decision.request.as_json(),
        "state": decision.state,
        "why": decision.why,
        "address": decision.address,
        "key": decision.key,
        **({} if decision.job is None else {"job": decision.job}),
    }


def _decisions(desk: Desk, takes: Sequence[Json]) -> list[Decision]:
    """What was decided, on whichever host: under the same keys."""
    [node] = desk.graph.nodes
    return [
        Decision(
            node,
            one["take"],
            request_from_json(one["request"]),
            one["state"],
            one["why"],
            one["address"],
            key=one["key"],
            job=one.get("job"),
        )
        for one in takes
    ]


def _as_json(outcome: Outcome) -> Json:
    return {
        "state": outcome.state,
        "media": [None if one is None else one.as_json() for one in outcome.media],
        "picked": outcome.picked,
        "why": outcome.why,
        "cost_usd": None if outcome.cost_usd is None else str(outcome.cost_usd),
        "reused": outcome.reused,
    }


def _outcome(node: Node, value: Mapping[str, Any]) -> Outcome:
    media = tuple(None if one is None else Media.from_json(one) for one in value["media"])
    cost = None if value["cost_usd"] is None else Decimal(value["cost_usd"])
    rest = {name: value[name] for name in ("state", "picked", "why", "reused")}
    return Outcome(node, media=media, cost_usd=cost, **rest)


def _other(name: str) -> Node:
    """A flat step of which only what it made counts."""
    return Node(name, Step(name=name, task=""), "", {})
