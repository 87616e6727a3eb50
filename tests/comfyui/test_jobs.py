"""Jobs of ComfyUI on servers of both generations: ordered, found again, canceled, lost, refused."""

import asyncio
import shutil
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from aggregator import _build, errors
from aggregator.job import AttemptState
from aggregator.providers.comfyui import PROVIDER, _id
from aggregator.tasks import ImageToVideo, TextToImage, TextToMusic, TextToVideo
from tests.comfyui.conftest import NAME
from tests.providers.harness import STILL, Shop
from tests.providers.own import cards_of

STILL_LIFE = TextToImage(prompt="a fox", size=(256, 128), seed=7)


def sent(shop: Shop) -> list[Any]:
    return [one.json for one in shop.emulator.requests if one.path == "/prompt" and one.method == "POST"]


def words(shop: Shop) -> list[str]:
    """What was asked, without ids."""
    ids = {body["prompt_id"] for body in sent(shop)}
    asked = [f"{one.method} {one.path}" for one in shop.emulator.requests]
    for name in ids:
        asked = [one.replace(name, "ID") for one in asked]
    return [one for one in asked if one != "GET /ws"]


def is_older(shop: Shop) -> bool:
    return shop.emulator.desk(NAME).world["generation"] == "history"


async def test_a_picture_of_a_workflow(shop):
    result = await shop.buy(STILL_LIFE, model="mine")
    body = sent(shop)[0]
    nodes = body["prompt"]
    assert nodes["6"]["inputs"]["text"] == "a fox"
    assert nodes["7"]["inputs"]["text"] == "text, watermark"  # as the file has it
    assert (nodes["5"]["inputs"]["width"], nodes["5"]["inputs"]["height"]) == (256, 128)
    assert nodes["3"]["inputs"]["seed"] == 7
    assert body["partial_execution_targets"] == ["9"]
    assert str(UUID(body["prompt_id"])) == body["prompt_id"] == body["client_id"]
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("image/png", 256)
    assert (result.lineage.seed, result.cost.amount_usd) == (7, 0)
    assert not any("origin" in one.headers for one in shop.emulator.requests)


async def test_every_generation_is_asked_in_its_own_words(shop):
    await shop.buy(STILL_LIFE, model="mine")
    asked = words(shop)
    assert asked[0] == "POST /prompt"
    assert asked[-1] == "GET /view"
    looks = set(asked[1:-1])
    assert "GET /api/jobs/ID" in looks
    assert ("GET /history/ID" in looks) is is_older(shop)


async def test_a_clip_is_found_under_images(shop):
    result = await shop.buy(TextToVideo(prompt="a fox", size=(320, 192), duration_s=2), model="mine")
    nodes = sent(shop)[0]["prompt"]
    assert (nodes["5"]["inputs"]["length"], nodes["5"]["inputs"]["width"]) == (33, 320)
    assert nodes["12"]["inputs"]["filename_prefix"].startswith("video/film_")
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("video/mp4", 320)


async def test_a_clip_is_found_under_gifs_and_its_picture_is_uploaded(shop):
    result = await shop.buy(ImageToVideo(prompt="go", image=STILL), model="mine")
    name = sent(shop)[0]["prompt"]["20"]["inputs"]["image"]
    assert name in shop.emulator.desk(NAME).world["inputs"]
    assert words(shop)[0] == "POST /upload/image"
    assert result.artifact.mime_type == "video/mp4"


async def test_a_name_that_is_taken_by_other_bytes_is_another_name(shop):
    await shop.buy(ImageToVideo(prompt="go", image=STILL), model="mine")
    (name,) = shop.emulator.desk(NAME).world["inputs"]
    sha256 = name.removesuffix(".png")
    shop.emulator.desk(NAME).world["inputs"][f"{sha256}.png"] = b"somebody else's"
    await shop.buy(ImageToVideo(prompt="go on", image=STILL), model="mine")
    assert sent(shop)[-1]["prompt"]["20"]["inputs"]["image"] == f"{sha256} (1).png"


async def test_sound_is_found_under_audio(shop):
    result = await shop.buy(TextToMusic(prompt="pop", lyrics="la la", duration_s=3), model="mine")
    assert result.artifact.mime_type == "audio/flac"


async def test_a_seed_that_nobody_gave_is_drawn_and_told(shop):
    first = await shop.buy(TextToImage(prompt="a fox"), model="mine", key="a")
    second = await shop.buy(TextToImage(prompt="a fox", negative_prompt="x"), model="mine", key="b")
    seeds = [body["prompt"]["3"]["inputs"]["seed"] for body in sent(shop)]
    assert seeds == [first.lineage.seed, second.lineage.seed]
    assert len(set(seeds)) == 2
    assert 156680208700286 not in seeds


