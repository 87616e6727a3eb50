"""Replicate: predictions of models, of pinned versions and of deployments; every model has an input schema of its own,
so the mapping is in the offer rows.

A prediction is one object from the answer to the submit to the webhook. What failed says why in a text only. Input,
output and logs are removed an hour after the end. No key makes a submit idempotent; costs are not in the answers.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
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
    Part,
    Provider,
    State,
    Status,
    UploadSource,
)
from aggregator.errors import ProviderError
from aggregator.signing import standard_webhooks

_ID = {"id": "id"}
_IMAGE = ("text-to-image", "image-to-image", "image-upscaling")
_VIDEO = (
    *("text-to-video", "image-to-video", "video-to-video", "video-extension", "video-upscaling"),
    *("frame-interpolation", "lip-sync", "video-to-audio"),
)
_AUDIO = ("text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music")


def _upload(source: UploadSource) -> Flow:
    """To the files API, whose address models may read for a day."""
    name = f"{source.sha256[:16]}.{source.mime_type.partition('/')[2]}"
    file = Part("content", Body(source.path, source.size_bytes), name, source.mime_type)
    answer = yield HttpRequest("POST", "/files", parts=(file,))
    return str(json.loads(answer.body)["urls"]["get"])


def _bills(error: ProviderError) -> bool | None:
    """What never started is not charged; what was stopped is, for the time it ran
    (replicate.com/docs/topics/predictions/lifecycle, read 2026-11-21).
    """
    return False if error.code == "aborted" else None


def _unmeasured(_values: Mapping[str, Any]) -> None:
    """How long a machine will take is known when it has."""


# Models of the community are ordered by version, and billed by the second.
_SECONDS = (Meter("gpu_second", _unmeasured, reported="metrics.predict_time"),)
_PLAIN = {
    **dict.fromkeys(_IMAGE, Endpoint(files=Files("output output[]", "image/*"))),
    **dict.fromkeys(_VIDEO, Endpoint(files=Files("output output[]", "video/*"))),
    **dict.fromkeys(_AUDIO, Endpoint(files=Files("output output[]", "audio/*"))),
}

PROVIDER = Provider(
    name="replicate",
    docs="https://replicate.com/docs/reference/http",
    checked="2026-11-21",
    base_url="https://api.replicate.com/v1",
    auth=Auth(env=("REPLICATE_API_TOKEN",)),
    submit=Call("POST", "/models/{endpoint}/predictions", capture=_ID),
    dialects={
        "version": {"submit": Call("POST", "/predictions", capture=_ID, body={"version": "{version}"})},
        "deployment": {"submit": Call("POST", "/deployments/{endpoint}/predictions", capture=_ID)},
    },
    input_path="input",
    poll=Call("GET", "/predictions/{id}"),
    cancel=Call("POST", "/predictions/{id}/cancel"),
    probe=Call("GET", "/account"),
    free={
        "schema": Call("GET", "/models/{endpoint}"),
        "hardware": Call("GET", "/hardware"),
        "webhook-secret": Call("GET", "/webhooks/default/secret"),
    },
    status=Status(
        "status",
        {
            "starting": State.QUEUED,
            "processing": State.RUNNING,
            "succeeded": State.SUCCEEDED,
            "failed": State.FAILED,
            "canceled": State.CANCELED,
            "aborted": State.CANCELED,
        },
        error="error",
    ),
    codes=Codes(
        ("error", "status"),
        {"*E005*": "content_policy", "*flagged as sensitive*": "content_policy", "aborted": "canceled"},
    ),
    error_message=("error", "detail", "title"),
    upload=_upload,
    inputs={"": Input(accepts=("url", "upload"))},
    webhook=standard_webhooks("webhook", "id"),
    bills_failures=_bills,
    requests_per_second=10.0,  # 600 a minute (replicate.com/docs/topics/predictions/rate-limits, read 2026-11-21)
    result_ttl_s=3_600.0,
    tasks={**_PLAIN, **{f"{task}@version": replace(one, meters=_SECONDS) for task, one in _PLAIN.items()}},
)
