"""What came back, read by a provider's table: states, results, and every error as one of ours. Pure functions.

What is sent is built by `aggregator._build`; `aggregator.engine` moves the bytes.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal, TypeGuard, cast
from urllib.parse import quote

from pydantic import JsonValue

from aggregator import errors
from aggregator._charges import charged_usd
from aggregator._paths import find, first
from aggregator.contract import ErrorKind, HttpResponse, Provider, State, Status, To
from aggregator.errors import ProviderError, ResponseFormatError

__all__ = [
    "Reading",
    "Submission",
    "error_of",
    "read_status",
    "read_submission",
]

MAX_MESSAGE_CHARACTERS = 500
MAX_CODE_CHARACTERS = 80
MAX_CODE_TEXT_CHARACTERS = 2_000
"""How far into a text a code is looked for."""
HINT = "x-should-retry"
"""The header by which several vendors (OpenAI, Runway, Luma, Together) tell their own clients to try again or not."""
MAY_BE_TAKEN = frozenset({408, 409, 425, 499})
"""Refusals that do not say whether an earlier send, or this one, is being worked on."""

WORKED: frozenset[ErrorKind | None] = frozenset({"content_policy", "job_failed"})
"""Refusals of work that was done, where the answer to the order is the result."""

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
    """The answer as JSON, with `@status` and `@headers`."""
    content: bytes = b""
    """The answer's bytes, where it is no JSON: it is the file itself."""
    charged_usd: Decimal | None = None
    """What this answer says was charged for a job that is over."""
    preview: bytes | None = None
    """What the job looks like so far: a small JPEG or PNG."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one paid request. Retry, fallback and ledger read `outcome` and nothing else."""

    outcome: Literal["never_sent", "rejected", "accepted", "unknown"]
    handle: Mapping[str, str]
    """What later calls need: ids and addresses from the answer."""
    reading: Reading | None = None
    """The job's state, where the answer already says it (it is the result, if there is no poll)."""
    error: ProviderError | None = None


def parse(response: HttpResponse) -> JsonValue:
    """The body as JSON, objects with `@status` and `@headers`; raises `ValueError` where it is none."""
    try:
        body = cast("JsonValue", json.loads(response.body)) if response.body else None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(body, list) and len(body) == 1 and response.status // 100 != 2:  # noqa: PLR2004 - errors of Google's come so
        body = body[0]
    return _with_head(body, response)


def _with_head(body: JsonValue, response: HttpResponse) -> JsonValue:
    if body is not None and not isinstance(body, dict):
        return body
    head: dict[str, JsonValue] = {"@status": str(response.status), "@headers": dict(response.headers)}
    return {**(body or {}), **head}


def parse_or_none(response: HttpResponse) -> JsonValue:
    """The body as JSON as far as it is any."""
    try:
        return parse(response)
    except ValueError:
        return _with_head(None, response)


def is_json(response: HttpResponse) -> bool:
    """Whether an answer is to be read as JSON: it says so, or does not say that it is a file. What holds a zero byte is
    no text: some servers call a file of sound a page.
    """
    kind = response.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    is_text = kind.startswith("text/") and b"\0" not in response.body[:64]
    return kind.endswith("json") or is_text or not response.body


def capture(provider: Provider, wanted: Mapping[str, str | To], body: JsonValue) -> dict[str, str]:
    """What later calls need from this answer. A value that is missing is an answer of another form."""
    names: dict[str, str] = {}
    for name, target in wanted.items():
        to = target if isinstance(target, To) else To(target)
        path = to.path
        value = first(body, path)
        if to.cast is not None and value is not None:
            value = _made(to.cast, value)
        text = str(value)
        names_nothing = isinstance(value, bool | dict | list | None) or not text.strip(".")
        if names_nothing or any("\ud800" <= letter <= "\udfff" for letter in text):  # half a letter cannot be sent
            raise ResponseFormatError(
                f"{provider.name} answered without {path!r}", provider=provider.name, accepted=None
            )
        # Ids go into paths: quoted, unless they are addresses, or the table has made one of them.
        made = to.cast is not None and text.startswith("/")
        names[name] = text if made or text.lower().startswith(("http://", "https://")) else quote(text, safe="")
    return names


