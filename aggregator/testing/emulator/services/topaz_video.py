"""Topaz Labs' video API as it answers (Topaz Video API OpenAPI 1.0.0 of 2026-07-31). How many credits a clip costs is
made up; that the lower end of the quote is billed is documented. Parts are small, so that a short clip has several.
"""

import hashlib
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order, uuid

NAMES = (
    "aaa-9 ahq-12 alq-13 alqs-2 amq-13 amqs-2 color-1 ddv-3 dtd-4 dtds-2 dtv-4 dtvs-2 gcg-5 ghq-5 iris-2 iris-3 nxf-1 "
    "nxl-1 nxhf-1 nyx-3 prob-4 rhea-1 thd-3 thf-4 thm-2 apf-2 apo-8 chf-3 chr-2"
)
MODELS = frozenset(NAMES.split())
PART_BYTES = 2_000
MOST_PARTS = 4


def error(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})


SERVICE = Service(
    "topaz_video",
    key=lambda call: call.headers.get("x-api-key", ""),
    ids=uuid,
    faults={
        "bad_key": error(401, "Unauthorized"),
        "no_credit": error(402, "Insufficient credits"),
        "forbidden": error(403, "Forbidden"),
        "not_found": error(404, "Not Found"),
        "invalid": lambda detail: error(400, detail or "Invalid input"),
        "server_error": error(500, "Internal server error"),
        "unavailable": error(503, "Service unavailable"),
    },
)


@SERVICE.get("/video/status", public=True)
def available(_call: Call) -> Answer:
    return Answer(200, {"isAvailable": True, "availabilityMessage": "", "supportedModels": sorted(MODELS)})


@SERVICE.post("/video/")
def create(call: Call) -> Answer:
    body = call.json("source", "filters", "output")
    source, output = body["source"], body["output"]
    wanted = {"container", "size", "duration", "frameCount", "frameRate", "resolution"}
    if missing := wanted - source.keys():
        call.refuse("invalid", f"source: {', '.join(sorted(missing))}")
    if missing := {"resolution", "frameRate", "audioCodec", "audioTransfer"} - output.keys():
        call.refuse("invalid", f"output: {', '.join(sorted(missing))}")
    if any(one.get("model") not in MODELS for one in body["filters"]):
        call.refuse("invalid", "filters: unknown model")
    name = uuid(call.rng)
    cost = max(1, round(source["duration"]))
    call.world[name] = {"body": body, "credits": cost, "parts": {}, "addresses": []}
    return Answer(200, {"requestId": name, "estimates": {"cost": [cost, cost + 2], "time": [60, 90]}})


def asked(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = call.world.get(call.path["id"])
    if found is None:
        call.refuse("not_found")
    return found


@SERVICE.patch("/video/{id}/accept")
def accept(call: Call) -> Answer:
    request = asked(call)
    if "job" in request:
        call.refuse("invalid", "accepted before")
    body = request["body"]
    shape, source = body["output"]["resolution"], body["source"]
    scale = min(1.0, 640 / max(shape.values()))  # what is delivered is small, whatever was ordered
    made = order(
        "video",
        width=round(shape["width"] * scale / 2) * 2,
        height=round(shape["height"] * scale / 2) * 2,
        duration_s=source["duration"],
        fps=body["output"]["frameRate"],
        usd=Decimal(request["credits"]) * Decimal("0.12"),
    )
    request["job"] = call.take(made, request=call.path["id"]).id
    count = min(MOST_PARTS, -(-source["size"] // PART_BYTES))
    request["addresses"] = [f"{call.base}/bucket/{call.path['id']}/{at}" for at in range(1, count + 1)]
    return Answer(202, {"uploadId": f"upload-{call.path['id']}", "urls": request["addresses"]})


@SERVICE.put("/bucket/{id}/{part}", public=True)
def receive(call: Call) -> Answer:
    if "x-api-key" in call.headers:
        return Answer(400, "<Error><Code>InvalidRequest</Code></Error>")
    asked(call)["parts"][int(call.path["part"])] = call.raw
    return Answer(200, None, {"etag": f'"{hashlib.md5(call.raw).hexdigest()}"'})  # noqa: S324 - as S3 does


@SERVICE.patch("/video/{id}/complete-upload/")
def complete(call: Call) -> Answer:
    request, body = asked(call), call.json("uploadResults")
    parts = {at: hashlib.md5(content).hexdigest() for at, content in request["parts"].items()}  # noqa: S324
    if {one["partNum"]: one["eTag"] for one in body["uploadResults"]} != parts:
        call.refuse("invalid", "the parts do not match their ETags")
    size = sum(len(content) for content in request["parts"].values())
    if len(parts) != len(request["addresses"]) or size != request["body"]["source"]["size"]:
        call.refuse("invalid", "the source is not whole")
    request["whole"] = b"".join(request["parts"][at] for at in sorted(parts))
    return Answer(202, {"message": "Processing has been queued"})


def job_of(call: Call, request: dict[str, Any]) -> Job | None:
    return call.job(request["job"]) if "job" in request else None


@SERVICE.get("/video/{id}/status")
def status(call: Call) -> Answer:
    request = asked(call)
    job = job_of(call, request)
    said: dict[str, Any] = {"estimates": {"cost": [request["credits"], request["credits"] + 2], "time": [60, 90]}}
    if job is None:
        return Answer(200, said | {"status": "requested", "progress": 0})
    if job.state == "canceled":
        return Answer(200, said | {"status": "canceled", "progress": 0, "message": "Canceled"})
    if "whole" not in request:
        return Answer(200, said | {"status": "accepted", "progress": 0})
    if job.state == "queued":
        return Answer(200, said | {"status": "initializing", "progress": 0})
    if job.state == "running":
        phase = ("preprocessing", "processing", "postprocessing")[min(2, int(job.fraction * 3))]
        return Answer(200, said | {"status": phase, "progress": round(100 * job.fraction), "message": "Processing"})
    if job.state == "failed":
        return Answer(200, said | {"status": "failed", "progress": 0, "message": job.detail or "Processing failed"})
    ends = int((call.now + 86_400) * 1000)
    download = {"url": job.urls[0], "expiresIn": 86_400_000, "expiresAt": ends}
    return Answer(200, said | {"status": "complete", "progress": 100, "outputSize": "1 MB", "download": download})


@SERVICE.delete("/video/{id}")
def cancel(call: Call) -> Answer:
    job = job_of(call, asked(call))
    if job is None or not call.cancel(job):
        return Answer(204)
    return Answer(200, {"message": "Cancellation in progress. Partial credits have been refunded."})


@SERVICE.get("/video/history")
def history(call: Call) -> Answer:
    names = [name for name, request in call.world.items() if isinstance(request, dict) and "job" in request]
    return Answer(200, {"result": [{"id": name} for name in names], "nextCursor": None})
