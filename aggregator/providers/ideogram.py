"""Ideogram, version 2 of the API: one path per tool and model, forms in, an id to poll, addresses that soon expire.

An output that fails the safety check comes without an address and says `is_image_safe: false`, on HTTP 200. The poll
answer says what was charged. A mask is black where the picture may change, the reverse of ours, and is not offered.
"""

from aggregator import contract as c
from aggregator.signing import jwks_digest

_PICTURES = ("image/png", "image/jpeg", "image/webp")


def _endpoint(**fields: str | c.To) -> c.Endpoint:
    return c.Endpoint(
        fields={"seed": "seed", **fields},
        fixed={"async": True},
        files=c.Files("data[].url", "image/*", blocked=c.Blocked("data[].is_image_safe", (False,))),
        meters=(c.Meter("image", "1"),),
        facts={"seed": "data.0.seed"},
        encoding="multipart",
    )


PROVIDER = c.Provider(
    name="ideogram",
    docs="https://developer.ideogram.ai/api-reference",
    checked="2026-11-21",
    base_url="https://api.ideogram.ai",
    auth=c.Auth(env=("IDEOGRAM_API_KEY",), header="Api-Key", template="{key}"),
    submit=c.Call("POST", "/v2/image/{endpoint}", capture={"id": "generation_id"}),
    poll=c.Call("GET", "/v2/generations/{id}"),
    probe=c.Call("GET", "/v2/account/api-keys"),
    status=c.Status(
        "status", c.words(running="pending", succeeded="completed", failed="failed"), error="failure_reason"
    ),
    codes=c.Codes(
        ("reject_reason", "@status"),
        c.kinds(
            quota="daily_limit feature_limit insufficient_funds priority_credit_required subscription_required",
            rate_limit="inflight_limit",
            content_policy="422",  # the prompt or an input failed the safety check
        ),
    ),
    error_message=("error", "message", "detail", "failure_reason"),
    inputs={"image": c.Input(("part",), max_bytes=25 * 2**20, mime_types=_PICTURES)},
    charge=c.Charge("usage_cost_usd_micros", "0.000001"),
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
        "image-upscaling": _endpoint(image="image", factor=c.To("upscale_factor", form="x{:g}")),
    },
)
