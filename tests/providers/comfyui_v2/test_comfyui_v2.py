"""Comfy's API v2: what is made of a workflow, how a job is found again, and what is said of what went wrong."""

import asyncio
from typing import Any

import pytest

from aggregator import _build, errors
from aggregator.job import AttemptState
from aggregator.providers.comfyui_v2 import PROVIDER
from aggregator.tasks import ImageToVideo, TextToImage, TextToVideo
from aggregator.testing.emulator import Answer
from tests.providers.harness import STILL

NAME = "comfyui_v2"
STILL_LIFE = TextToImage(prompt="a fox", size=(256, 128), seed=7)
LOAD = {"class_type": "LoadImage", "inputs": {"image": "x.png"}}


def sent(shop) -> list[Any]:
    return [one.json for one in shop.emulator.requests if one.path == "/api/v2/jobs" and one.method == "POST"]


async def test_a_workflow_is_sent_with_the_label_of_its_attempt(shop):
    result = await shop.buy(STILL_LIFE, model="mine")
    (body,) = sent(shop)
    assert set(body) == {"workflow", "metadata"}
    assert body["metadata"].startswith(result.job_id)
    nodes = body["workflow"]
    assert (nodes["6"]["inputs"]["text"], nodes["5"]["inputs"]["width"], nodes["3"]["inputs"]["seed"]) == (
        *("a fox", 256),
        7,
    )
    assert (result.artifact.mime_type, result.artifact.facts.width, result.lineage.seed) == ("image/png", 256, 7)


async def test_a_seed_that_nobody_gave_is_drawn_and_told(shop):
    made = [await shop.buy(TextToImage(prompt="a fox"), model="mine", key=key) for key in "ab"]
    seeds = [body["workflow"]["3"]["inputs"]["seed"] for body in sent(shop)]
    assert seeds == [one.lineage.seed for one in made]
    assert len(set(seeds)) == 2


def test_what_nobody_collects_is_taken_out_and_the_rest_stays():
    shown = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    kept = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}}
    graph = {"1": LOAD, "7": shown, "9": kept}
    wanted = {"prompt": graph, "partial_execution_targets": ["9"], "metadata": "a"}
    assert set(_build.marked(PROVIDER, wanted, "a")["workflow"]) == {"1", "9"}
    assert set(_build.marked(PROVIDER, {"prompt": graph}, "a")["workflow"]) == {"1", "7", "9"}


def test_each_attempt_has_file_names_of_its_own():
    graph = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a"}}}
    names = [
        _build.marked(PROVIDER, {"prompt": graph}, attempt)["workflow"]["9"]["inputs"]["filename_prefix"]
        for attempt in ("job.1", "job.2", "job.2")
    ]
    assert names[0] != names[1] == names[2]


async def test_a_picture_is_an_asset_whatever_it_was_called_before(shop):
    await shop.buy(ImageToVideo(prompt="go", image=STILL), model="mine")
    (asset,) = shop.emulator.desk(NAME).world["assets"]
    reference = {"__type": "core/ASSET", "info": {"id": asset}}
    assert sent(shop)[0]["workflow"]["20"]["inputs"]["image"] == reference
    await shop.buy(ImageToVideo(prompt="go on", image=STILL), model="mine")
    assert sent(shop)[1]["workflow"]["20"]["inputs"]["image"] == reference


async def test_a_clip_that_is_called_an_image(shop):
    result = await shop.buy(TextToVideo(prompt="a fox", size=(320, 192), duration_s=2), model="mine")
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("video/mp4", 320)


async def test_what_is_no_file_of_a_family_is_left_out_and_how_long_it_took_is_read(shop):
    taken = await shop.submit({"workflow": {"1": LOAD, "9": SAVED}}, "still", "text-to-image")
    assert taken.outcome == "rejected"  # there is no x.png: nothing of it can be made
    shop.emulator.desk(NAME).world["inputs"] = {"x.png": b"x"}
    taken = await shop.submit({"workflow": {"1": LOAD, "9": SAVED}}, "still", "text-to-image")
    reading = await shop.end(taken)
    (made,) = reading.body["outputs"]
    latent = {**made, "content_type": "application/octet-stream", "type": "latent", "url": f"{made['url']}/latent"}
    job = {**reading.body, "outputs": [latent, made], "metrics": {"queue_ms": 1, "execution_ms": 2500}}
    shop.answer_once(f"GET /api/v2/jobs/{made['job_id']}", Answer(200, job))
    delivery = await shop.result(taken)
    assert [file.url for file in delivery.files] == [made["url"]]
    assert str(delivery.reported["gpu_second"]) == "2.5"


