"""Every provider that calls back, from the order to the file: the emulator delivers over HTTP in the vendor's words, a
real server receives, and the job ends by that alone, since the client's clock never comes to its next look.
"""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from aggregator import Aggregator
from aggregator.backends import provider_names, provider_table
from aggregator.clock import SystemClock
from aggregator.errors import AggregatorError
from aggregator.testing.emulator import Emulator
from aggregator.testing.inputs import sample_files
from tests.webhooks.asgi import call
from tests.webhooks.world import SECRET

SOON_S = 20.0
TEXTS = {
    "ark": "ark:dreamina-seedance-2-0-260128",
    "bfl": "bfl:flux-2-flex",
    "fal": "fal:fal-ai/flux/schnell",
    "higgsfield": "higgsfield:flux-pro/kontext/max/text-to-image",
    "ideogram": "ideogram:generate/ideogram-3",
    "kling": "kling:text-to-video/kling-2.6",
    "kling omni": "kling:omni-video/kling-3.0-omni",
    "kling v1": "kling:kling-v2-6",
    "luma_dream_machine": "luma_dream_machine:photon-1",
    "minimax": "minimax:MiniMax-H3",
    "minimax v1": "minimax:MiniMax-Hailuo-02",
    "openrouter": "openrouter:alibaba/wan-2.6",
    "replicate": "replicate:black-forest-labs/flux-2-pro",
    "topaz": "topaz:redefine",
    "vidu": "vidu:viduq1",
}
REGISTERED = {"gemini": "gemini:gemini-omni-1.2-flash", "pixverse": "pixverse:v5"}
"""Those that call an address of the account."""
MOVING = ("ark", "kling", "minimax", "openrouter", "vidu", "gemini", "pixverse")


class Impatient(SystemClock):
    """A clock on which nothing long ever ends: who waits for a look has to be woken."""

    async def sleep(self, seconds: float) -> None:
        if seconds < 0.3:
            await asyncio.sleep(seconds)
        else:
            await asyncio.Event().wait()


@dataclass
class Product:
    """Somebody's server, with the receiver in it."""

    agg: Aggregator
    emulator: Emulator
    name: str

    @property
    def delivered(self) -> list[Any]:
        return self.emulator.deliveries

    async def rows(self) -> list[Any]:
        from sqlalchemy import select

        from aggregator.store.schema import inbox

        return list(await self.agg.opened.store.read(lambda c: c.execute(select(inbox)).all()))


@asynccontextmanager
async def product(quick: Path, monkeypatch: pytest.MonkeyPatch, name: str, **more: Any) -> AsyncIterator[Product]:
    with Emulator(seed=1, only=(name,), latency_s=0.02) as emulator, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HOOKS", SECRET)
        monkeypatch.setenv("PROVIDER_HOOKS", emulator.desk(name).world.secret)
        webhook = next(hook for table in spoken(name) if (hook := table.webhook) is not None)
        own = (
            {"webhook_secret_env": "PROVIDER_HOOKS"} if webhook.algorithm != "none" and webhook.key == "secret" else {}
        )
        settings: dict[str, Any] = {
            "clock": Impatient(),
            "webhooks": {"url": f"http://127.0.0.1:{listening.getsockname()[1]}/api/hooks", "secret_env": "HOOKS"},
            "providers": {name: own},
            **more,
        }
        async with emulator.aggregator(quick, name, **settings) as agg:
            app = Starlette(routes=[Mount("/api/hooks", agg.webhooks())])
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield Product(agg, emulator, name)
            finally:
                server.should_exit = True
                await serving


def spoken(name: str) -> list[Any]:
    table = provider_table(name)
    return [table.spoken(dialect) for dialect in ("", *table.dialects)]


async def made(p: Any, name: str, offer: str, **options: Any) -> Any:
    options = {"model": offer, "max_usd": "20", **options}
    if name == "topaz":
        picture = next(path for path in sample_files().values() if path.suffix == ".png")
        return await p.upscale_image(io.BytesIO(picture.read_bytes()), factor=2, **options)
    if name in MOVING:
        return await p.text_to_video("a red fox", **options)
    return await p.text_to_image("a red fox", **options)


