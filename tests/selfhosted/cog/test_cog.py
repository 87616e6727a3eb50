"""The real Cog server (coglet, from PyPI) with a small model of ours: what it makes, how it ends, how it dies."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import ImageToImage, TextToImage, TextToSpeech, TextToVideo
from tests.selfhosted.serving import Served, python

PROVES = {
    "text-to-image": "server",
    "image-to-image": "server",
    "text-to-video": "server",
    "text-to-speech": "server",
}
HERE = Path(__file__).parent
STILL = HERE.parents[1] / "data" / "still.png"
FOX = TextToImage(prompt="a fox", size=(64, 48))
KINDS = {"width": "integer", "height": "integer", "steps": "integer", "seed": "integer", "seconds": "number"}
NAMES = ("prompt", "text", "makes", "image", "speaker")


def schema() -> dict[str, object]:
    """What `cog build` would have written: without it, the server checks nothing."""
    properties = {name: {"type": kind} for name, kind in (*KINDS.items(), *((name, "string") for name in NAMES))}
    inputs = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "components": {"schemas": {"Input": inputs}},
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("cog")
    shutil.copy(HERE / "model.py", at)
    (at / ".cog").mkdir()
    (at / ".cog" / "openapi_schema.json").write_text(json.dumps(schema()))
    command = [str(python()), "-m", "cog.server.http", "--host", "127.0.0.1"]
    # Its health is always a 200: what it says is in the body.
    served = Served(
        command,
        at,
        lambda answer: answer.json()["status"] == "READY",
        "/health-check",
        {"COG_PREDICT_TYPE_STUB": "model.py:Runner"},
    )
    served.start()
    yield served
    served.kill()


@pytest.fixture
async def agg(server: Served, opened: Callable[..., Aggregator]):
    if not server.ready():
        server.kill()
        server.start()
    async with opened("cog", server.url) as found:
        yield found


@pytest.fixture
async def project(agg: Aggregator):
    async with agg.project("tests", budget_usd="10") as found:
        yield found


async def until(server: Served, *, busy: bool, within_s: float = 10.0) -> None:
    """Wait until the server is at work, or free again."""
    end = time.monotonic() + within_s
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < end:
            said = (await http.get(f"{server.url}/health-check")).json()["status"]
            if (said == "BUSY") is busy:
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"it is still {said}")


async def test_a_picture_and_the_seconds_it_took(project) -> None:
    result = await project.generate(FOX, model="cog-mine")
    facts = result.artifact.facts
    assert (result.artifact.mime_type, facts.width, facts.height) == ("image/png", 64, 48)
    assert result.cost.source == "reported"
    assert result.cost.amount_usd is not None
    assert Decimal(0) < result.cost.amount_usd < Decimal("0.0003") * 10, "what the server says it took, by the rate"


async def test_a_picture_from_a_picture(project) -> None:
    result = await project.generate(ImageToImage(image=STILL, prompt="at night"), model="cog-mine")
    assert result.artifact.mime_type == "image/png"


async def test_a_clip(project) -> None:
    result = await project.generate(TextToVideo(prompt="a fox", duration_s=2), model="cog-mine")
    facts = result.artifact.facts
    assert (result.artifact.mime_type, facts.width, facts.duration_s, facts.fps) == ("video/mp4", 64, 2.0, 8.0)


async def test_speech(project) -> None:
    result = await project.generate(TextToSpeech(text="hello", voice="me"), model="cog-mine")
    assert (result.artifact.mime_type, result.artifact.facts.duration_s) == ("audio/wav", 1.0)


async def test_a_failure_on_http_200_is_one(project) -> None:
    with pytest.raises(errors.JobFailedError, match="no fox today"):
        await project.generate(FOX.with_(prompt="break"), model="cog-mine")
    spend = await project.spend()
    assert (spend.held_usd, spend.settled_usd) == (0, 0)


async def test_what_the_model_does_not_take_is_refused(project) -> None:
    with pytest.raises(errors.InvalidRequestError, match=r"input\.steps") as caught:
        await project.generate(FOX, model="cog-mine", provider_options={"cog": {"steps": "many"}})
    assert (caught.value.status_code, caught.value.accepted) == (422, False)


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    found = await discovered(server.url)
    assert (found.engine.provider, found.version) == ("cog", "0.23.1")


async def test_a_busy_server_is_asked_again(server, project) -> None:
    async with httpx.AsyncClient(trust_env=False) as other:
        body = {"input": {"prompt": "wait 60"}}
        await other.put(f"{server.url}/predictions/another", json=body, headers={"prefer": "respond-async"})
        await until(server, busy=True)
        job = await project.submit(FOX, model="cog-mine")
        async with asyncio.timeout(60):
            while (await job.record()).sends < 2:  # it was told that all slots are busy (409), and came again
                await asyncio.sleep(0.05)
        await other.post(f"{server.url}/predictions/another/cancel")
        await job.result(wait_s=60)


async def test_a_server_that_stays_busy_is_waited_for_until_the_deadline(server, project) -> None:
    async with httpx.AsyncClient(trust_env=False) as other:
        body = {"input": {"prompt": "wait 60"}}
        await other.put(f"{server.url}/predictions/long", json=body, headers={"prefer": "respond-async"})
        await until(server, busy=True)
        job = await project.submit(FOX, model="cog-mine", deadline_s=5)
        with pytest.raises(errors.ProviderError) as caught:
            await job.result(wait_s=60)
        assert caught.value.accepted is False
        await other.post(f"{server.url}/predictions/long/cancel")
    assert (await project.spend()).held_usd == 0


async def test_what_is_waited_for_can_be_canceled(server, project) -> None:
    job = await project.submit(FOX.with_(prompt="wait 60"), model="cog-mine")
    await until(server, busy=True)
    start = time.monotonic()
    assert await job.cancel() is True
    with pytest.raises(errors.JobCanceledError):
        await job.result()
    await until(server, busy=False)
    assert time.monotonic() - start < 10
    assert (await project.spend()).held_usd == 0


async def test_a_client_that_goes_away_leaves_no_work_behind(server, opened) -> None:
    async with opened("cog", server.url) as agg, agg.project("tests", budget_usd="10") as project:
        await project.submit(FOX.with_(prompt="wait 60"), model="cog-mine", key="k", deadline_s=5)
        await until(server, busy=True)
    await until(server, busy=False)  # the line was cut, and that cancels it
    async with opened("cog", server.url) as agg:
        ended = await agg.resume()
        assert [type(end) for end in ended.values()] == [errors.UnavailableError], "nobody knows: it is not sent again"


async def test_a_server_that_is_killed_in_mid_job(server, project) -> None:
    job = await project.submit(FOX.with_(prompt="wait 60"), model="cog-mine", max_usd="1")
    await until(server, busy=True)
    start = time.monotonic()
    server.kill()
    with pytest.raises(errors.UnavailableError) as caught:
        await job.result(wait_s=30)
    assert caught.value.accepted is None
    assert time.monotonic() - start < 10
    record = await job.record()
    assert (record.state.value, record.sends) == ("unknown", 1), "it is not sent a second time on a guess"
    assert (await project.spend()).held_usd > 0
    server.start()
    result = await project.generate(FOX, model="cog-mine")
    assert result.artifact.mime_type == "image/png"


async def test_a_server_that_is_not_there_was_never_asked(server, project) -> None:
    server.kill()
    with pytest.raises(errors.UnavailableError) as caught:
        await project.generate(FOX, model="cog-mine")
    assert caught.value.accepted is False
    assert (await project.spend()).held_usd == 0
