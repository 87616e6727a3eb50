"""LightX2V's server as it answers: tasks of one queue, of which a running one stops when it next looks.

ModelTC/LightX2V@f8aee98 (`lightx2v/server`), read 2026-11-21. A full queue is refused with 503, and so is an id that it
has had already; a task that is unknown, or not done, is 404. There is no bill.
"""

from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order

STATES = {
    "queued": "pending",
    "running": "processing",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}
FRAMES, FPS, PLACES = 81, 16, 10


def detail(status: int, text: str) -> Answer:
    return Answer(status, {"detail": text})


SERVICE = Service(
    "lightx2v",
    key=None,
    faults={
        "invalid": lambda text: Answer(422, {"detail": [{"loc": ["body"], "msg": text or "invalid", "type": "value"}]}),
        "not_found": detail(404, "Task not found"),
        "too_large": detail(413, "Request entity too large"),
        "full": detail(503, "Task queue is full (max 10 tasks)"),
        "server_error": detail(500, "Failed to create video task"),
    },
)


def taken(call: Call, kind: Any, mime: str) -> Answer:
    asked = call.json("prompt")
    own = asked.get("task_id")
    if own is not None and mine(call, own) is not None:
        return detail(503, f"Task ID {own} already exists")
    height, width = asked.get("target_shape") or (480, 832)
    frames, fps = int(asked.get("target_video_length") or FRAMES), float(asked.get("target_fps") or FPS)
    seconds = frames / fps if kind == "video" else 0.0
    made = order(kind, width=width, height=height, duration_s=seconds, fps=fps, mime=mime, usd="0")
    job = call.take(made)
    job.extra["own"] = own or job.id
    name = job.extra["own"]
    return Answer(200, {"task_id": name, "task_status": "pending", "save_result_path": name})


@SERVICE.post("/v1/tasks/video/")
def film(call: Call) -> Answer:
    return taken(call, "video", "video/mp4")


@SERVICE.post("/v1/tasks/image/")
def picture(call: Call) -> Answer:
    return taken(call, "image", "image/png")


def mine(call: Call, name: str) -> Job | None:
    """The task of this id: whoever orders may choose it."""
    return next((job for job in call.desk.jobs.values() if job.extra.get("own") == name and job.is_known), None)


def known(call: Call) -> Job:
    job = mine(call, call.path["id"])
    if job is None:
        call.refuse("not_found")
    return job


@SERVICE.get("/v1/tasks/queue/status")
def queue(call: Call) -> Answer:
    busy = sum(not job.is_over for job in call.desk.jobs.values())
    return Answer(200, {"is_processing": busy > 0, "queue_size": PLACES, "queue_available": PLACES - busy})


@SERVICE.get("/v1/tasks/{id}/status")
def status(call: Call) -> Answer:
    job = known(call)
    failed = job.state == "failed"
    return Answer(
        200,
        {
            "task_id": job.extra["own"],
            "status": STATES[job.state],
            "start_time": job.started,
            "end_time": job.ended if job.is_over else None,
            "error": (job.detail or "CUDA out of memory") if failed else None,
            "error_type": "RuntimeError" if failed else None,
            "save_result_path": job.extra["own"],
        },
    )


@SERVICE.get("/v1/tasks/{id}/result")
def result(call: Call) -> Answer:
    job = known(call)
    if job.state != "succeeded" or job.expired:
        return detail(404, "Task not completed")
    return Answer(200, job.contents[0], {"content-type": job.mime})


@SERVICE.delete("/v1/tasks/{id}")
def stop(call: Call) -> Answer:
    """Always 200: the body tells whether there was anything to stop."""
    job = mine(call, call.path["id"])
    stopped = job is not None and job.cancel()
    reason = "Task stopped successfully." if stopped else "Task not found or already completed."
    return Answer(200, {"stop_status": "success" if stopped else "do_nothing", "reason": reason})


@SERVICE.get("/health")
def health(_call: Call) -> Answer:
    return Answer(200, {"status": "ok"})


@SERVICE.get("/v1/service/status")
def service(call: Call) -> Answer:
    busy = [job.extra["own"] for job in call.desk.jobs.values() if not job.is_over]
    return Answer(200, {"service_status": "busy" if busy else "idle", "current_task": busy[0] if busy else None})
