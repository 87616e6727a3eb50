"""DashScope: Alibaba's Wan and HappyHorse on Model Studio. A job is a model, its input and its parameters.

Newer models take a list of media with their types; `flat` ones, up to Wan 2.6, have a field for each; `kf2v` ones,
first and last frame, have a path of their own. Local inputs go to a store for 48 hours and are named `oss://…`, which
counts only with a header. Only what is pending can be canceled. Keys and jobs belong to a region. `UNKNOWN` is said of
a job that is older than a day, or of another region: nothing is known of it, so that it is no word of the table.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from aggregator import casts
from aggregator import contract as c

_Fields = dict[str, str | c.To]
_FRAMES = {"image": "first_frame", "last_image": "last_frame"}
_TYPES = {"video": "reference_video", **_FRAMES, "references": "reference_image"}
_SAID: _Fields = {name: f"input.{name}" for name in ("prompt", "negative_prompt")}
_SHOT: _Fields = {"duration_s": "parameters.duration", "seed": "parameters.seed", "audio": "parameters.audio"}
_QUALITY = c.To("parameters.resolution", values={"480p": "480P", "720p": "720P", "1080p": "1080P"})
_SIZE = c.To("parameters.size", values={"480p": "832*480", "720p": "1280*720", "1080p": "1920*1080"})
_FLAT: _Fields = {**_SAID, **_SHOT, "resolution": _QUALITY}
_BODY: _Fields = {**_FLAT, "aspect_ratio": "parameters.ratio"}
_WIDE: _Fields = {**_FLAT, "resolution": _SIZE}  # one size says both; only 16:9 is mapped


def _upload(source: c.UploadSource) -> c.Flow:
    """A policy for this model, then a form to the store that it names."""
    answer = yield c.HttpRequest("GET", "/api/v1/uploads?action=getPolicy&model={endpoint}")
    policy = json.loads(answer.body)["data"]
    key = f"{policy['upload_dir']}/{casts.file_name(source)}"
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
    parts = (*(c.Part(name, str(value)) for name, value in fields.items()), casts.part("file", source))
    yield c.HttpRequest("POST", policy["upload_host"], parts=parts, trusted=False)
    return f"oss://{key}"


def _sent(shape: Callable[[list[tuple[str, str]]], c.Json], values: Mapping[str, Any]) -> c.Json:
    """The inputs in their shape, and the header that stored ones need; in a plan they are not stored yet."""
    given = casts.inputs(values, *_TYPES)
    stored = any(text.startswith(("oss://", "<sha256:")) for _, text in given)
    return {"input": shape(given), **({"@headers": {"X-DashScope-OssResourceResolve": "enable"}} if stored else {})}


def _seconds(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is made and, where a clip is sent in, that as well."""
    made, sent = values["duration_s"], values.get("video")
    length = 0 if sent is None else sent.duration_s
    return None if length is None else (str(made + length), str(made + length))


def _made(fields: _Fields, *inputs: str, build: Any = None) -> c.Endpoint:
    files, seconds = c.Files("output.video_url", "video/mp4"), c.Meter("video_second", _seconds, "usage.duration")
    taken = {**fields, **dict.fromkeys(inputs, c.BUILD)}
    return c.Endpoint(taken, {"model": "{endpoint}"}, build, files, (seconds,))


def _ordered(path: str) -> c.Call:
    url, headers = f"/api/v1/services/aigc/{path}/video-synthesis", {"X-DashScope-Async": "enable"}
    return c.Call("POST", url, capture={"id": "output.task_id"}, headers=headers)


_MEDIA = partial(
    _sent, lambda given: {"media": [{"type": _TYPES[name], "url": url} for name, url in given]} if given else {}
)
_CLIP = partial(_sent, lambda given: {"media": [{"type": "first_clip", "url": url} for _, url in given]})
_URLS = partial(_sent, lambda given: {"reference_urls": [url for _, url in given]})
_IMAGE = partial(_sent, lambda given: {"img_url": next((url for _, url in given), None)})
_ENDS = partial(_sent, lambda given: {f"{_TYPES[name]}_url": url for name, url in given})
_GENERATE = c.Call("POST", "/api/v1/services/aigc/multimodal-generation/generation", read_s=300)
_AT_ONCE: c.Dialect = {"submit": _GENERATE, "poll": None, "cancel": None, "status": None}
_LANGUAGES = {"zh": "Chinese", "en": "English", "de": "German", "it": "Italian", "pt": "Portuguese", "es": "Spanish"}
_LANGUAGES |= {"ja": "Japanese", "ko": "Korean", "fr": "French", "ru": "Russian"}


