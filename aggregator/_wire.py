"""What came back, read by a provider's table: states, results, and every error as one of ours. Pure functions.

What is sent is built by `aggregator._build`; `aggregator.engine` moves the bytes.
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any, Literal, TypeGuard, cast
from urllib.parse import quote, unquote

from pydantic import JsonValue

from aggregator import errors
from aggregator._build import call_request
from aggregator._paths import find, first, reach
from aggregator.contract import Call, Endpoint, ErrorKind, Files, HttpResponse, Provider, State, Status, To
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
MAX_CODE_CHARACTERS = 80
MAX_CODE_TEXT_CHARACTERS = 2_000
"""How far into a text a code is looked for."""
MOST = Decimal(10**9)
"""More units than one job can use, and more dollars than it can cost: the books cannot hold them."""
MAX_DIGITS = 40
"""Of a number in an answer, on either side of the point."""
PRECISE = Context(prec=40)
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
    """The answer as JSON, with `@status` and `@headers`."""
    content: bytes = b""
    """The answer's bytes, where it is no JSON: it is the file itself."""
    charged_usd: Decimal | None = None
    """What this answer says was charged for a job that is over."""


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
    """An output that is still at the provider, came inside the answer (a data URI), or was stored with it."""

    url: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A finished job's answer, read: files, facts and what the provider counted."""

    files: tuple[RemoteFile, ...]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    reported: Mapping[str, Decimal] = field(default_factory=dict)
    """Quantities by unit."""
    charged_usd: Decimal | None = None
    """What the answer says was charged."""
    refs: Mapping[str, str] = field(default_factory=dict)
    """What the provider calls the output."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "files": [{"url": file.url, "mime_type": file.mime_type} for file in self.files],
            "facts": dict(self.facts),
            "reported": {unit: str(amount) for unit, amount in self.reported.items()},
            "charged_usd": None if self.charged_usd is None else str(self.charged_usd),
            "refs": dict(self.refs),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Delivery":
        return cls(
            tuple(RemoteFile(**file) for file in value["files"]),
            value["facts"],
            {unit: Decimal(amount) for unit, amount in value["reported"].items()},
            None if value.get("charged_usd") is None else Decimal(value["charged_usd"]),
            value.get("refs", {}),
        )


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
    """Whether an answer is to be read as JSON: it says so, or does not say that it is a file."""
    kind = response.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return kind.endswith("json") or kind.startswith("text/") or not response.body


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
        refused = response.status // 100 in (3, 4)
        kind = BY_HTTP_STATUS.get(response.status) or ("invalid_request" if refused else "unavailable")
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


def read_submission(
    provider: Provider, wanted: Mapping[str, str | To], names: Mapping[str, str], response: HttpResponse
) -> Submission:
    """What an answer to a paid request says: taken, certainly not taken, or nobody knows.

    Args:
        wanted: What later calls need from the answer, each with its path.

    """
    if response.status // 100 == 2:  # noqa: PLR2004
        return _taken(provider, wanted, names, response)
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
        return Reading(state, error=error, body=body, charged_usd=_charged_usd(provider, body))
    return read_status(provider, body, content=content)


def _refused(provider: Provider, names: Mapping[str, str], response: HttpResponse, body: JsonValue) -> Submission:
    """A refusal on HTTP 200. Where the answer is the result, a refusal of the content is one of work that was done."""
    kind = code_of(provider, body)[1]
    if provider.poll is None and kind in ("content_policy", "job_failed"):
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
        _charged_usd(provider, body, {"charge": str(value)})
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
        _charged_usd(provider, body) if state.is_terminal else None,
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


def read_result(
    provider: Provider, endpoint: Endpoint, body: JsonValue, handle: Mapping[str, str], content: bytes = b""
) -> Delivery:
    """A finished job's answer.

    Args:
        content: The answer's bytes, where it is a file.

    Raises:
        ContentPolicyError: It says success, and every output was refused.
        ResponseFormatError: There is no file where the table says, or a reported quantity is not a number and the
            answer can be asked for again; where it cannot, what was ordered is booked, and a note says so.

    """
    assert endpoint.files is not None
    found = _files(provider, endpoint.files, body, handle, content)
    flags = _flags(endpoint.files, body)
    beside = _beside(endpoint.files, body, flags)
    if len(beside) == len(found):
        found = [file for file, flag in zip(found, beside, strict=True) if not flag]
    if not found and any(flags):
        raise errors.ContentPolicyError(
            f"{provider.name} made nothing that it delivers: its own filter refused it "
            f"({message_of(provider, body) or word_of(first(body, _blocked_path(endpoint.files)))}). "
            f"{ADVICE['content_policy']}",
            provider=provider.name,
            code=code_of(provider, body)[0],
            accepted=True,
        )
    if not found:
        raise ResponseFormatError(
            f"{provider.name} says it succeeded but {endpoint.files.path!r} holds no file",
            provider=provider.name,
            accepted=True,
        )
    facts = {name: value for name, path in endpoint.facts.items() if (value := first(body, path)) is not None}
    try:
        reported, charged = dict(_reported(provider, endpoint, body)), _charged_usd(provider, body, handle)
    except ResponseFormatError as error:
        if provider.poll is not None:
            raise
        reported, charged = {}, None
        facts["notes"] = [*_listed(facts.get("notes")), f"{error.message}: booked is what was ordered"]
    alone = len(found) == 1 and not any(flags)  # else nobody knows which file it is of
    refs = dict(_refs(endpoint, body, handle)) if alone else {}
    return Delivery(tuple(found), facts, reported, charged, refs)


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _files(
    provider: Provider, files: Files, body: JsonValue, handle: Mapping[str, str], content: bytes
) -> list[RemoteFile]:
    if files.url:
        return [RemoteFile(call_request(provider, Call("GET", files.url), handle).url, files.mime_type)]
    if files.form == "body":
        said = first(body, "@headers.content-type")
        mime = said.partition(";")[0].strip() if isinstance(said, str) else ""
        return [_inline(content, mime if "/" in mime else files.mime_type, files.mime_type)] if content else []
    texts = [value for value in find(body, files.path) if isinstance(value, str) and value]
    if files.form == "url":
        return [RemoteFile(text, files.mime_type) for text in texts]
    mimes = [mime for mime in find(body, files.mime_path) if isinstance(mime, str)] if files.mime_path else []
    kinds = mimes if len(mimes) == len(texts) else [files.mime_type] * len(texts)
    return [_decoded(text, files, mime) for text, mime in zip(texts, kinds, strict=True)]


def _decoded(text: str, files: Files, mime: str) -> RemoteFile:
    """A file that came as text. What cannot be decoded is kept as it came: it is paid for."""
    if text.startswith(("data:", "http://", "https://")):
        return RemoteFile(text, files.mime_type)
    if files.form == "hex":
        try:
            return _inline(bytes.fromhex(text), mime, files.mime_type)
        except ValueError:
            return RemoteFile(f"data:{files.mime_type},{quote(text, errors='replace')}", files.mime_type)
    return RemoteFile(f"data:{_family(mime, files.mime_type)};base64,{text}", _family(mime, files.mime_type))


def _inline(content: bytes, mime: str, declared: str) -> RemoteFile:
    kind = _family(mime, declared)
    return RemoteFile(f"data:{kind};base64,{base64.b64encode(content).decode()}", kind)


def _family(mime: str, declared: str) -> str:
    """The type an answer names, if it is of the kind that was declared; else the declared one."""
    same = mime.partition("/")[0] == declared.partition("/")[0]
    return mime if same else declared


def _blocked_path(files: Files) -> str:
    return files.blocked.path if files.blocked is not None else ""


def _flags(files: Files, body: JsonValue) -> list[bool]:
    """For every value that may say so: whether it says that an output was refused."""
    if files.blocked is None:
        return []
    values = reach(body, files.blocked.path)
    if files.blocked.values:
        return [any(_same(value, refused) for refused in files.blocked.values) for value in values]
    return [value not in (None, "", 0, False, [], {}) for value in values]


def _beside(files: Files, body: JsonValue, flags: list[bool]) -> list[bool]:
    """What the flags say of each file that is there: place by place, where there is a flag for every place."""
    places = reach(body, files.path) if files.form != "body" and not files.url else []
    if len(places) != len(flags):
        return flags
    return [flag for flag, place in zip(flags, places, strict=True) if isinstance(place, str) and place]


def _same(value: JsonValue, other: JsonValue) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _refs(endpoint: Endpoint, body: JsonValue, handle: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, path in endpoint.refs.items():
        if path.startswith("{"):
            value: JsonValue = unquote(handle[path[1:-1]]) if path[1:-1] in handle else None
        else:
            value = first(body, path)
        if value is not None:
            yield name, str(value)


def _charged_usd(provider: Provider, body: JsonValue, handle: Mapping[str, str] | None = None) -> Decimal | None:
    charge = provider.charge
    if charge is None:
        return None
    value = (handle or {}).get("charge") if charge.at == "submit" else first(body, charge.path)
    if value is None:
        return None
    amount = _number(value)
    usd = None if amount is None else Fraction(amount) * Fraction(charge.usd)
    if usd is None or usd >= MOST:
        raise _no_quantity(provider, value, "charged")
    return PRECISE.divide(Decimal(usd.numerator), Decimal(usd.denominator))


def _reported(provider: Provider, endpoint: Endpoint, body: JsonValue) -> Iterable[tuple[str, Decimal]]:
    for meter in endpoint.meters:
        value = first(body, meter.reported)
        if value is not None:
            yield meter.unit, _quantity(provider, value, meter.unit)


def _quantity(provider: Provider, value: JsonValue, unit: str) -> Decimal:
    amount = _number(value)
    if amount is None or amount >= MOST:
        raise _no_quantity(provider, value, unit)
    return amount


def _no_quantity(provider: Provider, value: JsonValue, unit: str) -> ResponseFormatError:
    shown = repr(value)[:MAX_CODE_CHARACTERS]
    said = f"{provider.name} reports {shown} {unit}, which is not a quantity"
    return ResponseFormatError(said, provider=provider.name, accepted=True)


def _number(value: JsonValue) -> Decimal | None:
    """What counts something, in a length that can be reckoned with; or nothing."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DIGITS or amount.adjusted() > MAX_DIGITS:
        return None
    return amount if amount >= 0 else None
