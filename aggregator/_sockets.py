"""The only file that imports websockets: what is told over one, message by message, to whoever polls besides.

Nothing depends on it. Where the library is not there, the line cannot be opened or it breaks, the telling ends.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import cast

from pydantic import JsonValue

from aggregator._http import origin
from aggregator.contract import HttpRequest

__all__ = ["messages"]

SILENCE_S = 15.0
"""How long nothing may be told until the job is looked at."""
MAX_MESSAGE_BYTES = 32 * 2**20
"""Previews come between the messages that are read."""


async def messages(request: HttpRequest) -> AsyncGenerator[JsonValue | bytes, None]:
    """The messages as they come, what is text as JSON; `None` after a silence, and first of all, once the line is open.

    Only to the host that the user configured: no other is checked here against the addresses that are not public.
    """
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException
    except ImportError:
        return
    if not request.own_host or origin(request.url).partition("://")[2].rpartition(":")[0] != request.own_host:
        return
    url = "ws" + request.url.removeprefix("http")
    try:
        async with connect(
            url,
            additional_headers=dict(request.headers),
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
            user_agent_header=None,
        ) as line:
            yield None
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        said = await line.recv()
                except TimeoutError:
                    yield None
                    continue
                yield cast("JsonValue", json.loads(said)) if isinstance(said, str) else said
    except (WebSocketException, OSError, ValueError):
        return