SAVED = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}}


# ------------------------------------------------------------------------------------------- finding it again, stopping


@pytest.mark.parametrize("fate", ["drop_after", "http_after:503", "truncated", "no_id"])
async def test_a_job_whose_answer_never_came_is_found_by_its_label(shop, fate):
    await shop.buy(STILL_LIFE.with_(seed=1), model="mine", key="another")
    result = await shop.buy(STILL_LIFE, fate, model="mine")
    assert len(sent(shop)) == len(shop.emulator.book) == 2
    assert result.artifact.mime_type == "image/png"
    assert "GET /api/v2/jobs" in shop.asked


async def test_a_label_that_is_not_listed_proves_nothing(shop):
    with pytest.raises(errors.UnavailableError) as caught:
        await shop.buy(STILL_LIFE, "unavailable", model="mine")
    assert (caught.value.accepted, len(sent(shop))) == (None, 1)


async def begun(shop, *, running: bool) -> Any:
    shop.emulator.script(NAME, "slow")
    project = await shop.project()
    job = await project.submit(STILL_LIFE, model="mine", max_usd="1")
    while (await job.record()).remote_id is None:
        await asyncio.sleep(0)
    taken = next(iter(shop.emulator.desk(NAME).jobs.values()))
    taken.queued_s, taken.running_s = (0.0, 1e6) if running else (1e6, 0.0)
    return job


@pytest.mark.parametrize("running", [True, False])
async def test_a_job_is_canceled(shop, running):
    job = await begun(shop, running=running)
    assert await job.cancel() is True
    with pytest.raises(errors.JobCanceledError):
        await job.result()
    assert (await job.record()).state is AttemptState.CANCELED


async def test_a_job_that_is_over_is_not_canceled(shop):
    await shop.buy(STILL_LIFE, model="mine")
    handle = {"id": next(iter(shop.emulator.desk(NAME).jobs)), "task": "text-to-image", "dialect": ""}
    assert await shop.engine.cancel(shop.backend, handle) is False


async def test_what_the_server_behind_has_forgotten_is_unknown(shop):
    job = await begun(shop, running=True)
    shop.emulator.desk(NAME).world["forgets"] = True
    with pytest.raises(errors.ProviderError, match="has forgotten this job"):
        await job.result()
    assert ((await job.record()).state, len(sent(shop))) == (AttemptState.UNKNOWN, 1)


@pytest.mark.parametrize(("nodes", "told"), [(0, None), (4, 0.25)])
async def test_a_snapshot_of_nothing_is_no_progress(shop, nodes, told):
    shop.emulator.desk(NAME).world["inputs"] = {"x.png": b"x"}
    taken = await shop.submit({"workflow": {"1": LOAD, "9": SAVED}}, "still", "text-to-image")
    said = {"status": "running", "outputs": [], "progress": {"value": 0.25, "nodes_done": 1, "nodes_total": nodes}}
    assert (await shop.look(f"GET /api/v2/jobs/{taken.handle['id']}", said, of=taken)).progress == told


# ------------------------------------------------------------------------------------------------------ what goes wrong


async def test_a_failure_says_where(shop):
    with pytest.raises(errors.JobFailedError, match=r"KSampler \(3\): Allocation on device"):
        await shop.buy(STILL_LIFE, "failed:OOM", model="mine")
    assert shop.held == 0


async def test_a_checkpoint_that_is_not_there_is_named_with_those_that_are(shop):
    with pytest.raises(errors.InvalidRequestError) as caught:
        await shop.buy(STILL_LIFE, model="mine", provider_options={NAME: {"4.inputs.ckpt_name": "mine.safetensors"}})
    assert "CheckpointLoaderSimple (4): ckpt_name 'mine.safetensors' is not on this server; it has" in str(caught.value)
    assert (caught.value.code, caught.value.accepted, len(shop.emulator.book)) == ("invalid_workflow", False, 0)


@pytest.mark.parametrize("fault", ["queue_full", "not_ready", "rate_limited"])
async def test_a_full_queue_takes_nothing_and_is_asked_again(shop, fault):
    await shop.buy(STILL_LIFE, fault, model="mine")
    assert (len(sent(shop)), len(shop.emulator.book)) == (2, 1)


async def test_a_token_is_sent_where_one_is_wanted(shop):
    shop.emulator.desk(NAME).world["token"] = shop.key()
    shop.settings["providers"] = {NAME: {"api_key_env": "MY_GPU_KEY"}}
    await shop.buy(STILL_LIFE, model="mine")
    assert all(one.headers["authorization"] == f"Bearer {shop.key()}" for one in shop.emulator.requests)
