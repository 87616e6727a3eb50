"""What came back, read by a provider's table: states, results, and every error as one of ours. Pure functions.

What is sent is built by `aggregator._build`; `aggregator.engine` moves the bytes.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeGuard, cast
from urllib.parse import quote

from pydantic import JsonValue

from aggregator import errors
from aggregator._paths import find, first
from aggregator.contract import Call, Endpoint, ErrorKind, HttpResponse, Provider, State
from aggregator.errors import ProviderError, ResponseFormatError

__all__ = [
    "Delivery",
    "Reading",
    "RemoteFile",
    "Submission",
    "error_of",
    "read_result",
    "read_status",
    "read_submission",
]

MAX_MESSAGE_CHARACTERS = 500
MAY_BE_TAKEN = frozenset({408, 409, 425, 499})
"""Refusals that do not say whether an earlier send, or this one, is being worked on."""

ERROR_CLASSES: Mapping[ErrorKind, type[ProviderError]] = {
    "authentication": errors.AuthenticationError,
    "quota": errors.QuotaError,
    "rate_limit": errors.RateLimitError,
    "invalid_request": errors.InvalidRequestError,
    "content_policy": errors.ContentPolicyError,
    "unavailable": errors.UnavailableError,
    "job_failed": errors.JobFailedError,
    "canceled": errors.JobCanceledError,
}

BY_HTTP_STATUS: Mapping[int, ErrorKind] = {
    401: "authentication",
    402: "quota",
    403: "authentication",
    408: "unavailable",
    425: "unavailable",
    429: "rate_limit",
    451: "content_policy",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a job showed."""

    state: State
    progress: float | None = None
    position: int | None = None
    error: ProviderError | None = None
    """Set when the state is failed or canceled."""
    body: JsonValue = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one paid request. Retry, fallback and ledger read `outcome` and nothing else."""

    outcome: Literal["never_sent", "rejected", "accepted", "unknown"]
    handle: Mapping[str, str]
    """What later calls need: ids and addresses from the answer."""
    reading: Reading | None = None
    """The job's state, where the answer already says it (it is the result, if there is no poll)."""
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An output that is still at the provider, or came inside the answer as a data URI."""

    url: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A finished job's answer, read: files, facts and what the provider counted."""

    files: tuple[RemoteFile, ...]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    reported: Mapping[str, Decimal] = field(default_factory=dict)
    """Quantities by unit."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "files": [{"url": file.url, "mime_type": file.mime_type} for file in self.files],
            "facts": dict(self.facts),
            "reported": {unit: str(amount) for unit, amount in self.reported.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Delivery":
        return cls(
            tuple(RemoteFile(**file) for file in value["files"]),
            value["facts"],
            {unit: Decimal(amount) for unit, amount in value["reported"].items()},
        )


def parse(response: HttpResponse) -> JsonValue:
    """The body as JSON; raises `ValueError` where it is none."""
    try:
        return cast("JsonValue", json.loads(response.body)) if response.body else None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_or_none(response: HttpResponse) -> JsonValue:
    try:
        return parse(response)
    except ValueError:
        return None


def capture(provider: Provider, call: Call, body: JsonValue) -> dict[str, str]:
    """What later calls need from this answer. A value that is missing is an answer of another form."""
    names: dict[str, str] = {}
    for name, path in call.capture.items():
        value = first(body, path)
        text = str(value)
        names_nothing = isinstance(value, bool | dict | list | None) or not text.strip(".")
        if names_nothing or any("\ud800" <= letter <= "\udfff" for letter in text):  # half a letter cannot be sent
            raise ResponseFormatError(
                f"{provider.name} answered without {path!r}", provider=provider.name, accepted=None
            )
        # Ids go into paths: quoted, unless they are addresses.
        names[name] = text if text.lower().startswith(("http://", "https://")) else quote(text, safe="")
    return names


def code_of(provider: Provider, body: JsonValue) -> tuple[str | None, ErrorKind | None]:
    """The provider's error code, and what it means: by exact match, else by its dotted prefix."""
    seen: str | None = None
    for path in provider.codes.paths:
        for value in find(body, path):
            code = str(value)
            seen = seen or code
            parts = code.split(".")
            for length in range(len(parts), 0, -1):
                kind = provider.codes.kinds.get(".".join(parts[:length]))
                if kind is not None:
                    return code, kind
    return seen, None


def message_of(provider: Provider, body: JsonValue, raw: bytes = b"") -> str:
    """The provider's own words, cut short."""
    for path in provider.error_message:
        for value in find(body, path):
            if isinstance(value, str) and value:
                return value[:MAX_MESSAGE_CHARACTERS]
    return raw[:MAX_MESSAGE_CHARACTERS].decode(errors="replace")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait; the date form is not used by any provider we know, and is ignored."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def error_of(
    provider: Provider, response: HttpResponse, *, accepted: bool | None, doing: str, of_job: bool = False
) -> ProviderError:
    """What an answer means, as one of our errors. The body is read before the HTTP status is believed.

    Args:
        of_job: The answer is the job's own end. Elsewhere a code cannot say that the job failed or was canceled: it
            speaks of this one exchange.

    """
    body = parse_or_none(response)
    code, kind = code_of(provider, body)
    if kind is None or (kind in ("job_failed", "canceled") and not of_job):
        kind = BY_HTTP_STATUS.get(response.status) or ("invalid_request" if response.status < 500 else "unavailable")  # noqa: PLR2004
    request_id = response.headers.get(provider.request_id_header.lower()) if provider.request_id_header else None
    said = message_of(provider, body, response.body)
    text = f"{provider.name}, {doing}: HTTP {response.status}"
    text += f" {code}" if code else ""
    text += f": {said}" if said else ""
    return ERROR_CLASSES[kind](
        f"{text}. {ADVICE[kind]}",
        provider=provider.name,
        status_code=response.status,
        code=code,
        request_id=request_id,
        accepted=accepted,
        retry_after_s=retry_after_s(response.headers),
    )


