"""What several provider tables write in the same way: inputs in their order, bare base64, files on their way.

Pure, and total on the texts that stand for local inputs while a request is planned.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from aggregator.contract import Body, Endpoint, Files, HttpRequest, Json, Meter, Part, UploadSource

__all__ = ["bare", "complaints", "contents", "file_name", "hosted", "inputs", "part", "pictures", "put", "unknown"]

_FRAMES = {"image": "first_frame", "last_image": "last_frame"}
_ROLES = {**_FRAMES, "references": "reference_image", "video": "reference_video"}


def inputs(values: Mapping[str, Any], *names: str) -> list[tuple[str, str]]:
    """The inputs of these fields as far as they are given, each with its field's name: of a reference, its picture."""
    lists = ((name, values.get(name, [])) for name in names)
    each = ((name, one) for name, found in lists for one in (found if isinstance(found, list | tuple) else [found]))
    return [(name, one["image"] if isinstance(one, Mapping) else one) for name, one in each]


def pictures(values: Mapping[str, Any], *first: str) -> list[Any]:
    """The pictures of these fields as far as they are given, then those of the references."""
    return [text for _, text in inputs(values, *first, "references")]


def contents(values: Mapping[str, Any]) -> Json:
    """The prompt, then each input with the role it plays, as one list of `content`."""
    items: list[Any] = [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
    for name, url in inputs(values, *_ROLES):
        kind = "video_url" if name == "video" else "image_url"
        items.append({"type": kind, kind: {"url": url}, "role": _ROLES[name]})
    return {"content": items}


def bare(text: Any) -> str:
    """A data URI as its base64 alone; an address as it is."""
    return str(text).rpartition(";base64,")[2]


def complaints(body: JsonValue) -> str:
    """What a server of FastAPI's kind has against a request, field by field; empty where it says no such thing."""
    wrong: Any = body.get("detail") if isinstance(body, Mapping) else None
    each = [one for one in wrong if isinstance(one, Mapping)] if isinstance(wrong, list) else []
    return "; ".join(f"{'.'.join(map(str, one.get('loc') or ()))}: {one.get('msg')}" for one in each)


def unknown(_values: Mapping[str, Any]) -> None:
    """The quantity of what nobody can count before it has been billed."""


def file_name(source: UploadSource) -> str:
    """A name that says nothing but what the content is."""
    return f"{source.sha256[:16]}.{source.mime_type.partition('/')[2]}"


def part(name: str, source: UploadSource) -> Part:
    """A whole local input as a file of a form."""
    return Part(name, Body(source.path, source.size_bytes), file_name(source), source.mime_type)


def put(source: UploadSource, url: str, headers: Mapping[str, str] | None = None) -> HttpRequest:
    """A whole local input to an address that an answer named, which never gets the credential."""
    content = Body(source.path, source.size_bytes)
    return HttpRequest("PUT", url, headers or {"content-type": source.mime_type}, content=content, trusted=False)


_MADE = {
    "image": {"text-to-image": "prompt", "image-to-image": "image prompt", "image-upscaling": "image"},
    "video": {
        "text-to-video": "prompt",
        "image-to-video": "image",
        "video-to-video": "video prompt",
        "video-extension": "video",
        "video-upscaling": "video",
        "frame-interpolation": "video",
        "lip-sync": "audio",
    },
    "audio": {
        "text-to-speech": "text",
        "speech-to-speech": "audio",
        "text-to-sound": "prompt",
        "text-to-music": "prompt",
        "video-to-audio": "video",
    },
}
"""What each task makes, and what it must be given."""


def hosted(files: Files, *, reported: str | None = None, dialect: str = "", **more: Any) -> dict[str, Endpoint]:
    """Every task, of a host that runs whatever its owner has put there: what a task must be given is sent under its own
    name, and the offer row says what else the model takes and under which names. What a job costs is GPU time.

    Args:
        reported: Where the answer says how many seconds it took. more: Further words of each `Endpoint`.

    """
    meters = (Meter("gpu_second", unknown, reported=reported),)
    return {
        f"{task}@{dialect}" if dialect else task: Endpoint(
            {name: name for name in needed.split()},
            files=replace(files, mime_type=f"{kind}/*"),
            meters=meters,
            dialect=dialect,
            **more,
        )
        for kind, tasks in _MADE.items()
        for task, needed in tasks.items()
    }
