"""What we ask of Replicate, and what we make of each of its answers."""

import json
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.replicate import PROVIDER
from aggregator.webhooks import verify
from tests.providers.harness import STILL, Shop, plain

NAME = "replicate"
SCHNELL = "black-forest-labs/flux-schnell"
BODY = {"input": {"prompt": "a fox"}}


# ------------------------------------------------------------------------------------------------------ what is sent

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_image",
        ("a fox",),
        {"model": "replicate:black-forest-labs/flux-2-pro", "aspect_ratio": "16:9", "seed": 0, "format": "jpeg"},
        {"prompt": "a fox", "aspect_ratio": "16:9", "seed": 0, "output_format": "jpg"},
    ),
    (
        "text_to_video",
        ("a fox",),
        {"model": "replicate:google/veo-3.1", "duration_s": 4, "audio": False, "resolution": "720p"},
        {"prompt": "a fox", "duration": 4, "generate_audio": False, "resolution": "720p"},
    ),
    (
        "image_to_video",
        ("https://example.com/a.png", "a fox"),
        {"model": "replicate:minimax/hailuo-02", "last_image": "https://example.com/b.png", "resolution": "768p"},
        {
            "prompt": "a fox",
            "first_frame_image": "https://example.com/a.png",
            "last_frame_image": "https://example.com/b.png",
            "resolution": "768p",
        },
    ),
    (
        "image_to_image",
        ("https://example.com/a.png", "as a woodcut"),
        {"model": "replicate:black-forest-labs/flux-3-image", "resolution": "2k"},
        {"prompt": "as a woodcut", "images": ["https://example.com/a.png"], "resolution": "2k"},
    ),
    (
        "text_to_speech",
        ("Good evening.",),
        {"model": "replicate:minimax/speech-2.6-turbo", "voice": "Wise_Woman", "speed": 1.2},
        {"text": "Good evening.", "voice_id": "Wise_Woman", "speed": 1.2},
    ),
    (
        "text_to_music",
        ("slow piano",),
        {"model": "replicate:stability-ai/stable-audio-2.5", "duration_s": 30, "seed": 7},
        {"prompt": "slow piano", "duration": 30, "seed": 7},
    ),
]
ORDER = (BODY, SCHNELL, "text-to-image")


@pytest.mark.parametrize(("verb", "args", "options", "sent"), CASES, ids=[case[0] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, options: dict[str, Any], sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, **options)
    endpoint = options["model"].removeprefix("replicate:")
    assert plain(asked[0]) == ("POST", f"/v1/models/{endpoint}/predictions", {}, {"input": sent})
    assert asked[0].headers["authorization"].startswith("Bearer r8_")
    assert [one.path for one in asked[1:]] == [f"/v1/predictions/{asked[0].job_id}"] * (len(asked) - 1)
    assert len(made.artifacts) == 1


async def test_a_local_input_is_uploaded_and_named_by_its_address(shop: Shop) -> None:
    asked, _ = await shop.bought("upscale_image", STILL, factor=2, model="replicate:nightmareai/real-esrgan")
    upload, order = asked[:2]
    (part,) = upload.form["content"]
    assert (upload.method, upload.path, set(upload.form)) == ("POST", "/v1/files", {"content"})
    assert (part.content, part.mime_type) == (STILL.read_bytes(), "image/png")
    assert plain(order)[:2] == ("POST", "/v1/predictions")
    assert order.json["version"] == "f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa"
    assert order.json["input"]["scale"] == 2
    assert "/v1/files/" in order.json["input"]["image"]


async def test_a_deployment_has_an_address_of_its_own(shop: Shop) -> None:
    submission = await shop.submit(BODY, "acme/portrait", "text-to-image", dialect="deployment")
    assert submission.outcome == "accepted"
    assert plain(shop.emulator.requests[0]) == ("POST", "/v1/deployments/acme/portrait/predictions", {}, BODY)


# ------------------------------------------------------------------------------------------------------ status words


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("starting", State.QUEUED),
        ("processing", State.RUNNING),
        ("succeeded", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("canceled", State.CANCELED),
        ("aborted", State.CANCELED),
    ],
)
async def test_every_status_word_has_its_state(word: str, state: State, shop: Shop) -> None:
    assert (await shop.look("GET /v1/predictions/*", {"id": "x", "status": word, "error": None})).state is state
    assert word in PROVIDER.status.words  # type: ignore[union-attr]


async def test_there_is_no_other_word(shop: Shop) -> None:
    assert len(PROVIDER.status.words) == 6  # type: ignore[union-attr]
    with pytest.raises(errors.ResponseFormatError) as caught:
        await shop.look("GET /v1/predictions/*", {"id": "x", "status": "queued"})
    assert caught.value.code == "queued"


