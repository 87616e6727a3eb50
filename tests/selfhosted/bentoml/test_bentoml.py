"""The real BentoML server (from PyPI) with a small service of ours: methods, tasks, how they end, how it dies."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import ImageToImage, ImageToVideo, TextToImage, TextToVideo
from tests.selfhosted.serving import Served, python

PROVES = {
    "text-to-image": "server",
    "image-to-image": "server",
    "text-to-video": "server",
    "image-to-video": "server",
}
HERE = Path(__file__).parent
STILL = HERE.parents[1] / "data" / "still.png"
FOX = TextToImage(prompt="a fox", size=(64, 48))
CLIP = TextToVideo(prompt="a fox", duration_s=2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("bentoml")
    shutil.copy(HERE / "service.py", at)
    command = [str(python().with_name("bentoml")), "serve", "service:Toy", "--host", "127.0.0.1", "--port", "{port}"]
    environ = {"BENTOML_HOME": str(at / "home"), "BENTOML_DO_NOT_TRACK": "True"}
    served = Served(command, at, lambda answer: answer.status_code == 200, "/readyz", environ)
    served.start()
    yield served
    served.kill()


@pytest.fixture
async def agg(server: Served, opened: Callable[..., Aggregator]):
    if not server.ready():
        server.kill()
        server.start()
    async with opened("bentoml", server.url) as found:
        yield found


@pytest.fixture
async def project(agg: Aggregator):
    async with agg.project("tests", budget_usd="10") as found:
        yield found


async def test_a_picture(project) -> None:
    result = await project.generate(FOX, model="bentoml-mine", max_usd="1")
    facts = result.artifact.facts
    assert (result.artifact.mime_type, facts.width, facts.height) == ("image/png", 64, 48)


async def test_a_picture_from_a_picture_is_a_form(project) -> None:
    request = ImageToImage(image=STILL, prompt="1984", strength=0.7)
    result = await project.generate(request, model="bentoml-mine", max_usd="1")
    assert result.artifact.facts.width == 32, "a prompt that looks like a number is a text all the same"


async def test_a_clip_is_a_task(project) -> None:
    result = await project.generate(CLIP, model="bentoml-mine", max_usd="1")
    facts = result.artifact.facts
    assert (result.artifact.mime_type, facts.width, facts.duration_s) == ("video/mp4", 64, 2.0)


async def test_a_clip_from_a_picture_is_a_task_in_a_form(project) -> None:
    result = await project.generate(ImageToVideo(image=STILL, prompt="go"), model="bentoml-mine", max_usd="1")
    assert (result.artifact.mime_type, result.artifact.facts.duration_s) == ("video/mp4", 1.0)


@pytest.mark.parametrize("request_", [FOX, CLIP], ids=["at once", "as a task"])
async def test_a_failure(project, request_) -> None:
    with pytest.raises(errors.JobFailedError) as caught:
        await project.generate(request_.with_(prompt="break"), model="bentoml-mine", max_usd="1")
    assert caught.value.accepted is True
    spend = await project.spend()
    assert (spend.held_usd, spend.settled_usd) == (0, 0)


async def test_what_the_service_does_not_take_is_refused(project) -> None:
    request = ImageToImage(image=STILL, prompt="a fox", strength=0.5)
    with pytest.raises(errors.InvalidRequestError, match="blur: ") as caught:
        await project.generate(
            request, model="bentoml-mine", max_usd="1", provider_options={"bentoml": {"blur": "much"}}
        )
    assert (caught.value.status_code, caught.value.accepted) == (400, False)


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    assert (await discovered(server.url)).engine.provider == "bentoml"


async def test_a_busy_server_is_asked_again(server, project) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as other:
        body = {"prompt": "wait 2"}
        held = [asyncio.create_task(other.post(f"{server.url}/text-to-image", json=body)) for _ in range(2)]
        await asyncio.sleep(0.5)
        job = await project.submit(FOX, model="bentoml-mine", max_usd="1")
        await job.result()
        await asyncio.gather(*held)
    assert (await job.record()).sends > 1, "it was told that there are too many (429), and came again"


async def test_a_task_cannot_be_canceled_here_and_is_followed_to_its_end(project) -> None:
    job = await project.submit(CLIP.with_(prompt="wait 2"), model="bentoml-mine", max_usd="1")
    await asyncio.sleep(0.5)
    assert await job.cancel() is False, "the server would call it canceled, and go on"
    assert (await job.result()).artifact.mime_type == "video/mp4"


async def test_a_server_that_is_killed_while_it_is_waited_for(server, project) -> None:
    job = await project.submit(FOX.with_(prompt="wait 60"), model="bentoml-mine", max_usd="1")
    await asyncio.sleep(1.0)
    start = time.monotonic()
    server.kill()
    with pytest.raises(errors.UnavailableError) as caught:
        await job.result(wait_s=30)
    assert caught.value.accepted is None
    assert time.monotonic() - start < 10
    assert ((await job.record()).state.value, (await job.record()).sends) == ("unknown", 1)
    assert (await project.spend()).held_usd > 0


async def test_a_task_whose_server_is_killed_ends_by_its_deadline(server, project) -> None:
    job = await project.submit(CLIP.with_(prompt="wait 60"), model="bentoml-mine", max_usd="1", deadline_s=8)
    await asyncio.sleep(1.5)
    server.kill()
    server.start()  # a server that starts forgets every task: it removes the database in which they were
    with pytest.raises(errors.ProviderError) as caught:
        await job.result(wait_s=60)
    assert caught.value.accepted is not False
    assert (await job.record()).state.value == "unknown"
    assert (await project.spend()).held_usd > 0


async def test_a_task_outlives_the_client(server, opened) -> None:
    if not server.ready():
        server.start()
    request = CLIP.with_(prompt="wait 1")
    async with opened("bentoml", server.url) as agg, agg.project("tests", budget_usd="10") as project:
        job = await project.submit(request, model="bentoml-mine", max_usd="1", key="k")
        while (await job.record()).remote_id is None:
            await asyncio.sleep(0.05)
    async with opened("bentoml", server.url) as agg:
        assert [*(await agg.resume()).values()] == ["stored"]
        async with agg.project("tests") as project:
            kept = await project.generate(request, model="bentoml-mine", max_usd="1", key="k")
        assert kept.artifact.facts.duration_s == 2.0