def _made(cast_: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    """What a table makes of a value; nothing of one that it did not expect."""
    try:
        return cast_(value)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def code_of(provider: Provider, body: JsonValue) -> tuple[str | None, ErrorKind | None]:
    """The provider's error code, and what it means: by exact match, else by its dotted prefix, else by a pattern."""
    seen: str | None = None
    for path in provider.codes.paths:
        for value in find(body, path):
            code = word_of(value)[:MAX_CODE_TEXT_CHARACTERS]
            seen = seen or code[:MAX_CODE_CHARACTERS]
            kind = _kind_of(provider.codes.kinds, code)
            if kind is not None:
                return code[:MAX_CODE_CHARACTERS], kind
    return seen, None


def _kind_of(kinds: Mapping[str, ErrorKind], code: str) -> ErrorKind | None:
    parts = code.split(".")
    for length in range(len(parts), 0, -1):
        kind = kinds.get(".".join(parts[:length]))
        if kind is not None:
            return kind
    return next((kind for pattern, kind in kinds.items() if "*" in pattern and fnmatchcase(code, pattern)), None)


def word_of(value: JsonValue) -> str:
    """A value as tables of words name it: `true`, `5`, `RUNNING`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def message_of(provider: Provider, body: JsonValue, raw: bytes = b"") -> str:
    """The provider's own words, cut short."""
    for place in provider.error_message:
        for value in find(body, place) if isinstance(place, str) else [place(body)]:
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
        refused = response.status // 100 in (3, 4)
        kind = BY_HTTP_STATUS.get(response.status) or ("invalid_request" if refused else "unavailable")
    request_id = response.headers.get(provider.request_id_header.lower()) if provider.request_id_header else None
    said = message_of(provider, body, response.body)
    text = f"{provider.name}, {doing}: HTTP {response.status}"
    text += f" {code}" if code and code not in (said, str(response.status)) else ""
    text += f": {said}" if said else ""
    error = ERROR_CLASSES[kind](
        f"{text}. {ADVICE[kind]}",
        provider=provider.name,
        status_code=response.status,
        code=code,
        request_id=request_id,
        accepted=accepted,
        retry_after_s=retry_after_s(response.headers),
    )
    if response.headers.get(HINT, "").lower() == "false":
        error.retryable = False  # a hint may forbid; it never allows
    return error


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


def read_submission(
    provider: Provider, wanted: Mapping[str, str | To], names: Mapping[str, str], response: HttpResponse
) -> Submission:
    """What an answer to a paid request says: taken, certainly not taken, or nobody knows.

    Args:
        wanted: What later calls need from the answer, each with its path.

    """
    if response.status // 100 == 2:  # noqa: PLR2004
        return _taken(provider, wanted, names, response)
    if provider.believes_body and provider.poll is None and code_of(provider, parse_or_none(response))[1] in WORKED:
        failed = error_of(provider, response, accepted=True, doing="submitting", of_job=True)
        return Submission("accepted", dict(names), Reading(State.FAILED, error=failed, body=parse_or_none(response)))
    sure = response.status in provider.never_accepted or (
        response.status // 100 == 4 and response.status not in MAY_BE_TAKEN  # noqa: PLR2004
    )
    error = error_of(provider, response, accepted=False if sure else None, doing="submitting")
    return Submission("rejected" if sure else "unknown", {}, error=error)


def _taken(
    provider: Provider, wanted: Mapping[str, str | To], names: Mapping[str, str], response: HttpResponse
) -> Submission:
    if provider.poll is None and not is_json(response):
        made = Reading(State.SUCCEEDED, body=_with_head(None, response), content=response.body)
        return Submission("accepted", dict(names), made)
    try:
        body = parse(response)
    except ValueError:
        said = f"{provider.name} answered the submit with an answer that is not JSON"
        return Submission("unknown", {}, error=ResponseFormatError(said, provider=provider.name, accepted=None))
    if refused(provider, body):
        return _refused(provider, names, response, body)
    reading: Reading | None
    try:
        handle = {**names, **capture(provider, wanted, body), **_charged_at_once(provider, body)}
        reading = _at_once(provider, body) if provider.poll is None else None
    except ResponseFormatError as error:
        error.accepted = None
        return Submission("unknown", {}, error=error)
    return Submission("accepted", handle, reading)


def refused(provider: Provider, body: JsonValue) -> bool:
    """Whether an answer with HTTP 200 says that it is an error."""
    refusal = provider.refusal
    return refusal is not None and first(body, refusal.path) not in refusal.ok


def has_word(provider: Provider, body: JsonValue) -> bool:
    """Whether an answer says the job's state in a word of the table."""
    return _word_state(provider, body) is not None


def _word_state(provider: Provider, body: JsonValue) -> State | None:
    status = provider.status
    word = first(body, status.path) if status is not None else None
    return status.words.get(word_of(word)) if status is not None and word is not None else None


def read_poll(provider: Provider, response: HttpResponse) -> Reading:
    """The answer to a look at a job, an error on HTTP 200 included. A word that ends the job says more than the error
    beside it.

    Raises:
        ProviderError: The look failed, which says nothing of the job.
        ResponseFormatError: No status word, or one that is not in the table.

    """
    content = b"" if is_json(response) else response.body
    body = parse_or_none(response) if content else parse(response)
    over = (_word_state(provider, body) or State.RUNNING).is_terminal
    if not over and response.status // 100 == 2 and refused(provider, body):  # noqa: PLR2004
        ended = code_of(provider, body)[1] in ("content_policy", "job_failed", "canceled")
        error = error_of(provider, response, accepted=True, doing="polling", of_job=ended)
        if not ended:
            raise error
        state = State.CANCELED if isinstance(error, errors.JobCanceledError) else State.FAILED
        return Reading(state, error=error, body=body, charged_usd=charged_usd(provider, body))
    return read_status(provider, body, content=content)


def _refused(provider: Provider, names: Mapping[str, str], response: HttpResponse, body: JsonValue) -> Submission:
    """A refusal on HTTP 200. Where the answer is the result, a refusal of the content is one of work that was done."""
    kind = code_of(provider, body)[1]
    if provider.poll is None and kind in WORKED:
        error = error_of(provider, response, accepted=True, doing="submitting", of_job=True)
        return Submission("accepted", dict(names), Reading(State.FAILED, error=error, body=body))
    sure = kind in ("authentication", "quota", "rate_limit", "invalid_request", "content_policy")
    error = error_of(provider, response, accepted=False if sure else None, doing="submitting")
    return Submission("rejected" if sure else "unknown", {}, error=error)


def _at_once(provider: Provider, body: JsonValue) -> Reading:
    """What the answer to a submit says of the job, where it is the result."""
    if provider.status is None:
        return Reading(State.SUCCEEDED, body=body)
    reading = read_status(provider, body)
    if not reading.state.is_terminal:
        raise ResponseFormatError(f"{provider.name} answered before it was done", provider=provider.name)
    return reading


def _charged_at_once(provider: Provider, body: JsonValue) -> dict[str, str]:
    charge = provider.charge
    value = first(body, charge.path) if charge is not None and charge.at == "submit" else None
    if value is None:
        return {}
    try:
        charged_usd(provider, body, {"charge": str(value)})
    except ResponseFormatError:
        return {}  # it would be as unreadable at every later look; what was ordered is booked
    return {"charge": str(value)}


def read_status(provider: Provider, body: JsonValue, status: Status | None = None, content: bytes = b"") -> Reading:
    """One poll answer, by the provider's total table, or by another one that is given.

    Raises:
        ResponseFormatError: No status word, or one that is not in the table: never guessed.

    """
    status = status or provider.status
    assert status is not None
    word = first(body, status.path)
    state = status.missing if word is None else status.words.get(word_of(word))
    if state is None:
        raise ResponseFormatError(
            f"{provider.name} answered with the status {repr(word)[:MAX_CODE_CHARACTERS]}, which is not in its table "
            f"({', '.join(status.words)}; checked {provider.checked})",
            provider=provider.name,
            code=None if word is None else str(word)[:MAX_CODE_CHARACTERS],
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
        progress / status.progress_of if _is_number(progress) and 0 <= progress <= status.progress_of else None,
        position if _is_number(position) and isinstance(position, int) else None,
        error,
        body,
        content,
        charged_usd(provider, body) if state.is_terminal else None,
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
