"""What may go wrong with an answer on its way, whatever it answers: from the right one to what arrives."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from aggregator.testing.emulator.accounts import table
from aggregator.testing.emulator.wire import Reply

if TYPE_CHECKING:
    from aggregator.testing.emulator.desk import Desk
    from aggregator.testing.emulator.jobs import Job

__all__ = ["LOST", "spoiled"]

LOST = (
    "drop_after",  # the line is cut without a word
    "hang_after",  # nothing is said until the other side gives up
    "half_head",  # the line is cut within the head
    "truncated",  # the line is cut within the body
    "broken_json",  # all that is said arrives, and its end is missing
    "no_id",  # it says that all is well, and nothing else
    "page",  # the same, as a page for people
    "http_after",  # an error takes its place: `http_after:504`
    "server_error_after",  # the same, in the vendor's words
    "duplicate_id",  # it names an earlier job
    "odd_word",  # its state is a word that nobody knows
    "no_url",  # what should be fetched is not in it
    "drip",  # it comes byte by byte
    "wrong_length",  # it says that it is longer than it is
    "gzip_bomb",  # it is small, and is said to unpack to very much
    "range_lies",  # it says that it is a part
)
"""Faults of an answer, after whatever was asked for has been done."""

ODD_WORD = "a-word-of-tomorrow"
BOMB_BYTES = 64 * 2**20
DRIP_S = 0.5
FILE_CHARACTERS = 2_000
"""A text that is longer is a file."""


CUTS: Mapping[str, Literal["drop", "hang", "half_head", "truncate"]] = {
    "drop_after": "drop",
    "hang_after": "hang",
    "half_head": "half_head",
    "truncated": "truncate",
}


async def spoiled(fault: str, reply: Reply, desk: "Desk", job: "Job | None" = None) -> Reply:
    """The answer as it arrives.

    Args:
        job: The purchase that it answers, if it answers one.

    """
    name, _, detail = fault.partition(":")
    if name in CUTS:
        return replace(reply, cut=CUTS[name])
    if name in ("server_error_after", "http_after", "page"):
        return _other(name, detail, reply, desk)
    raw = await _whole(reply)
    if name == "drip":
        return replace(reply, body=_drops(raw, desk))
    if name == "wrong_length":
        return replace(reply, headers={**reply.headers, "content-length": str(len(raw) + 1_000)}, body=raw, cut="short")
    if name == "gzip_bomb":
        return replace(reply, headers={**reply.headers, "content-encoding": "gzip"}, body=_bomb())
    if name == "range_lies":
        told = {**reply.headers, "content-range": f"bytes 100-{len(raw) + 99}/1000000"}
        return replace(reply, status=206, headers=told, body=raw)
    return _changed(name, replace(reply, body=raw), raw, desk, job)


def _other(name: str, detail: str, reply: Reply, desk: "Desk") -> Reply:
    """Another answer in its place."""
    if name == "server_error_after":
        error = desk.fault("server_error")
        return Reply(error.status, _head(error.headers, error.mime_type), error.content(desk.clock.sleep))
    if name == "http_after":
        return Reply(int(detail), _head({}), b'{"error": "something broke"}')
    return Reply(reply.status, _head({}, "text/html"), b"<html>all is well</html>")


def _changed(name: str, reply: Reply, raw: bytes, desk: "Desk", job: "Job | None") -> Reply:
    """The same answer with something else in it."""
    if name == "duplicate_id" and job is not None:
        earlier = next(iter(desk.jobs))
        return replace(reply, body=raw.replace(job.id.encode(), earlier.encode()))
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    if name == "broken_json" or not is_json:
        return replace(reply, body=raw[: len(raw) // 2] if name == "broken_json" else b"")
    said = json.loads(raw) if raw else {}
    if name == "no_id":
        said = {}
    elif name == "no_url":
        said = _without_files(said)
    elif name == "odd_word":
        _reword(desk, said)
    return replace(reply, body=json.dumps(said).encode())


def _head(headers: Mapping[str, str], mime: str = "application/json") -> dict[str, str]:
    return {"content-type": mime, **{name.lower(): value for name, value in headers.items()}}


async def _whole(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b"".join([piece async for piece in reply.body])


async def _drops(raw: bytes, desk: "Desk") -> AsyncIterator[bytes]:
    for at in range(len(raw)):
        await desk.clock.sleep(DRIP_S)
        yield raw[at : at + 1]


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES))


def _without_files(said: Any) -> Any:
    """An answer without addresses of files, and without files as text."""
    if isinstance(said, dict):
        return {name: kept for name, value in said.items() if (kept := _without_files(value)) is not None}
    if isinstance(said, list):
        return [kept for value in said if (kept := _without_files(value)) is not None]
    is_file = isinstance(said, str) and ("/files/" in said or len(said) > FILE_CHARACTERS)
    return None if is_file else said


def _reword(desk: "Desk", said: Any) -> None:
    """Put the odd word wherever the provider's table looks for one."""
    of = table(desk.service)
    tables = [of, *(of.spoken(name) for name in of.dialects)] if of is not None else []
    for one in tables:
        for status in (one.status, *(stage.status for stage in one.follow)):
            if status is not None and not status.path.startswith("@"):
                _write(said, status.path.split(" ")[0].split("."), ODD_WORD)


def _write(said: Any, path: list[str], value: str) -> None:
    """Replace what is at a path, if something is."""
    key: Any = int(path[0]) if isinstance(said, list) and path[0].isdigit() else path[0]
    if not (isinstance(said, list) and isinstance(key, int) and key < len(said)) and not (
        isinstance(said, dict) and key in said
    ):
        return
    if len(path) == 1:
        said[key] = value
    else:
        _write(said[key], path[1:], value)
