"""Fetches a feed: from HTTP, with the tag of what is known, or from a file. No redirect, and never more than a bundle
may have.
"""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from aggregator._http import SendError, Stream, Timeouts, Transport
from aggregator.contract import HttpRequest
from aggregator.errors import FeedError
from aggregator.registry.bundle import MAX_BYTES

__all__ = ["fetched"]

FETCH_S = 120.0
"""The most that fetching takes."""
_TIMEOUTS = Timeouts(connect_s=10.0, read_s=30.0, write_s=30.0, whole_s=60.0)
_OK, _NOT_MODIFIED, _REDIRECT = 200, 304, range(300, 400)


async def fetched(feed: str, known: str, transport: Transport) -> tuple[bytes, str] | None:
    """The bundle and its tag; `None` where its tag is `known`.

    Raises:
        FeedError: It cannot be had, or is too large.

    """
    if "://" not in feed:
        return await asyncio.to_thread(_from_file, Path(feed), known)
    # The user configured its host, which may be a private one; no credential goes along.
    host = urlsplit(feed).hostname or ""
    request = HttpRequest("GET", feed, {"if-none-match": known} if known else {}, trusted=False, own_host=host)
    try:
        async with asyncio.timeout(FETCH_S), transport.stream(request, timeouts=_TIMEOUTS) as answer:
            return await _read(feed, known, answer)
    except (SendError, TimeoutError) as error:
        said = str(error) or f"it was not here after {FETCH_S:g} seconds"
        raise FeedError(f"{feed}: cannot be fetched: {said}", reason="unreachable") from None


async def _read(feed: str, known: str, answer: Stream) -> tuple[bytes, str] | None:
    if answer.status == _NOT_MODIFIED and known:
        return None
    if answer.status != _OK:
        said = "a redirect is not followed: write where it leads" if answer.status in _REDIRECT else "200 was expected"
        raise FeedError(f"{feed}: HTTP {answer.status}: {said}", reason="unreachable")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise FeedError(f"{feed}: it arrives compressed, which was not asked for", reason="unreachable")
    parts, size = [], 0
    async for chunk in answer.chunks:
        size += len(chunk)
        if size > MAX_BYTES:
            raise _too_large(feed)
        parts.append(chunk)
    return b"".join(parts), answer.headers.get("etag", "")


def _from_file(file: Path, known: str) -> tuple[bytes, str] | None:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
            tag = f"{file.stat().st_mtime_ns}-{len(data)}"
    except OSError as error:
        raise FeedError(f"{file}: cannot be read: {error.strerror or error}", reason="unreachable") from None
    if len(data) > MAX_BYTES:
        raise _too_large(str(file))
    return None if tag == known else (data, tag)


def _too_large(feed: str) -> FeedError:
    return FeedError(f"{feed}: it is larger than {MAX_BYTES} bytes", reason="too_large")
