"""MiniMax: two generations of video, and speech, music and pictures that are answered at once.

The newer generation (H3) takes a list of contents and answers errors as HTTP errors; `v1` (Hailuo) names a file that
must be asked for, and like all of the older API says what is wrong in `base_resp`, on HTTP 200. Sound comes as
hexadecimal text. Callbacks are not signed; the first one is a question. Keys belong to one host.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c

_Fields = Mapping[str, str | c.To]
_MODEL = {"model": "{endpoint}"}
_HEX, _LINKED = {**_MODEL, "output_format": "hex"}, {**_MODEL, "response_format": "url"}


def _acting(urls: Any) -> Any:
    return [{"type": "character", "image": [url]} for url in urls]


def _pictured(urls: Any) -> Any:
    return [{"type": "character", "image_file": url} for url in urls]


def _song(values: Mapping[str, Any]) -> c.Json:  # without words it would be refused
    return {"lyrics": values["lyrics"]} if "lyrics" in values else {"is_instrumental": True}


def _shot(*resolutions: str) -> _Fields:
    quality = c.To("resolution", values={word: word.upper() for word in resolutions})
    return {"prompt": "prompt", "duration_s": "duration", "resolution": quality}


def _scene(*inputs: str, **fields: str) -> c.Endpoint:
    built, files = dict.fromkeys(("prompt", *inputs), c.BUILD), c.Files("task.content.url", "video/mp4")
    seconds = c.Meter("video_second", "request.duration_s", reported="task.usage.output_seconds")
    sent = c.Meter("input_video_second", "request.input_video_seconds", reported="task.usage.input_seconds")
    meters = (seconds, sent if "video" in inputs else c.Meter("input_image", "request.input_images"))
    return c.Endpoint({**_shot("480p", "768p", "2k"), **built, **fields}, _MODEL, casts.contents, files, meters)


def _clip(**fields: str | c.To) -> c.Endpoint:
    shot, files = _shot("512p", "720p", "768p", "1080p"), c.Files("file.download_url", "video/mp4")
    return c.Endpoint({**shot, **fields}, _MODEL, files=files, meters=(c.Meter("video", "1"),))


def _now(call: c.Call, fields: _Fields, fixed: Any, files: c.Files, meter: c.Meter, build: Any = None) -> c.Endpoint:
    return c.Endpoint(fields, fixed, build, files, (meter,), submit=call, dialect="sync")


_CODES = c.kinds(
    authentication="1004 2049 2061",
    quota="1008 1028 1030 2056",
    rate_limit="1002 1041 2045",
    invalid_request="1039 1042 1043 1044 2013 2037 20132",
    content_policy="1026 1027",
    unavailable="1000 1001 1024 1033",
)
_TOLD = {f"*({code})*": kind for code, kind in _CODES.items()}
_SCENES = c.words(
    queued="queued", running="running", succeeded="succeeded", failed="failed expired", canceled="cancelled"
)
_STAGES = c.words(queued="Preparing Queueing", running="Processing", succeeded="Success", failed="Fail")
_SAID = c.words(running="processing", succeeded="success", failed="failed")
_OLD: c.Dialect = {"cancel": None, "refusal": c.Refusal("base_resp.status_code", (0,))}
_SPOKEN = c.To("language_boost", values={"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean"})
_VOICE = {"voice": "voice_setting.voice_id", "speed": "voice_setting.speed", "format": "audio_setting.format"}
_SPEECH: _Fields = {"text": "text", **_VOICE, "language": _SPOKEN}
_SPEAKS = {**_HEX, "voice_setting.voice_id": "male-qn-qingse"}
_CHARACTERS = c.Meter("character", "request.characters", reported="extra_info.usage_characters")
_COMPOSE = c.Call("POST", "/v1/music_generation", read_s=600.0)
_SONG: _Fields = {"prompt": "prompt", "lyrics": c.BUILD, "seed": "seed", "format": "audio_setting.format"}
_SHAPE = {"prompt": "prompt", "aspect_ratio": "aspect_ratio", "size": "width height", "seed": "seed"}
_PICTURE: _Fields = {**_SHAPE, "references": c.To("subject_reference", _pictured)}
_SOUND, _STILL = c.Files("data.audio", "audio/mpeg", form="hex"), c.Files("data.image_urls[]", "image/jpeg")
_TRACK, _IMAGE = c.Meter("request", "1"), c.Meter("image", "1")

PROVIDER = c.Provider(
    name="minimax",
    docs="https://platform.minimax.io/docs",
    checked="2026-11-20",
    base_url="https://api.minimax.io",  # China: https://api.minimaxi.com
    auth=c.Auth(env=("MINIMAX_API_KEY",)),
    submit=c.Call("POST", "/v2/video_generation", capture={"id": "task_id"}),
    poll=c.Call("GET", "/v2/query/video_generation/{id}"),
    cancel=c.Call("DELETE", "/v2/video_generation/{id}"),
    probe=c.Call("GET", "/v2/query/video_generation?page_num=1&page_size=1"),
    free={"files": c.Call("GET", "/v1/files/list")},
    status=c.Status("task.status", _SCENES, error="task.error.message"),
    codes=c.Codes(("base_resp.status_code", "task.error.code", "error.message"), {**_CODES, **_TOLD}),
    error_message=("base_resp.status_msg", "task.error.message", "error.message"),
    webhook=c.Webhook("callback_url", "task_id", challenge="challenge"),
    inputs={"": c.Input(), "video": c.Input(("url",))},
    dialects={
        "v1": {
            **_OLD,
            "submit": c.Call("POST", "/v1/video_generation", capture={"id": "task_id"}),
            "poll": c.Call("GET", "/v1/query/video_generation?task_id={id}"),
            "follow": (c.Follow(c.Call("GET", "/v1/files/retrieve?file_id={file_id}"), {"file_id": "file_id"}),),
            "status": c.Status("status", _STAGES),
            "webhook": c.Webhook("callback_url", "task_id", c.Status("status", _SAID), challenge="challenge"),
        },
        "sync": {**_OLD, "poll": None, "status": None, "webhook": None},
    },
    tasks={
        "text-to-video": _scene("references", aspect_ratio="ratio"),
        "image-to-video": _scene("image", "last_image"),
        "video-to-video": _scene("video", "references", aspect_ratio="ratio"),
        "text-to-video@v1": _clip(references=c.To("subject_reference", _acting)),
        "image-to-video@v1": _clip(image="first_frame_image", last_image="last_frame_image"),
        "text-to-speech": _now(c.Call("POST", "/v1/t2a_v2"), _SPEECH, _SPEAKS, _SOUND, _CHARACTERS),
        "text-to-music": _now(_COMPOSE, _SONG, _HEX, _SOUND, _TRACK, _song),
        "text-to-image": _now(c.Call("POST", "/v1/image_generation"), _PICTURE, _LINKED, _STILL, _IMAGE),
    },
)
