"""Ray Serve as it answers for what is deployed on it: ray 2.60.0 as it ran, 2026-11-20.

What a deployment makes follows from its path; it answers with the file, or where the body says so with JSON.
"""

import base64
from typing import Any

from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, Service

FULL = "Request dropped due to backpressure (num_queued_requests=1, max_queued_requests=1)."

SERVICE = Service(
    "ray_serve",
    key=None,
    faults={
        "busy": Answer(503, FULL),
        "timeout": Answer(408, "Request timed out after 60.0s."),
        "invalid": lambda detail: Answer(422, {"detail": [{"loc": ["body"], "msg": detail, "type": "missing"}]}),
        "not_found": Answer(404, "Path '/x' not found. Ping http://.../-/routes for available routes."),
    },
    headers=lambda call: {"x-request-id": f"{call.rng.getrandbits(128):032x}"},
)


@SERVICE.get("/-/healthz")
def health(_call: Call) -> Answer:
    return Answer(200, "success")


@SERVICE.get("/-/routes")
def routes(_call: Call) -> Answer:
    return Answer(200, {"/": "default"})


@SERVICE.post("/{path:path}")
def deployed(call: Call) -> Answer:
    if call.headers.get("content-type", "").startswith("multipart/"):
        given: dict[str, Any] = {name: parts[0].text for name, parts in call.form().items() if not parts[0].filename}
    else:
        given = call.json()
    job = call.take(ordered(call.path["path"], given, usd="0"))
    job.finish()
    if job.state != "succeeded":
        return Answer(500, "Internal Server Error")
    if given.get("as_json"):
        return Answer(200, {"result": {"file": base64.b64encode(job.contents[0]).decode()}})
    return Answer(200, job.contents[0], {"content-type": job.mime})
