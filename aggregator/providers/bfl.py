"""Black Forest Labs: one path per model, and the address to poll comes with the answer.

The order may have gone to another cluster, so only that address knows the job; it gets the key because it lies below
`bfl.ai`. What was made is fetched within ten minutes. Refusals are words of the status, on HTTP 200. The answer to the
order says what it costs, in credits.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import hmac_body


def _pictures(values: Mapping[str, Any]) -> c.Json:
    """The picture to edit and the references are one numbered list."""
    pictures = enumerate(casts.pictures(values, "image"), 1)
    return {f"input_image_{at}" if at > 1 else "input_image": casts.bare(text) for at, text in pictures}


def _megapixels(pixels: int, free: int = 0) -> tuple[str, str]:
    """How many pixels one has, and whether they are rounded up, is not documented: from the least to the most."""
    return str(max(0, pixels / 2**20 - free)), str(max(0, -(-pixels // 10**6) - free))


def _extra(values: Mapping[str, Any]) -> tuple[str, str]:
    """Megapixels after the first; what is made without a size is of at most four."""
    size = values.get("size")
    return ("0", "3") if size is None else _megapixels(size[0] * size[1], free=1)


def _sent(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Megapixels of all pictures that are sent in, where each is known."""
    edited = [values["image"]] if "image" in values else []
    sizes = [(one.width, one.height) for one in (*edited, *(one.image for one in values.get("references", ())))]
    return None if any(None in size for size in sizes) else _megapixels(sum(width * height for width, height in sizes))


def _where(value: JsonValue) -> JsonValue:
    """An order with a callback address may be answered with the id alone, which this address takes."""
    text = str(value)
    return value if text.startswith("http") else f"/v1/get_result?id={quote(text, safe='')}"


def _known(names: Mapping[str, str]) -> Mapping[str, str]:
    return {"polling_url": f"/v1/get_result?id={names['id']}"}


def _picture(fields: Mapping[str, str | c.To], build: Any = None) -> c.Endpoint:
    files = c.Files("result.sample", "image/*")
    meters = (c.Meter("image", "1"), c.Meter("megapixel", _extra), c.Meter("input_megapixel", _sent))
    return c.Endpoint(fields, build=build, files=files, meters=meters, facts={"seed": "result.seed"})


_PROMPT = {"prompt": "prompt", "seed": "seed", "format": "output_format"}
_SHAPE = {**_PROMPT, "size": "width height", "references": c.BUILD}
_BARE = {name: c.To(name, casts.bare) for name in ("image", "mask")}
_MODERATED = ("Request Moderated", "Content Moderated")

PROVIDER = c.Provider(
    name="bfl",
    docs="https://docs.bfl.ai",
    checked="2026-11-20",
    base_url="https://api.bfl.ai",
    hosts={"cluster": "https://*.bfl.ai"},
    auth=c.Auth(env=("BFL_API_KEY",), header="x-key", template="{key}"),
    submit=c.Call("POST", "/v1/{endpoint}", capture={"id": "id", "polling_url": c.To("polling_url id", cast=_where)}),
    poll=c.Call("GET", "{polling_url}"),
    probe=c.Call("GET", "/v1/credits"),
    refused=[],  # no object: HTTPValidationError (BFL's OpenAPI document 0.0.1 of 2026-05-01)
    free={"balance": c.Call("GET", "/v1/credits")},
    status=c.Status(
        "status",
        {
            **c.words(running="Pending", succeeded="Ready", failed="Error Failed"),
            **dict.fromkeys((*_MODERATED, "Task not found"), c.State.FAILED),
        },
        progress="progress",
    ),
    codes=c.Codes(
        ("status", "error", "details.error"),
        {
            **c.kinds(
                invalid_request="invalid_image",
                content_policy="content_policy_violation",
                job_failed="generation_timeout internal_error",
            ),
            **dict.fromkeys(_MODERATED, "content_policy"),
        },
    ),
    error_message=("detail[].msg", "detail", "message", "error", "status"),
    inputs={"": c.Input(("url", "data"), max_bytes=20 * 10**6)},
    charge=c.Charge("cost", "0.01", at="submit"),
    webhook=replace(
        hmac_body("webhook_url", "id", signature="x-bfl-signature:sha256"),
        handle=_known,
        key="order",
        ask_key="webhook_secret",
    ),
    dialects={"mask": {"inputs": {"": c.Input(("data",), max_bytes=20 * 10**6)}}},  # FLUX.1's tools take bytes only
    concurrency=24,
    result_ttl_s=600,
    tasks={
        "text-to-image": _picture(_SHAPE, _pictures),
        "image-to-image": _picture({**_SHAPE, "image": c.BUILD}, _pictures),
        "image-to-image@mask": _picture({**_PROMPT, **_BARE}),
    },
)
