"""What we ask of PixVerse, and what we make of each of its answers."""

from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.tasks import Reference
from aggregator.testing.emulator import Answer
from aggregator.testing.emulator.media import render
from aggregator.testing.emulator.services.pixverse import MESSAGES
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, plain

NAME = "pixverse"
A, B, CLIP, SOUND = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4", "d.mp3"))
BODY = {"@path": {"kind": "text"}, "model": "v5", "prompt": "a fox", "duration": 5, "quality": "360p"}
USUAL = {"model": "v5", "duration": 5, "quality": "360p"}


ORDER = (BODY, "v5", "text-to-video")


# ------------------------------------------------------------------------------------------------------ what is sent

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], list[tuple[str, str]], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": "v5", "duration_s": 5, "aspect_ratio": "1:1", "seed": 0, "negative_prompt": "fog"},
        [],
        "text",
        {**USUAL, "prompt": "a fox", "aspect_ratio": "1:1", "seed": 0, "negative_prompt": "fog"},
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "v5"},
        [("image/upload", A)],
        "img",
        {**USUAL, "prompt": "it jumps", "img_id": A},
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "v5", "last_image": B},
        [("image/upload", A), ("image/upload", B)],
        "transition",
        {**USUAL, "prompt": "it jumps", "first_frame_img": A, "last_frame_img": B},
    ),
    (
        "text_to_video",
        ("@ref_1 meets @ref_2",),
        {"model": "v5", "references": [Reference(image=A), Reference(image=B, role="object")]},
        [("image/upload", A), ("image/upload", B)],
        "fusion",
        {
            **USUAL,
            "prompt": "@ref_1 meets @ref_2",
            "aspect_ratio": "16:9",
            "image_references": [
                {"type": "subject", "img_id": A, "ref_name": "ref_1"},
                {"type": "subject", "img_id": B, "ref_name": "ref_2"},
            ],
        },
    ),
    (
        "extend_video",
        (CLIP, "on"),
        {"model": "v5"},
        [("media/upload", CLIP)],
        "extend",
        {**USUAL, "prompt": "on", "video_media_id": CLIP},
    ),
    (
        "lip_sync",
        (SOUND,),
        {"model": "lip_sync", "video": CLIP},
        [("media/upload", SOUND), ("media/upload", CLIP)],
        "lip_sync",
        {"audio_media_id": SOUND, "video_media_id": CLIP},
    ),
]


def numbered(value: Any, numbers: dict[str, int]) -> Any:
    """What is expected, with the numbers that were given out in the place of addresses."""
    if isinstance(value, dict):
        return {name: numbered(inner, numbers) for name, inner in value.items()}
    if isinstance(value, list):
        return [numbered(inner, numbers) for inner in value]
    return numbers.get(value, value)


@pytest.mark.parametrize(("verb", "args", "options", "registered", "kind", "sent"), CASES, ids=[c[4] for c in CASES])
async def test_a_verb_sends_this(
    verb: str,
    args: Any,
    options: dict[str, Any],
    registered: list[tuple[str, str]],
    kind: str,
    sent: dict[str, Any],
    shop: Shop,
) -> None:
    quality = {} if kind == "lip_sync" else {"resolution": "360p"}
    asked, made = await shop.bought(verb, *args, **{**options, **quality, "model": f"pixverse:{options['model']}"})
    world = shop.emulator.desk(NAME).world
    numbers = {url: int(name.split()[1]) for name, url in world.items() if name.startswith(("img_id", "media_id"))}
    *uploads, paid = [one for one in asked if one.method == "POST"]
    found = [
        (one.path.removeprefix("/openapi/v2/"), *(parts[0].text for parts in one.form.values())) for one in uploads
    ]
    assert sorted(found) == sorted(registered)
    assert plain(paid) == ("POST", f"/openapi/v2/video/{kind}/generate", {}, numbered(sent, numbers))
    looks = {plain(one)[:2] for one in asked if one.method == "GET"}
    assert looks == {("GET", f"/openapi/v2/video/result/{paid.job_id}")}
    assert len({one.headers["ai-trace-id"] for one in asked}) == len(asked)
    assert {one.headers["api-key"] for one in asked} == {shop.key()}
    assert len(made.artifacts) == 1


async def test_local_inputs_are_registered_as_files(tmp_path: Path, shop: Shop) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(render("audio/wav", duration_s=0.3))
    asked, _ = await shop.bought("image_to_video", STILL, "x", model="pixverse:v5", resolution="360p")
    (part,) = asked[0].form["image"]
    assert (asked[0].path, part.content, part.mime_type) == (
        "/openapi/v2/image/upload",
        STILL.read_bytes(),
        "image/png",
    )
    assert isinstance(asked[1].json["img_id"], int)
    asked, _ = await shop.bought("lip_sync", sound, video=CLIP, model="pixverse:lip_sync")
    assert [one.path for one in asked[:2]] == ["/openapi/v2/media/upload"] * 2
    assert sound.read_bytes() in [part.content for one in asked[:2] for parts in one.form.values() for part in parts]


