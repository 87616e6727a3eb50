"""Luma's older API, Dream Machine: Ray 2 and Photon, with a key of its own. Luma calls it legacy; no end is announced.

Pictures and clips go by address only. What it made goes on by its generation's id: an extension begins with it, and an
enlargement is ordered below it. There is no cancel and no charge in the answers, and deliveries are not signed.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import contract as c


def _keyframes(values: Mapping[str, Any]) -> c.Json:
    """Where a clip begins and ends: a picture, or for an extension the clip that goes before."""
    if "video" in values:
        return {"keyframes": {"frame0": {"type": "generation", "id": values["video"]}}}
    frames = {"frame0": values.get("image"), "frame1": values.get("last_image")}
    given: c.Json = {name: {"type": "image", "url": url} for name, url in frames.items() if url is not None}
    return {"keyframes": given} if given else {}


def _references(values: Mapping[str, Any]) -> c.Json:
    """The picture to change, and each reference where its role belongs."""
    body: dict[str, Any] = {"modify_image_ref": {"url": values["image"]}} if "image" in values else {}
    given = values.get("references", ())
    if images := [one["image"] for one in given if one["role"] == "character"]:
        body["character_ref"] = {"identity0": {"images": images}}
    for name, roles in (("style_ref", ("style", "look")), ("image_ref", ("object",))):
        if urls := [{"url": one["image"]} for one in given if one["role"] in roles]:
            body[name] = urls
    return body


def _strength(value: Any) -> str:
    """From 0 (keep the clip) to 1 (imagine it anew), in the vendor's nine steps."""
    word, step = divmod(min(8, int(value * 9)), 3)
    return f"{('adhere', 'flex', 'reimagine')[word]}_{step + 1}"


def _at(path: str) -> c.Call:
    return c.Call("POST", f"/generations/{path}", capture={"id": "id"})


_MODEL: c.Json = {"model": "{endpoint}"}
_Fields = Mapping[str, str | c.To]
_SHAPE: _Fields = {"prompt": "prompt", "aspect_ratio": "aspect_ratio"}
_CLIP: _Fields = {**_SHAPE, "resolution": "resolution", "duration_s": c.To("duration", form="{}s")}
_VIDEO, _IMAGE = c.Files("assets.video", "video/mp4"), c.Files("assets.image", "image/*")
_WORDS = c.words(queued="queued", running="dreaming", succeeded="completed", failed="failed")
_OWN = {"generation": "{id}"}
_LIST = c.Call("GET", "/generations?limit=100")
_ASKED = (
    *("model", "generation_type", "prompt", "aspect_ratio", "resolution", "duration", "keyframes", "media", "mode"),
    *("modify_image_ref", "character_ref", "style_ref", "image_ref"),
)


def _clip(**fields: str) -> c.Endpoint:
    meters = (c.Meter("video_second", "request.duration_s"),)
    fixed: c.Json = {**_MODEL, "generation_type": "video"}
    return c.Endpoint({**_CLIP, **fields}, fixed, _keyframes, _VIDEO, meters, refs=_OWN, submit=_at("video"))


def _still(**fields: str) -> c.Endpoint:
    formats = {"format": c.To("format", values={"jpeg": "jpg", "png": "png"})}
    shown: _Fields = {**_SHAPE, **formats, "references": c.BUILD, **fields}
    fixed: c.Json = {**_MODEL, "generation_type": "image"}
    return c.Endpoint(shown, fixed, _references, _IMAGE, (c.Meter("image", "1"),), submit=_at("image"))


PROVIDER = c.Provider(
    name="luma_dream_machine",
    docs="https://docs.lumalabs.ai",
    checked="2026-11-20",
    base_url="https://api.lumalabs.ai/dream-machine/v1",
    auth=c.Auth(env=("LUMAAI_API_KEY",)),
    submit=_at("video"),
    poll=c.Call("GET", "/generations/{id}"),
    probe=c.Call("GET", "/credits"),
    free={"balance": c.Call("GET", "/credits")},
    status=c.Status("state", _WORDS, error="failure_reason"),
    # Only a text, whose wording is not documented.
    codes=c.Codes(("failure_reason",), c.kinds(content_policy="*moderat*")),
    inputs={"": c.Input(("url",)), "video": c.Input(("ref:generation", "url"))},
    webhook=c.Webhook("callback_url", "id"),
    # What was asked for stands in each (lumaai 1.21.0, types/generation.py); the order of the list is not said.
    lookup=c.Lookup(_LIST, "generations", created="created_at", equal={name: f"request.{name}" for name in _ASKED}),
    served_model="model",
    tasks={
        "text-to-video": _clip(),
        "image-to-video": _clip(image=c.BUILD, last_image=c.BUILD),
        "video-extension": _clip(video=c.BUILD),
        "video-to-video": c.Endpoint(
            {"video": "media.url", "prompt": "prompt", "strength": c.To("mode", cast=_strength)},
            {**_MODEL, "generation_type": "modify_video", "mode": "flex_1"},
            files=_VIDEO,
            meters=(c.Meter("video_second", "request.input_video_seconds"),),
            inputs={"video": c.Input(("url",))},
            submit=_at("video/modify"),
        ),
        "video-upscaling": c.Endpoint(
            {"video": "@path.of", "resolution": "resolution"},
            {"generation_type": "upscale_video"},
            files=_VIDEO,
            meters=(c.Meter("video", "1"),),
            inputs={"video": c.Input(("ref:generation",))},
            submit=_at("{of}/upscale"),
        ),
        "text-to-image": _still(),
        "image-to-image": _still(image=c.BUILD),
    },
)
