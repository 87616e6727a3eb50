"""Our own server over real diffusers pipelines with random weights: what it makes, how it stops, how it dies."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import ImageToImage, ImageToVideo, Lora, TextToImage, TextToSound, TextToVideo
from tests.selfhosted.serving import Served, python

HERE = Path(__file__).parent
CARDS = HERE / "cards"
STILL = HERE.parents[1] / "data" / "still.png"
FILM = TextToVideo(prompt="a fox", size=(64, 64), duration_s=1, fps=16)
RAIN = TextToSound(prompt="rain", duration_s=1.5, seed=3)
PICTURE = TextToImage(prompt="a fox", size=(64, 64))


def steps(number: int) -> dict[str, Any]:
    """How long a job of Wan takes; a step is a few hundredths of a second."""
    return {"model": "tiny-wan", "provider_options": {"openai_compatible": {"num_inference_steps": number}}}


OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("weights")
    subprocess.run([python(), HERE / "tiny.py", at], check=True, capture_output=True, env=OFFLINE)
    return at


MODELS = {
    "wan": ("--queue", "2"),
    "ltx": (),
    "stable-diffusion": (),
    "flux": ("--lora", "ink={weights}/ink@0"),
    "stable-audio": (),
}
"""What each server is started with besides."""


def command(weights: Path, at: Path, *more: str) -> list[str]:
    told = ["--port", "{port}", "--dir", str(at / "jobs"), *(one.format(weights=weights.parent) for one in more)]
    return [str(python()), "-m", "aggregator.cli", "serve-diffusers", str(weights), *told]


@pytest.fixture(scope="session")
def servers(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    """One for each model; importing torch is what takes them so long, so two are started at a time."""
    found = {}
    for name, more in MODELS.items():
        at = tmp_path_factory.mktemp(name)
        words = command(weights / f"tiny-{name}", at, *more)
        found[name] = Served(words, at, lambda answer: answer.status_code == 200, "/health", OFFLINE)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Served.start, found.values()))
    yield found
    for one in found.values():
        one.kill()


@pytest.fixture
def wan(servers: dict[str, Served]) -> Served:
    return servers["wan"]


@pytest.fixture
def ltx(servers: dict[str, Served]) -> Served:
    return servers["ltx"]


@pytest.fixture
def stable_diffusion(servers: dict[str, Served]) -> Served:
    return servers["stable-diffusion"]


@pytest.fixture
def flux(servers: dict[str, Served]) -> Served:
    return servers["flux"]


@pytest.fixture
def stable_audio(servers: dict[str, Served]) -> Served:
    return servers["stable-audio"]


@pytest.fixture
def client(opened: Callable[..., Aggregator]) -> Callable[[Served], Any]:
    """`async with client(server) as project`."""

    class Opened:
        def __init__(self, server: Served) -> None:
            self.agg = opened("openai_compatible", f"{server.url}/v1", cards=CARDS)

        async def __aenter__(self):
            await self.agg.__aenter__()
            self.project = self.agg.project("tests", budget_usd="10")
            return await self.project.__aenter__()

        async def __aexit__(self, *how: object) -> None:
            await self.project.__aexit__(*how)
            await self.agg.__aexit__(*how)

    return Opened


async def listed(server: Served) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{server.url}/v1/videos?limit=100")).json()["data"]


async def until(server: Served, done: Callable[[list[dict[str, Any]]], bool], within_s: float = 60.0) -> None:
    """Wait until its list of clips is as wanted."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if done(jobs := await listed(server)):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(jobs)


def at_work(jobs: list[dict[str, Any]]) -> bool:
    return any(job["status"] == "in_progress" and job["progress"] > 0 for job in jobs)


def idle(jobs: list[dict[str, Any]]) -> bool:
    return all(job["status"] not in ("queued", "in_progress") for job in jobs)


# -------------------------------------------------------------------------------------------------------------- files


