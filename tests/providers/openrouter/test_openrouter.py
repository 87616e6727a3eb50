"""OpenRouter: what is sent for each task, what is made of each answer, and whose a delivery is."""

import asyncio
import json
from decimal import Decimal

import httpx
import pytest

from aggregator import _wire, errors
from aggregator.contract import State, WebhookRequest
from aggregator.providers.openrouter import PROVIDER
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
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import NOVEMBER, STILL, faults_of, is_refused, refusal, written

NAME = "openrouter"
CLIPS = PROVIDER.spoken("videos")


async def test_a_picture(shop):
    request = TextToImage(prompt="a fox", aspect_ratio="16:9", resolution="2k", seed=0, format="jpeg")
    result = await shop.buy(request, model="gemini-3.1-flash-image")
    assert shop.paid.path == "/api/v1/images"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "google/gemini-3.1-flash-image-preview",
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "resolution": "2K",
        "seed": 0,
        "output_format": "jpeg",
    }
    assert result.artifact.mime_type == "image/jpeg"
    assert (result.quote.basis, result.cost.source) == ("unknown", "reported")
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal("0.04")


async def test_a_picture_to_edit_comes_before_its_guides(shop):
    request = ImageToImage(prompt="at night", image=STILL, references=(Reference(image="https://x/b.png"),))
    await shop.buy(request, model="seedream-4.5")
    assert shop.paid.path == "/api/v1/images"
    first, second = shop.paid.json["input_references"]
    assert first["type"] == "image_url"
    assert first["image_url"]["url"].startswith("data:image/png;base64,")
    assert second == {"type": "image_url", "image_url": {"url": "https://x/b.png"}}


def test_pictures_that_guide_one():
    body = written(
        "openrouter", "flux-2-pro", TextToImage(prompt="x", references=(Reference(image="https://x/a.png"),))
    )
    assert body["input_references"] == [{"type": "image_url", "image_url": {"url": "https://x/a.png"}}]


async def test_a_clip(shop):
    request = TextToVideo(prompt="a fox", duration_s=6, aspect_ratio="16:9", resolution="1080p", audio=True, seed=1)
    result = await shop.buy(request, model="veo-3.1")
    assert shop.paid.path == "/api/v1/videos"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "google/veo-3.1",
        "prompt": "a fox",
        "duration": 6,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "generate_audio": True,
        "seed": 1,
    }
    job = f"/api/v1/videos/{shop.paid.job_id}"
    assert f"GET {job}" in shop.asked
    assert f"GET {job}/content" in shop.asked
    fetched = [one for one in shop.emulator.requests if one.path.endswith("/content")][-1]
    assert (fetched.key_sent, fetched.query) == (True, {"index": "0"})
    assert result.artifact.facts.width == 1920
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal("0.24")


async def test_the_ends_of_a_clip(shop):
    request = ImageToVideo(prompt="go", image=STILL, last_image="https://x/b.png", duration_s=5)
    await shop.buy(request, model="wan-2.7")
    first, last = shop.paid.json["frame_images"]
    assert (first["type"], first["frame_type"]) == ("image_url", "first_frame")
    assert first["image_url"]["url"].startswith("data:image/png;base64,")
    assert last == {"type": "image_url", "image_url": {"url": "https://x/b.png"}, "frame_type": "last_frame"}


async def test_guides_beside_frames_are_refused_for_they_would_be_ignored(shop):
    request = ImageToVideo(prompt="go", image=STILL, references=(Reference(image=STILL),))
    with pytest.raises(errors.UnsupportedFieldError, match="references"):
        await shop.buy(request, model="wan-2.7")
    assert shop.asked == []


def test_a_clip_to_work_on_comes_before_its_guides():
    request = VideoToVideo(prompt="x", video="https://x/a.mp4", references=(Reference(image="https://x/b.png"),))
    assert written(NAME, "seedance-2.0", request)["input_references"] == [
        {"type": "video_url", "video_url": {"url": "https://x/a.mp4"}},
        {"type": "image_url", "image_url": {"url": "https://x/b.png"}},
    ]


def test_a_clip_goes_on_from_the_job_that_made_it():
    endpoint = PROVIDER.tasks["video-extension"]
    assert endpoint.fields["video"] == "previous_job_id"
    assert endpoint.inputs["video"].accepts == ("ref:job",)
    assert PROVIDER.tasks["text-to-video"].refs == {"job": "{id}"}
    body = written(NAME, None, VideoExtension(prompt="on", video="https://x/a.mp4", duration_s=4))
    assert body == {"model": "some-model", "prompt": "on", "previous_job_id": "https://x/a.mp4", "duration": 4}


