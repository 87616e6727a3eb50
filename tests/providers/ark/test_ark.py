"""What we ask of Ark, and what we make of each of its answers."""

from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.ark import _tokens
from aggregator.tasks import Reference
from aggregator.testing.emulator import Answer
from aggregator.testing.emulator.services.ark import ERRORS
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, plain

NAME = "ark"
A, B, CLIP = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4"))
TWO, ONE = "dreamina-seedance-2-0-260128", "seedance-1-0-pro-250528"
TASKS = "/api/v3/contents/generations/tasks"
BODY = {"model": TWO, "content": [{"type": "text", "text": "a fox"}], "resolution": "480p", "duration": 4}


def image(url: str, role: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": role}


ORDER = (BODY, TWO, "text-to-video")


# ------------------------------------------------------------------------------------------------------ what is sent

TEXT = {"type": "text", "text": "a fox"}
USUAL = {"model": TWO, "resolution": "720p", "duration": 5}
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": TWO, "duration_s": 4, "resolution": "480p", "aspect_ratio": "9:16", "seed": 0, "audio": False},
        {
            "model": TWO,
            "content": [TEXT],
            "duration": 4,
            "resolution": "480p",
            "ratio": "9:16",
            "seed": 0,
            "generate_audio": False,
        },
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": TWO, "references": [Reference(image=A), Reference(image=B, role="look")]},
        {**USUAL, "content": [TEXT, image(A, "reference_image"), image(B, "reference_image")]},
    ),
    (
        "image_to_video",
        (A, "a fox"),
        {"model": TWO, "last_image": B},
        {**USUAL, "content": [TEXT, image(A, "first_frame"), image(B, "last_frame")]},
    ),
    (
        "image_to_video",
        (A,),
        {"model": ONE, "camera": "static"},
        {**USUAL, "model": ONE, "content": [image(A, "first_frame")], "camera_fixed": True},
    ),
    (
        "video_to_video",
        (CLIP, "a fox"),
        {"model": "dreamina-seedance-2-5-260628", "references": [Reference(image=A)]},
        {
            **USUAL,
            "model": "dreamina-seedance-2-5-260628",
            "omni_reference_task_type": "edit",
            "content": [
                TEXT,
                image(A, "reference_image"),
                {"type": "video_url", "video_url": {"url": CLIP}, "role": "reference_video"},
            ],
        },
    ),
    (
        "extend_video",
        (CLIP, "a fox"),
        {"model": "dreamina-seedance-2-5-260628"},
        {
            **USUAL,
            "model": "dreamina-seedance-2-5-260628",
            "omni_reference_task_type": "extend",
            "content": [TEXT, {"type": "video_url", "video_url": {"url": CLIP}, "role": "reference_video"}],
        },
    ),
]


@pytest.mark.parametrize(("verb", "args", "options", "sent"), CASES)
async def test_a_verb_sends_this(
    verb: str, args: Any, options: dict[str, Any], sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, **{**options, "model": f"ark:{options['model']}"})
    assert plain(asked[0]) == ("POST", TASKS, {}, sent)
    assert {plain(one)[:2] for one in asked[1:]} == {("GET", f"{TASKS}/{asked[0].job_id}")}
    assert len(made.artifacts) == 1


async def test_a_local_picture_travels_as_a_data_uri(shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_video", STILL, model=f"ark:{ONE}", duration_s=2)
    assert asked[0].json["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


async def test_a_local_clip_cannot_be_handed_over(tmp_path: Path, shop: Shop) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"\0" * 64)
    with pytest.raises(errors.AggregatorError):
        await shop.bought("video_to_video", clip, "a fox", model=f"ark:{TWO}")


# ------------------------------------------------------------------------------------------------------ status words


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", "queued"),
        ("running", "running"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("expired", "failed"),
        ("cancelled", "canceled"),
    ],
)
async def test_every_word(word: str, state: str, shop: Shop) -> None:
    assert (await shop.look(f"GET {TASKS}/*", {"id": "x", "status": word, "error": None})).state == State(state)


