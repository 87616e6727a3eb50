"""Webhooks in: a product's own server takes what providers call back with, and jobs end as soon as they are done.

    python examples/webhooks.py

The provider is the emulator, on this machine, so that it runs without a key and buys nothing. With real providers the
configuration has the public address of the server, and the secret of each provider that signs with one of yours:

    [webhooks]
    url = "https://api.example.com/hooks"
    secret_env = "AGGREGATOR_WEBHOOK_SECRET"      # openssl rand -hex 32
    [providers.replicate]                         # the same for Kling, OpenRouter, PixVerse and Gemini
    webhook_secret_env = "REPLICATE_WEBHOOK_SECRET"
"""

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from aggregator import Aggregator
from aggregator.testing.emulator import Emulator


def product(agg: Aggregator) -> Starlette:
    """The product's server. The receiver is an ASGI application like any other: mount it where `url` leads."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with agg:
            app.mount("/hooks", agg.webhooks())  # it refuses to start where nothing could prove a delivery
            yield

    return Starlette(lifespan=lifespan)


async def main(directory: Path) -> None:
    """Order a picture from a provider that calls back."""
    with Emulator(only=("bfl",), latency_s=0.1) as emulator, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        os.environ["AGGREGATOR_WEBHOOK_SECRET"] = secrets.token_hex(32)
        os.environ["BFL_API_KEY"] = emulator.keys["bfl"]
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/hooks"
        agg = Aggregator(
            {
                "directory": str(directory),
                "allow_ephemeral": True,
                "webhooks": {"url": url, "secret_env": "AGGREGATOR_WEBHOOK_SECRET"},
                "providers": {"bfl": emulator.settings("bfl")},
                "routing": {"allow": ["bfl"]},
            }
        )
        server = uvicorn.Server(uvicorn.Config(product(agg), log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110  it has no event for that
            await asyncio.sleep(0.01)
        async with agg.project("film", budget_usd="1.00") as p:
            still = await p.text_to_image("a lighthouse at dawn, 35mm", key="still")
            print(f"made: {still.artifact.mime_type}, ${still.cost.amount_usd}")
        for delivery in emulator.deliveries:
            print(f"{delivery.provider} called back: answered with {delivery.status}")
        server.should_exit = True
        await serving


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else place)))
