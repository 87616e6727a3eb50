"""Ideogram, version 2 of the API: one path per tool and model, forms in, an id to poll, addresses that soon expire.

An output that fails the safety check comes without an address and says `is_image_safe: false`, on HTTP 200. The poll
answer says what was charged. A mask is black where the picture may change, the reverse of ours, and is not offered.
"""

from aggregator.contract import (
    Auth,
    Blocked,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Input,
    Meter,
    Provider,
    State,
    Status,
    To,
)
from aggregator.signing import jwks_digest

_PICTURES = ("image/png", "image/jpeg", "image/webp")


def _endpoint(**fields: str | To) -> Endpoint:
    return Endpoint(
        fields={"seed": "seed", **fields},
        fixed={"async": True},
        files=Files("data[].url", "image/*", blocked=Blocked("data[].is_image_safe", (False,))),
        meters=(Meter("image", "1"),),
        facts={"seed": "data.0.seed"},
        encoding="multipart",
    )


PROVIDER = Provider(
    name="ideogram",
    docs="https://developer.ideogram.ai/api-reference",
    checked="2026-11-21",
    base_url="https://api.ideogram.ai",
    auth=Auth(env=("IDEOGRAM_API_KEY",), header="Api-Key", template="{key}"),
    submit=Call("POST", "/v2/image/{endpoint}", capture={"id": "generation_id"}),
    poll=Call("GET", "/v2/generations/{id}"),
    probe=Call("GET", "/v2/account/usage"),
    free={"usage": Call("GET", "/v2/account/usage")},
    status=Status(
        "status",
        {"pending": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED},
        error="failure_reason",
    ),
    codes=Codes(
        ("reject_reason", "@status"),
        {
            "422": "content_policy",  # the prompt or an input failed the safety check
            "inflight_limit": "rate_limit",
            **dict.fromkeys(
                ("daily_limit", "feature_limit", "insufficient_funds", "priority_credit_required"), "quota"
            ),
            "subscription_required": "quota",
        },
    ),
    error_message=("error", "message", "detail", "failure_reason"),
    inputs={"image": Input(("part",), max_bytes=25 * 2**20, mime_types=_PICTURES)},
    charge=Charge("usage_cost_usd_micros", "0.000001"),
    webhook=jwks_digest(
        "webhook_url",
        "@headers.x-ideogram-webhook-generation-id",
        prefix="x-ideogram-webhook",
        who="generation-id",
        keys="/v1/.well-known/jwks.json",  # a delivery says no state: the poll does, and what was charged
    ),
    concurrency=10,
    tasks={
        "text-to-image": _endpoint(prompt="prompt"),
        "image-to-image": _endpoint(prompt="prompt", image="image"),
        "image-upscaling": _endpoint(image="image", factor=To("upscale_factor", form="x{:g}")),
    },
)
