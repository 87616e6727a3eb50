"""What we send to fal's emulator for each task, and what we make of its endings, uploads and deliveries."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import Blocked, Endpoint, Files, State
from aggregator.providers import fal
from aggregator.providers.fal import PROVIDER
from aggregator.testing.emulator.services.fal import ERRORS, MODEL_ERRORS
from aggregator.webhooks import verify
from tests.providers.fal.harness import Source
from tests.providers.harness import STILL, Shop, plain

NAME = "fal"
SCHNELL = "fal-ai/flux/schnell"
FLAGGED = Endpoint(files=Files("images[].url", "image/*", blocked=Blocked("has_nsfw_concepts[]")))


CASES: list[tuple[str, tuple[Any, ...], str, dict[str, Any], dict[str, Any]]] = [
    (
        "text_to_image",
        ("a fox",),
        SCHNELL,
        {"size": "640x480", "seed": 0},
        {"prompt": "a fox", "image_size": {"width": 640, "height": 480}, "seed": 0, "num_images": 1},
    ),
    (
        "text_to_video",
        ("a fox",),
        "fal-ai/veo3.1",
        {"duration_s": 4, "audio": False},
        {"prompt": "a fox", "duration": "4s", "generate_audio": False},
    ),
    (
        "image_to_video",
        ("https://example.com/a.png", "a fox"),
        "fal-ai/kling-video/v2.5-turbo/pro/image-to-video",
        {"last_image": "https://example.com/b.png"},
        {
            "image_url": "https://example.com/a.png",
            "tail_image_url": "https://example.com/b.png",
            "prompt": "a fox",
        },
    ),
    (
        "upscale_image",
        ("https://example.com/a.png",),
        "fal-ai/clarity-upscaler",
        {"factor": 2},
        {"image_url": "https://example.com/a.png", "upscale_factor": 2},
    ),
]
ORDER = ({"prompt": "a fox"}, SCHNELL, "text-to-image")


@pytest.mark.parametrize(("verb", "args", "endpoint", "options", "sent"), CASES, ids=[case[0] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, endpoint: str, options: dict[str, Any], sent: dict[str, Any], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, model=f"fal:{endpoint}", **options)
    submit = next(one for one in asked if one.method == "POST")
    assert plain(submit) == ("POST", f"/{endpoint}", {}, sent)
    assert submit.headers["authorization"].startswith("Key ")
    app = "/".join(endpoint.split("/")[:2])
    assert plain(asked[-1])[:2] == ("GET", f"/{app}/requests/{submit.job_id}")
    assert len(made.artifacts) == 1


async def test_a_local_picture_goes_to_the_cdn_first(shop: Shop) -> None:
    asked, _ = await shop.bought("upscale_image", STILL, model="fal:fal-ai/clarity-upscaler", factor=2)
    token, upload, submit = asked[:3]
    assert plain(token) == ("POST", "/storage/auth/token", {"storage_type": "fal-cdn-v3"}, {})
    assert (upload.path, upload.body, upload.headers["content-type"]) == (
        "/files/upload",
        STILL.read_bytes(),
        "image/png",
    )
    assert not upload.key_sent
    assert submit.json["image_url"].endswith(upload.headers["x-fal-file-name"])


async def test_a_large_input_goes_up_in_parts(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fal, "MULTIPART_ABOVE_BYTES", 100)
    monkeypatch.setattr(fal, "PART_BYTES", 40)
    content = bytes(range(101))
    (tmp_path / "in.bin").write_bytes(content)
    url = await shop.engine.upload(shop.backend, Source(str(tmp_path / "in.bin"), "video/mp4"))
    _, begin, *parts, complete = shop.emulator.requests
    assert (begin.method, begin.path, begin.body) == ("POST", "/files/upload/multipart", b"")
    assert [one.body for one in parts] == [content[:40], content[40:80], content[80:]]
    assert [one.path.rpartition("/")[2] for one in parts] == ["1", "2", "3"]
    assert [one["partNumber"] for one in complete.json["parts"]] == [1, 2, 3]
    async with shop.engine.download(shop.backend, url) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == content
    assert not [one for one in shop.emulator.requests[1:-1] if one.key_sent]


def test_parts_are_of_10_mb_and_used_above_100_mb() -> None:
    assert (fal.MULTIPART_ABOVE_BYTES, fal.PART_BYTES) == (104_857_600, 10_485_760)


async def test_the_edge_of_one_piece(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fal, "MULTIPART_ABOVE_BYTES", 100)
    (tmp_path / "in.bin").write_bytes(bytes(100))
    await shop.engine.upload(shop.backend, Source(str(tmp_path / "in.bin")))
    assert [one.path for one in shop.emulator.requests] == ["/storage/auth/token", "/files/upload"]


# ------------------------------------------------------------------------------------------------------------ endings

KINDS = {
    "content_policy_violation": errors.ContentPolicyError,
    "client_cancelled": errors.JobCanceledError,
    "client_disconnected": errors.JobCanceledError,
    "bad_request": errors.InvalidRequestError,
    **dict.fromkeys(MODEL_ERRORS[500] + MODEL_ERRORS[504] + MODEL_ERRORS[400], errors.JobFailedError),
    "no_media_generated": errors.JobFailedError,
}


@pytest.mark.parametrize("code", ERRORS)
async def test_every_error_ends_a_job_as_what_it_means(code: str, shop: Shop) -> None:
    error = await shop.failure(await shop.order(f"failed:{code}"))
    of_model = any(code in codes for codes in MODEL_ERRORS.values())
    # What a request failed with is said by the status already, where everything that is no refusal is a failed job.
    usual = errors.InvalidRequestError if of_model else errors.JobFailedError
    expected = usual if code == "bad_request" else KINDS.get(code, usual)
    assert (type(error), error.code, error.accepted) == (expected, code, True)
    assert callable(PROVIDER.bills_failures)
    server_side = any(code in codes for status, codes in MODEL_ERRORS.items() if status >= 500)
    assert PROVIDER.bills_failures(error) is (False if server_side else None)


@pytest.mark.parametrize(
    ("fault", "outcome", "expected"),
    [
        ("bad_key", "rejected", errors.AuthenticationError),
        ("no_credit", "rejected", errors.QuotaError),
        ("rate_limited", "rejected", errors.RateLimitError),
        ("invalid", "rejected", errors.InvalidRequestError),
        ("moderated_input", "rejected", errors.ContentPolicyError),
        ("not_found", "rejected", errors.InvalidRequestError),
        ("unavailable", "unknown", errors.UnavailableError),
    ],
)
async def test_a_refused_submit(fault: str, outcome: str, expected: type[errors.ProviderError], shop: Shop) -> None:
    await shop.refused(fault, expected, outcome)
    assert not shop.emulator.book


async def test_a_blanked_picture_is_no_picture(shop: Shop) -> None:
    submission = await shop.order("succeeded:nsfw")
    reading = await shop.end(submission)
    assert reading.state is State.SUCCEEDED
    with pytest.raises(errors.ContentPolicyError):
        await shop.engine.result(shop.backend, FLAGGED, submission.handle, reading)
    submission = await shop.order()
    delivery = await shop.engine.result(shop.backend, FLAGGED, submission.handle, await shop.end(submission))
    assert delivery is not None
    assert len(delivery.files) == 1


# ------------------------------------------------------------------------------------------ webhooks and what is free


@pytest.mark.parametrize(
    ("fate", "state"), [("succeeded", State.SUCCEEDED), ("failed", State.FAILED), ("moderated_output", State.FAILED)]
)
async def test_a_delivery_is_believed_if_a_published_key_signed_it(fate: str, state: State, shop: Shop) -> None:
    submission = await shop.order(fate)
    await shop.end(submission)
    response = await shop.engine.ask(
        shop.backend, fal.Call("GET", "/.well-known/jwks.json"), {}, doing="fetching the keys"
    )
    jwks = json.dumps(response).encode()
    delivery = shop.delivery(submission.handle["id"])
    notice = verify(shop.provider, delivery, now=shop.clock.time(), jwks=jwks)
    assert notice.job_id == submission.handle["id"]
    assert notice.reading is not None
    assert notice.reading.state is state
    with pytest.raises(errors.WebhookError):
        verify(shop.provider, delivery, now=shop.clock.time() + 301, jwks=jwks)


async def test_what_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    said = {
        name: await shop.engine.ask(shop.backend, call, {"endpoint": SCHNELL}, doing=name)
        for name, call in PROVIDER.free.items()
    }
    assert set(said) == {"models", "schema", "prices"}
    assert said["prices"]["prices"][0] == {  # type: ignore[index,call-overload]
        "endpoint_id": SCHNELL,
        "unit_price": 0.003,
        "unit": "megapixels",
        "currency": "USD",
    }
    assert [one.path for one in shop.emulator.requests] == [
        "/v1/models/pricing",
        "/v1/models",
        "/v1/models",
        "/v1/models/pricing",
    ]
    assert not shop.emulator.book
