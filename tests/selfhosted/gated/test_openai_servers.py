"""Servers of OpenAI's dialect that run somewhere already: the same cases for each whose address is in its variable.

`SGLANG_URL=http://127.0.0.1:30000/v1 make selfhosted`, and likewise `VLLM_OMNI_URL`, `LOCALAI_URL` (without `/v1`) and
`KOKORO_URL`. Beside it may stand `SGLANG_MODEL` (else the first that it lists), `SGLANG_TASKS` (a list with commas),
`SGLANG_OPTIONS` (JSON: what its model needs besides, such as `{"generator_device": "cpu"}`), and `KOKORO_VOICE`.

Only SGLang can be run from the package index on a CPU (`make selfhosted-full`). vLLM-Omni is there, but knows no CPU;
LocalAI is a program in Go, and what is called `localai` there is another thing; Kokoro-FastAPI is not there.
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator import errors
from aggregator.providers.openai_compatible import PROVIDER
from aggregator.tasks import TASKS

NAME = "openai_compatible"
SERVERS = {
    "SGLANG": ("sglang", "text-to-image,text-to-video"),
    "VLLM_OMNI": ("vllm_omni", "text-to-image,text-to-video"),
    "LOCALAI": ("localai", "text-to-image"),
    "KOKORO": ("kokoro", "text-to-speech"),
}
GIVEN: dict[str, dict[str, Any]] = {
    "text-to-image": {"prompt": "a fox", "size": (256, 256), "seed": 1},
    "text-to-video": {"prompt": "a fox", "size": (256, 256), "duration_s": 1, "fps": 8, "seed": 1},
    "text-to-speech": {"text": "Good morning."},
    "text-to-sound": {"prompt": "rain", "duration_s": 2},
}
KINDS = {"text-to-image": "image", "text-to-video": "video", "text-to-speech": "audio", "text-to-sound": "audio"}


@dataclass
class Server:
    """One server: where it is, what it runs, and a client's project that reaches nothing else."""

    variable: str
    url: str
    dialect: str
    model: str
    tasks: list[str]
    options: dict[str, Any]
    project: Callable[[], AbstractAsyncContextManager[Any]]

    def request(self, task: str) -> Any:
        voice = os.environ.get(f"{self.variable}_VOICE", "af_heart" if self.dialect == "kokoro" else "")
        more = {"voice": voice} if task == "text-to-speech" and voice else {}
        return TASKS[task](**GIVEN[task], **more)

    async def made(self, project: Any, task: str, **options: Any) -> Any:
        given = {NAME: {**self.options, **options}} if self.options or options else {}
        job = await project.submit(self.request(task), model="gated", max_usd="1", provider_options=given)
        return await job.result(wait_s=900)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, opened: Any, tmp_path: Path) -> Server:
    variable, (dialect, usual) = request.param, SERVERS[request.param]
    url = os.environ.get(f"{variable}_URL")
    if not url:
        pytest.skip(f"{variable}_URL is not set: nothing is asked of a real {dialect}")
    listed = httpx.get(f"{url}/models", timeout=60).json()["data"]
    model = os.environ.get(f"{variable}_MODEL") or listed[0]["id"]
    tasks = os.environ.get(f"{variable}_TASKS", usual).split(",")
    written(tmp_path, dialect, model, tasks)

    @asynccontextmanager
    async def project():
        async with opened(NAME, url, cards=tmp_path) as agg, agg.project("gated", budget_usd="1") as found:
            yield found

    options = json.loads(os.environ.get(f"{variable}_OPTIONS", "{}"))
    return Server(variable, url, dialect, model, tasks, options, project)


def written(home: Path, dialect: str, model: str, tasks: list[str]) -> None:
    """The card, the offer and the price that a user would write."""
    offer = f'model = "gated"\nendpoint = "{model}"\ndialect = "{dialect}"\nchecked = 2026-11-21\n'
    offer += 'meters = [{ unit = "request", quantity = "1" }]\n' + "".join(f"[tasks.{task}]\n" for task in tasks)
    rate = '[[rate]]\nendpoint = "*"\nunit = "request"\nusd = "0"\nfrom = 2026-01-01\nnote = "my own machine"\n'
    files = {
        "models/gated.toml": '[model]\nmaker = "mine"\ntier = "workhorse"\n',
        f"offers/{NAME}/gated.toml": offer,
        f"rates/{NAME}.toml": rate,
    }
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)


async def test_each_task_ends_with_a_file_of_its_kind(server: Server):
    async with server.project() as project:
        for task in server.tasks:
            result = await server.made(project, task)
            artifact = result.artifact
            assert artifact.path.stat().st_size > 0
            assert artifact.mime_type.startswith(f"{KINDS[task]}/")
            if KINDS[task] != "audio":
                assert (artifact.facts.width, artifact.facts.height) == (256, 256)


async def test_what_it_refuses_was_not_made(server: Server):
    """Steps, or a speed, that are no number."""
    wrong = {"speed": "fast"} if server.tasks == ["text-to-speech"] else {"num_inference_steps": "many", "step": "many"}
    async with server.project() as project:
        task = server.tasks[0]
        if "speed" in wrong:
            request = server.request(task).with_(voice="nobody_at_all")
            with pytest.raises(errors.InvalidRequestError) as caught:
                await (await project.submit(request, model="gated", max_usd="1")).result(wait_s=60)
        else:
            with pytest.raises(errors.InvalidRequestError) as caught:
                await server.made(project, task, **wrong)
    assert caught.value.accepted is False


async def test_a_cancel_claims_no_more_than_the_server_does(server: Server):
    """Where nothing can be stopped it goes on, and what comes of it is not thrown away."""
    if "text-to-video" not in server.tasks or PROVIDER.spoken(server.dialect).poll is None:
        pytest.skip(f"{server.variable}: no jobs to cancel")
    async with server.project() as project:
        given = {NAME: server.options} if server.options else {}
        job = await project.submit(server.request("text-to-video"), model="gated", max_usd="1", provider_options=given)
        await job.cancel()
        try:
            await job.result(wait_s=900)
        except (errors.JobCanceledError, errors.JobFailedError):
            assert PROVIDER.spoken(server.dialect).cancel is not None, "it stopped, which nobody can ask it to"


def test_a_job_that_it_does_not_know_is_not_there(server: Server):
    if PROVIDER.spoken(server.dialect).poll is None:
        pytest.skip(f"{server.variable}: no jobs to ask for")
    assert httpx.get(f"{server.url}/videos/video_that_never_was", timeout=60).status_code == 404
