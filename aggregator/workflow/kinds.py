"""What a task or an edit takes and makes: pictures, clips, sounds. What connections are checked by."""

from collections.abc import Mapping
from functools import cache

from aggregator.editing.edits import EDITS, Edit, edit_from_json
from aggregator.errors import RequestError
from aggregator.tasks import TASKS, Request, request_from_json

__all__ = ["known_tasks", "made_by", "makes", "piece_from_json", "request_class", "starts_from", "takes"]

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "image": ("image",),
    "last_image": ("image",),
    "mask": ("image",),
    "video": ("video",),
    "audio": ("audio",),
    "references": ("image",),
}
"""What the inputs of tasks are, by their names."""


def known_tasks() -> tuple[str, ...]:
    """Every task, and every edit."""
    return (*TASKS, *EDITS)


def request_class(task: str) -> type[Request]:
    """What a step of this task orders.

    Raises:
        RequestError: There is no such task.

    """
    found = TASKS.get(task) or EDITS.get(task)
    if found is None:
        from difflib import get_close_matches

        close = get_close_matches(task, known_tasks(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known_tasks())}"
        raise RequestError(f"unknown task {task!r}; {hint}")
    return found


@cache
def takes(task: str) -> Mapping[str, tuple[str, ...]]:
    """The inputs of a task: which kinds each takes."""
    cls = request_class(task)
    if issubclass(cls, Edit):
        return cls.kinds
    return {name: kinds for name, kinds in _FIELDS.items() if name in cls.model_fields}


def starts_from(task: str) -> str | None:
    """The input that takes the last frame of a clip, or the clip, which a step continues; `None`: it has none."""
    return next((name for name in ("image", "video") if name in request_class(task).model_fields), None)


def makes(request: Request) -> str:
    """What it makes: `image`, `video` or `audio`."""
    if isinstance(request, Edit):
        return request.makes()
    return made_by(request.task)


def made_by(task: str) -> str:
    """What a task makes; nothing (`""`), if it is an edit, which may depend on what it is made from."""
    if task in EDITS:
        return ""
    made = task.rpartition("-")[2]
    if made == "image" or task == "image-upscaling":
        return "image"
    return "audio" if made in ("speech", "music", "sound", "audio") else "video"


def piece_from_json(value: Mapping[str, object]) -> Request:
    """Read back what `Request.as_json` wrote, of a task or an edit."""
    return edit_from_json(value) if value.get("task") in EDITS else request_from_json(value)
