"""Topaz for pictures, both directions: what is sent, and what is made of every answer."""

import asyncio
from decimal import Decimal

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.errors import RequestError
from aggregator.providers.topaz import PROVIDER, _picture
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, Shop, asker, wrong

PROVES = {"image-upscaling": "schema"}
"""But of three models that the schema does not list."""
NAME = "topaz"
URL = "https://example.com/a.png"
PICTURE = {"@path": {"group": "enhance"}, "model": "Standard V2", "source_url": URL}
ORDER = (PICTURE, "standard-v2", "image-upscaling")


def test_bodies() -> None:
    check_bodies(NAME, offers=5)


def texts(sent) -> dict[str, str]:
    return {name: parts[0].text for name, parts in sent.form.items() if parts[0].filename is None}


@pytest.mark.parametrize(
    ("model", "options", "group", "said"),
    [
        ("standard-v2", {"factor": 2}, "enhance", {"model": "Standard V2"}),
        ("high-fidelity-v2", {"factor": 1.5, "format": "png"}, "enhance", {"output_format": "png"}),
        ("redefine", {"factor": 2, "prompt": "sharper", "seed": 7}, "enhance-gen", {"prompt": "sharper", "seed": "7"}),
        ("wonder-3.5", {"factor": 4}, "enhance-gen", {"model": "Wonder 3.5"}),
    ],
)
async def test_what_is_sent_of_a_local_picture(model, options, group, said, shop: Shop) -> None:
    sent, made = await shop.bought("upscale_image", STILL, model=f"topaz:{model}", **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", f"/image/v1/{group}/async", {})
    assert sent[0].headers["x-api-key"]
    assert sent[0].form["image"][0].content == STILL.read_bytes()
    assert sent[0].form["image"][0].filename.endswith(".png")
    form = texts(sent[0])
    assert form.items() >= said.items()
    assert (form["output_width"], form["output_height"]) == tuple(str(round(e * options["factor"])) for e in (192, 108))
    job = sent[0].job_id
    assert [(one.method, one.path) for one in sent[-2:]] == [
        ("GET", f"/image/v1/status/{job}"),
        ("GET", f"/image/v1/download/{job}"),
    ]
    assert (made.cost.amount_usd, made.cost.source) == (Decimal("0.08"), "reported")


async def test_an_address_goes_as_one(shop: Shop) -> None:
    sent, _ = await shop.bought("upscale_image", URL, model="topaz:standard-v2")
    assert texts(sent[0]) == {"model": "Standard V2", "source_url": URL}


def test_a_factor_needs_a_picture_whose_size_is_known() -> None:
    known = {"image": "<sha256:1>", "factor": 2, "@media": {"image": {"width": 100, "height": 51}}}
    assert _picture(known) == {"image": "<sha256:1>", "output_width": 200, "output_height": 102}
    assert _picture({}) == {}
    with pytest.raises(RequestError, match="size can be probed"):
        _picture({"image": URL, "factor": 2, "@media": {"image": {}}})


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Pending", State.QUEUED),
        ("Processing", State.RUNNING),
        ("Completed", State.SUCCEEDED),
        ("Failed", State.FAILED),
        ("Cancelled", State.CANCELED),
    ],
)
async def test_every_status_word(word, state, shop: Shop) -> None:
    reading = await shop.look("GET /image/v1/status/*", {"status": word, "progress": 40, "credits": 2})
    assert (reading.state, reading.progress) == (state, 0.4)
    assert reading.charged_usd == (Decimal("0.16") if state.is_terminal else None)


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look("GET /image/v1/status/*", {"status": "completed", "credits": 2})


FAULTS = {
    "bad_key": (errors.AuthenticationError, "rejected"),
    "no_credit": (errors.QuotaError, "rejected"),
    "forbidden": (errors.AuthenticationError, "rejected"),
    "not_found": (errors.InvalidRequestError, "rejected"),
    "no_subscription": (errors.AuthenticationError, "rejected"),
    "too_large": (errors.InvalidRequestError, "rejected"),
    "bad_type": (errors.InvalidRequestError, "rejected"),
    "invalid": (errors.InvalidRequestError, "rejected"),
    "unprocessable": (errors.InvalidRequestError, "rejected"),
    "rate_limited": (errors.RateLimitError, "rejected"),
    "server_error": (errors.UnavailableError, "unknown"),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
async def test_every_refusal(fault, expected, shop: Shop) -> None:
    await shop.refused(fault, *expected)


async def test_too_early_is_a_matter_of_waiting(shop: Shop) -> None:
    bill = await shop.order("too_early")
    assert type(bill.error) is errors.RateLimitError


async def test_a_failed_job_costs_what_the_status_says(shop: Shop) -> None:
    reading = await shop.end(await shop.order("failed"))
    assert (type(reading.error), reading.charged_usd) == (errors.JobFailedError, 0)


async def test_a_job_can_be_canceled(shop: Shop) -> None:
    bill = await shop.order()
    await shop.is_canceled(bill)
    await shop.engine.probe(shop.backend)


async def test_a_delivery_names_the_job_and_proves_nothing(shop: Shop) -> None:
    bill = await shop.order()
    notice = verify(shop.provider, shop.delivery(bill.handle["id"]), now=shop.clock.time())
    assert (notice.job_id, notice.reading) == (bill.handle["id"], None)
    assert PROVIDER.webhook is not None
    assert PROVIDER.webhook.algorithm == "none"


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        emulator.script(NAME, "succeeded", "failed", "canceled")
        seen = set()
        with asker(emulator, NAME, {"x-api-key": emulator.keys[NAME]}) as http:
            for _ in range(3):
                parts = {"model": (None, "Redefine"), "source_url": (None, URL)}
                made = http.post("/image/v1/enhance-gen/async", files=parts).json()
                assert wrong(NAME, "POST /image/v1/enhance/async", made) == []
                for _ in range(12):
                    said = http.get(f"/image/v1/status/{made['process_id']}").json()
                    assert wrong(NAME, "GET /image/v1/status/{process_id}", said) == []
                    seen.add(said["status"])
                    asyncio.run(clock.sleep(0.005))
                got = http.get(f"/image/v1/download/{made['process_id']}")
                what = "GET /image/v1/download/{process_id}" + ("" if got.status_code == 200 else " 409")
                assert wrong(NAME, what, got.json()) == []
            asked = {"input_width": 4000, "input_height": 3000}
            assert wrong(NAME, "POST /image/v1/estimate", http.post("/image/v1/estimate", json=asked).json()) == []
            for model, group in (("Redefine", "enhance"), ("Nobody", "enhance-gen"), ("Standard V2", "matting")):
                refused = http.post(
                    f"/image/v1/{group}/async", files={"model": (None, model), "source_url": (None, URL)}
                )
                assert refused.status_code == 400
            assert http.post("/image/v1/enhance/async", files={"model": (None, "Standard V2")}).status_code == 400
        desk = emulator.desk(NAME)
        for fault in FAULTS:
            assert wrong(NAME, "POST /image/v1/enhance/async 400", desk.fault(fault).body) == []
    assert seen == {"Pending", "Processing", "Completed", "Failed", "Cancelled"}
