"""One step of a run at a time: what is to be done about it, ordering it, and what became of it. Running, planning and
durable engines go through this; none of them decides anything itself.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aggregator.artifact import Result
from aggregator.editing.edits import Edit
from aggregator.errors import ArtifactLostError, RequestError
from aggregator.identity import digest
from aggregator.inputs import Media
from aggregator.job import Job
from aggregator.store import runs as rows
from aggregator.store.runs import Picker, RunStep
from aggregator.tasks import Request, request_from_json
from aggregator.workflow.content import address, build
from aggregator.workflow.deciding import Decision, Earlier, decide, differences, options_of
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.kinds import makes, request_class
from aggregator.workflow.outcome import Outcome, Outcomes, given_to, is_made, missing_takes, passed_on

if TYPE_CHECKING:
    from aggregator.options import Options
    from aggregator.project import Project

__all__ = ["Desk", "Score", "kind_of"]

MICRO_USD = Decimal("0.000001")
GENERATION_DIGITS = 12
Score = Callable[[Result], "float | Awaitable[float]"]
"""How good a take is: the highest goes on."""


@dataclass
class Desk:
    """A run of a graph in a project, and what was written down of it before."""

    project: "Project"
    graph: Graph
    run: str
    """Its id."""
    name: str
    stage: str
    before: Mapping[tuple[str, int], RunStep] = field(default_factory=dict)
    """What was written of each take when the run was last started."""
    resuming: bool = False
    """The same run goes on that was cut off: what it made counts, whoever would make it now."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """By take (`shot.2#1`), who would have made it when this very run was last started."""
    picks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By flat step and content, the take that was picked."""
    kept: Mapping[str, Sequence[RunStep]] = field(default_factory=dict)
    """Steps that are taken from another run as they are: their takes."""
    kept_picks: Mapping[str, int] = field(default_factory=dict)
    scorers: Mapping[str, Score] = field(default_factory=dict)
    budget_usd: Decimal | None = None
    """What the whole run may cost."""
    bounds_usd: dict[str, Decimal] = field(default_factory=dict)
    """By flat step, what all its takes may cost, where the run's budget bounds it."""
    asked: dict[str, Any] = field(default_factory=dict)
    """What it is written down as when it starts."""
    counted: set[str] = field(default_factory=set)
    """Jobs whose cost some step bears: the same content in another step costs nothing more."""

    @property
    def generation(self) -> str:
        """As what it was started, in short: what an earlier generation made was made for another wish."""
        return str(self.asked.get("generation", ""))[:GENERATION_DIGITS]

    # ---------------------------------------------------------------------------------------------------- beforehand

    def ruled_out(self, node: Node, outcomes: Outcomes) -> Outcome | None:
        """Why a step is not made, where what it needs says so already."""
        for name in node.needs:
            other = outcomes[name]
            if not other.goes_on:
                why = f"waits for a pick at {name}" if other.state == "paused" else f"follows from {name}, which failed"
                if other.state == "blocked":
                    why = other.why
                return Outcome(node, "blocked", why=why)
        if is_made(node, outcomes) is False:
            return Outcome(node, "skipped", (passed_on(node, outcomes, kind_of(node)),), why=f"not {node.when}")
        if given_to(node, outcomes) is None:
            return Outcome(node, "skipped", (None,), why="what it is made of was skipped")
        return None

    async def requests(self, node: Node, outcomes: Outcomes) -> list[Request]:
        """The requests of all takes with all that goes along; their inputs are stored."""
        given = given_to(node, outcomes)
        assert given is not None
        full = [build(node, given, take=take) for take in range(1, node.takes + 1)]
        return [await self.project.stored(request) for request in full]

    async def decisions(self, node: Node, full: Sequence[Request], *, any_price: bool = False) -> list[Decision]:
        """What is to be done about each take of a step that is bought."""
        if node.name in self.kept:
            return [self._kept(node, request, of) for request, of in zip(full, self.kept[node.name], strict=True)]
        where = [address(node, request, take) for take, request in enumerate(full, 1)]
        known = await self.project.opened.store.read(lambda c: rows.jobs_at(c, self.project.account, where))
        found = []
        for take, request in enumerate(full, 1):
            row = self.before.get((node.name, take))
            known_as = f"{node.name}#{take}"
            earlier = None
            if self.resuming or known_as in self.marks:
                earlier = Earlier(self.name, self.generation, self.marks.get(known_as), self.resuming)
            decision = decide(
                self.project,
                node,
                request,
                stage=self.stage,
                take=take,
                known=known,
                earlier=earlier,
                max_usd=self.bound_usd(node),
                any_price=any_price,
            )
            if decision.state == "run" and not decision.why:
                decision = replace(decision, why=await self._changed(row, decision.request))
            found.append(decision)
        return found

    def _kept(self, node: Node, request: Request, of: RunStep) -> Decision:
        assert of.address is not None
        return Decision(node, of.take, request, "reused", "kept from the draft", of.address, job=of.job)

    async def _changed(self, row: RunStep | None, now: Request) -> str:
        """What is other than when the step was last made, for people."""
        if row is None or row.job is None:
            return "never made"
        job = row.job
        found = await self.project.opened.store.read(lambda c: rows.requests_of(c, [job]))
        before = request_from_json(found[job]) if job in found else None
        changes = list(differences(before, now)) if before is not None else []
        return "; ".join(changes) or "made otherwise before"

    async def made(self, node: Node, edit: Edit) -> tuple[str, Media | None]:
        """Where what a local edit makes is found, and what is there."""
        where = address(node, edit, 1)
        found = await self.project.opened.store.read(lambda c: rows.made(c, where))
        if found is None:
            return where, None
        media = Media.from_json(cast("Mapping[str, Any]", found.output))
        try:
            await self.have(media)
        except ArtifactLostError:
            return where, None
        return where, media

    # ------------------------------------------------------------------------------------------------------- ordering

    async def order(self, decision: Decision) -> str:
        """Order one take, or find the job that does it already; returns the id of the job."""
        if decision.job is not None:
            return decision.job
        node = decision.node
        options = options_of(node, self.stage, max_usd=self.bound_usd(node))
        tags = {
            "workflow": self.graph.workflow.name,
            "run": self.name,
            "step": node.name,
            "_run": self.run,
            "_generation": self.generation,
        }
        asked = cast("Options", {**options, "key": decision.key, "tags": tags})
        take = f"{node.name}#{decision.take}"
        earmark = (self.run, self.asked.get("settings", {}).get("twins", {}).get(take, take))
        job = await self.project.order(decision.request, asked, take=decision.take, mark=decision.key, earmark=earmark)
        return job.id

    def bound_usd(self, node: Node) -> Decimal | None:
        """What one take of a step may cost; `None`: nothing bounds it."""
        bound = self.bounds_usd.get(node.name, node.step.max_usd)
        return None if bound is None else (bound / node.takes).quantize(MICRO_USD, rounding=ROUND_FLOOR)

    async def result(self, job_id: str) -> Result:
        """Wait for what a job makes."""
        return await self.project.result_of(job_id)

    def job(self, job_id: str) -> Job:
        """The handle of a job."""
        return Job(job_id, self.project.opened.runner)

    async def have(self, media: Media) -> Path:
        """Where a stored file lies, brought here first if another host made it."""
        assert media.sha256 is not None
        assert media.mime_type is not None
        return await self.project.opened.files.have(media.sha256, media.mime_type)

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.project.opened.clock.time() * 1000)

    # ---------------------------------------------------------------------------------------------------- afterwards

    async def ended(
        self,
        node: Node,
        decisions: Sequence[Decision],
        ends: Sequence[Result | BaseException],
        *,
        write: bool = True,
    ) -> Outcome:
        """What a step made of its takes, and which one goes on; `write`: and note who picked it."""
        results = tuple(end if isinstance(end, Result) else None for end in ends)
        errors = [end for end in ends if isinstance(end, BaseException)]
        new = [one for one, of in zip(results, decisions, strict=True) if one is not None and of.state != "reused"]
        costs = [one.cost.amount_usd for one in new if one.job_id not in self.counted]
        self.counted |= {one.job_id for one in new}
        cost_usd = None if None in costs else sum((one for one in costs if one is not None), Decimal(0))
        outcome = Outcome(
            node,
            "done",
            tuple(None if one is None else one.as_media() for one in results),
            results=results,
            cost_usd=cost_usd,
            reused=all(of.state == "reused" for of in decisions),
        )
        if not any(results):
            return replace(outcome, state="failed", why=str(errors[0]), error=errors[0])
        picked = await self._picked(node, digest([of.address for of in decisions]), results, write=write)
        if picked is None:
            return replace(outcome, state="paused", why="a person has to pick")
        return replace(outcome, picked=picked, why=missing_takes(node, errors), error=errors[0] if errors else None)

    async def _picked(self, node: Node, content: str, results: Sequence[Result | None], *, write: bool) -> int | None:
        """The take that goes on; `None`: a person has to say, or a function that a plan was not given."""
        there = [take for take, one in enumerate(results, 1) if one is not None]
        if node.takes == 1 or node.step.pick == "all":
            return there[0]
        kept = self.kept_picks.get(node.name)
        chosen = kept or self.picks.get((node.name, content))
        if chosen in there:
            if write and kept is not None:  # so that whoever reads the promotion back knows it
                await self.pick(node, content, chosen, "person")
            return chosen
        how, _, name = node.step.pick.partition(":")
        if how == "person" or (how == "score" and not write and name not in self.scorers):
            return None
        if how == "score":
            chosen, by = await self._best(name, results), "score"
        else:
            chosen, by = there[0], "first"
        if write:
            await self.pick(node, content, chosen, cast("Picker", by))
        return chosen

    async def _best(self, name: str, results: Sequence[Result | None]) -> int:
        scorer = self.scorers[name]
        scores: dict[int, float] = {}
        for take, one in enumerate(results, 1):
            if one is not None:
                score = scorer(one)
                scores[take] = float(await score if inspect.isawaitable(score) else score)
        return max(scores, key=lambda take: (scores[take], -take))

    async def pick(self, node: Node, content: str, take: int, by: Picker) -> None:
        """Write down which take goes on."""
        chosen = rows.Pick(self.run, node.name, content, take, by, self.now())
        await self.project.opened.store.transact(lambda c: rows.pick(c, chosen))


def kind_of(node: Node) -> str | None:
    """What a step makes, by its task alone; `None`: what goes in."""
    cls = request_class(node.task)
    try:
        return makes(cls.model_construct())
    except (RequestError, IndexError):
        return None
