"""Reads a run back from the store as it is now, without running anything."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aggregator.errors import ArtifactLostError
from aggregator.identity import digest
from aggregator.inputs import Media
from aggregator.store import runs as rows
from aggregator.store.runs import RunStep
from aggregator.workflow.expand import expand
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.model import Workflow
from aggregator.workflow.outcome import Outcome, is_made, missing_takes, passed_on
from aggregator.workflow.runs import Run, by_step, known_run
from aggregator.workflow.steps import kind_of

if TYPE_CHECKING:
    from aggregator.artifact import Result
    from aggregator.project import Project

__all__ = ["graph_of", "read_back"]


def graph_of(known: rows.Run) -> Graph:
    """The graph that a run was last started with."""
    written = dict(cast("Mapping[str, Any]", known.workflow))
    workflow = Workflow.from_json(written, directory=Path(written.pop("directory", ".")))
    settings = cast("Mapping[str, Any]", known.settings)
    return expand(workflow, cast("Mapping[str, Any]", known.inputs)).with_nodes(settings.get("chosen", {}))


async def read_back(project: "Project", name: str) -> Run:
    """A run as it is now: what was made of it, what is under way, what waits.

    Raises:
        RequestError: There is no run of this name.

    """
    known = await known_run(project, name)
    graph = graph_of(known)
    steps = await project.opened.store.read(lambda c: rows.steps_of(c, known.id))
    chosen = await project.opened.store.read(lambda c: rows.picks_of(c, known.id))
    picks = {(one.step, one.address): one.take for one in chosen}
    written = by_step(steps)
    outcomes: dict[str, Outcome] = {}
    for node in graph.nodes:
        takes = written.get(node.name, ())[: node.takes]  # more of them may have been asked for before
        outcome = await _outcome(project, node, takes, picks)
        if outcome.state == "skipped" and is_made(node, outcomes) is False:
            outcome = replace(outcome, media=(passed_on(node, outcomes, kind_of(node)),))
        outcomes[node.name] = outcome
    return Run(project, known.id, known.name, known.stage, known.state, graph, outcomes, written)


async def _outcome(
    project: "Project",
    node: Node,
    written: Sequence[RunStep],
    picks: Mapping[tuple[str, str], int],
) -> Outcome:
    if not written:
        return Outcome(node, "coming", why="not begun")
    first = written[0]
    if first.output is not None:
        return await _edited(project, node, first)
    if first.state == "waiting":
        return Outcome(node, "blocked", why=first.why or "")
    if first.state == "skipped":
        return Outcome(node, "skipped", (None,), why=first.why or "")
    if any(one.state == "running" for one in written):
        return Outcome(node, "coming", why="under way")
    results = [await _result(project, one) for one in written]
    media_of = tuple(None if one is None else one.as_media() for one in results)
    costs = [one.cost.amount_usd for one in results if one is not None]
    cost_usd = None if None in costs else sum((one for one in costs if one is not None), Decimal(0))
    reused = all(one.state == "reused" for one in written)
    made: dict[str, Any] = {"media": media_of, "results": tuple(results), "cost_usd": cost_usd, "reused": reused}
    there = [take for take, one in enumerate(results, 1) if one is not None]
    if not there:
        return Outcome(node, "failed", why=first.why or "", **made)
    picked = picks.get((node.name, digest([one.address for one in written])))
    if picked not in there and node.takes > 1 and node.step.pick == "person":
        return Outcome(node, "paused", why="a person has to pick", **made)
    why = missing_takes(node, [one.why for one, result in zip(written, results, strict=True) if result is None])
    return Outcome(node, "done", picked=picked if picked in there else there[0], why=why, **made)


async def _edited(project: "Project", node: Node, first: RunStep) -> Outcome:
    """What was made by a local edit, brought here if another host made it."""
    media = Media.from_json(cast("Mapping[str, Any]", first.output))
    assert media.sha256 is not None
    assert media.mime_type is not None
    try:
        await project.opened.files.have(media.sha256, media.mime_type)
    except ArtifactLostError:
        return Outcome(node, "coming", why="its file is gone; the next start makes it again")
    return Outcome(node, "done", (media,), reused=first.state == "reused")


async def _result(project: "Project", one: RunStep) -> "Result | None":
    return await project.result_of(one.job) if one.job is not None and one.state != "failed" else None