async def test_a_clip_of_its_own_goes_on_by_its_number(shop: Shop) -> None:
    project = await shop.project()
    clip = await project.text_to_video("a fox", model="pixverse:v5", resolution="360p", max_usd="5")
    await project.extend_video(clip, "on", model="pixverse:v5", resolution="360p", max_usd="5")
    (sent,) = [one for one in shop.emulator.requests if one.path.endswith("/extend/generate")]
    assert sent.json["source_video_id"] == int(shop.emulator.requests[0].job_id or 0)


async def test_one_trace_is_one_job(shop: Shop) -> None:
    """The key of an attempt is its trace id: sent again, it buys nothing more."""
    names = {"model": "", "version": "", "dialect": "", "endpoint": "v5", "task": "text-to-video"}
    first = await shop.engine.submit(shop.backend, dict(BODY), names, idempotency_key="attempt-1")
    again = await shop.engine.submit(shop.backend, dict(BODY), names, idempotency_key="attempt-1")
    assert first.handle["id"] == again.handle["id"]
    assert [one.headers["ai-trace-id"] for one in shop.emulator.requests] == ["attempt-1"] * 2
    assert len(shop.emulator.book) == 1


# ------------------------------------------------------------------------------------------------------------ states


@pytest.mark.parametrize(
    ("number", "state"),
    [(1, "succeeded"), (2, "running"), (3, "running"), (5, "running"), (6, "canceled"), (7, "failed"), (8, "failed")],
)
async def test_every_state(number: int, state: str, shop: Shop) -> None:
    taken = await shop.order()
    said = {"ErrCode": 0, "ErrMsg": "Success", "Resp": {"id": 1, "status": number}}
    shop.answer_once("GET /openapi/v2/video/result/*", Answer(200, said))
    assert (await shop.engine.poll(shop.backend, taken.handle)).state == State(state)


# ------------------------------------------------------------------------------------------------------------ errors

MEANT = {
    **dict.fromkeys((500054, 500063), errors.ContentPolicyError),
    **dict.fromkeys((400012, 500020), errors.AuthenticationError),
    **dict.fromkeys((500060, 500090), errors.QuotaError),
    500044: errors.RateLimitError,
    500041: errors.UnavailableError,
}


@pytest.mark.parametrize("code", MESSAGES)
async def test_every_code_on_http_200(code: int, shop: Shop) -> None:
    submission = await shop.order(f"code_{code}")
    assert type(submission.error) is MEANT.get(code, errors.InvalidRequestError)
    assert submission.error.code == str(code)
    assert submission.outcome == ("unknown" if code == 500041 else "rejected")


async def test_a_picture_that_is_refused_stops_before_the_order(shop: Shop) -> None:
    body = {**BODY, "@path": {"kind": "img"}, "img_id": A}
    shop.answer_once("POST /openapi/v2/image/upload", Answer(200, {"ErrCode": 500054, "ErrMsg": "no", "Resp": None}))
    submission = await shop.submit(body, "v5", "image-to-video")
    assert type(submission.error) is errors.ContentPolicyError
    assert len(shop.emulator.book) == 0


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("failed", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_every_bad_ending(fate: str, error: type[Exception], shop: Shop) -> None:
    await shop.fails(fate, error)


# ---------------------------------------------------------------------------------------------------------- the rest


async def test_it_cannot_be_canceled_and_free_calls_are_free(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend)
    for name in ("balance", "voices"):
        assert await shop.engine.ask(shop.backend, shop.provider.free[name], {}, doing=name)
    assert len(shop.emulator.book) == 0
    assert await shop.cancel(await shop.order()) is False


async def test_a_callback_is_verified_and_answered(shop: Shop) -> None:
    taken = await shop.order()
    await shop.end(taken)
    request = shop.delivery(taken.handle["id"])
    secret = shop.emulator.desk("pixverse").world.secret
    notice = verify(shop.provider, request, secrets=[secret], now=shop.clock.time())
    assert (notice.job_id, notice.reply) == (taken.handle["id"], b"ok")
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED
    with pytest.raises(errors.WebhookError):
        verify(shop.provider, request, secrets=["another"], now=shop.clock.time())


async def test_what_is_quoted_is_what_is_billed(shop: Shop) -> None:
    await shop.is_booked("0.90", "text_to_video", "a fox", model="pixverse:v5", resolution="360p", duration_s=8)


def test_bodies() -> None:
    check_bodies("pixverse", offers=8)
