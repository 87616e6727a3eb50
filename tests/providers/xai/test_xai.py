"""xAI: what is sent for each task, and what is made of each answer, HTTP 202 among them.

It is held to documentation alone: the official Python client (xai-sdk 1.21.0) speaks gRPC, whose requests cannot be
compared with ours, and no schema of the REST API is published.
"""

from decimal import Decimal

import pytest

from aggregator import _wire, errors
from aggregator.contract import State
from aggregator.providers.xai import PROVIDER
from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Reference,
    TextToImage,
    TextToVideo,
    VideoExtension,
    VideoToVideo,
)
from aggregator.testing.emulator import Answer
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, faults_of, is_refused, refusal

NAME = "xai"
CLIPS = PROVIDER.spoken("videos")
CLIP = "https://example.com/clip.mp4"


async def test_a_picture(shop):
    request = TextToImage(prompt="a fox", aspect_ratio="16:9", resolution="2k")
    result = await shop.buy(request, model="grok-imagine-image-2.0")
    assert shop.paid.path == "/v1/images/generations"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "grok-imagine-image-2.0",
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "resolution": "2k",
        "response_format": "b64_json",
    }
    assert result.artifact.mime_type == "image/jpeg"
    assert result.cost.amount_usd == result.quote.high_usd == shop.emulator.book.usd == Decimal("0.08")


async def test_one_picture_to_edit_stands_alone(shop):
    result = await shop.buy(ImageToImage(prompt="at night", image=STILL), model="grok-imagine-image-2.0")
    assert shop.paid.path == "/v1/images/edits"
    assert shop.is_signed()
    image = shop.paid.json["image"]
    assert image["type"] == "image_url"
    assert image["url"].startswith("data:image/png;base64,")
    assert "images" not in shop.paid.json
    assert result.cost.amount_usd == result.quote.high_usd == Decimal("0.07")


async def test_several_pictures_stand_in_a_list(shop):
    request = ImageToImage(prompt="at night", image="https://x/a.png", references=(Reference(image="https://x/b.png"),))
    result = await shop.buy(request, model="grok-imagine-image-2.0")
    assert shop.paid.json["images"] == [
        {"url": "https://x/a.png", "type": "image_url"},
        {"url": "https://x/b.png", "type": "image_url"},
    ]
    assert "image" not in shop.paid.json
    assert result.cost.amount_usd == result.quote.high_usd == Decimal("0.08")


async def test_a_clip(shop):
    request = TextToVideo(prompt="a fox", duration_s=6, aspect_ratio="9:16", resolution="480p")
    result = await shop.buy(request, "slow", model="grok-imagine-video")
    assert shop.paid.path == "/v1/videos/generations"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "grok-imagine-video",
        "prompt": "a fox",
        "duration": 6,
        "aspect_ratio": "9:16",
        "resolution": "480p",
    }
    looks = [one for one in shop.emulator.requests if one.method == "GET"]
    assert {one.path for one in looks} == {f"/v1/videos/{shop.paid.job_id}"}
    assert [looks[0].status, looks[-1].status] == [202, 200]
    assert result.artifact.facts.height == 854
    assert result.cost.source == "reported"
    assert result.cost.amount_usd == result.quote.high_usd == shop.emulator.book.usd == Decimal("0.3")


async def test_what_a_clip_costs_is_known_where_nothing_is_said(shop):
    result = await shop.buy(TextToVideo(prompt="a fox"), model="grok-imagine-video-1.5")
    assert (shop.paid.json["duration"], shop.paid.json["resolution"]) == (8, "720p")
    assert result.cost.amount_usd == result.quote.high_usd == Decimal("1.12")


async def test_a_clip_from_a_picture(shop):
    result = await shop.buy(ImageToVideo(prompt="go", image=STILL, duration_s=5), model="grok-imagine-video")
    assert shop.paid.path == "/v1/videos/generations"
    assert shop.paid.json["image"]["url"].startswith("data:image/png;base64,")
    assert result.cost.amount_usd == result.quote.high_usd == Decimal("0.352")


async def test_pictures_that_guide_a_clip(shop):
    request = TextToVideo(prompt="a fox", duration_s=5, references=(Reference(image="https://x/a.png"),))
    await shop.buy(request, model="grok-imagine-video")
    assert shop.paid.json["reference_images"] == [{"url": "https://x/a.png"}]


