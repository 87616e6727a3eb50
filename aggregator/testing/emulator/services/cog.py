"""A Cog container as it answers: predictions that are waited for, or not, and canceled; no way to look at one.

replicate/cog@6110c912 docs/http.md, and coglet 0.23.1 as it ran, 2026-11-20. The model packed here makes what its
input `makes` says.
"""

import base64
from typing import Any

from aggregator.testing.emulator.marketplace import size_of
from aggregator.testing.emulator.service import Answer, Call, Job, Service, order

WORDS = {"queued": "starting", "running": "processing"}


def _invalid(detail: str) -> Answer:
    where = ["body", "input", (detail or "prompt").split()[0]]
    return Answer(422, {"detail": [{"loc": where, "msg": detail or "Field required", "type": "value_error"}]})


SERVICE = Service(
    "cog",
    key=None,
    faults={
        "busy": Answer(409, {"error": "At capacity - all prediction slots busy", "status": "failed"}),
        "unready": Answer(503, {"error": "Predictor not ready", "status": "failed"}),
        "invalid": _invalid,
        "not_found": Answer(404, {}),
    },
)


@SERVICE.get("/")
def root(_call: Call) -> Answer:
    urls = {"predictions_url": "/predictions", "healthcheck_url": "/health-check", "openapi_url": "/openapi.json"}
    return Answer(200, {"cog_version": "0.23.1", "docs_url": "/docs", **urls})


@SERVICE.get("/health-check")
def health(_call: Call) -> Answer:
    setup = {"status": "succeeded", "logs": ""}
    return Answer(200, {"status": "READY", "setup": setup, "version": {"coglet": "0.23.1"}})


@SERVICE.get("/openapi.json")
def schema(_call: Call) -> Answer:
    properties = {"prompt": {"type": "string", "x-order": 0}, "makes": {"type": "string", "x-order": 1}}
    return Answer(200, {"openapi": "3.0.2", "components": {"schemas": {"Input": {"properties": properties}}}})


@SERVICE.post("/predictions")
def create(call: Call) -> Answer:
    return _predict(call, call.json().get("id"))


@SERVICE.put("/predictions/{id}")
def put(call: Call) -> Answer:
    """What is at work under this id is not begun again."""
    job = _of(call)
    if job is not None and not job.is_over:
        return Answer(202, _shown(job, call.path["id"]))
    return _predict(call, call.path["id"])


@SERVICE.post("/predictions/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = _of(call)
    return Answer(200 if job is not None and call.cancel(job) else 404, {})


def _of(call: Call) -> Job | None:
    return call.desk.jobs.get(call.world.get(f"put {call.path['id']}", ""))


def _predict(call: Call, name: str | None) -> Answer:
    given = call.json("input")["input"]
    kind = given.get("makes", "image")
    if not isinstance(given, dict) or kind not in ("image", "video", "audio"):
        call.refuse("invalid", "makes: not one of image, video, audio")
    width, height = size_of(kind, given) if kind != "audio" else (None, None)
    job = call.take(order(kind, width=width, height=height, duration_s=given.get("seconds"), usd="0"))
    call.world[f"put {name or job.id}"] = job.id
    if call.headers.get("prefer") == "respond-async":
        return Answer(202, {"id": name or job.id, "status": "starting"})
    job.finish()
    return Answer(200, _shown(job, name or job.id))


def _shown(job: Job, name: str) -> dict[str, Any]:
    said: dict[str, Any] = {"id": name, "status": WORDS.get(job.state, job.state), "logs": ""}
    if job.is_over:
        said["metrics"] = {"predict_time": 0.25}
    if job.state == "succeeded":
        said["output"] = f"data:{job.mime};base64,{base64.b64encode(job.contents[0]).decode()}"
    if job.state == "failed":
        said["error"] = f"Prediction failed: Prediction failed: ValueError: {job.detail or 'it broke'}"
    return said
