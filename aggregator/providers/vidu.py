"""Vidu: one path per kind of work, a flat body, credits in every answer.

A picture may be the first frame, the first of two, or one of up to seven references: the path says which. A clip goes
on from its own id (`creations[].id`) or from an address. What was refused by a review fails with a code of its own, and
running out of credit is HTTP 400. A callback's signature covers its headers only, so that it is a hint to look.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import hmac_auth

_FRAMED = {"last_image": "start-end2video", "image": "img2video"}
_PATHS = {**_FRAMED, "references": "reference2video", "video": "extend"}
_SHOT = {"prompt": "prompt", "duration_s": "duration", "resolution": "resolution"}
_FULL = {**_SHOT, "seed": "seed", "audio": "audio"}
_FILMED = c.Meter("video_second", "request.duration_s")
_HEARD = c.Meter("input_audio_second", "request.input_audio_seconds")
_WORDS = c.words(queued="created queueing", running="processing", succeeded="success", failed="failed")
_OWN = c.Input(("ref:creation", "url"))
_INVALID = (
    "BadRequest FieldLacking FieldUnwanted FieldInvalid FieldItemCountOutOfRange Conflict NotFound PageSizeOutOfRange "
    "ImageDownloadFailure ImageFormatInvalid ImageCheck* ImageObjectsUndetected OperationInProcess ModelUnavailable "
    "TaskNotFound CreationNotFound"
)


def _upload(source: c.UploadSource) -> c.Flow:
    """A place for the file, the file itself, and the store's receipt for it."""
    answer = yield c.HttpRequest("POST", "/tools/v2/files/uploads", json={"scene": "vidu"})
    place = json.loads(answer.body)
    answer = yield casts.put(source, place["put_url"])
    receipt: c.Json = {"etag": answer.headers["etag"].strip('"')}
    answer = yield c.HttpRequest("PUT", f"/tools/v2/files/uploads/{place['id']}/finish", json=receipt)
    return str(json.loads(answer.body)["uri"])


def _sources(values: Mapping[str, Any]) -> c.Json:
    """The path by what goes in, and the pictures or the clip: one of Vidu's own by its id."""
    kind = next((path for name, path in _PATHS.items() if values.get(name)), "text2video")
    images, video = casts.pictures(values, "image", "last_image"), values.get("video")
    sent = {"images": images, "video_url" if "://" in str(video) else "video_creation_id": video}
    return {"@path": {"kind": kind}, **{name: value for name, value in sent.items() if value}}


def _made(fields: Mapping[str, str | c.To], meter: c.Meter = _FILMED, **rest: Any) -> c.Endpoint:
    files, own = c.Files("creations[].url", "video/mp4"), {"creation": "creations[].id"}
    return c.Endpoint(fields, files=files, refs=own, meters=(meter,), **rest)


PROVIDER = c.Provider(
    name="vidu",
    docs="https://docs.platform.vidu.com",
    checked="2026-11-20",
    base_url="https://api.vidu.com",  # China: https://api.vidu.cn
    auth=c.Auth(env=("VIDU_API_KEY",), template="Token {key}"),
    submit=c.Call("POST", "/ent/v2/{kind}", capture={"id": "task_id"}),
    poll=c.Call("GET", "/ent/v2/tasks/{id}/creations"),
    cancel=c.Call("POST", "/ent/v2/tasks/{id}/cancel"),
    probe=c.Call("GET", "/ent/v2/credits"),
    free={"balance": c.Call("GET", "/ent/v2/credits")},
    status=c.Status("state", _WORDS, error="err_code"),
    codes=c.Codes(
        ("err_code", "reason"),
        c.kinds(
            authentication="Unauthorized Forbidden",
            quota="CreditInsufficient",
            rate_limit="QuotaExceeded TooManyRequests SystemThrottling",
            invalid_request=_INVALID,
            content_policy="AuditSubmitIllegal TaskPromptPolicyViolation CreationPolicyViolation",
            unavailable="InternalServiceFailure",
            canceled="UserCancelled Canceled",
        ),
    ),
    error_message=("message", "reason", "err_code"),
    upload=_upload,
    inputs={"image": c.Input(("url", "data", "upload")), "video": c.Input(("url",)), "audio": c.Input(("url",))},
    webhook=hmac_auth("callback_url", "id", access_key="vidu"),
    charge=c.Charge("credits", "0.005"),
    result_ttl_s=3_600,  # an older copy of the documentation says one hour, a newer one a day
    tasks={
        "text-to-video": _made({**_FULL, "aspect_ratio": "aspect_ratio", "references": c.BUILD}, build=_sources),
        "image-to-video": _made({**_FULL, "image": c.BUILD, "last_image": c.BUILD}, build=_sources),
        "video-extension": _made({**_SHOT, "video": c.BUILD}, build=_sources, inputs={"video": _OWN}),
        "lip-sync": _made({"video": "video_url", "audio": "audio_url"}, _HEARD, fixed={"@path.kind": "lip-sync"}),
    },
)
