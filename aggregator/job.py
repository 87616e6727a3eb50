"""The paid job: its state machine, and the handle a caller holds. A job is JSON; it never holds a credential."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pydantic import JsonValue

    from aggregator.artifact import Result

__all__ = ["TRANSITIONS", "AttemptState", "Job", "JobRecord", "Progress", "UnknownAttempt"]


class AttemptState(StrEnum):
    """Where one purchase is. What the provider says is a `contract.State`; what became of the money is the ledger's."""

    PLANNED = "planned"
    RESERVED = "reserved"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FETCHING = "fetching"
    STORED = "stored"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELED = "canceled"
    RECONCILING = "reconciling"
    UNKNOWN = "unknown"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Nothing leaves this state. `unknown` is not final: late evidence may still come."""
        return not TRANSITIONS[self]


_S = AttemptState
_SEEN = frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.CANCELED, _S.UNKNOWN})

TRANSITIONS: Mapping[AttemptState, frozenset[AttemptState]] = {
    _S.PLANNED: frozenset({_S.RESERVED, _S.REFUSED}),
    _S.RESERVED: frozenset({_S.SUBMITTING, _S.FAILED, _S.CANCELED}),
    _S.SUBMITTING: frozenset({_S.RESERVED, _S.SUBMITTED, _S.REFUSED, _S.FAILED, _S.RECONCILING, *_SEEN} - {_S.RUNNING}),
    _S.RECONCILING: frozenset({_S.SUBMITTED, _S.REFUSED, _S.FAILED, *_SEEN} - {_S.RUNNING}),
    _S.SUBMITTED: _SEEN,
    _S.RUNNING: _SEEN - {_S.RUNNING},
    _S.UNKNOWN: _SEEN | {_S.SUBMITTED, _S.REFUSED, _S.LOST},
    _S.SUCCEEDED: frozenset({_S.FETCHING, _S.STORED, _S.LOST}),
    _S.FETCHING: frozenset({_S.STORED, _S.LOST}),
    _S.STORED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.LOST: frozenset(),
}
"""Every move there is; the journal refuses any other."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One piece of news of a job, for whoever shows it."""

    job_id: str
    key: str
    task: str
    model: str
    provider: str
    stage: str
    state: AttemptState
    elapsed_s: float
    fraction: float | None = None
    position: int | None = None
    """Place in the provider's queue."""
    reused: bool = False
    """The result was there already: nothing was paid."""
    preview: bytes | None = None
    """What it looks like so far, a small JPEG or PNG, where the provider shows it."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is known of a job, as plain data."""

    id: str
    project: str
    key: str
    task: str
    stage: str
    state: AttemptState
    offer: str
    model: str
    attempt: int
    created_at: datetime
    deadline_at: datetime
    reserved_usd: str
    settled_usd: str | None
    remote_id: str | None = None
    error: str | None = None
    maybe_sent: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    sends: int = 0
    """Paid requests of the newest attempt, those included that certainly bought nothing."""
    first_sent_at: datetime | None = None
    finished_at: datetime | None = None
    found_by: str | None = None
    """What settled a request whose answer never came: `poll`, `replay`, `lookup`, `callback`, `absent`, `operator` or
    `horizon`.
    """

    def as_json(self) -> "dict[str, JsonValue]":
        return {
            "id": self.id,
            "project": self.project,
            "key": self.key,
            "task": self.task,
            "stage": self.stage,
            "state": self.state.value,
            "offer": self.offer,
            "model": self.model,
            "attempt": self.attempt,
            "created_at": self.created_at.astimezone(UTC).isoformat(),
            "deadline_at": self.deadline_at.astimezone(UTC).isoformat(),
            "reserved_usd": self.reserved_usd,
            "settled_usd": self.settled_usd,
            "remote_id": self.remote_id,
            "error": self.error,
            "maybe_sent": self.maybe_sent,
            "tags": dict(self.tags),
            "sends": self.sends,
            "first_sent_at": _iso(self.first_sent_at),
            "finished_at": _iso(self.finished_at),
            "found_by": self.found_by,
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class UnknownAttempt:
    """A purchase of which nobody knows what became of it: its money stays reserved until somebody finds out."""

    id: str
    job_id: str
    project: str
    key: str
    offer: str
    sent_at: datetime | None
    """When its first request left; `None`: written by a version that did not keep it."""
    reserved_usd: str
    remote_id: str | None
    """The provider's name for the job, where it was accepted."""
    error: str
    where: str
    """Where a person finds out."""

    def as_json(self) -> "dict[str, JsonValue]":
        return {
            "id": self.id,
            "job_id": self.job_id,
            "project": self.project,
            "key": self.key,
            "offer": self.offer,
            "sent_at": _iso(self.sent_at),
            "reserved_usd": self.reserved_usd,
            "remote_id": self.remote_id,
            "error": self.error,
            "where": self.where,
        }


class Follower(Protocol):
    """What a handle needs of the runner."""

    async def record(self, job_id: str) -> JobRecord: ...
    async def wait(self, job_id: str, wait_s: float | None) -> "Result": ...
    async def cancel(self, job_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Job:
    """A handle to a submitted job. It may be dropped, and made again in any process with `Aggregator.job(id)`."""

    id: str
    _follower: Follower = field(repr=False, compare=False)

    async def record(self) -> JobRecord:
        """Read what is known of the job now."""
        return await self._follower.record(self.id)

    async def result(self, *, wait_s: float | None = None) -> "Result":
        """Wait for the result. `wait_s` stops the waiting, not the job.

        Raises:
            TimeoutError: `wait_s` passed; the job goes on.
            ProviderError: The job ended badly; `accepted` says what is known.

        """
        return await self._follower.wait(self.id, wait_s)

    async def cancel(self) -> bool:
        """Ask the provider to stop. `False`: it cannot, or it was too late. Whether it is billed is the provider's
        rule.
        """
        return await self._follower.cancel(self.id)
