"""Luma's older API, Dream Machine: Ray 2 and Photon, with a key of its own. Luma calls it legacy; no end is announced.

Pictures and clips go by address only. What it made goes on by its generation's id: an extension begins with it, and an
enlargement is ordered below it. There is no cancel and no charge in the answers, and deliveries are not signed.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

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

_STRENGTHS = [f"{word}_{step}" for word in ("adhere", "flex", "reimagine") for step in (1, 2, 3)]


def _keyframes(values: Mapping[str, Any]) -> Json:
    """Where a clip begins and ends: a picture, or for an extension the clip that goes before."""
    if "video" in values:
        return {"keyframes": {"frame0": {"type": "generation", "id": values["video"]}}}
    frames = {"frame0": values.get("image"), "frame1": values.get("last_image")}
    given: Json = {name: {"type": "image", "url": url} for name, url in frames.items() if url is not None}
    return {"keyframes": given} if given else {}


def _references(values: Mapping[str, Any]) -> Json:
    """The picture to change, and each reference where its role belongs."""
    body: Json = {"modify_image_ref": {"url": values["image"]}} if "image" in values else {}
    given = values.get("references", ())
    images: list[JsonValue] = [one["image"] for one in given if one["role"] == "character"]
    if images:
        body["character_ref"] = {"identity0": {"images": images}}
    for name, roles in (("style_ref", ("style", "look")), ("image_ref", ("object",))):
        urls: list[JsonValue] = [{"url": one["image"]} for one in given if one["role"] in roles]
        if urls:
            body[name] = urls
    return body


def _strength(value: JsonValue) -> JsonValue:
    """From 0 (keep the clip) to 1 (imagine it anew), in the vendor's nine steps."""
    return _STRENGTHS[min(8, int(float(str(value)) * 9))]


def _at(path: str) -> Call:
    return Call("POST", f"/generations/{path}", capture={"id": "id"})


_MODEL: Json = {"model": "{endpoint}"}
_SHAPE: Mapping[str, str | To] = {"prompt": "prompt", "aspect_ratio": "aspect_ratio"}
_CLIP: Mapping[str, str | To] = {**_SHAPE, "resolution": "resolution", "duration_s": To("duration", form="{}s")}
_VIDEO, _IMAGE = Files("assets.video", "video/mp4"), Files("assets.image", "image/*")
_OWN = {"generation": "{id}"}


def _clip(**fields: str) -> Endpoint:
    meters = (Meter("video_second", "request.duration_s"),)
    fixed: Json = {**_MODEL, "generation_type": "video"}
    return Endpoint({**_CLIP, **fields}, fixed, _keyframes, _VIDEO, meters, refs=_OWN, submit=_at("video"))


def _still(**fields: str) -> Endpoint:
    shown: Mapping[str, str | To] = {"format": To("format", values={"jpeg": "jpg", "png": "png"}), "references": BUILD}
    fixed: Json = {**_MODEL, "generation_type": "image"}
    meters = (Meter("image", "1"),)
    return Endpoint({**_SHAPE, **shown, **fields}, fixed, _references, _IMAGE, meters, submit=_at("image"))


PROVIDER = Provider(
    name="luma_dream_machine",
    docs="https://docs.lumalabs.ai",
    checked="2026-11-20",
    base_url="https://api.lumalabs.ai/dream-machine/v1",
    auth=Auth(env=("LUMAAI_API_KEY",)),
    submit=_at("video"),
    poll=Call("GET", "/generations/{id}"),
    probe=Call("GET", "/credits"),
    free={"balance": Call("GET", "/credits")},
    status=Status(
        "state",
        {"queued": State.QUEUED, "dreaming": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED},
        error="failure_reason",
    ),
    codes=Codes(("failure_reason",), {"*moderat*": "content_policy"}),  # only a text, whose wording is not documented
    inputs={"": Input(("url",)), "video": Input(("ref:generation", "url"))},
    webhook=Webhook("callback_url", "id"),
    tasks={
        "text-to-video": _clip(),
        "image-to-video": _clip(image=BUILD, last_image=BUILD),
        "video-extension": _clip(video=BUILD),
        "video-to-video": Endpoint(
            {"video": "media.url", "prompt": "prompt", "strength": To("mode", cast=_strength)},
            {**_MODEL, "generation_type": "modify_video", "mode": "flex_1"},
            files=_VIDEO,
            meters=(Meter("video_second", "request.input_video_seconds"),),
            inputs={"video": Input(("url",))},
            submit=_at("video/modify"),
        ),
        "video-upscaling": Endpoint(
            {"video": "@path.of", "resolution": "resolution"},
            {"generation_type": "upscale_video"},
            files=_VIDEO,
            meters=(Meter("video", "1"),),
            inputs={"video": Input(("ref:generation",))},
            submit=_at("{of}/upscale"),
        ),
        "text-to-image": _still(),
        "image-to-image": _still(image=BUILD),
    },
)
