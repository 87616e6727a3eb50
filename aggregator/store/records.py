"""What the journal writes down of jobs and purchases, and what it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from aggregator.job import AttemptState

__all__ = ["Attempt", "NewAttempt", "NewJob"]


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
    earmark: tuple[str, str] | None = None
    """The run and the step that it is bought for, whose earmark goes into its reservation."""


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
    table_checked: str
    plan: Mapping[str, Any]
    reuse_address: str
    reserved: int
    body: Any
    state: AttemptState
    idempotency_key: str
    maybe_sent: bool
    sends: int
    known: Mapping[str, str]
    """What was known of the remote job before its answer came."""
    first_sent_at: int | None
    last_sent_at: int | None
    found_by: str | None
    handle: Mapping[str, str]
    delivery: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    warnings: list[Any]
    lease_owner: str | None
    lease_until: int
    submitted_at: int | None
    took_ms: int | None
    """How long the provider took; `None` where nobody was watching."""
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
