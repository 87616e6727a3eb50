"""Vidu: one path per kind of work, a flat body, credits in every answer.

A picture may be the first frame, the first of two, or one of up to seven references: the path says which. A clip goes
on from its own id (`creations[].id`) or from an address. What was refused by a review fails with a code of its own, and
running out of credit is HTTP 400. A callback's signature covers its headers only, so that it is a hint to look.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator import contract as c
from aggregator.contract import BUILD, Call, Endpoint, HttpRequest, Json, Meter, State, Status, To
from aggregator.signing import hmac_auth

_INVALID = (
    *(
        "BadRequest",
        "FieldLacking",
        "FieldUnwanted",
        "FieldInvalid",
        "FieldItemCountOutOfRange",
        "Conflict",
        "NotFound",
    ),
    *("PageSizeOutOfRange", "ImageDownloadFailure", "ImageFormatInvalid", "ImageCheck*", "ImageObjectsUndetected"),
    *("OperationInProcess", "ModelUnavailable", "TaskNotFound", "CreationNotFound"),
)
_REFUSED = ("AuditSubmitIllegal", "TaskPromptPolicyViolation", "CreationPolicyViolation")


def _upload(source: c.UploadSource) -> c.Flow:
    """A place for the file, the file itself, and the store's receipt for it."""
    answer = yield HttpRequest("POST", "/tools/v2/files/uploads", json={"scene": "vidu"})
    place = json.loads(answer.body)
    content = c.Body(source.path, source.size_bytes)
    headers = {"content-type": source.mime_type}
    answer = yield HttpRequest("PUT", place["put_url"], headers, content=content, trusted=False)
    receipt: Json = {"etag": answer.headers["etag"].strip('"')}
    answer = yield HttpRequest("PUT", f"/tools/v2/files/uploads/{place['id']}/finish", json=receipt)
    return str(json.loads(answer.body)["uri"])


def _path(kind: str, built: Json) -> Json:
    return {"@path": {"kind": kind}, **built}


def _drawn(values: Mapping[str, Any]) -> Json:
    """From words alone, or from pictures of what is to be seen in it."""
    images: list[Any] = [one["image"] for one in values.get("references", ())]
    return _path("reference2video", {"images": images}) if images else _path("text2video", {})


def _framed(values: Mapping[str, Any]) -> Json:
    images: list[Any] = [values[name] for name in ("image", "last_image") if name in values]
    return _path("start-end2video" if "last_image" in values else "img2video", {"images": images})


def _continued(values: Mapping[str, Any]) -> Json:
    video = str(values.get("video", ""))
    return _path("extend", {"video_url" if "://" in video else "video_creation_id": video})


_SHOT: dict[str, str | To] = {
    "prompt": "prompt",
    "duration_s": "duration",
    "resolution": "resolution",
    "seed": "seed",
    "audio": "audio",
}


def _made(fields: Mapping[str, str | To], unit: str = "video_second", of: str = "duration_s", **rest: Any) -> Endpoint:
    files, own = c.Files("creations[].url", "video/mp4"), {"creation": "creations[].id"}
    return Endpoint(fields, files=files, refs=own, meters=(Meter(unit, f"request.{of}"),), **rest)


PROVIDER = c.Provider(
    name="vidu",
    docs="https://docs.platform.vidu.com",
    checked="2026-11-20",
    base_url="https://api.vidu.com",  # China: https://api.vidu.cn
    auth=c.Auth(env=("VIDU_API_KEY",), template="Token {key}"),
    submit=Call("POST", "/ent/v2/{kind}", capture={"id": "task_id"}),
    poll=Call("GET", "/ent/v2/tasks/{id}/creations"),
    cancel=Call("POST", "/ent/v2/tasks/{id}/cancel"),
    probe=Call("GET", "/ent/v2/credits"),
    free={"balance": Call("GET", "/ent/v2/credits")},
    status=Status(
        "state",
        {"created": State.QUEUED, "queueing": State.QUEUED, "processing": State.RUNNING}
        | {"success": State.SUCCEEDED, "failed": State.FAILED},
        error="err_code",
    ),
    codes=c.Codes(
        ("err_code", "reason"),
        {
            **dict.fromkeys(_REFUSED, "content_policy"),
            **dict.fromkeys(("UserCancelled", "Canceled"), "canceled"),
            **dict.fromkeys(("Unauthorized", "Forbidden"), "authentication"),
            **dict.fromkeys(("QuotaExceeded", "TooManyRequests", "SystemThrottling"), "rate_limit"),
            **dict.fromkeys(_INVALID, "invalid_request"),
            "CreditInsufficient": "quota",
            "InternalServiceFailure": "unavailable",
        },
    ),
    error_message=("message", "reason", "err_code"),
    upload=_upload,
    inputs={"image": c.Input(("url", "data", "upload")), "video": c.Input(("url",)), "audio": c.Input(("url",))},
    webhook=hmac_auth("callback_url", "id", access_key="vidu"),
    charge=c.Charge("credits", "0.005"),
    result_ttl_s=3_600,  # an older copy of the documentation says one hour, a newer one a day
    tasks={
        "text-to-video": _made({**_SHOT, "aspect_ratio": "aspect_ratio", "references": BUILD}, build=_drawn),
        "image-to-video": _made({**_SHOT, "image": BUILD, "last_image": BUILD}, build=_framed),
        "video-extension": _made(
            {"prompt": "prompt", "duration_s": "duration", "resolution": "resolution", "video": BUILD},
            build=_continued,
            inputs={"video": c.Input(("ref:creation", "url"))},
        ),
        "lip-sync": _made(
            {"video": "video_url", "audio": "audio_url"},
            "input_audio_second",
            "input_audio_seconds",
            fixed={"@path.kind": "lip-sync"},
        ),
    },
)
