"""LTX, both directions: what is sent for each task, and what is made of every answer."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.inputs import Media
from aggregator.tasks import ImageToVideo, LipSync, TextToVideo, VideoExtension, VideoToVideo
from aggregator.testing.emulator import Emulator, LeapingClock
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, asker, asking, clip, price, sound, wrong

PROVES = {
    "text-to-video": "schema",
    "image-to-video": "schema",
    "video-to-video": "schema",
    "video-extension": "schema",
    "lip-sync": "schema",
}
NAME = "ltx"
URL = "https://example.com/a.png"
CLIP = "https://example.com/a.mp4"
FOX = {"model": "ltx-2-3-fast", "prompt": "a fox", "duration": 6, "resolution": "1280x720"}
ORDER = (FOX, "ltx-2-3-fast", "text-to-video")


def test_bodies() -> None:
    check_bodies(NAME, offers=9)


SENT: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": "ltx:ltx-2-3-fast"},
        "text-to-video",
        {"model": "ltx-2-3-fast", "prompt": "a fox", "duration": 6, "resolution": "1920x1080"},
    ),
    (
        "text_to_video",
        ("a fox",),
        {
            "model": "ltx:ltx-2-5-fast",
            "resolution": "720p",
            "aspect_ratio": "9:16",
            "duration_s": 3,
            "fps": 48,
            "audio": False,
            "camera": "push-in",
        },
        "text-to-video",
        {
            "model": "ltx-2-5-fast",
            "prompt": "a fox",
            "duration": 3,
            "resolution": "720x1280",
            "fps": 48,
            "generate_audio": False,
            "camera_motion": "dolly_in",
        },
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "ltx:ltx-2-3-pro", "size": (1440, 2560), "duration_s": 8},
        "text-to-video",
        {"model": "ltx-2-3-pro", "prompt": "a fox", "duration": 8, "resolution": "1440x2560"},
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": "ltx:ltx-2-3-pro", "last_image": URL + "?2"},
        "image-to-video",
        {
            "model": "ltx-2-3-pro",
            "prompt": "it jumps",
            "duration": 6,
            "resolution": "1920x1080",
            "image_uri": URL,
            "last_frame_uri": URL + "?2",
        },
    ),
    (
        "lip_sync",
        ("https://example.com/a.wav",),
        {"model": "ltx:ltx-2-3-pro", "image": URL, "prompt": "she sings"},
        "audio-to-video",
        {
            "model": "ltx-2-3-pro",
            "audio_uri": "https://example.com/a.wav",
            "image_uri": URL,
            "prompt": "she sings",
        },
    ),
    (
        "video_to_video",
        (CLIP, "in blue"),
        {"model": "ltx:ltx-2-3-pro", "duration_s": 2.5},
        "retake",
        {"model": "ltx-2-3-pro", "video_uri": CLIP, "prompt": "in blue", "start_time": 0, "duration": 2.5},
    ),
    (
        "extend_video",
        (CLIP, "on"),
        {"model": "ltx:ltx-2-3-pro", "duration_s": 3},
        "extend",
        {"model": "ltx-2-3-pro", "video_uri": CLIP, "prompt": "on", "duration": 3},
    ),
]


@pytest.mark.parametrize(("verb", "given", "options", "path", "body"), SENT)
async def test_what_is_sent(verb, given, options, path, body, shop: Shop) -> None:
    sent, made = await shop.bought(verb, *given, **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", f"/v2/{path}", {})
    assert sent[0].json == body
    assert sent[0].headers["authorization"].startswith("Bearer ")
    assert {(one.method, one.path) for one in sent[1:]} == {("GET", f"/v2/{path}/{sent[0].job_id}")}
    assert made.artifact.path.stat().st_size > 0


async def test_local_files_get_a_storage_address(tmp_path, shop: Shop) -> None:
    sent, _ = await shop.bought("lip_sync", sound(tmp_path), image=STILL, model="ltx:ltx-2-3-pro")
    puts = [one for one in sent if one.method == "PUT"]
    assert {one.body for one in puts} == {STILL.read_bytes(), (tmp_path / "sound.wav").read_bytes()}
    assert not any(one.key_sent for one in puts)
    assert all(one.headers["x-goog-content-length-range"] == "0,104857600" for one in puts)
    stored = {f"ltx-storage://{one.path.rpartition('/')[2]}" for one in puts}
    order = next(one for one in sent if one.job_id)
    assert {order.json["audio_uri"], order.json["image_uri"]} == stored


async def test_a_local_clip_too(tmp_path, shop: Shop) -> None:
    sent, _ = await shop.bought("extend_video", clip(tmp_path), "on", duration_s=2, model="ltx:ltx-2-3-pro")
    assert [one.path.split("/")[1] for one in sent] == ["v1", "bucket", "v2", "v2"]


# ------------------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"status": "pending"}, State.QUEUED),
        ({"status": "processing"}, State.RUNNING),
        ({"status": "completed", "result": {"video_url": CLIP}}, State.SUCCEEDED),
        ({"status": "failed", "error": {"type": "api_error", "message": "x"}}, State.FAILED),
    ],
)
async def test_every_status_word(said, state, shop: Shop) -> None:
    assert (await shop.look("GET /v2/*/*", {"id": "x", "created_at": "2026-11-20T00:00:00Z", **said})).state is state


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /v2/*/*", {"id": "x", "status": "canceled"})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("content_filtered_error", errors.ContentPolicyError),
        ("insufficient_funds_error", errors.JobFailedError),
        ("api_error", errors.JobFailedError),
        ("something_new", errors.JobFailedError),
    ],
)
async def test_every_failure(code, expected, shop: Shop) -> None:
    assert (await shop.fails(f"failed:{code}", expected)).code == code


FAULTS = {
    "bad_key": (errors.AuthenticationError, "rejected", "authentication_error"),
    "no_credit": (errors.QuotaError, "rejected", "insufficient_funds_error"),
    "not_found": (errors.InvalidRequestError, "rejected", "not_found_error"),
    "moderated_input": (errors.ContentPolicyError, "rejected", "content_filtered_error"),
    "invalid": (errors.InvalidRequestError, "rejected", "invalid_request_error"),
    "rate_limited": (errors.RateLimitError, "rejected", "rate_limit_error"),
    "too_many_jobs": (errors.RateLimitError, "rejected", "concurrency_limit_error"),
    "unavailable": (errors.UnavailableError, "unknown", "service_unavailable"),
    "overloaded": (errors.UnavailableError, "unknown", "overloaded_error"),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
async def test_every_refusal(fault, expected, shop: Shop) -> None:
    bill = await shop.order(fault)
    assert (type(bill.error), bill.outcome, bill.error.code) == expected
    assert bill.error.retry_after_s == {"rate_limited": 1.0, "too_many_jobs": 5.0}.get(fault)


@pytest.mark.parametrize("fault", ["server_error", "timeout"])
async def test_after_an_internal_error_nobody_knows(fault, shop: Shop) -> None:
    bill = await shop.order(fault)
    assert (bill.outcome, bill.error.accepted) == ("unknown", None)


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        emulator.script(NAME, "succeeded", "failed", "moderated_output")
        seen = set()
        with asker(emulator, NAME, {"authorization": f"Bearer {emulator.keys[NAME]}"}) as http:
            for _ in range(3):
                made = http.post("/v2/text-to-video", json=FOX)
                assert (made.status_code, wrong(NAME, "POST /v2/text-to-video", made.json())) == (202, [])
                for _ in range(12):
                    said = http.get(f"/v2/text-to-video/{made.json()['id']}").json()
                    assert wrong(NAME, "GET /v2/{endpoint}/{id}", said) == []
                    seen.add(said["status"])
                    asyncio.run(clock.sleep(0.005))
            assert http.get(f"/v2/extend/{made.json()['id']}").status_code == 404  # it went to another path
            assert wrong(NAME, "POST /v1/upload", http.post("/v1/upload").json()) == []
        desk = emulator.desk(NAME)
        for fault in (*FAULTS, "server_error", "timeout"):
            assert wrong(NAME, "POST /v2/text-to-video 400", desk.fault(fault).body) == []
    assert seen == {"pending", "processing", "completed", "failed"}


SOUND = "https://example.com/a.wav"
TAKEN = {
    "text-to-video": FOX,
    "image-to-video": {**FOX, "image_uri": URL},
    "audio-to-video": {"audio_uri": SOUND, "image_uri": URL},
    "retake": {"video_uri": CLIP, "start_time": 0, "duration": 2},
    "extend": {"video_uri": CLIP, "duration": 2},
}


@pytest.mark.parametrize("path", TAKEN)
def test_the_emulator_answers_so_on_every_path(path) -> None:
    with (
        Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator,
        asker(emulator, NAME, {"authorization": f"Bearer {emulator.keys[NAME]}"}) as http,
    ):
        made = http.post(f"/v2/{path}", json=TAKEN[path])
        assert (made.status_code, wrong(NAME, f"POST /v2/{path}", made.json())) == (202, [])
        asyncio.run(clock.sleep(1))
        said = http.get(f"/v2/{path}/{made.json()['id']}").json()
        assert (said["status"], wrong(NAME, "GET /v2/{endpoint}/{id}", said)) == ("completed", [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("text-to-video", {**FOX, "model": "ltx-2-pro"}),
        ("text-to-video", {**FOX, "duration": 6.5}),
        ("text-to-video", {name: value for name, value in FOX.items() if name != "resolution"}),
        ("image-to-video", {**FOX, "image_uri": "ltx-storage://nothing"}),
        ("audio-to-video", {"audio_uri": "https://example.com/a.wav"}),
        ("retake", {"video_uri": CLIP, "start_time": 0, "duration": 1}),
        ("extend", {"video_uri": CLIP, "duration": 21}),
    ],
)
def test_the_emulator_refuses_what_the_vendor_refuses(path, body) -> None:
    with asking(NAME, {"authorization": "Bearer {key}"}) as (http, _):
        assert http.post(f"/v2/{path}", json=body).status_code == 400


@pytest.mark.parametrize(
    ("endpoint", "request_", "usd"),
    [
        ("ltx-2-3-fast", TextToVideo(prompt="x", resolution="720p"), "0.18"),
        ("ltx-2-5-pro", TextToVideo(prompt="x", resolution="4k", duration_s=10), "3.90"),
        ("ltx-2-3-pro", ImageToVideo(image=URL, prompt="x", resolution="1440p"), "0.96"),
        ("ltx-2-3-pro", LipSync(audio=Media(url=CLIP, duration_s=4.0), image=URL), "0.40"),
        ("ltx-2-3-pro", VideoToVideo(video=Media(url=CLIP, duration_s=8.0), prompt="x", duration_s=2), "0.80"),
        ("ltx-2-3-pro", VideoExtension(video=CLIP, duration_s=5), "0.50"),
        ("ltx-2-3-fast", TextToVideo(prompt="x"), None),
        ("ltx-2-5-fast", TextToVideo(prompt="x", resolution="4k"), "1.80"),
    ],
)
def test_prices(endpoint, request_, usd) -> None:
    amount = None if usd is None else Decimal(usd)
    assert price(NAME, endpoint, request_) == (amount, amount)
