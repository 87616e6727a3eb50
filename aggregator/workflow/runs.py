"""A run as its user sees it: started, looked at, picked from, gone on with, promoted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict, cast

from pydantic import JsonValue

from aggregator import chains, ledger
from aggregator.errors import ConfigurationError, RequestError
from aggregator.identity import digest
from aggregator.inputs import Media
from aggregator.pricing.money import dollars
from aggregator.routing.chain_fit import Fit
from aggregator.routing.chain_quote import Way
from aggregator.store import runs as rows
from aggregator.store.runs import RunState, RunStep
from aggregator.workflow.expand import expand
from aggregator.workflow.graph import Graph
from aggregator.workflow.outcome import Outcome
from aggregator.workflow.plan import RunPlan
from aggregator.workflow.planning import chain_of, plan_run
from aggregator.workflow.run import Finished, execute
from aggregator.workflow.steps import Desk, Score

if TYPE_CHECKING:
    from pathlib import Path

    from aggregator.artifact import Result
    from aggregator.project import Project
    from aggregator.workflow.events import OnEvent
    from aggregator.workflow.model import Workflow

__all__ = [
    "Kept",
    "Run",
    "RunOptions",
    "by_step",
    "cancel",
    "check_scorers",
    "desk_for",
    "fit",
    "known_run",
    "open_desk",
    "pick",
    "plan",
    "start",
]


class RunOptions(TypedDict, total=False):
    """What a run is started with, beside its workflow."""

    name: str
    """Of the run: the same name goes on with what is there. The workflow's own by default."""
    inputs: Mapping[str, Any]
    stage: str
    """Of the steps that name none; the project's own by default."""
    scorers: Mapping[str, Score]
    """Functions that say how good a take is, by the names that `pick = "score:<name>"` uses."""
    fit: Fit
    """Who makes what, as `fit_run` chose."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run takes from another one as it is."""

    takes: Mapping[str, tuple[RunStep, ...]] = field(default_factory=dict)
    """By flat step, its takes."""
    picks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has come to."""

    project: "Project" = field(repr=False)
    id: str
    name: str
    stage: str
    state: RunState
    """`finished`; `paused`: a person has to pick (`waiting`); `failed`: a branch did, the others are there."""
    graph: Graph = field(repr=False)
    outcomes: Mapping[str, Outcome] = field(repr=False)
    """By flat step."""
    written: Mapping[str, tuple[RunStep, ...]] = field(repr=False)
    """What is in the store of each flat step, by take."""
    plan: RunPlan | None = field(default=None, repr=False)
    """What was going to be done, as it was seen before anything was sent; `None` of a run that is read back."""

    @property
    def waiting(self) -> tuple[str, ...]:
        """The flat steps of which a person has to pick a take."""
        return tuple(name for name, one in self.outcomes.items() if one.state == "paused")

    @property
    def failed(self) -> Mapping[str, BaseException | None]:
        """The flat steps that failed, each with its error; to run again makes these alone."""
        return {name: one.error for name, one in self.outcomes.items() if one.state == "failed"}

    @property
    def cost_usd(self) -> Decimal | None:
        """What this start bought; `None`: the price of something is unknown."""
        costs = [one.cost_usd for one in self.outcomes.values()]
        return None if None in costs else sum((one for one in costs if one is not None), Decimal(0))

    @property
    def outputs(self) -> "Mapping[str, Path]":
        """The files of the piece, by flat step; those that are not made are missing."""
        ends = {name: self.outcomes[name] for name in self.graph.outputs if name in self.outcomes}
        made = {
            name: media
            for name, one in ends.items()
            if one.state in ("done", "skipped") and (media := one.of(None)) is not None
        }
        return {name: path for name, media in made.items() if (path := self.path(media)) is not None}

    def media(self, step: str, take: int | None = None) -> Media:
        """What a flat step made, to be given to a verb; one take of it, or the one that goes on.

        Raises:
            RequestError: There is no such step, or it has made nothing.

        """
        if step not in self.outcomes:
            raise RequestError(f"run {self.name} has no step {step!r}; it has {', '.join(self.outcomes)}")
        outcome = self.outcomes[step]
        found = outcome.of(take)
        if found is None or outcome.state not in ("done", "skipped", "paused"):
            raise RequestError(f"step {step!r} of run {self.name} made nothing: {outcome.state}; {outcome.why}")
        return found

    def results(self, step: str) -> "tuple[Result | None, ...]":
        """The takes of a flat step that was bought; `None`: that one failed."""
        return self.outcomes[step].results

    def path(self, media: Media) -> "Path | None":
        """Where a stored file lies; it belongs to the store: copy it."""
        if media.sha256 is None or media.mime_type is None:
            return None
        return self.project.opened.files.path(media.sha256, media.mime_type)

    async def pick(self, step: str, take: int) -> None:
        """Say which take of a flat step goes on; then run again.

        Raises:
            RequestError: There is no such take.

        """
        await pick(self.project, self.name, step, take)

    def as_json(self) -> dict[str, JsonValue]:
        """What became of it, as plain data."""
        cost = self.cost_usd
        return {
            "run": self.name,
            "project": self.project.name,
            "stage": self.stage,
            "state": self.state,
            "cost_usd": None if cost is None else str(cost),
            "waiting": list(self.waiting),
            "outputs": {name: str(path) for name, path in self.outputs.items()},
            "steps": {name: self._step_json(one) for name, one in self.outcomes.items()},
        }

    def _step_json(self, one: Outcome) -> JsonValue:
        media = one.of(None)
        path = None if media is None else self.path(media)
        return {
            "task": one.node.task,
            "state": one.state,
            "why": one.why or None,
            "reused": one.reused,
            "cost_usd": None if one.cost_usd is None else str(one.cost_usd),
            "picked": one.picked if one.node.takes > 1 and one.state == "done" else None,
            "path": None if path is None else str(path),
            "jobs": [result.job_id for result in one.results if result is not None],
        }

    def __str__(self) -> str:
        lines = [f"{name}: {_said(one)}" for name, one in self.outcomes.items()]
        cost = "unknown" if self.cost_usd is None else dollars(self.cost_usd)
        return "\n".join([*lines, f"{self.name}: {self.state}, {cost}"])


def _said(one: Outcome) -> str:
    words: list[str] = ["reused" if one.reused and one.state == "done" else one.state]
    if one.why:
        words.append(one.why)
    if one.cost_usd:
        words.append(dollars(one.cost_usd))
    return ", ".join(words)


def generation_of(graph: Graph, stage: str, kept: Kept) -> str:
    """What makes two starts the same run that goes on, and not an edit."""
    takes = {name: [[one.take, one.job] for one in of] for name, of in kept.takes.items()}
    chosen = {node.name: [node.stage, node.model] for node in graph.nodes}
    return digest([graph.workflow.as_json(), dict(graph.inputs), stage, takes, dict(kept.picks), chosen])


async def open_desk(
    project: "Project",
    workflow: "Workflow",
    *,
    name: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    stage: str | None = None,
    scorers: Mapping[str, Score] | None = None,
    budget_usd: Decimal | None = None,
    fit: Fit | None = None,
    kept: Kept | None = None,
) -> Desk:
    """What a run works with: its graph, and what was written down of it before. Nothing is written."""
    from aggregator.workflow.checking import check

    check(workflow, inputs)
    graph = _fitted(expand(workflow, inputs), fit)
    given: Any = {"scorers": scorers or {}, "budget_usd": budget_usd, "kept": kept or Kept()}
    return await desk_for(project, graph, name=name or workflow.name, stage=stage or project.stage, **given)


async def desk_for(
    project: "Project",
    graph: Graph,
    *,
    name: str,
    stage: str,
    scorers: Mapping[str, Score],
    budget_usd: Decimal | None,
    kept: Kept,
) -> Desk:
    """What a run of a graph works with: that, and what was written down of it before. Nothing is written."""
    workflow, opened, account = graph.workflow, project.opened, project.account
    generation = generation_of(graph, stage, kept)
    known = await opened.store.read(lambda c: rows.read_run(c, account, name))
    run_id = known.id if known else digest([account, name])[:32]
    before = await opened.store.read(lambda c: rows.steps_of(c, run_id)) if known else []
    picks = await opened.store.read(lambda c: rows.picks_of(c, run_id)) if known else []
    same = known is not None and known.generation == generation
    was_over = known is not None and known.state == "finished"
    settings = cast("Mapping[str, Any]", known.settings if known else {})
    asked = {
        "workflow": {**workflow.as_json(), "directory": str(workflow.directory.absolute())},
        "inputs": dict(graph.inputs),
        "stage": stage,
        "generation": generation,
        "settings": {"kept": sorted(kept.takes), "chosen": _chosen(graph)},
    }
    return Desk(
        project,
        graph,
        run_id,
        name,
        stage,
        before={(one.step, one.take): one for one in before},
        resuming=same and not was_over,
        marks=settings.get("marks", {}) if same else {},
        picks={(one.step, one.address): one.take for one in picks},
        kept=kept.takes,
        kept_picks=kept.picks,
        scorers=scorers,
        budget_usd=budget_usd,
        bounds_usd=_bounds(graph, budget_usd),
        asked=asked,
    )


def _fitted(graph: Graph, fit: Fit | None) -> Graph:
    """The graph with what `fit` chose."""
    if fit is None:
        return graph
    ways: dict[str, Way] = {}
    for one in fit.quote.steps:
        name = one.name.partition("#")[0]
        ways[name] = min(ways.get(name, one.way), one.way, key=_most_usd)  # of takes, the cheapest
    return graph.with_nodes({name: {"model": way.offer, "stage": way.stage} for name, way in ways.items()})


def _most_usd(way: Way) -> Decimal:
    assert way.most_usd is not None  # what has no price is never chosen
    return way.most_usd


def _chosen(graph: Graph) -> dict[str, JsonValue]:
    return {
        node.name: {"stage": node.stage, "model": node.model}
        for node in graph.nodes
        if (node.stage, node.model) != (node.step.stage, node.step.model)
    }


def _bounds(graph: Graph, budget_usd: Decimal | None) -> dict[str, Decimal]:
    """What each flat step may cost, where it is a share of the run's budget."""
    found: dict[str, Decimal] = {}
    for node in graph.nodes:
        share = node.step.share
        if share is None:
            continue
        if budget_usd is None:
            place = f"{node.step.place.at('share')}: " if node.step.place else ""
            text = f"{place}step {node.step.name!r} has a share of the run's budget, and the run has none"
            raise ConfigurationError(f"{text}: give budget_usd (--budget)")
        of = len(graph.fans[node.step.name])
        bound = budget_usd * Decimal(str(share)) / of
        found[node.name] = bound if node.step.max_usd is None else min(bound, node.step.max_usd)
    return found


