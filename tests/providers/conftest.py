"""What the providers' tests start from: the provider of a module behind our engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.providers.harness")

from tests.providers.harness import Shop, opened  # noqa: E402 - its assertions are rewritten first


@pytest.fixture
async def shop(request: pytest.FixtureRequest, quick: Path) -> AsyncIterator[Shop]:
    """The provider `NAME` of the module; `ORDER` is what it usually submits, `SETTINGS` what its client has beside."""
    order, settings = (getattr(request.module, name, None) for name in ("ORDER", "SETTINGS"))
    async with opened(request.module.NAME, quick, order=order or (), **(settings or {})) as found:
        yield found
