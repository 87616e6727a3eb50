"""What we ask of DashScope, and what we make of each of its answers."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.tasks import Reference
from aggregator.testing.emulator.services.dashscope import ERRORS
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, plain

NAME = "dashscope"
A, B, CLIP = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4"))
MADE = "/api/v1/services/aigc/video-generation/video-synthesis"
FRAMES = "/api/v1/services/aigc/image2video/video-synthesis"
BODY = {"model": "wan2.7-t2v", "input": {"prompt": "a fox"}, "parameters": {"duration": 2, "resolution": "720P"}}


ORDER = (BODY, "wan2.7-t2v", "text-to-video")


# ------------------------------------------------------------------------------------------------------ what is sent


def media(*items: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "url": url} for kind, url in items]


CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": "wan2.7-t2v", "duration_s": 2, "resolution": "720p", "aspect_ratio": "9:16", "seed": 0},
        MADE,
        {"prompt": "a fox"},
        {"duration": 2, "resolution": "720P", "ratio": "9:16", "seed": 0},
    ),
    (
        "text_to_video",
        ("a fox",),
        {
            "model": "wan3.0-video",
            "audio": False,
            "duration_s": 2,
            "resolution": "480p",
            "references": [Reference(image=A)],
        },
        MADE,
        {"prompt": "a fox", "media": media(("reference_image", A))},
        {"audio": False, "duration": 2, "resolution": "480P"},
    ),
    (
        "text_to_video",
        ("they meet",),
        {"model": "happyhorse-1.1-r2v", "references": [Reference(image=A), Reference(image=B)], "resolution": "480p"},
        MADE,
        {"prompt": "they meet", "media": media(("reference_image", A), ("reference_image", B))},
        {"resolution": "480P"},
    ),
    (
        "image_to_video",
        (A, "it jumps"),
        {"model": "wan2.7-i2v", "last_image": B, "negative_prompt": "fog", "resolution": "720p"},
        MADE,
        {"prompt": "it jumps", "negative_prompt": "fog", "media": media(("first_frame", A), ("last_frame", B))},
        {"resolution": "720P"},
    ),
    (
        "video_to_video",
        (CLIP, "make it night"),
        {"model": "wan2.7-r2v", "references": [Reference(image=A)], "resolution": "720p"},
        MADE,
        {"prompt": "make it night", "media": media(("reference_video", CLIP), ("reference_image", A))},
        {"resolution": "720P"},
    ),
    (
        "extend_video",
        (CLIP,),
        {"model": "wan2.7-i2v", "duration_s": 2, "resolution": "720p"},
        MADE,
        {"media": media(("first_clip", CLIP))},
        {"duration": 2, "resolution": "720P"},
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "wan2.5-t2v-preview", "resolution": "480p", "duration_s": 5, "negative_prompt": "fog", "audio": True},
        MADE,
        {"prompt": "a fox", "negative_prompt": "fog"},
        {"size": "832*480", "duration": 5, "audio": True},
    ),
    (
        "image_to_video",
        (A,),
        {"model": "wan2.6-i2v", "duration_s": 5},
        MADE,
        {"img_url": A},
        {"resolution": "720P", "duration": 5},
    ),
    (
        "video_to_video",
        (CLIP, "again"),
        {"model": "wan2.6-r2v", "references": [Reference(image=A)]},
        MADE,
        {"prompt": "again", "reference_urls": [CLIP, A]},
        {"size": "1280*720"},
    ),
    (
        "image_to_video",
        (A,),
        {"model": "wan2.2-kf2v-flash", "last_image": B, "resolution": "480p"},
        FRAMES,
        {"first_frame_url": A, "last_frame_url": B},
        {"resolution": "480P"},
    ),
]


@pytest.mark.parametrize(("verb", "args", "options", "path", "given", "settings"), CASES)
async def test_a_verb_sends_this(
    verb: str,
    args: Any,
    options: dict[str, Any],
    path: str,
    given: dict[str, Any],
    settings: dict[str, Any],
    shop: Shop,
) -> None:
    model = options["model"]
    asked, made = await shop.bought(verb, *args, **{**options, "model": f"dashscope:{model}"})
    assert plain(asked[0]) == ("POST", path, {}, {"model": model, "input": given, "parameters": settings})
    assert asked[0].headers["x-dashscope-async"] == "enable"
    assert "x-dashscope-ossresourceresolve" not in asked[0].headers
    assert {plain(one)[:2] for one in asked[1:]} == {("GET", f"/api/v1/tasks/{asked[0].job_id}")}
    assert len(made.artifacts) == 1


@pytest.mark.parametrize("model", ["wan2.7-i2v", "wan2.6-i2v"])
async def test_a_local_input_goes_to_the_store_by_its_policy(model: str, shop: Shop) -> None:
    asked, _ = await shop.bought(
        "image_to_video", STILL, "x", model=f"dashscope:{model}", duration_s=5, resolution="720p"
    )
    policy, stored, paid = asked[:3]
    assert plain(policy) == ("GET", "/api/v1/uploads", {"action": "getPolicy", "model": model}, None)
    assert stored.path == "/oss"
    assert "authorization" not in stored.headers
    assert list(stored.form)[-1] == "file"
    (file,) = stored.form["file"]
    assert (file.content, file.mime_type) == (STILL.read_bytes(), "image/png")
    assert stored.form["success_action_status"][0].text == "200"
    named = f"oss://{stored.form['key'][0].text}"
    given = paid.json["input"]
    assert named == (given["media"][0]["url"] if "media" in given else given["img_url"])
    assert paid.headers["x-dashscope-ossresourceresolve"] == "enable"


async def test_a_stored_input_counts_only_with_the_header(shop: Shop) -> None:
    body = {"model": "wan2.7-i2v", "input": {"media": media(("first_frame", "oss://a/b"))}, "parameters": {}}
    assert isinstance((await shop.submit(body, "wan2.7-i2v", "image-to-video")).error, errors.InvalidRequestError)


# ------------------------------------------------------------------------------------------------------ status words


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PENDING", "queued"),
        ("SUSPENDED", "queued"),
        ("RUNNING", "running"),
        ("SUCCEEDED", "succeeded"),
        ("FAILED", "failed"),
        ("CANCELED", "canceled"),
    ],
)
async def test_every_word(word: str, state: str, shop: Shop) -> None:
    assert (await shop.look("GET /api/v1/tasks/*", {"output": {"task_status": word}})).state == State(state)


async def test_unknown_is_no_end(shop: Shop) -> None:
    """A job of another region, or older than a day: nobody knows what became of it."""
    taken = await shop.order()
    with pytest.raises(errors.ResponseFormatError) as caught:
        await shop.engine.poll(shop.backend, {**taken.handle, "id": "another"})
    assert caught.value.code == "UNKNOWN"


# ------------------------------------------------------------------------------------------------------------ errors


def meant(code: str) -> type[errors.ProviderError]:
    if code in ("DataInspectionFailed", "IPInfringementSuspect"):
        return errors.ContentPolicyError
    if code in ("Arrearage", "AllocationQuota.FreeTierOnly"):
        return errors.QuotaError
    if code == "InvalidApiKey" or code.endswith("AccessDenied"):
        return errors.AuthenticationError
    if code.startswith("Throttling"):
        return errors.RateLimitError
    return errors.UnavailableError if code.startswith("InternalError") else errors.InvalidRequestError


@pytest.mark.parametrize("code", ERRORS)
async def test_every_code_is_an_error_of_its_kind(code: str, shop: Shop) -> None:
    submission = await shop.order(code)
    assert type(submission.error) is meant(code)
    assert submission.error.code == code
    assert submission.outcome == ("unknown" if code.startswith("InternalError") else "rejected")


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("failed", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("failed:IPInfringementSuspect", errors.ContentPolicyError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_every_bad_ending(fate: str, error: type[Exception], shop: Shop) -> None:
    await shop.fails(fate, error)


async def test_only_what_is_pending_can_be_canceled(shop: Shop) -> None:
    await shop.is_canceled(await shop.order())
    running = await shop.order()
    await shop.clock.sleep(0.03)
    assert await shop.cancel(running) is False
    assert plain(shop.emulator.requests[-1])[:2] == ("POST", f"/api/v1/tasks/{running.handle['id']}/cancel")


async def test_what_it_counted_is_what_is_booked(shop: Shop) -> None:
    made = await shop.is_booked(
        "0.20", "text_to_video", "a fox", model="dashscope:wan2.7-t2v", resolution="720p", duration_s=2
    )
    assert made.cost.source == "reported"


def test_bodies() -> None:
    check_bodies("dashscope", offers=23)
