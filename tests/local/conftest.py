"""One app per test on a directory of its own, and a caller that orders and waits."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from PIL import Image

from aggregator.local import LocalApp

WAIT_S = 20.0
DRAFT, HERO = "animatic-draft", "animatic-final"


class Caller:
    """A client of one app."""

    def __init__(self, app: LocalApp) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://local.test")

    async def submit(self, task: str, model: str = DRAFT, key: str | None = None, **given: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post("/v1/jobs", json={"model": model, "task": task, "input": given}, headers=headers)

    async def job(self, job_id: str) -> dict[str, Any]:
        return (await self.http.get(f"/v1/jobs/{job_id}")).json()

    async def ended(self, job_id: str) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            while (job := await self.job(job_id))["status"] in ("queued", "running"):
                await asyncio.sleep(0.005)
        return job

    async def make(self, task: str, model: str = DRAFT, **given: Any) -> tuple[dict[str, Any], bytes]:
        """Order, wait, and fetch the file."""
        answer = await self.submit(task, model, **given)
        assert answer.status_code == 202, answer.text
        job = await self.ended(answer.json()["id"])
        assert job["status"] == "succeeded", job
        [output] = job["outputs"]
        file = await self.http.get(output["url"])
        assert file.headers["content-type"] == output["mime_type"]
        assert int(file.headers["content-length"]) == output["bytes"] == len(file.content)
        return job, file.content

    async def upload(self, data: bytes, mime_type: str = "image/png") -> str:
        answer = await self.http.post("/v1/files", content=data, headers={"Content-Type": mime_type})
        assert answer.status_code == 201, answer.text
        return answer.json()["url"]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[LocalApp]:
    local = LocalApp(tmp_path / "local", rng=Random(4))
    yield local
    await local.aclose()


@pytest.fixture
async def caller(app: LocalApp) -> AsyncIterator[Caller]:
    client = Caller(app)
    yield client
    await client.http.aclose()


@pytest.fixture
def png() -> bytes:
    picture = Image.linear_gradient("L").resize((192, 96)).convert("RGB")
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()