async def plan(project: "Project", workflow: "Workflow", **given: Any) -> RunPlan:
    """What a run would do now; takes what `open_desk` takes. Functions that pick may be left out, or all are there."""
    desk = await open_desk(project, workflow, **given)
    if given.get("scorers") is not None:
        check_scorers(desk)
    return await plan_run(desk)


def check_scorers(desk: Desk) -> None:
    """See that every function that picks is there."""
    for node in desk.graph.nodes:
        how, _, name = node.step.pick.partition(":")
        is_picked = node.takes == 1 or node.name in desk.kept_picks
        if how == "score" and name not in desk.scorers and not is_picked:
            known = ", ".join(desk.scorers) or "none"
            raise RequestError(
                f"step {node.step.name!r} is picked by {name!r}, and no such function was given: scorers has {known}. "
                "Nothing was sent"
            )


async def fit(project: "Project", workflow: "Workflow", *, budget_usd: Decimal, **given: Any) -> Fit:
    """Who should make what for the money; takes what `open_desk` takes.

    Raises:
        RequestError: Nothing would be bought.

    """
    steps = await chain_of(await open_desk(project, workflow, budget_usd=budget_usd, **given))
    if not steps:
        raise RequestError(f"{workflow.name}: everything is there already: there is nothing to fit")
    return await chains.fit(project.opened, steps, budget_usd)


