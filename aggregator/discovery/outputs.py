"""Where a published output schema says the files are. Pure."""

from collections.abc import Mapping
from typing import Any

from aggregator.discovery.slots import Slot

__all__ = ["facts_of", "files_of"]

_IMAGE = ("images", "image", "output", "outputs")
_VIDEO = ("video", "videos", "output", "outputs")
_AUDIO = ("audio", "audio_file", "audio_url", "audios", "output", "outputs")
_PLACES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("text-to-image", "image-to-image"), _IMAGE),
    "image-upscaling": ("image", *_IMAGE),
    **dict.fromkeys(("text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music"), _AUDIO),
    "video-to-audio": ("audio", "audio_file", "video"),
}
BLANKED = "has_nsfw_concepts"
"""fal: which pictures were blanked on a success."""


def files_of(outputs: Mapping[str, Slot], task: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """`files` of a row; `None` where the schema does not say, and the provider's own place counts."""
    for name in _PLACES.get(task, _VIDEO):
        slot = outputs.get(name)
        path = _address(slot) if slot is not None else None
        if path is None:
            continue
        found: dict[str, Any] = {"path": path, "mime_type": _mime_type(path, task, row)}
        if (blanked := outputs.get(BLANKED)) is not None and blanked.is_a("array"):
            found["blocked"] = {"path": f"{BLANKED}[]", "values": [True]}
        return found
    return None


def facts_of(outputs: Mapping[str, Slot]) -> dict[str, str]:
    """What else of the answer is worth keeping."""
    prompt = next((name for name in ("actual_prompt", "revised_prompt") if name in outputs), None)
    return {**({"prompt": prompt} if prompt else {}), **({"seed": "seed"} if "seed" in outputs else {})}


def _address(slot: Slot) -> str | None:
    """The path of the address in a file, a list of files, or of plain addresses."""
    if "url" in slot.parts:
        return f"{slot.path}.url"
    if slot.is_a("array") and slot.items is not None:
        if "url" in slot.items.parts:
            return f"{slot.path}[].url"
        return f"{slot.path}[]" if slot.items.is_a("string") else None
    return slot.path if slot.is_a("string") else None


def _mime_type(path: str, task: str, row: Mapping[str, Any]) -> str:
    if task in _PLACES and _PLACES[task][0] in ("images", "image"):
        default = row.get("defaults", {}).get("format")
        return f"image/{default}" if default else "image/*"
    if task == "video-to-audio" or task not in _PLACES:
        return "audio/*" if path.startswith("audio") else "video/mp4"
    return "audio/*"
