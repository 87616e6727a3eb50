"""xDiT's HTTP service as it answers: one route, one picture, base64.

xdit-project/xDiT@175e0bf (`entrypoints/launch.py`), read 2026-11-21. There is no bill.
"""

import base64

from aggregator.testing.emulator.service import Answer, Call, Service, order

SERVICE = Service(
    "xdit",
    key=None,
    faults={
        "invalid": lambda text: Answer(400, {"detail": text or "Prompt cannot be empty"}),
        "schema": Answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]}),
        "server_error": Answer(500, {"detail": "CUDA error: out of memory"}),
    },
)


@SERVICE.post("/generate")
def generate(call: Call) -> Answer:
    asked = call.json()
    if "prompt" not in asked:
        call.refuse("schema")
    if not asked["prompt"]:
        call.refuse("invalid")
    width, height = int(asked.get("width", 1024)), int(asked.get("height", 1024))
    if min(width, height) <= 0:
        call.refuse("invalid", "Height and width must be positive")
    job = call.take(order("image", width=width, height=height, usd="0"))
    job.finish()
    if job.state != "succeeded":
        call.refuse("server_error")
    picture = base64.b64encode(job.contents[0]).decode()
    said = {"message": "Image generated successfully", "elapsed_time": "1.50 sec", "save_to_disk": False}
    return Answer(200, {**said, "output": picture})
