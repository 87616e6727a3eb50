"""What we ask of Vidu, and what we make of each of its answers."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State, WebhookRequest
from aggregator.tasks import Reference
from aggregator.testing.emulator.services.vidu import REASONS
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, plain

NAME = "vidu"
A, B, CLIP, SOUND = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4", "d.mp3"))
BODY = {"@path": {"kind": "text2video"}, "model": "viduq3-pro", "prompt": "a fox", "duration": 1, "resolution": "540p"}


ORDER = (BODY, "viduq3-pro", "text-to-video")


# ------------------------------------------------------------------------------------------------------ what is sent

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {
            "model": "viduq3-pro",
            "duration_s": 1,
            "aspect_ratio": "9:16",
            "resolution": "540p",
            "seed": 0,
            "audio": False,
        },
        "text2video",
        {
            "model": "viduq3-pro",
            "prompt": "a fox",
            "duration": 1,
            "aspect_ratio": "9:16",
            "resolution": "540p",
            "seed": 0,
            "audio": False,
        },
    ),
    (
        "text_to_video",
        ("they meet",),
        {"model": "viduq1", "references": [Reference(image=A), Reference(image=B, role="object")]},
        "reference2video",
        {"model": "viduq1", "prompt": "they meet", "images": [A, B], "duration": 5, "resolution": "1080p"},
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "viduq3-turbo", "duration_s": 1},
        "img2video",
        {"model": "viduq3-turbo", "prompt": "it jumps", "images": [A], "duration": 1, "resolution": "720p"},
    ),
    (
        "image_to_video",
        (A,),
        {"model": "viduq2-pro", "last_image": B, "duration_s": 1},
        "start-end2video",
        {"model": "viduq2-pro", "images": [A, B], "duration": 1, "resolution": "720p"},
    ),
    (
        "extend_video",
        (CLIP, "on"),
        {"model": "viduq2-turbo", "duration_s": 1},
        "extend",
        {"model": "viduq2-turbo", "prompt": "on", "video_url": CLIP, "duration": 1},
    ),
    ("lip_sync", (SOUND,), {"model": "lip-sync", "video": CLIP}, "lip-sync", {"video_url": CLIP, "audio_url": SOUND}),
]


@pytest.mark.parametrize(("verb", "args", "options", "kind", "sent"), CASES, ids=[case[3] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, options: dict[str, Any], kind: str, sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, **{**options, "model": f"vidu:{options['model']}"})
    assert plain(asked[0]) == ("POST", f"/ent/v2/{kind}", {}, sent)
    assert asked[0].headers["authorization"].startswith("Token ")
    assert {plain(one)[:2] for one in asked[1:]} == {("GET", f"/ent/v2/tasks/{asked[0].job_id}/creations")}
    assert len(made.artifacts) == 1


async def test_a_small_local_picture_travels_as_a_data_uri(shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_video", STILL, model="vidu:viduq3-turbo", duration_s=1)
    assert asked[0].json["images"][0].startswith("data:image/png;base64,")


async def test_an_upload_takes_three_steps(shop: Shop) -> None:
    class Source:
        sha256, mime_type, path, size_bytes = "a" * 64, "image/png", str(STILL), STILL.stat().st_size

    uri = await shop.engine.upload(shop.backend, Source())
    place, put, finish = shop.emulator.requests
    assert plain(place) == ("POST", "/tools/v2/files/uploads", {}, {"scene": "vidu"})
    assert (put.method, put.body, put.headers["content-type"]) == ("PUT", STILL.read_bytes(), "image/png")
    assert "authorization" not in put.headers
    assert (finish.method, finish.path.rpartition("/")[2]) == ("PUT", "finish")
    assert uri.startswith("ssupload:?id=")
    body = {"@path": {"kind": "img2video"}, "model": "viduq3-pro", "images": [uri], "duration": 1}
    assert (await shop.submit(body, "viduq3-pro", "image-to-video")).outcome == "accepted"
    lost = {**body, "images": ["ssupload:?id=1"]}
    assert (await shop.submit(lost, "viduq3-pro", "image-to-video")).outcome == "rejected"


async def test_a_clip_of_its_own_is_continued_by_its_id(shop: Shop) -> None:
    delivery = await shop.result(await shop.order())
    body = {"@path": {"kind": "extend"}, "model": "viduq2-pro", "video_creation_id": delivery.refs["creation"]}
    assert len((await shop.result(await shop.submit(body, "viduq2-pro", "video-extension"))).files) == 1


async def test_the_own_id_is_what_is_sent(shop: Shop) -> None:
    project = await shop.project()
    clip = await project.text_to_video("a fox", model="vidu:viduq3-turbo", duration_s=1, max_usd="5")
    await project.extend_video(clip, "on", model="vidu:viduq2-pro", duration_s=1, max_usd="5")
    sent = [one for one in shop.emulator.requests if one.path == "/ent/v2/extend"]
    assert sent[0].json["video_creation_id"].startswith("c")
    assert "video_url" not in sent[0].json


# ------------------------------------------------------------------------------------------------------ status words


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("created", "queued"),
        ("queueing", "queued"),
        ("processing", "running"),
        ("success", "succeeded"),
        ("failed", "failed"),
    ],
)
async def test_every_word(word: str, state: str, shop: Shop) -> None:
    assert (
        await shop.look("GET /ent/v2/tasks/*", {"id": "x", "state": word, "err_code": "", "creations": []})
    ).state == State(state)


# ------------------------------------------------------------------------------------------------------------ errors


def meant(status: int, reason: str) -> type[errors.ProviderError]:
    if reason in ("AuditSubmitIllegal", "TaskPromptPolicyViolation", "CreationPolicyViolation"):
        return errors.ContentPolicyError
    if reason == "CreditInsufficient":
        return errors.QuotaError
    return {
        401: errors.AuthenticationError,
        403: errors.AuthenticationError,
        429: errors.RateLimitError,
        500: errors.UnavailableError,
    }.get(status, errors.InvalidRequestError)


@pytest.mark.parametrize(
    ("status", "reason"), [(status, reason) for status, reasons in REASONS.items() for reason in reasons]
)
async def test_every_reason_is_an_error_of_its_kind(status: int, reason: str, shop: Shop) -> None:
    submission = await shop.order(reason)
    assert type(submission.error) is meant(status, reason)
    assert submission.error.code == reason
    maybe_taken = status in (409, 499, 500)
    assert submission.outcome == ("unknown" if maybe_taken else "rejected")


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("failed", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("failed:AuditSubmitIllegal", errors.ContentPolicyError),
        ("failed:TaskPromptPolicyViolation", errors.ContentPolicyError),
        ("failed:UserCancelled", errors.JobCanceledError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_every_bad_ending(fate: str, error: type[Exception], shop: Shop) -> None:
    await shop.fails(fate, error)


async def test_a_job_is_canceled(shop: Shop) -> None:
    await shop.is_canceled(await shop.order())
    done = await shop.order()
    await shop.end(done)
    assert await shop.cancel(done) is False


# ---------------------------------------------------------------------------------------------------------- the rest


async def test_what_is_charged_is_what_is_booked(shop: Shop) -> None:
    made = await shop.is_booked("0.30", "text_to_video", "a fox", model="vidu:viduq3-pro", duration_s=2)
    assert made.cost.source == "reported"


async def test_a_callback_is_verified_but_only_a_hint(shop: Shop) -> None:
    taken = await shop.order()
    await shop.end(taken)
    said = shop.delivery(taken.handle["id"])
    # The emulator signs the path of the address it calls; `delivery` has none.
    request = WebhookRequest("POST", "/", "", said.headers, said.body)
    key = shop.emulator.keys["vidu"]
    notice = verify(shop.provider, request, secrets=[key], now=shop.clock.time())
    assert notice.job_id == taken.handle["id"]
    assert notice.reading is None
    with pytest.raises(errors.WebhookError):
        verify(shop.provider, request, secrets=["another"], now=shop.clock.time())
    with pytest.raises(errors.WebhookError):
        verify(
            shop.provider,
            WebhookRequest("POST", "/x", "", said.headers, said.body),
            secrets=[key],
            now=shop.clock.time(),
        )


async def test_free_calls_are_free(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend)
    assert len(shop.emulator.book) == 0
    assert plain(shop.emulator.requests[0])[:2] == ("GET", "/ent/v2/credits")


def test_bodies() -> None:
    check_bodies("vidu", offers=12)
