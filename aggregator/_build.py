"""What is sent, built from a table: URLs and bodies, as pure functions. What comes back is read by `_wire`."""

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from string import Formatter
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode

from pydantic import BaseModel, JsonValue

from aggregator import errors
from aggregator._paths import merge, place
from aggregator.contract import BUILD, Body, Call, Endpoint, HttpRequest, Json, Part, Provider, To, UploadSource
from aggregator.errors import RequestError, ResponseFormatError
from aggregator.inputs import Media
from aggregator.tasks import Reference, Request

__all__ = ["build_body", "call_request", "fill", "marked", "resolved"]

EXTENSIONS = {"jpeg": "jpg", "mpeg": "mp3", "quicktime": "mov", "svg+xml": "svg", "x-wav": "wav"}


def fill(template: str, names: Mapping[str, str]) -> str:
    """Fill `{name}`; a name that was never captured is an error of the table."""
    missing = [name for _, name, _, _ in Formatter().parse(template) if name and name not in names]
    if missing:
        raise ResponseFormatError(f"nothing is known for {{{missing[0]}}} in {template!r}", accepted=None)
    return template.format_map(names)


def call_request(
    provider: Provider,
    call: Call,
    names: Mapping[str, str],
    body: Json | None = None,
    *,
    nonce: str = "",
    parts_of: Mapping[str, UploadSource] | None = None,
) -> HttpRequest:
    """The request of one call: below `base_url`, unless the template gives an absolute URL.

    Args:
        parts_of: Not `None`: the body is a multipart form, and these texts in it stand for files.

    """
    body, asides = _asides(body)
    path = {name: quote(_text(value), safe="") for name, value in asides.get("@path", {}).items()}
    known = {**provider.cdns, **provider.hosts, "nonce": nonce, **names, **path}
    # An address may begin a URL; further on it is a name like any other, and may not bend the path.
    inside = {name: quote(value, safe="") for name, value in known.items() if "://" in value}
    url = fill(call.url, {**known, **{name: value for name, value in inside.items() if not _begins(call.url, name)}})
    if not url.lower().startswith(("http://", "https://")):
        url = provider.base_url.rstrip("/") + url
    if query := asides.get("@query"):
        url += ("&" if "?" in url else "?") + urlencode([pair for item in query.items() for pair in _pairs(*item)])
    headers = {name: fill(value, known) for name, value in {**provider.headers, **call.headers}.items()}
    headers |= {name: _text(value) for name, value in asides.get("@headers", {}).items()}
    if call.body is not None:
        texts = {name: value if "://" in value else unquote(value) for name, value in known.items()}
        body = merge(cast("Json", _filled(call.body, texts)), body or {})
    if parts_of is not None:
        return HttpRequest(call.method, url, headers, parts=tuple(_parts(body or {}, parts_of)))
    return HttpRequest(call.method, url, headers, json=body)


def resolved(
    provider: Provider, request: HttpRequest, names: Mapping[str, str] | None = None, *, nonce: str = ""
) -> HttpRequest:
    """A request that a flow yields, with its address and the provider's own headers filled in."""
    known = {**provider.cdns, **provider.hosts, "nonce": nonce, **(names or {})}
    url = request.url
    for name, value in known.items():
        url = (
            value + url.removeprefix(f"{{{name}}}") if _begins(url, name) else url.replace(f"{{{name}}}", quote(value))
        )
    if url.startswith("/"):
        url = provider.base_url.rstrip("/") + url
    own = {name: fill(value, known) for name, value in provider.headers.items()} if request.trusted else {}
    return replace(request, url=url, headers={**own, **request.headers})


def _begins(template: str, name: str) -> bool:
    return template.startswith(f"{{{name}}}")


def _asides(body: Json | None) -> tuple[Json | None, dict[str, dict[str, JsonValue]]]:
    """The body without what goes elsewhere in the request."""
    if body is None:
        return None, {}
    asides = {name: value for name, value in body.items() if name.startswith("@") and isinstance(value, dict)}
    rest = {name: value for name, value in body.items() if name not in asides}
    return (rest or None) if asides and not rest else rest, asides


def _filled(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return fill(value, names)
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, names) for name, item in value.items()}
    return value


