"""Stability: what is sent for each task, what is made of every answer, and both against the vendor's own schema."""

import asyncio
from decimal import Decimal

import pytest

from aggregator import errors
from aggregator.backends import provider_table
from aggregator.contract import Endpoint
from aggregator.testing.emulator import Emulator, LeapingClock
from tests.facts.validate import _facts as facts
from tests.facts.validate import check_bodies
from tests.providers.harness import PNG, Shop, asker, form, wrong

NAME = "stability"
PROVES = {
    "text-to-image": "schema",
    "image-to-image": "schema",
    "image-upscaling": "schema",
    "text-to-music": "schema",
    "text-to-sound": "schema",
}
A_FILE = "a file, image/png"
ACCEPTS = facts("stability")["accepts"]
GENERATE, AUDIO = "/v2beta/stable-image/generate", "/v2beta/audio"
ORDER = ({"prompt": "a fox"}, "generate/core", "text-to-image")


def _fox(**options):
    return lambda project: project.text_to_image("a fox", **options)


def _edit(**options):
    return lambda project: project.image_to_image(PNG, "a fox", **options)


ORDERS = {
    "core": (
        _fox(model="stability:generate/core", aspect_ratio="21:9", negative_prompt="rain", seed=0, format="webp"),
        f"{GENERATE}/core",
        {"prompt": "a fox", "aspect_ratio": "21:9", "negative_prompt": "rain", "seed": "0", "output_format": "webp"},
        ("image/webp", "0.03"),
    ),
    "ultra": (_fox(model="stability:generate/ultra"), f"{GENERATE}/ultra", {"prompt": "a fox"}, ("image/png", "0.08")),
    "sd3": (
        _fox(model="stability:sd3.5-medium", seed=7),
        f"{GENERATE}/sd3",
        {"prompt": "a fox", "model": "sd3.5-medium", "mode": "text-to-image", "seed": "7"},
        ("image/png", "0.035"),
    ),
    "sd3 from an image": (
        _edit(model="stability:sd3.5-large", strength=0.5),
        f"{GENERATE}/sd3",
        {"prompt": "a fox", "image": A_FILE, "model": "sd3.5-large", "mode": "image-to-image", "strength": "0.5"},
        ("image/png", "0.065"),
    ),
    "ultra from an image": (
        _edit(model="stability:generate/ultra", strength=0),
        f"{GENERATE}/ultra",
        {"prompt": "a fox", "image": A_FILE, "strength": "0"},
        ("image/png", "0.08"),
    ),
    "inpaint": (
        _edit(model="stability:edit/inpaint", mask=PNG),
        "/v2beta/stable-image/edit/inpaint",
        {"prompt": "a fox", "image": A_FILE, "mask": A_FILE},
        ("image/png", "0.05"),
    ),
    "structure": (
        _edit(model="stability:control/structure", strength=0.7),
        "/v2beta/stable-image/control/structure",
        {"prompt": "a fox", "image": A_FILE, "control_strength": "0.7"},
        ("image/png", "0.05"),
    ),
    "fast": (
        lambda project: project.upscale_image(PNG, factor=4, format="jpeg", model="stability:upscale/fast"),
        "/v2beta/stable-image/upscale/fast",
        {"image": A_FILE, "output_format": "jpeg"},
        ("image/jpeg", "0.02"),
    ),
    "conservative": (
        lambda project: project.upscale_image(PNG, prompt="fur", seed=3, model="stability:upscale/conservative"),
        "/v2beta/stable-image/upscale/conservative",
        {"image": A_FILE, "prompt": "fur", "seed": "3"},
        ("image/png", "0.40"),
    ),
    "creative": (
        lambda project: project.upscale_image(PNG, prompt="fur", model="stability:upscale/creative"),
        "/v2beta/stable-image/upscale/creative",
        {"image": A_FILE, "prompt": "fur"},
        ("image/png", "0.60"),
    ),
    "audio 2": (
        lambda project: project.text_to_music("a march", duration_s=1, model="stability:stable-audio-2"),
        f"{AUDIO}/stable-audio-2/text-to-audio",
        {"prompt": "a march", "duration": "1", "model": "stable-audio-2", "steps": "50"},
        ("audio/mpeg", "0.20"),
    ),
    "audio 2.5": (
        lambda project: project.text_to_sound("rain", duration_s=1, format="wav", model="stability:stable-audio-2.5"),
        f"{AUDIO}/stable-audio-2/text-to-audio",
        {"prompt": "rain", "duration": "1", "output_format": "wav", "model": "stable-audio-2.5"},
        ("audio/wav", "0.20"),
    ),
    "audio 3": (
        lambda project: project.text_to_music("a march", duration_s=1, seed=9, model="stability:stable-audio-3"),
        f"{AUDIO}/stable-audio/text-to-audio",
        {"prompt": "a march", "duration": "1", "seed": "9", "model": "stable-audio-3"},
        ("audio/mpeg", "0.26"),
    ),
}


