"""Comfy's own `comfy-api-proxy` (PyPI), unmodified, before our client. The ComfyUI behind it is the emulator's; one of
your own takes its place by `COMFYUI_URL` (its nodes need no weights).
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import ImageToImage, TextToImage, TextToVideo
from aggregator.testing.emulator import Emulator
from aggregator.testing.recording import Recording
from tests.comfyui.test_real import CARD, FIELDS, HEAD, RATE, WORKFLOWS, node
from tests.selfhosted.serving import Served, python

PROVES = {
    "text-to-image": "schema",
    "image-to-image": "schema",
    "text-to-video": "schema",
}
NAME, TOKEN = "comfyui_v2", "a-token"
STILL = Path(__file__).parents[2] / "data" / "still.png"
FOX = TextToImage(prompt="a fox", size=(64, 48))
SHOWN = {**WORKFLOWS["still"][1], "7": node("PreviewImage", images=["1", 0])}
"""Beside what is kept, one that is only shown."""
JUDGE = """
import json, sys
from comfy_low.models import Asset, ErrorEnvelope, Job, JobWorkflowResponse
from pydantic import ValidationError
models = {one.__name__: one for one in (Asset, ErrorEnvelope, Job, JobWorkflowResponse)}
for name, body in json.load(sys.stdin):
    try:
        models[name].model_validate(body)
    except ValidationError as error:
        print(name, error)
"""


@pytest.fixture(scope="module")
def comfyui() -> Iterator[str]:
    if address := os.environ.get("COMFYUI_URL"):
        yield address
        return
    with Emulator(seed=1, only=("comfyui",), latency_s=1.0) as emulator:
        yield emulator.url("comfyui")


@pytest.fixture(scope="module")
def server(comfyui: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("proxy")
    given = ["run", "--comfyui", comfyui, "--port", "{port}", "--token", TOKEN, "--state-dir", "state"]
    command = [str(python().with_name("comfy-api-proxy")), *given]
    served = Served(command, at, lambda answer: answer.json()["status"] == "healthy", "/api/v2/health")
    served.start()
    yield served
    served.kill()


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    files = {"models/mine.toml": CARD, f"rates/{NAME}.toml": RATE}
    for name, (task, graph, fields) in {**WORKFLOWS, "shown": ("text-to-image", SHOWN, FIELDS)}.items():
        outputs = "" if "outputs" in fields else 'outputs = ["{Save}"]\n'
        files |= {
            f"offers/{NAME}/{name}.toml": HEAD.format(name, task) + outputs + fields,
            f"offers/{NAME}/{name}.json": json.dumps(graph),
        }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
async def project(server: Served, cards: Path, opened: Callable[..., Aggregator], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROXY_TOKEN", TOKEN)
    client = opened(NAME, server.url, cards=cards, api_key_env="PROXY_TOKEN")
    async with client as agg, agg.project("tests", budget_usd="10") as found:
        yield found


def order(name: str, **options: Any) -> dict[str, Any]:
    return {"model": f"{NAME}:{name}", "max_usd": "1", **options}


async def test_a_picture(project):
    made = await project.generate(FOX, **order("still"))
    assert (made.artifact.mime_type, made.artifact.facts.width, made.artifact.facts.height) == ("image/png", 64, 48)


async def test_a_clip_that_is_called_an_image(project):
    made = await project.generate(TextToVideo(prompt="a fox"), **order("film"))
    assert made.artifact.mime_type == "video/mp4"


async def test_a_picture_that_is_handed_over(project):
    made = await project.generate(ImageToImage(prompt="at night", image=STILL), **order("inverted"))
    assert made.artifact.mime_type == "image/png"


async def test_what_is_only_shown_is_not_made(project):
    made = await project.generate(FOX.with_(size=None), **order("shown"))
    assert len(made.artifacts) == 1


async def test_what_the_server_does_not_take_is_said(project):
    wrong = {NAME: {"1.inputs.batch_size": 100_000}}
    with pytest.raises(errors.InvalidRequestError, match=r"EmptyImage \(1\).*4096") as caught:
        await project.generate(FOX, **order("still", provider_options=wrong))
    assert (caught.value.accepted, caught.value.code) == (False, "invalid_workflow")
    assert (await project.spend()).held_usd == 0


async def test_without_the_token_nothing_is_asked(server, cards, opened):
    async with opened(NAME, server.url, cards=cards) as agg, agg.project("tests", budget_usd="1") as other:
        with pytest.raises(errors.AuthenticationError) as caught:
            await other.generate(FOX, **order("still"))
    assert caught.value.accepted is False


async def test_a_job_is_canceled(project, comfyui):
    job = await project.submit(FOX.with_(prompt="stop"), **order("still"))
    while (await job.record()).remote_id is None:
        await asyncio.sleep(0.02)
    assert await job.cancel() is True
    with pytest.raises(errors.JobCanceledError):
        await job.result(wait_s=30)
    assert (await project.spend()).held_usd == 0
    queue = httpx.get(f"{comfyui}/queue", trust_env=False).json()
    assert (queue["queue_running"], queue["queue_pending"]) == ([], [])


async def test_a_proxy_that_is_killed_in_mid_job_goes_on_with_it(server, project):
    job = await project.submit(FOX.with_(prompt="die"), **order("still"), deadline_s=120)
    while (await job.record()).remote_id is None:
        await asyncio.sleep(0.02)
    server.kill()
    await asyncio.to_thread(server.start)
    made = await job.result(wait_s=120)
    assert (made.artifact.mime_type, (await job.record()).sends) == ("image/png", 1)


async def test_it_is_known_by_its_pages(server, discovered):
    assert (await discovered(server.url)).engine.provider == NAME


def test_what_the_emulator_says_is_what_comfys_own_models_read():
    recording = Recording.read(Path(f"tests/providers/{NAME}/recording.json"))
    said = [one["answer"].get("json") for case in recording.cases for one in case["exchanges"]]
    bodies = [body for body in said if isinstance(body, dict)]
    named = [(next(model for key, model in KINDS.items() if key in body), body) for body in bodies]
    assert {model for model, _ in named} == set(KINDS.values())
    told = subprocess.run(
        [str(python()), "-c", JUDGE], input=json.dumps(named), capture_output=True, text=True, check=True
    )
    assert told.stdout == ""


KINDS = {"urls": "Job", "file_path": "Asset", "format": "JobWorkflowResponse", "error": "ErrorEnvelope"}
"""Which of them an answer is, by the first name that it has."""
