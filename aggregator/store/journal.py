"""Rows of jobs and attempts: written, moved and read. Every function runs inside the caller's transaction.

A move names the version it starts from, so that of two processes only one makes it; a move that the state machine
does not have is refused. What each move does to money is in `aggregator.runner`, in the same transaction.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import cache
from typing import Any

from pydantic import JsonValue
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    Update,
    and_,
    bindparam,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from aggregator.errors import StoreError
from aggregator.job import TRANSITIONS, AttemptState
from aggregator.polling import ServiceTime
from aggregator.store.files import StoredFile
from aggregator.store.records import Attempt, NewAttempt, NewJob
from aggregator.store.schema import FINAL_STATES, artifact, attempt, job, log, output, service_time, transfer

__all__ = ["Attempt", "MovedElsewhereError", "NewAttempt", "NewJob", "RemoteJobTakenError"]


CANCEL_HEARD = "cancel_heard"
"""The event that a provider has agreed to cancel: there are those that forget the job with it."""
SEAL = "2:"
"""Before the hash of a row of the log: how it was made."""


class MovedElsewhereError(Exception):
    """Another process moved the attempt first; what it wrote is the truth."""


class RemoteJobTakenError(Exception):
    """The provider answered with the id of a job that belongs to another attempt."""


# --------------------------------------------------------------------------------------------------------- statements

COLUMNS = tuple((attempt.c if name in attempt.c else job.c)[name] for name in Attempt.__slots__)
"""What an attempt is read from."""

# Put together once: that takes longer than running them.
_ADD_JOB = insert(job)
_ADD_ATTEMPT = insert(attempt)
_FIND = select(job.c.id, job.c.fingerprint).where(job.c.project == bindparam("of"), job.c.key == bindparam("named"))
_READ = select(*COLUMNS).join_from(attempt, job, attempt.c.job == job.c.id)
_LATEST = _READ.where(attempt.c.job == bindparam("of")).order_by(attempt.c.n.desc()).limit(1)
_BY_ID = _READ.where(attempt.c.id == bindparam("of"))
_UNKNOWN = _READ.where(attempt.c.state == AttemptState.UNKNOWN).order_by(job.c.created_at, attempt.c.id)
_UNANSWERED = _READ.where(
    attempt.c.provider == bindparam("provider"),
    attempt.c.account_ref == bindparam("account_ref"),
    attempt.c.state.in_((AttemptState.SUBMITTING, AttemptState.RECONCILING, AttemptState.UNKNOWN)),
    attempt.c.remote_id.is_(None),
    attempt.c.first_sent_at.is_not(None),
    attempt.c.id != bindparam("of"),
)
_LAST_NUMBER = select(attempt.c.n).where(attempt.c.job == bindparam("of")).order_by(attempt.c.n.desc()).limit(1)
_TAKEN = select(attempt.c.id).where(
    attempt.c.provider == bindparam("provider"),
    attempt.c.account_ref == bindparam("account_ref"),
    attempt.c.remote_id == bindparam("remote_id"),
    attempt.c.id != bindparam("of"),
)
_LAST_HASH = select(log.c.hash).order_by(log.c.seq.desc()).limit(1)
_HAS_EVENT = select(log.c.seq).where(log.c.attempt == bindparam("of"), log.c.kind == bindparam("what")).limit(1)
_ADD_EVENT = insert(log).values(
    attempt=bindparam("of"),
    at=bindparam("then"),
    kind=bindparam("what"),
    data=bindparam("text", type_=Text),
    hash=bindparam("hashed"),
)
_ALL_EVENTS = (
    select(log.c.seq, log.c.attempt, log.c.at, log.c.kind, type_coerce(log.c.data, Text), log.c.hash)
    .order_by(log.c.seq)
    .execution_options(yield_per=1000)
)


_RENEW = update(job).where(job.c.id == bindparam("of")).values(deadline_at=bindparam("until"))
_KEEP = (
    update(attempt)
    .where(attempt.c.id == bindparam("of"), attempt.c.lease_owner == bindparam("holder"))
    .values(lease_until=bindparam("until"))
)
_HOLDER = select(attempt.c.lease_owner).where(attempt.c.id == bindparam("of"))
_DROP = update(attempt).where(attempt.c.lease_owner == bindparam("holder")).values(lease_owner=None, lease_until=None)
_KNOWN_FILE = select(artifact.c.sha256).where(artifact.c.sha256 == bindparam("of"))
_ADD_FILE = insert(artifact)
_ADD_OUTPUT = insert(output)
_OUTPUTS = (
    select(artifact)
    .join_from(output, artifact, output.c.sha256 == artifact.c.sha256)
    .where(output.c.job == bindparam("of"))
    .order_by(output.c.n)
)
_SETTLEMENT = select(transfer).where(transfer.c.attempt == bindparam("of"), transfer.c.kind.in_(["post", "void"]))
_PROBED = (
    select(transfer.c.basis)
    .where(transfer.c.attempt == bindparam("of"), transfer.c.kind == "adjust", transfer.c.source == "probed")
    .order_by(transfer.c.at.desc())
)
_SERVICE = select(service_time).where(service_time.c.offer == bindparam("of"))
_LEARN = (
    update(service_time)
    .where(service_time.c.offer == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in ("weight", "mean_log_s", "square_log_s")})
)
_LEARN_FIRST = insert(service_time)


@cache
def _changing(columns: tuple[str, ...]) -> Update:
    return (
        update(attempt)
        .where(attempt.c.id == bindparam("of"), attempt.c.version == bindparam("was"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )


# ------------------------------------------------------------------------------------------------------------ writing


def add_job(connection: Connection, new: NewJob) -> None:
    """Write the job itself; its key must be free (`find` in the same transaction says so)."""
    connection.execute(_ADD_JOB, {name: getattr(new, name) for name in NewJob.__slots__})


def add_attempt(
    connection: Connection,
    job_id: str,
    new: NewAttempt,
    *,
    state: AttemptState,
    lease_owner: str,
    lease_until: int,
    at: int,
    body_of: Callable[[str, JsonValue], JsonValue] = lambda _attempt_id, body: body,
) -> str:
    """Write a purchase; returns its id. The money is reserved by the caller in the same transaction.

    Args:
        body_of: What is sent, from the attempt's id and the plan's body.

    """
    n = 1 + (connection.execute(_LAST_NUMBER, {"of": job_id}).scalar() or 0)
    attempt_id = f"{job_id}.{n}"
    sent_at = at if state is AttemptState.SUBMITTING else None
    connection.execute(
        _ADD_ATTEMPT,
        {
            "id": attempt_id,
            "job": job_id,
            "n": n,
            "provider": new.provider,
            "endpoint": new.endpoint,
            "model": new.model,
            "account_ref": new.account_ref,
            "table_checked": new.table_checked,
            "plan": new.plan,
            "reuse_address": new.reuse_address,
            "reserved": new.reserved,
            "body": None if new.body is None else body_of(attempt_id, new.body),
            "state": state.value,
            "idempotency_key": attempt_id,
            "sends": 1 if state is AttemptState.SUBMITTING else 0,
            "first_sent_at": sent_at,
            "last_sent_at": sent_at,
            "warnings": [],
            "lease_owner": lease_owner,
            "lease_until": lease_until,
        },
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
    if columns.get("remote_id") is not None and is_taken(connection, of, columns["remote_id"]):
        raise RemoteJobTakenError(f"{of.provider} gave attempt {of.id} the id of another job, {columns['remote_id']}")
    if to.is_final:
        columns = {"finished_at": at, "lease_owner": None, "lease_until": None, **columns}
    if not _change(connection, of, {"state": to.value, "version": of.version + 1, **columns}):
        raise MovedElsewhereError(of.id)
    write_event(connection, of.id, to.value, dict(why or {}), at)


def is_taken(connection: Connection, of: Attempt, remote_id: str) -> bool:
    """Whether another attempt has this remote job."""
    names = {"provider": of.provider, "account_ref": of.account_ref, "remote_id": remote_id, "of": of.id}
    return connection.execute(_TAKEN, names).first() is not None


def know(connection: Connection, of: Attempt, known: Mapping[str, str], *, lease_until: int) -> None:
    """Keep what is known of the remote job right before it is paid. The version stays: the send goes on.

    Raises:
        MovedElsewhereError: Another process moved the attempt: it is not to be paid here.

    """
    if not _change(connection, of, {"known": dict(known), "lease_until": lease_until}):
        raise MovedElsewhereError(of.id)


def _change(connection: Connection, of: Attempt, columns: Mapping[str, Any]) -> bool:
    """Write columns of an attempt, unless somebody wrote to it since it was read."""
    new = {f"new_{name}": value for name, value in columns.items()}
    return connection.execute(_changing(tuple(columns)), {**new, "of": of.id, "was": of.version}).rowcount == 1


def renew(connection: Connection, job_id: str, deadline_at: int) -> None:
    """Give a job that is bought once more its time again."""
    connection.execute(_RENEW, {"of": job_id, "until": deadline_at})


def write_event(
    connection: Connection, attempt_id: str | None, kind: str, data: Mapping[str, JsonValue], at: int
) -> None:
    """Append to the log; each row's hash covers the one before."""
    last = connection.execute(_LAST_HASH).scalar() or ""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    hashed = _hash(last, attempt_id, at, kind, text)
    connection.execute(_ADD_EVENT, {"of": attempt_id, "then": at, "what": kind, "text": text, "hashed": hashed})


