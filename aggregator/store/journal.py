"""Rows of jobs and attempts: written, moved and read. Every function runs inside the caller's transaction.

A move names the version it starts from, so that of two processes only one makes it; a move that the state machine
does not have is refused. What each move does to money is in `aggregator.runner`, in the same transaction.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from aggregator.errors import StoreError
from aggregator.job import TRANSITIONS, AttemptState
from aggregator.polling import ServiceTime
from aggregator.store.files import StoredFile
from aggregator.store.schema import FINAL_STATES, artifact, attempt, job, log, output, service_time, transfer

__all__ = ["Attempt", "MovedElsewhereError", "NewAttempt", "NewJob", "RemoteJobTakenError"]


class MovedElsewhereError(Exception):
    """Another process moved the attempt first; what it wrote is the truth."""


class RemoteJobTakenError(Exception):
    """The provider answered with the id of a job that belongs to another attempt."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is written down of a job before anything else happens."""

    id: str
    project: str
    key: str
    fingerprint: str
    request: dict[str, JsonValue]
    ask: dict[str, JsonValue]
    stage: str
    tags: dict[str, str]
    created_at: int
    deadline_at: int


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What is written down of a purchase before the paid request leaves."""

    provider: str
    endpoint: str
    model: str
    account_ref: str
    table_checked: str
    plan: dict[str, JsonValue]
    reuse_address: str
    reserved: int
    body: JsonValue
    """The exact body, if nothing has to be uploaded first."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt's row, with what is needed of its job."""

    id: str
    job: str
    n: int
    provider: str
    endpoint: str
    model: str
    account_ref: str
    plan: Mapping[str, Any]
    reserved: int
    body: Any
    state: AttemptState
    idempotency_key: str
    maybe_sent: bool
    sends: int
    handle: Mapping[str, str]
    delivery: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    warnings: list[Any]
    lease_owner: str | None
    lease_until: int
    submitted_at: int | None
    version: int
    project: str
    key: str
    stage: str
    request: Mapping[str, Any]
    ask: Mapping[str, Any]
    created_at: int
    deadline_at: int

    @property
    def offer(self) -> str:
        return f"{self.provider}:{self.endpoint}"


# ------------------------------------------------------------------------------------------------------------ writing


def add_job(connection: Connection, new: NewJob) -> None:
    """Write the job itself; its key must be free (`find` in the same transaction says so)."""
    connection.execute(
        insert(job).values(
            id=new.id,
            project=new.project,
            key=new.key,
            fingerprint=new.fingerprint,
            request=new.request,
            ask=new.ask,
            stage=new.stage,
            tags=new.tags,
            created_at=new.created_at,
            deadline_at=new.deadline_at,
        )
    )


def add_attempt(
    connection: Connection,
    job_id: str,
    new: NewAttempt,
    *,
    state: AttemptState,
    lease_owner: str,
    lease_until: int,
    at: int,
) -> str:
    """Write a purchase; returns its id. The money is reserved by the caller in the same transaction."""
    n = 1 + (
        connection.execute(select(attempt.c.n).where(attempt.c.job == job_id).order_by(attempt.c.n.desc())).scalar()
        or 0
    )
    attempt_id = f"{job_id}.{n}"
    connection.execute(
        insert(attempt).values(
            id=attempt_id,
            job=job_id,
            n=n,
            provider=new.provider,
            endpoint=new.endpoint,
            model=new.model,
            account_ref=new.account_ref,
            table_checked=new.table_checked,
            plan=new.plan,
            reuse_address=new.reuse_address,
            reserved=new.reserved,
            body=new.body,
            state=state.value,
            idempotency_key=attempt_id,
            sends=1 if state is AttemptState.SUBMITTING else 0,
            warnings=[],
            lease_owner=lease_owner,
            lease_until=lease_until,
        )
    )
    write_event(connection, attempt_id, state.value, {"offer": f"{new.provider}:{new.endpoint}"}, at)
    return attempt_id


def move(
    connection: Connection,
    of: Attempt,
    to: AttemptState,
    *,
    at: int,
    why: Mapping[str, JsonValue] | None = None,
    **columns: Any,
) -> None:
    """Take an attempt from the state it was read in to another.

    Raises:
        MovedElsewhereError: Its row changed since it was read.

    """
    if to is not of.state and to not in TRANSITIONS[of.state]:
        raise StoreError(f"attempt {of.id} cannot go from {of.state} to {to}")
    if columns.get("remote_id") is not None and _is_taken(connection, of, columns["remote_id"]):
        raise RemoteJobTakenError(f"{of.provider} gave attempt {of.id} the id of another job, {columns['remote_id']}")
    if to.is_final:
        columns = {"finished_at": at, "lease_owner": None, "lease_until": None, **columns}
    done = connection.execute(
        update(attempt)
        .where(attempt.c.id == of.id, attempt.c.version == of.version)
        .values(state=to.value, version=of.version + 1, **columns)
    )
    if done.rowcount != 1:
        raise MovedElsewhereError(of.id)
    write_event(connection, of.id, to.value, dict(why or {}), at)


def _is_taken(connection: Connection, of: Attempt, remote_id: str) -> bool:
    """Whether another attempt has this remote job."""
    found = connection.execute(
        select(attempt.c.id).where(
            attempt.c.provider == of.provider,
            attempt.c.account_ref == of.account_ref,
            attempt.c.remote_id == remote_id,
            attempt.c.id != of.id,
        )
    )
    return found.first() is not None


def renew(connection: Connection, job_id: str, deadline_at: int) -> None:
    """Give a job that is bought once more its time again."""
    connection.execute(update(job).where(job.c.id == job_id).values(deadline_at=deadline_at))


