"""The routes of one engine, out of its published package, on a free port: the module says which (`ENGINE`)."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator.testing.emulator import Emulator
from tests.selfhosted.serving import Served, python

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def packages() -> Path:
    """The engines' packages, kept in the environment; nothing of them is installed."""
    home = python().parents[1] / "packages"
    wanted = (HERE / "packages.txt").read_text().split()
    stamp = home / "stamp"
    if not stamp.is_file() or stamp.read_text() != str(wanted):
        wheels = home / "wheels"
        told = ["--no-deps", "--only-binary=:all:", "-d", str(wheels)]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *told, *wanted], check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(home, [one for one in packed.namelist() if one.endswith(".py")])
        stamp.write_text(str(wanted))
    return home


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    at = tmp_path_factory.mktemp(request.module.ENGINE)
    command = [str(python()), str(HERE / "serve.py"), request.module.ENGINE, str(packages), "{port}"]
    served = Served(command, at, lambda answer: answer.status_code == 200, "/openapi.json")
    served.start()
    yield served
    served.kill()


def shape(value: Any) -> Any:
    """What an answer says, without its values: names, and of which kind each is."""
    if isinstance(value, Mapping):
        return {name: shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@pytest.fixture
def alike(request: pytest.FixtureRequest, server: Served) -> Iterator[Any]:
    """Asks the engine and our emulator of it the same, and returns the status and the shape of both answers. `BASE` is
    what the engine's paths begin with and the emulator's address has already.
    """
    name, base = request.module.NAME, getattr(request.module, "BASE", "")
    with Emulator(seed=1, only=(name,), latency_s=0.0) as emulator:

        def said(method: str, path: str, **what: Any) -> list[tuple[int, Any]]:
            found = []
            for address in (server.url + base, emulator.url(name)):
                answer = httpx.request(method, address + path, timeout=30, trust_env=False, **what)
                kind = answer.headers.get("content-type", "").partition(";")[0]
                body = shape(json.loads(answer.content)) if kind == "application/json" else kind
                found.append((answer.status_code, body))
            return found

        yield said
