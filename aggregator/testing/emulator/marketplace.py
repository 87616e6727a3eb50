"""What a model of a marketplace makes, told from its name and its input: hosts of a thousand models have no table."""

import re
from collections.abc import Mapping
from typing import Any

from aggregator.testing.emulator.jobs import Kind, Order, order

__all__ = ["kind_of", "ordered", "size_of"]

_IMAGE = re.compile(r"(text|image)-to-image(?!-to)|image-upscal|gen4-image|-image$|/image")
_VIDEO = re.compile(
    r"video|veo|kling|wan[-/.]|hailuo|seedance|ltx|minimax/h3|sora|/ray-|gen4|pixverse|vidu|mochi|/dop/|lip-?sync|mmaudio"
    r"|omnihuman|avatar|/film$|rife|interpolat|fabric|infinitalk|live-portrait|latentsync|musetalk|thinksound|marey"
    r"|gemini-omni|agent/ray"
)
_AUDIO = re.compile(r"speech|tts|music|audio|kokoro|lyria|chatterbox|sound|orpheus|sonic|rhythm")
_SURELY_AUDIO = re.compile(
    r"(text|audio)-to-(audio|music|sound|speech)|video-to-music|/tts|voice-changer|voice-conver|ace-step|sfx|/foley"
)
_SOUNDED = re.compile(r"mmaudio|thinksound|foley|sound-effects|lip-?sync|musetalk|avatar|infinitalk|omnihuman")
"""Clips with the sound that was put to them."""
_NAMED = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
_SHORT_SIDES = {
    "480": 480,
    "512": 512,
    "540": 540,
    "720": 720,
    "768": 768,
    "1080": 1080,
    "1k": 1024,
    "2k": 1440,
    "4k": 2160,
}
_MIME_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}


def kind_of(name: str) -> Kind:
    """Whether a model makes pictures, clips or sound."""
    low = name.lower()
    if _SURELY_AUDIO.search(low):
        return "audio"
    if _IMAGE.search(low) and "-to-video" not in low:
        return "image"
    if _VIDEO.search(low):
        return "video"
    return "audio" if _AUDIO.search(low) else "image"


def ordered(name: str, given: Mapping[str, Any], *, usd: str | None = None) -> Order:
    """The order behind a call of a model."""
    kind = kind_of(name)
    width, height = size_of(kind, given) if kind != "audio" else (None, None)
    formats = _SOUNDS if kind == "audio" else _MIME_TYPES
    asked = str(given.get("output_format") or given.get("audio_format") or "").lower()
    return order(
        kind,
        width=width,
        height=height,
        duration_s=_seconds(given),
        count=int(given.get("num_images") or given.get("num_outputs") or 1) if kind == "image" else 1,
        audio=bool(given.get("generate_audio") or _SOUNDED.search(name.lower())),
        text=str(given.get("prompt") or given.get("text") or ""),
        usd=usd,
        mime=formats.get(asked) if kind != "video" else None,
    )


def size_of(kind: Kind, given: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height: as they are given, by their name, or by resolution and ratio."""
    size = given.get("image_size") or given.get("target_size")
    if isinstance(size, Mapping):
        return int(size["width"]), int(size["height"])
    if size in _NAMED:
        return _NAMED[str(size)]
    if given.get("width") and given.get("height"):
        return int(given["width"]), int(given["height"])
    if found := re.fullmatch(r"(\d+)[x*](\d+)", str(given.get("size", ""))):
        return int(found[1]), int(found[2])
    short = _SHORT_SIDES.get(str(given.get("resolution", "")).lower().rstrip("p"), 720 if kind == "video" else 1024)
    ratio = re.fullmatch(r"(\d+):(\d+)", str(given.get("aspect_ratio", "")))
    across, down = (int(ratio[1]), int(ratio[2])) if ratio else (16, 9) if kind == "video" else (1, 1)
    scale = short / min(across, down)
    return _even(across * scale), _even(down * scale)


def _even(edge: float) -> int:
    return round(edge / 2) * 2


def _seconds(given: Mapping[str, Any]) -> float | None:
    text = str(given.get("duration") or "").removesuffix("s")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
