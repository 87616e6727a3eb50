"""Hugging Face's router as it relays, and as much of the Hub as finds a partner (huggingface_hub 2.4.0; hub-docs
242f4a1).

Partners' answers are their own. The addresses in them lie below this service, where a client that knows the router by
another name than its own looks for them.
"""

import base64
from typing import Any

from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, Job, Order, Service, order

SERVED = {
    "black-forest-labs/FLUX.1-dev": (
        "text-to-image",
        {"fal-ai": "fal-ai/flux/dev", "replicate": "black-forest-labs/flux-dev", "wavespeed": "wavespeed-ai/flux-dev"},
    ),
    "black-forest-labs/FLUX.1-schnell": (
        "text-to-image",
        {"nscale": "black-forest-labs/FLUX.1-schnell", "together": "black-forest-labs/FLUX.1-schnell"},
    ),
    "black-forest-labs/FLUX.2-klein-9B": (
        "image-to-image",
        {"fal-ai": "fal-ai/flux-2/klein/9b/edit", "replicate": "black-forest-labs/flux-2-klein-9b"},
    ),
    "black-forest-labs/FLUX.2-dev": ("image-to-image", {"wavespeed": "wavespeed-ai/flux-2-dev/edit"}),
    "Wan-AI/Wan2.2-TI2V-5B": (
        "text-to-video",
        {
            "fal-ai": "fal-ai/wan/v2.2-5b/text-to-video",
            "replicate": "wan-video/wan-2.2-5b-fast",
            "novita": "wan-t2v",
            "together": "Wan-AI/Wan2.2-TI2V-5B",
        },
    ),
    "Wan-AI/Wan2.2-I2V-A14B": (
        "image-to-video",
        {
            "fal-ai": "fal-ai/wan/v2.2-a14b/image-to-video",
            "together": "Wan-AI/Wan2.2-I2V-A14B",
            "wavespeed": "wavespeed-ai/wan-2.2/image-to-video",
        },
    ),
    "larryvrh/MiniMax-H3-Turbo-Lora": ("text-to-video", {"wavespeed": "wavespeed-ai/minimax-h3/text-to-video-lora"}),
    "stabilityai/stable-diffusion-3-medium-diffusers": (
        "text-to-image",
        {"hf-inference": "stabilityai/stable-diffusion-3-medium-diffusers"},
    ),
    "hexgrad/Kokoro-82M": (
        "text-to-speech",
        {
            "hf-inference": "hexgrad/Kokoro-82M",
            "fal-ai": "fal-ai/kokoro/american-english",
            "together": "hexgrad/Kokoro-82M",
        },
    ),
}
"""Task and partners of a model. Those of FLUX, Wan2.2-TI2V-5B, MiniMax and Stable Diffusion are as documented; the
others are made up, so that every route has a model.
"""


def _refused(status: int, text: str) -> Answer:
    return Answer(status, {"error": text}, {"x-error-message": text})


SERVICE = Service(
    "huggingface",
    make_key=lambda rng: f"hf_{rng.getrandbits(136):034x}",
    faults={
        "bad_key": _refused(401, "Invalid username or password."),
        "no_credit": _refused(402, "You have exceeded your monthly included credits for Inference Providers."),
        "forbidden": _refused(403, "This token has no permission to call Inference Providers."),
        "not_found": _refused(404, "Not Found"),
        "invalid": lambda detail: _refused(400, detail or "the request is not valid"),
        "rate_limited": Answer(429, {"error": "Too Many Requests"}, {"retry-after": "1"}),
        "moderated_input": Answer(
            422, {"detail": [{"loc": ["body", "prompt"], "msg": "refused", "type": "content_policy_violation"}]}
        ),
        "unavailable": _refused(503, "Service Unavailable"),
    },
    headers=lambda call: {"x-request-id": f"{call.rng.getrandbits(128):032x}"},
)


# ------------------------------------------------------------------------------------------------------------ the Hub


@SERVICE.get("/api/whoami-v2")
def whoami(_call: Call) -> Answer:
    return Answer(200, {"type": "user", "name": "emulator", "auth": {"accessToken": {"role": "read"}}})


@SERVICE.get("/api/agent-harnesses", public=True)
def harnesses(_call: Call) -> Answer:
    return Answer(200, {"standardEnvVars": [], "harnesses": {}})


@SERVICE.get("/api/models/{id:path}", public=True)
def model(call: Call) -> Answer:
    name = call.path["id"]
    if name not in SERVED:
        call.refuse("not_found")
    task, partners = SERVED[name]
    mapping = {to: {"status": "live", "providerId": its, "task": task} for to, its in partners.items()}
    return Answer(200, {"_id": "0", "id": name, "pipeline_tag": task, "tags": [], "inferenceProviderMapping": mapping})


# ------------------------------------------------------------------------------------------------------- hf-inference


@SERVICE.post("/hf-inference/models/{id:path}")
def hosted(call: Call) -> Answer:
    body = call.json("inputs")
    name = call.path["id"]
    speech = SERVED.get(name, ("", {}))[0] == "text-to-speech"
    of = order("audio", mime="audio/flac") if speech else ordered("text-to-image", body.get("parameters") or {})
    job = _at_once(call, of, name)
    if not speech and "image/" not in call.headers.get("accept", ""):
        return Answer(200, base64.b64encode(job.contents[0]).decode(), {"content-type": "application/json"})
    return Answer(200, job.contents[0], {"content-type": job.mime})


# ---------------------------------------------------------------------------------------------------------------- fal


