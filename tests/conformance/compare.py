"""Says in words how two recorded requests differ. What is let pass is named by the test that lets it pass."""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from aggregator.testing.emulator.recorder import Recorded

__all__ = ["same"]

OF_THE_TRANSPORT = (
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "user-agent",
)
"""Headers that say nothing to the provider's application."""
NOTHING = object()
Values = Mapping[str, Any]


def same(
    ours: Recorded,
    theirs: Recorded,
    *,
    ignore_headers: Iterable[str] = (),
    ignore_query: Iterable[str] = (),
    ignore_body: Iterable[str] = (),
    they_add: Values | None = None,
    we_add: Values | None = None,
    drop_nulls: bool = False,
    rename: Mapping[str, str] | None = None,
    unordered_parts: bool = False,
    ignore_filenames: bool = False,
) -> list[str]:
    """Compare method, path, query, headers (but those of the transport) and body; returns the differences.

    Args:
        ignore_headers: Patterns of header names. ignore_query: Names. ignore_body: Dotted paths in a JSON body, or
        names of parts. they_add, we_add: What one side says and the other leaves to the provider, by dotted path, each
        with the very value. drop_nulls: A null is as good as nothing. rename: Their key at the top of the body, and
        what it is called in ours. unordered_parts: The order of form parts does not matter. ignore_filenames: Nor
        what their files are called.

    """
    found = [
        f"{name}: ours {mine!r}, theirs {other!r}"
        for name, mine, other in (("method", ours.method, theirs.method), ("path", ours.path, theirs.path))
        if mine != other
    ]
    found += _differences("query", _query(ours, ignore_query), _query(theirs, ignore_query))
    found += _differences("header", _headers(ours, ignore_headers), _headers(theirs, ignore_headers))
    if ours.form or theirs.form:
        parts = (_parts(one, ignore_body, names=not ignore_filenames) for one in (ours, theirs))
        mine, other = (sorted(of, key=repr) if unordered_parts else of for of in parts)
        return found + _differences("part", mine, other)
    mine, other = (_body(one, ignore_body, drop_nulls=drop_nulls) for one in (ours, theirs))
    for left, right in (rename or {}).items():
        if isinstance(other, dict) and left in other:
            other[right] = other.pop(left)
    return found + _added("ours", mine, we_add) + _added("theirs", other, they_add) + _differences("body", mine, other)


def _query(one: Recorded, ignored: Iterable[str]) -> list[tuple[str, str]]:
    left_out = tuple(ignored)
    return sorted(pair for pair in parse_qsl(one.raw_query, keep_blank_values=True) if pair[0] not in left_out)


def _headers(one: Recorded, ignored: Iterable[str]) -> dict[str, str]:
    left_out = (*OF_THE_TRANSPORT, *ignored)
    kept = {
        name: value
        for name, value in one.headers.items()
        if not any(fnmatchcase(name, pattern.lower()) for pattern in left_out)
    }
    kind = kept.get("content-type", "")
    if kind.startswith("multipart/"):
        kept["content-type"] = kind.partition(";")[0]  # the boundary is chance
    return kept


def _parts(one: Recorded, ignored: Iterable[str], *, names: bool) -> list[tuple[Any, ...]]:
    left_out = tuple(ignored)
    return [
        (part.name, part.filename if names else part.filename is not None, part.mime_type, part.content)
        for several in one.form.values()
        for part in several
        if part.name not in left_out
    ]


def _body(one: Recorded, ignored: Iterable[str], *, drop_nulls: bool) -> Any:
    if "json" not in one.headers.get("content-type", ""):
        return one.body
    body = one.json
    for path in ignored:
        _take(body, path)
    return _without_nulls(body) if drop_nulls else body


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _take(body: Any, path: str) -> Any:
    """Remove what is at a path, and return it."""
    *way, last = path.split(".")
    for name in way:
        body = body.get(name, NOTHING) if isinstance(body, dict) else NOTHING
    return body.pop(last, NOTHING) if isinstance(body, dict) else NOTHING


def _added(side: str, body: Any, values: Values | None) -> list[str]:
    """Take what one side adds out of its body; what is not there as it was announced is a difference."""
    found = []
    for path, value in (values or {}).items():
        there = _take(body, path)
        if there is NOTHING:
            found.append(f"body: {side} was to add {path} = {value!r}, and does not")
        elif _differences("", there, value):
            found.append(f"body: {side} was to add {path} = {value!r}, and adds {there!r}")
    return found


def _differences(where: str, mine: Any, other: Any) -> list[str]:
    if isinstance(mine, dict) and isinstance(other, dict):
        return [
            line
            for name in dict.fromkeys((*mine, *other))
            for line in _differences(f"{where} {name}", mine.get(name, NOTHING), other.get(name, NOTHING))
        ]
    if isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        return [
            line
            for at, pair in enumerate(zip(mine, other, strict=True))
            for line in _differences(f"{where}[{at}]", *pair)
        ]
    if mine is NOTHING:
        return [f"{where}: only theirs, {_shown(other)}"]
    if other is NOTHING:
        return [f"{where}: only ours, {_shown(mine)}"]
    if isinstance(mine, bool) is not isinstance(other, bool) or mine != other:
        return [f"{where}: ours {_shown(mine)}, theirs {_shown(other)}"]
    return []


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else repr(value)
    except TypeError:
        text = repr(value)
    return text if len(text) < 200 else f"{text[:160]}… ({len(text)} characters)"
