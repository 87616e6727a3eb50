"""Ideogram: what is sent for each task, what is made of every answer, and both against the vendor's own schema.

The schema is older than model 4.6, of which only what every model takes is sent.
"""

import asyncio
import hashlib
import json
from decimal import Decimal

import pytest

from aggregator import errors
from aggregator._wire import read_status
from aggregator.backends import provider_table
from aggregator.contract import State, WebhookRequest
from aggregator.errors import WebhookError
from aggregator.signing import ed25519_jwks, ed25519_public
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.emulator.services.ideogram import SERVICE, USD
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import PNG, Shop, asker, form, wrong

NAME = "ideogram"
PROVES = {"text-to-image": "schema", "image-to-image": "schema", "image-upscaling": "schema"}
A_FILE = "a file, image/png"
ORDER = ({"prompt": "a fox"}, "generate/ideogram-4", "text-to-image")


def _fox(model: str, **options):
    return lambda project: project.text_to_image("a fox", model=f"ideogram:generate/{model}", **options)


ORDERS = {
    "4.5": (
        _fox("ideogram-4-5", size=(1280, 800), seed=0),
        "generate/ideogram-4-5",
        {"prompt": "a fox", "size": "1280x800", "seed": "0", "quality": "high"},
        "0.10",
    ),
    "4": (
        _fox("ideogram-4", size=(2048, 2048)),
        "generate/ideogram-4",
        {"prompt": "a fox", "resolution": "2048x2048", "rendering_speed": "default"},
        "0.06",
    ),
    "3": (
        _fox("ideogram-3", aspect_ratio="16:9", negative_prompt="rain"),
        "generate/ideogram-3",
        {"prompt": "a fox", "aspect_ratio": "16x9", "negative_prompt": "rain", "rendering_speed": "default"},
        "0.06",
    ),
    "2a": (_fox("ideogram-2a"), "generate/ideogram-2a", {"prompt": "a fox"}, "0.04"),
    "p-image": (
        _fox("p-image-ideogram", size=(640, 480)),
        "generate/p-image-ideogram",
        {"prompt": "a fox", "custom_width": "640", "custom_height": "480", "quality": "medium"},
        "0.01",
    ),
    "references": (
        lambda project: project.text_to_image(
            "a fox", references=[_style(), _style()], model="ideogram:generate/ideogram-3"
        ),
        "generate/ideogram-3",
        {"prompt": "a fox", "style_reference_images": [A_FILE, A_FILE], "rendering_speed": "default"},
        "0.06",
    ),
    "precise edit": (
        lambda project: project.image_to_image(
            PNG, "a fox", references=[_style()], model="ideogram:precise-edit/ideogram-4-5"
        ),
        "precise-edit/ideogram-4-5",
        {"prompt": "a fox", "image": A_FILE, "reference_images": A_FILE, "quality": "medium"},
        "0.06",
    ),
    "remix": (
        lambda project: project.image_to_image(PNG, "a fox", model="ideogram:remix/ideogram-4", max_usd="0.20"),
        "remix/ideogram-4",
        {"prompt": "a fox", "image": A_FILE},
        None,
    ),
    "upscale": (
        lambda project: project.upscale_image(PNG, factor=4, model="ideogram:upscale/topaz-bloom-2", max_usd="1"),
        "upscale/topaz-bloom-2",
        {"image": A_FILE, "upscale_factor": "x4"},
        "0.377",
    ),
}


def _style():
    from aggregator.tasks import Reference

    return Reference(image=PNG, role="style")


@pytest.mark.parametrize("order", ORDERS)
async def test_what_is_sent_and_what_comes_of_it(order: str, shop: Shop) -> None:
    verb, path, body, usd = ORDERS[order]
    project = await shop.project()
    result = await verb(project)
    (request,) = shop.ordered()
    assert (request.path, form(request)) == (f"/v2/image/{path}", {**body, "async": "true"})
    assert request.headers["api-key"] == shop.key()
    looks = [one.path for one in shop.emulator.requests if one.method == "GET"]
    assert set(looks) == {f"/v2/generations/{request.job_id}"}
    assert result.artifact.mime_type == "image/png"
    if usd is not None:
        assert result.cost.amount_usd == shop.emulator.book.usd == Decimal(usd)
        assert result.cost.source == "reported"


