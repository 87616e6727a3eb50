"""Vertex AI as it answers: predictLongRunning and fetchPredictOperation, predict, the token exchange of accounts
(google-genai 3.4.0; cloud.google.com model references of Veo and Lyria, read 2026-11-21).

A clip that its filter refused is a successful operation without videos and with `raiMediaFilteredCount`.
"""

import base64
from typing import Any
from urllib.parse import parse_qs

from aggregator.testing.emulator.service import Answer, Call, Job, Service, bearer, order, uuid

PROJECT = "/v1/projects/{project}/locations/{location}"
PREFIXES = (PROJECT, PROJECT.replace("/v1/", "/v1beta1/"), "")
"""The last: a base address that stands for the project's own."""
HEIGHTS = {"720p": 720, "1080p": 1080, "4k": 2160}
USD_A_SECOND = {
    "veo-3.1-generate-001": {"720p": "0.40", "1080p": "0.40", "4k": "0.60"},
    "veo-3.1-fast-generate-001": {"720p": "0.10", "1080p": "0.12", "4k": "0.30"},
    "veo-3.1-lite-generate-001": {"720p": "0.05", "1080p": "0.08"},
}
RESPONSE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
FILTERED = (
    "Veo could not generate videos because the output violated Vertex AI's usage guidelines. "
    "You will not be charged for blocked videos. Support codes: 63429089"
)
REFUSED = "The prompt could not be submitted. This prompt contains words that violate Vertex AI's usage guidelines."


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> Answer:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return Answer(code, {"error": {**error, "details": list(details)} if details else error})


_RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"}
_DOWN = _error(503, "UNAVAILABLE", "The service is currently unavailable.")

SERVICE = Service(
    "vertex",
    key=bearer,
    ids=uuid,
    make_key=lambda rng: f"ya29.{rng.getrandbits(128):032x}",
    faults={
        "bad_key": _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        "permission_denied": _error(403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied."),
        "no_credit": _error(400, "FAILED_PRECONDITION", "This API method requires billing to be enabled."),
        "rate_limited": _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for aiplatform.googleapis.com.", _RETRY),
        "invalid": lambda detail: _error(400, "INVALID_ARGUMENT", detail or "Request contains an invalid argument."),
        "moderated_input": _error(400, "INVALID_ARGUMENT", REFUSED),
        "not_found": lambda detail: _error(404, "NOT_FOUND", detail or "Publisher Model was not found."),
        "internal": _error(500, "INTERNAL", "Internal error encountered."),
        "unavailable": _DOWN,
        "unavailable_listed": Answer(503, [_DOWN.body]),
        "deadline_exceeded": _error(504, "DEADLINE_EXCEEDED", "Deadline exceeded."),
    },
)


def submit(call: Call) -> Answer:
    body, model = call.json("instances"), call.path["model"]
    rates = USD_A_SECOND.get(model)
    if rates is None:
        call.refuse("not_found", f"Publisher Model `{model}` was not found or is no longer available.")
    instance, told = body["instances"][0], body.get("parameters", {})
    if not any(instance.get(name) for name in ("prompt", "image", "video")):
        call.refuse("invalid", "The prompt, image or video is required.")
    seconds, resolution = told.get("durationSeconds", 8), told.get("resolution", "720p")
    ratio = told.get("aspectRatio", "16:9")
    if seconds not in (4, 6, 8) or resolution not in rates or ratio not in ("16:9", "9:16"):
        call.refuse("invalid", "Unsupported durationSeconds, resolution or aspectRatio.")
    size = (HEIGHTS[resolution] * 16 // 9, HEIGHTS[resolution])
    width, height = size if ratio == "16:9" else size[::-1]
    sound = told.get("generateAudio", True)
    price = str(seconds * float(rates[resolution])) if sound and not instance.get("video") else None
    made = order("video", width=width, height=height, duration_s=seconds, audio=sound, usd=price)
    return Answer(200, {"name": _name(call, call.take(made, model=model))})


def _name(call: Call, job: Job) -> str:
    project, location = call.path.get("project", "emulator"), call.path.get("location", "us-central1")
    model = f"projects/{project}/locations/{location}/publishers/google/models/{job.extra['model']}"
    return f"{model}/operations/{job.id}"


def fetch(call: Call) -> Answer:
    name = call.json("operationName")["operationName"]
    job = call.job(name.rpartition("/operations/")[2])
    if job is None:
        call.refuse("not_found", f"Operation {name} was not found.")
    if not job.is_over:
        return Answer(200, {"name": name})
    return Answer(200, {"name": name, "done": True, **_ending(job)})


def _ending(job: Job) -> dict[str, Any]:
    if job.state == "succeeded":
        videos = [{"bytesBase64Encoded": base64.b64encode(job.content(0)).decode(), "mimeType": job.mime}]
        return {"response": {"@type": RESPONSE, "videos": videos}}
    if job.moderated:
        filtered = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [FILTERED]}
        return {"response": {"@type": RESPONSE, **filtered}}
    if job.detail == "3":
        return {"error": {"code": 3, "message": REFUSED}}
    if job.state == "canceled":
        return {"error": {"code": 1, "message": "The operation was cancelled."}}
    return {"error": {"code": int(job.detail or 13), "message": "Internal error. Please try again later."}}


def predict(call: Call) -> Answer:
    body, model = call.json("instances"), call.path["model"]
    if model != "lyria-002":
        call.refuse("not_found", f"Publisher Model `{model}` was not found.")
    if not body["instances"][0].get("prompt"):
        call.refuse("invalid", "The prompt is required.")
    job = call.take(order("audio", duration_s=2.0, usd="0.06", rate_hz=48_000, channels=2))
    job.finish()
    if job.state != "succeeded":
        said = "Audio generation failed: all responses were blocked by recitation checks."
        return _error(400, "INVALID_ARGUMENT", REFUSED if job.moderated else said)
    sound = {"audioContent": base64.b64encode(job.content(0)).decode(), "mimeType": job.mime}
    return Answer(200, {"predictions": [sound], "deployedModelId": "1", "model": f"publishers/google/models/{model}"})


@SERVICE.post("/token", public=True)
def token(call: Call) -> Answer:
    """The exchange of oauth2.googleapis.com: a signed assertion for an access token."""
    form = {name: values[0] for name, values in parse_qs(call.raw.decode()).items()}
    granted = form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    if not granted or form.get("assertion", "").count(".") != 2:
        return Answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    return Answer(200, {"access_token": call.world.key, "expires_in": 3599, "token_type": "Bearer"})


def models(_call: Call) -> Answer:
    """The project's own models: none."""
    return Answer(200, {})


for _prefix in PREFIXES:
    SERVICE.post(f"{_prefix}/publishers/google/models/{{model}}:predictLongRunning")(submit)
    SERVICE.post(f"{_prefix}/publishers/google/models/{{model}}:fetchPredictOperation")(fetch)
    SERVICE.post(f"{_prefix}/publishers/google/models/{{model}}:predict")(predict)
    SERVICE.get(f"{_prefix}/models")(models)
