"""The real Ray Serve (from PyPI) with a small deployment of ours: its answer, its full queue, its end in mid-job."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from tests.selfhosted.serving import Served, python

PROVES = {"text-to-image": "server"}
HERE = Path(__file__).parent
FOX = TextToImage(prompt="a fox", size=(64, 48))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("ray")
    shutil.copy(HERE / "deploy.py", at)
    short = tempfile.mkdtemp(prefix="ray-")  # its sockets must have short names
    environ = {"RAY_USAGE_STATS_ENABLED": "0"}
    command = [str(python()), "deploy.py", "{port}", short]
    served = Served(command, at, lambda answer: "/studio" in answer.json(), "/-/routes", environ, start_s=240)
    served.start()
    yield served
    served.kill()
    shutil.rmtree(short, ignore_errors=True)


@pytest.fixture
async def project(server: Served, opened: Callable[..., Aggregator]):
    async with opened("ray_serve", server.url) as agg, agg.project("tests", budget_usd="10") as found:
        yield found


async def test_a_picture(project) -> None:
    result = await project.generate(FOX, model="ray_serve-mine", max_usd="1")
    facts = result.artifact.facts
    assert (result.artifact.mime_type, facts.width, facts.height) == ("image/png", 64, 48)


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    assert (await discovered(server.url)).engine.provider == "ray_serve"


async def test_an_exception_is_a_failed_job(project) -> None:
    with pytest.raises(errors.JobFailedError):
        await project.generate(FOX.with_(prompt="break"), model="ray_serve-mine", max_usd="1")
    assert (await project.spend()).held_usd == 0


async def test_a_full_queue_takes_nothing_and_is_asked_again(server, project) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as other:
        body = {"prompt": "wait 4"}
        held = [asyncio.create_task(other.post(f"{server.url}/studio/x", json=body))]
        await asyncio.sleep(0.5)  # one is at work; of those that come now one waits, and the others are refused
        held += [asyncio.create_task(other.post(f"{server.url}/studio/x", json=body)) for _ in range(3)]
        await asyncio.sleep(0.5)
        job = await project.submit(FOX, model="ray_serve-mine", max_usd="1")
        await job.result()
        await asyncio.gather(*held)
    assert (await job.record()).sends > 1, "its queue was full (503)"


async def test_a_server_that_is_killed_in_mid_job(server, project) -> None:
    job = await project.submit(FOX.with_(prompt="wait 60"), model="ray_serve-mine", max_usd="1")
    await asyncio.sleep(1.0)
    start = time.monotonic()
    server.kill()
    with pytest.raises(errors.ProviderError):
        await job.result(wait_s=60)
    assert time.monotonic() - start < 30
    assert (await job.record()).state.value in ("unknown", "failed")
    assert (await job.record()).sends == 1
