"""The OpenAI dialect at an address of one's own: users' cards, what is sent, what is made of each answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aggregator import _wire, errors
from aggregator.contract import HttpResponse, State
from aggregator.providers.openai_compatible import PROVIDER
from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Reference,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToVideo,
)
from aggregator.testing.emulator import Answer
from tests.providers.harness import STILL, Shop, faults_of, opened, parts, refusal
from tests.providers.own import cards_of

NAME = "openai_compatible"
CLIPS = PROVIDER.spoken("videos")


@pytest.fixture
async def shop(quick: Path) -> AsyncIterator[Shop]:
    """A client with the cards that a user would write."""
    async with opened(NAME, quick, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


def test_it_has_no_address_until_one_is_configured():
    assert PROVIDER.base_url == ""
    assert PROVIDER.auth.env == ()


async def test_a_picture_of_a_model_on_a_users_card(shop):
    request = TextToImage(prompt="a fox", size=(512, 256), seed=0, negative_prompt="text")
    result = await shop.buy(request, model="mine", max_usd="1")
    assert shop.paid.path == "/images/generations"
    assert "authorization" not in shop.paid.headers
    assert shop.paid.json == {
        "model": "qwen-image",
        "prompt": "a fox",
        "size": "512x256",
        "seed": 0,
        "negative_prompt": "text",
        "response_format": "b64_json",
    }
    assert (result.artifact.facts.width, result.cost.amount_usd) == (512, 0)


async def test_pictures_to_edit(shop):
    request = ImageToImage(prompt="at night", image=STILL, mask=STILL, references=(Reference(image=STILL),))
    await shop.buy(request, model="mine")
    assert shop.paid.path == "/images/edits"
    assert sorted(parts(shop.paid)) == [
        ("image[]", "image/png"),
        ("image[]", "image/png"),
        ("mask", "image/png"),
        ("model", "qwen-image"),
        ("prompt", "at night"),
        ("response_format", "b64_json"),
    ]
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="mine")
    assert ("image", "image/png") in parts(shop.paid)


async def test_a_clip_is_a_form_even_without_files(shop):
    request = TextToVideo(prompt="a fox", duration_s=4, size=(640, 360), seed=7, fps=12)
    result = await shop.buy(request, model="mine")
    assert shop.paid.path == "/videos"
    assert sorted(parts(shop.paid)) == [
        ("fps", "12"),
        ("model", "wan-2.2"),
        ("num_inference_steps", "20"),
        ("prompt", "a fox"),
        ("seconds", "4"),
        ("seed", "7"),
        ("size", "640x360"),
    ]
    job = f"/videos/{shop.paid.job_id}"
    assert f"GET {job}" in shop.asked
    assert shop.asked[-1] == f"GET {job}/content"
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("video/mp4", 640)


async def test_a_clip_from_a_picture(shop):
    await shop.buy(ImageToVideo(prompt="go", image=STILL), model="mine")
    assert ("input_reference", "image/png") in parts(shop.paid)
    assert shop.paid.path == "/videos"


async def test_a_clip_is_edited_and_extended(shop: Shop):
    await shop.buy(VideoToVideo(prompt="at night", video=shop.film), model="mine")
    assert shop.paid.path == "/videos/edits"
    assert ("video", "video/mp4") in parts(shop.paid)
    await shop.buy(VideoExtension(prompt="on", video=shop.film, duration_s=8), model="mine")
    assert shop.paid.path == "/videos/extensions"
    assert ("seconds", "8") in parts(shop.paid)


async def test_speech(shop):
    request = TextToSpeech(text="hello", voice="alloy", format="wav", prompt="softly")
    result = await shop.buy(request, model="mine")
    assert shop.paid.path == "/audio/speech"
    assert shop.paid.json == {
        "model": "tts-1",
        "input": "hello",
        "voice": "alloy",
        "response_format": "wav",
        "instructions": "softly",
    }
    assert result.artifact.mime_type == "audio/wav"


async def test_a_key_is_sent_where_the_configuration_names_its_variable(shop):
    shop.settings["providers"] = {"openai_compatible": {"api_key_env": "MY_SERVER_KEY"}}
    await shop.buy(TextToImage(prompt="a fox"), model="mine")
    assert shop.is_signed()


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", State.QUEUED),
        ("in_progress", State.RUNNING),
        ("completed", State.SUCCEEDED),
        ("failed", State.FAILED),
    ],
)
def test_each_word(word, state):
    assert _wire.read_status(CLIPS, {"status": word, "progress": 50}).state is state
    assert len(CLIPS.status.words) == 4


def test_an_unknown_word_is_not_guessed():
    with pytest.raises(errors.ResponseFormatError):
        _wire.read_status(CLIPS, {"status": "cancelling"})


async def test_a_clip_that_fails(shop):
    with pytest.raises(errors.JobFailedError, match="generation failed"):
        await shop.buy(TextToVideo(prompt="a fox"), "failed", model="mine")


async def test_a_clip_that_is_stopped(shop):
    with pytest.raises(errors.ContentPolicyError) as caught:
        await shop.buy(TextToVideo(prompt="a fox"), "moderated_output", model="mine")
    assert caught.value.code == "moderation_blocked"


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": errors.AuthenticationError,
    "forbidden": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "hard_limit": errors.InvalidRequestError,
    "rate_limited": errors.RateLimitError,
    "moderated_input": errors.ContentPolicyError,
    "bad_image": errors.InvalidRequestError,
    "no_model": errors.InvalidRequestError,
    "not_found": errors.InvalidRequestError,
    "invalid": errors.InvalidRequestError,
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    submission = refusal(NAME, FAULTS[fault])
    assert submission.outcome == "rejected"
    assert type(submission.error) is REFUSALS[fault]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "of OpenAI", "code": 400}}, "of OpenAI"),
        ({"error": "Unauthorized"}, "Unauthorized"),
        ({"detail": "of FastAPI"}, "of FastAPI"),
        ({"detail": {"error": "x", "message": "of Kokoro", "type": "y"}}, "of Kokoro"),
        ({"detail": {"error": {"message": "of Chatterbox", "type": "y"}}}, "of Chatterbox"),
        ({"detail": [{"loc": ["body"], "msg": "of pydantic"}]}, "of pydantic"),
        ({"message": "flat", "code": None, "type": "x"}, "flat"),
    ],
)
def test_the_text_is_found_in_every_form_of_error(body, text):
    assert text in str(refusal(NAME, Answer(400, body)).error)


def test_a_bare_text_is_an_error_too():
    answer = HttpResponse(500, {"content-type": "text/plain"}, b"Internal Server Error")
    submission = _wire.read_submission(PROVIDER, {}, {}, answer)
    assert (submission.outcome, "Internal Server Error" in str(submission.error)) == ("unknown", True)
