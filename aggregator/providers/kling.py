"""Kling: two generations side by side. The newer one names the model in the path and takes a list of contents; `v1`
names it in the body, has one path per kind of work, says `succeed`, and writes seconds as text.

Another `code` than 0 may come on HTTP 200. The newer one takes an API key; v1 also a token signed with a key pair,
written here as `access:secret`. Pictures travel as an address or as bare base64, videos as an address only. There is no
cancel. What the answer calls `billing` may be in yuan or in units of a package: nothing is booked from it.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from pydantic import JsonValue

from aggregator import contract as c
from aggregator.contract import BUILD, Call, Endpoint, Input, Json, Meter, State, Status, To
from aggregator.signing import jwt_hs256, standard_webhooks

_KINDS = ("text2video", "image2video", "video-extend", "lip-sync", "avatar/image2video")
_WORDS = {"submitted": State.QUEUED, "processing": State.RUNNING, "failed": State.FAILED}
_NEW, _OLD = ({**_WORDS, word: State.SUCCEEDED} for word in ("succeeded", "succeed"))


def _bearer(key: str, now_s: float) -> str:
    """An API key as it is; a key pair as a token that is good for half an hour."""
    access, pair, secret = key.partition(":")
    return jwt_hs256({"iss": access, "exp": int(now_s) + 1800, "nbf": int(now_s) - 5}, secret) if pair else key


def _bare(text: JsonValue) -> str:
    """An address as it is, a data URI as its base64 alone; a reference as its picture."""
    return str(text["image"] if isinstance(text, dict) else text).rpartition(";base64,")[2]


def _contents(**types: str) -> Callable[[Mapping[str, Any]], Json]:
    """Each field as an item of its type; what a prompt may point to (`@image_1`) is given that id."""

    def item(kind: str, value: Any, number: int) -> Json:
        named = {"refer_image": f"image_{number}", "base_video": f"video_{number}"}.get(kind)
        inside = {"text": value} if kind == "prompt" else {"url": _bare(value)}
        return {"type": kind, **inside, **({"id": named} if named else {})}

    def build(values: Mapping[str, Any]) -> Json:
        lists = ((kind, values[name]) for name, kind in types.items() if name in values)
        each = ((kind, found if isinstance(found, list) else [found]) for kind, found in lists)
        return {"contents": [item(kind, one, n) for kind, found in each for n, one in enumerate(found, 1)]}

    return build


def _mouth(values: Mapping[str, Any]) -> Json:
    """A clip by address or, one of Kling's own, by its id; the sound by address or as base64."""
    video = "video_url" if str(values["video"]).startswith("http") else "video_id"
    sound = "url" if str(values["audio"]).startswith("http") else "file"
    own = {video: values["video"], "audio_type": sound, f"audio_{sound}": _bare(values["audio"])}
    return {"input": {"mode": "audio2video", **own}}


