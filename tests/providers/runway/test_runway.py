"""Runway, both directions: what is sent for each task, and what is made of every answer."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.inputs import Media
from aggregator.providers.runway import PROVIDER, _ratio
from aggregator.tasks import ImageToVideo, Reference, TextToImage, TextToSpeech, TextToVideo, VideoToVideo
from aggregator.testing.emulator import Emulator, LeapingClock
from tests.facts.validate import check_bodies, offers_of
from tests.providers.harness import STILL, Shop, asker, clip, price, sound, wrong

NAME = "runway"
HEADERS = {"X-Runway-Version": "2024-11-06"}
FOX = {"model": "gen4.5", "promptText": "a fox", "ratio": "1280:720", "duration": 5}
URL = "https://example.com/a.png"
ORDER = (FOX, "gen4.5", "text-to-video")


def test_bodies() -> None:
    check_bodies(NAME, offers=60)


def test_it_resells_what_it_says() -> None:
    offers = offers_of(NAME)
    assert len(offers) >= 60
    assert len({one.model for one in offers}) >= 30
    assert all(one.source and (one.mapping.meters or one.note) for one in offers)


SENT: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": "runway:veo3.1", "resolution": "1080p", "aspect_ratio": "9:16", "duration_s": 4, "audio": False},
        "text_to_video",
        {"model": "veo3.1", "promptText": "a fox", "ratio": "1080:1920", "duration": 4, "audio": False},
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "runway:gen4.5", "seed": 0, "size": (720, 1280), "duration_s": 10},
        "text_to_video",
        {"model": "gen4.5", "promptText": "a fox", "ratio": "720:1280", "duration": 10, "seed": 0},
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "runway:seedance2", "references": [Reference(image=URL, role="style")], "resolution": "480p"},
        "text_to_video",
        {"model": "seedance2", "promptText": "a fox", "ratio": "864:496", "duration": 5, "references": [{"uri": URL}]},
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": "runway:kling3.0_pro", "last_image": URL + "?2", "duration_s": 7},
        "image_to_video",
        {
            "model": "kling3.0_pro",
            "promptText": "it jumps",
            "duration": 7,
            "promptImage": [{"uri": URL, "position": "first"}, {"uri": URL + "?2", "position": "last"}],
        },
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": "runway:klingO3_pro", "references": [Reference(image=URL + "?3")]},
        "image_to_video",
        {
            "model": "klingO3_pro",
            "promptText": "it jumps",
            "duration": 5,
            "references": [{"uri": URL + "?3"}],
            "promptImage": [{"uri": URL, "position": "first"}],
        },
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": "runway:wan3", "resolution": "480p"},
        "image_to_video",
        {
            "model": "wan3",
            "promptText": "it jumps",
            "duration": 5,
            "ratio": "auto_480p",
            "promptImage": [{"uri": URL, "position": "first"}],
        },
    ),
    (
        "video_to_video",
        ("https://example.com/a.mp4", "in blue"),
        {"model": "runway:aleph2", "aspect_ratio": "21:9", "seed": 7},
        "video_to_video",
        {
            "model": "aleph2",
            "promptText": "in blue",
            "videoUri": "https://example.com/a.mp4",
            "targetAspectRatio": "21:9",
            "seed": 7,
        },
    ),
    (
        "video_to_video",
        ("https://example.com/a.mp4", "in blue"),
        {"model": "runway:klingO3_pro", "references": [Reference(image=URL)]},
        "video_to_video",
        {
            "model": "klingO3_pro",
            "promptText": "in blue",
            "promptVideo": "https://example.com/a.mp4",
            "references": [{"uri": URL}],
        },
    ),
    (
        "extend_video",
        ("https://example.com/a.mp4", "on"),
        {"model": "runway:seedance2_5", "duration_s": 6},
        "video_to_video",
        {
            "model": "seedance2_5",
            "promptText": "on",
            "promptVideo": "https://example.com/a.mp4",
            "mode": "extend",
            "duration": 6,
        },
    ),
    (
        "upscale_video",
        ("https://example.com/a.mp4",),
        {"model": "runway:magnific_video_upscaler_creative", "resolution": "4k"},
        "video_upscale",
        {"model": "magnific_video_upscaler_creative", "videoUri": "https://example.com/a.mp4", "resolution": "4k"},
    ),
    (
        "interpolate_frames",
        ("https://example.com/a.mp4",),
        {"model": "runway:enhance_frame_rate", "fps": 23.98},
        "video_upscale",
        {"model": "enhance_frame_rate", "videoUri": "https://example.com/a.mp4", "targetFramerate": "23_98"},
    ),
    (
        "text_to_image",
        ("a fox",),
        {"model": "runway:gen4_image", "resolution": "1080p", "references": [Reference(image=URL)], "seed": 3},
        "text_to_image",
        {
            "model": "gen4_image",
            "promptText": "a fox",
            "ratio": "1920:1080",
            "seed": 3,
            "referenceImages": [{"uri": URL}],
        },
    ),
    (
        "image_to_image",
        (URL, "in blue"),
        {"model": "runway:gen4_image_turbo", "references": [Reference(image=URL + "?2")]},
        "text_to_image",
        {
            "model": "gen4_image_turbo",
            "promptText": "in blue",
            "ratio": "1280:720",
            "referenceImages": [{"uri": URL}, {"uri": URL + "?2"}],
        },
    ),
    (
        "upscale_image",
        (URL,),
        {"model": "runway:magnific_precision_upscaler_v2", "factor": 4},
        "image_upscale",
        {"model": "magnific_precision_upscaler_v2", "imageUri": URL, "scaleFactor": 4},
    ),
    (
        "text_to_speech",
        ("Good morning.",),
        {"model": "runway:eleven_v3", "voice": "Maya", "language": "en", "speed": 1.1, "seed": 5},
        "text_to_speech",
        {
            "model": "eleven_v3",
            "promptText": "Good morning.",
            "languageCode": "en",
            "speed": 1.1,
            "seed": 5,
            "voice": {"type": "runway-preset", "presetId": "Maya"},
        },
    ),
    (
        "speech_to_speech",
        ("https://example.com/a.wav",),
        {"model": "runway:eleven_multilingual_sts_v2", "voice": "Jack"},
        "speech_to_speech",
        {
            "model": "eleven_multilingual_sts_v2",
            "voice": {"type": "runway-preset", "presetId": "Jack"},
            "media": {"type": "audio", "uri": "https://example.com/a.wav"},
        },
    ),
    (
        "text_to_sound",
        ("a door",),
        {"model": "runway:seed_audio", "format": "opus"},
        "sound_effect",
        {"model": "seed_audio", "promptText": "a door", "outputFormat": "ogg_opus"},
    ),
    (
        "video_to_audio",
        ("https://example.com/a.mp4", "steps"),
        {"model": "runway:mirelo_sfx_2_0", "duration_s": 2.5, "negative_prompt": "voices", "seed": 1},
        "video_to_audio",
        {
            "model": "mirelo_sfx_2_0",
            "videoUri": "https://example.com/a.mp4",
            "promptText": "steps",
            "duration": 2.5,
            "negativePrompt": "voices",
            "seed": 1,
            "numVariants": 1,
        },
    ),
]


@pytest.mark.parametrize(("verb", "given", "options", "path", "body"), SENT)
async def test_what_is_sent(verb, given, options, path, body, shop: Shop) -> None:
    sent, made = await shop.bought(verb, *given, **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", f"/v1/{path}", {})
    assert sent[0].json == body
    assert sent[0].headers["x-runway-version"] == "2024-11-06"
    assert sent[0].headers["authorization"].startswith("Bearer ")
    assert {(one.method, one.path) for one in sent[1:]} == {("GET", f"/v1/tasks/{sent[0].job_id}")}
    assert made.artifact.path.stat().st_size > 0


async def test_a_local_file_is_an_ephemeral_upload(shop: Shop) -> None:
    sent, _ = await shop.bought("image_to_video", STILL, "it jumps", model="runway:gen4.5")
    slot, form, order = sent[:3]
    assert (slot.path, wrong(NAME, "POST /v1/uploads", slot.json, kind="requests")) == ("/v1/uploads", [])
    assert form.path == "/uploads"
    assert not form.key_sent
    assert "authorization" not in form.headers
    assert list(form.form)[-1] == "file"  # S3 reads no field that comes after the file
    assert form.form["file"][0].content == STILL.read_bytes()
    assert form.form["file"][0].mime_type == "image/png"
    assert order.json["promptImage"] == [{"uri": f"runway://{form.form['key'][0].text}", "position": "first"}]


async def test_sounds_and_clips_are_uploaded_too(tmp_path, shop: Shop) -> None:
    sent, _ = await shop.bought(
        "speech_to_speech", sound(tmp_path), voice="Maya", model="runway:eleven_multilingual_sts_v2"
    )
    assert sent[2].json["media"]["uri"].startswith("runway://")
    sent, _ = await shop.bought("video_to_video", clip(tmp_path), "in blue", model="runway:kling_4")
    assert sent[2].json["videoUri"].startswith("runway://")


@pytest.mark.parametrize(
    ("values", "ratio"),
    [
        ({}, None),
        ({"resolution": "1920:1080"}, "1920:1080"),
        ({"aspect_ratio": {"1280:720": "720:1280", "1920:1080": "1080:1920"}}, "720:1280"),
        ({"aspect_ratio": {"1280:720": "720:1280", "1920:1080": "1080:1920"}, "resolution": "1920:1080"}, "1080:1920"),
    ],
)
def test_the_word_for_resolution_and_aspect_ratio(values, ratio) -> None:
    assert _ratio(values).get("ratio") == ratio


# ------------------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("said", "state", "progress"),
    [
        ({"status": "PENDING", "estimatedCost": {"credits": 60}}, State.QUEUED, None),
        ({"status": "THROTTLED", "estimatedCost": {"credits": 60}}, State.QUEUED, None),
        ({"status": "RUNNING", "progress": 0.25}, State.RUNNING, 0.25),
        ({"status": "SUCCEEDED", "output": [URL], "cost": {"credits": 60}}, State.SUCCEEDED, None),
        ({"status": "CANCELLED", "cost": {"credits": 0}}, State.CANCELED, None),
    ],
)
async def test_every_status_word(said, state, progress, shop: Shop) -> None:
    reading = await shop.look("GET /v1/tasks/*", {"id": "x", "createdAt": "2026-11-20T00:00:00Z", **said})
    assert (reading.state, reading.progress) == (state, progress)


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /v1/tasks/*", {"id": "x", "status": "DONE", "output": [URL]})


@pytest.mark.parametrize(
    ("code", "expected", "billed"),
    [
        ("SAFETY.INPUT.TEXT", errors.ContentPolicyError, Decimal("0.60")),
        ("SAFETY.INPUT.IMAGE", errors.ContentPolicyError, Decimal("0.60")),
        ("SAFETY.OUTPUT.VIDEO", errors.ContentPolicyError, Decimal(0)),
        ("INTERNAL.BAD_OUTPUT.CODE01", errors.JobFailedError, Decimal(0)),
        ("INTERNAL", errors.JobFailedError, Decimal(0)),
        ("THIRD_PARTY.TIMEOUT", errors.JobFailedError, Decimal(0)),
        ("ASSET.INVALID", errors.JobFailedError, Decimal(0)),
        ("INPUT_PREPROCESSING.SAFETY", errors.JobFailedError, Decimal(0)),
        ("SOMETHING.NEW", errors.JobFailedError, Decimal(0)),
    ],
)
async def test_every_failure_code_and_what_it_costs(code, expected, billed, shop: Shop) -> None:
    bill = await shop.order(f"failed:{code}")
    reading = await shop.end(bill)
    assert (reading.state, reading.charged_usd) == (State.FAILED, billed)
    assert type(reading.error) is expected
    assert (reading.error.code, reading.error.accepted) == (code, True)


def test_what_a_moderated_input_costs_where_the_answer_does_not_say() -> None:
    assert PROVIDER.bills_failures(errors.ContentPolicyError("x", code="SAFETY.INPUT.TEXT")) is True
    assert PROVIDER.bills_failures(errors.ContentPolicyError("x", code="SAFETY.OUTPUT.VIDEO")) is None
    assert PROVIDER.bills_failures(errors.JobFailedError("x")) is None


@pytest.mark.parametrize(
    ("fault", "expected", "outcome"),
    [
        ("bad_key", errors.AuthenticationError, "rejected"),
        ("no_credit", errors.QuotaError, "rejected"),
        ("invalid", errors.InvalidRequestError, "rejected"),
        ("not_found", errors.InvalidRequestError, "rejected"),
        ("bad_method", errors.InvalidRequestError, "rejected"),
        ("rate_limited", errors.RateLimitError, "rejected"),
        ("server_error", errors.UnavailableError, "unknown"),
        ("unavailable", errors.UnavailableError, "unknown"),
        ("timeout", errors.UnavailableError, "unknown"),
    ],
)
async def test_every_refusal(fault, expected, outcome, shop: Shop) -> None:
    error = await shop.refused(fault, expected, outcome)
    assert error.retry_after_s == (1.0 if fault == "rate_limited" else None)


async def test_a_job_can_be_canceled_and_the_account_be_looked_at(shop: Shop) -> None:
    bill = await shop.order()
    await shop.is_canceled(bill)
    await shop.engine.probe(shop.backend)
    assert [(one.method, one.path) for one in shop.emulator.requests if one.method != "GET"][-1] == (
        "DELETE",
        f"/v1/tasks/{bill.handle['id']}",
    )


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        emulator.script(NAME, "succeeded", "failed", "moderated_output", "canceled")
        key = {"authorization": f"Bearer {emulator.keys[NAME]}", **HEADERS}
        seen = set()
        with asker(emulator, NAME, key) as http:
            for _ in range(4):
                made = http.post("/v1/text_to_video", json=FOX).json()
                assert wrong(NAME, "POST /v1/text_to_video", made) == []
                for _ in range(12):
                    said = http.get(f"/v1/tasks/{made['id']}").json()
                    assert wrong(NAME, "GET /v1/tasks/{id}", said) == []
                    seen.add(said["status"])
                    if said["status"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                        break
                    asyncio.run(clock.sleep(0.004))
            assert wrong(NAME, "GET /v1/organization", http.get("/v1/organization").json()) == []
            slot = http.post("/v1/uploads", json={"filename": "a.png", "type": "ephemeral"}).json()
            assert wrong(NAME, "POST /v1/uploads", slot) == []
    assert seen == {"PENDING", "THROTTLED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"promptText": "a" * 1001}, "promptText is too long"),
        ({"model": "veo3.1", "duration": 5}, "duration"),
        ({"references": [{"uri": "http://example.com/a.png"}]}, "https"),
        ({"references": [{"uri": "runway://nothing"}]}, "not an upload"),
    ],
)
def test_the_emulator_refuses_what_the_vendor_refuses(change, said) -> None:
    with Emulator(seed=1, only=(NAME,)) as emulator:
        with asker(emulator, NAME, {"authorization": f"Bearer {emulator.keys[NAME]}", **HEADERS}) as http:
            answer = http.post("/v1/text_to_video", json={**FOX, **change})
        assert answer.status_code == 400
        assert said in json.dumps(answer.json()["issues"])
        with asker(emulator, NAME, {"authorization": f"Bearer {emulator.keys[NAME]}"}) as http:
            assert http.post("/v1/text_to_video", json=FOX).status_code == 400


# ------------------------------------------------------------------------------------------------------------- prices


@pytest.mark.parametrize(
    ("endpoint", "request_", "low", "high"),
    [
        ("gen4.5", TextToVideo(prompt="x"), "0.60", "0.60"),
        ("gen4_turbo", ImageToVideo(image=URL, duration_s=10), "0.50", "0.50"),
        ("veo3.1", TextToVideo(prompt="x", audio=True), "3.20", "3.20"),
        ("veo3.1", TextToVideo(prompt="x", audio=False, duration_s=4), "0.80", "0.80"),
        ("veo3.1", TextToVideo(prompt="x"), "1.60", "3.20"),
        ("seedance2", TextToVideo(prompt="x", resolution="4k"), "7.50", "7.50"),
        ("seedance2", TextToVideo(prompt="x", size=(1280, 720)), "1.80", "7.50"),
        ("seedance2_mini", TextToVideo(prompt="x", duration_s=4), "0.64", "0.64"),
        ("hailuo3", TextToVideo(prompt="x", references=(Reference(image=URL), Reference(image=URL))), "0.54", "0.54"),
        ("gen4_image", TextToImage(prompt="x"), "0.05", "0.05"),
        ("gen4_image", TextToImage(prompt="x", resolution="1080p"), "0.08", "0.08"),
        ("eleven_multilingual_v2", TextToSpeech(text="a" * 1000, voice="Maya"), "0.20", "0.20"),
        ("aleph2", VideoToVideo(video=Media(url=URL, duration_s=10.0), prompt="x"), "2.80", "2.80"),
        (
            "seedance2_5",
            VideoToVideo(video=Media(url=URL, duration_s=10.0), prompt="x", resolution="720p"),
            "3.00",
            "3.00",
        ),
        ("kling_4", TextToVideo(prompt="x"), None, None),
        ("aleph2", VideoToVideo(video=URL, prompt="x"), None, None),
    ],
)
def test_prices(endpoint, request_, low, high) -> None:
    found = price(NAME, endpoint, request_)
    assert found == tuple(None if amount is None else Decimal(amount) for amount in (low, high))
