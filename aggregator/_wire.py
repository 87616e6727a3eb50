"""The wire without I/O: builds what is sent from a table, reads what came back by the same table, maps every error.

Everything here is a pure function of its arguments. `aggregator.engine` moves the bytes.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from string import Formatter
from typing import Any, TypeGuard, cast
from urllib.parse import quote

from pydantic import BaseModel, JsonValue

from aggregator import errors
from aggregator.contract import Call, Endpoint, ErrorKind, HttpRequest, HttpResponse, Json, Provider, State, To
from aggregator.errors import ProviderError, RequestError, ResponseFormatError
from aggregator.inputs import Media
from aggregator.tasks import Reference, Request

__all__ = ["Delivery", "Reading", "RemoteFile", "build_body", "call_request", "error_of", "read_result", "read_status"]

MAX_MESSAGE_CHARACTERS = 500

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


# ------------------------------------------------------------------------------------------------------------- paths


def find(value: JsonValue, path: str) -> list[JsonValue]:
    """Every value at a dotted path; empty where there is none. `None` counts as none."""
    found: list[JsonValue] = [value]
    for part in path.split(".") if path else ():
        name, each = (part[:-2], True) if part.endswith("[]") else (part, False)
        step: list[JsonValue] = []
        for item in found:
            if name:
                if isinstance(item, dict):
                    item = item.get(name)  # noqa: PLW2901
                elif isinstance(item, list) and name.isdigit() and int(name) < len(item):
                    item = item[int(name)]  # noqa: PLW2901
                else:
                    continue
            step.extend(item if each and isinstance(item, list) else [] if each else [item])
        found = step
    return [item for item in found if item is not None]


def first(value: JsonValue, path: str | None) -> JsonValue:
    """The first value at a path, or `None`."""
    found = find(value, path) if path else []
    return found[0] if found else None


def place(body: Json, path: str, value: JsonValue) -> None:
    """Write a value at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            raise RequestError(f"{path!r} goes through {name!r}, which already holds a value")
        body = inner
    old = body.get(last)
    value = deepcopy(value)  # tables and options are not written to
    body[last] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value


# ---------------------------------------------------------------------------------------------------------- building


def fill(template: str, names: Mapping[str, str]) -> str:
    """Fill `{name}`; a name that was never captured is an error of the table."""
    missing = [name for _, name, _, _ in Formatter().parse(template) if name and name not in names]
    if missing:
        raise ResponseFormatError(f"nothing is known for {{{missing[0]}}} in {template!r}", accepted=None)
    return template.format_map(names)


def call_request(provider: Provider, call: Call, names: Mapping[str, str], body: JsonValue = None) -> HttpRequest:
    """The request of one call: below `base_url`, unless the template gives an absolute URL."""
    known = {**provider.cdns, **provider.hosts, **names}
    # An address may begin a URL; further on it is a name like any other, and may not bend the path.
    inside = {name: quote(value, safe="") for name, value in known.items() if "://" in value}
    url = fill(call.url, {**known, **{name: value for name, value in inside.items() if not _begins(call.url, name)}})
    if not url.lower().startswith(("http://", "https://")):
        url = provider.base_url.rstrip("/") + url
    return HttpRequest(call.method, url, json=body)


def _begins(template: str, name: str) -> bool:
    return template.startswith(f"{{{name}}}")


def build_body(
    provider: Provider,
    endpoint: Endpoint,
    request: Request,
    *,
    names: Mapping[str, str],
    media: Callable[[Media], JsonValue],
    options: Mapping[str, JsonValue] | None = None,
) -> Json:
    """The exact wire body: fixed values, mapped fields, then the caller's own options for this provider.

    Args:
        media: What stands for an input in the body: its URL, its data URI, or, in a plan, a description.

    Raises:
        RequestError: A given field is not mapped, or an option touches a path that is.

    """
    body: Json = {}
    fields: Json = {}
    for name, value in request.values().items():
        target = endpoint.fields.get(name)
        if target is None:
            known = ", ".join(sorted(endpoint.fields))
            raise errors.UnsupportedFieldError(
                f"{provider.name} does not take {name} here; it takes {known}", supported=sorted(endpoint.fields)
            )
        _write(fields, target if isinstance(target, To) else To(target), name, _plain(value, media))
    for path, value in (options or {}).items():
        _check_option(provider, endpoint, path, value)
        place(fields, path, value)
    for path, fixed in endpoint.fixed.items():
        place(body, path, fill(fixed, names) if isinstance(fixed, str) else fixed)
    if provider.input_path:
        wrapped: Json = {}
        place(wrapped, provider.input_path, fields)
        fields = wrapped
    return _merge(body, fields)


def _merge(under: Json, over: Json) -> Json:
    """Lay `over` on `under`: object into object at every depth, anything else replaces."""
    for name, value in over.items():
        inner = under.get(name)
        under[name] = _merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return under


def _check_option(provider: Provider, endpoint: Endpoint, path: str, value: JsonValue) -> None:
    """An option may not touch what is mapped or metered: the quote would no longer be true."""
    targets = [target.path if isinstance(target, To) else target for target in endpoint.fields.values()]
    below = f"{provider.input_path}." if provider.input_path else ""
    taken = {below + part for target in targets for part in target.split()} | set(endpoint.fixed)
    full = below + path
    where = f"provider_options[{provider.name!r}]"
    if any(full == item or full.startswith(item + ".") or item.startswith(full + ".") for item in taken):
        raise RequestError(f"{where} may not set {path!r}: a canonical parameter decides it")
    if not all(path.split(".")):
        raise RequestError(f"{where}: {path!r} is not a dotted path")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"{where}: {path!r} cannot be written as JSON: {error}") from None


def _plain(value: Any, media: Callable[[Media], JsonValue]) -> JsonValue:
    if isinstance(value, Media):
        return media(value)
    if isinstance(value, Reference):
        return media(cast("Media", value.image))
    if isinstance(value, BaseModel):
        return cast("JsonValue", value.model_dump(mode="json"))
    if isinstance(value, tuple):
        return [_plain(item, media) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 5.0 seconds are written as 5
    return cast("JsonValue", value)


def _write(body: Json, to: To, name: str, value: JsonValue) -> None:
    if to.values is not None:
        if str(value) not in to.values:
            raise errors.UnsupportedFieldError(
                f"{name}={value!r}: one of {', '.join(to.values)}", supported=list(to.values)
            )
        value = to.values[str(value)]
    if to.cast is not None:
        value = to.cast(value)
    if to.form:
        value = to.form.format(*value) if isinstance(value, list) else to.form.format(value)
    if to.listed and not isinstance(value, list):
        value = [value]
    paths = to.path.split()
    if len(paths) == 1:
        place(body, paths[0], value)
        return
    if not isinstance(value, list) or len(value) != len(paths):
        raise RequestError(f"{name}={value!r} does not fill {to.path!r}")
    for path, part in zip(paths, value, strict=True):
        place(body, path, part)


# ----------------------------------------------------------------------------------------------------------- reading


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
        if isinstance(value, bool | dict | list | None) or not str(value).strip("."):  # "" and dots name nothing
            raise ResponseFormatError(
                f"{provider.name} answered without {path!r}", provider=provider.name, accepted=None
            )
        # Ids go into paths: quoted, unless they are addresses.
        text = str(value)
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