def _asked(values: Mapping[str, Any]) -> c.Json:
    return {"input": {"messages": [{"role": "user", "content": [{"text": values["prompt"]}]}]}}


def _letters(values: Mapping[str, Any]) -> tuple[str, str]:
    """In thousands. A Chinese character is two, a Japanese or Korean one that is written as one as well."""
    text = str(values["text"])
    count = str(Decimal(len(text) + sum("\u3400" <= one <= "\u9fff" for one in text)) / 1000)
    return count, count


_DRAWN = c.Endpoint(
    {
        "prompt": c.BUILD,
        "negative_prompt": "parameters.negative_prompt",
        "size": c.To("parameters.size", form="{}*{}"),
        "seed": "parameters.seed",
    },
    {"model": "{endpoint}", "parameters": {"n": 1, "watermark": False}},
    _asked,
    c.Files("output.choices[].message.content[].image", "image/png"),
    (c.Meter("image", "1"),),
    dialect="multimodal",
)
_SPOKEN = c.Endpoint(
    {"text": "input.text", "voice": "input.voice", "language": c.To("input.language_type", values=_LANGUAGES)},
    {"model": "{endpoint}"},
    files=c.Files("output.audio.url", "audio/wav"),
    meters=(c.Meter("kilo_character", _letters),),
    dialect="multimodal",
)
_WORDS = c.words(
    queued="PENDING SUSPENDED", running="RUNNING", succeeded="SUCCEEDED", failed="FAILED", canceled="CANCELED"
)

PROVIDER = c.Provider(
    name="dashscope",
    docs="https://www.alibabacloud.com/help/en/model-studio",
    checked="2026-11-20",
    base_url="https://dashscope-intl.aliyuncs.com",  # Singapore; Beijing: https://dashscope.aliyuncs.com
    auth=c.Auth(env=("DASHSCOPE_API_KEY",)),
    submit=_ordered("video-generation"),
    poll=c.Call("GET", "/api/v1/tasks/{id}"),
    cancel=c.Call("POST", "/api/v1/tasks/{id}/cancel"),
    probe=c.Call("GET", "/api/v1/tasks?page_no=1&page_size=1"),
    status=c.Status("output.task_status", _WORDS),
    codes=c.Codes(
        ("output.code", "code"),
        c.kinds(
            authentication="InvalidApiKey AccessDenied Model.AccessDenied Workspace.AccessDenied",
            quota="Arrearage AllocationQuota.FreeTierOnly",
            rate_limit="Throttling",
            invalid_request="InvalidParameter BadRequest ModelNotFound",
            content_policy="DataInspectionFailed IPInfringementSuspect",
            unavailable="InternalError",
        ),
    ),
    error_message=("output.message", "message"),
    upload=_upload,
    upload_ttl_s=48 * 3600,  # for one model and account (alibabacloud.com/help/en/model-studio/get-temporary-file-url)
    inputs={"": c.Input(("url", "upload"))},
    result_ttl_s=86_400,
    dialects={"multimodal": _AT_ONCE, "flat": {}, "kf2v": {"submit": _ordered("image2video")}},
    tasks={
        "text-to-video": _made(_BODY, "references", build=_MEDIA),
        "image-to-video": _made(_BODY, "image", "last_image", build=_MEDIA),
        "video-to-video": _made(_BODY, "video", "references", build=_MEDIA),
        "video-extension": _made(_BODY, "video", build=_CLIP),
        "text-to-video@flat": _made(_WIDE),
        "image-to-video@flat": _made(_FLAT, "image", build=_IMAGE),
        "video-to-video@flat": _made(_WIDE, "video", "references", build=_URLS),
        "text-to-image": _DRAWN,
        "text-to-speech": _SPOKEN,
        "image-to-video@kf2v": _made(_FLAT, "image", "last_image", build=_ENDS),
    },
)