@pytest.mark.parametrize("which", sorted(TEXTS))
async def test_a_job_ends_by_the_delivery(quick: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    name = which.partition(" ")[0]
    async with product(quick, monkeypatch, name) as it:
        it.emulator.disturb(name, "drop_before", on="GET *stream*")  # so that nothing is pushed in another way
        async with it.agg.project("film") as p:
            result = await asyncio.wait_for(made(p, name, TEXTS[which]), SOON_S)
        assert result.artifact.size_bytes > 0
        [delivery] = it.delivered
        assert delivery.acknowledged
        [row] = await it.rows()
        assert (row.source, row.attempt) == (name, f"{result.job_id}.1")
        assert row.handled_at is not None
        looks = [one for one in it.emulator.requests if one.method == "GET" and one.status == 200]
        assert looks, "the delivery decides nothing: the provider was asked"


@pytest.mark.parametrize("which", sorted(TEXTS))
async def test_a_job_whose_answer_was_lost_is_found_by_the_delivery(
    quick: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    name = which.partition(" ")[0]
    async with product(quick, monkeypatch, name) as it:
        it.emulator.script(name, "drop_after")
        it.emulator.disturb(name, *["drop_before"] * 3, on="GET *stream*")
        async with it.agg.project("film") as p:
            with suppress(AggregatorError):
                await asyncio.wait_for(made(p, name, TEXTS[which], key="fox"), SOON_S)
            async with asyncio.timeout(SOON_S):
                await it.agg.drain()
            result = await asyncio.wait_for(made(p, name, TEXTS[which], key="fox"), SOON_S)
        assert result.artifact.size_bytes > 0
        assert len(it.emulator.desk(name).jobs) == 1
        assert (await it.agg.spend()).held_usd == 0
        of = await it.agg.opened.context.load(result.job_id)
        assert of.found_by == "callback" or it.agg.opened.context.backend(of).provider.lookup is not None


@pytest.mark.parametrize("name", sorted(REGISTERED))
async def test_an_address_of_the_account_is_believed_by_its_signature(
    quick: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with product(quick, monkeypatch, name, clock=SystemClock()) as it:
        async with it.agg.project("film") as p:
            result = await asyncio.wait_for(made(p, name, REGISTERED[name]), SOON_S)
        [job_id] = it.emulator.desk(name).jobs
        url = it.agg.opened.context.callbacks.url + f"/{name}"
        for _ in range(2):
            again = await asyncio.to_thread(it.emulator.deliver_again, name, job_id, url)
            assert again.acknowledged
            assert again.answer == (b"ok" if name == "pixverse" else b"")
        rows = await it.rows()
        assert {(row.source, row.attempt) for row in rows} == {(name, f"{result.job_id}.1")}
        assert all(row.handled_at is not None for row in rows), "the job was over"
        delivery = it.delivered[-1]
        headers = {key.lower(): value for key, value in delivery.headers.items()}
        forged = await call(it.agg.webhooks(), f"/{name}", delivery.body.replace(b"1", b"2"), headers)
        assert forged is not None
        assert forged.status == 401


async def test_a_delivery_again_is_acknowledged_and_costs_no_look(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with product(quick, monkeypatch, "replicate") as it:
        async with it.agg.project("film") as p:
            await asyncio.wait_for(made(p, "replicate", TEXTS["replicate"]), SOON_S)
        asked = len(it.emulator.requests)
        [job_id] = it.emulator.desk("replicate").jobs
        for _ in range(3):
            assert (await asyncio.to_thread(it.emulator.deliver_again, "replicate", job_id)).acknowledged
        assert len(await it.rows()) == 1
        assert len(it.emulator.requests) == asked


async def test_a_delivery_of_one_attempt_at_the_address_of_another_is_refused(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with product(quick, monkeypatch, "vidu") as it:
        async with it.agg.project("film") as p:
            both = (made(p, "vidu", TEXTS["vidu"], key=key) for key in ("1", "2"))
            await asyncio.wait_for(asyncio.gather(*both), SOON_S)
        one, two = it.delivered
        headers = {key.lower(): value for key, value in one.headers.items()}
        path = two.url.partition("/api/hooks")[2]
        answer = await call(it.agg.webhooks(), path, one.body, headers)
        assert answer is not None
        assert answer.status == 401, "the address is signed"


def test_no_provider_that_calls_back_is_left_out() -> None:
    calling = {name for name in provider_names() if any(table.webhook is not None for table in spoken(name))}
    assert calling == {which.partition(" ")[0] for which in TEXTS} | set(REGISTERED)
