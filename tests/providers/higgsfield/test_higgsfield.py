"""What we ask of Higgsfield, and what we make of each of its answers."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.higgsfield import PROVIDER
from aggregator.testing.emulator import Answer
from aggregator.webhooks import verify
from tests.providers.harness import STILL, Shop, plain

NAME = "higgsfield"
SOUL = "higgsfield-ai/soul/standard"
BODY = {"prompt": "a fox"}


# ------------------------------------------------------------------------------------------------------ what is sent

CASES: list[tuple[str, tuple[Any, ...], str, dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_image",
        ("a fox",),
        SOUL,
        {"resolution": "2k", "aspect_ratio": "21:9"},
        {"prompt": "a fox", "resolution": "2K", "aspect_ratio": "21:9"},
    ),
    (
        "text_to_video",
        ("a fox",),
        "veo3.1",
        {"duration_s": 6, "resolution": "1080p", "aspect_ratio": "9:16", "audio": False},
        {"prompt": "a fox", "duration": 6, "resolution": "1080", "aspect_ratio": "9:16", "generate_audio": False},
    ),
    (
        "image_to_video",
        ("https://example.com/a.png", "a fox"),
        "higgsfield-ai/dop/turbo",
        {"last_image": "https://example.com/b.png", "seed": 5},
        {
            "image_url": "https://example.com/a.png",
            "end_image_url": "https://example.com/b.png",
            "prompt": "a fox",
            "seed": 5,
        },
    ),
]
ORDER = (BODY, SOUL, "text-to-image")


@pytest.mark.parametrize(("verb", "args", "endpoint", "options", "sent"), CASES, ids=[case[0] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, endpoint: str, options: dict[str, Any], sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, model=f"higgsfield:{endpoint}", **options)
    assert plain(asked[0]) == ("POST", f"/{endpoint}", {}, sent)
    assert asked[0].headers["authorization"].startswith("Key ")
    assert {plain(one)[:2] for one in asked[1:]} == {("GET", f"/requests/{asked[0].job_id}/status")}
    assert len(made.artifacts) == 1
    assert made.cost.unpriced


async def test_a_local_input_goes_to_a_signed_address(shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_video", STILL, "a fox", model="higgsfield:higgsfield-ai/dop/lite")
    sign, put, submit = asked[:3]
    assert plain(sign) == ("POST", "/files/generate-upload-url", {}, {"content_type": "image/png"})
    assert (put.method, put.body, put.headers["x-amz-tagging"]) == ("PUT", STILL.read_bytes(), "retention=temporary")
    assert put.status == 200
    assert not put.key_sent
    assert submit.json["image_url"].endswith(put.path)


# -------------------------------------------------------------------------------------------- status words and endings


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", State.QUEUED),
        ("in_progress", State.RUNNING),
        ("completed", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("nsfw", State.FAILED),
        ("canceled", State.CANCELED),
    ],
)
async def test_every_status_word_has_its_state(word: str, state: State, shop: Shop) -> None:
    assert (await shop.look("GET /requests/*", {"status": word, "request_id": "x"})).state is state


async def test_there_is_no_other_word(shop: Shop) -> None:
    assert len(PROVIDER.status.words) == 6  # type: ignore[union-attr]
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /requests/*", {"status": "cancelled", "request_id": "x"})


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        ("failed", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_how_a_job_can_end_without_being_charged(
    fate: str, expected: type[errors.ProviderError], shop: Shop
) -> None:
    await shop.fails(fate, expected)
    assert PROVIDER.bills_failures is False
    assert shop.emulator.book[0].usd == 0


@pytest.mark.parametrize(
    ("fault", "outcome", "expected", "said"),
    [
        ("bad_key", "rejected", errors.AuthenticationError, "Invalid credentials"),
        ("no_credit", "rejected", errors.QuotaError, "Not enough credits"),
        ("rate_limited", "rejected", errors.RateLimitError, "Maximum number of concurrent requests"),
        ("throttled", "rejected", errors.RateLimitError, "Too many requests"),
        ("invalid", "rejected", errors.InvalidRequestError, "this is not valid"),
        ("not_found", "rejected", errors.InvalidRequestError, "Not found"),
        ("locked", "rejected", errors.InvalidRequestError, "not available"),
        ("unavailable", "unknown", errors.UnavailableError, "Service unavailable"),
        ("server_error", "unknown", errors.UnavailableError, "Internal server error"),
    ],
)
async def test_a_refused_submit(
    fault: str, outcome: str, expected: type[errors.ProviderError], said: str, shop: Shop
) -> None:
    error = await shop.refused(fault, expected, outcome)
    assert said in str(error)
    assert not shop.emulator.book


async def test_only_what_waits_can_be_canceled(shop: Shop) -> None:
    first = await shop.order()
    assert await shop.cancel(first)
    assert plain(shop.emulator.requests[-1])[:2] == ("POST", f"/requests/{first.handle['id']}/cancel")
    assert type(await shop.failure(first)) is errors.JobCanceledError
    second = await shop.order()
    shop.clock.advance(0.03)
    assert not await shop.cancel(second)
    assert len((await shop.result(second)).files) == 1


# ------------------------------------------------------------------------------------------ webhooks and what is free


async def test_a_delivery_is_not_signed_and_only_wakes(shop: Shop) -> None:
    submission = await shop.order()
    await shop.end(submission)
    notice = verify(shop.provider, shop.delivery(submission.handle["id"]), now=shop.clock.time())
    assert (notice.job_id, notice.reading) == (submission.handle["id"], None)


async def test_the_key_can_be_checked_for_free(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    shop.answer_once("GET /models", Answer(401, {"detail": "Invalid credentials"}))
    with pytest.raises(errors.AuthenticationError):
        await shop.engine.probe(shop.backend)
    assert not shop.emulator.book


def test_results_are_kept_for_a_week() -> None:
    assert PROVIDER.result_ttl_s == 604_800