@pytest.mark.parametrize("endpoint", [SCHNELL, "google/veo-3.1", "minimax/speech-02-hd"])
async def test_the_output_may_be_a_list_or_one_address(endpoint: str, shop: Shop) -> None:
    delivery = await shop.result(await shop.submit(BODY, endpoint, "text-to-image"))
    assert len(delivery.files) == 1
    async with shop.engine.download(shop.backend, delivery.files[0].url) as stream:
        assert stream.status == 200
    assert not shop.emulator.downloads[0].key_sent


async def test_a_community_model_tells_its_seconds(shop: Shop) -> None:
    submission = await shop.submit({"input": {"image": "x"}}, "a/b", "image-upscaling", dialect="version", version="v")
    delivery = await shop.result(submission)
    assert 0 < delivery.reported["gpu_second"] < 1


# ------------------------------------------------------------------------------------------------------------ endings


@pytest.mark.parametrize(
    ("fate", "expected", "billed"),
    [
        ("failed", errors.JobFailedError, None),
        ("failed:CUDA out of memory", errors.JobFailedError, None),
        ("moderated_output", errors.ContentPolicyError, None),
        ("failed:The prompt was flagged as sensitive", errors.ContentPolicyError, None),
        ("canceled", errors.JobCanceledError, None),
        ("canceled:aborted", errors.JobCanceledError, False),
    ],
)
async def test_how_a_job_can_end(
    fate: str, expected: type[errors.ProviderError], billed: bool | None, shop: Shop
) -> None:
    error = await shop.failure(await shop.order(fate))
    assert type(error) is expected
    assert error.accepted is True
    assert callable(PROVIDER.bills_failures)
    assert PROVIDER.bills_failures(error) is billed


@pytest.mark.parametrize(
    ("fault", "outcome", "expected"),
    [
        ("bad_key", "rejected", errors.AuthenticationError),
        ("no_credit", "rejected", errors.QuotaError),
        ("not_found", "rejected", errors.InvalidRequestError),
        ("invalid", "rejected", errors.InvalidRequestError),
        ("rate_limited", "rejected", errors.RateLimitError),
        ("unavailable", "unknown", errors.UnavailableError),
    ],
)
async def test_a_refused_submit(fault: str, outcome: str, expected: type[errors.ProviderError], shop: Shop) -> None:
    submission = await shop.order(fault)
    assert submission.outcome == outcome
    assert type(submission.error) is expected
    assert submission.error.accepted is (False if outcome == "rejected" else None)
    assert submission.error.retry_after_s == (1 if fault == "rate_limited" else None)
    assert not shop.emulator.book


async def test_a_missing_input_is_the_callers_mistake(shop: Shop) -> None:
    submission = await shop.submit({}, SCHNELL, "text-to-image")
    assert type(submission.error) is errors.InvalidRequestError
    assert "input is required" in str(submission.error)


async def test_cancel(shop: Shop) -> None:
    submission = await shop.order()
    assert await shop.cancel(submission)
    assert plain(shop.emulator.requests[-1])[:2] == ("POST", f"/v1/predictions/{submission.handle['id']}/cancel")
    assert type(await shop.failure(submission)) is errors.JobCanceledError


# ------------------------------------------------------------------------------------------ webhooks and what is free


async def test_a_delivery_is_believed_if_it_is_signed(shop: Shop) -> None:
    submission = await shop.order()
    await shop.end(submission)
    delivery = shop.delivery(submission.handle["id"])
    secret = shop.emulator.desk("replicate").world.secret
    notice = verify(shop.provider, delivery, secrets=[secret], now=shop.clock.time())
    assert notice.job_id == submission.handle["id"]
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED
    for other in (["whsec_AAAA"], []):
        with pytest.raises((errors.WebhookError, errors.ConfigurationError)):
            verify(shop.provider, delivery, secrets=other, now=shop.clock.time())
    with pytest.raises(errors.WebhookError):
        verify(shop.provider, delivery, secrets=[secret], now=shop.clock.time() + 3600)


async def test_what_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    said = {
        name: await shop.engine.ask(shop.backend, call, {"endpoint": SCHNELL}, doing=name)
        for name, call in PROVIDER.free.items()
    }
    assert {one.path for one in shop.emulator.requests} == {
        "/v1/account",
        f"/v1/models/{SCHNELL}",
        "/v1/hardware",
        "/v1/webhooks/default/secret",
    }
    assert json.dumps(said).count("whsec_") == 1
    assert not shop.emulator.book


def test_limits_and_lifetime() -> None:
    assert (PROVIDER.requests_per_second, PROVIDER.result_ttl_s) == (10, 3600)