async def test_the_same_order_again_makes_a_file_of_its_own(shop):
    shop.emulator.desk(NAME).world["inputs"] = {"x.png": b"x"}
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
    }
    bare, own = set(), set()
    for attempt in ("a.1", "b.1"):
        job = {"prompt": graph, "prompt_id": _id(attempt)}
        bare.add((await shop.result(await shop.submit(job, "still", "text-to-image"))).files)
        marked = _build.marked(PROVIDER, job, attempt)
        own.add((await shop.result(await shop.submit(marked, "still", "text-to-image"))).files)
    assert (len(bare), len(own)) == (1, 2)  # an identical graph is answered from the cache


async def test_a_workflow_is_not_changed_by_an_order(shop):
    for prompt in ("one", "two"):
        await shop.buy(TextToImage(prompt=prompt, seed=1), model="mine")
    assert [body["prompt"]["6"]["inputs"]["text"] for body in sent(shop)] == ["one", "two"]


async def test_what_the_offer_does_not_name_can_be_set_by_an_option(shop):
    options = {NAME: {"3.inputs.steps": 4}}
    await shop.buy(STILL_LIFE, model="mine", provider_options=options)
    assert sent(shop)[0]["prompt"]["3"]["inputs"]["steps"] == 4
    with pytest.raises(errors.RequestError, match="a canonical parameter"):
        await shop.buy(STILL_LIFE, model="mine", key="k", provider_options={NAME: {"3.inputs.seed": 4}})


# ----------------------------------------------------------------------------------------------------- finding it again


@pytest.mark.parametrize("fate", ["drop_after", "http_after:504", "truncated", "broken_json", "no_id"])
async def test_a_job_whose_answer_never_came_is_looked_up_by_our_own_id(shop, fate):
    result = await shop.buy(STILL_LIFE, fate, model="mine")
    assert len(sent(shop)) == len(shop.emulator.book) == 1
    assert result.artifact.mime_type == "image/png"


async def test_what_was_certainly_not_taken_is_ordered_again(shop):
    await shop.buy(STILL_LIFE, "drop_before", model="mine")
    first, second = sent(shop)
    assert first["prompt_id"] != second["prompt_id"]
    assert len(shop.emulator.book) == 1


# ----------------------------------------------------------------------------------------------------------- canceling


async def begun(shop: Shop, *, running: bool) -> Any:
    shop.emulator.script(NAME, "slow")
    project = await shop.project()
    job = await project.submit(STILL_LIFE, model="mine", max_usd="1")
    while not shop.emulator.desk(NAME).jobs:
        await asyncio.sleep(0)
    taken = next(iter(shop.emulator.desk(NAME).jobs.values()))
    if running:
        taken.queued_s = 0.0
        taken.running_s = 1e6
    else:
        taken.queued_s = 1e6
    return job


@pytest.mark.parametrize("running", [True, False])
async def test_a_job_is_canceled_and_nobody_elses(shop, running):
    job = await begun(shop, running=running)
    while (await job.record()).state not in (AttemptState.SUBMITTED, AttemptState.RUNNING):
        await asyncio.sleep(0)
    assert await job.cancel()
    with pytest.raises(errors.JobCanceledError):
        await job.result()
    assert (await job.record()).state is AttemptState.CANCELED
    assert not shop.emulator.desk(NAME).world.get("interrupted_all")
    asked = [one for one in shop.emulator.requests if one.method == "POST" and one.path in ("/queue", "/interrupt")]
    ours = sent(shop)[0]["prompt_id"]
    wanted = [("/interrupt", {"prompt_id": ours})] if running else [("/queue", {"delete": [ours]})]
    assert [(one.path, one.json) for one in asked] == (wanted if is_older(shop) else [])


async def test_a_job_that_is_over_is_not_canceled(shop):
    project = await shop.project()
    job = await project.submit(STILL_LIFE, model="mine", max_usd="1")
    await job.result()
    taken = shop.emulator.desk(NAME).jobs
    handle = {"id": next(iter(taken)), "task": "text-to-image", "dialect": ""}
    assert await shop.engine.cancel(shop.backend, handle) is False


async def test_a_place_in_the_queue_is_told(shop):
    for number in range(3):
        shop.emulator.script(NAME, "slow")
        body = {"prompt": {"9": {"class_type": "PreviewImage", "inputs": {"images": [str(number), 0]}}}}
        body["prompt"][str(number)] = {"class_type": "LoadImage", "inputs": {"image": "x.png"}}
        shop.emulator.desk(NAME).world.setdefault("inputs", {})["x.png"] = b"x"
        body |= {"prompt_id": _id(str(number))}
        taken = await shop.submit(body, "still", "text-to-image")
        assert taken.outcome == "accepted", taken.error
    reading = await shop.engine.poll(shop.backend, taken.handle)
    assert (reading.state, reading.position) == ("queued", 2)


