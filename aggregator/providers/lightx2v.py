"""LightX2V's server (`python -m lightx2v.server`): clips and pictures as tasks of one queue, on a machine of your own.

There are no offers: write the card of what your server runs; it has one model, so `endpoint` is a name of your choice.
Its default is 81 frames at 16 a second, and it applies one adapter at a time (`limits.loras`); `infer_steps` goes into
`fixed` or `provider_options`. An order carries our own id, so that it is found again whatever became of the answer. A
full queue is refused with 503, and so is an id that it knows already: both prove that nothing was taken.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from aggregator import casts
from aggregator import contract as c

FPS = 16
"""Frames a second, unless it is told otherwise."""


def _turned(size: JsonValue) -> JsonValue:
    """Height first."""
    return size[::-1] if isinstance(size, list) else size


_PROMPTED: dict[str, str | c.To] = {"prompt": "prompt", "seed": "seed"}
_SHAPED: dict[str, str | c.To] = {"size": c.To("target_shape", _turned), "aspect_ratio": "aspect_ratio"}
_DRAWN = {**_PROMPTED, **_SHAPED, "negative_prompt": "negative_prompt", "loras": "lora_name lora_strength"}
_FILMED: dict[str, str | c.To] = {**_DRAWN, "fps": c.BUILD, "duration_s": c.BUILD}
_IMAGE: dict[str, str | c.To] = {"image": c.To("image_path", casts.bare)}


def _frames(values: Mapping[str, Any]) -> c.Json:
    """How long a clip is, which it counts in frames: of its own rate where no other is given."""
    seconds, fps = values.get("duration_s"), values.get("fps")
    frames = {} if seconds is None else {"target_video_length": round(seconds * (fps or FPS))}
    return {**frames, **({} if fps is None else {"target_fps": fps})}


def _task(kind: str, fields: Mapping[str, str | c.To], mime: str) -> c.Endpoint:
    return c.Endpoint(
        fields,
        build=_frames if "fps" in fields else None,
        files=c.Files(mime_type=mime, url="/v1/tasks/{id}/result"),
        submit=c.Call("POST", f"/v1/tasks/{kind}/", capture={"id": "task_id"}),
    )


PROVIDER = c.Provider(
    name="lightx2v",
    docs="https://github.com/ModelTC/LightX2V",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/v1/tasks/video/", capture={"id": "task_id"}),
    poll=c.Call("GET", "/v1/tasks/{id}/status"),
    # Cooperative: it may be done by the time it looks, so the next poll tells.
    cancel=c.Call("DELETE", "/v1/tasks/{id}"),
    status=c.Status(
        "status",
        c.words(queued="pending", running="processing", succeeded="completed", failed="failed", canceled="cancelled"),
        error="error",
    ),
    reference="task_id",
    lookup=c.Lookup(c.Call("GET", "/v1/tasks/{attempt}/status"), capture={"id": "task_id"}, reference="task_id"),
    never_accepted=frozenset({503}),
    probe=c.Call("GET", "/health"),
    free={
        "health": c.Call("GET", "/health"),
        "status": c.Call("GET", "/v1/service/status"),
        "queue": c.Call("GET", "/v1/tasks/queue/status"),
    },
    error_message=("detail[].msg", "detail", "error"),
    inputs={"": c.Input(("url", "data"), None)},
    tasks={
        "text-to-video": _task("video", _FILMED, "video/mp4"),
        "image-to-video": _task(
            "video", {**_FILMED, **_IMAGE, "last_image": c.To("last_frame_path", casts.bare)}, "video/mp4"
        ),
        "lip-sync": _task("video", {**_PROMPTED, **_IMAGE, "audio": c.To("audio_path", casts.bare)}, "video/mp4"),
        "text-to-image": _task("image", _DRAWN, "image/png"),
        "image-to-image": _task(
            "image", {**_DRAWN, **_IMAGE, "mask": c.To("image_mask_path", casts.bare)}, "image/png"
        ),
    },
)
