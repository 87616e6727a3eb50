"""Black Forest Labs, both directions: what is sent for each task, and what is made of every answer."""

import asyncio
import base64
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator._wire import capture
from aggregator.contract import Call, State
from aggregator.errors import WebhookError
from aggregator.inputs import Media
from aggregator.providers.bfl import PROVIDER
from aggregator.tasks import ImageToImage, Reference, TextToImage
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, asker, asking, price, wrong

PROVES = {"text-to-image": "schema", "image-to-image": "schema"}
NAME = "bfl"
URL = "https://example.com/a.png"
FOX = {"prompt": "a fox"}
BYTES = base64.b64encode(STILL.read_bytes()).decode()
ORDER = (FOX, "flux-2-pro", "text-to-image")


def test_bodies() -> None:
    check_bodies(NAME, offers=19)


SENT: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_image",
        ("a fox",),
        {"model": "bfl:flux-2-pro", "size": (1024, 768), "seed": 0, "format": "png"},
        "flux-2-pro",
        {"prompt": "a fox", "width": 1024, "height": 768, "seed": 0, "output_format": "png"},
    ),
    (
        "text_to_image",
        ("a fox",),
        {"model": "bfl:flux-2-flex", "references": [Reference(image=URL), Reference(image=URL + "?2", role="style")]},
        "flux-2-flex",
        {"prompt": "a fox", "input_image": URL, "input_image_2": URL + "?2"},
    ),
    (
        "image_to_image",
        (URL, "in blue"),
        {"model": "bfl:flux-2-klein-9b", "references": [Reference(image=URL + "?2")]},
        "flux-2-klein-9b",
        {"prompt": "in blue", "input_image": URL, "input_image_2": URL + "?2"},
    ),
    (
        "image_to_image",
        (STILL, "in blue"),
        {"model": "bfl:flux-kontext-max", "aspect_ratio": "21:9"},
        "flux-kontext-max",
        {"prompt": "in blue", "input_image": BYTES, "aspect_ratio": "21:9"},
    ),
    (
        "image_to_image",
        (STILL, "a hat"),
        {"model": "bfl:flux-pro-1.0-fill", "mask": STILL},
        "flux-pro-1.0-fill",
        {"prompt": "a hat", "image": BYTES, "mask": BYTES},
    ),
    (
        "image_to_image",
        (STILL, "a field"),
        {"model": "bfl:flux-pro-1.0-expand", "provider_options": {"bfl": {"left": 256}}},
        "flux-pro-1.0-expand",
        {"prompt": "a field", "image": BYTES, "left": 256},
    ),
    (
        "text_to_image",
        ("a fox",),
        {"model": "bfl:flux-pro-1.1-ultra", "aspect_ratio": "9:21"},
        "flux-pro-1.1-ultra",
        {"prompt": "a fox", "aspect_ratio": "9:21"},
    ),
]


