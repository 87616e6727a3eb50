"""Comfy Router: what is sent for each maker's model, and what is made of each answer."""

import asyncio
from decimal import Decimal

import pytest

from aggregator import _wire, errors
from aggregator.contract import State
from aggregator.providers.comfy import PROVIDER
from aggregator.tasks import ImageToImage, ImageToVideo, Reference, TextToImage, TextToSpeech, TextToVideo
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, faults_of, is_refused, refusal, written

NAME = "comfy"


def _near(amount, wanted):
    return abs(amount - Decimal(wanted)) < Decimal("0.000001")


async def test_a_picture(shop):
    request = TextToImage(prompt="a fox", size=(512, 768), seed=0, format="png")
    result = await shop.buy(request, model="flux-2-pro")
    assert shop.paid.path == "/v2/models/bfl/flux-2-pro/requests"
    assert shop.is_signed()
    assert shop.paid.json == {"prompt": "a fox", "width": 512, "height": 768, "seed": 0, "output_format": "png"}
    job = f"/v2/models/bfl/flux-2-pro/requests/{shop.paid.job_id}"
    assert f"GET {job}/status" in shop.asked
    assert shop.asked[-1] == f"GET {job}"
    assert result.artifact.facts.width == 512


async def test_every_purchase_has_a_key_of_its_own(shop):
    await shop.buy(TextToImage(prompt="a fox"), model="flux-2-pro")
    first = shop.paid.headers["idempotency-key"]
    await shop.buy(TextToImage(prompt="a fox"), model="flux-2-pro")
    assert shop.paid.headers["idempotency-key"] not in ("", first)


async def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_key_and_bought_once(shop):
    result = await shop.buy(TextToImage(prompt="a fox"), "drop_after", model="flux-2-pro")
    sent = [one for one in shop.emulator.requests if one.method == "POST"]
    assert len(sent) == 2
    assert len({one.headers["idempotency-key"] for one in sent}) == 1
    assert len(shop.emulator.book) == 1
    assert result.artifact.mime_type.startswith("image/")


async def test_pictures_to_edit_are_numbered_and_bare(shop):
    request = ImageToImage(prompt="at night", image=STILL, references=(Reference(image=STILL),))
    await shop.buy(request, model="flux-2-max")
    body = shop.paid.json
    assert body["input_image"] == body["input_image_2"]
    assert body["input_image"].startswith("iVBOR")
    assert set(body) == {"prompt", "input_image", "input_image_2"}


async def test_flux_3_takes_a_list_and_no_size(shop):
    request = ImageToImage(
        prompt="x", image=STILL, references=(Reference(image="https://x/b.png"),), aspect_ratio="3:2"
    )
    await shop.buy(request, model="flux-3-image")
    assert shop.paid.path == "/v2/models/bfl/flux-3-image/requests"
    first, second = shop.paid.json["images"]
    assert first.startswith("iVBOR")
    assert second == "https://x/b.png"
    assert shop.paid.json["aspect_ratio"] == "3:2"


def test_flux_3_without_pictures_sends_no_list():
    body = written(NAME, "flux-3-image", TextToImage(prompt="x", resolution="2k"))
    assert body == {"prompt": "x", "resolution": "2k"}


async def test_a_clip(shop):
    request = TextToVideo(prompt="a fox", duration_s=5, aspect_ratio="16:9", resolution="1080p")
    result = await shop.buy(request, model="grok-imagine-video-1.5")
    assert shop.paid.path == "/v2/models/xai/grok-imagine-video-1.5/requests"
    assert shop.paid.json == {"prompt": "a fox", "duration": 5, "aspect_ratio": "16:9", "resolution": "1080p"}
    assert result.cost.source == "reported"
    assert _near(result.cost.amount_usd, "1.7875")
    assert result.quote.high_usd == shop.emulator.book.usd == Decimal("1.7875")


async def test_a_clip_from_a_picture(shop):
    result = await shop.buy(ImageToVideo(prompt="go", image=STILL, duration_s=5), model="grok-imagine-video-1.5")
    assert shop.paid.json["image"]["url"].startswith("data:image/png;base64,")
    assert _near(result.cost.amount_usd, result.quote.high_usd)


async def test_speech_is_a_dialogue_of_one_turn_and_the_answer_is_the_sound(shop):
    result = await shop.buy(TextToSpeech(text="hello there", voice="abc", language="en", seed=0), model="eleven-v4")
    assert shop.paid.path == "/v2/models/elevenlabs/eleven_v4/requests"
    assert shop.paid.json == {
        "inputs": [{"text": "hello there", "voice_id": "abc"}],
        "language_code": "en",
        "seed": 0,
    }
    assert result.artifact.mime_type == "audio/mpeg"
    assert _near(result.cost.amount_usd, "0.00264")


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"status": "IN_QUEUE", "queue_position": 2}, State.QUEUED),
        ({"status": "IN_PROGRESS"}, State.RUNNING),
        ({"status": "COMPLETED"}, State.SUCCEEDED),
        ({"status": "COMPLETED", "error_type": "provider_error"}, State.FAILED),
        ({"status": "COMPLETED", "error_type": "provider_timeout"}, State.FAILED),
        ({"status": "COMPLETED", "error_type": "queue_timeout"}, State.FAILED),
        ({"status": "COMPLETED", "error_type": "something_new"}, State.FAILED),
        ({"status": "COMPLETED", "error_type": "cancelled"}, State.CANCELED),
        ({"status": "COMPLETED", "error_type": "client_disconnected"}, State.CANCELED),
    ],
)
def test_each_word(body, state):
    reading = _wire.read_status(PROVIDER, body)
    assert (reading.state, reading.position) == (state, body.get("queue_position"))
    assert len(PROVIDER.status.words) == 3


