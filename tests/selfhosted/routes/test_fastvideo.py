"""FastVideo's own routes (fastvideo 0.2.1), whose generator draws: clips as jobs, pictures at once."""

import asyncio
from pathlib import Path

import httpx
import pytest

from aggregator import errors
from aggregator.tasks import ImageToImage, ImageToVideo, TextToImage, TextToVideo

ENGINE, NAME, MINE, BASE = "fastvideo", "openai_compatible", "mine-fast", "/v1"
STILL = Path(__file__).parents[2] / "data" / "still.png"
CLIP = TextToVideo(prompt="a fox", duration_s=1, fps=8, size=(64, 48), seed=7)
MODEL = "fastvideo/wan-2.2"


@pytest.fixture
async def project(server, opened):
    async with opened(NAME, f"{server.url}/v1") as agg, agg.project("tests", budget_usd="9") as found:
        yield found


async def test_a_clip_and_the_seconds_it_took(project) -> None:
    made = await project.generate(CLIP, model=MINE, max_usd="1")
    facts = made.artifact.facts
    assert (made.artifact.mime_type, facts.width, facts.duration_s, facts.fps) == ("video/mp4", 64, 1.0, 8.0)


async def test_a_clip_of_a_picture(project) -> None:
    order = ImageToVideo(prompt="a fox", image=STILL, duration_s=1, fps=8)
    made = await project.generate(order, model=MINE, max_usd="1")
    assert (made.artifact.mime_type, made.artifact.facts.fps) == ("video/mp4", 8.0)


async def test_a_picture_and_one_that_is_edited(project) -> None:
    made = await project.generate(TextToImage(prompt="a fox", size=(64, 48)), model=MINE, max_usd="1")
    assert (made.artifact.mime_type, made.artifact.facts.width) == ("image/jpeg", 64)
    made = await project.generate(ImageToImage(prompt="at night", image=STILL), model=MINE, max_usd="1")
    assert made.artifact.mime_type == "image/jpeg"


async def test_a_failure_is_said(project) -> None:
    with pytest.raises(errors.JobFailedError, match="no fox today"):
        await project.generate(CLIP.with_(prompt="break"), model=MINE, max_usd="1")


async def test_what_was_being_made_when_it_was_killed_is_gone(server, project) -> None:
    job = await project.submit(CLIP.with_(prompt="wait"), model=MINE, max_usd="1", deadline_s=10)
    while (await job.record()).remote_id is None:
        await asyncio.sleep(0.02)
    server.kill()
    await asyncio.to_thread(server.start)
    with pytest.raises(errors.ProviderError):
        await job.result(wait_s=60)
    record = await job.record()
    assert (record.state.value, record.sends) == ("unknown", 1), "it is not sent a second time on a guess"


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    found = await discovered(server.url)
    assert (found.engine.dialect, [one.name for one in found.models]) == ("fastvideo", [MODEL])


@pytest.mark.parametrize("body", [{"prompt": "a fox", "model": MODEL, "size": "64x48"}, {"model": MODEL}])
def test_the_emulator_answers_alike(alike, body) -> None:
    real, emulated = alike("POST", "/videos", json=body)
    assert emulated[0] == real[0]
    assert set(emulated[1]) <= set(real[1]), "it says nothing that the real one does not"
    assert all(real[1][name] in (kind, "NoneType") for name, kind in emulated[1].items())


def test_a_job_that_is_not_there(server) -> None:
    answer = httpx.get(f"{server.url}/v1/videos/none", trust_env=False)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Video not found"})
