"""A server of the open inference protocol as it answers: KServe's and Triton's ways in to one model.

kserve/open-inference-protocol@d49cc23, triton-inference-server/server@e1db8a60 (http handlers, generate),
read 2026-11-20. What a model makes follows from its name.
"""

import base64
from typing import Any

from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, Job, Service

INPUTS = {
    "prompt": "BYTES",
    "text": "BYTES",
    "image": "BYTES",
    "video": "BYTES",
    "audio": "BYTES",
    "seed": "INT64",
    "steps": "INT32",
    "width": "INT32",
    "height": "INT32",
}

SERVICE = Service(
    "kserve",
    key=None,
    faults={
        "invalid": lambda detail: Answer(400, {"error": detail or "unexpected shape for input 'prompt'"}),
        "not_found": Answer(404, {"error": "Request for unknown model: 'x' is not found"}),
        "full": Answer(503, {"error": "[request id: <id_unknown>] Exceeds maximum queue size"}),
    },
)


@SERVICE.get("/v2/health/ready")
def ready(_call: Call) -> Answer:
    return Answer(200)


@SERVICE.get("/v2/models/{model}")
def model(call: Call) -> Answer:
    if call.path["model"].startswith("no-such"):
        call.refuse("not_found")
    inputs = [{"name": name, "datatype": kind, "shape": [-1, 1]} for name, kind in INPUTS.items()]
    outputs = [{"name": "file", "datatype": "BYTES", "shape": [-1, 1]}]
    about = {"name": call.path["model"], "versions": ["1"], "platform": "python"}
    return Answer(200, {**about, "inputs": inputs, "outputs": outputs})


@SERVICE.post("/v2/models/{model}/infer")
def infer(call: Call) -> Answer:
    given: dict[str, Any] = {}
    for tensor in call.json("inputs")["inputs"]:
        size = 1
        for side in tensor["shape"]:
            size *= side
        if tensor["datatype"] != INPUTS.get(tensor["name"]) or size != len(tensor["data"]):
            call.refuse("invalid", f"unexpected shape or datatype for input '{tensor['name']}'")
        given[tensor["name"]] = tensor["data"][0]
    job = _made(call, given)
    if job.state != "succeeded":
        return _broken(job)
    text = base64.b64encode(job.contents[0]).decode()
    outputs = [{"name": "file", "datatype": "BYTES", "shape": [1, 1], "data": [text]}]
    return Answer(200, {"model_name": call.path["model"], "model_version": "1", "outputs": outputs})


@SERVICE.post("/v2/models/{model}/generate")
def generate(call: Call) -> Answer:
    job = _made(call, call.json())
    if job.state != "succeeded":
        return _broken(job)
    text = base64.b64encode(job.contents[0]).decode()
    return Answer(200, {"model_name": call.path["model"], "model_version": "1", "output": text})


@SERVICE.post("/v1/models/{model}:predict")
def predict(call: Call) -> Answer:
    instances = call.json("instances")["instances"]
    if not isinstance(instances, list) or len(instances) != 1:
        call.refuse("invalid", "Expected instances to be a list")
    job = _made(call, instances[0])
    if job.state != "succeeded":
        return _broken(job)
    return Answer(200, {"predictions": [base64.b64encode(job.contents[0]).decode()]})


def _made(call: Call, given: dict[str, Any]) -> Job:
    job = call.take(ordered(call.path["model"], given, usd="0"))
    job.finish()
    return job


def _broken(job: Job) -> Answer:
    return Answer(500, {"error": f"Failed to process the request(s): {job.detail or 'ValueError: it broke'}"})
