"""PixVerse: every input is registered first and ordered by its number, public addresses as well; states are numbers.

What is wrong is said in `ErrCode`, on HTTP 200; a refusal by its own filter is the state 7. Every request carries an
`Ai-trace-id` of its own: a job ordered twice with the same one is the same job. There is no cancel. A callback is asked
for by the number of an address that is registered with the account, and wants the answer `ok`.
"""

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from aggregator import contract as c
from aggregator.contract import BUILD, Call, Endpoint, HttpRequest, Json, Meter, Part, State, Status
from aggregator.signing import hmac_fields

_STATES = {"1": State.SUCCEEDED, "2": State.RUNNING, "3": State.RUNNING, "5": State.RUNNING}
_STATES |= {"6": State.CANCELED, "7": State.FAILED, "8": State.FAILED}
_INVALID = (
    "400011",
    "400013",
    "400017",
    "400018",
    "400019",
    "400032",
    "500008",
    "500030",
    "500031",
    "500032",
    "500033",
)
_INPUTS = {"img_id", "first_frame_img", "last_frame_img", "video_media_id", "audio_media_id"}


def _named(body: JsonValue) -> Iterator[tuple[str, str]]:
    """Every input of a body: the name it stands under, and its text."""
    if isinstance(body, dict):
        yield from ((name, text) for name, text in body.items() if name in _INPUTS and isinstance(text, str))
    for inner in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from _named(inner)


def _numbered(body: Any, numbers: Mapping[str, int]) -> Any:
    """The body with the numbers of its inputs in place of their texts."""
    if isinstance(body, dict):
        return {
            name: numbers[inner] if name in _INPUTS and isinstance(inner, str) else _numbered(inner, numbers)
            for name, inner in body.items()
        }
    return [_numbered(inner, numbers) for inner in body] if isinstance(body, list) else body


def _submit(order: c.Order) -> Generator[HttpRequest | c.Paid, c.HttpResponse, Mapping[str, str]]:
    """Register what goes in, then order."""
    body: dict[str, Any] = dict(order.body)
    kind = body.pop("@path")["kind"]
    numbers: dict[str, int] = {}
    for name, text in _named(body):
        place, field = ("media", "file") if name.endswith("media_id") else ("image", "image")
        local = order.inputs.get(text)
        part = Part(f"{place}_url" if place == "image" else "file_url", text)
        if local is not None:
            file = f"{local.sha256[:16]}.{local.mime_type.partition('/')[2]}"
            part = Part(field, c.Body(local.path, local.size_bytes), file, local.mime_type)
        answer = yield HttpRequest("POST", f"/openapi/v2/{place}/upload", parts=(part,))
        numbers[text] = int(json.loads(answer.body)["Resp"]["img_id" if place == "image" else "media_id"])
    answer = yield c.Paid(HttpRequest("POST", f"/openapi/v2/video/{kind}/generate", json=_numbered(body, numbers)))
    return {"id": str(json.loads(answer.body)["Resp"]["video_id"])}


def _shot(values: Mapping[str, Any]) -> Json:
    """The path by what goes in: words, a first frame, two frames, or pictures that the prompt names `@ref_1`."""
    if "last_image" in values:
        frames = {"first_frame_img": values.get("image"), "last_frame_img": values["last_image"]}
        return {"@path": {"kind": "transition"}, **frames}
    if "image" in values:
        return {"@path": {"kind": "img"}, "img_id": values["image"]}
    pictures = enumerate(values.get("references", ()), 1)
    named: list[Any] = [{"type": "subject", "img_id": one["image"], "ref_name": f"ref_{n}"} for n, one in pictures]
    return {"@path": {"kind": "fusion"}, "image_references": named} if named else {"@path": {"kind": "text"}}


def _source(kind: str) -> Any:
    """A clip of its own by its number, any other as registered media."""

    def build(values: Mapping[str, Any]) -> Json:
        video = str(values.get("video", ""))
        own = {"source_video_id": int(video)} if video.isdigit() else {"video_media_id": video}
        return {"@path": {"kind": kind}, **own}

    return build


_SHOT: dict[str, str | c.To] = {
    **{name: name for name in ("prompt", "negative_prompt", "seed")},
    "duration_s": "duration",
    "resolution": "quality",
}


def _made(fields: Mapping[str, str | c.To], *inputs: str, meter: Meter | None = None, **rest: Any) -> Endpoint:
    return Endpoint(
        {**fields, **dict.fromkeys(inputs, BUILD)},
        files=c.Files("Resp.url", "video/mp4"),
        meters=(meter or Meter("video", "1"),),
        facts={"seed": "Resp.seed"},
        refs={"video": "Resp.id"},
        **rest,
    )


_MODEL = {"model": "{endpoint}"}
_OWN = {"video": c.Input(("ref:video", "part", "url"), 50 * 2**20)}

PROVIDER = c.Provider(
    name="pixverse",
    docs="https://docs.platform.pixverse.ai",
    checked="2026-11-20",
    base_url="https://app-api.pixverse.ai",  # China: https://app-api.pixverseai.cn
    auth=c.Auth(env=("PIXVERSE_API_KEY",), header="API-KEY", template="{key}"),
    headers={"Ai-trace-id": "{nonce}"},
    idempotency="replay",
    idempotency_header="Ai-trace-id",
    submit=_submit,
    poll=Call("GET", "/openapi/v2/video/result/{id}"),
    probe=Call("GET", "/openapi/v2/account/balance"),
    free={
        "balance": Call("GET", "/openapi/v2/account/balance"),
        "voices": Call("GET", "/openapi/v2/video/lip_sync/tts_list"),
    },
    status=Status("Resp.status", _STATES),
    refusal=c.Refusal("ErrCode", (0,)),
    codes=c.Codes(
        ("Resp.status", "ErrCode"),
        {
            **dict.fromkeys(("7", "500054", "500063"), "content_policy"),
            **dict.fromkeys(("400012", "500020"), "authentication"),
            **dict.fromkeys(("500060", "500090"), "quota"),
            **dict.fromkeys(_INVALID, "invalid_request"),
            "500044": "rate_limit",
            "500041": "unavailable",
        },
    ),
    error_message=("ErrMsg",),
    webhook=hmac_fields("", "id", prefix="webhook", reply=b"ok", status=Status("status", _STATES)),
    inputs={"": c.Input(("part", "url"), 20 * 2**20)},
    tasks={
        "text-to-video": _made({**_SHOT, "aspect_ratio": "aspect_ratio"}, "references", build=_shot, fixed=_MODEL),
        "image-to-video": _made(_SHOT, "image", "last_image", build=_shot, fixed=_MODEL),
        "video-extension": _made(_SHOT, "video", build=_source("extend"), fixed=_MODEL, inputs=_OWN),
        "lip-sync": _made(
            {"audio": "audio_media_id"},
            "video",
            build=_source("lip_sync"),
            meter=Meter("input_audio_second", "request.input_audio_seconds"),
            inputs=_OWN,
        ),
    },
)
