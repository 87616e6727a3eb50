"""The keys that providers publish: fetched from the table's own address, once a minute at most, and kept for a day.

What cannot be fetched, or is no set of keys, replaces nothing: the last good set is believed for one more day.
"""

import asyncio
from dataclasses import dataclass

from aggregator._http import SendError, Timeouts, Transport
from aggregator.clock import Clock
from aggregator.contract import HttpRequest
from aggregator.errors import UnavailableError
from aggregator.signing import public_keys

__all__ = ["PublishedKeys"]

KEPT_S = 86_400.0
KEPT_WITHOUT_ANSWER_S = 2 * KEPT_S
PAUSE_S = 60.0
MAX_BYTES = 64 * 2**10
TIMEOUTS = Timeouts(connect_s=5.0, read_s=5.0, write_s=5.0)
WITHIN_S = 5.0
OK = 200


@dataclass(slots=True)
class _Kept:
    jwks: bytes = b""
    fetched_s: float = 0.0
    tried_s: float | None = None
    fetching: asyncio.Task[None] | None = None


class PublishedKeys:
    """Keeps the sets of one client."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def read(self, request: HttpRequest, *, newer_than: bytes | None = None) -> bytes:
        """The document at an address.

        Args:
            newer_than: This one has not proved a delivery: it is fetched again, unless that was tried just now.

        Raises:
            UnavailableError: There is none, and it cannot be had now.

        """
        kept, now_s = self._kept.setdefault(request.url, _Kept()), self._clock.monotonic()
        stale = not kept.jwks or now_s - kept.fetched_s > KEPT_S or kept.jwks == newer_than
        if stale and (kept.tried_s is None or now_s - kept.tried_s >= PAUSE_S):
            kept.tried_s = now_s
            kept.fetching = asyncio.create_task(self._fetch(request, kept, now_s))
        if stale and kept.fetching is not None:
            await asyncio.shield(kept.fetching)  # who stops waiting finds them there when the delivery comes again
        if not kept.jwks or now_s - kept.fetched_s > KEPT_WITHOUT_ANSWER_S:
            raise UnavailableError(f"the keys at {request.url} cannot be fetched now")
        return kept.jwks

    async def _fetch(self, request: HttpRequest, kept: _Kept, now_s: float) -> None:
        if found := await self._fetched(request):
            kept.jwks, kept.fetched_s = found, now_s

    async def _fetched(self, request: HttpRequest) -> bytes | None:
        """The document, if there is one that holds a key."""
        found = b""
        try:
            async with asyncio.timeout(WITHIN_S), self._transport.stream(request, timeouts=TIMEOUTS) as stream:
                if stream.status != OK:
                    return None
                async for chunk in stream.chunks:
                    found += chunk
                    if len(found) > MAX_BYTES:
                        return None
            return found if public_keys(found) else None
        except (SendError, TimeoutError, ValueError):
            return None