@pytest.mark.parametrize("order", ORDERS)
async def test_what_is_sent_and_what_comes_of_it(order: str, shop: Shop) -> None:
    verb, path, body, (mime, usd) = ORDERS[order]
    project = await shop.project()
    result = await verb(project)
    (request,) = shop.ordered()
    assert (request.path, form(request)) == (path, body)
    assert request.headers["authorization"] == f"Bearer {shop.key()}"
    later = "creative" in path or path.endswith("stable-audio/text-to-audio")
    kind = "audio/*" if "audio" in path else "image/*"
    assert request.headers["accept"] == ("application/json" if later else kind)
    looks = [one for one in shop.emulator.requests if one.method == "GET"]
    assert bool(looks) == later
    assert all(one.headers["accept"] in (kind, "*/*") and "/results/" in one.path for one in looks)
    for one in shop.emulator.requests:
        assert all(one.headers["accept"] in may for start, may in ACCEPTS.items() if one.path.startswith(start))
    assert result.artifact.mime_type == mime
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal(usd)


REFUSALS = {
    "bad_key": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "rate_limited": errors.RateLimitError,
    "invalid": errors.InvalidRequestError,
    "invalid_language": errors.InvalidRequestError,
    "moderated_input": errors.ContentPolicyError,
    "not_found": errors.InvalidRequestError,
    "too_large": errors.InvalidRequestError,
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_certain_and_of_its_class(fault: str, shop: Shop) -> None:
    error = await shop.refused(fault, REFUSALS[fault])
    assert error.code == shop.emulator.desk("stability").fault(fault).body["name"]
    assert shop.emulator.book == []


async def test_a_server_error_leaves_it_open_whether_it_was_taken(shop: Shop) -> None:
    await shop.refused("server_error", errors.UnavailableError, "unknown")


@pytest.mark.parametrize("verb", [ORDERS["core"][0], ORDERS["creative"][0], ORDERS["audio 2"][0], ORDERS["audio 3"][0]])
async def test_a_filtered_result_on_http_200_is_no_result_and_free(verb, shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, "moderated_output")
    with pytest.raises(errors.ContentPolicyError) as caught:
        await verb(project)
    assert caught.value.accepted is True
    spend = await project.spend()
    assert spend.settled_usd == spend.held_usd == 0


async def test_the_seed_that_was_used_is_kept(shop: Shop) -> None:
    said = await shop.submit({"prompt": "a fox", "seed": 11}, "generate/core", "text-to-image")
    endpoint = shop.backend.provider.endpoint("text-to-image") or Endpoint()
    delivery = await shop.engine.result(shop.backend, endpoint, said.handle, said.reading)
    assert delivery.facts == {"seed": "11"}


async def test_the_key_is_tried_by_a_call_that_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    assert [one.path for one in shop.emulator.requests] == ["/v1/user/balance"]
    shop.emulator.disturb("stability", shop.emulator.desk("stability").fault("bad_key"), on="GET /v1/user/balance")
    with pytest.raises(errors.AuthenticationError):
        await shop.engine.probe(shop.backend)


def test_what_is_promised() -> None:
    table = provider_table("stability")
    assert table.bills_failures is False
    assert (table.requests_per_second, table.result_ttl_s, table.cancel) == (15.0, 86_400, None)


def test_every_body_is_what_the_vendor_takes() -> None:
    check_bodies("stability", offers=19)


FILE, FOX = ("in.png", PNG, "image/png"), {"prompt": (None, "a fox")}
AT_ONCE = {
    "generate/core": FOX,
    "generate/ultra": FOX,
    "generate/sd3": {**FOX, "model": (None, "sd3.5-medium"), "output_format": (None, "jpeg")},
    "edit/inpaint": {**FOX, "image": FILE, "mask": FILE},
    "control/sketch": {**FOX, "image": FILE},
    "control/structure": {**FOX, "image": FILE, "output_format": (None, "webp")},
    "upscale/fast": {"image": FILE},
    "upscale/conservative": {**FOX, "image": FILE},
}


def _wrong_result(answer, kind: str) -> list[str]:
    """What the vendor's schema has against a result: a file with its headers, or JSON that has it all."""
    if answer.headers["content-type"].startswith("application/json"):
        return wrong("stability", f"{kind} 200", answer.json()) + wrong(
            "stability", f"{kind} 200 headers of JSON", dict(answer.headers)
        )
    return wrong("stability", f"{kind} 200 headers", dict(answer.headers))


def test_every_answer_of_the_emulator_is_what_the_vendor_gives() -> None:
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=("stability",)) as emulator:
        with asker(emulator, "stability", {"authorization": f"Bearer {emulator.keys['stability']}"}) as http:

            def done(submitted, status: int, where: str, accept: str, *, expected: str):
                assert submitted.status_code == status
                assert wrong("stability", expected, submitted.json()) == []
                for _ in range(100):
                    said = http.get(f"{where}/{submitted.json()['id']}", headers={"accept": accept})
                    if said.status_code == 200:
                        return said
                    assert wrong("stability", "GET /v2beta/results/{id} 202", said.json()) == []
                    asyncio.run(clock.sleep(0.01))
                raise AssertionError("it does not end")

            for fate in ("succeeded", "moderated_output"):
                for path, parts in AT_ONCE.items():
                    for accept in ("image/*", "application/json"):
                        emulator.script("stability", fate)
                        made = http.post(f"/v2beta/stable-image/{path}", files=parts, headers={"accept": accept})
                        assert (made.status_code, _wrong_result(made, "image")) == (200, []), path
                emulator.script("stability", fate)
                made = http.post("/v2beta/stable-image/upscale/creative", files={**FOX, "image": FILE})
                expected = "POST /v2beta/stable-image/upscale/creative 200"
                for accept in ("*/*", "application/json"):
                    assert _wrong_result(done(made, 200, "/v2beta/results", accept, expected=expected), "image") == []
            for accept in ("audio/*", "application/json"):
                for model in ("stable-audio-2", "stable-audio-2.5"):
                    parts = {**FOX, "model": (None, model), "duration": (None, "1")}
                    url = "/v2beta/audio/stable-audio-2/text-to-audio"
                    made = http.post(url, files=parts, headers={"accept": accept})
                    assert (made.status_code, _wrong_result(made, "audio")) == (200, [])
                made = http.post("/v2beta/audio/stable-audio/text-to-audio", files={**FOX, "duration": (None, "1")})
                expected = "POST /v2beta/audio/stable-audio/text-to-audio 202"
                said = done(made, 202, "/v2beta/audio/results", accept, expected=expected)
                assert _wrong_result(said, "audio") == []
            gone = http.get(f"/v2beta/results/{'0' * 64}")
            assert (gone.status_code, wrong("stability", "error", gone.json())) == (404, [])
            assert wrong("stability", "GET /v1/user/balance", http.get("/v1/user/balance").json()) == []
        desk = emulator.desk("stability")
        for fault in (*REFUSALS, "server_error", "unavailable"):
            assert wrong("stability", "error", desk.fault(fault).body) == []
        assert wrong("stability", "error 403", desk.fault("moderated_input").body) == []
