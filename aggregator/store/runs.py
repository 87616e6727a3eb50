"""Workflows that were started: their runs, what became of their steps, picks, and what was made here by content.

Every function runs inside the caller's transaction. What the money of a run does is in `aggregator.ledger`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from pydantic import JsonValue
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from aggregator.errors import StoreError
from aggregator.job import AttemptState
from aggregator.store import schema
from aggregator.store.schema import attempt, earmark, job

__all__ = [
    "KeptMoney",
    "KnownJob",
    "Made",
    "Pick",
    "Picker",
    "Run",
    "RunState",
    "RunStep",
    "StepState",
    "jobs_at",
    "kept_money",
    "made",
    "open_run",
    "pick",
    "picks_of",
    "read_run",
    "remember_made",
    "requests_of",
    "runs",
    "set_state",
    "steps_of",
    "took_s_of",
    "write_steps",
]

RunState = Literal["running", "paused", "finished", "failed", "canceled"]
StepState = Literal["waiting", "running", "reused", "attached", "made", "failed", "skipped", "paused"]
Picker = Literal["person", "score", "first"]
"""Who chose: a person, a scoring function, or nobody, so that it is the first."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as it was last started."""

    id: str
    project: str
    """Its account: `project:film`."""
    name: str
    workflow: JsonValue
    """The flat steps."""
    inputs: JsonValue
    stage: str
    state: RunState
    generation: str
    """A digest of workflow, inputs and stage: another one is an edit."""
    settings: JsonValue
    """Whatever else it was started with."""
    created_at: int
    """In milliseconds since the epoch."""
    updated_at: int


@dataclass(frozen=True, slots=True)
class KeptMoney:
    """What is kept for steps of a run that have not begun."""

    run: str
    project: str
    """Its account: `project:film`."""
    name: str
    state: RunState
    amount: int
    """In micro-dollars."""
    at: int
    """Since when, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """What became of one take of a step."""

    run: str
    step: str
    """The name of the flat step: `shot.2`."""
    take: int
    state: StepState
    address: str | None = None
    """Of what it is made of; `None`: it waits for what that depends on."""
    job: str | None = None
    """What made it, where it was bought."""
    output: JsonValue = None
    """The stored media, where it was made here."""
    why: str | None = None
    """Why it ran again, failed or was skipped."""
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """Which take of a step goes on. It holds for the content that the takes were made of."""

    run: str
    step: str
    address: str
    take: int
    by: Picker
    at: int


@dataclass(frozen=True, slots=True)
class Made:
    """What was made here, at no cost, of some content."""

    address: str
    output: JsonValue
    """The stored media."""
    took_ms: int
    at: int


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job that a step bought."""

    id: str
    key: str
    state: AttemptState
    """Of its newest attempt, as the offer and the model."""
    offer: str
    model: str
    request: Mapping[str, Any]
    tags: Mapping[str, str]
    """Among them the run and the step that it was bought for."""
    created_at: int
    """In milliseconds since the epoch."""


# --------------------------------------------------------------------------------------------------------------- runs


def open_run(
    connection: Connection,
    project: str,
    name: str,
    *,
    run_id: str,
    workflow: JsonValue,
    inputs: JsonValue,
    stage: str,
    generation: str,
    settings: JsonValue,
    at: int,
) -> Run:
    """Write a run down as running, or start the one of this name again with what it is asked for now. One that is there
    keeps its id, its steps and its picks.

    Args:
        run_id: Its id, if there is none of this name yet.

    """
    asked = {"workflow": workflow, "inputs": inputs, "stage": stage, "generation": generation, "settings": settings}
    values = {**asked, "state": "running", "updated_at": at}
    names = {"project": project, "name": name}
    if not _update(connection, schema.run, names, values):
        connection.execute(insert(schema.run).values(id=run_id, **names, **values, created_at=at))
    found = read_run(connection, project, name)
    assert found is not None
    return found