async def test_a_clip_of_wan_is_what_its_file_holds(wan, client) -> None:
    async with client(wan) as project:
        result = await project.generate(FILM.with_(seed=4), **steps(3))
        facts = result.artifact.facts
        assert (result.artifact.mime_type, facts.width, facts.height) == ("video/mp4", 64, 64)
        assert (facts.fps, facts.duration_s) == (16.0, pytest.approx(17 / 16, abs=0.01))
        assert result.artifact.lineage.seed == 4
        assert (result.cost.source, result.cost.amount_usd > Decimal(0)) == ("reported", True)


async def test_a_clip_of_five_seconds_has_all_its_frames(wan, client) -> None:
    async with client(wan) as project:
        facts = (await project.generate(FILM.with_(duration_s=5), **steps(2))).artifact.facts
    assert (facts.fps, facts.duration_s) == (16.0, pytest.approx(81 / 16, abs=0.01))


async def test_a_sound_is_as_long_as_it_was_ordered(stable_audio, client) -> None:
    async with client(stable_audio) as project:
        made = [
            await project.generate(rain.with_(format=kind), model="tiny-stable-audio", key=f"{kind} {rain.seed}")
            for rain in (RAIN, RAIN.with_(seed=4))
            for kind in ("wav", "flac")
        ]
    assert [one.artifact.mime_type for one in made[:2]] == ["audio/wav", "audio/flac"]
    assert [one.artifact.facts.duration_s for one in made] == [1.5] * 4
    assert made[0].artifact.lineage.seed == 3
    assert made[0].artifact.sha256 != made[2].artifact.sha256
    assert made[0].cost.source == "reported"


async def test_the_same_seed_makes_the_same_file(wan, client) -> None:
    async with client(wan) as project:
        shas = []
        for number, seed in enumerate((4, 4, 5)):
            result = await project.generate(FILM.with_(seed=seed), **steps(3), key=f"seed-{number}")
            shas.append(result.artifact.sha256)
    assert shas[0] == shas[1] != shas[2]


async def test_clips_of_ltx_from_a_text_and_from_a_picture(ltx, client) -> None:
    async with client(ltx) as project:
        for request in (
            FILM.with_(fps=25),
            ImageToVideo(prompt="go", image=STILL, size=(64, 64), duration_s=1, fps=25),
        ):
            result = await project.generate(request, model="tiny-ltx")
            facts = result.artifact.facts
            assert (facts.width, facts.fps, facts.duration_s) == (64, 25.0, pytest.approx(1.0, abs=0.05))


async def test_pictures_of_stable_diffusion_and_an_edit(stable_diffusion, client) -> None:
    async with client(stable_diffusion) as project:
        made = await project.generate(PICTURE.with_(negative_prompt="text", seed=3), model="tiny-stable-diffusion")
        assert (made.artifact.mime_type, made.artifact.facts.width, made.artifact.lineage.seed) == ("image/png", 64, 3)
        edit = ImageToImage(prompt="at night", image=made.artifact.path, strength=0.5, seed=3)
        edited = await project.generate(edit, model="tiny-stable-diffusion")
        assert (edited.artifact.mime_type, edited.artifact.facts.width) == ("image/png", 64)


async def test_an_adapter_changes_what_flux_makes(flux, client) -> None:
    async with client(flux) as project:
        plain = await project.generate(PICTURE.with_(seed=3), model="tiny-flux")
        inked = PICTURE.with_(seed=3, loras=(Lora(weights="ink", scale=1.0),))
        changed = await project.generate(inked, model="tiny-flux")
        again = await project.generate(PICTURE.with_(seed=3), model="tiny-flux", key="again")
        assert plain.artifact.sha256 == again.artifact.sha256 != changed.artifact.sha256
        with pytest.raises(errors.InvalidRequestError, match="'pencil' was not given to the server"):
            await project.generate(inked.with_(loras=(Lora(weights="pencil"),)), model="tiny-flux")


# -------------------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": (70, 64)}, "64x64 is the nearest to 70x64"),
        ({"duration_s": 1.2}, "num_frames 21, which is 1.3125 seconds"),
    ],
)
async def test_what_wan_would_round_is_refused_with_the_nearest(wan, client, changed, said) -> None:
    async with client(wan) as project:
        with pytest.raises(errors.InvalidRequestError) as caught:
            await project.generate(FILM.with_(**changed), **steps(3))
        assert said in str(caught.value)
        assert caught.value.accepted is False
        assert (await project.spend()).held_usd == 0


