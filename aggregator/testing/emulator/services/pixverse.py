"""PixVerse as it answers: registered inputs, states and errors by number on HTTP 200, a trace id per request (copies of
the pages get-video-generation-status and webhook-integration; PixVerseAI/PixVerse-MCP@943b114; read 2026-11-20).
"""

import base64
import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.frames import frame
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

MESSAGES = {
    400011: "empty parameter",
    400012: "invalid account",
    400013: "invalid parameter type or value",
    400017: "invalid parameter",
    400018: "the prompt is longer than 2048 characters",
    400019: "the negative prompt is longer than 2048 characters",
    400032: "invalid image id",
    500008: "the requested data is not found",
    500020: "no permission",
    500030: "the image is larger than 20 MB or 4000 px",
    500031: "the image cannot be read",
    500032: "the format of the image is invalid",
    500033: "the size of the image is invalid",
    500041: "the upload failed",
    500044: "the limit of concurrent generations is reached",
    500054: "the image did not pass moderation",
    500060: "the monthly limit of the effect is reached",
    500063: "the text did not pass moderation",
    500090: "insufficient balance",
}
KINDS = {
    "text": ("prompt",),
    "img": ("prompt",),
    "transition": ("first_frame_img", "last_frame_img"),
    "fusion": ("image_references", "prompt"),
    "extend": ("prompt",),
    "lip_sync": (),
    "sound_effect": (),
}
USD = {("360p", 5): "0.45", ("540p", 5): "0.45", ("720p", 5): "0.60", ("1080p", 5): "1.20"}
EIGHT = 8
STATES = {"queued": 5, "running": 5, "succeeded": 1, "canceled": 6}


def error(code: int, message: str = "") -> Answer:
    """What is wrong, on HTTP 200."""
    return Answer(200, {"ErrCode": code, "ErrMsg": message or MESSAGES[code], "Resp": None})


SERVICE = Service(
    "pixverse",
    key=lambda call: call.headers.get("api-key", ""),
    ids=lambda rng: str(rng.randrange(10**14, 10**15)),
    faults={
        **{f"code_{code}": error(code) for code in MESSAGES},
        "bad_key": error(400012),
        "no_credit": error(500090),
        "rate_limited": error(500044),
        "invalid": lambda detail: error(400017, detail),
        "not_found": error(500008),
        "moderated_input": error(500063),
        "moderated_picture": error(500054),
        "unavailable": Answer(503, "upstream unavailable"),
    },
)


def _said(resp: Any) -> Answer:
    return Answer(200, {"ErrCode": 0, "ErrMsg": "Success", "Resp": resp})


def _traced(call: Call) -> str:
    """The trace id, which every request must have."""
    return call.headers.get("ai-trace-id") or call.refuse("code_400011")


@SERVICE.post("/openapi/v2/image/upload")
def image(call: Call) -> Answer:
    return _kept(call, "image", "image_url", "img_id", "img_url")


@SERVICE.post("/openapi/v2/media/upload")
def media(call: Call) -> Answer:
    return _kept(call, "file", "file_url", "media_id", "url")


def _kept(call: Call, file: str, link: str, number: str, url: str) -> Answer:
    """A file or its address becomes a number."""
    _traced(call)
    parts = call.form()
    if file in parts and parts[file][0].content:
        part = parts[file][0]
        address = call.store(part.content, part.mime_type or "application/octet-stream")
    elif link in parts and parts[link][0].text.startswith(("http://", "https://")):
        address = parts[link][0].text
    else:
        call.refuse("code_400011")
    name = call.rng.randrange(10**6, 10**9)
    call.world[f"{number} {name}"] = address
    return _said({number: name, url: address})


