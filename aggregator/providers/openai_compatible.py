"""The OpenAI dialect at an address of your own: `/images`, `/videos`, `/audio/speech` below `base_url`.

Many servers and relays speak it (vLLM-Omni, SGLang, LocalAI, Kokoro-FastAPI), though OpenAI's own videos API is gone.
There are no offers: write the card of what your server runs, with `endpoint` as its model name, and put what it takes
beside the dialect into `fields` and `fixed` (`seed`, `num_inference_steps`, Kokoro's `stream = false`). A key is only
sent if the configuration names its variable in `api_key_env`. The dialects say what a server does otherwise.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Codes,
    Dialect,
    Endpoint,
    Files,
    Input,
    Json,
    Provider,
    State,
    Status,
    To,
)


def _pictures(values: Mapping[str, Any]) -> Json:
    """One picture is the part `image`; several are parts of the name `image[]`, the one to edit first."""
    references = [reference["image"] for reference in values.get("references", ())]
    return {"image[]": [values["image"], *references]} if references else {"image": values["image"]}


_MODEL = {"model": "{endpoint}"}
_IMAGE: Mapping[str, str | To] = {"prompt": "prompt", "size": To("size", form="{}x{}")}
_VIDEO: Mapping[str, str | To] = {**_IMAGE, "duration_s": To("seconds", form="{:g}")}
_FILM = Files(mime_type="video/mp4", url="/videos/{id}/content")
_JOBS = Dialect(
    submit=Call("POST", "/videos", capture={"id": "id"}),
    poll=Call("GET", "/videos/{id}"),
    status=Status(
        "status",
        {
            "queued": State.QUEUED,
            "in_progress": State.RUNNING,
            "completed": State.SUCCEEDED,
            "failed": State.FAILED,
        },
        error="error.message",
        progress="progress",
        progress_of=100.0,
    ),
)


def _video(url: str = "/videos", **fields: str | To) -> Endpoint:
    return Endpoint(
        dialect="videos",
        submit=Call("POST", url, capture={"id": "id"}),
        encoding="multipart",
        fields={**_VIDEO, **fields},
        fixed=_MODEL,
        files=_FILM,
    )


PROVIDER = Provider(
    name="openai_compatible",
    docs="https://developers.openai.com/api/reference/resources/videos",
    checked="2026-11-20",
    base_url="",
    auth=Auth(env=()),
    submit=Call("POST", "/images/generations", read_s=600),
    probe=Call("GET", "/models"),
    free={"models": Call("GET", "/models")},
    codes=Codes(
        ("error.code", "error.type"),
        {
            "moderation_blocked": "content_policy",
            "content_policy_violation": "content_policy",
            "insufficient_quota": "quota",
            "rate_limit_exceeded": "rate_limit",
            "invalid_api_key": "authentication",
        },
    ),
    # Self-hosted servers have several error bodies: OpenAI's, FastAPI's `detail`, a bare text.
    error_message=(
        "error.message",
        "detail.message",
        "detail.error.message",
        "detail[].msg",
        "detail",
        "message",
        "error",
    ),
    request_id_header="x-request-id",
    inputs={"": Input(("part",), None)},
    dialects={
        "videos": _JOBS,
        # A failed job answers its poll with an HTTP error; DELETE stops the work (vllm-omni 0.30.0).
        "vllm_omni": {**_JOBS, "believes_body": True, "cancel": Call("DELETE", "/videos/{id}")},
        # DELETE only forgets the record and the work goes on: nothing to cancel with (sglang 0.5.23).
        "sglang": _JOBS,
    },
    tasks={
        "text-to-image": Endpoint(
            fields={**_IMAGE, "format": "output_format"},
            fixed={**_MODEL, "response_format": "b64_json"},
            files=Files("data[].b64_json", "image/png", form="base64"),
        ),
        "image-to-image": Endpoint(
            submit=Call("POST", "/images/edits", read_s=600),
            encoding="multipart",
            fields={**_IMAGE, "image": BUILD, "references": BUILD, "mask": "mask", "format": "output_format"},
            fixed={**_MODEL, "response_format": "b64_json"},
            build=_pictures,
            files=Files("data[].b64_json", "image/png", form="base64"),
        ),
        "text-to-video": _video(),
        "image-to-video": _video(image="input_reference"),
        "video-to-video": _video("/videos/edits", video="video"),
        "video-extension": _video("/videos/extensions", video="video"),
        "text-to-speech": Endpoint(
            submit=Call("POST", "/audio/speech", headers={"accept": "application/octet-stream"}, read_s=600),
            fields={
                "text": "input",
                "voice": "voice",
                "speed": "speed",
                "prompt": "instructions",
                "format": "response_format",
            },
            fixed=_MODEL,
            files=Files(mime_type="audio/mpeg", form="body"),
        ),
    },
)
