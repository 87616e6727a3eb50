"""xAI as it answers over REST: pictures at once, clips with HTTP 202 until they are made.

@ai-sdk/xai 3.0.138 (requests, answers, both error bodies), litellm 1.109.1 (prices), docs.comfy.org model pages (a
dollar is 10,000,000,000 ticks; read 2026-11-21). Which codes errors carry is not documented: these are made up.
"""

import base64
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order, uuid

SECOND_USD = {
    "grok-imagine-video": {"480p": "0.05", "720p": "0.07"},
    "grok-imagine-video-1.5": {"480p": "0.08", "720p": "0.14", "1080p": "0.25"},
    "grok-imagine-video-1.5-lite": {"480p": "0.02", "720p": "0.03", "1080p": "0.14"},
}
PICTURE_IN_USD = {"grok-imagine-video": "0.002", "grok-imagine-image": "0"}
PICTURE_USD = {"1k": "0.06", "2k": "0.08"}
RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
LONGEST_S, LONGEST_ADDED_S, LONGEST_WITH_REFERENCES_S, MOST_REFERENCES = 15, 10, 10, 7
TICKS = 10**10


def error(status: int, code: str, text: str, **headers: str) -> Answer:
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"code": code, "error": text}, head)


SERVICE = Service(
    "xai",
    ids=uuid,
    faults={
        "bad_key": error(401, "unauthenticated", "Incorrect API key provided."),
        "no_credit": error(402, "payment_required", "Your team has no credits left."),
        "forbidden": error(403, "permission_denied", "The key may not do this."),
        "invalid": lambda detail: error(400, "invalid_argument", detail or "Invalid request."),
        "moderated_input": Answer(
            400, {"error": {"message": "The prompt violates the usage guidelines.", "type": "invalid_request_error"}}
        ),
        "not_found": error(404, "not_found", "There is no such request."),
        "rate_limited": error(429, "resource_exhausted", "Too many requests.", retry_after="1"),
        "server_error": error(500, "internal", "Internal error."),
        "unavailable": error(503, "unavailable", "The service is at capacity."),
    },
    make_key=lambda rng: f"xai-{rng.getrandbits(128):032x}",
)


# --------------------------------------------------------------------------------------------------------------- clips


def _pixels(resolution: str, ratio: str) -> tuple[int, int]:
    """The shorter side is what the resolution names."""
    short = int(resolution.removesuffix("p"))
    wide, high = (int(side) for side in ratio.split(":"))
    return (round(short * wide / high / 2) * 2, short) if wide >= high else (short, round(short * high / wide / 2) * 2)


def _second(call: Call, model: str, resolution: str) -> Decimal:
    rates = SECOND_USD.get(model)
    if rates is None or resolution not in rates:
        call.refuse("invalid", f"{model} does not make {resolution}.")
    return Decimal(rates[resolution])


@SERVICE.post("/v1/videos/generations")
def generate(call: Call) -> Answer:
    asked = call.json("model", "prompt")
    references = asked.get("reference_images") or []
    seconds = asked.get("duration") or 8
    resolution, ratio = asked.get("resolution") or "480p", asked.get("aspect_ratio") or "16:9"
    longest = LONGEST_WITH_REFERENCES_S if references else LONGEST_S
    if references and (asked.get("image") or len(references) > MOST_REFERENCES):
        call.refuse("invalid", "reference_images: at most 7, and not beside image.")
    if not isinstance(seconds, int) or not 1 <= seconds <= longest or ratio not in RATIOS:
        call.refuse("invalid", "duration or aspect_ratio is out of range.")
    if any("url" not in one and "file_id" not in one for one in (*references, *filter(None, [asked.get("image")]))):
        call.refuse("invalid", "url is required.")
    usd = _second(call, asked["model"], resolution) * seconds
    usd += Decimal(PICTURE_IN_USD.get(asked["model"], "0.01")) * (len(references) + bool(asked.get("image")))
    width, height = _pixels(resolution, ratio)
    made = order("video", width=width, height=height, duration_s=seconds, audio=True, usd=usd)
    return _taken(call.take(made, model=asked["model"]))


def _source(call: Call, asked: dict[str, Any]) -> None:
    if "url" not in asked["video"] and "file_id" not in asked["video"]:
        call.refuse("invalid", "video.url is required.")