def read_run(connection: Connection, project: str, name: str) -> Run | None:
    """The run of this name; `None`: there is none."""
    query = select(schema.run).where(schema.run.c.project == project, schema.run.c.name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else Run(**row._mapping)  # noqa: SLF001


def runs(connection: Connection, *, project: str | None = None) -> list[Run]:
    """All runs, or those of a project and of the projects within it; what was started or changed last comes first."""
    query = select(schema.run).order_by(schema.run.c.updated_at.desc(), schema.run.c.name, schema.run.c.project)
    if project is not None:
        of = schema.run.c.project
        query = query.where(or_(of == project, of.startswith(f"{project}/", autoescape=True)))
    return [Run(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001


_KEPT = (
    select(
        schema.run.c.id.label("run"),
        schema.run.c.project,
        schema.run.c.name,
        schema.run.c.state,
        func.sum(earmark.c.amount).label("amount"),
        func.min(earmark.c.at).label("at"),
    )
    .join_from(earmark, schema.run, schema.run.c.id == earmark.c.run)
    .group_by(schema.run.c.id, schema.run.c.project, schema.run.c.name, schema.run.c.state)
    .having(func.sum(earmark.c.amount) > 0)
    .order_by(func.min(earmark.c.at), schema.run.c.id)
)


def kept_money(connection: Connection) -> list[KeptMoney]:
    """The runs for which money is kept, the longest first. One that was killed keeps it until it goes on or is
    canceled.
    """
    rows = connection.execute(_KEPT)
    return [KeptMoney(**{**row._mapping, "amount": int(row.amount)}) for row in rows]  # noqa: SLF001


def set_state(connection: Connection, run: str, state: RunState, *, at: int) -> None:
    """Say how far a run is.

    Raises:
        StoreError: There is no such run.

    """
    if not _update(connection, schema.run, {"id": run}, {"state": state, "updated_at": at}):
        raise StoreError(f"the store has no run {run}")


# -------------------------------------------------------------------------------------------------------------- steps


def write_steps(connection: Connection, steps: Iterable[RunStep]) -> None:
    """Write down what became of takes of steps, each in place of what was known of it; of one take the last counts."""
    _put(connection, schema.run_step, [asdict(step) for step in steps])


def steps_of(connection: Connection, run: str) -> list[RunStep]:
    """Every take of every step that was ever written down for a run, by name and take."""
    of = schema.run_step
    rows = connection.execute(select(of).where(of.c.run == run).order_by(of.c.step, of.c.take))
    return [RunStep(**row._mapping) for row in rows]  # noqa: SLF001


def pick(connection: Connection, chosen: Pick) -> None:
    """Say which take of a step goes on. Of one content the last word counts."""
    _put(connection, schema.pick, [asdict(chosen)])


def picks_of(connection: Connection, run: str) -> list[Pick]:
    """Every pick of a run, whatever content it was of; the oldest first."""
    of = schema.pick
    rows = connection.execute(select(of).where(of.c.run == run).order_by(of.c.at, of.c.step, of.c.address))
    return [Pick(**row._mapping) for row in rows]  # noqa: SLF001


# ---------------------------------------------------------------------------------------------------------- by content


def made(connection: Connection, address: str) -> Made | None:
    """What was made here of this content, in any run; `None`: nothing yet."""
    row = connection.execute(select(schema.made).where(schema.made.c.address == address)).one_or_none()
    return None if row is None else Made(**row._mapping)  # noqa: SLF001


def remember_made(connection: Connection, new: Made) -> None:
    """Keep what was made here. Made again (its files were lost), it takes the place of what was made before."""
    _put(connection, schema.made, [asdict(new)])


_KNOWN = (
    select(
        job.c.id,
        job.c.key,
        attempt.c.state,
        attempt.c.provider,
        attempt.c.endpoint,
        attempt.c.model,
        job.c.request,
        job.c.tags,
        job.c.created_at,
    )
    .join_from(job, attempt, attempt.c.job == job.c.id)
    .where(job.c.project == bindparam("of"))
    .order_by(job.c.created_at.desc(), job.c.id.desc(), attempt.c.n)
)
_REQUESTS = select(job.c.id, job.c.request).where(job.c.id.in_(bindparam("ids", expanding=True)))


def jobs_at(connection: Connection, project: str, addresses: Iterable[str]) -> dict[str, list[KnownJob]]:
    """The jobs that steps of a project bought at content addresses, by address, the newest first. Their keys begin with
    `step:<address>:`. What has none is not in it.
    """
    query = _KNOWN.where(_begins_with(connection, job.c.key))
    found = {}
    for address in addresses:
        begins = f"step:{address}:"
        rows = connection.execute(query, {"of": project, "first": begins, "beyond": f"{begins[:-1]};"})
        newest = {row.id: row for row in rows}  # the newest attempt comes last and stays
        if newest:
            found[address] = [_known(row) for row in newest.values()]
    return found


def _begins_with(connection: Connection, column: ColumnElement[str]) -> ColumnElement[bool]:
    """From `first` to just before `beyond`, byte by byte, whatever order the database has for words."""
    at_least, below = ("~>=~", "~<~") if connection.dialect.name == "postgresql" else (">=", "<")
    return and_(column.op(at_least)(bindparam("first")), column.op(below)(bindparam("beyond")))


def _known(row: Any) -> KnownJob:
    offer = f"{row.provider}:{row.endpoint}"
    return KnownJob(row.id, row.key, AttemptState(row.state), offer, row.model, row.request, row.tags, row.created_at)


def requests_of(connection: Connection, job_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """What jobs were asked for, by their ids; those that the store does not know are not in it."""
    rows = connection.execute(_REQUESTS, {"ids": list(job_ids)})
    return {row.id: row.request for row in rows}


_TOOK = (
    select(attempt.c.job, attempt.c.took_ms)
    .where(attempt.c.job.in_(bindparam("ids", expanding=True)), attempt.c.took_ms.is_not(None))
    .order_by(attempt.c.n)
)


def took_s_of(connection: Connection, job_ids: Collection[str]) -> dict[str, float]:
    """How many seconds jobs took at their providers, by their ids; those that nobody watched are not in it."""
    return {row.job: row.took_ms / 1000 for row in connection.execute(_TOOK, {"ids": list(job_ids)})}


# ------------------------------------------------------------------------------------------------------------- inside


def _update(connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether there was such a row."""
    this = [table.c[name] == value for name, value in key.items()]
    return connection.execute(update(table).where(*this).values(**values)).rowcount > 0


def _put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each in place of the one with its key."""
    if rows:
        connection.execute(_upsert(table, connection.dialect.name), rows)


@cache
def _upsert(table: Table, dialect: str) -> Executable:
    new = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    key = [column.name for column in table.primary_key]
    other = {column.name: new.excluded[column.name] for column in table.columns if column.name not in key}
    written: Executable = new.on_conflict_do_update(index_elements=key, set_=other)
    return written
