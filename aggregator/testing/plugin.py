"""The pytest plugin: fixtures `emulator`, `emulated` and `virtual_clock`. It loads nothing until a test asks for one.

```python
@pytest.mark.emulator(seed=3)
async def test_the_shot_is_paid_once(emulator, emulated, virtual_clock) -> None:
    emulator.script("runway", "drop_after")
    async with emulated("runway") as agg:
        ...
    assert len(emulator.book) == 1
```
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aggregator import Aggregator
    from aggregator.testing.emulator import Emulator, LeapingClock

__all__ = ["emulated", "emulator", "pytest_configure", "virtual_clock"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "emulator(**options): what the `emulator` of this test is like, see `Emulator`")


@pytest.fixture
def virtual_clock() -> "LeapingClock":
    """A clock on which every sleep is over at once. A test that asks for it has its emulator and clients go by it."""
    from aggregator.testing.emulator import LeapingClock

    return LeapingClock()


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator["Emulator"]:
    """Every provider on one loopback address, anew for each test; it listens once it is needed."""
    from aggregator.testing.emulator import Emulator

    marker = request.node.get_closest_marker("emulator")
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    if "virtual_clock" in request.fixturenames:
        options.setdefault("clock", request.getfixturevalue("virtual_clock"))
    with Emulator(**options) as opened:
        yield opened


@pytest.fixture
def emulated(emulator: "Emulator", tmp_path: Path) -> "Callable[..., AbstractAsyncContextManager[Aggregator]]":
    """Opens clients of the emulator, with their store in `tmp_path`.

    `async with emulated("runway", budget_usd="10") as agg`: after the providers come top-level keys of
    `aggregator.toml`, or arguments of `Aggregator`.
    """

    def client(*providers: str, **settings: Any) -> "AbstractAsyncContextManager[Aggregator]":
        return emulator.aggregator(tmp_path / "aggregator", *providers, **settings)

    return client
