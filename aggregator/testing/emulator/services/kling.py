"""Kling as it answers, both generations: contents and paths by model, and `/v1` (pages of Kling API 2.0, error codes
and callbacks; vercel/ai@ed857f5 packages/klingai; read 2026-11-20).

`/v1` also takes a token: of the account whose API key is `K`, the access key is `ak-K` and the secret key `sk-K`. One
unit is 0.14 USD.
"""

import base64
import binascii
import hmac
import json
from decimal import Decimal
from functools import partial
from typing import Any

from aggregator.signing import hmac_sha256, unpadded
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.frames import frame
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, bearer, order

CODES = {
    **dict.fromkeys((1000, 1001, 1002, 1003, 1004), 401),
    **dict.fromkeys((1100, 1101, 1102, 1302, 1303, 1304), 429),
    1103: 403,
    **dict.fromkeys((1200, 1201, 1300, 1301), 400),
    **dict.fromkeys((1202, 1203), 404),
    5000: 500,
    5001: 503,
    5002: 504,
}
MESSAGES = {1002: "Authorization is invalid", 1101: "Account in arrears", 1301: "Content security triggered"}
SETTINGS = {
    "text-to-video": {"multi_shot", "audio", "resolution", "aspect_ratio", "duration"},
    "image-to-video": {"multi_shot", "audio", "resolution", "duration"},
    "omni-video": {"multi_shot", "audio", "resolution", "aspect_ratio", "duration"},
    "motion-control": {"character_orientation", "audio", "resolution"},
}
ITEMS = {
    "image-to-video": {"prompt", "first_frame", "last_frame", "element"},
    "omni-video": {"prompt", "first_frame", "last_frame", "refer_image", "feature_video", "base_video", "element"},
    "motion-control": {"prompt", "image", "video", "element"},
}
VIDEOS = {"video", "base_video", "feature_video"}
USD = {"720p": "0.084", "1080p": "0.112", "4k": "0.42"}
WITH_SOUND = {"720p": "0.126", "1080p": "0.168", "4k": "0.42"}
STATES = {"queued": "submitted", "running": "processing", "succeeded": "succeeded", "failed": "failed"}
RISK = "Failure to pass the risk control system"


def error(code: int, message: str = "") -> Answer:
    """An error as both generations word it."""
    said = message or MESSAGES.get(code, "request failed")
    return Answer(CODES[code], {"code": code, "message": said, "request_id": f"error-{code}"})


def _key(call: Call) -> str | bool:
    """The key itself; below `/v1` also a token: `iss` is the access key, and it is signed with the secret key."""
    given = bearer(call)
    signed, dot, signature = given.rpartition(".")
    if not (dot and call.url.startswith("/v1/")):
        return given
    access, secret = f"ak-{call.world.key}", f"sk-{call.world.key}"
    try:
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    except (ValueError, binascii.Error):
        return False
    right = hmac.compare_digest(unpadded(hmac_sha256(secret.encode(), signed.encode())), signature)
    in_time = claims.get("nbf", 0) <= call.now < claims.get("exp", 0)
    return right and head.get("alg") == "HS256" and claims.get("iss") == access and in_time


SERVICE = Service(
    "kling",
    key=_key,
    make_secret=lambda rng: "whsec_" + base64.b64encode(rng.randbytes(32)).decode(),
    ids=lambda rng: str(rng.randrange(10**17, 10**18)),
    faults={
        **{f"code_{code}": error(code) for code in CODES},
        "bad_key": error(1002),
        "no_credit": error(1101),
        "package_exhausted": error(1102, "Resource pack depleted"),
        "rate_limited": error(1302, "The API request is too fast"),
        "too_many_at_once": error(1303, "parallel task over resource pack limit"),
        "invalid": lambda detail: error(1201, detail or "Invalid request parameters"),
        "not_found": error(1202, "The requested resource does not exist"),
        "moderated_input": error(1301),
        "refused_on_200": Answer(200, {"code": 1301, "message": MESSAGES[1301], "request_id": "error-200"}),
        "lost_on_200": Answer(200, {"code": 5000, "message": "Internal error", "request_id": "error-200"}),
        "unavailable": error(5001, "Server temporarily unavailable"),
    },
)


def _said(call: Call, data: Any) -> Answer:
    said = {"code": 0, "message": "SUCCEED", "request_id": f"{call.rng.getrandbits(64):016x}", "data": data}
    return Answer(200, said)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


