"""What a provider file may say: the vocabulary of the tables, and nothing that runs them.

A provider is one `Provider` record. It performs no I/O, holds no state and catches nothing. Where a table is not
enough a field holds a pure function; where one exchange is not enough (an upload first) it holds a generator that
yields `HttpRequest` and receives `HttpResponse`, as `httpx.Auth.auth_flow` does. The engine drives all of it.

Paths into JSON are dotted: `a.b`, `list.0`, `list[].url` (every element).
Templates are `{name}`; names come from the offer (`model`, `endpoint`) and from what earlier answers captured.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import JsonValue

from aggregator.errors import ProviderError

__all__ = [
    "Auth",
    "Body",
    "Call",
    "Codes",
    "Endpoint",
    "ErrorKind",
    "Files",
    "Flow",
    "HttpRequest",
    "HttpResponse",
    "Json",
    "Meter",
    "Provider",
    "Quantity",
    "Refusal",
    "State",
    "Status",
    "To",
    "UploadSource",
]

Json = dict[str, JsonValue]


class State(StrEnum):
    """What a provider's status word means."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELED)


ErrorKind = Literal[
    "authentication",
    "quota",
    "rate_limit",
    "invalid_request",
    "content_policy",
    "unavailable",
    "job_failed",
    "canceled",
]
"""What a provider's error code means; each kind is one class of `aggregator.errors`."""


# ---------------------------------------------------------------------------------------------- the wire, without I/O


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes that are read from a file while they are sent, so that they are never whole in memory."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to send. `trusted` requests carry the provider's credential."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: JsonValue = None
    content: Body | bytes | None = None
    trusted: bool = True
    """Add the credential. The driver refuses this for an origin the provider does not own."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer, read whole (up to the driver's limit)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


Flow = Generator[HttpRequest, HttpResponse, str]
"""Yields requests, receives responses, returns the URL (or token) that stands for the uploaded input."""


class UploadSource(Protocol):
    """A local input on its way to a provider: `sha256`, `mime_type`, `size_bytes`, and the file's `path`."""

    @property
    def sha256(self) -> str: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def path(self) -> str: ...


# ------------------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class Auth:
    """Where the key comes from and how it is written: `Authorization: Bearer <key>` unless said otherwise."""

    env: tuple[str, ...]
    """Variables tried in this order; empty for a provider that needs no key."""
    header: str = "Authorization"
    template: str = "Bearer {key}"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `capture` copies values of the answer into the job's handle, where later templates find them."""

    method: str
    url: str
    """A path below `base_url`, or a template that yields an absolute URL of a trusted origin."""
    capture: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """Where the status word is and what each word means. The table is total: an unknown word is an error."""

    path: str
    words: Mapping[str, State]
    error: str | None = None
    """Path of the error text. A value there turns `succeeded` into `failed`."""
    progress: str | None = None
    """Path of a number from 0 to 1."""
    position: str | None = None
    """Path of the place in the queue."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that rides on HTTP 200: the value at `path` is not one of `ok`."""

    path: str
    ok: tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """Where the provider's error code is, and what each code means. A code matches itself or its dotted prefix."""

    paths: tuple[str, ...]
    kinds: Mapping[str, ErrorKind]


@dataclass(frozen=True, slots=True)
class To:
    """Where a field goes in the body, and how its value is written.

    `path` may name several places for a value of several parts: `size` goes to `"image_size.width image_size.height"`.
    """

    path: str
    cast: Callable[[JsonValue], JsonValue] | None = None
    form: str = ""
    """A format for one value, such as `"{:g}s"` (8.0 becomes `"8s"`)."""
    values: Mapping[str, JsonValue] | None = None
    """A total table from our value to theirs; a value that is not in it is refused."""
    listed: bool = False
    """Wrap the single value in a list."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the output files are in the answer, and what they are expected to be."""

    path: str
    mime_type: str


Quantity = Callable[[Mapping[str, Any]], tuple[str, str] | None]
"""From the known values (the request's, the offer's defaults, inputs as `Media` with what was probed) to the lowest
and the highest billed quantity, as decimal strings; `None` where the values do not tell."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One billed unit, and how much of it a request uses.

    `quantity` is `request.<field>`, a number as a string, or a pure function. `reported` is the path in the last answer
    where the provider says what it counted: what is settled, where it is present.
    """

    unit: str
    quantity: str | Quantity
    reported: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One task of a provider: what is sent and what comes back."""

    fields: Mapping[str, str | To] = field(default_factory=dict)
    fixed: Mapping[str, JsonValue] = field(default_factory=dict)
    files: Files | None = None
    meters: tuple[Meter, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Facts of the answer worth keeping: `seed`, `stand_in`, each with its path."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A hosted or self-hosted backend, as data."""

    name: str
    docs: str
    checked: str
    """The day the table was last compared with `docs`."""
    base_url: str
    auth: Auth
    submit: Call
    status: Status
    tasks: Mapping[str, Endpoint]
    codes: Codes = field(default_factory=lambda: Codes((), {}))
    poll: Call | None = None
    """`None`: the answer to the submit is the result."""
    stream: Call | None = None
    """Server-sent events whose data are poll answers."""
    result: Call | None = None
    cancel: Call | None = None
    probe: Call | None = None
    """A call that costs nothing and shows that the key works."""
    upload: Callable[[UploadSource], Flow] | None = None
    """How a local input becomes a URL. `None`: it is sent inside the body as a data URI."""
    takes_urls: bool = True
    """Whether an input may be given as any public address."""
    max_inline_bytes: int = 4 * 2**20
    """The largest input sent as a data URI."""
    error_message: tuple[str, ...] = ("error.message", "message", "detail", "error")
    request_id_header: str | None = None
    refusal: Refusal | None = None
    input_path: str = ""
    """Where in the body the mapped fields live; empty: at the top."""
    idempotency: Literal["none", "replay"] = "none"
    idempotency_header: str | None = None
    never_accepted: frozenset[int] = frozenset()
    """Statuses (besides 4xx refusals) that the provider documents as not having taken the job."""
    bills_failures: Callable[[ProviderError], bool | None] | bool | None = None
    """Whether a job that was accepted and then failed is billed; `None`: it may be, so the reservation is kept."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Further addresses of the provider by name, for templates (`{rest}/upload`); they may be given the credential."""
    cdns: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name that hold files and are never given the credential."""
    concurrency: int | None = None
    """Jobs in flight per credential; `None`: no documented limit."""
    requests_per_second: float | None = None
    result_ttl_s: float | None = None
    """How long a result can be downloaded; `None`: not documented."""
