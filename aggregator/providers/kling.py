"""Kling: two generations. The newer one names the model in the path and takes a list of contents; `v1` names it in the
body, has one path per kind of work, says `succeed`, and writes seconds as text. Another `code` than 0 may come on 200.

The newer one takes an API key; v1 also a token signed with a key pair, written here as `access:secret`. Pictures travel
as an address or bare base64, videos as an address. There is no cancel. `billing` may be in yuan: nothing is booked.
"""

from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import jwt_hs256, standard_webhooks

_KINDS = ("text2video", "image2video", "video-extend", "lip-sync", "avatar/image2video")
_NEW = c.words(queued="submitted", running="processing", succeeded="succeeded", failed="failed")
_OLD = c.words(queued="submitted", running="processing", succeeded="succeed", failed="failed")
_Fields = dict[str, str | c.To]
_NAMED, _TASK, _OURS = {"model_name": "{endpoint}"}, {"id": "data.task_id"}, "data.task_info.external_task_id"
_QUALITY: _Fields = {"prompt": c.BUILD, "resolution": "settings.resolution"}
_SOUND = c.To("settings.audio", values={"true": "native", "false": "off"})
_TIMED: _Fields = {**_QUALITY, "duration_s": "settings.duration", "audio": _SOUND}
_SHOT: _Fields = {**_TIMED, "aspect_ratio": "settings.aspect_ratio"}
_FRAMES: _Fields = {**_TIMED, "image": c.BUILD, "last_image": c.BUILD}
_OWN_SOUND = c.To("settings.audio", values={"true": "original", "false": "off"})
_MOVED: _Fields = {**_QUALITY, "video": c.BUILD, "references": c.BUILD, "audio": _OWN_SOUND}
_SAID: _Fields = {"prompt": "prompt", "negative_prompt": "negative_prompt"}
_MODE = c.To("mode", values={"720p": "std", "1080p": "pro"})
_HEARD = c.To("sound", values={"true": "on", "false": "off"})
_CLIP: _Fields = {**_SAID, "duration_s": c.To("duration", form="{:g}"), "resolution": _MODE, "audio": _HEARD}
_IMAGE, _LAST, _VOICE = (c.To(name, casts.bare) for name in ("image", "image_tail", "sound_file"))
_FACE: _Fields = {"prompt": "prompt", "resolution": _MODE, "image": _IMAGE, "audio": _VOICE}
_ENDS = {"image": "first_frame", "last_image": "last_frame"}
_NUMBERED = {"refer_image": "image", "base_video": "video"}


def _bearer(key: str, now_s: float) -> str:
    """An API key as it is; a key pair as a token that is good for half an hour."""
    access, pair, secret = key.partition(":")
    return jwt_hs256({"iss": access, "exp": int(now_s) + 1800, "nbf": int(now_s) - 5}, secret) if pair else key


def _contents(kinds: Mapping[str, str], values: Mapping[str, Any]) -> c.Json:
    """The prompt, then each input as an item of its kind; what a prompt may point to (`@image_1`) is given that id."""
    items: list[Any] = [{"type": "prompt", "text": values["prompt"]}] if "prompt" in values else []
    for name, kind in kinds.items():
        for number, (_, text) in enumerate(casts.inputs(values, name), 1):
            own = {"id": f"{_NUMBERED[kind]}_{number}"} if kind in _NUMBERED else {}
            items.append({"type": kind, "url": casts.bare(text), **own})
    return {"contents": items}


def _mouth(values: Mapping[str, Any]) -> c.Json:
    """A clip by address or, one of Kling's own, by its id; the sound by address or as base64."""
    video = "video_url" if str(values["video"]).startswith("http") else "video_id"
    sound = "url" if str(values["audio"]).startswith("http") else "file"
    own = {video: values["video"], "audio_type": sound, f"audio_{sound}": casts.bare(values["audio"])}
    return {"input": {"mode": "audio2video", **own}}


