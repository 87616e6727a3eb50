"""What we ask of MiniMax, and what we make of each answer; the emulator's answers against the vendor's schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.minimax import PROVIDER
from aggregator.tasks import Reference
from aggregator.testing.emulator import Answer
from aggregator.testing.emulator.services.minimax import MESSAGES
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies, problems
from tests.providers.harness import STILL, Shop, plain

NAME = "minimax"
PROVES = {"text-to-speech": "schema", "text-to-music": "schema"}
"""Of video the schema has the older generation only."""
FACTS = json.loads((Path(__file__).parents[2] / "facts" / "minimax.json").read_text(encoding="utf-8"))
A, B, CLIP = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4"))
TEXT = {"type": "text", "text": "a fox"}


def image(url: str, role: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": role}


async def new(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    body = {"model": "MiniMax-H3", "content": [TEXT], "resolution": "768P", "duration": 5}
    return await shop.submit(body, "MiniMax-H3", "text-to-video")


async def old(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    body = {"model": "MiniMax-Hailuo-02", "prompt": "a fox", "resolution": "512P", "duration": 6}
    return await shop.submit(body, "MiniMax-Hailuo-02", "text-to-video", dialect="v1")


async def speech(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    body = {"model": "speech-2.6-hd", "text": "Hello.", "voice_setting": {"voice_id": "male-qn-qingse"}}
    return await shop.submit(body, "speech-2.6-hd", "text-to-speech", dialect="sync")


async def music(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    body = {"model": "music-2.6", "prompt": "piano", "is_instrumental": True}
    return await shop.submit(body, "music-2.6", "text-to-music", dialect="sync")


# ------------------------------------------------------------------------------------------------------ what is sent

VOICE = {"voice_id": "male-qn-qingse"}
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": "MiniMax-H3", "aspect_ratio": "9:16", "references": [Reference(image=A)]},
        "/v2/video_generation",
        {
            "model": "MiniMax-H3",
            "content": [TEXT, image(A, "reference_image")],
            "ratio": "9:16",
            "resolution": "768P",
            "duration": 5,
        },
    ),
    (
        "image_to_video",
        (A, "a fox"),
        {"model": "MiniMax-H3-Max", "last_image": B, "resolution": "480p", "duration_s": 6},
        "/v2/video_generation",
        {
            "model": "MiniMax-H3-Max",
            "content": [TEXT, image(A, "first_frame"), image(B, "last_frame")],
            "resolution": "480P",
            "duration": 6,
        },
    ),
    (
        "video_to_video",
        (CLIP, "a fox"),
        {"model": "MiniMax-H3"},
        "/v2/video_generation",
        {
            "model": "MiniMax-H3",
            "content": [TEXT, {"type": "video_url", "video_url": {"url": CLIP}, "role": "reference_video"}],
            "resolution": "768P",
            "duration": 5,
        },
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "MiniMax-Hailuo-02", "resolution": "512p"},
        "/v1/video_generation",
        {"model": "MiniMax-Hailuo-02", "prompt": "a fox", "resolution": "512P", "duration": 6},
    ),
    (
        "image_to_video",
        (A, "a fox"),
        {"model": "MiniMax-Hailuo-02", "last_image": B, "duration_s": 6, "resolution": "512p"},
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-02",
            "prompt": "a fox",
            "first_frame_image": A,
            "last_frame_image": B,
            "resolution": "512P",
            "duration": 6,
        },
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "S2V-01", "references": [Reference(image=A)]},
        "/v1/video_generation",
        {"model": "S2V-01", "prompt": "a fox", "subject_reference": [{"type": "character", "image": [A]}]},
    ),
    (
        "text_to_speech",
        ("Good evening.",),
        {"model": "speech-2.8-hd", "voice": "Wise_Woman", "speed": 1.2, "language": "en", "format": "wav"},
        "/v1/t2a_v2",
        {
            "model": "speech-2.8-hd",
            "text": "Good evening.",
            "voice_setting": {"voice_id": "Wise_Woman", "speed": 1.2},
            "language_boost": "English",
            "audio_setting": {"format": "wav"},
            "output_format": "hex",
        },
    ),
    (
        "text_to_speech",
        ("Hi.",),
        {"model": "speech-02-turbo"},
        "/v1/t2a_v2",
        {"model": "speech-02-turbo", "text": "Hi.", "voice_setting": VOICE, "output_format": "hex"},
    ),
    (
        "text_to_music",
        ("slow piano",),
        {"model": "music-2.6", "lyrics": "[Verse]\nla", "format": "wav"},
        "/v1/music_generation",
        {
            "model": "music-2.6",
            "prompt": "slow piano",
            "lyrics": "[Verse]\nla",
            "audio_setting": {"format": "wav"},
            "output_format": "hex",
        },
    ),
    (
        "text_to_music",
        ("slow piano",),
        {"model": "music-2.6"},
        "/v1/music_generation",
        {"model": "music-2.6", "prompt": "slow piano", "is_instrumental": True, "output_format": "hex"},
    ),
    (
        "text_to_image",
        ("a fox",),
        {"model": "image-01", "aspect_ratio": "16:9", "seed": 0, "references": [Reference(image=A)]},
        "/v1/image_generation",
        {
            "model": "image-01",
            "prompt": "a fox",
            "aspect_ratio": "16:9",
            "seed": 0,
            "subject_reference": [{"type": "character", "image_file": A}],
            "response_format": "url",
        },
    ),
]


@pytest.mark.parametrize(("verb", "args", "options", "path", "sent"), CASES)
async def test_a_verb_sends_this(
    verb: str, args: Any, options: dict[str, Any], path: str, sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, **{**options, "model": f"minimax:{options['model']}"})
    assert plain(asked[0]) == ("POST", path, {}, sent)
    job = asked[0].job_id
    if path == "/v2/video_generation":
        assert {plain(one)[:2] for one in asked[1:]} == {("GET", f"/v2/query/video_generation/{job}")}
    elif path == "/v1/video_generation":
        assert all(plain(one)[:3] == ("GET", "/v1/query/video_generation", {"task_id": job}) for one in asked[1:-1])
        assert plain(asked[-1])[:3] == ("GET", "/v1/files/retrieve", {"file_id": f"{job}9"})
    else:
        assert len(asked) == 1
    assert len(made.artifacts) == 1


async def test_a_local_picture_travels_as_a_data_uri(shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_video", STILL, "x", model="minimax:MiniMax-Hailuo-2.3")
    assert asked[0].json["first_frame_image"].startswith("data:image/png;base64,")


# ------------------------------------------------------------------------------------------------------ status words

NEW = {
    "queued": "queued",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "canceled",
    "expired": "failed",
}
OLD = {
    "Preparing": "queued",
    "Queueing": "queued",
    "Processing": "running",
    "Success": "succeeded",
    "Fail": "failed",
}


@pytest.mark.parametrize(("word", "state"), NEW.items())
async def test_every_word_of_the_newer_one(word: str, state: str, shop: Shop) -> None:
    assert (await shop.look("GET /v2/query/*", {"task": {"status": word}}, of=await new(shop))).state == State(state)


@pytest.mark.parametrize(("word", "state"), OLD.items())
async def test_every_word_of_the_older_one(word: str, state: str, shop: Shop) -> None:
    taken = await old(shop)
    said = {"status": word, "file_id": "1", "base_resp": {"status_code": 0, "status_msg": "success"}}
    shop.answer_once("GET /v1/query/*", Answer(200, said))
    assert (await shop.engine.poll(shop.backend, taken.handle)).state == State(state)


# ------------------------------------------------------------------------------------------------------------ errors

MEANT = {
    **dict.fromkeys((1004, 2049, 2061), errors.AuthenticationError),
    **dict.fromkeys((1008, 1028, 1030, 2056), errors.QuotaError),
    **dict.fromkeys((1002, 1041, 2045), errors.RateLimitError),
    **dict.fromkeys((1026, 1027), errors.ContentPolicyError),
    **dict.fromkeys((1039, 1042, 1043, 1044, 2013, 2037, 20132), errors.InvalidRequestError),
    **dict.fromkeys((1000, 1001, 1024, 1033), errors.UnavailableError),
}


def test_the_codes_are_all_of_them() -> None:
    assert set(MEANT) == set(MESSAGES)


@pytest.mark.parametrize("code", MEANT)
async def test_every_code_of_the_older_api_on_http_200(code: int, shop: Shop) -> None:
    submission = await old(shop, f"code_{code}")
    assert type(submission.error) is MEANT[code]
    assert submission.error.code == str(code)
    assert submission.outcome == ("unknown" if MEANT[code] is errors.UnavailableError else "rejected")


@pytest.mark.parametrize("code", MEANT)
async def test_every_code_of_the_newer_one_on_an_http_error(code: int, shop: Shop) -> None:
    submission = await new(shop, f"http_{code}")
    assert type(submission.error) is MEANT[code]
    assert f"({code})" in str(submission.error)


@pytest.mark.parametrize("code", MEANT)
async def test_every_code_of_what_is_answered_at_once(code: int, shop: Shop) -> None:
    submission = await speech(shop, f"code_{code}")
    if MEANT[code] is errors.ContentPolicyError:  # it was made, and is not delivered
        assert submission.outcome == "accepted"
        assert submission.reading is not None
        assert type(submission.reading.error) is errors.ContentPolicyError
    else:
        assert type(submission.error) is MEANT[code]


@pytest.mark.parametrize("order", [new, old])
async def test_bad_endings(order: Any, shop: Shop) -> None:
    assert type(await shop.failure(await order(shop, "failed", "moderated_output"))) is errors.JobFailedError
    assert type(await shop.failure(await order(shop))) is errors.ContentPolicyError


async def test_a_bad_sound_is_told_at_once(shop: Shop) -> None:
    assert isinstance(await shop.failure(await speech(shop, "moderated_output")), errors.ContentPolicyError)


# --------------------------------------------------------------------------------------------------------- the rest


async def test_only_the_newer_one_can_be_canceled(shop: Shop) -> None:
    one, other = await new(shop), await old(shop)
    assert await shop.cancel(one) is True
    assert (await shop.engine.poll(shop.backend, one.handle)).state is State.CANCELED
    assert await shop.cancel(other) is False


async def test_the_first_callback_is_a_question(shop: Shop) -> None:
    taken = await old(shop)
    await shop.end(taken)
    delivery = shop.delivery(taken.handle["id"])
    notice = verify(PROVIDER.spoken("v1"), delivery, secrets=[], now=shop.clock.time())
    assert notice.job_id == taken.handle["id"]
    assert notice.reading is None
    asked = type(delivery)("POST", "/hook", "", {}, b'{"challenge": "abc"}')
    assert json.loads(verify(PROVIDER, asked, secrets=[], now=shop.clock.time()).reply) == {"challenge": "abc"}


async def test_free_calls_are_free(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend)
    assert await shop.engine.ask(shop.backend, PROVIDER.free["files"], {}, doing="listing")
    assert len(shop.emulator.book) == 0


@pytest.mark.parametrize(
    ("verb", "args", "options", "usd"),
    [
        ("text_to_video", ("a fox",), {"model": "minimax:MiniMax-H3", "references": [Reference(image=A)] * 7}, "0.48"),
        ("text_to_video", ("a fox",), {"model": "minimax:MiniMax-Hailuo-02"}, "0.28"),
        ("text_to_speech", ("Hello.",), {"model": "minimax:speech-2.6-hd"}, "0.0006"),
    ],
)
async def test_what_is_quoted_is_what_is_billed(
    verb: str, args: Any, options: dict[str, Any], usd: str, shop: Shop
) -> None:
    await shop.is_booked(usd, verb, *args, **options)


# ------------------------------------------------------------------------------------------------- the vendor's schema


def test_bodies() -> None:
    check_bodies("minimax", offers=20)


SHAPES = {
    "POST /v1/video_generation": "VideoGenerationResponse",
    "GET /v1/query/video_generation": "VideoTaskStatusResponse",
    "GET /v1/files/retrieve": "FileRetrieveResponse",
    "GET /v1/files/list": "FileListResponse",
    "POST /v1/t2a_v2": "TextToSpeechResponse",
    "POST /v1/music_generation": "MusicGenerationResponse",
}
BEYOND = {"video_width", "video_height", "backup_download_url"}
"""Known from elsewhere than the schema."""


@pytest.mark.parametrize("fate", ["succeeded", "moderated_output", "failed"])
@pytest.mark.parametrize("order", [old, speech, music])
async def test_what_the_emulator_answers_is_what_the_schema_says(order: Any, fate: str, shop: Shop) -> None:
    shop.emulator.script("minimax", fate)
    answers: list[tuple[str, Any]] = []
    ask = shop.engine._transport.send

    async def listening(request: Any, **options: Any) -> Any:
        response = await ask(request, **options)
        path = request.url.partition("/minimax")[2].partition("?")[0]
        answers.append((f"{request.method} {path}", json.loads(response.body)))
        return response

    shop.engine._transport.send = listening  # type: ignore[method-assign]
    taken = await order(shop)
    if fate == "succeeded":
        await shop.result(taken)
    elif order is old:
        await shop.end(taken)
    assert answers
    for line, said in answers:
        known = {name: value for name, value in said.items() if name not in BEYOND}
        assert problems({"$ref": f"#/$defs/{SHAPES[line]}"}, known, FACTS) == [], line
