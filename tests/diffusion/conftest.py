"""A server over stand-ins of pipelines: called as diffusers calls them, without torch. Each step waits to be let go."""

import asyncio
import io
import math
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from aggregator.clock import SystemClock
from aggregator.diffusion.app import DiffusionApp
from aggregator.diffusion.jobs import Jobs
from aggregator.diffusion.pipelines import Pipelines, Tools
from aggregator.diffusion.store import Store
from aggregator.secret import Secret

TTL_S = 3600.0
WAIT_S = 20.0


class Gate:
    """Holds a pipeline before each step, until the test opens it or lets single steps pass."""

    def __init__(self) -> None:
        self._passes = threading.Condition()
        self._left: float = math.inf
        self.steps: list[int] = []
        self.reached = threading.Event()

    def shut(self) -> None:
        self._let(0)
        self.reached.clear()

    def open(self) -> None:
        self._let(math.inf)

    def pass_one(self) -> None:
        self._let(1)

    def wait(self) -> None:
        """Before a step."""
        with self._passes:
            if self._left == 0:
                self.reached.set()
            assert self._passes.wait_for(lambda: self._left > 0, WAIT_S)
            self._left -= 1

    def _let(self, steps: float) -> None:
        with self._passes:
            self._left = steps
            self._passes.notify_all()


class _Steps:
    def __init__(self, gate: Gate | None = None) -> None:
        self.gate = gate or Gate()
        self.told: dict[str, Any] = {}
        self.fault: Exception | None = None
        self.adapters: list[Any] = []

    def set_adapters(self, names: list[str], scales: list[float]) -> None:
        self.adapters.append(dict(zip(names, scales, strict=True)))

    def enable_lora(self) -> None:
        pass

    def disable_lora(self) -> None:
        self.adapters.append({})

    def run(self, told: dict[str, Any]) -> None:
        self.told = {name: value for name, value in told.items() if name != "self"}
        self.num_timesteps = told["num_inference_steps"]
        for number in range(self.num_timesteps):
            self.gate.wait()
            if self.fault is not None:
                raise self.fault
            self.gate.steps.append(number)
            if told["callback_on_step_end"]:
                told["callback_on_step_end"](self, number, 0, {})


class _Output:
    def __init__(self, **parts: Any) -> None:
        self.__dict__ |= parts


