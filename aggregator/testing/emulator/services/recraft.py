"""Recraft as it answers: synchronous image calls in the form of OpenAI's, with what was charged (vendor OpenAPI 0.0.1
in tryAGI/Recraft@fa2b735; recraft.ai/docs/api-reference, read 2026-11-21).

Errors are plain text, as the documentation shows them. Where it is silent the words are ours.
"""

import base64
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order, uuid

USD = {
    "recraftv2": "0.022",
    "recraftv3": "0.04",
    "recraftv4": "0.04",
    "recraftv4_pro": "0.25",
    "recraftv4_1": "0.035",
    "recraftv4_1_pro": "0.21",
    "recraftv4_1_utility": "0.035",
    "recraftv4_1_utility_pro": "0.21",
}
TOOLS = {"crispUpscale": ("0.004", 2), "creativeUpscale": ("0.25", 2), "removeBackground": ("0.01", 1)}
UNITS_A_DOLLAR = 1000
RATIOS = {"16:9": (1344, 768), "9:16": (768, 1344), "4:3": (1216, 896), "3:4": (896, 1216)}

SERVICE = Service(
    "recraft",
    ids=uuid,
    faults={
        "bad_key": Answer(401, "request unauthorized"),
        "not_found": Answer(404, "404 page not found"),
        "no_credit": Answer(402, {"code": "not_enough_credits", "message": "not enough credits"}),
        "invalid": lambda detail: Answer(
            400, {"code": "invalid_request_parameter", "message": detail or "bad request"}
        ),
        "rate_limited": Answer(429, {"code": "rate_limit_exceeded", "message": "too many requests"}),
        "unavailable": Answer(503, "service unavailable"),
    },
)


def _body(call: Call, *required: str) -> dict[str, Any]:
    """JSON with addresses, or a form with files."""
    if not call.headers.get("content-type", "").startswith("multipart/form-data"):
        return call.json(*required)
    parts = call.form(*(name.removesuffix("_url") for name in required))
    return {name: values[0].text if not values[0].filename else "file" for name, values in parts.items()}


def _take(call: Call, body: dict[str, Any], usd: str | None, size: tuple[int, int]) -> Job:
    kind = body.get("image_format", "webp")
    if kind not in ("png", "webp"):
        call.refuse("invalid", "image_format: unknown")
    count = int(body.get("n", 1))
    price = None if usd is None else Decimal(usd) * count
    job = call.take(order("image", width=size[0], height=size[1], count=count, usd=price, mime=f"image/{kind}"))
    job.finish()
    if job.state != "succeeded":
        call.refuse("unavailable")
    return job


def _images(call: Call, job: Job, body: dict[str, Any]) -> list[dict[str, Any]]:
    if body.get("response_format") == "b64_json":
        shown = [{"b64_json": base64.b64encode(content).decode()} for content in job.contents]
    else:
        shown = [{"url": url} for url in job.urls]
    return [{"image_id": uuid(call.rng), **one} for one in shown]


def _credits(job: Job) -> int:
    return round((job.usd or Decimal(0)) * UNITS_A_DOLLAR)


def _made(call: Call, body: dict[str, Any], usd: str | None) -> Answer:
    size = str(body.get("size", "1024x1024"))
    if "x" in size:
        across, _, down = size.partition("x")
        edges = (int(across), int(down))
    else:
        edges = RATIOS.get(size, (1024, 1024))
    job = _take(call, body, usd, edges)
    told = {"created": int(call.now), "credits": _credits(job)}
    return Answer(200, {**told, "data": _images(call, job, body)})


def _price(call: Call, body: dict[str, Any]) -> str:
    model = body.get("model", "recraftv4_1")
    return USD.get(model) or call.refuse("invalid", f"model: {model} is unknown")


@SERVICE.post("/v1/images/generations")
def generations(call: Call) -> Answer:
    body = _body(call, "prompt")
    return _made(call, body, _price(call, body))


@SERVICE.post("/v1/images/imageToImage")
def image_to_image(call: Call) -> Answer:
    body = _body(call, "image_url", "prompt", "strength")
    return _made(call, body, _price(call, body))


@SERVICE.post("/v1/images/inpaint")
def inpaint(call: Call) -> Answer:
    body = _body(call, "image_url", "mask_url", "prompt")
    return _made(call, body, _price(call, body))


@SERVICE.post("/v1/images/{tool}")
def tool(call: Call) -> Answer:
    known = TOOLS.get(call.path["tool"])
    if known is None:
        call.refuse("not_found")
    usd, scale = known
    body = _body(call, "image_url")
    job = _take(call, body, usd, (1024 * scale, 1024 * scale))
    told = {"created": int(call.now), "credits": _credits(job)}
    return Answer(200, {**told, "image": _images(call, job, body)[0]})


@SERVICE.get("/v1/users/me")
def me(call: Call) -> Answer:
    return Answer(200, {"id": uuid(call.rng), "credits": 100_000, "email": "someone@example.com", "name": "Someone"})


@SERVICE.get("/v1/models")
def models(call: Call) -> Answer:
    told = {"created": int(call.now), "input_modalities": ["text"], "output_modalities": ["image"]}
    return Answer(
        200, {"data": [{"id": name, "name": name, **told, "pricing": {"image": usd}} for name, usd in USD.items()]}
    )
