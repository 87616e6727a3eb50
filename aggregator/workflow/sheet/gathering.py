"""Reads a run for its contact sheet, from what the store has of it: nothing is ordered, and nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from aggregator.artifact import Shortfall
from aggregator.editing.edits import EDITS
from aggregator.errors import ArtifactLostError
from aggregator.identity import digest
from aggregator.job import JobRecord
from aggregator.store import journal, reports
from aggregator.store import runs as rows
from aggregator.store.journal import Attempt
from aggregator.store.runs import RunStep
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.reading import graph_of
from aggregator.workflow.runs import by_step, known_run
from aggregator.workflow.sheet.data import File, Money, Sheet, State, Step, Take, money_of
from aggregator.workflow.sheet.recipes import Known, recipe_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.project import Project

__all__ = ["read_sheet", "version_of"]

LAST = "-last"
"""How the names of last frames end that `continues` asks for."""
ENDED_WITH_NOTHING = frozenset({"failed", "refused", "canceled", "lost"})


async def read_sheet(project: "Project", run: str) -> Sheet:
    """A run as it is now, with the files of its takes at hand.

    Raises:
        RequestError: There is no run of this name.
        StoreError: A bucket does not give a file.

    """
    known = await known_run(project, run)
    opened = project.opened
    found, beside = await opened.store.read(lambda c: (_read(c, known), list(_beside(c, known))))
    for sha256, file in list(found.files.items()):
        try:
            path = await opened.files.have(sha256, file.mime_type)
        except ArtifactLostError:
            continue
        found.files[sha256] = replace(file, path=path)
    steps = tuple(_step(found, node) for node in found.graph.nodes)
    return Sheet(
        project=project.name,
        run=known.name,
        workflow=found.graph.workflow.name,
        stage=known.stage,
        state=known.state,
        at_ms=known.updated_at,
        steps=steps,
        bills=tuple(beside),
    )


async def version_of(project: "Project", run: str) -> str:
    """Another one as soon as anything of a run is otherwise: cheap enough to ask every second.

    Raises:
        RequestError: There is no run of this name.

    """
    known = await known_run(project, run)
    steps, picks = await project.opened.store.read(lambda c: (rows.steps_of(c, known.id), rows.picks_of(c, known.id)))
    return digest([known.state, known.updated_at, [asdict(one) for one in steps], [asdict(one) for one in picks]])


# ---------------------------------------------------------------------------------------------------------- from rows


@dataclass(frozen=True, slots=True)
class _Bought:
    """What the journal has of a job."""

    attempt: Attempt
    record: JobRecord
    files: tuple[str, ...]
    """Their hashes."""
    unpriced: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """All that is written of a run."""

    run: rows.Run
    graph: Graph
    written: Mapping[str, tuple[RunStep, ...]]
    picks: Mapping[tuple[str, str], rows.Pick]
    bought: dict[str, _Bought] = field(default_factory=dict)
    """By job."""
    took_ms: dict[str, int] = field(default_factory=dict)
    """How long local edits took, by address."""
    files: dict[str, File] = field(default_factory=dict)
    """By hash."""
    known: dict[str, Known] = field(default_factory=dict)
    """By hash, which take made a file."""


def _read(c: "Connection", run: rows.Run) -> _Found:
    graph = graph_of(run)
    picks = {(one.step, one.address): one for one in rows.picks_of(c, run.id)}
    found = _Found(run, graph, _written(c, run, graph), picks)
    for name, takes in found.written.items():
        for row in takes:
            hashes = _of_job(c, found, row.job) if row.job is not None else _of_edit(c, found, row)
            for sha256 in hashes:
                found.known.setdefault(sha256, Known(name, row.take, graph.by_name[name].takes > 1))
    return found


def _written(c: "Connection", run: rows.Run, graph: Graph) -> dict[str, tuple[RunStep, ...]]:
    """The rows of the steps as they are asked for now: an edit may have taken steps and takes away."""
    by_name = by_step(one for one in rows.steps_of(c, run.id) if one.step in graph.by_name)
    found = {}
    for name, takes in by_name.items():
        first = takes[0]
        is_alone = first.address is None  # said of the step as a whole, before anything was made of it as it is now
        found[name] = takes[:1] if is_alone else takes[: graph.by_name[name].takes]
    return found


def _of_job(c: "Connection", found: _Found, job: str) -> tuple[str, ...]:
    attempt = journal.latest(c, job)
    if attempt is None:
        return ()
    [record] = reports.job_records(c, job_id=job)
    hashes = []
    for row in journal.outputs(c, job):
        facts = row.facts or {}
        shape = {name: facts.get(name) for name in ("width", "height", "duration_s", "fps")}
        found.files[row.sha256] = File(
            sha256=row.sha256, mime_type=row.mime_type, size_bytes=row.size_bytes, path=None, **shape
        )
        hashes.append(row.sha256)
    found.bought[job] = _Bought(attempt, record, tuple(hashes), _is_unpriced(c, attempt.id))
    return tuple(hashes)


def _is_unpriced(c: "Connection", attempt_id: str) -> bool:
    settlement = journal.settlement(c, attempt_id)
    basis = None if settlement is None else settlement.basis
    return isinstance(basis, Mapping) and bool(basis.get("unpriced"))


def _of_edit(c: "Connection", found: _Found, row: RunStep) -> tuple[str, ...]:
    if row.output is None:
        return ()
    output = cast("Mapping[str, Any]", row.output)
    shape = {name: output.get(name) for name in ("size_bytes", "width", "height", "duration_s", "fps")}
    sha256, mime_type = output["sha256"], output["mime_type"]
    found.files[sha256] = File(sha256=sha256, mime_type=mime_type, path=None, **shape)
    made = rows.made(c, row.address) if row.address is not None else None
    if made is not None:
        found.took_ms[made.address] = made.took_ms
    return (sha256,)


def _beside(c: "Connection", run: rows.Run) -> Iterator[Money]:
    """What this run and its other stages cost, the oldest first; a job that several have counts for the first."""
    base = run.name.partition("@")[0]
    related = [one for one in rows.runs(c, project=run.project) if one.project == run.project]
    counted: set[str] = set()
    for one in sorted(related, key=lambda one: (one.created_at, one.name)):
        if one.name.partition("@")[0] != base:
            continue
        written = _written(c, one, graph_of(one))
        jobs = dict.fromkeys(row.job for takes in written.values() for row in takes if row.job is not None)
        takes = [_charged(c, job) for job in jobs if job not in counted]
        counted |= set(jobs)
        yield replace(money_of(one.stage, takes), run=one.name)


def _charged(c: "Connection", job: str) -> Take:
    """Of what a job made, only what it cost."""
    [record] = reports.job_records(c, job_id=job)
    attempt = journal.latest(c, job)
    assert attempt is not None
    return Take(number=1, job=job, is_unpriced=_is_unpriced(c, attempt.id), **_charge(record))


# ------------------------------------------------------------------------------------------------------------ as data


def _step(found: _Found, node: Node) -> Step:
    written = found.written.get(node.name, ())
    takes = tuple(_take(found, node, row) for row in written if row.address is not None or row.job is not None)
    content = digest([row.address for row in written])
    chosen = found.picks.get((node.name, content)) if node.takes > 1 and node.step.pick != "all" else None
    there = [take.number for take in takes if take.file is not None]
    picked = chosen.take if chosen is not None and chosen.take in there else None
    by = chosen.by if chosen is not None and picked is not None else None
    if picked is None and node.takes == 1 and there:
        picked = there[0]
    state, why = _state(found, node, written, takes, picked)
    return Step(
        name=node.name,
        fan=_fan(found.graph, node.name),
        task=node.task,
        stage=node.stage or found.run.stage,
        state=state,
        why=why,
        is_edit=node.task in EDITS,
        recipe=recipe_of({**node.values, **node.wanted}, node.task, {}),
        needs=node.needs,
        carried=node.carried,
        takes=takes,
        wanted=node.takes,
        pick=node.step.pick,
        picked=picked,
        picked_by=by,
    )


def _fan(graph: Graph, name: str) -> str:
    """The step of the workflow that a flat step is an item of; the last frames of its items belong together too."""
    base = name.removesuffix(LAST)
    fan = next((fan for fan, names in graph.fans.items() if name in names or base in names), name)
    return fan if name in graph.fans.get(fan, ()) or fan == name else f"{fan}{LAST}"


def _state(
    found: _Found, node: Node, written: Sequence[RunStep], takes: Sequence[Take], picked: int | None
) -> tuple[State, str]:
    if not written:
        return "waiting", "not begun"
    first = written[0]
    if first.state in ("waiting", "skipped") or (first.state == "failed" and not takes):
        return cast("State", first.state), first.why or ""
    if any(take.is_coming for take in takes):
        return "running", ""
    if not any(take.file is not None for take in takes):
        return "failed", next((take.problem for take in takes if take.problem), "")
    if node.takes > 1 and node.step.pick == "person" and picked is None:
        return "pick", "a person has to pick"
    failed = [take.number for take in takes if take.file is None]
    why = f"{len(failed)} of {node.takes} takes failed" if failed else ""
    return "made", why or (first.why or "" if found.run.state == "running" else "")


def _take(found: _Found, node: Node, row: RunStep) -> Take:
    if row.job is None:
        return _edited(found, node, row)
    bought = found.bought.get(row.job)
    if bought is None:
        return Take(number=row.take, problem=row.why or f"job {row.job} is not in this store", job=row.job)
    of, record = bought.attempt, bought.record
    files = tuple(found.files[sha256] for sha256 in bought.files)
    delivery = of.delivery or {}
    facts = delivery.get("facts") or {}
    seed = facts.get("seed", of.request.get("seed"))
    is_over = of.state.is_final or of.state == "unknown"
    problem = ""
    if not files and is_over:
        problem = record.error or row.why or f"the job ended {of.state}"
    elif files and files[0].path is None:
        problem = "its file was stored and is there no more"
    return Take(
        number=row.take,
        files=files if not problem else (),
        recipe=recipe_of(of.request, node.task, found.known),
        problem=problem,
        is_coming=not files and not is_over,
        model=of.model,
        offer=of.offer,
        seed=seed if isinstance(seed, int) else None,
        **_charge(record),
        is_unpriced=bought.unpriced,
        took_s=None if of.took_ms is None else of.took_ms / 1000,
        is_stand_in=bool(facts.get("is_stand_in")),
        is_reused=row.state == "reused",
        warnings=tuple(_warnings(node, bought)),
        notes=tuple(str(note) for note in facts.get("notes") or () if isinstance(facts.get("notes"), list)),
        job=row.job,
    )


def _edited(found: _Found, node: Node, row: RunStep) -> Take:
    output = cast("Mapping[str, Any]", row.output or {})
    file = found.files.get(output.get("sha256", ""))
    is_here = file is not None and file.path is not None
    took_ms = found.took_ms.get(row.address or "")
    return Take(
        number=row.take,
        files=(file,) if file is not None and is_here else (),
        recipe=recipe_of(node.values, node.task, {}),
        problem="" if is_here or row.state == "running" else row.why or "its file was stored and is there no more",
        is_coming=row.state == "running",
        cost_usd=Decimal(0),
        took_s=None if took_ms is None else took_ms / 1000,
        is_reused=row.state == "reused",
    )


def _charge(record: JobRecord) -> dict[str, Any]:
    """What was charged for a job; as long as money is reserved for it, nobody knows."""
    held_usd = Decimal(record.reserved_usd)
    if record.settled_usd is not None:
        return {"cost_usd": Decimal(record.settled_usd)}
    is_void = record.state.value in ENDED_WITH_NOTHING and not held_usd
    return {"cost_usd": Decimal(0) if is_void else None, "held_usd": held_usd}


def _warnings(node: Node, bought: _Bought) -> Iterator[str]:
    of = bought.attempt
    for name in node.wanted:
        if name not in of.request:
            who = f" ({', '.join(node.carried)})" if node.carried and name != "seed" else ""
            yield f"{name}{who} left out: {of.offer} takes none"
    yield from (str(Shortfall(**item)) for item in of.warnings)
    chosen = of.plan.get("chosen") or {}
    for item in chosen.get("adjustments") or ():
        yield f"{item['field']} {item['kind']}: asked {item['asked']}, sent {item['sent']}"
    if chosen.get("ending"):
        yield str(chosen["ending"])
    if bought.unpriced:
        yield "nobody knows its price: booked is the most it was allowed to cost"
