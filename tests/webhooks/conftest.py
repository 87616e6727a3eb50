"""A world that is called back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.webhooks.world import ENVIRON, HookWorld


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def hooks(environ: pytest.MonkeyPatch, quick: Path) -> Callable[..., HookWorld]:
    """Makes the world, of the providers that are named."""

    def made(*names: str, **settings: Any) -> HookWorld:
        return HookWorld(quick, *names, **settings)

    return made
