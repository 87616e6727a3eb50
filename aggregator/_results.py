"""A finished job's answer, read by its table: the files, wherever they are, and what was refused, kept and charged.

Pure functions; what came before the end is read by `_wire`.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from pydantic import JsonValue

from aggregator import _charges, errors
from aggregator._build import call_request
from aggregator._paths import find, first, reach
from aggregator._wire import ADVICE, code_of, message_of, word_of
from aggregator.contract import Call, Endpoint, Files, Json, Provider
from aggregator.errors import ResponseFormatError

__all__ = ["Delivery", "RemoteFile", "read_result"]


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
    paths = {"served_model": provider.served_model, **endpoint.facts}
    facts = {name: value for name, path in paths.items() if (value := first(body, path)) is not None}
    try:
        reported = dict(_charges.reported(provider, endpoint, body))
        charged = _charges.charged_usd(provider, body, handle)
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
    if files.url and files.path:
        listed = [item for item in find(body, files.path) if isinstance(item, dict)]
        wanted = [item for item in listed if all(item.get(name) == value for name, value in files.only.items())]
        return [RemoteFile(_address(provider, files.url, item, handle), files.mime_type) for item in wanted]
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


def _address(provider: Provider, url: str, item: Json, handle: Mapping[str, str]) -> str:
    """The address of one file, from what the answer says of it."""
    said = {name: quote(str(value), safe="") for name, value in item.items()}
    return call_request(provider, Call("GET", url), {**handle, **said}).url


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
