"""What we ask of Kling in both generations, and what we make of each of its answers."""

import base64
import json
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State, WebhookRequest
from aggregator.providers.kling import PROVIDER, _bearer
from aggregator.secret import Secret
from aggregator.signing import hmac_sha256, unpadded
from aggregator.tasks import Reference
from aggregator.testing.emulator import Answer
from aggregator.webhooks import verify
from tests.providers.harness import STILL, Shop, plain

NAME = "kling"
A, B, CLIP, SOUND = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4", "d.mp3"))
OLD = {"endpoint": "kling-v2-6", "task": "text-to-video", "dialect": "v1/text2video"}
BODY = {"prompt": "a fox"}
OLD_BODY = {"model_name": "kling-v2-6", "prompt": "a fox"}


async def new(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    return await shop.submit(BODY, "text-to-video/kling-3.0", "text-to-video")


async def old(shop: Shop, *fates: str) -> Any:
    shop.emulator.script(NAME, *fates)
    return await shop.submit(OLD_BODY, **OLD)


# ------------------------------------------------------------------------------------------------------ what is sent

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {
            "model": "text-to-video/kling-3.0",
            "duration_s": 3,
            "aspect_ratio": "9:16",
            "resolution": "1080p",
            "audio": True,
        },
        "/text-to-video/kling-3.0",
        {
            "prompt": "a fox",
            "settings": {"duration": 3, "aspect_ratio": "9:16", "resolution": "1080p", "audio": "native"},
        },
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "image-to-video/kling-3.0", "last_image": B, "audio": False},
        "/image-to-video/kling-3.0",
        {
            "contents": [
                {"type": "prompt", "text": "it jumps"},
                {"type": "first_frame", "url": A},
                {"type": "last_frame", "url": B},
            ],
            "settings": {"audio": "off"},
        },
    ),
    (
        "text_to_video",
        ("@image_1 meets @image_2",),
        {"model": "omni-video/kling-3.0-omni", "references": [Reference(image=A), Reference(image=B, role="style")]},
        "/omni-video/kling-3.0-omni",
        {
            "contents": [
                {"type": "prompt", "text": "@image_1 meets @image_2"},
                {"type": "refer_image", "url": A, "id": "image_1"},
                {"type": "refer_image", "url": B, "id": "image_2"},
            ],
            "settings": {"aspect_ratio": "16:9"},
        },
    ),
    (
        "image_to_video",
        (A, "with @image_1"),
        {"model": "omni-video/kling-o1", "references": [Reference(image=B)], "duration_s": 10},
        "/omni-video/kling-o1",
        {
            "contents": [
                {"type": "prompt", "text": "with @image_1"},
                {"type": "first_frame", "url": A},
                {"type": "refer_image", "url": B, "id": "image_1"},
            ],
            "settings": {"duration": 10},
        },
    ),
    (
        "video_to_video",
        (CLIP, "make it night"),
        {"model": "omni-video/kling-3.0-omni", "audio": True},
        "/omni-video/kling-3.0-omni",
        {
            "contents": [
                {"type": "prompt", "text": "make it night"},
                {"type": "base_video", "url": CLIP, "id": "video_1"},
            ],
            "settings": {"audio": "original"},
        },
    ),
    (
        "video_to_video",
        (CLIP, "dance"),
        {"model": "motion-control/kling-3.0", "references": [Reference(image=A)], "resolution": "1080p"},
        "/motion-control/kling-3.0",
        {
            "contents": [
                {"type": "prompt", "text": "dance"},
                {"type": "image", "url": A},
                {"type": "video", "url": CLIP},
            ],
            "settings": {"character_orientation": "video", "resolution": "1080p"},
        },
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "kling-v2-6", "duration_s": 10, "resolution": "1080p", "audio": True, "negative_prompt": "fog"},
        "/v1/videos/text2video",
        {
            "model_name": "kling-v2-6",
            "prompt": "a fox",
            "negative_prompt": "fog",
            "duration": "10",
            "mode": "pro",
            "sound": "on",
        },
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "kling-v3", "last_image": B},
        "/v1/videos/image2video",
        {
            "model_name": "kling-v3",
            "prompt": "it jumps",
            "image": A,
            "image_tail": B,
            "duration": "5",
            "mode": "std",
            "sound": "off",
        },
    ),
    (
        "lip_sync",
        (SOUND,),
        {"model": "lip-sync", "video": CLIP},
        "/v1/videos/lip-sync",
        {"input": {"mode": "audio2video", "video_url": CLIP, "audio_type": "url", "audio_url": SOUND}},
    ),
    (
        "lip_sync",
        (SOUND,),
        {"model": "avatar/image2video", "image": A, "prompt": "calm"},
        "/v1/videos/avatar/image2video",
        {"image": A, "sound_file": SOUND, "prompt": "calm", "mode": "std"},
    ),
]


