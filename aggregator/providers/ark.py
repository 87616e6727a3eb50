"""Ark: ByteDance's Seedance and Seedream, on BytePlus or Volcengine. Clips are tasks, their inputs a list of contents;
pictures are answered at once.

From version 2 on BytePlus names the models `dreamina-…`. Frames and reference pictures exclude each other. `DELETE`
cancels what is queued and forgets what has ended. Callbacks are not signed. Billed by tokens, width × height × frames /
1024, which the answer counts.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c

_TASKS = "/api/v3/contents/generations/tasks"
_WORDS = c.words(
    queued="queued", running="running", succeeded="succeeded", failed="failed expired", canceled="cancelled"
)
_SHOT = {"duration_s": "duration", "resolution": "resolution", "aspect_ratio": "ratio", "seed": "seed"}
_SIZE: Mapping[str, c.To] = {
    "size": c.To("size", form="{}x{}"),
    "resolution": c.To("size", values={"1k": "1K", "2k": "2K", "4k": "4K"}),
}
_FIXED = c.To("camera_fixed", values={"static": True})
_WIDE = {"480p": 428_544, "720p": 921_600, "1080p": 2_073_600, "4k": 8_294_400}
_CLASSIC, _SQUARE = {"480p": 421_120, "720p": 927_408}, {"480p": 409_600, "720p": 921_600}
_PIXELS = {"16:9": _WIDE, "9:16": _WIDE, "4:3": _CLASSIC, "3:4": _CLASSIC, "1:1": _SQUARE}
"""Of one frame. Above 720p only 16:9 is documented."""


def _tokens(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What 24 frames a second of that size come to, a clip that is sent in counted with the one that is made; of an
    unknown shape, between the smallest and the largest.
    """
    sent = values.get("video")
    if sent is not None and sent.duration_s is None:
        return None
    seconds = values["duration_s"] + (0 if sent is None else sent.duration_s)
    shapes = [values["aspect_ratio"]] if "aspect_ratio" in values else _PIXELS
    sizes = [_PIXELS.get(shape, {}).get(values["resolution"], 0) for shape in shapes]
    tokens = [pixels * seconds * 24 / 1024 for pixels in sizes]
    return (str(min(tokens)), str(max(tokens))) if all(sizes) else None


def _made(*inputs: str) -> c.Endpoint:
    return c.Endpoint(
        {**dict.fromkeys(("prompt", *inputs), c.BUILD), **_SHOT, "audio": "generate_audio", "camera": _FIXED},
        {"model": "{endpoint}"},
        build=casts.contents,
        files=c.Files("content.video_url", "video/mp4"),
        meters=(c.Meter("output_token", _tokens, reported="usage.completion_tokens"),),
        facts={"seed": "seed"},
    )


def _pictures(values: Mapping[str, Any]) -> c.Json:
    """One picture as it is, several as a list, the one to change first."""
    sent = casts.pictures(values, "image")
    return {"image": sent[0] if len(sent) == 1 else sent} if sent else {}


def _drawn(*inputs: str) -> c.Endpoint:
    """A mark on the picture is the vendor's default."""
    fields: Mapping[str, str | c.To] = {**dict.fromkeys((*inputs, "references"), c.BUILD), "prompt": "prompt", **_SIZE}
    return c.Endpoint(
        fields,
        {"model": "{endpoint}", "watermark": False},
        build=_pictures,
        files=c.Files("data[].url", "image/jpeg"),
        meters=(c.Meter("image", "1"),),
        dialect="images",
    )


_AT_ONCE: c.Dialect = {"submit": c.Call("POST", "/api/v3/images/generations", read_s=300), "poll": None, "cancel": None}

PROVIDER = c.Provider(
    name="ark",
    docs="https://docs.byteplus.com/en/docs/ModelArk/1520757",
    checked="2026-11-20",
    base_url="https://ark.ap-southeast.bytepluses.com",  # Volcengine: https://ark.cn-beijing.volces.com, ids `doubao-…`
    auth=c.Auth(env=("ARK_API_KEY",)),
    submit=c.Call("POST", _TASKS, capture={"id": "id"}),
    poll=c.Call("GET", f"{_TASKS}/{{id}}"),
    cancel=c.Call("DELETE", f"{_TASKS}/{{id}}"),
    probe=c.Call("GET", f"{_TASKS}?page_num=1&page_size=1"),
    status=c.Status("status", _WORDS, error="error.message"),
    dialects={"images": {**_AT_ONCE, "status": None, "webhook": None}},
    codes=c.Codes(
        ("error.code",),
        c.kinds(
            authentication="AuthenticationError AccessDenied OperationDenied",
            quota="AccountOverdueError InvalidSubscription QuotaExceeded",
            rate_limit="RateLimitExceeded ServerOverloaded",
            invalid_request="MissingParameter InvalidParameter InvalidEndpoint ModelNotFound InvalidEndpointOrModel",
            content_policy="*SensitiveContentDetected* *RiskDetection*",
            unavailable="InternalServiceError",
        ),
    ),
    request_id_header="X-Request-Id",
    webhook=c.Webhook("callback_url", "id"),
    inputs={"image": c.Input(), "video": c.Input(("url",)), "audio": c.Input(("url",))},
    result_ttl_s=86_400,  # about a day; the exact figure is unconfirmed
    served_model="model",
    tasks={
        "text-to-video": _made("references"),
        "image-to-video": _made("image", "last_image"),
        "video-to-video": _made("video", "references"),
        "video-extension": _made("video"),
        "text-to-image": _drawn(),
        "image-to-image": _drawn("image"),
    },
)