def write_event(
    connection: Connection, attempt_id: str | None, kind: str, data: Mapping[str, JsonValue], at: int
) -> None:
    """Append to the log; each row's hash covers the one before."""
    last = connection.execute(_LAST_HASH).scalar() or ""
    text = json.dumps([last, attempt_id, at, kind, data], sort_keys=True, ensure_ascii=False)
    connection.execute(
        insert(log).values(
            attempt=attempt_id, at=at, kind=kind, data=dict(data), hash=hashlib.sha256(text.encode()).hexdigest()
        )
    )


def verify_log(connection: Connection) -> None:
    """Follow the chain of hashes from the first row.

    Raises:
        StoreError: A row was changed after it was written.

    """
    last = ""
    for row in connection.execute(select(log).order_by(log.c.seq)):
        text = json.dumps([last, row.attempt, row.at, row.kind, row.data], sort_keys=True, ensure_ascii=False)
        if hashlib.sha256(text.encode()).hexdigest() != row.hash:
            raise StoreError(f"row {row.seq} of the event log was changed after it was written")
        last = row.hash


def add_artifact(connection: Connection, file: StoredFile) -> None:
    """Know a file of the store; knowing it twice is fine."""
    values = {
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "mime_type": file.mime_type,
        "path": file.path,
        "facts": file.facts.as_json() if file.facts else None,
    }
    connection.execute(upsert(artifact).values(**values).on_conflict_do_nothing())


def add_output(connection: Connection, of: Attempt, n: int, sha256: str) -> None:
    connection.execute(insert(output).values(job=of.job, n=n, attempt=of.id, sha256=sha256))


def learn(connection: Connection, offer: str, seconds: float, *, unfinished_s: float | None = None) -> None:
    """Fold one service time into what polling knows of an offer."""
    known = service(connection, offer).observe(seconds, unfinished_s=unfinished_s)
    values = {"weight": known.count, "mean_log_s": known.mean_log_s, "square_log_s": known.square_log_s}
    connection.execute(
        upsert(service_time).values(offer=offer, **values).on_conflict_do_update(index_elements=["offer"], set_=values)
    )


# ------------------------------------------------------------------------------------------------------------- leases


def claim(connection: Connection, of: Attempt, *, lease_owner: str, lease_until: int) -> bool:
    """Take or renew the lease, if nobody moved the attempt since it was read."""
    done = connection.execute(
        update(attempt)
        .where(attempt.c.id == of.id, attempt.c.version == of.version)
        .values(lease_owner=lease_owner, lease_until=lease_until, version=of.version + 1)
    )
    return done.rowcount == 1


def drop_leases(connection: Connection, owner: str) -> None:
    """Let anyone go on with what this process followed."""
    connection.execute(update(attempt).where(attempt.c.lease_owner == owner).values(lease_owner=None, lease_until=None))


# ------------------------------------------------------------------------------------------------------------- reading

COLUMNS = (
    attempt,
    job.c.project,
    job.c.key,
    job.c.stage,
    job.c.request,
    job.c.ask,
    job.c.created_at,
    job.c.deadline_at,
)


# Put together once: that takes longer than running them.
_LATEST = (
    select(*COLUMNS)
    .join_from(attempt, job, attempt.c.job == job.c.id)
    .where(attempt.c.job == bindparam("of"))
    .order_by(attempt.c.n.desc())
    .limit(1)
)
_LAST_HASH = select(log.c.hash).order_by(log.c.seq.desc()).limit(1)


def read_attempt(row: Any) -> Attempt:
    values = {name: value for name, value in row._mapping.items() if name in Attempt.__slots__}  # noqa: SLF001
    return Attempt(
        **{
            **values,
            "state": AttemptState(row.state),
            "maybe_sent": bool(row.maybe_sent),
            "handle": row.handle or {},
            "lease_until": row.lease_until or 0,
        }
    )


def find(connection: Connection, project: str, key: str) -> Any:
    """The job of a key: its `id` and `fingerprint`."""
    return connection.execute(
        select(job.c.id, job.c.fingerprint).where(job.c.project == project, job.c.key == key)
    ).one_or_none()


def latest(connection: Connection, job_id: str) -> Attempt | None:
    """The newest attempt of a job."""
    row = connection.execute(_LATEST, {"of": job_id}).one_or_none()
    return None if row is None else read_attempt(row)


def unfinished(connection: Connection, *, projects: Iterable[str] | None = None) -> list[str]:
    """Jobs whose newest attempt is in no final state, oldest first."""
    wanted: ColumnElement[bool] = attempt.c.state.not_in(FINAL_STATES)
    if projects is not None:
        wanted = and_(wanted, job.c.project.in_(list(projects)))
    query = select(job.c.id).join_from(attempt, job, attempt.c.job == job.c.id).where(wanted).order_by(job.c.created_at)
    return list(connection.execute(query).scalars())


def outputs(connection: Connection, job_id: str) -> list[Any]:
    """The artifacts of a job, in order."""
    return list(
        connection.execute(
            select(artifact)
            .join_from(output, artifact, output.c.sha256 == artifact.c.sha256)
            .where(output.c.job == job_id)
            .order_by(output.c.n)
        )
    )


def settlement(connection: Connection, attempt_id: str) -> Any:
    """How the money of an attempt was resolved; `None` while it is reserved."""
    return connection.execute(
        select(transfer).where(transfer.c.attempt == attempt_id, transfer.c.kind.in_(["post", "void"]))
    ).one_or_none()


def service(connection: Connection, offer: str) -> ServiceTime:
    """What is known of how long an offer takes."""
    row = connection.execute(select(service_time).where(service_time.c.offer == offer)).one_or_none()
    return ServiceTime() if row is None else ServiceTime(row.weight, row.mean_log_s, row.square_log_s)