async def start(
    project: "Project",
    workflow: "Workflow",
    *,
    budget_usd: Decimal | None = None,
    on_event: "OnEvent | None" = None,
    **given: Any,
) -> Run:
    """Start a run, or go on with it; takes what `open_desk` takes."""
    desk = await open_desk(project, workflow, budget_usd=budget_usd, **given)
    check_scorers(desk)
    return await run_of(desk, await execute(desk, on_event=on_event))


async def run_of(desk: Desk, done: Finished) -> Run:
    """What a start of a run came to, for its user."""
    found = await desk.project.opened.store.read(lambda c: rows.steps_of(c, desk.run))
    written = by_step(found)
    ordered = {node.name: done.outcomes[node.name] for node in desk.graph.nodes if node.name in done.outcomes}
    return Run(desk.project, desk.run, desk.name, desk.stage, done.state, desk.graph, ordered, written, done.plan)


def by_step(written: Iterable[RunStep]) -> dict[str, tuple[RunStep, ...]]:
    """What is written of each flat step, by take."""
    found: dict[str, list[RunStep]] = {}
    for one in sorted(written, key=lambda one: one.take):
        found.setdefault(one.step, []).append(one)
    return {name: tuple(of) for name, of in found.items()}


async def known_run(project: "Project", name: str) -> rows.Run:
    """What is written of a run.

    Raises:
        RequestError: There is none of this name.

    """
    found = await project.opened.store.read(lambda c: rows.read_run(c, project.account, name))
    if found is None:
        there = await project.opened.store.read(lambda c: rows.runs(c, project=project.account))
        known = ", ".join(one.name for one in there) or "none"
        raise RequestError(f"project {project.name} has no run {name!r}; it has {known}")
    return found


