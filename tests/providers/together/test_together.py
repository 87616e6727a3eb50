"""Together: what is sent for each task, and what is made of each answer."""

from decimal import Decimal

import pytest

from aggregator import _wire, errors
from aggregator.contract import State
from aggregator.providers.together import PROVIDER
from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Lora,
    Reference,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoToVideo,
)
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, faults_of, is_refused, refusal, written

NAME = "together"
CLIPS = PROVIDER.spoken("videos")


async def test_a_picture(shop):
    request = TextToImage(prompt="a fox", negative_prompt="text", size=(512, 768), seed=0, format="png")
    result = await shop.buy(request, model="flux-1-schnell")
    assert shop.paid.path == "/v1/images/generations"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "black-forest-labs/FLUX.1-schnell",
        "prompt": "a fox",
        "negative_prompt": "text",
        "width": 512,
        "height": 768,
        "seed": 0,
        "output_format": "png",
        "response_format": "base64",
    }
    assert (result.artifact.mime_type, result.artifact.facts.height) == ("image/png", 768)
    assert result.cost.amount_usd == Decimal("0.0027") * 512 * 768 / 1_000_000


async def test_fine_tunes_and_guides_of_a_picture():
    request = TextToImage(
        prompt="a fox",
        loras=(Lora(weights="https://x/y", scale=0.5),),
        references=(Reference(image="https://x/a.png"),),
    )
    body = written(NAME, "flux-1.1-pro", request)
    assert body["image_loras"] == [{"path": "https://x/y", "scale": 0.5}]
    assert body["reference_images"] == ["https://x/a.png"]


async def test_a_picture_is_edited_by_the_field_that_its_model_reads(shop):
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="flux-1-kontext-pro")
    assert shop.paid.json["image_url"].startswith("data:image/png;base64,")
    assert "reference_images" not in shop.paid.json
    await shop.buy(ImageToImage(prompt="at night", image="https://x/a.png"), model="qwen-image-edit")
    assert shop.paid.json["reference_images"] == ["https://x/a.png"]
    assert "image_url" not in shop.paid.json


async def test_speech(shop):
    result = await shop.buy(
        TextToSpeech(text="hello there", voice="af_alloy", language="en", format="wav"), model="kokoro-82m"
    )
    assert shop.paid.path == "/v1/audio/speech"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "hexgrad/Kokoro-82M",
        "input": "hello there",
        "voice": "af_alloy",
        "language": "en",
        "response_format": "wav",
    }
    assert result.artifact.mime_type == "audio/wav"
    assert result.cost.unpriced


def test_bare_samples_are_called_raw():
    assert written(NAME, "kokoro-82m", TextToSpeech(text="x", voice="v", format="pcm"))["response_format"] == "raw"


async def test_a_clip(shop):
    request = TextToVideo(prompt="a fox", duration_s=6, size=(1280, 720), fps=24, seed=3, audio=False)
    result = await shop.buy(request, model="hailuo-02")
    assert shop.paid.path == "/v2/videos"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "minimax/hailuo-02",
        "prompt": "a fox",
        "seconds": "6",
        "width": 1280,
        "height": 720,
        "fps": 24,
        "seed": 3,
        "generate_audio": False,
    }
    assert f"GET /v2/videos/{shop.paid.job_id}" in shop.asked
    assert result.artifact.mime_type == "video/mp4"
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal("0.294")


def test_the_ends_of_a_clip_stand_in_media():
    request = ImageToVideo(prompt="go", image="https://x/a.png", last_image="https://x/b.png", resolution="720p")
    body = written(NAME, None, request)
    assert body["media"] == {
        "frame_images": [
            {"input_image": "https://x/a.png", "frame": "first"},
            {"input_image": "https://x/b.png", "frame": "last"},
        ]
    }
    assert body["resolution"] == "720p"


def test_a_clip_to_work_on_and_its_guides_stand_in_media():
    request = VideoToVideo(prompt="go", video="https://x/a.mp4", references=(Reference(image="https://x/b.png"),))
    body = written(NAME, None, request)
    assert body["media"] == {"source_video": "https://x/a.mp4", "reference_images": ["https://x/b.png"]}


def test_a_clip_has_the_shape_that_is_asked_for():
    body = written(NAME, "hailuo-02", TextToVideo(prompt="x", duration_s=5, aspect_ratio="9:16"))
    assert body["ratio"] == "9:16"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", State.QUEUED),
        ("in_progress", State.RUNNING),
        ("completed", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("cancelled", State.CANCELED),
    ],
)
def test_each_word(word, state):
    assert _wire.read_status(CLIPS, {"status": word}).state is state
    assert len(CLIPS.status.words) == 5


def test_an_unknown_word_is_not_guessed():
    with pytest.raises(errors.ResponseFormatError):
        _wire.read_status(CLIPS, {"status": "paused"})


@pytest.mark.parametrize("fate", ["failed", "moderated_output"])
async def test_a_clip_that_fails_keeps_its_money_until_somebody_knows(shop, fate):
    with pytest.raises(errors.JobFailedError, match="not made") as caught:
        await shop.buy(TextToVideo(prompt="a fox", duration_s=5), fate, model="hailuo-02")
    assert caught.value.accepted is True
    assert shop.spent.held_usd > 0


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": (errors.AuthenticationError, "invalid_api_key"),
    "no_credit": (errors.QuotaError, "credit_limit"),
    "not_found": (errors.InvalidRequestError, "model_not_available"),
    "invalid": (errors.InvalidRequestError, "invalid_request_error"),
    "unprocessable": (errors.InvalidRequestError, "invalid_request_error"),
    "moderated_input": (errors.InvalidRequestError, "nsfw_content"),
    "rate_limited": (errors.RateLimitError, "rate_limit"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    is_refused(NAME, FAULTS[fault], *REFUSALS[fault])


def test_every_fault_is_tried():
    assert set(FAULTS) == {*REFUSALS, "server_error", "unavailable"}


@pytest.mark.parametrize("fault", ["server_error", "unavailable"])
def test_after_an_error_of_theirs_nobody_knows(fault):
    submission = refusal(NAME, FAULTS[fault])
    assert (submission.outcome, type(submission.error)) == ("unknown", errors.UnavailableError)


def test_out_of_credit_in_the_words_of_the_dialect():
    answer = faults_of(NAME)["rate_limited"]
    body = {"error": {**answer.body["error"], "code": "insufficient_quota"}}
    assert type(refusal(NAME, type(answer)(429, body)).error) is errors.QuotaError


def test_every_body_of_every_offer_is_what_is_documented():
    check_bodies("together", offers=14)
