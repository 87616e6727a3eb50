"""LightX2V's queue of tasks: what is sent, what is found again, and what its answers mean."""

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.lightx2v import PROVIDER
from aggregator.tasks import ImageToVideo, LipSync, Lora, TextToImage, TextToVideo
from aggregator.testing.emulator import Answer
from tests.providers.harness import STILL, opened
from tests.providers.own import cards_of

NAME = "lightx2v"
ORDER = ({"prompt": "a fox"}, "wan-2.2", "text-to-video")
FOX = TextToVideo(prompt="a fox", duration_s=2, seed=7, size=(640, 368))


@pytest.fixture
async def shop(quick):
    async with opened(NAME, quick, order=ORDER, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


async def test_a_clip_is_counted_in_frames_and_carries_our_id(shop):
    result = await shop.buy(FOX, model="mine-lightx2v")
    body = shop.paid.json
    own = body.pop("task_id")
    assert body == {"prompt": "a fox", "seed": 7, "target_shape": [368, 640], "target_video_length": 32}
    assert f"GET /v1/tasks/{own}/status" in shop.asked
    assert shop.asked[-1] == f"GET /v1/tasks/{own}/result"
    assert result.artifact.facts.width == 640
    await shop.buy(FOX.with_(fps=24), model="mine-lightx2v")
    assert (shop.paid.json["target_video_length"], shop.paid.json["target_fps"]) == (48, 24)


async def test_an_adapter_has_two_names_there_and_two_adapters_are_too_many(shop):
    one = Lora(weights="ink.safetensors", scale=0.5)
    await shop.buy(FOX.with_(loras=(one,)), model="mine-lightx2v")
    assert (shop.paid.json["lora_name"], shop.paid.json["lora_strength"]) == ("ink.safetensors", 0.5)
    with pytest.raises(errors.UnsupportedFieldError, match="loras=2 given"):
        await shop.buy(FOX.with_(loras=(one, one)), model="mine-lightx2v", key="two")


async def test_inputs_are_bare_text(shop):
    await shop.buy(ImageToVideo(prompt="go", image=STILL, last_image=STILL), model="mine-lightx2v")
    assert {shop.paid.json[name][:5] for name in ("image_path", "last_frame_path")} == {"iVBOR"}
    await shop.buy(LipSync(image=STILL, audio=shop.clip, prompt="hm"), model="mine-lightx2v")
    assert shop.paid.json["audio_path"].startswith("UklGR")


async def test_a_picture_has_a_path_of_its_own(shop):
    await shop.buy(TextToImage(prompt="a fox"), model="mine-lightx2v")
    assert shop.paid.path == "/v1/tasks/image/"


async def test_a_full_queue_has_taken_nothing(shop):
    await shop.refused("full", errors.UnavailableError)


async def test_an_order_whose_answer_was_lost_is_found_by_our_id(shop):
    await shop.buy(FOX, "drop_after", model="mine-lightx2v")
    assert (len(shop.ordered()), len(shop.emulator.book)) == (1, 1)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", State.QUEUED),
        ("processing", State.RUNNING),
        ("completed", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("cancelled", State.CANCELED),
    ],
)
async def test_each_word(shop, word, state):
    assert (await shop.look("GET /v1/tasks/*/status", {"task_id": "x", "status": word})).state is state


async def test_it_stops_when_it_is_asked_to(shop):
    await shop.is_canceled(await shop.order())


async def test_a_failure_says_why(shop):
    with pytest.raises(errors.JobFailedError, match="out of memory"):
        await shop.buy(FOX, "failed", model="mine-lightx2v")


async def test_only_our_own_task_is_ever_stopped():
    assert PROVIDER.cancel.url == "/v1/tasks/{id}"


async def test_a_schema_error_is_quoted(shop):
    error = await shop.refused(Answer(422, {"detail": [{"msg": "seed is too large"}]}), errors.InvalidRequestError)
    assert "seed is too large" in str(error)