@pytest.mark.parametrize(("verb", "given", "options", "path", "body"), SENT)
async def test_what_is_sent(verb, given, options, path, body, shop: Shop) -> None:
    sent, made = await shop.bought(verb, *given, **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", f"/v1/{path}", {})
    assert sent[0].json == body
    assert sent[0].headers["x-key"].startswith("bfl_")
    assert "authorization" not in sent[0].headers
    looks = {(one.method, one.path, one.query["id"]) for one in sent[1:]}
    assert looks == {("GET", "/v1/get_result", sent[0].job_id)}
    assert made.artifact.path.stat().st_size > 0
    assert made.cost.source == "reported"


async def test_the_key_goes_where_the_answer_says_only_below_the_vendors_own_name(shop: Shop) -> None:
    bill = await shop.order()
    for address in ("https://bfl.ai.evil.example/v1/get_result?id=1", "http://api.us1.bfl.ai/v1/get_result?id=1"):
        with pytest.raises(errors.ResponseFormatError, match="not one of its own"):
            await shop.engine.poll(shop.backend, {**bill.handle, "polling_url": address})


def test_an_order_that_is_called_back_is_asked_for_by_its_id() -> None:
    assert isinstance(PROVIDER.submit, Call)
    wanted = PROVIDER.submit.capture
    assert capture(PROVIDER, wanted, {"id": "7", "status": "Pending", "webhook_url": "https://x.example"}) == {
        "id": "7",
        "polling_url": "/v1/get_result?id=7",
    }
    us = "https://api.us1.bfl.ai/v1/get_result?id=7"
    assert capture(PROVIDER, wanted, {"id": "7", "polling_url": us})["polling_url"] == us


# ------------------------------------------------------------------------------------------------------------ answers


WORDS = {
    "Pending": (State.RUNNING, None),
    "Request Moderated": (State.FAILED, errors.ContentPolicyError),
    "Content Moderated": (State.FAILED, errors.ContentPolicyError),
    "Error": (State.FAILED, errors.JobFailedError),
    "Failed": (State.FAILED, errors.JobFailedError),
    "Task not found": (State.FAILED, errors.JobFailedError),
}


@pytest.mark.parametrize(("word", "expected"), WORDS.items())
async def test_every_status_word(word, expected, shop: Shop) -> None:
    reading = await shop.look("GET /v1/get_result", {"id": "x", "status": word, "result": None})
    assert (reading.state, reading.error and type(reading.error)) == expected


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /v1/get_result", {"id": "x", "status": "ready", "result": {"sample": URL}})


@pytest.mark.parametrize(
    ("fate", "expected", "code"),
    [
        ("moderated_output", errors.ContentPolicyError, "Content Moderated"),
        ("moderated_output:Request Moderated", errors.ContentPolicyError, "Request Moderated"),
        ("failed:content_policy_violation", errors.ContentPolicyError, "content_policy_violation"),
        ("failed:generation_timeout", errors.JobFailedError, "generation_timeout"),
        ("failed:internal_error", errors.JobFailedError, "internal_error"),
        ("failed:invalid_image", errors.JobFailedError, "invalid_image"),
        ("failed:something_new", errors.JobFailedError, "Error"),
    ],
)
async def test_every_failure(fate, expected, code, shop: Shop) -> None:
    assert (await shop.fails(fate, expected)).code == code


FAULTS = {
    "bad_key": (errors.AuthenticationError, "rejected"),
    "no_credit": (errors.QuotaError, "rejected"),
    "rate_limited": (errors.RateLimitError, "rejected"),
    "invalid": (errors.InvalidRequestError, "rejected"),
    "bad_request": (errors.InvalidRequestError, "rejected"),
    "not_found": (errors.InvalidRequestError, "rejected"),
    "unavailable": (errors.UnavailableError, "unknown"),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
async def test_every_refusal(fault, expected, shop: Shop) -> None:
    await shop.refused(fault, *expected)


async def test_after_an_internal_error_nobody_knows(shop: Shop) -> None:
    bill = await shop.order("server_error")
    assert (bill.outcome, bill.error.accepted) == ("unknown", None)


async def test_what_it_costs_is_said_at_once_and_the_seed_at_the_end(shop: Shop) -> None:
    bill = await shop.submit({**FOX, "seed": 7, "width": 1440, "height": 1024}, "flux-2-pro", "text-to-image")
    made = await shop.result(bill)
    assert made.facts == {"seed": 7}
    entry = shop.emulator.book[0]
    assert float(made.charged_usd) == pytest.approx(float(entry.usd))


async def test_a_delivery_is_its_own_by_its_signature(shop: Shop) -> None:
    order = {**FOX, "webhook_url": "http://127.0.0.1:9/hook", "webhook_secret": "s3cret"}
    bill = await shop.submit(order, "flux-2-pro", "text-to-image")
    await shop.clock.sleep(1)
    said = shop.delivery(bill.handle["id"])
    notice = verify(shop.provider, said, secrets=["s3cret"], now=shop.clock.time())
    assert (notice.job_id, notice.reading and notice.reading.state) == (bill.handle["id"], State.SUCCEEDED)
    with pytest.raises(WebhookError):
        verify(shop.provider, said, secrets=["another"], now=shop.clock.time())


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        emulator.script(NAME, "succeeded", "failed", "moderated_output")
        seen = set()
        with asker(emulator, NAME, {"x-key": emulator.keys[NAME]}) as http:
            for _ in range(3):
                made = http.post("/v1/flux-2-pro", json=FOX).json()
                assert wrong(NAME, "POST /v1/flux-2-pro", made) == []
                for _ in range(12):
                    said = http.get(made["polling_url"]).json()
                    assert wrong(NAME, "GET /v1/get_result", said) == []
                    seen.add(said["status"])
                    asyncio.run(clock.sleep(0.005))
            hooked = http.post("/v1/flux-2-pro", json={**FOX, "webhook_url": "http://127.0.0.1:9/"}).json()
            assert wrong(NAME, "POST /v1/flux-2-pro", hooked) == []
            assert wrong(NAME, "GET /v1/credits", http.get("/v1/credits").json()) == []
            refused = http.post("/v1/flux-2-pro", json={**FOX, "width": 100})
            assert (refused.status_code, wrong(NAME, "POST /v1/flux-2-pro 422", refused.json())) == (422, [])
    assert seen == {"Pending", "Ready", "Error", "Content Moderated"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flux-pro-1.1", FOX),
        ("flux-dev", FOX),
        ("flux-pro-1.1-ultra", FOX),
        ("flux-pro-1.0-fill", {**FOX, "image": BYTES}),
        ("flux-pro-1.0-expand", {**FOX, "image": BYTES, "left": 64}),
        ("flux-kontext-pro", {**FOX, "input_image": URL}),
        ("flux-kontext-max", {**FOX, "input_image": URL}),
        ("flux-2-max", {**FOX, "input_image": BYTES}),
        ("flux-2-klein-9b", FOX),
        ("flux-2-klein-4b", FOX),
        ("flux-2-flex", FOX),
    ],
)
def test_the_emulator_answers_so_for_every_model(path, body) -> None:
    with (
        Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator,
        asker(emulator, NAME, {"x-key": emulator.keys[NAME]}) as http,
    ):
        made = http.post(f"/v1/{path}", json=body).json()
        assert wrong(NAME, f"POST /v1/{path}", made) == []
        asyncio.run(clock.sleep(1))
        said = http.get(made["polling_url"]).json()
        assert (said["status"], wrong(NAME, "GET /v1/get_result", said)) == ("Ready", [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flux-2-pro", {}),
        ("flux-2-pro", {**FOX, "width": 4096, "height": 4096}),
        ("flux-2-pro", {**FOX, "input_image": "neither"}),
        ("flux-pro-1.1", {**FOX, "width": 1000}),
        ("flux-pro-1.0-fill", {**FOX, "image": URL}),
        ("flux-2-pro", {**FOX, "output_format": "gif"}),
    ],
)
def test_the_emulator_refuses_what_the_vendor_refuses(path, body) -> None:
    with asking(NAME, {"x-key": "{key}"}) as (http, _):
        assert http.post(f"/v1/{path}", json=body).status_code == 422


SENT_IN = Media(url=URL, width=1024, height=1024)


@pytest.mark.parametrize(
    ("endpoint", "request_", "low", "high"),
    [
        ("flux-2-pro", TextToImage(prompt="x", size=(1024, 1024)), "0.03", "0.045"),
        ("flux-2-pro", TextToImage(prompt="x"), "0.03", "0.075"),
        ("flux-2-max", TextToImage(prompt="x", size=(512, 512)), "0.07", "0.07"),
        ("flux-2-pro", ImageToImage(image=SENT_IN, prompt="x", size=(512, 512)), "0.045", "0.06"),
        ("flux-2-pro", ImageToImage(image=URL, prompt="x"), None, None),
        ("flux-kontext-pro", ImageToImage(image=URL, prompt="x"), "0.04", "0.04"),
        ("flux-dev", TextToImage(prompt="x"), "0.025", "0.025"),
    ],
)
def test_prices(endpoint, request_, low, high) -> None:
    found = price(NAME, endpoint, request_)
    assert found == tuple(None if amount is None else Decimal(amount) for amount in (low, high))
