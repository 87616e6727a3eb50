"""Comfy Router: one queue in front of many makers, each model with its maker's own body: those are in the offer rows.

`COMPLETED` is said of failures and cancels as well: then there is an `error_type`. The result is the maker's own JSON,
or the bytes of a sound. Where a workspace's queue is not switched on (403 `not_enabled`), `sync` holds the connection.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c


def _flux_2(values: Mapping[str, Any]) -> c.Json:
    """`input_image`, `input_image_2` and so on, by address or as bare base64; the one to edit first."""
    pictures = enumerate(casts.pictures(values, "image"), 1)
    return {f"input_image_{at}" if at > 1 else "input_image": casts.bare(text) for at, text in pictures}


def _flux_3(values: Mapping[str, Any]) -> c.Json:
    """The same in one list."""
    pictures: list[Any] = [casts.bare(text) for text in casts.pictures(values, "image")]
    return {"images": pictures} if pictures else {}


def _turn(values: Mapping[str, Any]) -> c.Json:
    """ElevenLabs takes speech as a dialogue; ours has one turn."""
    names = {"text": "text", "voice": "voice_id"}
    return {"inputs": [{theirs: values[ours] for ours, theirs in names.items() if ours in values}]}


_PICTURE = c.Files("result.sample", "image/jpeg")
_CLIP = c.Files("video.url", "video/mp4", blocked=c.Blocked("video.respect_moderation", (False,)))
_PROMPT = {"prompt": "prompt"}
_GUIDED = {**_PROMPT, "references": c.BUILD}
_EDITED = {**_GUIDED, "image": c.BUILD}
_SPEECH = {"text": c.BUILD, "voice": c.BUILD, "language": "language_code", "seed": "seed"}
_BYTES = c.Input(("data",), 20 * 2**20)
_SENT = c.Call("POST", "/v2/models/{endpoint}", read_s=630)
_AT_ONCE = c.Dialect(submit=_SENT, poll=None, status=None, follow=(), cancel=None)
_WORDS = c.words(queued="IN_QUEUE", running="IN_PROGRESS", succeeded="COMPLETED")
_REQUEST = "/v2/models/{endpoint}/requests"

PROVIDER = c.Provider(
    name="comfy",
    docs="https://docs.comfy.org/development/comfy-router/queue",
    checked="2026-11-20",
    base_url="https://api.comfy.org",
    auth=c.Auth(env=("COMFY_API_KEY",)),
    submit=c.Call("POST", _REQUEST, capture={"id": "request_id"}),
    poll=c.Call("GET", f"{_REQUEST}/{{id}}/status"),
    follow=(c.Follow(c.Call("GET", f"{_REQUEST}/{{id}}")),),
    cancel=c.Call("PUT", f"{_REQUEST}/{{id}}/cancel"),
    probe=c.Call("GET", "/v2/models?limit=1"),
    free={"models": c.Call("GET", "/v2/models")},
    idempotency="replay",
    # Charged at most once, not made at most once: what was not answered is let go (docs.comfy.org/development/
    # comfy-router/models, read 2026-11-21). Its jobs API is another one: there a key that is used again is refused.
    idempotency_header="Idempotency-Key",
    idempotency_ttl_s=86_400,
    status=c.Status("status", _WORDS, error="error_type", position="queue_position"),
    codes=c.Codes(
        ("error_type", "@headers.x-comfy-error-type"),
        c.kinds(
            authentication="unauthorized forbidden not_enabled",
            quota="insufficient_credits",
            rate_limit="rate_limited concurrency_limit_exceeded queue_backlog_full",
            invalid_request="invalid_input model_not_found request_not_found",
            content_policy="content_policy_violation",
            unavailable="service_unavailable internal_error deadline_exceeded",
            job_failed="provider_error provider_timeout queue_timeout",
            canceled="cancelled client_disconnected",
        ),
    ),
    error_message=("detail[].msg", "detail"),
    request_id_header="x-comfy-request-id",
    charge=c.Charge("@headers.x-comfy-credits-used", "1/211"),  # 211 credits are a dollar
    # Whether a policy rejection is billed differs by model (`billing.charges_on_policy_rejection`): kept until known.
    result_ttl_s=23 * 3600,  # addresses live up to 24 h, and may be replayed from a copy of 23 h
    inputs={"": c.Input(("url", "data"), 20 * 2**20)},
    dialects={"flux_3": {}, "sync": _AT_ONCE},
    tasks={
        "text-to-image": c.Endpoint(_PROMPT, files=_PICTURE),
        "image-to-image": c.Endpoint(_EDITED, build=_flux_2, files=_PICTURE, inputs={"image": _BYTES}),
        "text-to-image@flux_3": c.Endpoint(_GUIDED, build=_flux_3, files=_PICTURE, dialect="flux_3"),
        "image-to-image@flux_3": c.Endpoint(_EDITED, build=_flux_3, files=_PICTURE, dialect="flux_3"),
        "text-to-video": c.Endpoint(_PROMPT, files=_CLIP),
        "image-to-video": c.Endpoint({**_PROMPT, "image": "image.url"}, files=_CLIP),
        "text-to-speech": c.Endpoint(_SPEECH, build=_turn, files=c.Files(mime_type="audio/mpeg", form="body")),
    },
)