async def test_an_edit_keeps_length_and_shape(shop):
    await shop.buy(VideoToVideo(prompt="at night", video=CLIP), model="grok-imagine-video")
    assert shop.paid.path == "/v1/videos/edits"
    assert shop.paid.json == {"model": "grok-imagine-video", "prompt": "at night", "video": {"url": CLIP}}


async def test_a_clip_is_extended(shop):
    result = await shop.buy(VideoExtension(prompt="on", video=CLIP, duration_s=4), model="grok-imagine-video")
    assert shop.paid.path == "/v1/videos/extensions"
    assert shop.paid.json == {"model": "grok-imagine-video", "prompt": "on", "video": {"url": CLIP}, "duration": 4}
    assert (result.quote.basis, result.cost.source) == ("unknown", "reported")


async def test_a_clip_of_ones_own_disk_cannot_be_handed_over(shop, tmp_path):
    own = tmp_path / "own.mp4"
    own.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 64)
    with pytest.raises(errors.AggregatorError, match="address"):
        await shop.buy(VideoExtension(prompt="on", video=own), model="grok-imagine-video")


@pytest.mark.parametrize(
    ("status", "word", "state"),
    [
        ("202", None, State.RUNNING),
        ("202", "pending", State.RUNNING),
        ("200", "pending", State.RUNNING),
        ("200", "done", State.SUCCEEDED),
        ("200", None, State.SUCCEEDED),
        ("200", "failed", State.FAILED),
        ("200", "expired", State.FAILED),
    ],
)
def test_each_word(status, word, state):
    body = {"@status": status} | ({"status": word} if word else {})
    assert _wire.read_status(CLIPS, body).state is state
    assert len(CLIPS.status.words) == 6


def test_an_unknown_word_is_not_guessed():
    with pytest.raises(errors.ResponseFormatError):
        _wire.read_status(CLIPS, {"@status": "200", "status": "paused"})


def test_progress_is_of_a_hundred():
    assert _wire.read_status(CLIPS, {"@status": "202", "status": "pending", "progress": 40}).progress == 0.4


async def test_a_clip_that_is_stopped_is_done_and_has_no_address(shop):
    with pytest.raises(errors.ContentPolicyError) as caught:
        await shop.buy(TextToVideo(prompt="a fox"), "moderated_output", model="grok-imagine-video")
    assert caught.value.accepted is True


async def test_a_picture_that_is_stopped(shop):
    with pytest.raises(errors.ContentPolicyError):
        await shop.buy(TextToImage(prompt="a fox"), "moderated_output", model="grok-imagine-image-2.0")


@pytest.mark.parametrize("fate", ["failed", "failed:expired"])
async def test_a_clip_that_fails(shop, fate):
    with pytest.raises(errors.JobFailedError, match="not made") as caught:
        await shop.buy(TextToVideo(prompt="a fox"), fate, model="grok-imagine-video")
    assert (caught.value.accepted, shop.spent.held_usd > 0) == (True, True)


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": (errors.AuthenticationError, "unauthenticated"),
    "no_credit": (errors.QuotaError, "payment_required"),
    "forbidden": (errors.AuthenticationError, "permission_denied"),
    "invalid": (errors.InvalidRequestError, "invalid_argument"),
    "moderated_input": (errors.InvalidRequestError, None),
    "not_found": (errors.InvalidRequestError, "not_found"),
    "rate_limited": (errors.RateLimitError, "resource_exhausted"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    is_refused(NAME, FAULTS[fault], *REFUSALS[fault])


def test_both_forms_of_an_error_give_their_text():
    flat = refusal(NAME, Answer(400, {"code": "x", "error": "the flat one"})).error
    nested = refusal(NAME, Answer(400, {"error": {"message": "the nested one", "code": "y"}})).error
    assert ("the flat one" in str(flat), flat.code) == (True, "x")
    assert ("the nested one" in str(nested), nested.code) == (True, "y")


def test_every_fault_is_tried():
    assert set(FAULTS) == {*REFUSALS, "server_error", "unavailable"}


@pytest.mark.parametrize("fault", ["server_error", "unavailable"])
def test_after_an_error_of_theirs_nobody_knows(fault):
    submission = refusal(NAME, FAULTS[fault])
    assert (submission.outcome, type(submission.error)) == ("unknown", errors.UnavailableError)


def test_every_body_of_every_offer_is_what_is_documented():
    check_bodies("xai", offers=11)