async def test_success_with_an_error_is_a_failure(shop: Shop) -> None:
    taken = await shop.order()
    said = {"status": "succeeded", "error": {"code": "OutputVideoSensitiveContentDetected", "message": "no"}}
    shop.answer_once(f"GET {TASKS}/*", Answer(200, said))
    assert isinstance((await shop.engine.poll(shop.backend, taken.handle)).error, errors.ContentPolicyError)


# ------------------------------------------------------------------------------------------------------------ errors


def meant(code: str) -> type[errors.ProviderError]:
    if "SensitiveContentDetected" in code or "RiskDetection" in code:
        return errors.ContentPolicyError
    return {
        "AuthenticationError": errors.AuthenticationError,
        "AccessDenied": errors.AuthenticationError,
        "OperationDenied": errors.AuthenticationError,
        "AccountOverdueError": errors.QuotaError,
        "InvalidSubscription": errors.QuotaError,
        "QuotaExceeded": errors.QuotaError,
        "RateLimitExceeded.EndpointRPMExceeded": errors.RateLimitError,
        "ServerOverloaded": errors.RateLimitError,
        "InternalServiceError": errors.UnavailableError,
    }.get(code, errors.InvalidRequestError)


@pytest.mark.parametrize("code", ERRORS)
async def test_every_code_is_an_error_of_its_kind(code: str, shop: Shop) -> None:
    submission = await shop.order(code)
    assert type(submission.error) is meant(code)
    assert submission.error.code == code
    assert submission.error.request_id
    assert submission.outcome == ("unknown" if code == "InternalServiceError" else "rejected")


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("failed", errors.JobFailedError),
        ("failed:expired", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("failed:OutputAudioSensitiveContentDetected.PolicyViolation", errors.ContentPolicyError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_every_bad_ending(fate: str, error: type[Exception], shop: Shop) -> None:
    await shop.fails(fate, error)


# ------------------------------------------------------------------------------------------------------------ cancel


async def test_what_waits_is_canceled_what_runs_is_not(shop: Shop) -> None:
    await shop.is_canceled(await shop.order())
    running = await shop.order()
    await shop.clock.sleep(0.03)
    assert await shop.cancel(running) is False
    assert plain(shop.emulator.requests[-1])[:2] == ("DELETE", f"{TASKS}/{running.handle['id']}")


# --------------------------------------------------------------------------------------------------------- the money


async def test_tokens_are_quoted_reported_and_billed_alike(shop: Shop) -> None:
    # 1280 × 720 × 24 × 4 / 1024 = 86400 tokens at 7 dollars a million
    made = await shop.is_booked(
        "0.6048", "text_to_video", "a fox", model=f"ark:{TWO}", aspect_ratio="16:9", duration_s=4
    )
    assert made.cost.source == "reported"


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        ({"resolution": "720p", "duration_s": 5, "aspect_ratio": "16:9"}, ("108000.0", "108000.0")),
        ({"resolution": "480p", "duration_s": 1}, ("9600.0", "10044.0")),
        ({"resolution": "720p", "duration_s": 1, "aspect_ratio": "4:3"}, ("21736.125", "21736.125")),
        ({"resolution": "1080p", "duration_s": 1, "aspect_ratio": "9:16"}, ("48600.0", "48600.0")),
        ({"resolution": "1080p", "duration_s": 1}, None),
        ({"resolution": "720p", "duration_s": 1, "aspect_ratio": "21:9"}, None),
    ],
)
def test_the_tokens_of_a_clip(values: dict[str, Any], tokens: Any) -> None:
    assert _tokens(values) == tokens


async def test_an_unsigned_callback_is_only_a_hint(shop: Shop) -> None:
    taken = await shop.order()
    await shop.end(taken)
    notice = verify(shop.provider, shop.delivery(taken.handle["id"]), secrets=[], now=shop.clock.time())
    assert notice.job_id == taken.handle["id"]
    assert notice.reading is None


def test_bodies() -> None:
    check_bodies("ark", offers=20)