# --------------------------------------------------------------------------------------------------- the newer one


@SERVICE.post("/{task}/{model}")
def create(call: Call) -> Answer:
    task, model = call.path["task"], call.path["model"]
    if task not in SETTINGS:
        call.refuse("not_found")
    body = call.json(*(("prompt",) if task == "text-to-video" else ("contents",)))
    settings, options = body.get("settings") or {}, body.get("options") or {}
    if set(body) - {"prompt" if task == "text-to-video" else "contents", "settings", "options"}:
        call.refuse("invalid", f"unknown parameter in {sorted(body)}")
    if set(settings) - SETTINGS[task]:
        call.refuse("invalid", f"unknown setting in {sorted(settings)}")
    items = {} if task == "text-to-video" else _items(call, task, body["contents"])
    bare = not items.keys() & {"first_frame", "base_video"}
    if task == "omni-video" and bare and "aspect_ratio" not in settings:
        call.refuse("invalid", "aspect_ratio is required")
    if task == "motion-control" and settings.get("character_orientation") not in ("image", "video"):
        call.refuse("invalid", "character_orientation is required")
    ours = _numbered(call, options)
    job = call.take(_order(model, settings), hook=options.get("callback_url"), task=task, ours=ours)
    return _said(call, _item(job))


def _numbered(call: Call, given: dict[str, Any]) -> str:
    """The buyer's own number of an order, one of its kind; what a second one gets is not documented: a refusal here."""
    ours = given.get("external_task_id") or ""
    if ours and _by_number(call, ours) is not None:
        call.refuse("invalid", "external_task_id exists")
    return ours


def _by_number(call: Call, ours: str) -> Job | None:
    return next((job for job in call.desk.jobs.values() if ours and job.extra["ours"] == ours), None)


def _items(call: Call, task: str, contents: Any) -> dict[str, Any]:
    """The contents by type, checked: pictures are an address or bare base64, videos an address."""
    found: dict[str, Any] = {}
    for item in contents:
        kind = item.get("type")
        if kind not in ITEMS[task]:
            call.refuse("invalid", f"contents: unknown type {kind!r}")
        url = item.get("url", "")
        by_address = url.startswith(("http://", "https://"))
        if kind in VIDEOS and not by_address:
            call.refuse("invalid", f"{kind}: an address is needed")
        if kind not in ("prompt", "element") and not by_address and not _is_base64(url):
            call.refuse("invalid", f"{kind}: neither an address nor base64")
        if kind in ("refer_image", "base_video") and not item.get("id"):
            call.refuse("invalid", f"{kind}: id is required")
        found[kind] = item
    needed = {"image-to-video": {"first_frame"}, "motion-control": {"image", "video"}}.get(task, set())
    if needed - found.keys() or ("last_frame" in found and "first_frame" not in found):
        call.refuse("invalid", f"contents: {sorted(needed or {'first_frame'})} needed")
    return found


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _order(model: str, settings: dict[str, Any]) -> Any:
    resolution, seconds = settings.get("resolution", "720p"), settings.get("duration", 5)
    width, height = frame(resolution, settings.get("aspect_ratio", "16:9"))
    loud = settings.get("audio", "off") == "native"
    each = (WITH_SOUND if loud else USD)[resolution] if model.startswith("kling-3.0") else None
    usd = None if each is None or "turbo" in model or "omni" in model else Decimal(each) * seconds
    return order("video", width=width, height=height, duration_s=seconds, audio=loud, usd=usd)


def _item(job: Job) -> dict[str, Any]:
    """A job as a query and a callback show it. Kling has no word for a canceled one."""
    said = {
        "id": job.id,
        "status": STATES.get(job.state, "failed"),
        "message": (job.detail or (RISK if job.moderated else "generation failed")) if job.state == "failed" else "",
        "create_time": _ms(job.created),
        "update_time": _ms(job.ended if job.is_over else job.now()),
        "external_id": job.extra["ours"],
    }
    if job.state == "succeeded":
        lasts = f"{job.order.duration_s:g}"
        made = [{"type": "video", "id": f"{job.id}-{n}", "url": url} for n, url in enumerate(job.urls)]
        said["outputs"] = [{**one, "watermark_url": "", "duration": lasts} for one in made]
        said["billing"] = [{"charge_type": "unit", "package_type": "video", "amount": "1", "list_price": "1"}]
    return said


