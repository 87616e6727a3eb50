"""Black Forest Labs: one path per model, and the address to poll comes with the answer.

The order may have gone to another cluster, so only that address knows the job; it gets the key because it lies below
`bfl.ai`. What was made is fetched within ten minutes. Refusals are words of the status, on HTTP 200. The answer to the
order says what it costs, in credits.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    To,
)
from aggregator.signing import hmac_body

_PIXELS = 2**20
_MEGA = 10**6


def _encoded(value: JsonValue) -> JsonValue:
    """A picture by its address, or as bare base64."""
    return str(value).partition(";base64,")[2] or value


def _pictures(values: Mapping[str, Any]) -> Json:
    """The picture to edit and the references are one numbered list."""
    given = [values["image"]] if "image" in values else []
    given += [one["image"] for one in values.get("references", ())]
    return {f"input_image_{at}" if at > 1 else "input_image": _encoded(uri) for at, uri in enumerate(given, start=1)}


def _extra(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Megapixels after the first; whether they are rounded up, and how many pixels one has, is not documented. What is
    made without a size is of at most four.
    """
    if (size := values.get("size")) is None:
        return "0", "3"
    pixels = size[0] * size[1]
    return str(max(0, pixels / _PIXELS - 1)), str(max(0, -(-pixels // _MEGA) - 1))


def _sent(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Megapixels of all pictures that are sent in, where each is known."""
    given = [values[name] for name in ("image",) if name in values] + [
        one.image for one in values.get("references", ())
    ]
    if any(picture.width is None or picture.height is None for picture in given):
        return None
    pixels = sum(picture.width * picture.height for picture in given)
    return str(pixels / _PIXELS), str(-(-pixels // _MEGA))


def _where(value: JsonValue) -> JsonValue:
    """An order with a callback address may be answered with the id alone, which this address takes."""
    text = str(value)
    return value if text.startswith("http") else f"/v1/get_result?id={quote(text, safe='')}"


_FIELDS: Mapping[str, str | To] = {
    "prompt": "prompt",
    "size": "width height",
    "seed": "seed",
    "format": "output_format",
    "references": BUILD,
}
_FILES = Files("result.sample", "image/*")
_METERS = (Meter("image", "1"), Meter("megapixel", _extra), Meter("input_megapixel", _sent))
_FACTS = {"seed": "result.seed"}

PROVIDER = Provider(
    name="bfl",
    docs="https://docs.bfl.ai",
    checked="2026-11-20",
    base_url="https://api.bfl.ai",
    hosts={"cluster": "https://*.bfl.ai"},
    auth=Auth(env=("BFL_API_KEY",), header="x-key", template="{key}"),
    submit=Call("POST", "/v1/{endpoint}", capture={"id": "id", "polling_url": To("polling_url id", cast=_where)}),
    poll=Call("GET", "{polling_url}"),
    probe=Call("GET", "/v1/credits"),
    free={"balance": Call("GET", "/v1/credits")},
    status=Status(
        "status",
        {
            "Pending": State.RUNNING,
            "Ready": State.SUCCEEDED,
            "Request Moderated": State.FAILED,
            "Content Moderated": State.FAILED,
            "Error": State.FAILED,
            "Failed": State.FAILED,
            "Task not found": State.FAILED,
        },
        progress="progress",
    ),
    codes=Codes(
        ("status", "error", "details.error"),
        {
            "Request Moderated": "content_policy",
            "Content Moderated": "content_policy",
            "content_policy_violation": "content_policy",
            "generation_timeout": "job_failed",
            "internal_error": "job_failed",
            "invalid_image": "invalid_request",
        },
    ),
    error_message=("detail[].msg", "detail", "message", "error", "status"),
    inputs={"": Input(("url", "data"), max_bytes=20 * 10**6)},
    charge=Charge("cost", "0.01", at="submit"),
    webhook=hmac_body("webhook_url", "id", signature="x-bfl-signature:sha256"),
    dialects={"mask": {"inputs": {"": Input(("data",), max_bytes=20 * 10**6)}}},  # FLUX.1's tools take bytes only
    concurrency=24,
    result_ttl_s=600,
    tasks={
        "text-to-image": Endpoint(_FIELDS, build=_pictures, files=_FILES, meters=_METERS, facts=_FACTS),
        "image-to-image": Endpoint(
            {**_FIELDS, "image": BUILD}, build=_pictures, files=_FILES, meters=_METERS, facts=_FACTS
        ),
        "image-to-image@mask": Endpoint(
            {
                "prompt": "prompt",
                "seed": "seed",
                "format": "output_format",
                "image": To("image", cast=_encoded),
                "mask": To("mask", cast=_encoded),
            },
            files=_FILES,
            meters=_METERS,
            facts=_FACTS,
        ),
    },
)
