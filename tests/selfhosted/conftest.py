"""What the tests of real servers start from: the client, with a user's configuration and cards, in real time."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator import Aggregator
from aggregator._http import HttpxTransport
from aggregator.discovery.engines import Recognised, recognised
from tests.providers.own import cards_of


class Patient(Random):
    """Waits as long as it may before it asks again: how long a busy server is waited for is the same in every run."""

    def random(self) -> float:
        return 0.999


@pytest.fixture
def opened(quick: Path) -> Callable[..., Aggregator]:
    """`async with opened("cog", url) as agg`: a client of one server, with the cards of the provider's tests."""

    def client(
        provider: str, url: str, *, name: str = "client", cards: Path | None = None, **settings: Any
    ) -> Aggregator:
        paths = [str(cards)] if cards is not None else [str(path) for path in cards_of(provider)]
        return Aggregator(
            {
                "directory": str(quick / name),
                "allow_ephemeral": True,
                "providers": {provider: {"base_url": url, **settings}},
                "routing": {"allow": [provider]},
                "registry": {"paths": paths},
            },
            rng=Patient(),
        )

    return client


@pytest.fixture
def discovered() -> Callable[[str], Awaitable[Recognised]]:
    """`await discovered(url)`: what `registry discover` and `doctor` find at an address."""

    async def found(url: str) -> Recognised:
        transport = HttpxTransport()
        try:
            return await recognised(url, transport, host="127.0.0.1")
        finally:
            await transport.aclose()

    return found
