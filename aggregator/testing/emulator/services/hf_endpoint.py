"""An inference endpoint of Hugging Face as its container answers: every error is 400, the answer is as it is accepted.

huggingface/huggingface-inference-toolkit@833b5a2 as it ran, 2026-11-20; the key and the 503 of an endpoint that starts
are the hosted side's (huggingface/hf-endpoints-documentation@7a03397, guides/autoscaling).
"""

import base64
import json
from typing import Any

from aggregator.testing.emulator.jobs import Kind
from aggregator.testing.emulator.marketplace import size_of
from aggregator.testing.emulator.service import Answer, Call, Service, order

SERVICE = Service(
    "hf_endpoint",
    key=lambda call: (
        call.world.get("key_wanted") is None or call.headers.get("authorization") == f"Bearer {call.world.key}"
    ),
    faults={
        "bad_key": Answer(401, {"error": "Invalid credentials in Authorization header"}),
        "invalid": lambda detail: Answer(400, {"error": detail or "Body needs to provide a inputs key"}),
        "full_gpu": Answer(400, {"error": "CUDA out of memory. Tried to allocate 2.00 GiB."}),
        "starting": Answer(503, {"error": "503 Service Unavailable"}),
    },
)


@SERVICE.get("/health", public=True)
def health(_call: Call) -> Answer:
    return Answer(200, "Ok")


@SERVICE.post("/")
def run(call: Call) -> Answer:
    body = call.json("inputs")
    given, accepted = body.get("parameters") or {}, call.headers.get("accept", "")
    own = body["inputs"] if isinstance(body["inputs"], dict) else {}
    kind: Kind = "audio" if accepted.startswith("audio/") else own.get("makes", "image")
    if given.get("width") != given.get("height"):
        call.refuse("invalid", "width and height must be the same")
    size: dict[str, Any] = {}
    if kind != "audio":
        width, height = size_of(kind, given)
        size = {"width": width, "height": height}
    job = call.take(order(kind, **size, usd="0"))
    job.finish()
    if job.state != "succeeded":
        return Answer(400, {"error": job.detail or "the pipeline raised an error"})
    if accepted.startswith(("image/", "audio/")):
        return Answer(200, job.contents[0], {"content-type": job.mime})
    text = json.dumps(base64.b64encode(job.contents[0]).decode())
    return Answer(200, text.encode(), {"content-type": "application/json"})