@SERVICE.post("/v1/videos/edits")
def edit(call: Call) -> Answer:
    asked = call.json("model", "prompt", "video")
    _source(call, asked)
    if any(name in asked for name in ("duration", "aspect_ratio", "resolution")):
        call.refuse("invalid", "An edit keeps length, shape and resolution.")
    usd = _second(call, asked["model"], "720p") * 5
    return _taken(call.take(order("video", duration_s=5, audio=True, usd=usd), model=asked["model"]))


@SERVICE.post("/v1/videos/extensions")
def extend(call: Call) -> Answer:
    asked = call.json("model", "prompt", "video")
    _source(call, asked)
    seconds = asked.get("duration") or 5
    if not 1 <= seconds <= LONGEST_ADDED_S or "aspect_ratio" in asked or "resolution" in asked:
        call.refuse("invalid", "An extension takes a duration of 1 to 10, and no shape.")
    usd = _second(call, asked["model"], "720p") * seconds
    return _taken(call.take(order("video", duration_s=seconds, audio=True, usd=usd), model=asked["model"]))


def _taken(job: Job) -> Answer:
    return Answer(200, {"request_id": job.id})


@SERVICE.get("/v1/videos/{id}")
def poll(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    if job.state == "queued":
        return Answer(202)  # nothing is said yet
    if job.state == "running":
        return Answer(202, {"status": "pending", "progress": round(job.fraction * 100)})
    return Answer(200, _ended(job))


def _ended(job: Job) -> dict[str, Any]:
    said: dict[str, Any] = {"model": job.extra["model"], "progress": 100}
    usage = {"cost_in_usd_ticks": int((job.usd or Decimal(0)) * TICKS)}
    if job.moderated:
        return {**said, "status": "done", "video": {"duration": 0, "respect_moderation": False}, "usage": usage}
    if job.state == "failed":
        word = "expired" if job.detail == "expired" else "failed"
        code = job.detail or "internal_error"
        return {**said, "status": word, "error": {"code": code, "message": "The video was not made."}}
    clip = {"url": job.urls[0], "duration": job.order.duration_s, "respect_moderation": True}
    return {**said, "status": "done", "video": clip, "usage": usage}


# ------------------------------------------------------------------------------------------------------------ pictures


def _pictures(call: Call, asked: dict[str, Any], sent: int) -> Answer:
    resolution = asked.get("resolution") or "1k"
    if resolution not in PICTURE_USD or asked.get("response_format") not in (None, "url", "b64_json"):
        call.refuse("invalid", "resolution or response_format is not known.")
    count = int(asked.get("n") or 1)
    each = "0.02" if asked["model"] == "grok-imagine-image" else PICTURE_USD[resolution]
    usd = Decimal(each) * count + Decimal("0.01") * sent
    edge = 1024 if resolution == "1k" else 2048
    wide, high = (float(side) for side in (asked.get("aspect_ratio") or "1:1").split(":"))
    width, height = (edge, round(edge * high / wide)) if wide >= high else (round(edge * wide / high), edge)
    job = call.take(order("image", width=width, height=height, count=count, mime="image/jpeg", usd=usd))
    job.finish()
    if job.state == "failed" and not job.moderated:
        call.refuse("server_error")
    data = [{"respect_moderation": not job.moderated, **one} for one in _shown(job, asked)]
    return Answer(200, {"data": data, "usage": {"cost_in_usd_ticks": int(usd * TICKS)}})


def _shown(job: Job, asked: dict[str, Any]) -> list[dict[str, Any]]:
    if job.moderated:
        return [{} for _ in job.urls]
    if asked.get("response_format") == "b64_json":
        return [{"b64_json": base64.b64encode(content).decode()} for content in job.contents]
    return [{"url": url} for url in job.urls]


@SERVICE.post("/v1/images/generations")
def generations(call: Call) -> Answer:
    return _pictures(call, call.json("model", "prompt"), 0)


@SERVICE.post("/v1/images/edits")
def edits(call: Call) -> Answer:
    asked = call.json("model", "prompt")
    pictures = asked.get("images") or [asked.get("image")]
    if not all(isinstance(one, dict) and "url" in one for one in pictures):
        call.refuse("invalid", "image.url is required.")
    return _pictures(call, asked, len(pictures))


@SERVICE.get("/v1/models")
def models(_call: Call) -> Answer:
    return Answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in SECOND_USD]})