def _fives(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Lips cost per five seconds of sound; whether those begun count whole is not said: from one to the other."""
    length = values["audio"].duration_s
    return None if length is None else (str(max(5, length)), str(5 * ceil(length / 5)))


def _v1(kind: str) -> c.Dialect:
    """One path of the older generation: where a job is ordered is where it is asked for."""
    numbered = kind in _KINDS[:2]  # the others are not documented to take a number of ours
    found = c.Lookup(c.Call("GET", f"/v1/videos/{kind}/{{attempt}}"), capture=_TASK, reference=_OURS)
    return {
        "auth": c.Auth(env=("KLING_API_KEY",), sign=_bearer),
        "submit": c.Call("POST", f"/v1/videos/{kind}", capture=_TASK),
        "poll": c.Call("GET", f"/v1/videos/{kind}/{{id}}"),
        "status": c.Status("data.task_status", _OLD),
        "webhook": standard_webhooks("callback_url", "task_id", status=c.Status("task_status", _OLD)),
        "reference": "external_task_id" if numbered else "",
        "lookup": found if numbered else None,
    }


def _made(at: str, fields: _Fields, billed: str | c.Quantity = "request.duration_s", **rest: Any) -> c.Endpoint:
    return c.Endpoint(
        fields, files=c.Files(f"{at}.url", "video/mp4"), meters=(c.Meter("video_second", billed),), **rest
    )


_new = partial(_made, "data.0.outputs[]")
_old = partial(_made, "data.task_result.videos[]", refs={"video": "data.task_result.videos[].id"})
_CODES = c.kinds(
    authentication="1000 1001 1002 1003 1004 1100 1103 1304",
    quota="1101 1102",
    rate_limit="1302 1303",
    invalid_request="1200 1201 1202 1203",
    content_policy="1300 1301 *1300* *1301*",
    unavailable="5000 5001 5002",
)
_OWN, _ANY = {"video": c.Input(("ref:video",))}, {"video": c.Input(("ref:video", "url"))}
_AS_CLIP = {"settings.character_orientation": "video"}
_MOTION = partial(_contents, {"references": "image", "video": "video"})
_OMNI = partial(_contents, {**_ENDS, "references": "refer_image"})
_EDIT = partial(_contents, {"video": "base_video", "references": "refer_image"})

PROVIDER = c.Provider(
    name="kling",
    docs="https://kling.ai/document-api",
    checked="2026-11-20",
    base_url="https://api-singapore.klingai.com",  # China: https://api-beijing.klingai.com
    auth=c.Auth(env=("KLING_API_KEY",)),
    submit=c.Call("POST", "/{endpoint}", capture={"id": "data.id"}),
    poll=c.Call("GET", "/tasks?task_ids={id}"),
    probe=c.Call("POST", "/tasks", body={"limit": 1}),
    status=c.Status("data.0.status", _NEW),
    refusal=c.Refusal("code", (0,)),
    codes=c.Codes(("data.0.message", "data.task_status_msg", "code"), {**_CODES, "*isk control*": "content_policy"}),
    error_message=("data.0.message", "data.task_status_msg", "message"),
    webhook=standard_webhooks("options.callback_url", "id", status=c.Status("status", _NEW)),
    reference="options.external_task_id",  # one of its kind per account; what a second order with it gets is not said
    lookup=c.Lookup(c.Call("GET", "/tasks?external_task_ids={attempt}"), "data", reference="external_id"),
    inputs={"image": c.Input(("url", "data"), 50 * 2**20, ("image/jpeg", "image/png")), "video": c.Input(("url",))},
    result_ttl_s=30 * 86_400,
    dialects={"omni": {}, **{f"v1/{kind}": _v1(kind) for kind in _KINDS}},
    tasks={
        "text-to-video": _new({**_SHOT, "prompt": "prompt"}),
        "image-to-video": _new(_FRAMES, build=partial(_contents, _ENDS)),
        # Motion control: the picture moves as the clip does; its length is the clip's.
        "video-to-video": _new(_MOVED, "request.input_video_seconds", build=_MOTION, fixed=_AS_CLIP),
        "text-to-video@omni": _new({**_SHOT, "references": c.BUILD}, build=_OMNI),
        "image-to-video@omni": _new({**_FRAMES, "references": c.BUILD}, build=_OMNI),
        "video-to-video@omni": _new({**_MOVED, "duration_s": "settings.duration"}, build=_EDIT),
        "text-to-video@v1/text2video": _old({**_CLIP, "aspect_ratio": "aspect_ratio"}, fixed=_NAMED),
        "image-to-video@v1/image2video": _old({**_CLIP, "image": _IMAGE, "last_image": _LAST}, fixed=_NAMED),
        "video-extension@v1/video-extend": _old({**_SAID, "video": "video_id"}, inputs=_OWN),
        "lip-sync@v1/lip-sync": _old({"video": c.BUILD, "audio": c.BUILD}, _fives, build=_mouth, inputs=_ANY),
        "lip-sync@v1/avatar/image2video": _old(_FACE, "request.input_audio_seconds"),
    },
)
