"""xAI: Grok Imagine. Pictures come in the answer; clips are asked for until HTTP 202 has become 200.

A clip that was stopped for what it shows is `done` with `respect_moderation` false, perhaps without an address. The
official Python client speaks gRPC: this table is from the one for TypeScript (@ai-sdk/xai 3.0.138) and the documents.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c

_Fields = Mapping[str, str | c.To]


def _pictures(values: Mapping[str, Any]) -> c.Json:
    """One picture is `image`, several are `images`, the one to edit first."""
    pictures: list[Any] = [{"url": url, "type": "image_url"} for url in casts.pictures(values, "image")]
    return {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}


def _references(urls: Any) -> Any:
    return [{"url": url} for url in urls]


def _image(fields: _Fields, *meters: c.Meter, **rest: Any) -> c.Endpoint:
    blocked = c.Blocked("data[].respect_moderation", (False,))
    files = c.Files("data[].b64_json", "image/jpeg", form="base64", blocked=blocked)
    fixed = {"model": "{endpoint}", "response_format": "b64_json"}
    return c.Endpoint(fields, fixed, files=files, meters=meters, **rest)


def _video(path: str, fields: _Fields, *meters: c.Meter) -> c.Endpoint:
    submit = c.Call("POST", f"/videos/{path}", capture={"id": "request_id"})
    files = c.Files("video.url", "video/mp4", blocked=c.Blocked("video.respect_moderation", (False,)))
    return c.Endpoint(fields, {"model": "{endpoint}"}, dialect="videos", submit=submit, files=files, meters=meters)


_SHAPE: _Fields = {"prompt": "prompt", "aspect_ratio": "aspect_ratio", "resolution": "resolution"}
_EDITED: _Fields = {**_SHAPE, "image": c.BUILD, "references": c.BUILD}
_SHOT: _Fields = {**_SHAPE, "duration_s": "duration"}
_GUIDED: _Fields = {**_SHOT, "references": c.To("reference_images", _references)}
_MOVED: _Fields = {"prompt": "prompt", "video": "video.url"}
_MADE, _ADDED = c.Meter("image", "1"), c.Meter("input_image", "request.input_images")
_SECONDS, _AGAIN = (c.Meter("video_second", f"request.{of}") for of in ("duration_s", "input_video_seconds"))
_SENT = c.Meter("input_video_second", "request.input_video_seconds")

PROVIDER = c.Provider(
    name="xai",
    docs="https://docs.x.ai/developers/rest-api-reference/inference/videos",
    checked="2026-11-20",
    base_url="https://api.x.ai/v1",
    auth=c.Auth(env=("XAI_API_KEY",)),
    submit=c.Call("POST", "/images/generations", read_s=600),
    probe=c.Call("GET", "/models"),
    free={"models": c.Call("GET", "/models")},
    codes=c.Codes(("error.code", "code"), {}),  # which there are is not documented: the HTTP status decides
    error_message=("error.message", "error"),
    charge=c.Charge("usage.cost_in_usd_ticks", "0.0000000001"),
    inputs={"image": c.Input(("url", "data")), "video": c.Input(("url",))},
    dialects={
        "videos": {
            "submit": c.Call("POST", "/videos/generations", capture={"id": "request_id"}),
            "poll": c.Call("GET", "/videos/{id}"),
            "status": c.Status(
                "status @status",  # the word, else what the HTTP status says
                c.words(running="pending 202", succeeded="done 200", failed="failed expired"),
                error="error.message",
                progress="progress",
                progress_of=100.0,
            ),
        }
    },
    served_model="model",
    tasks={
        "text-to-image": _image(_SHAPE, _MADE),
        "image-to-image": _image(
            _EDITED, _MADE, _ADDED, submit=c.Call("POST", "/images/edits", read_s=600), build=_pictures
        ),
        "text-to-video": _video("generations", _GUIDED, _SECONDS, _ADDED),
        "image-to-video": _video("generations", {**_SHOT, "image": "image.url"}, _SECONDS, _ADDED),
        "video-to-video": _video("edits", _MOVED, _AGAIN, _SENT),
        "video-extension": _video("extensions", {**_MOVED, "duration_s": "duration"}, _SECONDS, _SENT),
    },
)