# ------------------------------------------------------------------------------------------------------ what goes wrong


async def test_a_server_that_was_started_again_leaves_the_job_unknown_and_not_hanging(shop):
    job = await begun(shop, running=True)
    while (await job.record()).state not in (AttemptState.SUBMITTED, AttemptState.RUNNING):
        await asyncio.sleep(0)
    shop.emulator.desk(NAME).jobs.clear()
    with pytest.raises(errors.ProviderError, match="404"):
        await job.result()
    assert (await job.record()).state is AttemptState.UNKNOWN
    assert len(sent(shop)) == 1


async def test_a_failure_says_where(shop):
    with pytest.raises(errors.JobFailedError, match=r"KSampler \(3\): The generation failed"):
        await shop.buy(STILL_LIFE, "failed", model="mine")
    assert shop.held == 0


async def test_a_card_without_memory_is_named(shop):
    with pytest.raises(errors.JobFailedError, match=r"out of GPU memory; KSampler \(3\): Allocation") as caught:
        await shop.buy(STILL_LIFE, "failed:OOM", model="mine")
    assert caught.value.code == "torch.OutOfMemoryError"


async def test_an_interrupted_job_is_canceled(shop):
    with pytest.raises(errors.JobCanceledError):
        await shop.buy(STILL_LIFE, "canceled", model="mine")


async def test_a_checkpoint_that_is_not_there_is_named_with_those_that_are(shop):
    with pytest.raises(errors.InvalidRequestError) as caught:
        await shop.buy(STILL_LIFE, model="mine", provider_options={NAME: {"4.inputs.ckpt_name": "mine.safetensors"}})
    said = str(caught.value)
    assert "CheckpointLoaderSimple (4): ckpt_name 'mine.safetensors' is not on this server; it has" in said
    assert "ltx-2.safetensors, sd15.safetensors, wan2.2.safetensors" in said
    assert (caught.value.code, caught.value.accepted) == ("value_not_in_list", False)
    assert len(shop.emulator.book) == 0


async def test_an_order_that_is_made_in_part_is_refused_and_stopped(shop):
    shop.emulator.desk(NAME).world["inputs"] = {"x.png": b"x"}
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "none.png"}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "b"}},
    }
    shop.emulator.script(NAME, "slow")
    taken = await shop.submit({"prompt": graph, "prompt_id": _id("1")}, "still", "text-to-image")
    assert taken.outcome == "rejected"
    assert "LoadImage (2)" in str(taken.error)
    assert [entry.job.state for entry in shop.emulator.book] == ["canceled"]


async def test_a_full_queue_is_none(shop):
    """There is no busy signal: what is too much at once waits in its queue."""
    project = await shop.project()
    jobs = [await project.submit(TextToImage(prompt=f"{n}"), model="mine", max_usd="1") for n in range(20)]
    assert len({(await job.result()).artifact.sha256 for job in jobs}) == len(jobs) == len(shop.emulator.book)


async def test_a_key_goes_where_the_configuration_says(shop):
    wanted = ("x-gpu-key", f"Token {shop.key()}")
    shop.emulator.desk(NAME).world["wanted"] = wanted
    own = {"api_key_env": "MY_GPU_KEY", "api_key_header": "X-Gpu-Key: Token {key}"}
    shop.settings["providers"] = {NAME: own}
    await shop.buy(STILL_LIFE, model="mine")
    assert all(one.headers["x-gpu-key"] == wanted[1] for one in shop.emulator.requests)


async def test_it_costs_what_the_card_was_busy_for(shop, tmp_path):
    """Where the configuration prices the hour: by what the server itself says."""
    shutil.copytree(cards_of(NAME)[0], tmp_path / "cards")
    for offer in (tmp_path / "cards/offers/comfyui").glob("*.toml"):
        stated = 'compute = { gpu = "mine", per = "1", seconds = ["1", "60"], source = "measured" }\n'
        lines = offer.read_text().splitlines(keepends=True)
        offer.write_text("".join(stated if line.startswith("meters") else line for line in lines))
    shop.settings["registry"] = {"paths": [str(tmp_path / "cards")]}
    shop.settings["providers"] = {NAME: {"usd_per_gpu_hour": "3.6"}}
    shop.emulator.script(NAME, "slow")
    result = await shop.buy(STILL_LIFE, model="mine")
    assert (result.cost.source, result.cost.amount_usd) == ("reported", Decimal("0.001"))


def test_it_has_no_address_until_one_is_configured():
    assert (PROVIDER.base_url, PROVIDER.auth.env) == ("", ())
