"""The OpenAI dialect at an address of your own: `/images`, `/videos`, `/audio/speech` below `base_url`.

Many servers and relays speak it (vLLM-Omni, SGLang, LocalAI, Kokoro-FastAPI), though OpenAI's own videos API is gone.
There are no offers: write the card of what your server runs, with `endpoint` as its model name, and put what it takes
besides into `fields` and `fixed` (`seed`, `num_inference_steps`, Kokoro's `stream = false`). A key is only sent if the
configuration names its variable in `api_key_env`.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c


def _pictures(values: Mapping[str, Any]) -> c.Json:
    """One picture is the part `image`; several are parts of the name `image[]`, the one to edit first."""
    pictures = casts.pictures(values, "image")
    return {"image[]": pictures} if len(pictures) > 1 else {"image": values["image"]}


_Fields = Mapping[str, str | c.To]
_MODEL: c.Json = {"model": "{endpoint}"}
_BASE64: c.Json = {**_MODEL, "response_format": "b64_json"}
_SHAPE: _Fields = {"prompt": "prompt", "size": c.To("size", form="{}x{}")}
_IMAGE: _Fields = {**_SHAPE, "format": "output_format"}
_EDITED: _Fields = {**_IMAGE, "image": c.BUILD, "references": c.BUILD, "mask": "mask"}
_SPEECH = {"text": "input", "voice": "voice", "speed": "speed", "prompt": "instructions", "format": "response_format"}
_PICTURE = c.Files("data[].b64_json", "image/png", form="base64")
_SOUND = c.Files(mime_type="audio/mpeg", form="body")
_EDIT = c.Call("POST", "/images/edits", read_s=600)
_SPEAK = c.Call("POST", "/audio/speech", headers={"accept": "application/octet-stream"}, read_s=600)
_WORDS = c.words(queued="queued", running="in_progress", succeeded="completed", failed="failed")
_JOBS = c.Dialect(
    submit=c.Call("POST", "/videos", capture={"id": "id"}),
    poll=c.Call("GET", "/videos/{id}"),
    status=c.Status("status", _WORDS, error="error.message", progress="progress", progress_of=100.0),
    lookup=c.Lookup(
        c.Call("GET", "/videos?limit=100&order=desc"),
        "data",
        created="created_at",
        equal={"model": "model", "prompt": "prompt"},
    ),
)


def _video(url: str = "/videos", **fields: str | c.To) -> c.Endpoint:
    shot: _Fields = {**_SHAPE, "duration_s": c.To("seconds", form="{:g}"), **fields}
    submit = c.Call("POST", url, capture={"id": "id"})
    files = c.Files(mime_type="video/mp4", url="/videos/{id}/content")
    return c.Endpoint(shot, _MODEL, files=files, submit=submit, encoding="multipart", dialect="videos")


PROVIDER = c.Provider(
    name="openai_compatible",
    docs="https://developers.openai.com/api/reference/resources/videos",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/images/generations", read_s=600),
    probe=c.Call("GET", "/models"),
    free={"models": c.Call("GET", "/models")},
    codes=c.Codes(
        ("error.code", "error.type"),
        c.kinds(
            authentication="invalid_api_key",
            quota="insufficient_quota",
            rate_limit="rate_limit_exceeded",
            content_policy="moderation_blocked content_policy_violation",
        ),
    ),
    # Self-hosted servers have several error bodies: OpenAI's, FastAPI's `detail`, a bare text.
    error_message=(
        *("error.message", "detail.message", "detail.error.message", "detail[].msg", "detail", "message", "error"),
    ),
    request_id_header="x-request-id",
    inputs={"": c.Input(("part",), None)},
    dialects={
        "videos": _JOBS,
        # A failed job answers its poll with an HTTP error; DELETE stops the work (vllm-omni 0.30.0).
        "vllm_omni": {**_JOBS, "believes_body": True, "cancel": c.Call("DELETE", "/videos/{id}")},
        # DELETE only forgets the record and the work goes on: nothing to cancel with (sglang 0.5.23).
        # Its list does not say what was ordered.
        "sglang": {**_JOBS, "lookup": None},
    },
    tasks={
        "text-to-image": c.Endpoint(_IMAGE, _BASE64, files=_PICTURE),
        "image-to-image": c.Endpoint(_EDITED, _BASE64, _pictures, _PICTURE, submit=_EDIT, encoding="multipart"),
        "text-to-video": _video(),
        "image-to-video": _video(image="input_reference"),
        "video-to-video": _video("/videos/edits", video="video"),
        "video-extension": _video("/videos/extensions", video="video"),
        "text-to-speech": c.Endpoint(_SPEECH, _MODEL, files=_SOUND, submit=_SPEAK),
    },
)
