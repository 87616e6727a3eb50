"""Recraft: what is sent for each task, what is made of every answer, and both against the vendor's own schema."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator import errors
from aggregator.backends import provider_table
from aggregator.testing.emulator import Answer
from tests.facts.validate import check_bodies, problems
from tests.providers.harness import PNG, Shop, shortened

NAME = "recraft"
PROVES = {"text-to-image": "schema", "image-to-image": "schema", "image-upscaling": "schema"}
FACTS = json.loads((Path(__file__).parents[2] / "facts" / "recraft.json").read_text())
URI = "data:image/png;base64,…"

ORDERS = {
    "by size": (
        lambda project: project.text_to_image(
            "a fox", size=(1820, 1024), negative_prompt="rain", seed=0, format="png", model="recraft:recraftv3"
        ),
        "generations",
        {
            "model": "recraftv3",
            "n": 1,
            "prompt": "a fox",
            "size": "1820x1024",
            "negative_prompt": "rain",
            "random_seed": 0,
            "image_format": "png",
        },
        ("image/png", "0.04"),
    ),
    "by ratio": (
        lambda project: project.text_to_image("a fox", aspect_ratio="16:9", model="recraft:recraftv4_1_pro"),
        "generations",
        {"model": "recraftv4_1_pro", "n": 1, "prompt": "a fox", "size": "16:9"},
        ("image/webp", "0.21"),
    ),
    "with a style": (
        lambda project: project.text_to_image(
            "a fox", model="recraft:recraftv3", provider_options={"recraft": {"style": "digital_illustration"}}
        ),
        "generations",
        {"model": "recraftv3", "n": 1, "prompt": "a fox", "style": "digital_illustration"},
        ("image/webp", "0.04"),
    ),
    "from an image": (
        lambda project: project.image_to_image(PNG, "a fox", strength=0.25, model="recraft:recraftv3"),
        "imageToImage",
        {"model": "recraftv3", "n": 1, "prompt": "a fox", "image_url": URI, "strength": 0.25},
        ("image/webp", "0.04"),
    ),
    "from an address": (
        lambda project: project.image_to_image(
            "https://example.com/fox.png", "a fox", strength=1, model="recraft:recraftv3"
        ),
        "imageToImage",
        {"model": "recraftv3", "n": 1, "prompt": "a fox", "image_url": "https://example.com/fox.png", "strength": 1},
        ("image/webp", "0.04"),
    ),
    "inpaint": (
        lambda project: project.image_to_image(PNG, "a fox", mask=PNG, max_usd="0.10", model="recraft:images/inpaint"),
        "inpaint",
        {"model": "recraftv3", "n": 1, "prompt": "a fox", "image_url": URI, "mask_url": URI},
        ("image/webp", "0.04"),
    ),
    "crisp": (
        lambda project: project.upscale_image(PNG, model="recraft:images/crispUpscale"),
        "crispUpscale",
        {"image_url": URI},
        ("image/webp", "0.004"),
    ),
    "creative": (
        lambda project: project.upscale_image(PNG, format="png", model="recraft:images/creativeUpscale"),
        "creativeUpscale",
        {"image_url": URI, "image_format": "png"},
        ("image/png", "0.25"),
    ),
}
ORDER = ({"prompt": "a fox"}, "recraftv3", "text-to-image")


def _without_inputs(body):
    return {name: URI if str(value).startswith("data:image/png;base64,") else value for name, value in body.items()}


@pytest.mark.parametrize("order", ORDERS)
async def test_what_is_sent_and_what_comes_of_it(order: str, shop: Shop) -> None:
    verb, path, body, (mime, usd) = ORDERS[order]
    project = await shop.project()
    result = await verb(project)
    (request,) = shop.ordered()
    assert (request.path, _without_inputs(request.json)) == (f"/v1/images/{path}", body)
    assert request.headers["authorization"] == f"Bearer {shop.emulator.keys['recraft']}"
    assert result.artifact.mime_type == mime
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal(usd)
    assert result.cost.source == "reported"


REFUSALS = {
    "bad_key": errors.AuthenticationError,
    "not_found": errors.InvalidRequestError,
    "no_credit": errors.QuotaError,
    "invalid": errors.InvalidRequestError,
    "rate_limited": errors.RateLimitError,
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_certain_and_of_its_class(fault: str, shop: Shop) -> None:
    error = await shop.refused(fault, REFUSALS[fault])
    words = shop.emulator.desk("recraft").fault(fault).body
    assert (words if isinstance(words, str) else words["message"]) in str(error)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_leaves_it_open_whether_it_was_taken(status: int, shop: Shop) -> None:
    await shop.refused(Answer(status, "no"), errors.UnavailableError, "unknown")


@pytest.mark.parametrize("body", [{"created": 1, "credits": 40, "data": []}, {"created": 1, "credits": 40}])
async def test_an_answer_without_a_picture_is_no_success(body: dict, shop: Shop) -> None:
    said = await shop.order(Answer(200, body))
    endpoint = shop.backend.provider.endpoint("text-to-image")
    with pytest.raises(errors.ResponseFormatError):
        await shop.engine.result(shop.backend, endpoint, said.handle, said.reading)


async def test_the_key_is_tried_by_a_call_that_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    assert [one.path for one in shop.emulator.requests] == ["/v1/users/me"]


def test_what_is_promised() -> None:
    table = provider_table("recraft")
    assert (table.poll, table.cancel, table.webhook) == (None, None, None)
    assert (table.charge.path, table.charge.usd) == ("credits", "0.001")


def test_every_body_is_what_the_vendor_takes() -> None:
    check_bodies("recraft", offers=12)


async def test_every_answer_of_the_emulator_is_what_the_vendor_gives(shop: Shop) -> None:
    calls = {
        ("POST", "images/generations"): ({"prompt": "a fox"}, "GenerateImageResponse"),
        ("POST", "images/imageToImage"): ({"prompt": "a", "image_url": "x", "strength": 1}, "GenerateImageResponse"),
        ("POST", "images/inpaint"): ({"prompt": "a", "image_url": "x", "mask_url": "y"}, "GenerateImageResponse"),
        ("POST", "images/crispUpscale"): ({"image_url": "x"}, "ProcessImageResponse"),
        ("GET", "users/me"): (None, "User"),
        ("GET", "models"): (None, "ListModelsResponse"),
    }
    from aggregator.contract import HttpRequest

    for (method, path), (body, schema) in calls.items():
        key = {"authorization": f"Bearer {shop.emulator.keys['recraft']}"}
        for form in ({}, {"response_format": "b64_json"}) if body else ({},):
            sent = None if body is None else {**body, **form}
            url = f"{shop.backend.provider.base_url}/{path}"
            request = HttpRequest(method, url, key, json=sent, own_host=shop.backend.own_host)
            answer = await shop.engine._transport.send(request)
            assert answer.status == 200
            assert problems(FACTS["answers"][schema], json.loads(answer.body)) == [], shortened(path)
