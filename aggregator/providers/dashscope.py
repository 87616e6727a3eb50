"""DashScope: Alibaba's Wan and HappyHorse on Model Studio. A job is a model, its input and its parameters.

Newer models take a list of media with their types; `flat` ones, up to Wan 2.6, have a field for each; `kf2v` ones,
first and last frame, have a path of their own. Local inputs go to a store for 48 hours and are named `oss://…`, which
counts only with a header. Only what is pending can be canceled. Keys and jobs belong to a region. `UNKNOWN` is said of
a job that is older than a day, or of another region: nothing is known of it, so that it is no word of the table.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aggregator import contract as c
from aggregator.contract import Call, Endpoint, HttpRequest, Json, Part, State, To

_TYPES = {
    "video": "reference_video",
    "image": "first_frame",
    "last_image": "last_frame",
    "references": "reference_image",
}


def _upload(source: c.UploadSource) -> c.Flow:
    """A policy for this model, then a form to the store that it names."""
    answer = yield HttpRequest("GET", "/api/v1/uploads?action=getPolicy&model={endpoint}")
    policy = json.loads(answer.body)["data"]
    key = f"{policy['upload_dir']}/{source.sha256[:16]}.{source.mime_type.partition('/')[2]}"
    fields = {
        "OSSAccessKeyId": policy["oss_access_key_id"],
        "Signature": policy["signature"],
        "policy": policy["policy"],
        "key": key,
        "x-oss-object-acl": policy["x_oss_object_acl"],
        "x-oss-forbid-overwrite": policy["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": source.mime_type,
    }
    file = Part("file", c.Body(source.path, source.size_bytes), key.rpartition("/")[2], source.mime_type)
    parts = (*(Part(name, str(value)) for name, value in fields.items()), file)
    yield HttpRequest("POST", policy["upload_host"], parts=parts, trusted=False)
    return f"oss://{key}"


def _inputs(shape: Callable[[list[tuple[str, Any]]], Json]) -> Callable[[Mapping[str, Any]], Json]:
    """The inputs in their shape, and the header that stored ones need; in a plan they are not stored yet."""

    def build(values: Mapping[str, Any]) -> Json:
        lists = ((name, values.get(name, [])) for name in _TYPES)
        each = [(name, one) for name, found in lists for one in (found if isinstance(found, list) else [found])]
        texts = [(name, one["image"] if isinstance(one, dict) else one) for name, one in each]
        stored = any(text.startswith(("oss://", "<sha256:")) for _, text in texts)
        return {"input": shape(texts), **({"@headers": {"X-DashScope-OssResourceResolve": "enable"}} if stored else {})}

    return build


_MEDIA = _inputs(lambda each: {"media": [{"type": _TYPES[name], "url": text} for name, text in each]} if each else {})
_CLIP = _inputs(lambda each: {"media": [{"type": "first_clip", "url": text} for _, text in each]})
_URLS = _inputs(lambda each: {"reference_urls": [text for _, text in each]})
_IMAGE = _inputs(lambda each: {"img_url": next(iter(text for _, text in each), None)})
_FRAMES = _inputs(lambda each: {f"{_TYPES[name]}_url": text for name, text in each})


def _seconds(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is made and, where a clip is sent in, that as well."""
    made, sent = values["duration_s"], values.get("video")
    length = 0 if sent is None else sent.duration_s
    return None if length is None else (str(made + length), str(made + length))


_Fields = dict[str, str | To]
_BODY: _Fields = {
    "prompt": "input.prompt",
    "negative_prompt": "input.negative_prompt",
    "duration_s": "parameters.duration",
    "resolution": To("parameters.resolution", values={"480p": "480P", "720p": "720P", "1080p": "1080P"}),
    "aspect_ratio": "parameters.ratio",
    "seed": "parameters.seed",
    "audio": "parameters.audio",
}
_FLAT = {name: to for name, to in _BODY.items() if name != "aspect_ratio"}
_WIDE: _Fields = {
    **_FLAT,  # one size says both; only 16:9 is mapped
    "resolution": To("parameters.size", values={"480p": "832*480", "720p": "1280*720", "1080p": "1920*1080"}),
}


def _made(fields: _Fields, *inputs: str, **rest: Any) -> Endpoint:
    return Endpoint(
        fields={**fields, **dict.fromkeys(inputs, c.BUILD)},
        fixed={"model": "{endpoint}"},
        files=c.Files("output.video_url", "video/mp4"),
        meters=(c.Meter("video_second", _seconds, reported="usage.duration"),),
        **rest,
    )


def _ordered(path: str) -> Call:
    return Call(
        "POST",
        f"/api/v1/services/aigc/{path}/video-synthesis",
        capture={"id": "output.task_id"},
        headers={"X-DashScope-Async": "enable"},
    )


PROVIDER = c.Provider(
    name="dashscope",
    docs="https://www.alibabacloud.com/help/en/model-studio",
    checked="2026-11-20",
    base_url="https://dashscope-intl.aliyuncs.com",  # Singapore; Beijing: https://dashscope.aliyuncs.com
    auth=c.Auth(env=("DASHSCOPE_API_KEY",)),
    submit=_ordered("video-generation"),
    poll=Call("GET", "/api/v1/tasks/{id}"),
    cancel=Call("POST", "/api/v1/tasks/{id}/cancel"),
    probe=Call("GET", "/api/v1/tasks?page_no=1&page_size=1"),
    status=c.Status(
        "output.task_status",
        {"PENDING": State.QUEUED, "SUSPENDED": State.QUEUED, "RUNNING": State.RUNNING}
        | {"SUCCEEDED": State.SUCCEEDED, "FAILED": State.FAILED, "CANCELED": State.CANCELED},
    ),
    codes=c.Codes(
        ("output.code", "code"),
        {
            **dict.fromkeys(("DataInspectionFailed", "IPInfringementSuspect"), "content_policy"),
            **dict.fromkeys(("InvalidApiKey", "AccessDenied", "Model.AccessDenied"), "authentication"),
            "Workspace.AccessDenied": "authentication",
            **dict.fromkeys(("Arrearage", "AllocationQuota.FreeTierOnly"), "quota"),
            **dict.fromkeys(("InvalidParameter", "BadRequest", "ModelNotFound"), "invalid_request"),
            "Throttling": "rate_limit",
            "InternalError": "unavailable",
        },
    ),
    error_message=("output.message", "message"),
    upload=_upload,
    inputs={"": c.Input(("url", "upload"))},
    result_ttl_s=86_400,
    dialects={"flat": {}, "kf2v": {"submit": _ordered("image2video")}},
    tasks={
        "text-to-video": _made(_BODY, "references", build=_MEDIA),
        "image-to-video": _made(_BODY, "image", "last_image", build=_MEDIA),
        "video-to-video": _made(_BODY, "video", "references", build=_MEDIA),
        "video-extension": _made(_BODY, "video", build=_CLIP),
        "text-to-video@flat": _made(_WIDE),
        "image-to-video@flat": _made(_FLAT, "image", build=_IMAGE),
        "video-to-video@flat": _made(_WIDE, "video", "references", build=_URLS),
        "image-to-video@kf2v": _made(_FLAT, "image", "last_image", build=_FRAMES),
    },
)