async def pick(project: "Project", run: str, step: str, take: int) -> None:
    """Say which take of a flat step of a run goes on."""
    opened = project.opened
    known = await known_run(project, run)
    from aggregator.workflow.reading import graph_of

    node = graph_of(known).by_name.get(step)
    asked = 0 if node is None else node.takes  # an edit may have asked for fewer than there are
    written = await opened.store.read(lambda c: rows.steps_of(c, known.id))
    takes = [one for one in written if one.step == step and one.take <= asked]
    of = next((one for one in takes if one.take == take), None)
    if of is None or of.job is None or of.state == "failed":
        there = ", ".join(str(one.take) for one in takes if one.job and one.state != "failed") or "none yet"
        raise RequestError(f"run {run}: step {step!r} has no take {take}; it has {there}")
    content = digest([one.address for one in sorted(takes, key=lambda one: one.take)])
    chosen = rows.Pick(known.id, step, content, take, "person", int(opened.clock.time() * 1000))
    await opened.store.transact(lambda c: rows.pick(c, chosen))


async def cancel(project: "Project", run: str) -> None:
    """Give a run up: money that is kept for it is free again. Jobs that are under way go on."""
    opened = project.opened
    known = await known_run(project, run)
    at = int(opened.clock.time() * 1000)

    def write(c: Any) -> None:
        ledger.unmark(c, known.id)
        rows.set_state(c, known.id, "canceled", at=at)

    await opened.store.transact(write)
