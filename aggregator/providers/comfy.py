"""Comfy Router: one queue in front of many makers, each model with its maker's own body: those are in the offer rows.

It is the one host here that takes an idempotency key and replays the answer. `COMPLETED` is said of failures and
cancels as well: then there is an `error_type`. The result is the maker's own JSON, or the bytes of a sound. A workspace
whose queue is not switched on (403 `not_enabled`) can use the dialect `sync`, which holds the connection instead.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Blocked,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Follow,
    Input,
    Json,
    Provider,
    State,
    Status,
)


def _pictures(values: Mapping[str, Any]) -> list[Any]:
    """Black Forest Labs takes addresses, or base64 without what a data URI puts before it; the one to edit first."""
    first = [values["image"]] if "image" in values else []
    texts = [*first, *(reference["image"] for reference in values.get("references", ()))]
    return [text.partition(";base64,")[2] if text.startswith("data:") else text for text in texts]


def _flux_2(values: Mapping[str, Any]) -> Json:
    """`input_image`, `input_image_2` and so on."""
    return {f"input_image_{at}" if at > 1 else "input_image": text for at, text in enumerate(_pictures(values), 1)}


def _flux_3(values: Mapping[str, Any]) -> Json:
    pictures = _pictures(values)
    return {"images": pictures} if pictures else {}


def _turns(values: Mapping[str, Any]) -> Json:
    """ElevenLabs takes speech as a dialogue; ours has one turn."""
    names = (("text", "text"), ("voice", "voice_id"))
    return {"inputs": [{theirs: values[ours] for ours, theirs in names if ours in values}]}


_PICTURE = Files("result.sample", "image/jpeg")
_CLIP = Files("video.url", "video/mp4", blocked=Blocked("video.respect_moderation", (False,)))
_REQUEST = "/v2/models/{endpoint}/requests"

PROVIDER = Provider(
    name="comfy",
    docs="https://docs.comfy.org/development/comfy-router/queue",
    checked="2026-11-20",
    base_url="https://api.comfy.org",
    auth=Auth(env=("COMFY_API_KEY",)),
    submit=Call("POST", _REQUEST, capture={"id": "request_id"}),
    poll=Call("GET", f"{_REQUEST}/{{id}}/status"),
    follow=(Follow(Call("GET", f"{_REQUEST}/{{id}}")),),
    cancel=Call("PUT", f"{_REQUEST}/{{id}}/cancel"),
    probe=Call("GET", "/v2/models?limit=1"),
    free={"models": Call("GET", "/v2/models")},
    idempotency="replay",
    idempotency_header="Idempotency-Key",
    status=Status(
        "status",
        {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.SUCCEEDED},
        error="error_type",
        position="queue_position",
    ),
    codes=Codes(
        ("error_type", "@headers.x-comfy-error-type"),
        {
            "content_policy_violation": "content_policy",
            "invalid_input": "invalid_request",
            "model_not_found": "invalid_request",
            "request_not_found": "invalid_request",
            "insufficient_credits": "quota",
            "unauthorized": "authentication",
            "forbidden": "authentication",
            "not_enabled": "authentication",
            "rate_limited": "rate_limit",
            "concurrency_limit_exceeded": "rate_limit",
            "queue_backlog_full": "rate_limit",
            "service_unavailable": "unavailable",
            "internal_error": "unavailable",
            "deadline_exceeded": "unavailable",
            "provider_error": "job_failed",
            "provider_timeout": "job_failed",
            "queue_timeout": "job_failed",
            "cancelled": "canceled",
            "client_disconnected": "canceled",
        },
    ),
    error_message=("detail[].msg", "detail"),
    request_id_header="x-comfy-request-id",
    charge=Charge("@headers.x-comfy-credits-used", "1/211"),  # 211 credits are a dollar
    # Whether a policy rejection is billed differs by model (`billing.charges_on_policy_rejection`): kept until known.
    result_ttl_s=23 * 3600,  # addresses live up to 24 h, and may be replayed from a copy of 23 h
    inputs={"": Input(("url", "data"), 20 * 2**20)},
    dialects={
        "flux_3": {},  # pictures stand in a list
        "sync": {
            "submit": Call("POST", "/v2/models/{endpoint}", read_s=630),
            "poll": None,
            "status": None,
            "follow": (),
            "cancel": None,
        },
    },
    tasks={
        "text-to-image": Endpoint(fields={"prompt": "prompt"}, files=_PICTURE),
        "image-to-image": Endpoint(
            fields={"prompt": "prompt", "image": BUILD, "references": BUILD},
            build=_flux_2,
            inputs={"image": Input(("data",), 20 * 2**20)},
            files=_PICTURE,
        ),
        "text-to-image@flux_3": Endpoint(
            dialect="flux_3", fields={"prompt": "prompt", "references": BUILD}, build=_flux_3, files=_PICTURE
        ),
        "image-to-image@flux_3": Endpoint(
            dialect="flux_3",
            fields={"prompt": "prompt", "image": BUILD, "references": BUILD},
            build=_flux_3,
            files=_PICTURE,
        ),
        "text-to-video": Endpoint(fields={"prompt": "prompt"}, files=_CLIP),
        "image-to-video": Endpoint(fields={"prompt": "prompt", "image": "image.url"}, files=_CLIP),
        "text-to-speech": Endpoint(
            fields={"text": BUILD, "voice": BUILD, "language": "language_code", "seed": "seed"},
            build=_turns,
            files=Files(mime_type="audio/mpeg", form="body"),
        ),
    },
)
