"""What a provider file may say: the vocabulary of the tables, and nothing that runs them.

A provider is one `Provider` record. It performs no I/O, holds no state and catches nothing. Where a table is not
enough a field holds a pure function; where one exchange is not enough (an upload first) it holds a generator that
yields `HttpRequest` and receives `HttpResponse`, as `httpx.Auth.auth_flow` does. The engine drives all of it.

Paths into JSON are dotted: `a.b`, `list.0`, `list[].url` (every element), `a.*.b` (every value of an object). Where
several places are possible they are separated by spaces. Of an answer, `@status` is the HTTP status and
`@headers.<name>` a header. Of a request, `@query.<name>`, `@headers.<name>` and `@path.<name>` go into the query, the
headers and the URL's template.
Templates are `{name}`; names come from the offer (`model`, `endpoint`, `version`, `task`), from the body's `@path`
and from what earlier answers captured; `{nonce}` is new in each request.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, Protocol, TypedDict

from pydantic import JsonValue

from aggregator.errors import ConfigurationError, ProviderError

__all__ = [
    "BUILD",
    "UNKNOWN",
    "AskFlow",
    "Auth",
    "Blocked",
    "Body",
    "Call",
    "Charge",
    "Codes",
    "Dialect",
    "Endpoint",
    "ErrorKind",
    "Files",
    "Flow",
    "Follow",
    "HttpRequest",
    "HttpResponse",
    "Input",
    "Json",
    "Lookup",
    "Meter",
    "Order",
    "Paid",
    "Part",
    "Provider",
    "Quantity",
    "Refusal",
    "Socket",
    "State",
    "Status",
    "SubmitFlow",
    "To",
    "TokenFlow",
    "UploadSource",
    "Webhook",
    "WebhookRequest",
    "kinds",
    "words",
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
    """How many of its bytes."""
    offset: int = 0
    """Where they begin."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a text, or a file with its name and type."""

    name: str
    value: str | bytes | Body
    filename: str | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to send. `trusted` requests carry the provider's credential."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: JsonValue = None
    content: Body | bytes | None = None
    parts: tuple[Part, ...] = ()
    """A multipart form, in this order."""
    trusted: bool = True
    """Add the credential. The driver refuses this for an origin the provider does not own."""
    own_host: str = ""
    """The host of the address that the user configured: the only one that may be private. The driver sets it."""

    def __repr__(self) -> str:
        """Without the query, headers and body: a traceback with local variables shows no key and no signed address."""
        return f"<HttpRequest {self.method} {self.url.partition('?')[0]}>"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer, read whole (up to the driver's limit)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    def __repr__(self) -> str:
        """Without what it says: that may be a token."""
        return f"<HttpResponse {self.status}, {len(self.body)} bytes>"


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


@dataclass(frozen=True, slots=True)
class Paid:
    """The one request of a `SubmitFlow` that spends money, with what is known of the job before it is sent."""

    request: HttpRequest
    handle: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What a `SubmitFlow` is given: the built body, the names for templates, and the local inputs by their text in
    the body.
    """

    body: Json
    names: Mapping[str, str]
    inputs: Mapping[str, UploadSource]


SubmitFlow = Callable[[Order], Generator[HttpRequest | Paid, HttpResponse, Mapping[str, str]]]
"""A purchase of several exchanges: yields free requests and exactly one `Paid`, returns the job's handle. What comes
before the `Paid` may be repeated; what comes after it is repeated until it works, and buys nothing."""

AskFlow = Callable[[Mapping[str, str]], Generator[HttpRequest, HttpResponse, HttpResponse]]
"""A free question of several exchanges, from the names that are known: yields requests, receives their answers (404 and
405 as well: what one generation of an API does not have, another may), returns what they say together."""

TokenFlow = Generator[HttpRequest, HttpResponse, tuple[str, float]]
"""Exchanges a key for a token; returns it with its end, in seconds since the epoch."""


# ------------------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class Auth:
    """Where the key comes from and how it is written: `Authorization: Bearer <key>` unless said otherwise."""

    env: tuple[str, ...]
    """Variables tried in this order; empty for a provider that needs no key."""
    header: str = "Authorization"
    template: str = "Bearer {key}"
    sign: Callable[[str, float], str] | None = None
    """What stands for `{key}` now: from the key and the seconds since the epoch (a token signed here)."""
    token: Callable[[str, float], TokenFlow] | None = None
    """How the key is exchanged for what stands for `{key}`; kept until shortly before its end."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `capture` copies values of the answer into the job's handle, where later templates find them."""

    method: str
    url: str
    """A path below `base_url`, or a template that yields an absolute URL of a trusted origin."""
    capture: "Mapping[str, str | To]" = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    """What a call sends beside the job's own body; its texts are templates."""
    read_s: float = 120.0
    """Seconds without a byte after which a paid answer is given up: then nobody knows what it bought."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A websocket that tells how a job goes on. It needs the library `websockets` (extra `comfyui`); without it, and
    whenever the line breaks, jobs are polled.
    """

    url: str
    """A path below `base_url`; a template."""
    read: Callable[[JsonValue, Mapping[str, str]], float | bool | None]
    """What a message says of the job of these names: how much of it is done, from 0 to 1; `True`: look at once;
    `None`: nothing."""
    preview: Callable[[bytes], bytes | None] | None = None
    """The picture in a message that is no text: what the job looks like so far."""


@dataclass(frozen=True, slots=True)
class Follow:
    """One more answer that is needed after a job has succeeded, such as the address of its file."""

    call: Call
    needs: "Mapping[str, str | To]" = field(default_factory=dict)
    """What this call's template takes from the answer before it, each with its path; a `cast` may take a part of it."""
    status: "Status | None" = None
    """Where this answer has a state of its own that must be waited for."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where the status word is and what each word means. The table is total: an unknown word is an error."""

    path: str
    words: Mapping[str, State]
    """By the word, by a number's digits, or by `true` and `false`."""
    missing: State | None = None
    """What it means that there is no word; `None`: an answer of another form."""
    error: str | None = None
    """Path of the error text. A value there turns `succeeded` into `failed`."""
    progress: str | None = None
    """Path of a number from 0 to `progress_of`."""
    progress_of: float = 1.0
    position: str | None = None
    """Path of the place in the queue."""


def words(
    *, queued: str = "", running: str = "", succeeded: str = "", failed: str = "", canceled: str = ""
) -> dict[str, State]:
    """A table of status words, each state's separated by spaces."""
    said = zip(State, (queued, running, succeeded, failed, canceled), strict=True)
    return {word: state for state, listed in said for word in listed.split()}


def kinds(
    *,
    authentication: str = "",
    quota: str = "",
    rate_limit: str = "",
    invalid_request: str = "",
    content_policy: str = "",
    unavailable: str = "",
    job_failed: str = "",
    canceled: str = "",
) -> dict[str, ErrorKind]:
    """A table of error codes, each kind's separated by spaces."""
    said: tuple[tuple[ErrorKind, str], ...] = (
        ("authentication", authentication),
        ("quota", quota),
        ("rate_limit", rate_limit),
        ("invalid_request", invalid_request),
        ("content_policy", content_policy),
        ("unavailable", unavailable),
        ("job_failed", job_failed),
        ("canceled", canceled),
    )
    return {code: kind for kind, listed in said for code in listed.split()}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that rides on HTTP 200: the value at `path` is not one of `ok`."""

    path: str
    ok: tuple[JsonValue, ...]
    cancels: bool = False
    """Whether a part of what was refused is being made all the same: then it is canceled."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Where the provider's error code is, and what each code means. A code matches itself, else its dotted prefix, else
    a pattern with `*` (for codes and texts that only contain the word).
    """

    paths: tuple[str, ...]
    kinds: Mapping[str, ErrorKind]


BUILD = "@build"
"""The target of a field that the endpoint's `build` writes."""


@dataclass(frozen=True, slots=True)
class To:
    """Where a field goes in the body, and how its value is written.

    `path` may name several places for a value of several parts: `size` goes to `"image_size.width image_size.height"`,
    one of `loras` to `"lora_name lora_strength"`.
    """

    path: str
    cast: Callable[[JsonValue], JsonValue] | None = None
    form: str = ""
    """A format for one value, such as `"{:g}s"` (8.0 becomes `"8s"`)."""
    values: Mapping[str, JsonValue] | None = None
    """A total table from our value to theirs; a value that is not in it is refused."""
    listed: bool = False
    """Wrap the single value in a list."""
    times: float | str = 0.0
    """Written as a whole number of so many for each one: seconds as frames. A rate, or the field that holds it."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A refusal of single outputs inside an answer that says success: a value at `path` that is one of `values`.

    As many values as files: each speaks of its own file. All outputs refused is a content policy error.
    """

    path: str
    values: tuple[JsonValue, ...] = ()
    """Empty: any value that is not empty, zero or false."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the output files are in the answer, and what they are expected to be."""

    path: str = ""
    mime_type: str = "application/octet-stream"
    form: Literal["url", "base64", "hex", "body"] = "url"
    """What is found at `path`: an address (or data URI), the file's bytes as text, or (`body`) the answer itself."""
    mime_path: str = ""
    """Where the answer says the type, if it does."""
    url: str = ""
    """A template for the address, where the answer names none (`/videos/{id}/content`, below `base_url`). With a `path`
    it is filled for each object there, with what that says (`/view?filename={filename}`)."""
    blocked: Blocked | None = None
    only: Mapping[str, JsonValue] = field(default_factory=dict)
    """What an object at `path` must say to be one of the files."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Where an answer says what was charged: a number at `path`, of `usd` dollars each (`"0.01"`, `"1/211"`)."""

    path: str
    usd: str
    at: Literal["result", "poll", "submit"] = "result"
    """Which answer; a failed job's is that of the poll. Only what is there is booked."""


@dataclass(frozen=True, slots=True)
class Input:
    """How a picture, clip or sound may be handed over, the best way first; the first that fits is used.

    `url`: as the public address it was given as. `upload`: through the provider's `upload`. `data`: as a data URI in
    the body (a `cast` may take it apart). `part`: as a file of the multipart form. `ref:<name>`: as what the provider
    itself called it when it made it (`Endpoint.refs`).
    """

    accepts: tuple[str, ...] = ("url", "upload", "data")
    max_bytes: int | None = 4 * 2**20
    """The largest input sent inside the request; `None`: no documented limit."""
    mime_types: tuple[str, ...] = ()
    """Empty: any of its kind."""


Quantity = Callable[[Mapping[str, Any]], tuple[str, str] | None]
"""From the known values (the request's, the offer's defaults, inputs as `Media` with what was probed) to the lowest
and the highest billed quantity, as decimal strings; `None` where the values do not tell."""


UNKNOWN = "unknown"
"""The quantity of what is only counted when it is made."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One billed unit, and how much of it a request uses.

    `quantity` is `request.<field>`, a number as a string, a pure function, or `unknown` before it is made. `reported`
    is the path in the last answer where the provider says what it counted: what is settled, where it is present.
    """

    unit: str
    quantity: str | Quantity
    reported: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One task of a provider: what is sent and what comes back."""

    fields: Mapping[str, str | To] = field(default_factory=dict)
    """Ours to theirs. A field that is not here is refused before any call, never dropped."""
    fixed: Mapping[str, JsonValue] = field(default_factory=dict)
    """Always sent, unless a field or an option writes there. Texts are templates."""
    build: Callable[[Mapping[str, Any]], Json] | None = None
    """Writes the fields whose target is `BUILD` (`To(BUILD, values=…)`: by its table first), all at once: gets their
    values as JSON (inputs as text, references as `{"image": text, "role": word}`), returns what is laid under the
    mapped fields. `@media` holds what is known of inputs, by field: `mime_type`, `size_bytes`, `width`, `height`,
    `duration_s`, `fps`. Pure, total on what is missing; called for plans as well.
    """
    files: Files | None = None
    meters: tuple[Meter, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Facts of the answer worth keeping: `seed`, `stand_in`, each with its path."""
    refs: Mapping[str, str] = field(default_factory=dict)
    """What the provider calls the output, for later requests: each a path in the result, or `{name}` of the handle."""
    submit: Call | None = None
    """Where this task is ordered; `None`: where everything of the provider is."""
    encoding: Literal["json", "multipart"] = "json"
    inputs: Mapping[str, Input] = field(default_factory=dict)
    """By the name of a field or a kind (`image`, `video`, `audio`); what is not here is as the provider says."""
    dialect: str = ""
    template: Json = field(default_factory=dict)
    """What the body is before anything is written into it; fields, fixed values and options may write everywhere."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A delivery as it arrived. Header names are in lower case; `path` is the URL's path, `query` its raw query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Webhook:
    """How a provider calls back, and how a delivery is known to be its own. `aggregator.signing` makes the usual ones.

    A header is named in lower case; `header:name` is one of several `name=value` in it, separated by commas.
    """

    ask: str
    """Where in the body (or `@query.<name>`) the callback address goes; empty: it is registered with the account."""
    id: str
    """Path of the job's id in the delivery (or `@headers.<name>`), as `Provider.submit` captured it."""
    status: Status | None = None
    """How the delivery says the state; `None`: as a poll answer does."""
    algorithm: Literal["none", "hmac-sha256", "ed25519"] = "none"
    signature: str = ""
    """The header that holds the signature."""
    read: Callable[[str], tuple[str, ...]] | None = None
    """The signatures in that header, where it holds more than one bare signature; one that is right is enough."""
    encoding: Literal["hex", "base64"] = "hex"
    message: Callable[[WebhookRequest], bytes] | None = None
    """What is signed; `None`: the body."""
    handle: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None
    """What else the job's handle holds (`Call.capture`), from the names that are known: the order's own (`endpoint`, …)
    and the `id` of the delivery. So a job is found whose answer never came; no other word of a body gets into a URL.
    """
    covers_body: bool = True
    """Whether the body is signed. If it is not, it is a hint, as it is where nothing is signed: polls decide."""
    key: str = "secret"
    """`secret`: one the user gives; `order`: one that is made for each order and sent along (`ask_key`); `api_key`: the
    credential itself; else the address of a JWKS (a template).
    """
    ask_key: str = ""
    """Where in the body the secret of an order goes, where `key` is `order`."""
    message_id: str = ""
    """The header that is the same when a delivery comes again; empty: its body is."""
    secret: Callable[[str], bytes] | None = None
    """The key's bytes from the text the user gives; `None`: its UTF-8."""
    timestamp: str = ""
    """The header with the sender's time, in seconds since the epoch or as a date of HTTP; empty: it sends none."""
    tolerance_s: float = 300.0
    reply: bytes = b""
    """What the answer's body must be."""
    challenge: str = ""
    """A name in the body of a delivery that is a question: the answer is the same name with the same value."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a job is found whose answer never came: a call that costs nothing, and how its answer names the job.

    With a `reference` the one job (of `jobs`) that carries ours is it. Without one it is the only job that was made
    within the time of the send, carries what was ordered (`equal`) and belongs to no other attempt; several that could
    be it are none, and neither is one that another order of that day without an answer could have.
    """

    call: Call | AskFlow
    """Its template may use the order's names, `{attempt}`, and `{since_s}`: whole seconds since the epoch, a day before
    the first send, so that clocks may differ.
    """
    jobs: str = ""
    """Path of the list in the answer; empty: the answer is the one job (404: there is none)."""
    capture: Mapping[str, "str | To"] = field(default_factory=lambda: {"id": "id"})
    """What the handle is made from, by its path in one job, as `Call.capture` of the submit."""
    handle: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None
    """What else the handle holds, as `Webhook.handle`: from the names that are known, `id` among them."""
    reference: str = ""
    """Path in one job of the attempt's id, which `Provider.reference` sent along."""
    created: str = ""
    """Path in one job of when it was made: seconds or milliseconds since the epoch, or a date of ISO 8601."""
    equal: Mapping[str, str] = field(default_factory=dict)
    """Paths in the body that was sent (`""`: all of it; `@names.<name>`: a name of templates), each with the path in
    one job where the same value must stand; what is in neither is the same.
    """
    complete_after_s: float | None = None
    """From how long after the last send on an answer without the job proves that it was not taken; `None`: never."""
    kept_s: float | None = None
    """For how long after it was made a job is certainly listed: later no answer proves anything; `None`: none does."""


class Dialect(TypedDict, total=False):
    """What one generation of an API says otherwise: fields of `Provider`, which take the place of its own."""

    base_url: str
    auth: Auth
    headers: Mapping[str, str]
    submit: "Call | SubmitFlow"
    poll: Call | AskFlow | None
    stream: Call | Socket | None
    follow: tuple[Follow, ...]
    cancel: Call | AskFlow | None
    status: Status | None
    codes: Codes
    refusal: Refusal | None
    input_path: str
    upload: Callable[[UploadSource], Flow] | None
    inputs: Mapping[str, Input]
    charge: Charge | None
    served_model: str
    bills_failures: Callable[[ProviderError], bool | None] | bool | None
    believes_body: bool
    webhook: Webhook | None
    result_ttl_s: float | None
    reference: str
    lookup: Lookup | None
    idempotency: Literal["none", "replay", "reject"]
    idempotency_header: str | None
    idempotency_ttl_s: float | None


@dataclass(frozen=True, slots=True)
class Provider:
    """A hosted or self-hosted backend, as data."""

    name: str
    docs: str
    checked: str
    """The day the table was last compared with `docs`."""
    base_url: str
    """Empty: there is no address until the configuration gives one."""
    auth: Auth
    submit: Call | SubmitFlow
    tasks: Mapping[str, Endpoint]
    """By task; `task@dialect` where one task is served in several dialects."""
    status: Status | None = None
    """`None`, where there is no poll: an answer with a file is a success."""
    codes: Codes = field(default_factory=lambda: Codes((), {}))
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every call of the provider's own; templates."""
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    poll: Call | AskFlow | None = None
    """`None`: the answer to the submit is the result."""
    stream: Call | Socket | None = None
    """Server-sent events whose data are poll answers, or a websocket."""
    follow: tuple[Follow, ...] = ()
    """What must be asked for, in this order, after the job has succeeded; the last answer is the result."""
    cancel: Call | AskFlow | None = None
    probe: Call | None = None
    """A call that costs nothing and shows that the key works."""
    refused: list[JsonValue] | Json | None = None
    """A body that every endpoint refuses before it makes or charges anything: it tells one that is there (400, 422)
    from one that is gone (404, 410). `None`: not documented, so none is sent.
    """
    free: Mapping[str, Call] = field(default_factory=dict)
    """Further calls that cost nothing, by name: `models`, `prices`, `balance`, `estimate`."""
    upload: Callable[[UploadSource], Flow] | None = None
    """How a local input becomes a URL, or whatever else the provider calls it by."""
    upload_ttl_s: float | None = None
    """How long any number of jobs may name what was uploaded, in seconds. `None`: not documented, so each uploads its
    own.
    """
    inputs: Mapping[str, Input] = field(default_factory=lambda: {"": Input()})
    """By kind (`image`, `video`, `audio`), or `""` for all."""
    error_message: tuple[str | Callable[[JsonValue], str], ...] = ("error.message", "message", "detail", "error")
    """Where an answer says what is wrong: paths, or functions that put it into words (nothing: an empty text)."""
    request_id_header: str | None = None
    refusal: Refusal | None = None
    believes_body: bool = False
    """Whether a status word counts that comes with an HTTP error."""
    charge: Charge | None = None
    """Where answers say what was charged: what is booked, where it is present."""
    served_model: str = ""
    """Where a result names the model that made it: some hosts serve another one under the old name."""
    webhook: Webhook | None = None
    input_path: str = ""
    """Where in the body the mapped fields live; empty: at the top."""
    idempotency: Literal["none", "replay", "reject"] = "none"
    """What a second request under one key gets: `replay`, the first one's answer; `reject`, a refusal that proves the
    first one was taken (an answer of 409 or 422); `none`, another job.
    """
    idempotency_header: str | None = None
    idempotency_ttl_s: float | None = None
    """How long a key is known, from its first request; later it counts as none. `None`: not documented as ending."""
    reference: str = ""
    """Where in the body (or `@headers.<name>`) the attempt's id goes along, for `lookup` to find it by."""
    mark: Callable[[Json, str], Json] | None = None
    """What of a body is another in each attempt, where `reference` does not do: the body again, from the body and the
    attempt's id. What goes along so must be found by the `lookup`."""
    lookup: Lookup | None = None
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

    def spoken(self, dialect: str) -> "Provider":
        """The table with one dialect's words in place of its own; `""` is the table itself."""
        return _spoken(self, dialect) if dialect else self

    def endpoint(self, task: str, dialect: str = "") -> Endpoint | None:
        """The mapping of a task, in a dialect if there is one of its own."""
        return (self.tasks.get(f"{task}@{dialect}") if dialect else None) or self.tasks.get(task)


_made: dict[tuple[int, str], tuple[Provider, Provider]] = {}
"""Tables hold mappings and cannot be hashed: kept by identity, together with what was asked for."""


def _spoken(provider: Provider, dialect: str) -> Provider:
    kept = _made.get((id(provider), dialect))
    if dialect not in provider.dialects:
        known = ", ".join(provider.dialects) or "none"
        raise ConfigurationError(f"{provider.name} has no dialect {dialect!r} (it has {known})")
    if kept is None or kept[0] is not provider:
        kept = _made[id(provider), dialect] = (provider, replace(provider, **provider.dialects[dialect]))
    return kept[1]
