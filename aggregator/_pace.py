"""How slowly a file may arrive: a byte now and then keeps every time-out from firing, and a job from ending."""

from collections.abc import AsyncIterator

from aggregator._http import SendError
from aggregator.clock import Clock

__all__ = ["paced"]

MIN_BYTES_PER_S = 1024
WINDOW_S = 60.0
WHOLE_S = 2 * 3600.0


async def paced(chunks: AsyncIterator[bytes], clock: Clock) -> AsyncIterator[bytes]:
    """The same body.

    Raises:
        SendError: It came slower than 1 KiB/s over a minute, or was not whole after two hours.

    """
    began = since = clock.monotonic()
    arrived = 0
    async for chunk in chunks:
        yield chunk
        now = clock.monotonic()
        arrived += len(chunk)
        if now - began > WHOLE_S:
            raise SendError(f"the file was not whole after {WHOLE_S:g} s", sent=None)
        if now - since >= WINDOW_S:
            if arrived < MIN_BYTES_PER_S * (now - since):
                raise SendError(f"the file came slower than {MIN_BYTES_PER_S} bytes/s", sent=None)
            since, arrived = now, 0
