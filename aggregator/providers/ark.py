"""Ark: ByteDance's Seedance, on BytePlus or Volcengine. One path for everything; the inputs are a list of contents.

From version 2 on BytePlus names the models `dreamina-…`. Frames and reference pictures exclude each other. `DELETE`
cancels what is queued and forgets what has ended. Callbacks are not signed. Billed by tokens, width × height × frames /
1024, which the answer counts.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Codes,
    Endpoint,
    Files,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    To,
    Webhook,
)

_ROLES = {
    "image": ("image_url", "first_frame"),
    "last_image": ("image_url", "last_frame"),
    "references": ("image_url", "reference_image"),
    "video": ("video_url", "reference_video"),
}
_SHAPES = {"16:9": 0, "9:16": 0, "4:3": 1, "3:4": 1, "1:1": 2}
_PIXELS = {
    "480p": (428_544, 421_120, 409_600),
    "720p": (921_600, 927_408, 921_600),
    "1080p": (2_073_600,),
    "4k": (8_294_400,),
}
"""Of one frame, in the order of the shapes. Above 720p only 16:9 is documented."""


def _contents(values: Mapping[str, Any]) -> Json:
    """The prompt, then each input with its role."""
    items: list[Any] = [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
    for name, (kind, role) in _ROLES.items():
        found = values.get(name, [])
        for one in found if isinstance(found, list) else [found]:
            url = one["image"] if isinstance(one, dict) else one
            items.append({"type": kind, kind: {"url": url}, "role": role})
    return {"content": items}


def _tokens(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What 24 frames a second of that size come to; of an unknown shape, between the smallest and the largest."""
    sizes, shape = _PIXELS[values["resolution"]], _SHAPES.get(values.get("aspect_ratio", ""))
    if (len(sizes) == 1 and shape != 0) or ("aspect_ratio" in values and shape is None):
        return None
    found = sizes if shape is None else (sizes[shape],)
    low, high = (str(pixels * values["duration_s"] * 24 / 1024) for pixels in (min(found), max(found)))
    return low, high


def _made(*inputs: str) -> Endpoint:
    return Endpoint(
        fields={
            **dict.fromkeys(("prompt", *inputs), BUILD),
            "duration_s": "duration",
            "resolution": "resolution",
            "aspect_ratio": "ratio",
            "seed": "seed",
            "audio": "generate_audio",
            "camera": To("camera_fixed", values={"static": True}),
        },
        fixed={"model": "{endpoint}"},
        build=_contents,
        files=Files("content.video_url", "video/mp4"),
        meters=(Meter("output_token", _tokens, reported="usage.completion_tokens"),),
        facts={"seed": "seed"},
    )


PROVIDER = Provider(
    name="ark",
    docs="https://docs.byteplus.com/en/docs/ModelArk/1520757",
    checked="2026-11-20",
    base_url="https://ark.ap-southeast.bytepluses.com",  # Volcengine: https://ark.cn-beijing.volces.com, ids `doubao-…`
    auth=Auth(env=("ARK_API_KEY",)),
    submit=Call("POST", "/api/v3/contents/generations/tasks", capture={"id": "id"}),
    poll=Call("GET", "/api/v3/contents/generations/tasks/{id}"),
    cancel=Call("DELETE", "/api/v3/contents/generations/tasks/{id}"),
    probe=Call("GET", "/api/v3/contents/generations/tasks?page_num=1&page_size=1"),
    status=Status(
        "status",
        {
            "queued": State.QUEUED,
            "running": State.RUNNING,
            "succeeded": State.SUCCEEDED,
            "failed": State.FAILED,
            "expired": State.FAILED,
            "cancelled": State.CANCELED,
        },
        error="error.message",
    ),
    codes=Codes(
        ("error.code",),
        {
            **dict.fromkeys(("*SensitiveContentDetected*", "*RiskDetection*"), "content_policy"),
            **dict.fromkeys(("AuthenticationError", "AccessDenied", "OperationDenied"), "authentication"),
            **dict.fromkeys(("AccountOverdueError", "InvalidSubscription", "QuotaExceeded"), "quota"),
            **dict.fromkeys(("RateLimitExceeded", "ServerOverloaded"), "rate_limit"),
            **dict.fromkeys(("MissingParameter", "InvalidParameter", "InvalidEndpoint"), "invalid_request"),
            **dict.fromkeys(("ModelNotFound", "InvalidEndpointOrModel"), "invalid_request"),
            "InternalServiceError": "unavailable",
        },
    ),
    request_id_header="X-Request-Id",
    webhook=Webhook("callback_url", "id"),
    inputs={"image": Input(), "video": Input(("url",)), "audio": Input(("url",))},
    result_ttl_s=86_400,  # about a day; the exact figure is unconfirmed
    tasks={
        "text-to-video": _made("references"),
        "image-to-video": _made("image", "last_image"),
        "video-to-video": _made("video", "references"),
        "video-extension": _made("video"),
    },
)