def test_an_unknown_word_is_not_guessed():
    with pytest.raises(errors.ResponseFormatError):
        _wire.read_status(PROVIDER, {"status": "PAUSED"})


@pytest.mark.parametrize(
    ("fate", "kind", "code"),
    [
        ("failed", errors.JobFailedError, "provider_error"),
        ("failed:provider_timeout", errors.JobFailedError, "provider_timeout"),
        ("moderated_output", errors.ContentPolicyError, "content_policy_violation"),
        ("canceled", errors.JobCanceledError, "cancelled"),
    ],
)
async def test_a_job_that_ends_badly(shop, fate, kind, code):
    with pytest.raises(kind) as caught:
        await shop.buy(TextToImage(prompt="a fox"), fate, model="flux-2-pro")
    assert (caught.value.code, caught.value.accepted) == (code, True)


async def test_a_job_is_canceled(shop):
    async with (
        shop.emulator.aggregator(shop.directory, "comfy", clock=_Slow(shop.emulator.clock)) as agg,
        agg.project("trial") as project,
    ):
        job = await project.submit(TextToVideo(prompt="a fox"), model="grok-imagine-video-1.5", max_usd="9")
        while not (await job.record()).remote_id:
            await asyncio.sleep(0.005)
        assert await job.cancel()
        with pytest.raises(errors.JobCanceledError):
            await job.result()
    asked = [one for one in shop.emulator.requests if one.path.endswith("/cancel")]
    assert [(one.method, one.status) for one in asked] == [("PUT", 202)]


class _Slow:
    """The emulator's clock, whose sleeps take a moment and move nothing."""

    def __init__(self, clock):
        self._clock = clock

    def time(self):
        return self._clock.time()

    def monotonic(self):
        return self._clock.monotonic()

    async def sleep(self, _seconds):
        await asyncio.sleep(0.002)


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": (errors.AuthenticationError, "unauthorized"),
    "no_credit": (errors.QuotaError, "insufficient_credits"),
    "forbidden": (errors.AuthenticationError, "forbidden"),
    "not_enabled": (errors.AuthenticationError, "not_enabled"),
    "no_model": (errors.InvalidRequestError, "model_not_found"),
    "not_found": (errors.InvalidRequestError, "request_not_found"),
    "invalid": (errors.InvalidRequestError, "invalid_input"),
    "moderated_input": (errors.ContentPolicyError, "content_policy_violation"),
    "rate_limited": (errors.RateLimitError, "rate_limited"),
    "too_many": (errors.RateLimitError, "concurrency_limit_exceeded"),
    "backlog_full": (errors.RateLimitError, "queue_backlog_full"),
}
UNKNOWN = {
    "in_flight": (errors.RateLimitError, "concurrency_limit_exceeded"),
    "other_request": (errors.InvalidRequestError, "invalid_input"),
    "server_error": (errors.UnavailableError, "internal_error"),
    "unavailable": (errors.UnavailableError, "service_unavailable"),
    "deadline": (errors.UnavailableError, "deadline_exceeded"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    is_refused(NAME, FAULTS[fault], *REFUSALS[fault])


@pytest.mark.parametrize("fault", UNKNOWN)
def test_after_these_nobody_knows(fault):
    kind, code = UNKNOWN[fault]
    submission = refusal(NAME, FAULTS[fault])
    assert submission.outcome == "unknown"
    assert (type(submission.error), submission.error.code) == (kind, code)


def test_every_fault_and_every_code_is_tried():
    assert set(FAULTS) == {*REFUSALS, *UNKNOWN}
    of_jobs = {"provider_error", "provider_timeout", "queue_timeout", "cancelled", "client_disconnected"}
    assert {code for _, code in (*REFUSALS.values(), *UNKNOWN.values())} | of_jobs == set(PROVIDER.codes.kinds)


def test_the_bucket_is_read_from_the_header_where_the_body_has_none():
    answer = faults_of(NAME)["no_credit"]
    bare = type(answer)(400, {"detail": "no"}, answer.headers)
    assert type(refusal(NAME, bare).error) is errors.QuotaError


def test_the_line_can_be_held_instead():
    spoken = PROVIDER.spoken("sync")
    assert (spoken.submit.url, spoken.poll, spoken.follow) == ("/v2/models/{endpoint}", None, ())
    assert spoken.submit.read_s > 600


def test_every_body_of_every_offer_is_what_is_documented():
    check_bodies("comfy", offers=15)
