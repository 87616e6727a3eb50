"""MiniMax: two generations of video, and speech, music and pictures that are answered at once.

The newer generation (H3) takes a list of contents and answers errors as HTTP errors; `v1` (Hailuo) names a file that
must be asked for, and like all of the older API says what is wrong in `base_resp`, on HTTP 200. Sound comes as
hexadecimal text. Callbacks are not signed; the first one is a question. Keys belong to one host.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import contract as c
from aggregator.contract import BUILD, Call, Endpoint, Json, Meter, State, Status, To

_CODES: dict[str, c.ErrorKind] = {
    **dict.fromkeys(("1004", "2049", "2061"), "authentication"),
    **dict.fromkeys(("1008", "1028", "1030", "2056"), "quota"),
    **dict.fromkeys(("1002", "1041", "2045"), "rate_limit"),
    **dict.fromkeys(("1026", "1027"), "content_policy"),
    **dict.fromkeys(("1039", "1042", "1043", "1044", "2013", "2037", "20132"), "invalid_request"),
    **dict.fromkeys(("1000", "1001", "1024", "1033"), "unavailable"),
}
_FREE_IMAGES = {"minimax-h3": 5, "minimax-h3-max": 2}
_SCENES = {"queued": State.QUEUED, "running": State.RUNNING, "succeeded": State.SUCCEEDED}
_ENDS = {"failed": State.FAILED, "expired": State.FAILED, "cancelled": State.CANCELED}
_STAGES = {"Preparing": State.QUEUED, "Queueing": State.QUEUED, "Processing": State.RUNNING}
_SAID = {"processing": State.RUNNING, "success": State.SUCCEEDED, "failed": State.FAILED}
_ROLES = {
    "image": ("image_url", "first_frame"),
    "last_image": ("image_url", "last_frame"),
    "references": ("image_url", "reference_image"),
    "video": ("video_url", "reference_video"),
}


def _contents(values: Mapping[str, Any]) -> Json:
    """The prompt, then each input with its role."""
    items: list[Any] = [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
    for name, (kind, role) in _ROLES.items():
        found = values.get(name, [])
        for one in found if isinstance(found, list) else [found]:
            url = one["image"] if isinstance(one, dict) else one
            items.append({"type": kind, kind: {"url": url}, "role": role})
    return {"content": items}


def _subject(values: Mapping[str, Any]) -> Json:
    likes: list[Any] = [{"type": "character", "image": [one["image"]]} for one in values.get("references", ())]
    return {"subject_reference": likes} if likes else {}


def _likeness(values: Mapping[str, Any]) -> Json:
    likes: list[Any] = [{"type": "character", "image_file": one["image"]} for one in values.get("references", ())]
    return {"subject_reference": likes} if likes else {}


def _song(values: Mapping[str, Any]) -> Json:  # without words it would be refused
    return {"lyrics": values["lyrics"]} if "lyrics" in values else {"is_instrumental": True}


def _paid_images(values: Mapping[str, Any]) -> tuple[str, str]:
    """The first few pictures are free: five, with the fast model two."""
    sent = sum(name in values for name in ("image", "last_image")) + len(values.get("references", ()))
    paid = str(max(0, sent - _FREE_IMAGES[values["model"]]))
    return paid, paid


def _scene(*inputs: str, **fields: str) -> Endpoint:
    seconds = Meter("video_second", "request.duration_s", reported="task.usage.output_seconds")
    sent = Meter("input_video_second", "request.input_video_seconds", reported="task.usage.input_seconds")
    quality = To("resolution", values={"480p": "480P", "768p": "768P", "2k": "2K"})
    return Endpoint(
        {**dict.fromkeys(("prompt", *inputs), BUILD), "duration_s": "duration", "resolution": quality, **fields},
        fixed={"model": "{endpoint}"},
        build=_contents,
        files=c.Files("task.content.url", "video/mp4"),
        meters=(seconds, sent if "video" in inputs else Meter("input_image", _paid_images)),
    )


def _clip(build: Any = None, **fields: str | To) -> Endpoint:
    quality = To("resolution", values={"512p": "512P", "720p": "720P", "768p": "768P", "1080p": "1080P"})
    return Endpoint(
        {"prompt": "prompt", "duration_s": "duration", "resolution": quality, **fields},
        fixed={"model": "{endpoint}"},
        build=build,
        files=c.Files("file.download_url", "video/mp4"),
        meters=(Meter("video", "1"),),
    )


_REFUSAL = c.Refusal("base_resp.status_code", (0,))
_V1: c.Dialect = {
    "submit": Call("POST", "/v1/video_generation", capture={"id": "task_id"}),
    "poll": Call("GET", "/v1/query/video_generation?task_id={id}"),
    "follow": (c.Follow(Call("GET", "/v1/files/retrieve?file_id={file_id}"), needs={"file_id": "file_id"}),),
    "cancel": None,
    "status": Status("status", {**_STAGES, "Success": State.SUCCEEDED, "Fail": State.FAILED}),
    "refusal": _REFUSAL,
    "webhook": c.Webhook("callback_url", "task_id", Status("status", _SAID), challenge="challenge"),
}
_AT_ONCE: c.Dialect = {"poll": None, "status": None, "cancel": None, "webhook": None, "refusal": _REFUSAL}
_VOICE = {"text": "text", "voice": "voice_setting.voice_id", "speed": "voice_setting.speed"}
_VOICE |= {"format": "audio_setting.format"}
_SPOKEN = {"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean"}

PROVIDER = c.Provider(
    name="minimax",
    docs="https://platform.minimax.io/docs",
    checked="2026-11-20",
    base_url="https://api.minimax.io",  # China: https://api.minimaxi.com
    auth=c.Auth(env=("MINIMAX_API_KEY",)),
    submit=Call("POST", "/v2/video_generation", capture={"id": "task_id"}),
    poll=Call("GET", "/v2/query/video_generation/{id}"),
    cancel=Call("DELETE", "/v2/video_generation/{id}"),
    probe=Call("GET", "/v2/query/video_generation?page_num=1&page_size=1"),
    free={"files": Call("GET", "/v1/files/list")},
    status=Status("task.status", {**_SCENES, **_ENDS}, error="task.error.message"),
    codes=c.Codes(
        ("base_resp.status_code", "task.error.code", "error.message"),
        {**_CODES, **{f"*({code})*": kind for code, kind in _CODES.items()}},
    ),
    error_message=("base_resp.status_msg", "task.error.message", "error.message"),
    webhook=c.Webhook("callback_url", "task_id", challenge="challenge"),
    inputs={"": c.Input(), "video": c.Input(("url",))},
    dialects={"v1": _V1, "sync": _AT_ONCE},
    tasks={
        "text-to-video": _scene("references", aspect_ratio="ratio"),
        "image-to-video": _scene("image", "last_image"),
        "video-to-video": _scene("video", "references", aspect_ratio="ratio"),
        "text-to-video@v1": _clip(_subject, references=BUILD),
        "image-to-video@v1": _clip(image="first_frame_image", last_image="last_frame_image"),
        "text-to-speech": Endpoint(
            {**_VOICE, "language": To("language_boost", values=_SPOKEN)},
            fixed={"model": "{endpoint}", "output_format": "hex", "voice_setting.voice_id": "male-qn-qingse"},
            files=c.Files("data.audio", "audio/mpeg", form="hex"),
            meters=(Meter("character", "request.characters", reported="extra_info.usage_characters"),),
            submit=Call("POST", "/v1/t2a_v2"),
            dialect="sync",
        ),
        "text-to-music": Endpoint(
            {"prompt": "prompt", "lyrics": BUILD, "seed": "seed", "format": "audio_setting.format"},
            fixed={"model": "{endpoint}", "output_format": "hex"},
            build=_song,
            files=c.Files("data.audio", "audio/mpeg", form="hex"),
            meters=(Meter("request", "1"),),
            submit=Call("POST", "/v1/music_generation", read_s=600.0),
            dialect="sync",
        ),
        "text-to-image": Endpoint(
            {"prompt": "prompt", "aspect_ratio": "aspect_ratio", "size": "width height"}
            | {"seed": "seed", "references": BUILD},
            fixed={"model": "{endpoint}", "response_format": "url"},
            build=_likeness,
            files=c.Files("data.image_urls[]", "image/jpeg"),
            meters=(Meter("image", "1"),),
            submit=Call("POST", "/v1/image_generation"),
            dialect="sync",
        ),
    },
)