@SERVICE.post("/openapi/v2/video/{kind}/generate")
def create(call: Call) -> Answer:
    trace = _traced(call)
    known = call.world.setdefault("orders", {})
    if trace in known:
        return _said({"video_id": int(known[trace])})
    kind = call.path["kind"]
    if kind not in KINDS:
        call.refuse("not_found")
    body = call.json(*KINDS[kind])
    _check(call, kind, body)
    resolution, seconds = body.get("quality", "540p"), body.get("duration", 5)
    width, height = frame(resolution, body.get("aspect_ratio", "16:9"))
    usd = Decimal(USD[resolution, 5]) * (2 if seconds == EIGHT else 1) if body.get("model") == "v5" else None
    made = order("video", width=width, height=height, duration_s=seconds, usd=usd)
    job = call.take(made, body=body, hook=call.headers.get("webhook-id"))
    known[trace] = job.id
    return _said({"video_id": int(job.id)})


def _check(call: Call, kind: str, body: dict[str, Any]) -> None:
    """Inputs are numbers that it gave out itself."""
    if len(body.get("prompt", "")) > 2048:
        call.refuse("code_400018")
    images = [body[name] for name in ("img_id", "first_frame_img", "last_frame_img") if name in body]
    images += [one.get("img_id") for one in body.get("image_references", ())]
    if kind == "img" and "img_id" not in body:
        call.refuse("code_400032")
    if kind == "fusion" and not 1 <= len(body["image_references"]) <= 3:
        call.refuse("invalid", "image_references")
    if any(not isinstance(one, int) or f"img_id {one}" not in call.world for one in images):
        call.refuse("code_400032")
    media_ids = [body[name] for name in ("video_media_id", "audio_media_id") if name in body]
    if any(not isinstance(one, int) or f"media_id {one}" not in call.world for one in media_ids):
        call.refuse("code_500008")
    if "source_video_id" in body and call.job(str(body["source_video_id"])) is None:
        call.refuse("code_500008")
    if kind in ("extend", "lip_sync") and not body.keys() & {"source_video_id", "video_media_id"}:
        call.refuse("code_400011")
    if kind == "lip_sync" and not body.keys() & {"audio_media_id", "lip_sync_tts_content"}:
        call.refuse("code_400011")
    if kind in ("text", "img", "fusion", "transition", "extend") and not body.get("model"):
        call.refuse("code_400011")


def _state(job: Job) -> int:
    """7: its own filter refused it; 8: it failed."""
    return STATES.get(job.state, 7 if job.moderated else 8)


@SERVICE.get("/openapi/v2/video/result/{id}")
def result(call: Call) -> Answer:
    _traced(call)
    job = call.job(call.path["id"]) or call.refuse("not_found")
    said = {
        "id": int(job.id),
        "status": _state(job),
        "url": job.urls[0] if job.state == "succeeded" else "",
        "prompt": job.extra["body"].get("prompt", ""),
        "seed": job.extra["body"].get("seed", job.seed),
        "outputWidth": job.order.width,
        "outputHeight": job.order.height,
        "has_audio": False,
        "create_time": str(int(job.created)),
    }
    return _said(said)


@SERVICE.get("/openapi/v2/account/balance")
def balance(call: Call) -> Answer:
    _traced(call)
    return _said({"account_id": 1, "credit_monthly": 0, "credit_package": 1000})


@SERVICE.get("/openapi/v2/video/lip_sync/tts_list")
def voices(call: Call) -> Answer:
    _traced(call)
    return _said({"total": 1, "data": [{"speaker_id": "auto", "name": "Auto"}]})


def _hook(job: Job, _url: str, world: World) -> HookDelivery:
    """Time, nonce and the fields as a query, a line each. The order of the fields is not documented: sorted here."""
    said = {
        "id": int(job.id),
        "status": _state(job),
        "url": job.urls[0] if job.state == "succeeded" else "",
        "size": 1,
        "has_audio": False,
        "credits": 60,
    }
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    query = "&".join(f"{name}={quote_plus(texts[name])}" for name in sorted(texts))
    stamp, nonce = str(int(world.now)), f"{world.rng.getrandbits(128):032x}"
    signature = hmac_sha256(world.secret.encode(), f"{stamp}\n{nonce}\n{query}".encode())
    headers = {
        "Webhook-Timestamp": stamp,
        "Webhook-Nonce": nonce,
        "Webhook-Signature": base64.b64encode(signature).decode(),
        "Ai-Trace-Id": nonce,
    }
    return HookDelivery(headers, json.dumps(said).encode())


SERVICE.hook = _hook
