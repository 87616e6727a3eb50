"""Luma, both directions: what is sent for each task, and what is made of every answer."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.inputs import Media
from aggregator.providers.luma import _strength
from aggregator.tasks import ImageToImage, ImageToVideo, Reference, TextToImage, TextToVideo, VideoToVideo
from aggregator.testing.emulator import Emulator, LeapingClock
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, asker, asking, clip, price, wrong

NAME = "luma"
URL = "https://example.com/a.png"
CLIP = "https://example.com/a.mp4"
FOX = {"model": "ray-3.2", "type": "video", "prompt": "a fox"}
ORDER = (FOX, "ray-3.2", "text-to-video")


def test_bodies() -> None:
    check_bodies(NAME, offers=9)


SENT: list[tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_image",
        ("a fox",),
        {"model": "luma:uni-1", "aspect_ratio": "3:2", "format": "jpeg", "references": [Reference(image=URL)]},
        {
            "model": "uni-1",
            "type": "image",
            "prompt": "a fox",
            "aspect_ratio": "3:2",
            "output_format": "jpeg",
            "image_ref": [{"url": URL}],
        },
    ),
    (
        "image_to_image",
        (URL, "in blue"),
        {"model": "luma:uni-1-max"},
        {"model": "uni-1-max", "type": "image_edit", "prompt": "in blue", "source": {"url": URL}},
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "luma:ray-3.2", "duration_s": 10, "resolution": "540p", "aspect_ratio": "9:16"},
        {**FOX, "aspect_ratio": "9:16", "video": {"duration": "10s", "resolution": "540p"}},
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": "luma:ray-3.2", "last_image": URL + "?2"},
        {
            "model": "ray-3.2",
            "type": "video",
            "prompt": "it jumps",
            "video": {"start_frame": {"url": URL}, "end_frame": {"url": URL + "?2"}},
        },
    ),
    (
        "video_to_video",
        (CLIP, "in blue"),
        {"model": "luma:ray-3.2", "strength": 0.0, "resolution": "1080p"},
        {
            "model": "ray-3.2",
            "type": "video_edit",
            "prompt": "in blue",
            "source": {"url": CLIP, "media_type": "video/mp4"},
            "video": {"resolution": "1080p", "edit": {"strength": "adhere_1"}},
        },
    ),
    (
        "video_to_video",
        (CLIP, "the same, upright"),
        {"model": "luma:ray-3.2/reframe", "aspect_ratio": "9:16"},
        {
            "model": "ray-3.2",
            "type": "video_reframe",
            "prompt": "the same, upright",
            "aspect_ratio": "9:16",
            "source": {"url": CLIP, "media_type": "video/mp4"},
        },
    ),
]


@pytest.mark.parametrize(("verb", "given", "options", "body"), SENT)
async def test_what_is_sent(verb, given, options, body, shop: Shop) -> None:
    sent, made = await shop.bought(verb, *given, **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", "/v1/generations", {})
    assert sent[0].json == body
    assert sent[0].headers["authorization"].startswith("Bearer ")
    assert {(one.method, one.path) for one in sent[1:]} == {("GET", f"/v1/generations/{sent[0].job_id}")}
    assert made.artifact.path.stat().st_size > 0


async def test_a_local_file_is_uploaded_in_three_steps_and_waited_for(shop: Shop) -> None:
    sent, _ = await shop.bought("image_to_image", STILL, "in blue", model="luma:uni-1")
    slot, put, complete, ready, order = sent[:5]
    assert (slot.path, wrong(NAME, "POST /files", slot.json, kind="requests")) == ("/v1/files", [])
    assert slot.json["size_bytes"] == STILL.stat().st_size
    assert (put.method, put.body, put.key_sent) == ("PUT", STILL.read_bytes(), False)
    name = put.path.rpartition("/")[2]
    assert (complete.method, complete.path) == ("POST", f"/v1/files/{name}/complete")
    assert (ready.method, ready.path) == ("GET", f"/v1/files/{name}")
    assert order.json["source"] == {"file_id": name}


async def test_a_clip_goes_on_from_the_generation_that_made_it(shop: Shop) -> None:
    project = await shop.project()
    first = await project.text_to_video("a fox", model="luma:ray-3.2", max_usd="9")
    await project.extend_video(first, "it jumps", model="luma:ray-3.2", duration_s=5, max_usd="9")
    orders = [one for one in shop.emulator.requests if one.method == "POST"]
    assert [one.path for one in orders] == ["/v1/generations"] * 2
    assert orders[1].json["video"] == {"start_frame": {"generation_id": orders[0].job_id}, "duration": "5s"}


async def test_a_clip_of_somebody_else_cannot_be_extended(tmp_path, shop: Shop) -> None:
    with pytest.raises(errors.RoutingError, match="made itself"):
        await shop.bought("extend_video", clip(tmp_path), "on", model="luma:ray-3.2", duration_s=5)


@pytest.mark.parametrize(("given", "word"), [(0, "adhere_1"), (0.34, "flex_1"), (0.5, "flex_2"), (1, "reimagine_3")])
def test_strength_in_nine_steps(given, word) -> None:
    assert _strength(given) == word


# ------------------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"state": "queued"}, State.QUEUED),
        ({"state": "processing"}, State.RUNNING),
        ({"state": "completed", "output": [{"type": "video", "url": CLIP}]}, State.SUCCEEDED),
        ({"state": "failed", "failure_code": "generation_failed", "failure_reason": "x"}, State.FAILED),
    ],
)
async def test_every_status_word(said, state, shop: Shop) -> None:
    assert (await shop.look("GET /v1/generations/*", {"id": "x", **said})).state is state


@pytest.mark.parametrize("word", ["dreaming", "COMPLETED", "", None])
async def test_a_word_that_is_not_in_the_table_is_no_success(word, shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /v1/generations/*", {"id": "x", "state": word})


CODES = {
    "content_moderated": errors.ContentPolicyError,
    **dict.fromkeys(
        (
            *("generation_failed", "budget_exhausted", "output_not_found", "image_too_large", "unsupported_format"),
            *("corrupt_input", "invalid_request", "rate_limited", "something_new"),
        ),
        errors.JobFailedError,
    ),
}


@pytest.mark.parametrize(("code", "expected"), CODES.items())
async def test_every_failure_code(code, expected, shop: Shop) -> None:
    assert (await shop.fails(f"failed:{code}", expected)).code == code


@pytest.mark.parametrize(
    ("fault", "expected", "outcome"),
    [
        ("bad_key", errors.AuthenticationError, "rejected"),
        ("forbidden", errors.AuthenticationError, "rejected"),
        ("no_credit", errors.QuotaError, "rejected"),
        ("invalid", errors.InvalidRequestError, "rejected"),
        ("moderated_input", errors.InvalidRequestError, "rejected"),
        ("rate_limited", errors.RateLimitError, "rejected"),
        ("server_error", errors.UnavailableError, "unknown"),
        ("unavailable", errors.UnavailableError, "unknown"),
    ],
)
async def test_every_refusal(fault, expected, outcome, shop: Shop) -> None:
    error = await shop.refused(fault, expected, outcome)
    assert error.request_id == "req-emulated"


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        emulator.script(NAME, "succeeded", "failed", "moderated_output")
        seen = set()
        with asker(emulator, NAME, {"authorization": f"Bearer {emulator.keys[NAME]}"}) as http:
            for _ in range(3):
                made = http.post("/v1/generations", json=FOX).json()
                assert wrong(NAME, "POST /generations", made) == []
                for _ in range(12):
                    said = http.get(f"/v1/generations/{made['id']}").json()
                    assert wrong(NAME, "GET /generations/{id}", said) == []
                    seen.add(said["state"])
                    asyncio.run(clock.sleep(0.005))
            slot = http.post("/v1/files", json={"mime_type": "image/png", "size_bytes": 2}).json()
            assert wrong(NAME, "POST /files", slot) == []
            put = http.put(slot["upload"]["url"], content=b"ab", headers={**slot["upload"]["headers"]})
            assert put.status_code == 403  # the key was sent along
            assert http.post(f"/v1/files/{slot['id']}/complete").status_code == 400
    assert seen == {"queued", "processing", "completed", "failed"}


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a" * 6001},
        {"model": "uni-1"},
        {"video": {"resolution": "2k"}},
        {"video": {"start_frame": {"url": URL, "file_id": "x"}}},
        {"video": {"start_frame": {"url": URL}, "duration": "10s"}},
        {"video": {"start_frame": {"generation_id": "nobody's"}}},
        {"type": "video_edit", "source": {"url": CLIP}},
    ],
)
def test_the_emulator_refuses_what_the_vendor_refuses(change) -> None:
    with asking(NAME, {"authorization": "Bearer {key}"}) as (http, _):
        assert http.post("/v1/generations", json={**FOX, **change}).status_code == 400


@pytest.mark.parametrize(
    ("endpoint", "request_", "usd"),
    [
        ("ray-3.2", TextToVideo(prompt="x"), "0.30"),
        ("ray-3.2", TextToVideo(prompt="x", duration_s=10, resolution="1080p"), "3.60"),
        ("ray-3.2", ImageToVideo(image=URL, prompt="x", resolution="540p"), "0.15"),
        ("ray-3.2", VideoToVideo(video=Media(url=CLIP, duration_s=5.0), prompt="x"), "1.08"),
        ("ray-3.2/reframe", VideoToVideo(video=Media(url=CLIP, duration_s=10.0), prompt="x"), "1.20"),
        ("uni-1", TextToImage(prompt="x", references=(Reference(image=URL),)), "0.0434"),
        ("uni-1-max", ImageToImage(image=URL, prompt="x"), "0.103"),
        ("ray-3.2", VideoToVideo(video=Media(url=CLIP, duration_s=5.0), prompt="x", resolution="360p"), "0.54"),
    ],
)
def test_prices(endpoint, request_, usd) -> None:
    amount = None if usd is None else Decimal(usd)
    assert price(NAME, endpoint, request_) == (amount, amount)