def _text(value: JsonValue) -> str:
    """A value as the text that a query, a header, a path or a form carries."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _pairs(name: str, value: JsonValue) -> Iterable[tuple[str, str]]:
    return [(name, _text(item)) for item in (value if isinstance(value, list) else [value])]


def _parts(body: Json, files: Mapping[str, UploadSource]) -> Iterable[Part]:
    """A form: one part per value, lists repeated, objects as `name[key]`."""
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _parts({f"{name}[{key}]": inner for key, inner in item.items()}, files)
            elif isinstance(item, str) and (source := files.get(item)) is not None:
                kind = source.mime_type.partition("/")[2]
                file = f"{source.sha256[:16]}.{EXTENSIONS.get(kind, kind)}"
                yield Part(name, Body(source.path, source.size_bytes), file, source.mime_type)
            else:
                yield Part(name, _text(item))


def build_body(
    provider: Provider,
    endpoint: Endpoint,
    request: Request,
    *,
    names: Mapping[str, str],
    media: Callable[[str, Media], JsonValue],
    options: Mapping[str, JsonValue] | None = None,
) -> Json:
    """The exact wire body: fixed values, mapped fields, then the caller's own options for this provider.

    Args:
        media: What stands for an input of a field in the body: its URL, its data URI, or, in a plan, a description.

    Raises:
        RequestError: A given field is not mapped, or an option touches a path that is.

    """
    body: Json = deepcopy(endpoint.template)
    fields: Json = {}
    built: dict[str, JsonValue] = {}
    for name, value in request.values().items():
        target = endpoint.fields.get(name)
        if target is None:
            known = ", ".join(sorted(endpoint.fields))
            raise errors.UnsupportedFieldError(
                f"{provider.name} does not take {name} here; it takes {known}", supported=sorted(endpoint.fields)
            )
        to = target if isinstance(target, To) else To(target)
        if to.path == BUILD:
            built[name] = _cast(to, name, _plain(name, value, media, roles=True))
        else:
            _write(fields, to, name, _counted(to, name, _plain(name, value, media), request))
    known_of = {name: _known_of(item) for name, item in request.media() if name in built}
    made = endpoint.build({**built, "@media": known_of}) if endpoint.build is not None else {}
    fields = merge(deepcopy(made), fields)  # what a build returns may be shared
    for path, value in (options or {}).items():
        _check_option(provider, endpoint, path, value, made)
        place(fields, path, value)
    for path, fixed in endpoint.fixed.items():
        place(body, path, fill(fixed, names) if isinstance(fixed, str) else fixed)
    if provider.input_path:
        asides = {name: fields.pop(name) for name in list(fields) if name.startswith("@")}
        wrapped: Json = {}
        place(wrapped, provider.input_path, fields)
        fields = {**wrapped, **asides}
    return merge(body, fields)


def marked(provider: Provider, body: JsonValue, attempt: str) -> JsonValue:
    """The body with what is another in each attempt."""
    return provider.mark(deepcopy(body), attempt) if provider.mark is not None and isinstance(body, dict) else body


def _check_option(provider: Provider, endpoint: Endpoint, path: str, value: JsonValue, made: Json) -> None:
    """An option may not touch what is mapped or metered: the quote would no longer be true."""
    targets = [target.path if isinstance(target, To) else target for target in endpoint.fields.values()]
    below = f"{provider.input_path}." if provider.input_path else ""
    taken = {below + part for target in (*targets, *made) for part in target.split()} | set(endpoint.fixed)
    full = below + path
    where = f"provider_options[{provider.name!r}]"
    if provider.reference and full == provider.reference:
        raise RequestError(f"{where} may not set {path!r}: the order's own id goes there, by which it is found again")
    if any(full == item or full.startswith(item + ".") or item.startswith(full + ".") for item in taken):
        raise RequestError(f"{where} may not set {path!r}: a canonical parameter decides it")
    if not all(path.split(".")):
        raise RequestError(f"{where}: {path!r} is not a dotted path")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"{where}: {path!r} cannot be written as JSON: {error}") from None


def _plain(name: str, value: Any, media: Callable[[str, Media], JsonValue], *, roles: bool = False) -> JsonValue:
    if isinstance(value, Media):
        return media(name, value)
    if isinstance(value, Reference):
        image = media(name, cast("Media", value.image))
        return {"image": image, "role": value.role} if roles else image
    if isinstance(value, BaseModel):
        return cast("JsonValue", value.model_dump(mode="json"))
    if isinstance(value, tuple):
        return [_plain(name, item, media, roles=roles) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 5.0 seconds are written as 5
    return cast("JsonValue", value)


def _word(value: JsonValue) -> str:
    """A value as tables of words name it: `true`, `5`, `1280x720`."""
    return "x".join(map(str, value)) if isinstance(value, list) else _text(value)


def _known_of(media: Media) -> Json:
    names = ("mime_type", "size_bytes", "width", "height", "duration_s", "fps")
    return {name: value for name in names if (value := getattr(media, name)) is not None}


def _cast(to: To, name: str, value: JsonValue) -> JsonValue:
    """A value as the target writes it."""
    if to.values is not None:
        word = _word(value)
        if word not in to.values:
            raise errors.UnsupportedFieldError(
                f"{name}={value!r}: one of {', '.join(to.values)}", supported=list(to.values)
            )
        value = to.values[word]
    if to.cast is not None:
        value = to.cast(value)
    if to.form:
        value = to.form.format(*value) if isinstance(value, list) else to.form.format(value)
    if to.listed and not isinstance(value, list):
        value = [value]
    return value


def _counted(to: To, name: str, value: JsonValue, request: Request) -> JsonValue:
    """A length as the number of what it has so many of in each second."""
    if not to.times or not isinstance(value, int | float):
        return value
    rate = request.values().get(to.times) if isinstance(to.times, str) else to.times
    if not isinstance(rate, int | float):
        raise RequestError(f"{name}={value!r} is counted by {to.times}: give that too")
    return round(value * rate)


def _write(body: Json, to: To, name: str, value: JsonValue) -> None:
    value = _cast(to, name, value)
    paths = to.path.split()
    if len(paths) == 1:
        place(body, paths[0], value)
        return
    parts = [part for one in value for part in _parts_of(one)] if isinstance(value, list) else []
    if len(parts) != len(paths):
        raise RequestError(f"{name}={value!r} does not fill {to.path!r}")
    for path, part in zip(paths, parts, strict=True):
        place(body, path, part)


def _parts_of(value: JsonValue) -> list[JsonValue]:
    """An adapter has two places, its weights and its scale."""
    return list(value.values()) if isinstance(value, dict) else [value]
