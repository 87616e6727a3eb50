"""A server of each generation behind a whole client, with the workflows of `tests/providers/comfyui/cards`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.providers.harness import Shop, opened
from tests.providers.own import cards_of

NAME = "comfyui"
USUAL = ({"prompt": {}}, "still", "text-to-image")


@pytest.fixture(params=["jobs", "history"])
async def shop(request: pytest.FixtureRequest, quick: Path) -> AsyncIterator[Shop]:
    registry = {"paths": [str(path) for path in cards_of(NAME)]}
    async with opened(NAME, quick, order=USUAL, registry=registry) as found:
        found.emulator.desk(NAME).world["generation"] = request.param
        yield found
