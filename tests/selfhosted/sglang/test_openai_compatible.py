"""The real SGLang diffusion server (from PyPI, on a CPU) over tiny random pipelines: what it makes, and how it dies."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage, TextToVideo
from tests.selfhosted.serving import Served, free_port, python

PROVES = {"text-to-image": "server", "text-to-video": "server"}
HERE = Path(__file__).parent
TINY = HERE.parent / "diffusers" / "tiny.py"
NAME = "openai_compatible"
ENVIRON = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE / "shim")}
SHORT = {"max_sequence_length": 32}
"""The tiny text encoders take no more."""
FILM = TextToVideo(prompt="a fox", size=(64, 64), duration_s=2, fps=8, seed=1)
PICTURE = TextToImage(prompt="a fox", size=(64, 64), seed=1)
RATE = '[[rate]]\nendpoint = "*"\nunit = "request"\nusd = "0"\nfrom = 2026-01-01\nnote = "my own machine"\n'
FOUR_K_PLUS_ONE = "frames = { multiple_of = 4, plus = 1 }\nlimits = { size = { multiple_of = 16 } }\n"
Client = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("weights")
    subprocess.run([python(), TINY, at], check=True, capture_output=True, env={**os.environ, **ENVIRON})
    return at


@contextmanager
def serving(pipeline: Path, at: Path) -> Iterator[Served]:
    """One server; even when it has nothing to do it takes a whole core, so there is one at a time."""
    words = ["serve", "--model-path", str(pipeline), "--model-type", "diffusion", "--backend", "diffusers"]
    # Its own warm-up is a picture of 1024x1024: ten minutes of a CPU.
    words += ["--warmup-mode", "off", "--sleep-on-idle", "--host", "127.0.0.1", "--port", "{port}"]
    words += ["--master-port", str(free_port()), "--scheduler-port", str(free_port())]  # not those of another one here
    command = [str(python().with_name("sglang")), *words]
    served = Served(command, at, lambda answer: answer.status_code == 200, "/health", ENVIRON, start_s=900)
    try:
        served.start()
        yield served
    finally:
        served.kill()


@pytest.fixture
def stable_diffusion(weights: Path, tmp_path: Path) -> Iterator[Served]:
    with serving(weights / "tiny-stable-diffusion", tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def served_wan(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(weights / "tiny-wan", tmp_path_factory.mktemp("wan")) as served:
        yield served


@pytest.fixture
def wan(served_wan: Served) -> Served:
    if not served_wan.ready():
        served_wan.kill()
        served_wan.start()
    return served_wan


@pytest.fixture
def client(opened: Callable[..., Aggregator], tmp_path: Path) -> Client:
    @asynccontextmanager
    async def project(server: Served, task: str, more: str = "") -> AsyncIterator[Any]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            [model] = (await http.get(f"{server.url}/v1/models")).json()["data"]
        cards = written(tmp_path / task, task, model["id"], more)
        async with opened(NAME, f"{server.url}/v1", cards=cards) as agg, agg.project("tests", budget_usd="1") as found:
            yield found

    return project


def written(home: Path, task: str, endpoint: str, more: str) -> Path:
    """The card, the offer and the price that a user would write."""
    offer = f'model = "tiny"\nendpoint = "{endpoint}"\ndialect = "sglang"\ntask = "{task}"\nchecked = 2026-11-21\n'
    files = {
        "models/tiny.toml": '[model]\nmaker = "mine"\ntier = "workhorse"\n',
        f"offers/{NAME}/tiny.toml": f'{offer}meters = [{{ unit = "request", quantity = "1" }}]\n{more}',
        f"rates/{NAME}.toml": RATE,
    }
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return home


def steps(number: int, **more: Any) -> dict[str, Any]:
    """A step is a tenth of a second, or less."""
    given = {"num_inference_steps": number, "generator_device": "cpu", "diffusers_kwargs": SHORT, **more}
    return {"model": "tiny", "provider_options": {NAME: given}}


async def until(server: Served, status: str, within_s: float = 60.0) -> None:
    """Wait until a clip of it has this status."""
    end = time.monotonic() + within_s
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        while time.monotonic() < end:
            jobs = (await http.get(f"{server.url}/v1/videos")).json()["data"]
            if any(job["status"] == status for job in jobs):
                return
            await asyncio.sleep(0.1)
    raise AssertionError(jobs)


# -------------------------------------------------------------------------------------------------------------- files


async def test_a_picture_is_what_was_asked_for(stable_diffusion, client) -> None:
    async with client(stable_diffusion, "text-to-image") as project:
        made = [await project.generate(PICTURE, **steps(2), key=f"{number}") for number in range(2)]
        other = await project.generate(PICTURE.with_(seed=2), **steps(2))
    facts = made[0].artifact.facts
    assert (made[0].artifact.mime_type, facts.width, facts.height) == ("image/jpeg", 64, 64)
    assert made[0].artifact.sha256 == made[1].artifact.sha256 != other.artifact.sha256, "the seed decides"


async def test_a_clip_has_the_frames_that_its_file_holds(wan, client) -> None:
    """Sixteen are ordered, and it makes seventeen without a word."""
    async with client(wan, "text-to-video") as project:
        facts = (await project.generate(FILM, **steps(2))).artifact.facts
    assert (facts.width, facts.height, facts.fps, facts.duration_s) == (64, 64, 8.0, 17 / 8)


async def test_it_is_known_by_its_pages(wan, discovered) -> None:
    found = await discovered(wan.url)
    assert (found.engine.dialect, found.version) == ("sglang", "0.5.23")


async def test_a_card_that_knows_the_rule_says_so_before(wan, client) -> None:
    async with client(wan, "text-to-video", FOUR_K_PLUS_ONE) as project:
        [change] = (await project.plan(FILM, **steps(2))).chosen.adjustments
        assert (change.field, change.asked, change.sent) == ("duration_s", 2, 17 / 8)
        assert (await project.generate(FILM, **steps(2))).artifact.facts.duration_s == 17 / 8


# ------------------------------------------------------------------------------------------ refusals and failures


async def test_what_it_refuses_was_not_made(wan, client) -> None:
    async with client(wan, "text-to-video") as project:
        with pytest.raises(errors.InvalidRequestError) as caught:
            await project.generate(FILM, **steps(2, num_inference_steps="many"))
        assert (caught.value.accepted, (await project.spend()).held_usd) == (False, 0)


async def test_what_its_pipeline_refuses_is_a_failed_job(wan, client) -> None:
    async with client(wan, "text-to-video") as project:
        with pytest.raises(errors.JobFailedError, match="divisible by 16"):
            await project.generate(FILM.with_(size=(72, 64)), **steps(2))
        assert (await project.spend()).held_usd == 0


# ------------------------------------------------------------------------------------------- cancel, overload, death


async def test_its_queue_has_no_end(wan, client) -> None:
    async with client(wan, "text-to-video") as project:
        jobs = [await project.submit(FILM.with_(seed=seed), **steps(2)) for seed in range(4)]
        made = [await job.result(wait_s=120) for job in jobs]
        assert len({one.artifact.sha256 for one in made}) == 4
        assert [(await job.record()).sends for job in jobs] == [1] * 4


async def test_a_cancel_claims_no_more_than_it_does(wan, client) -> None:
    """Nothing can stop it: the clip that comes of it is kept."""
    async with client(wan, "text-to-video") as project:
        job = await project.submit(FILM, **steps(30))
        await until(wan, "in_progress")
        assert await job.cancel() is False
        assert (await job.result(wait_s=120)).artifact.mime_type == "video/mp4"


async def test_a_server_that_is_killed_in_mid_job_has_forgotten_it(wan, client) -> None:
    async with client(wan, "text-to-video") as project:
        job = await project.submit(FILM, **steps(900))
        await until(wan, "in_progress")
        wan.kill()
        await asyncio.to_thread(wan.start)
        start = time.monotonic()
        with pytest.raises(errors.ProviderError):
            await job.result(wait_s=120)
        assert time.monotonic() - start < 100
        record = await job.record()
        assert (record.state.value, record.sends) == ("unknown", 1), "it is not sent a second time on a guess"
        again = await project.generate(FILM, **steps(2), key="again")
        assert again.artifact.mime_type == "video/mp4"
