"""The same few orders at the emulator of both generations and, where `COMFYUI_URL` names one, at a real server.

The workflows need no weights: nodes that every ComfyUI has.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from aggregator import Aggregator, errors
from aggregator.project import Project
from aggregator.tasks import ImageToImage, TextToImage, TextToVideo
from aggregator.testing.emulator import Emulator
from tests.providers.harness import STILL

URL = "COMFYUI_URL"
SERVERS = ["jobs", "history", URL]
CARD = '[model]\nmaker = "mine"\ntier = "workhorse"\n'
RATE = '[[rate]]\nendpoint = "*"\nunit = "request"\nusd = "0"\nfrom = 2026-01-01\n'
HEAD = (
    'model = "mine"\nchecked = 2026-11-20\nmeters = [{{ unit = "request", quantity = "1" }}]\n'
    'endpoint = "{0}"\nworkflow = "{0}.json"\ntask = "{1}"\n'
)


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": title or kind}}


EMPTY = node("EmptyImage", "Canvas", width=64, height=64, batch_size=1, color=0)
MANY = {**EMPTY, "inputs": {**EMPTY["inputs"], "batch_size": 8}}
TEXT = node("PrimitiveString", "Words", value="nothing")
FIELDS = 'outputs = ["{Save}"]\n[fields]\nprompt = "{Words}.inputs.value"\n'
WORKFLOWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "still": (
        "text-to-image",
        {"1": EMPTY, "9": node("SaveImage", "Save", images=["1", 0], filename_prefix="aggregator"), "5": TEXT},
        f'{FIELDS}size = "{{Canvas}}.inputs.width {{Canvas}}.inputs.height"\n',
    ),
    "film": (
        "text-to-video",
        {
            "1": MANY,
            "2": node("CreateVideo", images=["1", 0], fps=8.0),
            "9": node(
                "SaveVideo", "Save", video=["2", 0], filename_prefix="video/aggregator", format="mp4", codec="h264"
            ),
            "5": TEXT,
        },
        FIELDS,
    ),
    "inverted": (
        "image-to-image",
        {
            "1": node("LoadImage", "Picture", image="example.png"),
            "2": node("ImageInvert", image=["1", 0]),
            "9": node("SaveImage", "Save", images=["2", 0], filename_prefix="aggregator"),
            "5": TEXT,
        },
        f'{FIELDS}image = "{{Picture}}.inputs.image"\n',
    ),
}


def cards(at: Path) -> Path:
    for name, text in (("models/mine.toml", CARD), ("rates/comfyui.toml", RATE)):
        (at / name).parent.mkdir(parents=True)
        (at / name).write_text(text)
    offers = at / "offers" / "comfyui"
    offers.mkdir(parents=True)
    for name, (task, graph, fields) in WORKFLOWS.items():
        (offers / f"{name}.toml").write_text(HEAD.format(name, task) + fields)
        (offers / f"{name}.json").write_text(json.dumps(graph))
    return at


@pytest.fixture(params=SERVERS)
async def project(request: pytest.FixtureRequest, quick: Path, tmp_path: Path) -> AsyncIterator[Project]:
    async with AsyncExitStack() as stack:
        if request.param == URL:
            address = os.environ.get(URL) or pytest.skip(f"{URL} is not set: no real server was asked")
        else:
            emulator = stack.enter_context(Emulator(seed=1, only=("comfyui",)))
            emulator.desk("comfyui").world["generation"] = request.param
            address = emulator.url("comfyui")
        config = {
            "directory": str(quick),
            "allow_ephemeral": True,
            "providers": {"comfyui": {"base_url": address}},
            "registry": {"paths": [str(cards(tmp_path / "cards"))]},
        }
        client = await stack.enter_async_context(Aggregator(config))
        yield await stack.enter_async_context(client.project("tests", budget_usd="10"))


async def bought(project: Project, request: Any, **options: Any) -> Any:
    job = await project.submit(request, model="mine", max_usd="1", deadline_s=120, **options)
    return await job.result()


async def test_a_picture(project):
    made = await bought(project, TextToImage(prompt="nothing", size=(96, 64)))
    assert (made.artifact.mime_type, made.artifact.facts.width, made.artifact.facts.height) == ("image/png", 96, 64)


async def test_a_clip(project):
    made = await bought(project, TextToVideo(prompt="nothing"))
    assert (made.artifact.mime_type, made.artifact.facts.width) == ("video/mp4", 64)


async def test_a_picture_that_is_handed_over(project):
    made = await bought(project, ImageToImage(prompt="nothing", image=STILL))
    assert made.artifact.mime_type == "image/png"


async def test_the_same_again_is_a_job_and_a_file_of_its_own(project):
    names = [(await bought(project, TextToImage(prompt=f"{n}", size=(64, 64)), key=f"{n}")).job_id for n in range(2)]
    assert len(set(names)) == 2


async def test_what_the_server_does_not_take_is_said(project):
    options = {"comfyui": {"1.inputs.batch_size": 100_000}}
    with pytest.raises(errors.InvalidRequestError, match=r"EmptyImage \(1\).*4096") as caught:
        await bought(project, TextToImage(prompt="nothing"), provider_options=options)
    assert (caught.value.accepted, caught.value.code) == (False, "value_bigger_than_max")


async def test_a_node_that_is_not_there_is_named(project):
    options = {"comfyui": {"77.class_type": "NoSuchNode", "77.inputs": {}}}
    with pytest.raises(errors.InvalidRequestError, match="NoSuchNode"):
        await bought(project, TextToImage(prompt="nothing"), provider_options=options)