@SERVICE.get("/tasks")
def query(call: Call) -> Answer:
    given = [name for name in ("task_ids", "external_task_ids") if call.query.get(name)]
    if len(given) != 1:
        call.refuse("invalid", "task_ids or external_task_ids is required")
    names = call.query[given[0]].split(",")
    of = call.job if given == ["task_ids"] else partial(_by_number, call)
    found = [job for name in names if (job := of(name)) is not None]
    return _said(call, [_item(job) for job in found]) if found else call.refuse("not_found")


@SERVICE.post("/tasks")
def listed(call: Call) -> Answer:
    limit = call.json().get("limit", 100)
    jobs = list(call.desk.jobs.values())[:limit]
    return _said(call, {"result": [_item(job) for job in jobs], "count": len(jobs), "has_more": False})


# ----------------------------------------------------------------------------------------------------- the older one

OLD_NEEDS = {
    "text2video": ("prompt",),
    "image2video": ("image",),
    "video-extend": ("video_id",),
    "lip-sync": ("input",),
    "avatar/image2video": ("image", "sound_file"),
    "omni-video": ("prompt",),
    "multi-image2video": ("image_list", "prompt"),
}


@SERVICE.post("/v1/videos/{kind:path}")
def old_create(call: Call) -> Answer:
    kind = call.path["kind"]
    if kind not in OLD_NEEDS:
        call.refuse("not_found")
    body = call.json(*OLD_NEEDS[kind])
    for name in ("image", "image_tail", "sound_file"):
        text = body.get(name)
        if text is not None and not text.startswith(("http://", "https://")) and not _is_base64(text):
            call.refuse("invalid", f"{name}: neither an address nor base64")
    if "duration" in body and not isinstance(body["duration"], str):
        call.refuse("invalid", "duration: a text is needed")
    source = body.get("video_id") or (body.get("input") or {}).get("video_id")
    if source is not None and call.job(source.rpartition("-")[0]) is None:
        call.refuse("code_1203", "the video does not exist")
    if kind == "lip-sync":
        _check_mouth(call, body["input"])
    width, height = frame("1080p" if body.get("mode") == "pro" else "720p", body.get("aspect_ratio", "16:9"))
    seconds = float(body.get("duration", "5"))
    loud = body.get("sound") == "on"
    job = call.take(
        order("video", width=width, height=height, duration_s=seconds, audio=loud),
        hook=body.get("callback_url"),
        kind=kind,
        ours=_numbered(call, body),
    )
    return _said(call, _old_item(job))


def _check_mouth(call: Call, told: dict[str, Any]) -> None:
    sound = {"url": "audio_url", "file": "audio_file"}.get(told.get("audio_type", ""), "text")
    if told.get("mode") not in ("audio2video", "text2video") or not told.get(sound):
        call.refuse("invalid", "input: mode and what is said are needed")
    if not (told.get("video_id") or told.get("video_url")):
        call.refuse("invalid", "input: video_id or video_url is needed")


def _old_item(job: Job) -> dict[str, Any]:
    word = "succeed" if job.state == "succeeded" else STATES.get(job.state, "failed")
    said = _item(job)
    told = {
        "task_id": job.id,
        "task_status": word,
        "task_status_msg": said["message"],
        "task_info": {"external_task_id": job.extra["ours"]},
        "created_at": said["create_time"],
        "updated_at": said["update_time"],
    }
    if word == "succeed":
        videos = [{name: one[name] for name in ("id", "url", "watermark_url", "duration")} for one in said["outputs"]]
        told |= {"task_result": {"videos": videos}, "final_unit_deduction": "1"}
    return told


@SERVICE.get("/v1/videos/{kind:path}/{id}")
def old_query(call: Call) -> Answer:
    job = call.job(call.path["id"]) or _by_number(call, call.path["id"])
    if job is None or job.extra.get("kind") != call.path["kind"]:
        call.refuse("not_found")
    return _said(call, _old_item(job))


def _hook(job: Job, _url: str, world: World) -> HookDelivery:
    """Standard Webhooks: id, time and body, signed with what is behind `whsec_`."""
    body = json.dumps(_old_item(job) if "kind" in job.extra else _item(job)).encode()
    stamp = str(int(world.now))
    key = base64.b64decode(world.secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac_sha256(key, f"{job.id}.{stamp}.".encode() + body)).decode()
    headers = {"webhook-id": job.id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    return HookDelivery(headers, body)


SERVICE.hook = _hook