REFUSALS = {
    "bad_key": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "insufficient_funds": errors.QuotaError,
    "subscription_required": errors.QuotaError,
    "daily_limit": errors.QuotaError,
    "priority_credit_required": errors.QuotaError,
    "feature_limit": errors.QuotaError,
    "rate_limited": errors.RateLimitError,
    "invalid": errors.InvalidRequestError,
    "moderated_input": errors.ContentPolicyError,
    "not_found": errors.InvalidRequestError,
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_certain_and_of_its_class(fault: str, shop: Shop) -> None:
    error = await shop.refused(fault, REFUSALS[fault])
    assert error.retry_after_s == (1.0 if fault == "rate_limited" else None)


@pytest.mark.parametrize("fault", ["server_error", "unavailable"])
async def test_a_server_error_leaves_it_open_whether_it_was_taken(fault: str, shop: Shop) -> None:
    await shop.refused(fault, errors.UnavailableError, "unknown")


@pytest.mark.parametrize(
    ("fate", "error"),
    [("moderated_output", errors.ContentPolicyError), ("failed:out of luck", errors.JobFailedError)],
)
async def test_a_bad_end(fate: str, error: type[Exception], shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, fate)
    with pytest.raises(error) as caught:
        await ORDERS["4"][0](project)
    assert caught.value.accepted is True
    assert ("out of luck" in str(caught.value)) == (error is errors.JobFailedError)


def test_each_word() -> None:
    table = provider_table("ideogram")
    found = {word: read_status(table, {"status": word}).state for word in ("pending", "completed", "failed")}
    assert found == {"pending": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED}
    with pytest.raises(errors.ResponseFormatError):
        read_status(table, {"status": "paused"})


async def test_one_picture_of_two_that_is_not_safe_is_left_out(shop: Shop) -> None:
    table = provider_table("ideogram")
    two = [{"url": "https://ideogram.ai/a.png", "is_image_safe": True}, {"url": None, "is_image_safe": False}]
    body = {"status": "completed", "data": two, "usage_cost_usd_micros": 60_000}
    endpoint = table.endpoint("text-to-image")
    delivery = await shop.engine.result(shop.backend, endpoint, {"id": "x"}, read_status(table, body))
    assert [file.url for file in delivery.files] == ["https://ideogram.ai/a.png"]
    assert delivery.charged_usd == Decimal("0.06")


async def test_a_delivery_is_believed_if_its_key_is_published(shop: Shop) -> None:
    said = await shop.submit({"prompt": "a fox", "async": True}, "generate/ideogram-4", "text-to-image")
    desk = shop.emulator.desk("ideogram")
    job = desk.jobs[said.handle["id"]]
    job.finish()
    sent = SERVICE.hook(job, "https://example.com/hook", desk.world)
    delivery = WebhookRequest("POST", "/hook", "", dict(sent.headers), sent.body)
    keys = ed25519_jwks({"k": ed25519_public(hashlib.sha256(desk.world.secret.encode()).digest())})
    now = desk.world.now
    notice = verify(provider_table("ideogram"), delivery, now=now, jwks=keys)
    assert (notice.job_id, notice.reading) == (job.id, None)
    forged = WebhookRequest("POST", "/hook", "", dict(sent.headers), sent.body.replace(b"fox", b"dog"))
    for bad, at in ((forged, now), (delivery, now + 3600)):
        with pytest.raises(WebhookError):
            verify(provider_table("ideogram"), bad, now=at, jwks=keys)
    assert json.loads(keys)["keys"]


async def test_the_key_is_tried_by_a_call_that_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    assert [one.path for one in shop.emulator.requests] == ["/v2/account/api-keys"]


def test_what_is_promised() -> None:
    table = provider_table("ideogram")
    assert (table.concurrency, table.cancel) == (10, None)
    for task in table.tasks.values():
        assert "mask" not in task.fields  # black is what changes there, white is with us


def test_every_body_is_what_the_vendor_takes() -> None:
    check_bodies("ideogram", offers=13)


def _expected(path: str) -> str:
    """The schema of the answer to an order."""
    tool = path.partition("/")[0]
    own = f"POST /v2/image/{path}" if path.endswith("ideogram-4-5") else "POST /v2/image/{tool}/{model}"
    return "POST /v2/image/upscale/{model}" if tool == "upscale" else own


@pytest.mark.parametrize("fate", ["succeeded", "moderated_output", "failed:out of luck"])
@pytest.mark.parametrize("path", USD)
def test_every_answer_of_the_emulator_is_what_the_vendor_gives(path: str, fate: str) -> None:
    parts = {"prompt": (None, "a fox"), "image": ("in.png", PNG, "image/png"), "seed": (None, "7")}
    with (
        Emulator(seed=1, clock=(clock := LeapingClock()), only=("ideogram",)) as emulator,
        asker(emulator, "ideogram", {"api-key": emulator.keys["ideogram"]}) as http,
    ):
        priced = http.post(f"/v2/image/{path}?dry_run=true", files=parts).json()
        assert wrong("ideogram", "POST /v2/image/{tool}/{model}?dry_run=true", priced) == []
        if not fate.startswith("failed"):
            emulator.script("ideogram", fate)
            made = http.post(f"/v2/image/{path}", files=parts).json()
            assert wrong("ideogram", _expected(path), made) == []
            assert len(made["data"]) == 1
        emulator.script("ideogram", fate)
        made = http.post(f"/v2/image/{path}", files={**parts, "async": (None, "true")}).json()
        assert wrong("ideogram", _expected(path), made) == []
        assert "data" not in made
        seen = []
        while "pending" in seen[-1:] or not seen:
            said = http.get(f"/v2/generations/{made['generation_id']}").json()
            assert wrong("ideogram", "GET /v2/generations/{generation_id}", said) == []
            seen.append(said["status"])
            asyncio.run(clock.sleep(0.01))
    assert (seen[0], seen[-1]) == ("pending", "failed" if fate.startswith("failed") else "completed")


def test_what_else_the_emulator_says_is_what_the_vendor_says() -> None:
    with Emulator(seed=1, only=("ideogram",)) as emulator:
        with asker(emulator, "ideogram", {"api-key": emulator.keys["ideogram"]}) as http:
            for path in ("/v2/account/usage", "/v2/account/api-keys", "/v1/.well-known/jwks.json"):
                assert wrong("ideogram", f"GET {path}", http.get(path).json()) == []
        desk = emulator.desk("ideogram")
        for fault in REFUSALS:
            answer = desk.fault(fault)
            schema = "GenerationErrorResponse" if answer.status in (402, 429) else "ImageSafetyError"
            assert wrong("ideogram", schema, answer.body) == []
