"""Gemini as it answers: interactions that are polled, files, generateContent (google-genai 3.4.0; the guides of
ai.google.dev/gemini-api/docs on omni, images, speech, music, files and webhooks, read 2026-11-21).

A clip's file is still `PROCESSING` when it is first asked for. Prompts are refused on HTTP 200, in `promptFeedback`.
"""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from math import sqrt
from typing import Any

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.answers import RefusedError
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

VERSIONS = ("v1", "v1beta")
HEIGHTS = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
IMAGE_USD = {
    "gemini-nano-banana-2.1": "0.0336",
    "gemini-3.1-flash-lite-image": "0.0336",
    "gemini-3-pro-image": "0.134",
    "gemini-2.5-flash-image": "0.039",
}
SPEECH_USD = {"gemini-3.8-flash-tts": "0.000009", "gemini-3.8-flash-lite-tts": "0.000006"}  # a token of sound
INPUT_USD = {  # a token of what is sent in
    "gemini-nano-banana-2.1": "0.0000015",
    "gemini-3.1-flash-lite-image": "0.00000025",
    "gemini-3-pro-image": "0.000002",
    "gemini-2.5-flash-image": "0.0000003",
    "gemini-3.8-flash-tts": "0.0000005",
    "gemini-3.8-flash-lite-tts": "0.0000005",
}
SONGS = {"lyria-3.5": ("0.08", 120.0), "lyria-3-pro-preview": ("0.08", 120.0), "lyria-3-clip-preview": ("0.04", 30.0)}
SOUND_TOKENS_A_SECOND = 25
SOUNDS = {"AUDIO_WAV": "audio/wav", "AUDIO_L16": "audio/pcm"}
CHARACTERS_A_SECOND = 15
OK = 200
TYPE_URL = "type.googleapis.com/google.rpc"


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> Answer:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return Answer(code, {"error": {**error, "details": list(details)} if details else error})


def _listed(answer: Answer) -> Answer:
    """Some front ends wrap the error in a list of one."""
    return Answer(answer.status, [answer.body])