@SERVICE.get("/fal-ai/{app:path}/requests/{id}/status")
def fal_status(call: Call) -> Answer:
    job = _job(call)
    words = {"queued": "IN_QUEUE", "running": "IN_PROGRESS"}
    said: dict[str, Any] = {"status": words.get(job.state, "COMPLETED"), "request_id": job.id, "logs": None}
    if job.state == "queued":
        said["queue_position"] = job.position
    return Answer(200 if job.is_over else 202, said)


@SERVICE.get("/fal-ai/{app:path}/requests/{id}")
def fal_result(call: Call) -> Answer:
    job = _job(call)
    if job.state == "failed":
        kind = "content_policy_violation" if job.moderated else "internal_server_error"
        detail = [{"loc": ["body"], "msg": kind.replace("_", " "), "type": kind}]
        return Answer(422 if job.moderated else 500, {"detail": detail})
    return Answer(200, _of_fal(job))


@SERVICE.post("/fal-ai/{id:path}")
def fal(call: Call) -> Answer:
    endpoint, body = call.path["id"], call.json()
    if call.query.get("_subdomain") != "queue":
        return Answer(200, _of_fal(_at_once(call, ordered(endpoint, body), endpoint)))
    job = call.take(ordered(endpoint, body), endpoint=endpoint)
    app = "/".join(endpoint.split("/")[:2])
    url = f"{call.base}/{app}/requests/{job.id}"
    urls = {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
    return Answer(200, {"status": "IN_QUEUE", "request_id": job.id, "queue_position": 0, **urls})


def _of_fal(job: Job) -> dict[str, Any]:
    files = [{"url": url, "content_type": job.mime} for url in job.urls]
    return {"images": files, "seed": job.seed} if job.order.kind == "image" else {job.order.kind: files[0]}


# ---------------------------------------------------------------------------------------------------------- replicate


@SERVICE.post("/replicate/v1/models/{owner}/{name}/predictions")
def replicate(call: Call) -> Answer:
    name = f"{call.path['owner']}/{call.path['name']}"
    given = call.json("input")["input"]
    job = call.take(ordered(name, given), model=name)
    if call.headers.get("prefer", "").startswith("wait") and job.detail != "late":
        job.finish()
    flagged = "The output was flagged as sensitive. (E005)" if job.moderated else "the model raised an error"
    return Answer(
        201,
        {
            "id": job.id,
            "model": name,
            "version": "hidden",
            "input": given,
            "logs": "",
            "status": {"queued": "starting"}.get(job.state, job.state),
            "output": (job.urls if "flux-dev" in name else job.urls[0]) if job.state == "succeeded" else None,
            "error": flagged if job.state == "failed" else None,
        },
    )


# ----------------------------------------------------------------------------------------- nscale, novita and together


@SERVICE.post("/nscale/v1/images/generations")
@SERVICE.post("/together/v1/images/generations")
def images(call: Call) -> Answer:
    body = call.json("model", "prompt")
    job = _at_once(call, ordered("text-to-image", body), body["model"])
    encoded = [base64.b64encode(content).decode() for content in job.contents]
    return Answer(200, {"id": job.id, "model": body["model"], "data": [{"b64_json": one} for one in encoded]})


@SERVICE.post("/novita/v3/hf/{id:path}")
def novita(call: Call) -> Answer:
    job = _at_once(call, ordered(f"{call.path['id']}/text-to-video", call.json("prompt")), call.path["id"])
    return Answer(200, {"video": {"video_url": job.urls[0], "video_type": "mp4"}})


@SERVICE.post("/together/v1/audio/speech")
def speech(call: Call) -> Answer:
    body = call.json("model", "input", "voice")
    job = _at_once(call, order("audio", text=body["input"]), body["model"])
    return Answer(200, job.contents[0], {"content-type": job.mime})


@SERVICE.post("/together/v2/videos")
def together_video(call: Call) -> Answer:
    body = call.json("model")
    job = call.take(ordered("text-to-video", body), model=body["model"])
    return Answer(200, {"id": job.id, "object": "video", "model": body["model"], "status": "queued"})


@SERVICE.get("/together/v2/videos/{id}")
def together_job(call: Call) -> Answer:
    job = _job(call)
    words = {"running": "in_progress", "succeeded": "completed"}
    said: dict[str, Any] = {"id": job.id, "status": words.get(job.state, job.state)}
    if job.state == "succeeded":
        said["outputs"] = {"video_url": job.urls[0]}
    if job.state == "failed":
        said["error"] = {"message": "the model raised an error"}
    return Answer(200, said)


# ---------------------------------------------------------------------------------------------------------- wavespeed


@SERVICE.post("/wavespeed/api/v3/{id:path}")
def wavespeed(call: Call) -> Answer:
    job = call.take(ordered(call.path["id"], call.json("prompt")), model=call.path["id"])
    url = f"{call.base}/wavespeed/api/v3/predictions/{job.id}/result"
    return Answer(200, {"code": 200, "data": {"id": job.id, "status": "created", "urls": {"get": url}, "outputs": []}})


@SERVICE.get("/wavespeed/api/v3/predictions/{id}/result")
def wavespeed_job(call: Call) -> Answer:
    job = _job(call)
    words = {"queued": "created", "running": "processing", "succeeded": "completed"}
    said: dict[str, Any] = {"id": job.id, "status": words.get(job.state, job.state), "outputs": [], "error": ""}
    if job.state == "succeeded":
        said["outputs"] = job.urls
    if job.state == "failed":
        said["error"] = "the model raised an error"
    return Answer(200, {"code": 200, "data": said})


def _at_once(call: Call, of: Order, name: str) -> Job:
    """A job whose answer is the result: what fails, fails with an HTTP error."""
    job = call.take(of, model=name)
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "unavailable")
    return job


def _job(call: Call) -> Job:
    return call.job(call.path["id"]) or call.refuse("not_found")