class WanPipeline(_Steps):
    """Rounds frames without a word, as the real one."""

    vae_scale_factor_spatial = 8
    vae_scale_factor_temporal = 4

    def __call__(
        self,
        prompt: str | None = None,
        negative_prompt: str | None = None,
        height: int = 64,
        width: int = 96,
        num_frames: int = 5,
        num_inference_steps: int = 3,
        guidance_scale: float = 5.0,
        generator: Any = None,
        output_type: str = "np",
        callback_on_step_end: Callable[..., Any] | None = None,
    ) -> _Output:
        self.run(dict(locals()))
        frame = Image.new("RGB", (width, height), (generator % 256, 90, 40))
        return _Output(frames=[[frame] * (num_frames // 4 * 4 + 1)])


class StableDiffusionPipeline(_Steps):
    vae_scale_factor = 8

    def __call__(
        self,
        prompt: str | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 2,
        negative_prompt: str | None = None,
        num_images_per_prompt: int = 1,
        generator: Any = None,
        output_type: str = "pil",
        callback_on_step_end: Callable[..., Any] | None = None,
    ) -> _Output:
        self.run(dict(locals()))
        seeds = generator if isinstance(generator, list) else [generator]
        return _Output(images=[Image.new("RGB", (width or 64, height or 64), (seed % 256, 0, 0)) for seed in seeds])


class StableDiffusionImg2ImgPipeline(_Steps):
    vae_scale_factor = 8

    def __call__(
        self,
        prompt: str | None = None,
        image: Any = None,
        strength: float = 0.8,
        num_inference_steps: int = 2,
        generator: Any = None,
        output_type: str = "pil",
        callback_on_step_end: Callable[..., Any] | None = None,
    ) -> _Output:
        self.run(dict(locals()))
        return _Output(images=[Image.new("RGB", image.size)])


class StableAudioPipeline(_Steps):
    """Two channels, and steps told the older way: in a callback that knows of no end."""

    class vae:  # noqa: N801 - as the real one calls it
        sampling_rate = 8000

    def __call__(
        self,
        prompt: str | None = None,
        audio_end_in_s: float | None = None,
        num_inference_steps: int = 2,
        negative_prompt: str | None = None,
        num_waveforms_per_prompt: int = 1,
        generator: Any = None,
        callback: Callable[..., Any] | None = None,
        callback_steps: int | None = 1,
        output_type: str = "pt",
    ) -> _Output:
        told = dict(locals())
        self.run(
            {**told, "callback_on_step_end": callback and (lambda _pipe, at, time, more: callback(at, time, more))}
        )
        half = np.full(round(8000 * (audio_end_in_s or 1.0)), 0.5, dtype=np.float32)
        return _Output(audios=np.stack([[half, -2 * half]]))


class Server:
    """One server on a directory; `again` is the next one there."""

    def __init__(self, root: Path, clock: SystemClock, *, queue: int = 2, key: str | None = None, adapters=None):
        self.root, self.clock, self.queue, self.key = root, clock, queue, key
        self.gate = Gate()
        self.wan = WanPipeline(self.gate)
        self.picture = StableDiffusionPipeline(self.gate)
        self.edit = StableDiffusionImg2ImgPipeline(self.gate)
        self.sound = StableAudioPipeline(self.gate)
        pipes = {"T2V": self.wan, "T2I": self.picture, "I2I": self.edit, "T2A": self.sound}
        self.maker = Pipelines(pipes, Tools(lambda seed: seed, adapters=adapters or {}))
        self.store = Store(root)
        self.jobs = Jobs(self.store, clock=clock, queue=queue, ttl_s=TTL_S)
        secret = Secret(key) if key else None
        self.app = DiffusionApp(self.jobs, model="tiny", ttl_s=TTL_S, secret=secret, rng=Random(4))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app.asgi), base_url="http://tiny.test")

    async def ready(self) -> "Server":
        self.jobs.start(lambda: self.maker)
        while self.jobs.trouble:
            await asyncio.sleep(0)
        return self

    def killed(self) -> Path:
        """What a process that dies now leaves behind."""
        left = self.root.with_name(f"{self.root.name}-after")
        shutil.copytree(self.root, left)
        return left

    async def close(self) -> None:
        self.gate.open()
        await self.http.aclose()
        await asyncio.to_thread(self.jobs.close)

    async def order(self, key: str | None = None, **fields: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.http.post("/v1/videos", json={"prompt": "a fox", **fields}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def job(self, job_id: str) -> dict[str, Any]:
        return (await self.http.get(f"/v1/videos/{job_id}")).json()

    async def until(self, job_id: str, *statuses: str) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            while (job := await self.job(job_id))["status"] not in statuses:
                await asyncio.sleep(0.002)
        return job

    async def hung_up(self, path: str, body: bytes, key: str = "") -> None:
        """Post, and hang up once the pipeline is at work."""
        headers = [(b"host", b"tiny.test"), (b"content-type", b"application/json"), (b"idempotency-key", key.encode())]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": headers if key else headers[:2],
        }
        messages = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await self.at_step()
            return {"type": "http.disconnect"}

        async def send(_message: dict[str, Any]) -> None: ...

        await self.app.asgi(scope, receive, send)

    async def at_step(self) -> None:
        """Until the worker waits before a step."""
        assert await asyncio.to_thread(self.gate.reached.wait, WAIT_S)
        self.gate.reached.clear()


class HandClock(SystemClock):
    """Real, but for the seconds that a test adds."""

    def __init__(self) -> None:
        self.more_s = 0.0

    def time(self) -> float:
        return super().time() + self.more_s


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server(tmp_path: Path, clock: HandClock) -> AsyncIterator[Server]:
    one = await Server(tmp_path / "server", clock).ready()
    yield one
    await one.close()


@pytest.fixture
def png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(data, "PNG")
    return data.getvalue()
