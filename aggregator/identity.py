"""What makes two calls, or two plans, the same: digests that are written down, so that their versions never change."""

import hashlib
import json
from typing import Any, cast

from pydantic import JsonValue

from aggregator.contract import Json
from aggregator.inputs import Media
from aggregator.routing.plan import Ask, Plan
from aggregator.tasks import Request

__all__ = ["content", "digest", "fingerprint", "reuse_address"]

FINGERPRINT_VERSION = "f1"
REUSE_VERSION = "r1"


def fingerprint(request: Request, ask: Ask, *, take: int = 0) -> str:
    """What makes two calls the same call: the caller's own words, inputs by content, before any routing."""
    words = {
        "request": content(request),
        "stage": ask.stage,
        "role": ask.role,
        "model": ask.model,
        "provider_options": ask.provider_options,
        "take": take,
    }
    return f"{FINGERPRINT_VERSION}:{digest(words)}"


def reuse_address(plan: Plan) -> str:
    """What makes two plans make the same thing: offer, model version and wire body, inputs by content."""
    return f"{REUSE_VERSION}:{digest([plan.offer.id, plan.offer.version, plan.url, plan.body])}"


def content(request: Request) -> Json:
    """The request as JSON, with each input reduced to its identity."""

    def reduce(value: Any) -> JsonValue:
        if isinstance(value, dict):
            if "sha256" in value or "url" in value:
                return Media.from_json(value).identity
            return {name: reduce(item) for name, item in value.items()}
        if isinstance(value, list):
            return [reduce(item) for item in value]
        return cast("JsonValue", value)

    return cast("Json", reduce(request.as_json()))


def digest(value: object) -> str:
    """SHA-256 of plain data, written the same way every time."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