@pytest.mark.parametrize(("verb", "args", "options", "path", "sent"), CASES, ids=[case[3] + case[0] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, options: dict[str, Any], path: str, sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, **{**options, "model": f"kling:{options['model']}"})
    assert plain(asked[0]) == ("POST", path, {}, {**sent, **_numbered(path, asked[0].json)})
    look = f"{path}/{asked[0].job_id}" if path.startswith("/v1/") else "/tasks"
    assert {one.path for one in asked[1:]} == {look}
    if look == "/tasks":
        assert {one.query["task_ids"] for one in asked[1:]} == {asked[0].job_id}
    assert len(made.artifacts) == 1


def _numbered(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The attempt's own number, where the path is documented to take one."""
    if path.startswith("/v1/"):
        numbered = path in ("/v1/videos/text2video", "/v1/videos/image2video")
        assert ("external_task_id" in body) is numbered
        return {"external_task_id": body["external_task_id"]} if numbered else {}
    assert body["options"].keys() == {"external_task_id"}
    return {"options": body["options"]}


@pytest.mark.parametrize("model", ["image-to-video/kling-3.0", "kling-v2-6"])
async def test_a_local_picture_travels_as_bare_base64(model: str, shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_video", STILL, "it jumps", model=f"kling:{model}")
    raw = base64.b64encode(STILL.read_bytes()).decode()
    body = asked[0].json
    assert raw in (body.get("image"), body.get("contents", [{}, {}])[-1].get("url"))


async def test_a_clip_of_its_own_is_continued_by_its_id(shop: Shop) -> None:
    first = await old(shop)
    delivery = await shop.result(first)
    assert delivery.refs == {"video": f"{first.handle['id']}-0"}
    body = {"video_id": delivery.refs["video"], "prompt": "and on"}
    second = await shop.submit(body, "video-extend", "video-extension", dialect="v1/video-extend")
    assert len((await shop.result(second)).files) == 1


async def test_a_clip_by_address_cannot_be_continued(shop: Shop) -> None:
    with pytest.raises(errors.NoRouteError):
        await shop.bought("extend_video", CLIP, "on", model="kling:video-extend")


# ----------------------------------------------------------------------------------------------------- the credential


def test_a_key_pair_is_signed_as_a_token() -> None:
    token = _bearer("access:secret", 1_000.5)
    signed, _, signature = token.rpartition(".")
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert head == {"alg": "HS256", "typ": "JWT"}
    assert claims == {"iss": "access", "exp": 2800, "nbf": 995}
    assert signature == unpadded(hmac_sha256(b"secret", signed.encode()))
    assert _bearer("an-api-key", 1_000.5) == "an-api-key"


async def test_the_older_generation_takes_a_key_pair_and_the_newer_one_does_not(shop: Shop) -> None:
    key = shop.emulator.keys["kling"]
    pair = Secret(f"ak-{key}:sk-{key}")
    object.__setattr__(shop.backend, "secret", pair)
    assert (await old(shop)).outcome == "accepted"
    refused = await new(shop)
    assert isinstance(refused.error, errors.AuthenticationError)
    object.__setattr__(shop.backend, "secret", Secret(f"ak-{key}:sk-other"))
    assert isinstance((await old(shop)).error, errors.AuthenticationError)


# ------------------------------------------------------------------------------------------------------ status words

NEW_WORDS = {"submitted": "queued", "processing": "running", "succeeded": "succeeded", "failed": "failed"}
OLD_WORDS = {"submitted": "queued", "processing": "running", "succeed": "succeeded", "failed": "failed"}


@pytest.mark.parametrize(("word", "state"), NEW_WORDS.items())
async def test_every_word_of_the_newer_one(word: str, state: str, shop: Shop) -> None:
    assert (
        await shop.look("GET /tasks*", {"code": 0, "data": [{"status": word, "message": ""}]}, of=await new(shop))
    ).state == State(state)


@pytest.mark.parametrize(("word", "state"), OLD_WORDS.items())
async def test_every_word_of_the_older_one(word: str, state: str, shop: Shop) -> None:
    assert (
        await shop.look("GET /v1/videos/*", {"code": 0, "data": {"task_status": word}}, of=await old(shop))
    ).state == State(state)


async def test_each_generation_has_its_own_word_for_success(shop: Shop) -> None:
    one, other = await new(shop), await old(shop)
    shop.answer_once("GET /tasks*", Answer(200, {"code": 0, "data": [{"status": "succeed"}]}))
    with pytest.raises(errors.ResponseFormatError):
        await shop.engine.poll(shop.backend, one.handle)
    shop.answer_once("GET /v1/videos/*", Answer(200, {"code": 0, "data": {"task_status": "succeeded"}}))
    with pytest.raises(errors.ResponseFormatError):
        await shop.engine.poll(shop.backend, other.handle)


# ------------------------------------------------------------------------------------------------------------ errors

MEANT = {
    **dict.fromkeys((1000, 1001, 1002, 1003, 1004, 1100, 1103, 1304), errors.AuthenticationError),
    **dict.fromkeys((1101, 1102), errors.QuotaError),
    **dict.fromkeys((1200, 1201, 1202, 1203), errors.InvalidRequestError),
    **dict.fromkeys((1300, 1301), errors.ContentPolicyError),
    **dict.fromkeys((1302, 1303), errors.RateLimitError),
    **dict.fromkeys((5000, 5001, 5002), errors.UnavailableError),
}


@pytest.mark.parametrize("order", [new, old])
@pytest.mark.parametrize("code", MEANT)
async def test_every_code_is_an_error_of_its_kind(code: int, order: Any, shop: Shop) -> None:
    submission = await order(shop, f"code_{code}")
    assert type(submission.error) is MEANT[code]
    assert submission.error.code == str(code)
    assert submission.outcome == ("unknown" if code >= 5000 else "rejected")


@pytest.mark.parametrize(("fate", "outcome"), [("refused_on_200", "rejected"), ("lost_on_200", "unknown")])
async def test_a_code_on_http_200_is_an_error(fate: str, outcome: str, shop: Shop) -> None:
    assert (await new(shop, fate)).outcome == outcome


@pytest.mark.parametrize("order", [new, old])
async def test_a_job_that_fails_says_why(order: Any, shop: Shop) -> None:
    assert (
        type(await shop.failure(await order(shop, "failed", "moderated_output", "failed:create error 1301")))
        is errors.JobFailedError
    )
    assert type(await shop.failure(await order(shop))) is errors.ContentPolicyError
    assert type(await shop.failure(await order(shop))) is errors.ContentPolicyError


# ---------------------------------------------------------------------------------------------------------- the rest


async def test_it_cannot_be_canceled_and_its_free_calls_are_free(shop: Shop) -> None:
    taken = await new(shop)
    assert await shop.cancel(taken) is False
    booked = len(shop.emulator.book)
    assert await shop.engine.probe(shop.backend)
    assert len(shop.emulator.book) == booked


async def test_its_own_example_of_a_callback_is_verified() -> None:
    body = (
        b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}'
    )
    headers = {
        "webhook-id": "9876543210",
        "webhook-timestamp": "1781080794",
        "webhook-signature": "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=",
    }
    secret = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
    request = WebhookRequest("POST", "/hook", "", headers, body)
    notice = verify(PROVIDER, request, secrets=[secret], now=1_781_080_800.0)
    assert notice.job_id == "1234567890"
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED
    with pytest.raises(errors.WebhookError):
        verify(
            PROVIDER, WebhookRequest("POST", "/hook", "", headers, body + b" "), secrets=[secret], now=1_781_080_800.0
        )


@pytest.mark.parametrize(("order", "dialect"), [(new, ""), (old, "v1/text2video")])
async def test_a_callback_of_each_generation_is_read(order: Any, dialect: str, shop: Shop) -> None:
    taken = await order(shop)
    await shop.end(taken)
    secret = shop.emulator.desk("kling").world.secret
    request = shop.delivery(taken.handle["id"])
    notice = verify(PROVIDER.spoken(dialect), request, secrets=[secret], now=shop.clock.time())
    assert notice.job_id == taken.handle["id"]
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED


async def test_what_is_quoted_is_what_is_billed(shop: Shop) -> None:
    await shop.is_booked(
        "0.672",
        "text_to_video",
        "a fox",
        model="kling:text-to-video/kling-3.0",
        duration_s=4,
        resolution="1080p",
        audio=True,
    )
