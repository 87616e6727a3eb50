"""The server: its key, its health, repeated keys, what a killed one leaves, and who may not use it."""

import asyncio
import sys

import httpx
import pytest

from aggregator.diffusion.loading import Wanted, load, read_lora
from aggregator.diffusion.pipelines import tasks_of
from aggregator.diffusion.store import Store
from aggregator.errors import ConfigurationError
from tests.diffusion.conftest import (
    Server,
    StableAudioPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    WanPipeline,
)


async def test_nothing_is_taken_while_the_weights_are_loaded(tmp_path, clock):
    server = Server(tmp_path / "server", clock)
    health = await server.http.get("/health")
    assert (health.status_code, health.json()["reason"]) == (503, "the pipeline is being loaded")
    answer = await server.http.post("/v1/videos", json={"prompt": "a fox"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    await server.ready()
    assert (await server.http.get("/health")).json() == {"status": "ok"}
    await server.close()


async def test_weights_that_cannot_be_loaded_end_the_server_with_the_reason(tmp_path, clock):
    server, ended = Server(tmp_path / "server", clock), asyncio.Event()

    def load():
        raise ConfigurationError("torch finds no cuda here")

    loop = asyncio.get_running_loop()
    server.jobs.start(load, lambda: loop.call_soon_threadsafe(ended.set))
    await ended.wait()
    assert server.jobs.has_failed
    assert (await server.http.get("/health")).json()["reason"] == "torch finds no cuda here"
    await server.close()


async def test_models_say_their_tasks(server):
    [model] = (await server.http.get("/v1/models")).json()["data"]
    assert (model["id"], model["task_type"]) == ("tiny", "T2V")
    assert model["supported_task_types"] == ["T2V", "T2I", "I2I", "T2A"]


async def test_a_key_is_asked_for_everywhere_but_health(tmp_path, clock):
    server = await Server(tmp_path / "server", clock, key="sesame").ready()
    assert (await server.http.get("/health")).status_code == 200
    for headers in ({}, {"Authorization": "Bearer nearly"}, {"Authorization": "sesame"}):
        answer = await server.http.get("/v1/videos/video_0/content", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (await server.http.get("/v1/models", headers={"Authorization": "Bearer sesame"})).status_code == 200
    await server.close()


async def test_a_page_of_another_site_may_not_order(server):
    foreign = {"Origin": "https://example.com"}
    answer = await server.http.post("/v1/videos", data={"prompt": "a fox"}, headers=foreign)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")


async def test_the_same_key_makes_one_job(server):
    first = await server.order(key="k", seed=4)
    assert (await server.order(key="k", seed=4))["id"] == first["id"]
    await server.until(first["id"], "completed")
    assert (await server.order(key="k", seed=4))["status"] == "completed"
    other = await server.http.post("/v1/videos", json={"prompt": "a cat"}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert server.gate.steps == [0, 1, 2]


async def test_the_same_key_at_once_makes_one_job(server):
    server.gate.shut()
    jobs = await asyncio.gather(*(server.order(key="k") for _ in range(8)))
    assert len({job["id"] for job in jobs}) == 1
    assert len({job["seed"] for job in jobs}) == 1
    server.gate.open()


async def test_a_known_key_is_answered_though_the_queue_is_full(server):
    server.gate.shut()
    first = await server.order(key="k")
    await server.at_step()
    await server.order(), await server.order()
    assert (await server.order(key="k"))["id"] == first["id"]
    server.gate.open()


async def test_what_a_killed_server_left_is_made_alike_and_only_once_more(server, clock):
    server.gate.shut()
    ended = await server.order(key="done")
    server.gate.open()
    await server.until(ended["id"], "completed")
    server.gate.shut()
    running = await server.order(key="running", seed=9)
    await server.at_step()
    waiting = await server.order()
    second = Server(server.killed(), clock)
    second.gate.shut()
    await second.ready()
    assert (await second.job(ended["id"]))["status"] == "completed"
    assert (await second.order(key="running", seed=9))["id"] == running["id"]
    await second.at_step()
    third = await Server(second.killed(), clock).ready()
    failed = await third.until(running["id"], "failed")
    assert failed["error"]["code"] == "server_died"
    await third.until(waiting["id"], "completed")
    second.gate.open()
    done = await second.until(running["id"], "completed")
    assert (done["seed"], second.wan.told["generator"]) != (None, None)
    assert done["seed"] == 9
    server.gate.open()
    await second.close()
    await third.close()


async def test_a_server_that_is_stopped_leaves_its_job_for_the_next(server, clock, tmp_path):
    one = await Server(tmp_path / "one", clock).ready()
    one.gate.shut()
    job = await one.order(num_inference_steps=30)
    await one.at_step()
    closing = asyncio.create_task(asyncio.to_thread(one.jobs.close))
    while not one.jobs._closing:
        await asyncio.sleep(0)
    one.gate.open()
    await closing
    assert len(one.gate.steps) == 1
    two = await Server(tmp_path / "one", clock).ready()
    assert two.jobs.find(job["id"]).starts <= 1  # a stop is no death
    await two.until(job["id"], "completed")
    await two.close()
    await one.http.aclose()


async def test_an_upload_that_was_cut_off_leaves_nothing(tmp_path, clock):
    (tmp_path / "server" / ".new-cut").mkdir(parents=True)
    server = Server(tmp_path / "server", clock)
    assert not (tmp_path / "server" / ".new-cut").exists()
    await server.close()


async def test_a_disk_that_is_full_fails_the_job_and_not_the_server(server, monkeypatch):
    server.gate.shut()
    first, second = await server.order(), await server.order()
    await server.at_step()
    with monkeypatch.context() as full:
        full.setattr(server.store, "replace", _full)
        server.gate.open()
        failed = [await server.until(job["id"], "failed") for job in (first, second)]
    assert [job["error"]["code"] for job in failed] == ["disk", "disk"]
    await server.until((await server.order())["id"], "completed")


def _full(_record):
    raise OSError(28, "No space left on device")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_worker_that_dies_is_no_healthy_server(server, monkeypatch):
    monkeypatch.setattr(server.maker, "make", _broken)
    job = await server.order()
    while not server.jobs.has_failed:
        await asyncio.sleep(0)
    assert (await server.http.get("/health")).status_code == 503
    assert (await server.job(job["id"]))["status"] == "in_progress", "the next server takes it up"


def _broken(*_args):
    raise SystemExit("gone")


def test_two_servers_never_share_a_directory(tmp_path):
    one = Store(tmp_path / "here")
    with pytest.raises(ConfigurationError, match="another server works in"):
        Store(tmp_path / "here")
    one.close()
    Store(tmp_path / "here").close()


async def test_adapters_are_chosen_by_each_order_among_those_that_are_loaded(tmp_path, clock):
    server = await Server(tmp_path / "server", clock, adapters={"ink": 0.8, "film": 1.0}).ready()
    for given in (None, [{"name": "film", "scale": 0.3}], []):
        job = await server.order(**({} if given is None else {"lora": given}))
        await server.until(job["id"], "completed")
    assert server.wan.adapters == [{"ink": 0.8, "film": 1.0}, {"film": 0.3}, {}]
    [model] = (await server.http.get("/v1/models")).json()["data"]
    assert model["lora"] == ["ink", "film"]
    await server.close()


async def test_too_much_is_refused_while_it_comes(server, monkeypatch):
    monkeypatch.setattr("aggregator.diffusion.bodies.MAX_BODY_BYTES", 1000)

    async def body():
        for _ in range(30):
            yield b"x" * 100

    for content in (b"x" * 2000, body()):
        answer = await server.http.post("/v1/videos", content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    answer = await server.http.post("/v1/videos", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    answer = await server.http.post("/v1/videos", content=b"hello")
    assert answer.status_code == 415
    assert (await server.http.get("/v1/nothing")).json()["error"]["code"] == "not_found"


async def test_a_defect_shows_nothing_of_itself(server, monkeypatch):
    monkeypatch.setattr(server.jobs, "all", lambda: 1 / 0)
    transport = httpx.ASGITransport(server.app.asgi, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tiny.test") as http:
        answer = await http.get("/v1/videos")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "division" not in answer.text


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigurationError, match=r'pip install "aggregator\[diffusers\]"'):
        load(Wanted("org/model"))


def test_the_tasks_of_a_pipeline():
    assert tasks_of(StableAudioPipeline()) == ("T2A",)
    assert tasks_of(WanPipeline()) == ("T2V",)
    assert tasks_of(StableDiffusionPipeline()) == ("T2I",)
    assert tasks_of(StableDiffusionImg2ImgPipeline()) == ("T2I", "I2I")  # its picture has a default here

    class SoundPipeline:
        def __call__(self, prompt, num_frames=9, audio_scheduler=None): ...

    class MovingPipeline:
        def __call__(self, image, num_frames=14): ...

    class RestylePipeline:
        def __call__(self, video, prompt=None): ...

    assert tasks_of(MovingPipeline()) == ("I2V",)
    for pipe, said in (
        (SoundPipeline(), "a clip with sound, or needs one"),
        (RestylePipeline(), "neither pictures nor clips"),
    ):
        with pytest.raises(ValueError, match=said):
            tasks_of(pipe)


def test_adapters_as_they_are_named_on_the_command_line():
    assert read_lora(["ink=/a@b/ink.safetensors@0.5", "org/film-look"]) == (
        ("ink", "/a@b/ink.safetensors", 0.5),
        ("film-look", "org/film-look", 1.0),
    )
    assert read_lora(["./x@y/z.safetensors"]) == (("z", "./x@y/z.safetensors", 1.0),)
    with pytest.raises(ConfigurationError, match="a name of its own"):
        read_lora(["a/x", "b/x"])
