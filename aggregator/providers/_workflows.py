"""ComfyUI's workflows, as both of its APIs take them: what makes one an attempt's own, what it makes, and what is wrong
with it. No table.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from aggregator import casts
from aggregator import contract as c

RANDOM = "{random}"
"""Stands in a workflow for a seed that nobody gave."""
_PREFIX = "filename_prefix"
_LISTED = 20
"""So many of the allowed values are said."""
_FAMILIES = {
    "image": "text-to-image image-to-image image-upscaling",
    "video": "text-to-video image-to-video video-to-video video-extension video-upscaling frame-interpolation lip-sync",
    "audio": "text-to-speech speech-to-speech text-to-sound text-to-music video-to-audio",
}
_BUSY = (c.Meter("gpu_second", casts.unknown, reported="gpu_seconds"),)


def own(nodes: Mapping[str, Any], job: str) -> None:
    """Gives the nodes file names of the job's own, and a seed where none was given: an identical graph would be
    answered from the cache, with the files of an earlier job.
    """
    for name, node in nodes.items():
        inputs = node.get("inputs", {})
        for key, value in inputs.items():
            if value == RANDOM:
                drawn = sha256(f"{job} {name} {key}".encode()).digest()
                inputs[key] = int.from_bytes(drawn[:4])  # of 32 bits: every node takes such a seed
            elif key == _PREFIX and isinstance(value, str):
                inputs[key] = f"{value}_{job[:8]}"


def file_name(source: c.UploadSource) -> str:
    """What an input is called there: by its contents."""
    kind = source.mime_type.partition("/")[2]
    ending = {"jpeg": "jpg", "mpeg": "mp3", "quicktime": "mov", "x-wav": "wav"}.get(kind, kind)
    return f"{source.sha256}.{ending}"


def endpoints(files: c.Files) -> Iterator[tuple[str, c.Endpoint]]:
    """Every task with its endpoint, whose files are of one family."""
    for family, tasks in _FAMILIES.items():
        found = c.Files(files.path, f"{family}/*", url=files.url, only=files.only)
        yield from ((task, c.Endpoint(files=found, meters=_BUSY)) for task in tasks.split())


def faults(nodes: Any) -> str:
    """What is wrong with a workflow, node by node, with what is allowed there."""
    return "; ".join(
        f"{node.get('class_type', 'node')} ({name}): {_fault(error)}"
        for name, node in (nodes.items() if isinstance(nodes, dict) else ())
        for error in node.get("errors", ())
    )


def _fault(error: Mapping[str, Any]) -> str:
    known = error.get("extra_info") or {}
    text = f"{error.get('message', '')}: {error.get('details', '')}".strip(": ")
    allowed = _allowed(known.get("input_config"))
    if error.get("type") != "value_not_in_list" or allowed is None:
        return text
    shown = ", ".join(map(str, allowed[:_LISTED])) + (", …" if len(allowed) > _LISTED else "")
    name, value = known.get("input_name", "it"), known.get("received_value")
    return f"{name} {value!r} is not on this server; it has {shown or 'none'}"


def _allowed(config: Any) -> list[Any] | None:
    """The values of an input: `[[…], {…}]` of older nodes, `["COMBO", {"options": […]}]` of newer ones."""
    if not isinstance(config, list) or not config:
        return None
    listed = config[0] if isinstance(config[0], list) else (config[1] if len(config) > 1 else {}).get("options")
    return listed if isinstance(listed, list) else None