def _fives(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Lips cost per five seconds of sound; whether those begun count whole is not said: from one to the other."""
    length = values["audio"].duration_s
    return None if length is None else (str(max(5, length)), str(5 * ceil(length / 5)))


def _v1(kind: str) -> c.Dialect:
    """One path of the older generation: where a job is ordered is where it is asked for."""
    return {
        "auth": c.Auth(env=("KLING_API_KEY",), sign=_bearer),
        "submit": Call("POST", f"/v1/videos/{kind}", capture={"id": "data.task_id"}),
        "poll": Call("GET", f"/v1/videos/{kind}/{{id}}"),
        "status": Status("data.task_status", _OLD),
        "webhook": standard_webhooks("callback_url", "task_id", status=Status("task_status", _OLD)),
    }


_Fields = dict[str, str | To]
_QUALITY: _Fields = {"resolution": "settings.resolution"}
_SHOT: _Fields = {"prompt": BUILD, "duration_s": "settings.duration", **_QUALITY}
_SHOT |= {"audio": To("settings.audio", values={"true": "native", "false": "off"})}
_RATIO: _Fields = {"aspect_ratio": "settings.aspect_ratio"}
_FRAMES: _Fields = {**_SHOT, "image": BUILD, "last_image": BUILD}
_OWN_SOUND: _Fields = {"audio": To("settings.audio", values={"true": "original", "false": "off"})}
_MOVED: _Fields = {"prompt": BUILD, "video": BUILD, "references": BUILD, **_QUALITY, **_OWN_SOUND}
_MODE: _Fields = {"resolution": To("mode", values={"720p": "std", "1080p": "pro"})}
_CLIP: _Fields = {"prompt": "prompt", "negative_prompt": "negative_prompt", "duration_s": To("duration", form="{:g}")}
_CLIP |= {**_MODE, "audio": To("sound", values={"true": "on", "false": "off"})}
_STILLS: _Fields = {"image": To("image", cast=_bare), "last_image": To("image_tail", cast=_bare)}
_FACE: _Fields = {"image": To("image", cast=_bare), "audio": To("sound_file", cast=_bare), "prompt": "prompt", **_MODE}
_NAMED: Json = {"model_name": "{endpoint}"}
_OMNI = _contents(prompt="prompt", image="first_frame", last_image="last_frame", references="refer_image")
_EDIT = _contents(prompt="prompt", video="base_video", references="refer_image")


def _new(fields: _Fields, billed: str = "request.duration_s", **rest: Any) -> Endpoint:
    files = c.Files("data.0.outputs[].url", "video/mp4")
    return Endpoint(fields, files=files, meters=(Meter("video_second", billed),), **rest)


def _old(fields: _Fields, billed: str | c.Quantity = "request.duration_s", **rest: Any) -> Endpoint:
    files, own = c.Files("data.task_result.videos[].url", "video/mp4"), {"video": "data.task_result.videos[].id"}
    return Endpoint(fields, files=files, meters=(Meter("video_second", billed),), refs=own, **rest)


PROVIDER = c.Provider(
    name="kling",
    docs="https://kling.ai/document-api",
    checked="2026-11-20",
    base_url="https://api-singapore.klingai.com",  # China: https://api-beijing.klingai.com
    auth=c.Auth(env=("KLING_API_KEY",)),
    submit=Call("POST", "/{endpoint}", capture={"id": "data.id"}),
    poll=Call("GET", "/tasks?task_ids={id}"),
    probe=Call("POST", "/tasks", body={"limit": 1}),
    status=Status("data.0.status", _NEW),
    refusal=c.Refusal("code", (0,)),
    codes=c.Codes(
        ("data.0.message", "data.task_status_msg", "code"),
        {
            **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1100", "1103", "1304"), "authentication"),
            **dict.fromkeys(("1101", "1102"), "quota"),
            **dict.fromkeys(("1200", "1201", "1202", "1203"), "invalid_request"),
            **dict.fromkeys(("1300", "1301", "*1300*", "*1301*", "*isk control*"), "content_policy"),
            **dict.fromkeys(("1302", "1303"), "rate_limit"),
            **dict.fromkeys(("5000", "5001", "5002"), "unavailable"),
        },
    ),
    error_message=("data.0.message", "data.task_status_msg", "message"),
    webhook=standard_webhooks("options.callback_url", "id", status=Status("status", _NEW)),
    inputs={"image": Input(("url", "data"), 50 * 2**20, ("image/jpeg", "image/png")), "video": Input(("url",))},
    result_ttl_s=30 * 86_400,
    dialects={"omni": {}, **{f"v1/{kind}": _v1(kind) for kind in _KINDS}},
    tasks={
        "text-to-video": _new({**_SHOT, **_RATIO, "prompt": "prompt"}),
        "image-to-video": _new(_FRAMES, build=_contents(prompt="prompt", image="first_frame", last_image="last_frame")),
        # Motion control: the picture moves as the clip does; its length is the clip's.
        "video-to-video": _new(
            _MOVED,
            "request.input_video_seconds",
            fixed={"settings.character_orientation": "video"},
            build=_contents(prompt="prompt", references="image", video="video"),
        ),
        "text-to-video@omni": _new({**_SHOT, **_RATIO, "references": BUILD}, build=_OMNI),
        "image-to-video@omni": _new({**_FRAMES, "references": BUILD}, build=_OMNI),
        "video-to-video@omni": _new({**_MOVED, "duration_s": "settings.duration"}, build=_EDIT),
        "text-to-video@v1/text2video": _old({**_CLIP, "aspect_ratio": "aspect_ratio"}, fixed=_NAMED),
        "image-to-video@v1/image2video": _old({**_CLIP, **_STILLS}, fixed=_NAMED),
        "video-extension@v1/video-extend": _old(
            {"video": "video_id", "prompt": "prompt", "negative_prompt": "negative_prompt"},
            inputs={"video": Input(("ref:video",))},
        ),
        "lip-sync@v1/lip-sync": _old(
            {"video": BUILD, "audio": BUILD}, _fives, build=_mouth, inputs={"video": Input(("ref:video", "url"))}
        ),
        "lip-sync@v1/avatar/image2video": _old(_FACE, "request.input_audio_seconds"),
    },
)
