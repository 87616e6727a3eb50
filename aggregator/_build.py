"""What is sent, built from a table: URLs and bodies, as pure functions. What comes back is read by `_wire`."""

import json
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any, cast
from urllib.parse import quote

from pydantic import BaseModel, JsonValue

from aggregator import errors
from aggregator._paths import merge, place
from aggregator.contract import Call, Endpoint, HttpRequest, Json, Provider, To
from aggregator.errors import RequestError, ResponseFormatError
from aggregator.inputs import Media
from aggregator.tasks import Reference, Request

__all__ = ["build_body", "call_request", "fill"]


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
    return merge(body, fields)


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