async def test_speech(shop):
    request = TextToSpeech(text="hello there", voice="alloy", prompt="softly", speed=1.5)
    result = await shop.buy(request, model="gpt-4o-mini-tts")
    assert shop.paid.path == "/api/v1/audio/speech"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "openai/gpt-4o-mini-tts-2025-12-15",
        "input": "hello there",
        "voice": "alloy",
        "instructions": "softly",
        "speed": 1.5,
        "response_format": "mp3",
    }
    assert result.artifact.mime_type == "audio/mpeg"
    assert result.cost.unpriced


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", State.QUEUED),
        ("in_progress", State.RUNNING),
        ("completed", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("cancelled", State.CANCELED),
        ("expired", State.FAILED),
    ],
)
def test_each_word(word, state):
    assert _wire.read_status(CLIPS, {"status": word}).state is state
    assert len(CLIPS.status.words) == 6


def test_an_unknown_word_is_not_guessed():
    with pytest.raises(errors.ResponseFormatError):
        _wire.read_status(CLIPS, {"status": "paused"})


@pytest.mark.parametrize(
    ("fate", "kind"),
    [
        ("failed", errors.JobFailedError),
        ("failed:expired", errors.JobFailedError),
        ("failed:cancelled", errors.JobCanceledError),
        ("moderated_output", errors.JobFailedError),
    ],
)
async def test_a_clip_that_ends_badly(shop, fate, kind):
    with pytest.raises(kind) as caught:
        await shop.buy(TextToVideo(prompt="a fox", duration_s=5), fate, model="wan-2.7")
    assert caught.value.accepted is True


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": (errors.AuthenticationError, "401"),
    "no_credit": (errors.QuotaError, "402"),
    "forbidden": (errors.AuthenticationError, "403"),
    "moderated_input": (errors.AuthenticationError, "403"),
    "not_found": (errors.InvalidRequestError, "404"),
    "too_large": (errors.InvalidRequestError, "413"),
    "invalid": (errors.InvalidRequestError, "400"),
    "rate_limited": (errors.RateLimitError, "429"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    is_refused(NAME, FAULTS[fault], *REFUSALS[fault])


def test_every_fault_is_tried():
    assert set(FAULTS) == {*REFUSALS, "conflict", "server_error", "unavailable"}


@pytest.mark.parametrize("fault", ["conflict", "server_error", "unavailable"])
def test_after_these_nobody_knows(fault):
    assert refusal(NAME, FAULTS[fault]).outcome == "unknown"


# ------------------------------------------------------------------------------------------------------------ webhooks


async def _delivered(shop, *fates):
    """One delivery of the emulator, as a receiver sees it."""
    emulator = shop.emulator
    emulator.script("openrouter", *fates)
    async with httpx.AsyncClient(trust_env=False) as http:
        body = {"model": "google/veo-3.1", "prompt": "a fox", "callback_url": f"{emulator.origin}/nowhere"}
        key = {"authorization": f"Bearer {emulator.keys['openrouter']}"}
        await http.post(f"{emulator.url('openrouter')}/api/v1/videos", json=body, headers=key)
    emulator.clock.advance(60)
    for _ in range(500):
        if emulator.deliveries:
            break
        await asyncio.sleep(0.01)
    one = emulator.deliveries[0]
    return one, WebhookRequest(
        "POST", "/hook", "", {name.lower(): text for name, text in one.headers.items()}, one.body
    )


@pytest.mark.parametrize(
    ("fates", "state"), [((), State.SUCCEEDED), (("failed",), State.FAILED), (("canceled",), State.CANCELED)]
)
async def test_a_delivery_says_what_a_poll_would(shop, fates, state):
    one, request = await _delivered(shop, *fates)
    notice = verify(CLIPS, request, secrets=[shop.emulator.desk("openrouter").world.secret], now=NOVEMBER + 60)
    assert (notice.job_id, notice.reading.state) == (one.job_id, state)


async def test_a_delivery_of_another_is_refused(shop):
    _, request = await _delivered(shop)
    with pytest.raises(errors.WebhookError, match="sign"):
        verify(CLIPS, request, secrets=["another"], now=NOVEMBER + 60)


async def test_a_delivery_that_was_changed_or_is_old_is_refused(shop):
    _, request = await _delivered(shop)
    secrets = [shop.emulator.desk("openrouter").world.secret]
    changed = WebhookRequest("POST", "/hook", "", request.headers, request.body.replace(b"completed", b"failed"))
    with pytest.raises(errors.WebhookError):
        verify(CLIPS, changed, secrets=secrets, now=NOVEMBER + 60)
    with pytest.raises(errors.WebhookError) as caught:
        verify(CLIPS, request, secrets=secrets, now=NOVEMBER + 3600)
    assert caught.value.reason == "time"


async def test_the_address_to_call_back_goes_into_the_body(shop):
    one, _ = await _delivered(shop)
    assert CLIPS.webhook.ask == "callback_url"
    assert json.loads(one.body)["data"]["id"] == one.job_id


def test_every_body_of_every_offer_is_what_is_documented():
    check_bodies("openrouter", offers=19)
