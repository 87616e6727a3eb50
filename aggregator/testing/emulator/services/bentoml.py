"""A BentoML service as it answers: every method at its name, tasks with their submit, status and get.

bentoml/BentoML@32230a52, and bentoml 1.4.39 as it ran, 2026-11-20. What a method makes follows from its name.
"""

from typing import Any

from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, Job, Service

STATES = {"queued": "in_progress", "running": "in_progress", "succeeded": "completed"}
BROKEN = Answer(500, {"error": "An unexpected error has occurred, please check the server log."})


def _invalid(detail: str) -> Answer:
    wrong = {"type": "missing", "loc": ["prompt"], "msg": detail or "Field required", "input": {}}
    return Answer(400, {"error": "1 validation error for Input", "detail": [wrong]})


SERVICE = Service(
    "bentoml",
    key=None,
    faults={
        "busy": Answer(429, {"error": "Too many requests"}),
        "invalid": _invalid,
        "not_found": Answer(404, "Not Found"),
        "no_task": Answer(404, {"error": "task_id not found"}),
        "timeout": Answer(504, {"error": "Not able to process the request in 60 seconds"}),
    },
    headers=lambda call: {"x-bentoml-request-id": f"{call.rng.getrandbits(64):016x}"},
)


@SERVICE.get("/readyz")
def ready(_call: Call) -> Answer:
    return Answer(200, "\n")


@SERVICE.get("/docs.json")
def schema(_call: Call) -> Answer:
    return Answer(200, {"openapi": "3.0.2", "paths": {}})


@SERVICE.post("/{name}/submit")
def submit(call: Call) -> Answer:
    job = _taken(call)
    return Answer(200, {"task_id": job.id, "status": "in_progress"})


@SERVICE.get("/{name}/status")
def status(call: Call) -> Answer:
    job = _job(call)
    lied = call.world.pop(f"lie {job.id}", None)
    said = "canceled" if lied and not job.is_over else STATES.get(job.state, job.state)
    return Answer(200, {"task_id": job.id, "status": said, "created_at": "2026-11-20T12:00:00"})


@SERVICE.get("/{name}/get")
def get(call: Call) -> Answer:
    job = _job(call)
    if job.state == "failed":
        return BROKEN
    if job.state != "succeeded":
        return Answer(400, {"error": f"task {job.id} is not completed yet"})
    return Answer(200, job.contents[0], {"content-type": job.mime})


@SERVICE.put("/{name}/cancel")
def cancel(call: Call) -> Answer:
    """The local server refuses, says for a while that it was canceled, and goes on; BentoCloud does it."""
    job = _job(call)
    if "cloud" in call.path["name"]:
        call.cancel(job)
        return Answer(200, {"task_id": job.id, "status": "canceled"})
    call.world[f"lie {job.id}"] = True
    return Answer(400, {"error": "task cancellation is not supported in local development server"})


@SERVICE.post("/{name}")
def method(call: Call) -> Answer:
    job = _taken(call)
    job.finish()
    if job.state != "succeeded":
        return BROKEN
    return Answer(200, job.contents[0], {"content-type": job.mime})


def _taken(call: Call) -> Job:
    if call.headers.get("content-type", "").startswith("multipart/"):
        given: dict[str, Any] = {name: parts[0].text for name, parts in call.form().items() if not parts[0].filename}
    else:
        given = call.json()
    return call.take(ordered(call.path["name"], given, usd="0"))


def _job(call: Call) -> Job:
    return call.job(call.query.get("task_id", "")) or call.refuse("no_task")
