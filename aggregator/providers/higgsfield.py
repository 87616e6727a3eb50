"""Higgsfield: its own models and others', each at a path of its own, behind one queue.

The status object holds the result: `video` or `images`. `nsfw` is a status of its own. Whatever does not complete is
not charged. A submit above the account's number of jobs is HTTP 400 with a text. Prices are shown in the account only.
"""

import json

from aggregator import casts
from aggregator import contract as c


def _upload(source: c.UploadSource) -> c.Flow:
    """A signed address, then the bytes there with the headers that came with it."""
    answer = yield c.HttpRequest("POST", "/files/generate-upload-url", json={"content_type": source.mime_type})
    target = json.loads(answer.body)
    yield casts.put(source, str(target["upload_url"]), target.get("upload_headers"))
    return str(target["public_url"])


_CREDITS = (c.Meter("credit", casts.unknown),)  # how many a request takes is not published
_IMAGES = c.Endpoint(files=c.Files("images[].url", "image/*"), meters=_CREDITS)
_VIDEO = c.Endpoint(files=c.Files("video.url", "video/*"), meters=_CREDITS)

PROVIDER = c.Provider(
    name="higgsfield",
    docs="https://docs.higgsfield.ai/docs/concepts/requests",
    checked="2026-11-21",
    base_url="https://api.higgsfield.ai",
    auth=c.Auth(env=("HF_KEY",), template="Key {key}"),
    submit=c.Call("POST", "/{endpoint}", capture={"id": "request_id"}),
    poll=c.Call("GET", "/requests/{id}/status"),
    cancel=c.Call("POST", "/requests/{id}/cancel"),
    # Answers with a key (dev.to/mckennachapman, 2026-10-07); not in the vendor's reference.
    probe=c.Call("GET", "/models"),
    status=c.Status(
        "status",
        c.words(
            queued="queued", running="in_progress", succeeded="completed", failed="failed nsfw", canceled="canceled"
        ),
        error="error",
    ),
    codes=c.Codes(
        ("status", "detail"),
        {"*concurrent requests*": "rate_limit", **c.kinds(quota="*credits*", content_policy="nsfw")},
    ),
    error_message=("detail[].msg", "detail", "details", "message", "error"),
    upload=_upload,
    inputs={"": c.Input(accepts=("url", "upload"))},
    webhook=c.Webhook(ask="@query.hf_webhook", id="request_id"),
    bills_failures=False,  # docs.higgsfield.ai/docs/help/faq, read 2026-11-21
    result_ttl_s=7 * 86_400,  # "a minimum of 7 days", same page
    tasks={
        **dict.fromkeys(("text-to-image", "image-to-image"), _IMAGES),
        **dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), _VIDEO),
    },
)
