"""local: the embedded backend. It makes animatics on any CPU with no key: a stand-in for previews and tests.

One endpoint for every task, one job id to poll. It bills nominal compute-seconds, so that a bill can be foreseen:
pictures and motion exactly, speech within bounds (the seconds spoken are known only afterwards). It replays
idempotency keys.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    Input,
    Meter,
    Provider,
    State,
    Status,
    To,
    UploadSource,
)
from aggregator.local.compute import compute_seconds, speech_seconds_bounds
from aggregator.local.defaults import default_size, frame_count, size_within_budget

_PROMPTED = {"prompt": "prompt", "seed": "seed"}
_PICTURE = {**_PROMPTED, "size": "width height", "format": "format"}
_MOTION = {
    **_PROMPTED,
    "size": "width height",
    "duration_s": "duration_s",
    "fps": "fps",
    "audio": "audio",
    "camera": "camera",
}
_SOUND = {**_PROMPTED, "duration_s": "duration_s", "format": "format"}


def _size(task: str, known: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height of what is made; `None` where they follow from an input that nobody has measured."""
    if "size" in known:
        return tuple(known["size"])
    image = known["image"]
    if image.width is None or image.height is None:
        return None
    if task == "image-upscaling":
        return round(image.width * known["factor"]), round(image.height * known["factor"])
    return size_within_budget(image.width / image.height, default_size(known["model"], task))


def _bill(task: str, known: Mapping[str, Any]) -> tuple[str, str] | None:
    """Lowest and highest nominal compute-seconds of a task."""
    if task == "text-to-speech":
        count = len(known["text"])
        bounds = (compute_seconds(task, characters=count, seconds=float(s)) for s in speech_seconds_bounds(count))
        low, high = map(str, bounds)
        return low, high
    seconds = float(known.get("duration_s", 0))
    pixels = frames = 0
    if task not in ("text-to-sound", "text-to-music"):
        size = _size(task, known)
        if size is None:
            return None
        pixels, frames = size[0] * size[1], frame_count(seconds, int(known.get("fps", 0)))
    total = str(compute_seconds(task, pixels=pixels, frames=frames, seconds=seconds))
    return total, total


def _endpoint(task: str, mime_type: str, **fields: str | To) -> Endpoint:
    return Endpoint(
        fields=fields,
        fixed={"model": "{endpoint}", "task": task},
        files=Files("outputs[].url", mime_type),
        meters=(Meter("compute_second", lambda known: _bill(task, known), reported="usage.compute_seconds"),),
        facts={"seed": "seed", "notes": "notes", "is_stand_in": "is_stand_in"},
    )


def _upload(source: UploadSource) -> Flow:
    answer = yield HttpRequest(
        "POST", "/v1/files", {"content-type": source.mime_type}, content=Body(source.path, source.size_bytes)
    )
    return str(json.loads(answer.body)["url"])


PROVIDER = Provider(
    name="local",
    docs="README.md",
    checked="2026-11-21",
    base_url="http://local.invalid",  # reached in process; a configured base_url makes it a server elsewhere
    auth=Auth(env=()),
    submit=Call("POST", "/v1/jobs", capture={"id": "id"}),
    poll=Call("GET", "/v1/jobs/{id}"),
    cancel=Call("DELETE", "/v1/jobs/{id}"),
    probe=Call("GET", "/v1/health"),
    status=Status("status", {state.value: state for state in State}, error="error.message", progress="progress"),
    codes=Codes(
        ("error.code",),
        {"content_policy": "content_policy", "invalid_input": "invalid_request", "render_failed": "job_failed"},
    ),
    input_path="input",
    upload=_upload,
    inputs={"": Input(("upload",))},
    idempotency="replay",
    idempotency_header="Idempotency-Key",
    bills_failures=False,
    tasks={
        "text-to-image": _endpoint("text-to-image", "image/png", **_PICTURE, negative_prompt="negative_prompt"),
        "image-to-image": _endpoint("image-to-image", "image/png", **_PICTURE, image="image", strength="strength"),
        "image-upscaling": _endpoint("image-upscaling", "image/png", image="image", factor="factor", format="format"),
        "text-to-video": _endpoint("text-to-video", "video/mp4", **_MOTION, negative_prompt="negative_prompt"),
        "image-to-video": _endpoint("image-to-video", "video/mp4", **_MOTION, image="image", last_image="last_image"),
        "text-to-speech": _endpoint(
            "text-to-speech",
            "audio/wav",
            text="text",
            voice="voice",
            language="language",
            format="format",
            speed="speed",
        ),
        "text-to-sound": _endpoint("text-to-sound", "audio/wav", **_SOUND),
        "text-to-music": _endpoint("text-to-music", "audio/wav", **_SOUND),
    },
)