def has_event(connection: Connection, attempt_id: str, kind: str) -> bool:
    """Whether something of this kind is in the log of an attempt."""
    return connection.execute(_HAS_EVENT, {"of": attempt_id, "what": kind}).first() is not None


def _hash(last: str, attempt_id: str | None, at: int, kind: str, text: str) -> str:
    """What a row is sealed with: `data` goes in as it is written, so that nobody has to read it to look."""
    sealed = f"{json.dumps([last, attempt_id, at, kind])}{text}"
    return SEAL + hashlib.sha256(sealed.encode()).hexdigest()


def _hash_1(last: str, attempt_id: str | None, at: int, kind: str, text: str) -> str:
    """The seal of schema 1."""
    sealed = json.dumps([last, attempt_id, at, kind, json.loads(text)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(sealed.encode()).hexdigest()


def verify_log(connection: Connection) -> None:
    """Follow the chain of hashes from the first row; holds few of the rows at a time.

    Raises:
        StoreError: A row was changed after it was written.

    """
    last = ""
    with closing(connection.execute(_ALL_EVENTS)) as rows:
        for seq, attempt_id, at, kind, text, sealed in rows:
            seal = _hash if sealed.startswith(SEAL) else _hash_1
            if seal(last, attempt_id, at, kind, text) != sealed:
                raise StoreError(f"row {seq} of the event log was changed after it was written")
            last = sealed


def add_artifact(connection: Connection, file: StoredFile) -> None:
    """Know a file of the store; knowing it twice is fine."""
    values = {
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "mime_type": file.mime_type,
        "path": file.path,
        "facts": file.facts.as_json() if file.facts else None,
    }
    if connection.execute(_KNOWN_FILE, {"of": file.sha256}).first() is None:
        connection.execute(_ADD_FILE, values)


def add_output(connection: Connection, of: Attempt, n: int, sha256: str) -> None:
    connection.execute(_ADD_OUTPUT, {"job": of.job, "n": n, "attempt": of.id, "sha256": sha256})


def learn(connection: Connection, offer: str, seconds: float, *, unfinished_s: float | None = None) -> None:
    """Fold one service time into what polling knows of an offer."""
    known = service(connection, offer).observe(seconds, unfinished_s=unfinished_s)
    values = {"weight": known.count, "mean_log_s": known.mean_log_s, "square_log_s": known.square_log_s}
    new = {f"new_{name}": value for name, value in values.items()}
    if connection.execute(_LEARN, {"of": offer, **new}).rowcount == 0:
        connection.execute(_LEARN_FIRST, {"offer": offer, **values})


# ------------------------------------------------------------------------------------------------------------- leases


def claim(connection: Connection, of: Attempt, *, lease_owner: str | None, lease_until: int | None) -> bool:
    """Take, renew or give back the lease, if nobody moved the attempt since it was read."""
    columns = {"lease_owner": lease_owner, "lease_until": lease_until, "version": of.version + 1}
    return _change(connection, of, columns)


def keep(connection: Connection, attempt_id: str, *, lease_owner: str, lease_until: int) -> bool:
    """Renew a lease while the work goes on; its version stays. `False`: somebody else follows the attempt now."""
    connection.execute(_KEEP, {"of": attempt_id, "holder": lease_owner, "until": lease_until})
    holder = connection.execute(_HOLDER, {"of": attempt_id}).scalar()
    return holder in (None, lease_owner)


def drop_leases(connection: Connection, owner: str) -> None:
    """Let anyone go on with what this process followed."""
    connection.execute(_DROP, {"holder": owner})


# ------------------------------------------------------------------------------------------------------------- reading


def read_attempt(row: Any) -> Attempt:
    """The attempt of a row that begins with `COLUMNS`."""
    values = dict(zip(Attempt.__slots__, row, strict=False))
    values["state"] = AttemptState(row.state)
    values["maybe_sent"] = bool(row.maybe_sent)
    values["known"] = row.known or {}
    values["handle"] = row.handle or {}
    values["lease_until"] = row.lease_until or 0
    return Attempt(**values)


def find(connection: Connection, project: str, key: str) -> Any:
    """The job of a key: its `id` and `fingerprint`."""
    return connection.execute(_FIND, {"of": project, "named": key}).one_or_none()


def latest(connection: Connection, job_id: str) -> Attempt | None:
    """The newest attempt of a job."""
    row = connection.execute(_LATEST, {"of": job_id}).one_or_none()
    return None if row is None else read_attempt(row)


def unanswered(connection: Connection, of: Attempt) -> list[Attempt]:
    """The other attempts at the same provider with the same account that were sent and have no job of their own yet."""
    names = {"provider": of.provider, "account_ref": of.account_ref, "of": of.id}
    return [read_attempt(row) for row in connection.execute(_UNANSWERED, names)]


def by_id(connection: Connection, attempt_id: str) -> Attempt | None:
    """One attempt by its id."""
    row = connection.execute(_BY_ID, {"of": attempt_id}).one_or_none()
    return None if row is None else read_attempt(row)


def unknown(connection: Connection, *, project: str | None = None) -> list[Attempt]:
    """The attempts of which nobody knows what became of them, the longest ordered first."""
    query = _UNKNOWN
    if project is not None:
        query = query.where(or_(job.c.project == project, job.c.project.startswith(f"{project}/", autoescape=True)))
    return [read_attempt(row) for row in connection.execute(query)]


def unfinished(connection: Connection, *, projects: Iterable[str] | None = None) -> list[str]:
    """Jobs whose newest attempt is in no final state, oldest first."""
    wanted: ColumnElement[bool] = attempt.c.state.not_in(FINAL_STATES)
    if projects is not None:
        wanted = and_(wanted, job.c.project.in_(list(projects)))
    query = select(job.c.id).join_from(attempt, job, attempt.c.job == job.c.id).where(wanted).order_by(job.c.created_at)
    return list(connection.execute(query).scalars())


def outputs(connection: Connection, job_id: str) -> list[Any]:
    """The artifacts of a job, in order."""
    return list(connection.execute(_OUTPUTS, {"of": job_id}))


def settlement(connection: Connection, attempt_id: str) -> Any:
    """How the money of an attempt was resolved; `None` while it is reserved."""
    return connection.execute(_SETTLEMENT, {"of": attempt_id}).one_or_none()


def cost_basis(connection: Connection, attempt_id: str) -> Any:
    """What an attempt cost and by what: as it was booked, or as its files set that right."""
    probed = connection.execute(_PROBED, {"of": attempt_id}).first()
    return (settlement(connection, attempt_id) if probed is None else probed).basis


def service(connection: Connection, offer: str) -> ServiceTime:
    """What is known of how long an offer takes."""
    row = connection.execute(_SERVICE, {"of": offer}).one_or_none()
    return ServiceTime() if row is None else ServiceTime(row.weight, row.mean_log_s, row.square_log_s)