ADVICE: Mapping[ErrorKind, str] = {
    "authentication": "Check the key and what it may do",
    "quota": "Add credit at the provider, or route elsewhere",
    "rate_limit": "Wait, or lower the provider's limits in the configuration",
    "invalid_request": "Look at the plan's body",
    "content_policy": "Change the request; it is not sent anywhere else by itself",
    "unavailable": "The provider did not answer usefully",
    "job_failed": "The provider could not make it",
    "canceled": "It was canceled",
}


def read_submission(provider: Provider, names: Mapping[str, str], response: HttpResponse) -> Submission:
    """What an answer to a paid request says: taken, certainly not taken, or nobody knows."""
    if response.status // 100 == 2:  # noqa: PLR2004
        return _taken(provider, names, response)
    sure = response.status in provider.never_accepted or (
        response.status // 100 == 4 and response.status not in MAY_BE_TAKEN  # noqa: PLR2004
    )
    error = error_of(provider, response, accepted=False if sure else None, doing="submitting")
    return Submission("rejected" if sure else "unknown", {}, error=error)


def _taken(provider: Provider, names: Mapping[str, str], response: HttpResponse) -> Submission:
    try:
        body = parse(response)
    except ValueError:
        said = f"{provider.name} answered the submit with an answer that is not JSON"
        return Submission("unknown", {}, error=ResponseFormatError(said, provider=provider.name, accepted=None))
    refusal = provider.refusal
    if refusal is not None and first(body, refusal.path) not in refusal.ok:
        return Submission("rejected", {}, error=error_of(provider, response, accepted=False, doing="submitting"))
    try:
        handle = {**names, **capture(provider, provider.submit, body)}
        reading = read_status(provider, body) if provider.poll is None else None
    except ResponseFormatError as error:
        error.accepted = None
        return Submission("unknown", {}, error=error)
    return Submission("accepted", handle, reading)


def read_status(provider: Provider, body: JsonValue) -> Reading:
    """One poll answer, by the provider's total table.

    Raises:
        ResponseFormatError: No status word, or one that is not in the table: never guessed.

    """
    status = provider.status
    word = first(body, status.path)
    state = status.words.get(str(word)) if word is not None else None
    if state is None:
        raise ResponseFormatError(
            f"{provider.name} answered with the status {word!r}, which is not in its table "
            f"({', '.join(status.words)}; checked {provider.checked})",
            provider=provider.name,
            code=None if word is None else str(word),
            accepted=True,
        )
    said = first(body, status.error)
    if said not in (None, "", False, [], {}) and state is State.SUCCEEDED:
        state = State.FAILED
    error = None
    if state in (State.FAILED, State.CANCELED):
        error = _job_error(provider, body, state, said)
        state = State.CANCELED if isinstance(error, errors.JobCanceledError) else state
    progress, position = first(body, status.progress), first(body, status.position)
    return Reading(
        state,
        float(progress) if _is_number(progress) and 0 <= progress <= 1 else None,
        position if _is_number(position) and isinstance(position, int) else None,
        error,
        body,
    )


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _job_error(provider: Provider, body: JsonValue, state: State, said: JsonValue) -> ProviderError:
    code, kind = code_of(provider, body)
    if state is State.CANCELED:
        kind = "canceled"
    elif kind not in ("content_policy", "canceled"):
        kind = "job_failed"
    text = said if isinstance(said, str) else message_of(provider, body)
    return ERROR_CLASSES[kind](
        f"{provider.name} accepted the job, then it {state}: {text[:MAX_MESSAGE_CHARACTERS]}".rstrip(": ")
        + f". {ADVICE[kind]}",
        provider=provider.name,
        code=code,
        accepted=True,
    )


def read_result(provider: Provider, endpoint: Endpoint, body: JsonValue) -> Delivery:
    """A finished job's answer.

    Raises:
        ResponseFormatError: There is no file where the table says, or a reported quantity is not a number.

    """
    assert endpoint.files is not None
    urls = [value for value in find(body, endpoint.files.path) if isinstance(value, str)]
    if not urls:
        raise ResponseFormatError(
            f"{provider.name} says it succeeded but {endpoint.files.path!r} holds no file",
            provider=provider.name,
            accepted=True,
        )
    facts = {name: value for name, path in endpoint.facts.items() if (value := first(body, path)) is not None}
    return Delivery(
        tuple(RemoteFile(url, endpoint.files.mime_type) for url in urls),
        facts,
        dict(_reported(provider, endpoint, body)),
    )


def _reported(provider: Provider, endpoint: Endpoint, body: JsonValue) -> Iterable[tuple[str, Decimal]]:
    for meter in endpoint.meters:
        value = first(body, meter.reported)
        if value is None:
            continue
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            raise ResponseFormatError(
                f"{provider.name} reports {value!r} {meter.unit}, which is not a quantity",
                provider=provider.name,
                accepted=True,
            )
        yield meter.unit, amount