async def test_what_the_pipeline_refuses_fails_in_its_words(wan, client) -> None:
    async with client(wan) as project:
        options = {
            "openai_compatible": {"guidance_scale_2": 3.0, "num_inference_steps": 3}
        }  # for two experts; this one has one
        with pytest.raises(errors.JobFailedError, match="guidance_scale_2"):
            await project.generate(FILM, model="tiny-wan", provider_options=options)


# ------------------------------------------------------------------------------------------- cancel, overload, death


async def test_it_is_known_by_its_pages(wan, discovered) -> None:
    found = await discovered(wan.url)
    assert (found.engine.dialect, [one.tasks for one in found.models]) == ("diffusers", [("text-to-video",)])


async def test_a_job_is_stopped_between_two_steps(wan, client) -> None:
    async with client(wan) as project:
        job = await project.submit(FILM, **steps(900))
        await until(wan, at_work)
        start = time.monotonic()
        assert await job.cancel() is True
        with pytest.raises(errors.JobCanceledError):
            await job.result()
        quick = await project.generate(FILM.with_(seed=8), **steps(3))
        assert quick.artifact.mime_type == "video/mp4", "the worker is free again"
        assert time.monotonic() - start < 40
    [canceled] = [one for one in await listed(wan) if one["steps"] and one["steps"]["total"] == 900]
    assert canceled["status"] == "canceled"
    assert 0 < canceled["steps"]["done"] < 900


async def test_a_full_queue_is_asked_again(wan, client) -> None:
    long = {"prompt": "a fox", "size": "64x64", "num_frames": 5, "num_inference_steps": 900, "max_sequence_length": 32}
    async with client(wan) as project, httpx.AsyncClient(trust_env=False, base_url=wan.url) as other:
        ids = [(await other.post("/v1/videos", json=long)).json()["id"]]
        await until(wan, at_work)
        ids += [(await other.post("/v1/videos", json=long)).json()["id"] for _ in range(2)]
        refused = await other.post("/v1/videos", json=long)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert 1 <= int(refused.headers["retry-after"]) <= 600
        job = await project.submit(FILM.with_(seed=12), **steps(3))
        while (await job.record()).sends == 0:
            await asyncio.sleep(0.05)
        await asyncio.sleep(3)  # a send is counted before it leaves: by now its refusal is back
        for job_id in ids:
            await other.delete(f"/v1/videos/{job_id}")
        await job.result(wait_s=60)
        assert (await job.record()).sends > 1, "it was told that the queue is full (429), and came again"
    assert len([one for one in await listed(wan) if one["seed"] == 12]) == 1


async def test_a_server_that_is_killed_in_mid_job_goes_on_when_it_is_back(wan, client) -> None:
    async with client(wan) as project:
        job = await project.submit(FILM.with_(seed=6), **steps(60))
        await until(wan, at_work)
        wan.kill()
        await asyncio.to_thread(wan.start)
        result = await job.result(wait_s=120)
        assert (result.artifact.lineage.seed, (await job.record()).sends) == (6, 1)
    [again] = [one for one in await listed(wan) if one["seed"] == 6]
    assert (again["status"], again["steps"]["total"]) == ("completed", 60)


async def test_a_key_that_comes_again_makes_no_second_picture(flux) -> None:
    asked = {"prompt": "a fox", "size": "64x64", "num_inference_steps": 2}
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers={"Idempotency-Key": "one"}) as http:
        answers = await asyncio.gather(*(http.post(f"{flux.url}/v1/images/generations", json=asked) for _ in range(3)))
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_weights_that_are_none_end_the_command_with_the_reason(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    words = [word.format(port=0) for word in command(tmp_path / "empty", tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300, env=OFFLINE, check=False)
    assert ended.returncode == 1
    assert "the weights cannot be served" in ended.stderr.splitlines()[-1]
    assert str(tmp_path) not in ended.stderr.splitlines()[-1]