_INVALID_KEY = {"@type": f"{TYPE_URL}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
_RETRY = {"@type": f"{TYPE_URL}.RetryInfo", "retryDelay": "7s"}
_QUOTA = {"@type": f"{TYPE_URL}.QuotaFailure", "violations": [{"quotaMetric": "generate_content_paid_requests"}]}
_OVERLOADED = _error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")

SERVICE = Service(
    "gemini",
    key=lambda call: call.headers.get("x-goog-api-key") or call.query.get("key", ""),
    prefix="v1_",
    make_secret=lambda rng: "whsec_" + base64.b64encode(rng.randbytes(24)).decode(),
    faults={
        "bad_key": _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", _INVALID_KEY),
        "unauthenticated": _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        "permission_denied": _error(403, "PERMISSION_DENIED", "The caller does not have permission"),
        "no_credit": _error(400, "FAILED_PRECONDITION", "Please enable billing on your project in Google AI Studio."),
        "rate_limited": _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", _QUOTA, _RETRY),
        "invalid": lambda detail: _error(400, "INVALID_ARGUMENT", detail or "Request contains an invalid argument."),
        "out_of_range": _error(400, "OUT_OF_RANGE", "A value is out of range."),
        "not_found": lambda detail: _error(404, "NOT_FOUND", detail or "Requested entity was not found."),
        "aborted": _error(409, "ABORTED", "The operation was aborted."),
        "cancelled": _error(499, "CANCELLED", "The operation was cancelled."),
        "internal": _error(500, "INTERNAL", "An internal error has occurred."),
        "unavailable": _OVERLOADED,
        "unavailable_listed": _listed(_OVERLOADED),
        "deadline_exceeded": _error(504, "DEADLINE_EXCEEDED", "The request timed out."),
        "moderated_input": lambda detail: Answer(
            200,
            {
                "promptFeedback": {"blockReason": detail or "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            },
        ),
    },
)


# ------------------------------------------------------------------------------------------------------- interactions


def _worded(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """Interactions word their errors otherwise: a text for a code, and no status.

    Seen was `invalid_request`; the other codes are taken to be the status in small letters. How a prompt is refused
    here is not published: only that it is.
    """

    def handled(call: Call) -> Answer:
        try:
            return handler(call)
        except RefusedError as refusal:
            answer = refusal.answer
        if answer.status == OK:
            message = "The prompt was blocked because it violates our usage policies."
            return Answer(400, {"error": {"message": message, "code": "invalid_request"}})
        listed = isinstance(answer.body, list)
        error = (answer.body[0] if listed else answer.body)["error"]
        code = {"INVALID_ARGUMENT": "invalid_request"}.get(error["status"], error["status"].lower())
        return Answer(answer.status, {"error": {"message": error["message"], "code": code}})

    return handled


def create(call: Call) -> Answer:
    body = call.json("model", "input")
    model, form = body["model"], body.get("response_format") or {}
    form = form[0] if isinstance(form, list) else form
    earlier = body.get("previous_interaction_id")
    if earlier is not None and call.job(earlier) is None:
        call.refuse("not_found", f"Interaction {earlier} was not found.")
    if model.startswith("gemini-omni-"):
        made = _clip(call, form)
    elif model in SONGS:
        usd, seconds = SONGS[model]
        mime = {"audio/wav": "audio/wav"}.get(form.get("mime_type", ""), "audio/mpeg")
        made = order("audio", duration_s=min(seconds, 2.0), usd=usd, mime=mime, rate_hz=44_100, channels=2)
    else:
        call.refuse("not_found", f"models/{model} is not found for API version v1.")
    task = body.get("generation_config", {}).get("video_config", {}).get("task")
    hook = call.world.get("hook")
    job = call.take(made, model=model, delivery=form.get("delivery", "inline"), task=task, looks=0, hook=hook)
    if not body.get("background"):
        job.finish()
    return Answer(200, _interaction(call, job))


def _clip(call: Call, form: dict[str, Any]) -> Any:
    seconds = str(form.get("duration", "5s"))
    if not seconds.endswith("s") or not seconds[:-1].isdigit() or not 3 <= int(seconds[:-1]) <= 10:
        call.refuse("invalid", "duration must be between 3s and 10s.")
    height = HEIGHTS.get(form.get("resolution", "720p"))
    wide = {"16:9": True, "9:16": False}.get(form.get("aspect_ratio", "16:9"))
    if height is None or wide is None:
        call.refuse("invalid", "resolution or aspect_ratio is not supported.")
    size = (height * 16 // 9, height) if wide else (height, height * 16 // 9)
    return order("video", width=size[0], height=size[1], duration_s=float(seconds[:-1]), audio=True)


def _interaction(call: Call, job: Job) -> dict[str, Any]:
    word = {"queued": "in_progress", "running": "in_progress", "succeeded": "completed", "canceled": "cancelled"}
    said: dict[str, Any] = {"id": job.id, "object": "interaction", "model": job.extra["model"]}
    said |= {"status": word.get(job.state, "failed"), "created": "2026-11-21T00:00:00Z", "steps": []}
    if job.state == "failed":
        if job.detail in ("incomplete", "budget_exceeded", "requires_action", "requires_continuation"):
            return {**said, "status": job.detail}
        policy = "The request was blocked by our safety filters. Please change the prompt."
        said["errors"] = [{"code": "invalid_request", "message": policy if job.moderated else "Internal error."}]
    if job.state == "succeeded":
        said["steps"] = [{"type": "thought"}, {"type": "model_output", "content": _outputs(call, job)}]
        said["usage"] = {"total_input_tokens": 12, "total_output_tokens": 5792, "total_tokens": 5804}
    return said


def _outputs(call: Call, job: Job) -> list[dict[str, Any]]:
    if job.order.kind == "audio":
        mime = {"audio/mpeg": "audio/mp3"}.get(job.mime, job.mime)
        sound = {"type": "audio", "mime_type": mime, "data": _base64(job), "sample_rate": 44_100, "channels": 2}
        return [{"type": "text", "text": "[Verse] la la"}, sound]
    if job.extra["delivery"] == "uri":
        return [{"type": "video", "mime_type": job.mime, "uri": f"{_address(call, job)}:download?alt=media"}]
    return [{"type": "video", "mime_type": job.mime, "data": _base64(job)}]


def _address(call: Call, job: Job) -> str:
    return f"{call.base}/v1/files/{job.id.removeprefix('v1_')}"


def _base64(job: Job) -> str:
    return base64.b64encode(job.content(0)).decode()


def interaction(call: Call) -> Answer:
    return Answer(200, _interaction(call, _known(call, call.path["id"])))


def cancel(call: Call) -> Answer:
    job = _known(call, call.path["id"])
    if not call.cancel(job):
        call.refuse("invalid", "The interaction is not in progress.")
    return Answer(200, _interaction(call, job))


def delete(call: Call) -> Answer:
    _known(call, call.path["id"])
    return Answer(200, {})


def _known(call: Call, job_id: str) -> Job:
    return call.job(job_id) or call.refuse("not_found", f"Interaction {job_id} was not found.")


# -------------------------------------------------------------------------------------------------------------- files


def file(call: Call) -> Answer:
    job = _file(call)
    job.extra["looks"] += 1
    state = "PROCESSING" if job.extra["looks"] == 1 else "ACTIVE"
    address = _address(call, job)
    said = {"name": f"files/{call.path['id']}", "mimeType": job.mime, "uri": address, "state": state}
    return Answer(200, {**said, "source": "GENERATED", "downloadUri": f"{address}:download?alt=media"})


def download(call: Call) -> Answer:
    job = _file(call)
    return Answer(200, job.content(0), {"content-type": job.mime})


def _file(call: Call) -> Job:
    """What is gone, or another's, is not told apart."""
    job = call.job(f"v1_{call.path['id']}")
    if job is None or job.expired or job.state != "succeeded":
        call.refuse("permission_denied")
    return job


# ----------------------------------------------------------------------------------------------------- generateContent


def generate(call: Call) -> Answer:
    body, model = call.json("contents"), call.path["model"]
    config = _camel(body.get("generationConfig", {}))
    text = " ".join(part.get("text", "") for content in body["contents"] for part in content["parts"])
    if model in IMAGE_USD:
        shape = config.get("imageConfig", {})
        edge = EDGES.get(shape.get("imageSize", "1K"))
        across, _, down = shape.get("aspectRatio", "1:1").partition(":")
        if edge is None or not across.isdigit() or not down.isdigit():
            call.refuse("invalid", "Invalid image config.")
        side = sqrt(int(across) / int(down))
        price = Decimal(IMAGE_USD[model]) + _tokens(text) * Decimal(INPUT_USD[model]) if edge == EDGES["1K"] else None
        job = call.take(order("image", width=round(edge * side), height=round(edge / side), usd=price))
        tokens = 1120
    elif model in SPEECH_USD:
        seconds = max(0.5, len(text) / CHARACTERS_A_SECOND)
        tokens = round(seconds * SOUND_TOKENS_A_SECOND)
        mime = config.get("responseFormat", {}).get("audio", {}).get("mimeType", "AUDIO_WAV")
        usd = tokens * Decimal(SPEECH_USD[model]) + _tokens(text) * Decimal(INPUT_USD[model])
        job = call.take(order("audio", duration_s=seconds, text=text, usd=usd, mime=SOUNDS.get(mime, "audio/wav")))
    else:
        call.refuse("not_found", f"models/{model} is not found for API version v1, or is not supported.")
    job.finish()
    usage = {"promptTokenCount": _tokens(text), "candidatesTokenCount": tokens}
    said = {"usageMetadata": {**usage, "totalTokenCount": sum(usage.values())}, "modelVersion": model}
    return Answer(200, {"candidates": [_candidate(job)], **said, "responseId": job.id.removeprefix("v1_")})


def _candidate(job: Job) -> dict[str, Any]:
    if job.state != "succeeded":
        return {"finishReason": job.detail or ("IMAGE_SAFETY" if job.moderated else "IMAGE_OTHER"), "index": 0}
    part = {"inlineData": {"mimeType": job.mime, "data": _base64(job)}}
    return {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}


def _tokens(text: str) -> int:
    return max(1, len(text) // 4)


def _camel(value: Any) -> Any:
    """Both forms of a name are understood: `image_size` and `imageSize`."""
    if isinstance(value, dict):
        names = {name: name.split("_") for name in value}
        return {first + "".join(map(str.title, rest)): _camel(value[name]) for name, (first, *rest) in names.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def models(_call: Call) -> Answer:
    known = [*IMAGE_USD, *SPEECH_USD, *SONGS, "gemini-omni-1.1-flash"]
    return Answer(200, {"models": [{"name": f"models/{name}", "displayName": name} for name in known]})


def register(call: Call) -> Answer:
    """A static hook of the whole project; its secret is told this once. (Those of a single call are not emulated.)"""
    asked = call.json("uri", "subscribed_events")
    call.world["hook"] = asked["uri"]
    told = {"id": f"{call.rng.getrandbits(64):016x}", "state": "enabled", "new_signing_secret": call.world.secret}
    return Answer(200, {**told, **asked})


for _version in VERSIONS:
    SERVICE.post(f"/{_version}/interactions")(_worded(create))
    SERVICE.get(f"/{_version}/interactions/{{id}}")(_worded(interaction))
    SERVICE.post(f"/{_version}/interactions/{{id}}/cancel")(_worded(cancel))
    SERVICE.delete(f"/{_version}/interactions/{{id}}")(_worded(delete))
    SERVICE.get(f"/{_version}/files/{{id}}:download")(download)
    SERVICE.get(f"/{_version}/files/{{id}}")(file)
    SERVICE.post(f"/{_version}/models/{{model}}:generateContent")(generate)
    SERVICE.get(f"/{_version}/models")(models)
    SERVICE.post(f"/{_version}/webhooks")(register)


def _hook(job: Job, _url: str, world: World) -> HookDelivery:
    """A static hook, by Standard Webhooks: only an id is told."""
    event = "interaction.completed" if job.state == "succeeded" else "interaction.failed"
    body = json.dumps({"type": event, "version": "v1", "data": {"id": job.id}}).encode()
    told, sent = f"msg_{world.rng.getrandbits(64):016x}", str(int(world.now))
    secret = base64.b64decode(world.secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac_sha256(secret, b".".join([told.encode(), sent.encode(), body]))).decode()
    headers = {"webhook-id": told, "webhook-timestamp": sent, "webhook-signature": f"v1,{signature}"}
    return HookDelivery({**headers, "content-type": "application/json"}, body)


SERVICE.hook = _hook
