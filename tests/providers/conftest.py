"""What the providers' tests start from: the provider of a module behind our engine, and one child that probes files."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest

from aggregator import probing
from aggregator.probing import Prober
from tests.providers.harness import Shop, opened
from tests.providers.own import cards_of

PROBE = [sys.executable, "-I", str(Path(probing.__file__).with_name("_probe.py"))]


class Child:
    """What a client starts to probe files, kept for the next client too: to start takes longer than a test."""

    def __init__(self) -> None:
        self._child: Popen[bytes] | None = None

    def ask(self, path: Path) -> dict[str, dict[str, Any]]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = Popen(PROBE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(str(path)).encode() + b"\n")
        self._child.stdin.flush()
        answer: dict[str, dict[str, Any]] = json.loads(self._child.stdout.readline())
        return answer

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()


@pytest.fixture(scope="module", autouse=True)
def _one_child_probes() -> Iterator[None]:
    child = Child()

    async def ask(_self: Prober, path: Path) -> dict[str, dict[str, Any]]:
        return child.ask(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prober, "_ask", ask)
        yield
    child.close()


@pytest.fixture
async def shop(request: pytest.FixtureRequest, quick: Path) -> AsyncIterator[Shop]:
    """The provider `NAME` of the module; `ORDER` is what it usually submits."""
    name = request.module.NAME
    own = {"registry": {"paths": [str(path) for path in cards_of(name)]}} if cards_of(name) else {}
    async with opened(name, quick, order=getattr(request.module, "ORDER", ()), **own) as found:
        yield found
