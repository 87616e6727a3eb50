"""Higgsfield: its own models and others', each at a path of its own, behind one queue.

The status object holds the result: `video` or `images`. `nsfw` is a status of its own. Whatever does not complete is
not charged. A submit above the account's number of jobs is HTTP 400 with a text. Prices are shown in the account only.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    Input,
    Meter,
    Provider,
    State,
    Status,
    UploadSource,
    Webhook,
)


def _upload(source: UploadSource) -> Flow:
    """A signed address, then the bytes there with the headers that came with it."""
    answer = yield HttpRequest("POST", "/files/generate-upload-url", json={"content_type": source.mime_type})
    target = json.loads(answer.body)
    headers = target.get("upload_headers") or {"Content-Type": source.mime_type}
    content = Body(source.path, source.size_bytes)
    yield HttpRequest("PUT", str(target["upload_url"]), headers, content=content, trusted=False)
    return str(target["public_url"])


def _unpublished(_values: Mapping[str, Any]) -> None:
    """How many credits a request takes is not published."""


_CREDITS = (Meter("credit", _unpublished),)
_IMAGES = Endpoint(files=Files("images[].url", "image/*"), meters=_CREDITS)
_VIDEO = Endpoint(files=Files("video.url", "video/*"), meters=_CREDITS)

PROVIDER = Provider(
    name="higgsfield",
    docs="https://docs.higgsfield.ai/docs/concepts/requests",
    checked="2026-11-21",
    base_url="https://api.higgsfield.ai",
    auth=Auth(env=("HF_KEY",), template="Key {key}"),
    submit=Call("POST", "/{endpoint}", capture={"id": "request_id"}),
    poll=Call("GET", "/requests/{id}/status"),
    cancel=Call("POST", "/requests/{id}/cancel"),
    probe=Call(
        "GET", "/models"
    ),  # answers with a key (dev.to/mckennachapman, 2026-10-07); not in the vendor's reference
    status=Status(
        "status",
        {
            "queued": State.QUEUED,
            "in_progress": State.RUNNING,
            "completed": State.SUCCEEDED,
            "failed": State.FAILED,
            "nsfw": State.FAILED,
            "canceled": State.CANCELED,
        },
        error="error",
    ),
    codes=Codes(
        ("status", "detail"),
        {"nsfw": "content_policy", "*concurrent requests*": "rate_limit", "*credits*": "quota"},
    ),
    error_message=("detail[].msg", "detail", "details", "message", "error"),
    upload=_upload,
    inputs={"": Input(accepts=("url", "upload"))},
    webhook=Webhook(ask="@query.hf_webhook", id="request_id"),
    bills_failures=False,  # docs.higgsfield.ai/docs/help/faq, read 2026-11-21
    result_ttl_s=7 * 86_400,  # "a minimum of 7 days", same page
    tasks={
        "text-to-image": _IMAGES,
        "image-to-image": _IMAGES,
        "text-to-video": _VIDEO,
        "image-to-video": _VIDEO,
        "video-to-video": _VIDEO,
    },
)
