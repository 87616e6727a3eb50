"""Topaz Labs' image API as it answers (Topaz Image API OpenAPI 1.2.0 of 2026-07-31). How many credits a picture costs
is made up: one for each 24 megapixels that come out.
"""

import io
import json
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order, uuid

MODELS = {
    "enhance": ("Standard V2", "Low Resolution V2", "CGI", "High Fidelity V2", "Text Refine", "High Resolution V2"),
    "enhance-gen": (
        *("Redefine", "Standard MAX", "Recovery V2", "Wonder"),
        *("Recovery", "Reimagine", "Bloom 2", "Wonder 3", "Wonder 3.5"),
    ),
}
TYPES = {"jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png"}
PIXELS_A_CREDIT = 24_000_000
MOST_PIXELS = 512_000_000
LONGEST_EDGE = 32_000


def error(status: int, message: str) -> Answer:
    return Answer(status, {"code": status, "message": message})


SERVICE = Service(
    "topaz",
    key=lambda call: call.headers.get("x-api-key", ""),
    ids=uuid,
    faults={
        "bad_key": error(401, "Invalid API key."),
        "no_credit": error(402, "Insufficient funds."),
        "forbidden": error(403, "The provided token does not have access."),
        "not_found": error(404, "The requested job could not be found."),
        "conflict": error(409, "The job is not in a cancellable state."),
        "no_subscription": error(412, "No valid API subscription exists for this account."),
        "too_large": error(413, "The image file is too large."),
        "bad_type": error(415, "The image format is not supported."),
        "invalid": lambda detail: error(400, detail or "Bad request."),
        "unprocessable": error(422, "The image could not be processed."),
        "too_early": error(425, "Credits cannot be reserved yet."),
        "rate_limited": error(429, "Too many requests."),
        "server_error": error(500, "Unexpected error."),
    },
)


def measured(call: Call, content: bytes) -> tuple[int, int]:
    """The size of a picture that can be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except UnidentifiedImageError:
        call.refuse("bad_type")


@SERVICE.post("/image/v1/{group}/async")
def create(call: Call) -> Answer:
    parts = call.form()
    given = {name: several[0].text for name, several in parts.items() if name != "image"}
    group = call.path["group"]
    known = MODELS.get(group)
    model = given.get("model", known[0] if known else "")
    if known is None or model not in known:
        call.refuse("invalid", f"{group} has no model {model!r}")
    if ("image" in parts) + ("source_url" in given) + ("source_id" in given) != 1:
        call.refuse("invalid", "one of image, source_url, source_id")
    form = given.get("output_format", "jpeg")
    if form not in TYPES:
        call.refuse("invalid", "output_format")
    sent = measured(call, parts["image"][0].content) if "image" in parts else (1280, 720)
    width, height = enlarged(call, given, sent)
    cost = -(-width * height // PIXELS_A_CREDIT)
    facts = {"group": group, "model": model, "form": form, "sent": sent, "made": (width, height), "credits": cost}
    hook = {"hook": given["webhook_url"]} if "webhook_url" in given else {}
    # What is delivered is smaller than what is ordered where that would take long to make.
    scale = min(1.0, 2048 / max(width, height))
    made = order(
        "image",
        width=round(width * scale),
        height=round(height * scale),
        usd=Decimal(cost) * Decimal("0.08"),
        mime=TYPES[form],
    )
    job = call.take(made, facts=facts, **hook)
    eta = int(call.now) + 1
    headers = {"X-Process-ID": job.id, "X-Source-ID": f"source-{job.id}", "X-ETA": str(eta)}
    return Answer(200, {"process_id": job.id, "source_id": f"source-{job.id}", "eta": eta}, headers)


def enlarged(call: Call, given: dict[str, str], sent: tuple[int, int]) -> tuple[int, int]:
    """The size that is asked for; one edge alone keeps the shape, none at all doubles it."""
    width, height = (int(given[name]) if name in given else 0 for name in ("output_width", "output_height"))
    if not width and not height:
        width, height = sent[0] * 2, sent[1] * 2
    width = width or round(sent[0] * height / sent[1])
    height = height or round(sent[1] * width / sent[0])
    if max(width, height) > LONGEST_EDGE or width * height > MOST_PIXELS:
        call.refuse("invalid", "The output is too large.")
    return width, height


def known(call: Call) -> Job:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    return job


WORDS = {"queued": "Pending", "running": "Processing", "succeeded": "Completed", "failed": "Failed"}


def said(job: Job) -> dict[str, Any]:
    facts = job.extra["facts"]
    over = job.state in ("failed", "canceled")
    return {
        "process_id": job.id,
        "source_id": f"source-{job.id}",
        "filename": "image.png",
        "input_format": "png",
        "input_width": facts["sent"][0],
        "input_height": facts["sent"][1],
        "output_format": facts["form"],
        "output_width": facts["made"][0],
        "output_height": facts["made"][1],
        "category": "Enhance",
        "model_type": "Generative" if "gen" in facts["group"] else "GAN",
        "model": facts["model"],
        "crop_to_fill": False,
        "status": WORDS.get(job.state, "Cancelled"),
        "progress": round(100 * job.fraction),
        "eta": int(job.ended),
        "creation_time": int(job.created),
        "modification_time": int(job.ended),
        "credits": 0 if over else facts["credits"],
    }


@SERVICE.get("/image/v1/status/{id}")
def status(call: Call) -> Answer:
    return Answer(200, said(known(call)))


@SERVICE.get("/image/v1/status")
def statuses(call: Call) -> Answer:
    jobs = [said(job) for job in call.desk.jobs.values()][: int(call.query.get("limit", 50))]
    return Answer(200, {"statuses": jobs, "metadata": {"next_cursor": None}})


@SERVICE.get("/image/v1/download/{id}")
def download(call: Call) -> Answer:
    job = known(call)
    if job.state != "succeeded":
        return error(409, "The job has no output yet.")
    address = job.urls[0]
    return Answer(200, {"download_url": address, "head_url": address, "expiry": int(call.now) + 3600})


@SERVICE.delete("/image/v1/cancel/{id}")
def cancel(call: Call) -> Answer:
    if not call.cancel(known(call)):
        call.refuse("conflict")
    return Answer(204)


@SERVICE.post("/image/v1/estimate")
@SERVICE.post("/image/v1/estimate-gen")
def estimate(call: Call) -> Answer:
    body = call.json("input_width", "input_height")
    width = body.get("output_width") or 2 * body["input_width"]
    height = body.get("output_height") or 2 * body["input_height"]
    return Answer(200, {"duration": 30, "credits": -(-width * height // PIXELS_A_CREDIT)})


def deliver(job: Job, _url: str, world: World) -> HookDelivery:
    """Not signed."""
    told = {
        name: said(job)[name] for name in ("process_id", "status", "creation_time", "modification_time", "progress")
    }
    files = {"download_url": job.urls[0], "head_url": job.urls[0]} if job.state == "succeeded" else {}
    body = {"notification_id": f"{world.rng.getrandbits(128):026X}", **told, **files}
    return HookDelivery({"content-type": "application/json"}, json.dumps(body).encode())


SERVICE.hook = deliver
