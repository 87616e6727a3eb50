"""PixVerse: every input is registered first and ordered by its number, public addresses as well; states are numbers.

What is wrong is said in `ErrCode`, on HTTP 200; a refusal by its own filter is the state 7. Every request carries an
`Ai-trace-id` of its own: a job ordered twice with the same one is the same job. There is no cancel. A callback is asked
for by the number of an address that is registered with the account, and wants the answer `ok`.
"""

import json
from collections.abc import Generator, Mapping
from copy import deepcopy
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import hmac_fields

_STATES = c.words(succeeded="1", running="2 3 5", canceled="6", failed="7 8")
_SHOT = {"prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed"}
_SHOT |= {"duration_s": "duration", "resolution": "quality"}
_ONE, _HEARD = c.Meter("video", "1"), c.Meter("input_audio_second", "request.input_audio_seconds")
_MODEL = {"model": "{endpoint}"}
_IMAGES = dict.fromkeys(("img_id", "first_frame_img", "last_frame_img"), ("image", "image", "img_id"))
_INPUTS = {**_IMAGES, **dict.fromkeys(("video_media_id", "audio_media_id"), ("media", "file", "media_id"))}
"""Where each input of a body is registered, under which name, and what its number is called."""


def _submit(order: c.Order) -> Generator[c.HttpRequest | c.Paid, c.HttpResponse, Mapping[str, str]]:
    """Register what goes in, and write its number in place of its text; then order."""
    body: Any = deepcopy(order.body)
    kind = body.pop("@path")["kind"]
    holders = (body, *body.get("image_references", ()))
    inputs = [(holder, name) for holder in holders for name in _INPUTS if isinstance(holder.get(name), str)]
    numbers: dict[str, int] = {}
    for text, (place, field, number) in [(holder[name], _INPUTS[name]) for holder, name in inputs]:
        local = order.inputs.get(text)
        part = c.Part(f"{field}_url", text) if local is None else casts.part(field, local)
        answer = yield c.HttpRequest("POST", f"/openapi/v2/{place}/upload", parts=(part,))
        numbers[text] = int(json.loads(answer.body)["Resp"][number])
    for holder, name in inputs:
        holder[name] = numbers[holder[name]]
    answer = yield c.Paid(c.HttpRequest("POST", f"/openapi/v2/video/{kind}/generate", json=body))
    return {"id": str(json.loads(answer.body)["Resp"]["video_id"])}


def _shot(values: Mapping[str, Any]) -> c.Json:
    """The path by what goes in: words, a first frame, two frames, or pictures that the prompt names `@ref_1`."""
    if "last_image" in values:
        frames = {"first_frame_img": values.get("image"), "last_frame_img": values["last_image"]}
        return {"@path": {"kind": "transition"}, **frames}
    if "image" in values:
        return {"@path": {"kind": "img"}, "img_id": values["image"]}
    pictures = enumerate(casts.pictures(values), 1)
    named: list[Any] = [{"type": "subject", "img_id": text, "ref_name": f"ref_{n}"} for n, text in pictures]
    return {"@path": {"kind": "fusion"}, "image_references": named} if named else {"@path": {"kind": "text"}}


def _clip(values: Mapping[str, Any]) -> c.Json:
    """A clip of its own by its number, any other as registered media."""
    video = str(values.get("video", ""))
    return {"source_video_id": int(video)} if video.isdigit() else {"video_media_id": video}


def _made(fields: Mapping[str, str], *inputs: str, meter: c.Meter = _ONE, **rest: Any) -> c.Endpoint:
    return c.Endpoint(
        {**fields, **dict.fromkeys(inputs, c.BUILD)},
        files=c.Files("Resp.url", "video/mp4"),
        meters=(meter,),
        facts={"seed": "Resp.seed"},
        refs={"video": "Resp.id"},
        **rest,
    )


_VOICE, _LIPS = {"audio": "audio_media_id"}, {"@path.kind": "lip_sync"}
_OWN = {"video": c.Input(("ref:video", "part", "url"), 50 * 2**20)}
_BALANCE = c.Call("GET", "/openapi/v2/account/balance")

PROVIDER = c.Provider(
    name="pixverse",
    docs="https://docs.platform.pixverse.ai",
    checked="2026-11-20",
    base_url="https://app-api.pixverse.ai",  # China: https://app-api.pixverseai.cn
    auth=c.Auth(env=("PIXVERSE_API_KEY",), header="API-KEY", template="{key}"),
    headers={"Ai-trace-id": "{nonce}"},
    idempotency_header="Ai-trace-id",  # no replay: what a second order answers is not said
    submit=_submit,
    poll=c.Call("GET", "/openapi/v2/video/result/{id}"),
    probe=_BALANCE,
    free={"balance": _BALANCE, "voices": c.Call("GET", "/openapi/v2/video/lip_sync/tts_list")},
    status=c.Status("Resp.status", _STATES),
    refusal=c.Refusal("ErrCode", (0,)),
    codes=c.Codes(
        ("Resp.status", "ErrCode"),
        c.kinds(
            authentication="400012 500020",
            quota="500060 500090",
            rate_limit="500044",
            invalid_request="400011 400013 400017 400018 400019 400032 500008 500030 500031 500032 500033",
            content_policy="7 500054 500063",
            unavailable="500041",
        ),
    ),
    error_message=("ErrMsg",),
    webhook=hmac_fields("", "id", prefix="webhook", reply=b"ok", status=c.Status("status", _STATES)),
    inputs={"": c.Input(("part", "url"), 20 * 2**20)},
    tasks={
        "text-to-video": _made({**_SHOT, "aspect_ratio": "aspect_ratio"}, "references", build=_shot, fixed=_MODEL),
        "image-to-video": _made(_SHOT, "image", "last_image", build=_shot, fixed=_MODEL),
        "video-extension": _made(_SHOT, "video", build=_clip, fixed={**_MODEL, "@path.kind": "extend"}, inputs=_OWN),
        "lip-sync": _made(_VOICE, "video", build=_clip, fixed=_LIPS, meter=_HEARD, inputs=_OWN),
    },
)
