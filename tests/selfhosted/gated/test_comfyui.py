"""A ComfyUI at `COMFYUI_URL`, or one that `COMFYUI_COMMAND` starts (`python main.py --cpu --port {port}`): that one is
killed in mid-job too, and started again. It needs no weights: the nodes are those that every ComfyUI has.
"""

import asyncio
import json
import os
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from tests.comfyui.test_real import CARD, FIELDS, HEAD, RATE, TEXT, node
from tests.selfhosted.serving import Served

URL, COMMAND = os.environ.get("COMFYUI_URL"), os.environ.get("COMFYUI_COMMAND")
WHY = "COMFYUI_URL and COMFYUI_COMMAND are not set: no real ComfyUI was asked"
pytestmark = pytest.mark.skipif(not URL and not COMMAND, reason=WHY)
SIDE = {"width": 2048, "height": 2048}
BLUR = node("ImageBlur", image=["1", 0], blur_radius=31, sigma=9.0)
LAST = node("SaveImage", "Save", images=["2", 0], filename_prefix="aggregator")
WORKFLOWS: dict[str, dict[str, Any]] = {
    # Some ten seconds of a CPU: it stops between two nodes.
    "slow": {"1": node("EmptyImage", "Canvas", **SIDE, batch_size=8, color=0), "2": BLUR, "9": LAST, "5": TEXT},
    "quick": {"2": node("EmptyImage", width=64, height=64, batch_size=1, color=0), "9": LAST, "5": TEXT},
}
BOTH = {
    **WORKFLOWS["quick"],
    "3": node("EmptyImage", "Wrong", width=64, height=64, batch_size=1, color=0),
    "8": node("SaveImage", "Other", images=["3", 0], filename_prefix="aggregator"),
}
FOX = TextToImage(prompt="a fox")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served | str]:
    if COMMAND is None:
        yield str(URL)
        return
    at = tmp_path_factory.mktemp("comfyui")
    served = Served(shlex.split(COMMAND), at, lambda answer: answer.status_code == 200, "/system_stats", start_s=300)
    try:
        served.start()
        yield served
    finally:
        served.kill()


@pytest.fixture
def url(server: Served | str) -> str:
    return server if isinstance(server, str) else server.url


@pytest.fixture
async def project(url: str, tmp_path: Path, opened: Callable[..., Aggregator]):
    files = {"models/mine.toml": CARD, "rates/comfyui.toml": RATE}
    for name, graph in {**WORKFLOWS, "both": BOTH}.items():
        fields = FIELDS if name != "both" else FIELDS.replace('outputs = ["{Save}"]\n', "")
        files |= {
            f"offers/comfyui/{name}.toml": HEAD.format(name, "text-to-image") + fields,
            f"offers/comfyui/{name}.json": json.dumps(graph),
        }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    async with opened("comfyui", url, cards=tmp_path) as agg, agg.project("tests", budget_usd="1") as found:
        yield found


def ordered(name: str, **options: Any) -> dict[str, Any]:
    return {"model": f"comfyui:{name}", "max_usd": "1", **options}


async def until_it_runs(url: str) -> None:
    end = time.monotonic() + 60
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < end:
            if (await http.get(f"{url}/queue")).json()["queue_running"]:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("nothing runs")


async def test_what_runs_is_stopped_and_what_waits_goes_on(url, project):
    slow = await project.submit(FOX, **ordered("slow"))
    await until_it_runs(url)
    waits, goes = [await project.submit(FOX, **ordered("quick"), key=key) for key in ("waits", "goes")]
    while not all([(await job.record()).remote_id for job in (waits, goes)]):
        await asyncio.sleep(0.05)
    assert await waits.cancel() is True
    assert await slow.cancel() is True
    for job in (slow, waits):
        with pytest.raises(errors.JobCanceledError):
            await job.result(wait_s=120)
    assert (await goes.result(wait_s=120)).artifact.mime_type == "image/png"
    assert (await project.spend()).held_usd == 0


async def test_an_order_that_would_be_made_in_part_is_refused_and_stopped(url, project):
    wrong = {"comfyui": {"3.inputs.batch_size": 100_000}}
    with pytest.raises(errors.InvalidRequestError, match=r"EmptyImage \(3\).*4096"):
        await project.generate(FOX, **ordered("both", provider_options=wrong))
    assert (await project.spend()).held_usd == 0
    made = await project.generate(FOX, **ordered("both"), key="right")
    assert len(made.artifacts) == 2


async def test_a_server_that_is_killed_in_mid_job_has_forgotten_it(server, url, project):
    if isinstance(server, str):
        pytest.skip("COMFYUI_COMMAND is not set: this server is not ours to kill")
    job = await project.submit(FOX, **ordered("slow"))
    await until_it_runs(url)
    server.kill()
    await asyncio.to_thread(server.start)
    with pytest.raises(errors.ProviderError):
        await job.result(wait_s=240)
    record = await job.record()
    assert (record.state.value, record.sends) == ("unknown", 1), "it is not sent a second time on a guess"
    assert (await project.generate(FOX, **ordered("quick"))).artifact.mime_type == "image/png"
