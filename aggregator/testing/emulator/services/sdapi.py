"""AUTOMATIC1111's API as Forge answers it: pictures at once, one after the other.

lllyasviel/stable-diffusion-webui-forge@dfdcbab6 modules/api/{api,models}.py, read 2026-11-20.
"""

import base64
import json
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order

SAMPLERS = ("Euler a", "Euler", "DPM++ 2M")
TITLE = "sd_xl_base_1.0.safetensors [31e35c80fc]"


def _error(status: int, name: str, detail: str = "", errors: str = "") -> Answer:
    return Answer(status, {"error": name, "detail": detail, "body": "", "errors": errors})


def _right(call: Call) -> bool:
    told = base64.b64encode(call.world.key.encode()).decode()
    return call.world.get("key_wanted") is None or call.headers.get("authorization") == f"Basic {told}"


SERVICE = Service(
    "sdapi",
    key=_right,
    make_key=lambda rng: f"user:{rng.getrandbits(64):016x}",
    faults={
        "bad_key": Answer(401, {"detail": "Incorrect username or password"}, {"www-authenticate": "Basic"}),
        "invalid": lambda detail: Answer(
            422, {"detail": [{"loc": ["body", "width"], "msg": detail or "not a valid integer", "type": "type_error"}]}
        ),
        "no_sampler": _error(404, "HTTPException", "Sampler not found"),
        "full_gpu": _error(500, "OutOfMemoryError", errors="CUDA out of memory. Tried to allocate 2.00 GiB."),
    },
)


@SERVICE.get("/sdapi/v1/options")
def options(_call: Call) -> Answer:
    return Answer(200, {"sd_model_checkpoint": TITLE})


@SERVICE.get("/sdapi/v1/sd-models")
def models(_call: Call) -> Answer:
    return Answer(200, [{"title": TITLE, "model_name": "sd_xl_base_1.0", "hash": "31e35c80fc"}])


@SERVICE.get("/sdapi/v1/samplers")
def samplers(_call: Call) -> Answer:
    return Answer(200, [{"name": name, "aliases": [], "options": {}} for name in SAMPLERS])


@SERVICE.post("/sdapi/v1/txt2img")
def txt2img(call: Call) -> Answer:
    return _drawn(call, call.json())


@SERVICE.post("/sdapi/v1/img2img")
def img2img(call: Call) -> Answer:
    asked = call.json()
    if not asked.get("init_images"):
        return _error(404, "HTTPException", "Init image not found")
    return _drawn(call, asked)


@SERVICE.post("/sdapi/v1/extra-single-image")
def extra(call: Call) -> Answer:
    job = _made(call, call.json("image"))
    return Answer(200, {"html_info": "", "image": _text(job)}) if job.state == "succeeded" else _broken()


def _drawn(call: Call, asked: dict[str, Any]) -> Answer:
    if asked.get("sampler_name", SAMPLERS[0]) not in SAMPLERS:
        call.refuse("no_sampler")
    job = _made(call, asked)
    if job.state != "succeeded":
        return _broken()
    info = {"seed": job.seed, "all_seeds": [job.seed], "infotexts": [f"{asked.get('prompt', '')} Steps: 20"]}
    return Answer(200, {"images": [_text(job)], "parameters": asked, "info": json.dumps(info)})


def _made(call: Call, asked: dict[str, Any]) -> Job:
    job = call.take(order("image", width=asked.get("width", 512), height=asked.get("height", 512), usd="0"))
    job.finish()
    return job


def _text(job: Job) -> str:
    return base64.b64encode(job.contents[0]).decode()


def _broken() -> Answer:
    return _error(500, "RuntimeError", errors="the work broke off")
