"""A run as plain data: all that any host needs to go on with it, its files in the store. And what it cost."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.inputs import Media
from aggregator.store.reports import job_records
from aggregator.store.runs import RunStep
from aggregator.workflow.expand import expand
from aggregator.workflow.graph import Node
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import Ref, Workflow
from aggregator.workflow.reading import read_back
from aggregator.workflow.runs import Kept, Run, desk_for
from aggregator.workflow.steps import Desk, Score

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.client import Aggregator
    from aggregator.project import Project

__all__ = ["Json", "desk_of", "read_since", "written"]

Json = dict[str, Any]
"""Plain data."""


async def written(desk: Desk) -> Json:
    """What a run is asked for, not how far it is: that is in the store."""
    return {
        "project": desk.project.name,
        "tags": dict(desk.project.tags),
        "run": desk.name,
        "stage": desk.stage,
        "budget_usd": None if desk.budget_usd is None else str(desk.budget_usd),
        "workflow": desk.asked["workflow"],
        "inputs": desk.asked["inputs"],
        "nodes": {node.name: await _written(desk, node) for node in desk.graph.nodes},
        "kept": {name: [asdict(take) for take in of] for name, of in desk.kept.items()},
        "kept_picks": dict(desk.kept_picks),
    }


async def desk_of(client: "Aggregator", given: Json, scorers: Mapping[str, Score]) -> Desk:
    """The same run on this host, as far as it is by now."""
    project = await client.project(given["project"], tags=given["tags"]).__aenter__()
    workflow = Workflow.from_json(given["workflow"], directory=Path(given["workflow"]["directory"]))
    kept = {name: tuple(RunStep(**take) for take in of) for name, of in given["kept"].items()}
    return await desk_for(
        project,
        expand(workflow, given["inputs"]).with_nodes(given["nodes"]),
        name=given["run"],
        stage=given["stage"],
        scorers=scorers,
        budget_usd=None if given["budget_usd"] is None else Decimal(given["budget_usd"]),
        kept=Kept(kept, given["kept_picks"]),
    )


async def _written(desk: Desk, node: Node) -> Json:
    """What a flat step has that its workflow does not say: who makes it, and its files by what they hold."""
    inputs = takes(node.task)
    parts = {"values": node.values, "wanted": node.wanted}
    stored = {
        part: {key: await _stored(desk, one) if key in inputs else one for key, one in values.items()}
        for part, values in parts.items()
    }
    return {**stored, "stage": node.stage, "model": node.model}


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


async def read_since(project: "Project", name: str, *, began_at: int) -> Run:
    """A run as it is now, with what was bought since a moment (milliseconds since the epoch), by whichever process and
    however often it was cut off. What two steps share is told once.
    """
    run = await read_back(project, name)
    since = datetime.fromtimestamp(began_at / 1000, UTC)
    jobs = {one.job_id for of in run.outcomes for one in run.results(of) if one is not None}

    def ended(c: "Connection") -> set[str]:
        records = [record for job in jobs for record in job_records(c, job_id=job)]
        return {one.id for one in records if one.finished_at is None or one.finished_at >= since}

    bought = await project.opened.store.read(ended)
    told: set[str] = set()
    outcomes = {}
    for of, outcome in run.outcomes.items():
        own = {one.job_id: one.cost.amount_usd for one in outcome.results if one is not None and one.job_id in bought}
        costs = [cost for job, cost in own.items() if job not in told]
        told |= set(own)
        cost_usd = None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))
        reused = outcome.reused if not any(outcome.results) else not own
        outcomes[of] = replace(outcome, cost_usd=cost_usd, reused=reused)
    return replace(run, outcomes=outcomes)
