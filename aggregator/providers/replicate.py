"""Replicate: predictions of models, of pinned versions and of deployments; every model has an input schema of its own,
so the mapping is in the offer rows.

A prediction is one object from the answer to the submit to the webhook. What failed says why in a text only. Input,
output and logs are removed an hour after the end. No key makes a submit idempotent; costs are not in the answers.
"""

import json
from dataclasses import replace

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import ProviderError
from aggregator.signing import standard_webhooks

_ID = {"id": "id"}
_IMAGE = ("text-to-image", "image-to-image", "image-upscaling")
_VIDEO = (
    *("text-to-video", "image-to-video", "video-to-video", "video-extension", "video-upscaling"),
    *("frame-interpolation", "lip-sync", "video-to-audio"),
)
_AUDIO = ("text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music")


def _upload(source: c.UploadSource) -> c.Flow:
    """To the files API, whose address models may read for a day."""
    answer = yield c.HttpRequest("POST", "/files", parts=(casts.part("content", source),))
    return str(json.loads(answer.body)["urls"]["get"])


def _bills(error: ProviderError) -> bool | None:
    """What never started is not charged; what was stopped is, for the time it ran
    (replicate.com/docs/topics/predictions/lifecycle, read 2026-11-21).
    """
    return False if error.code == "aborted" else None


def _made_of(name: str, where: str) -> c.Lookup:
    """Among the newest hundred; an input is kept for an hour. A deployment's name is not in it: those are not found."""
    return c.Lookup(
        c.Call("GET", "/predictions"),
        "results",
        created="created_at",
        equal={"input": "input", f"@names.{name}": where},
    )


# Models of the community are ordered by version, and billed by the second: known when it has passed.
_SECONDS = (c.Meter("gpu_second", casts.unknown, reported="metrics.predict_time"),)
_KINDS = {"image/*": _IMAGE, "video/*": _VIDEO, "audio/*": _AUDIO}
_PLAIN = {task: c.Endpoint(files=c.Files("output output[]", kind)) for kind, tasks in _KINDS.items() for task in tasks}

PROVIDER = c.Provider(
    name="replicate",
    docs="https://replicate.com/docs/reference/http",
    checked="2026-11-21",
    base_url="https://api.replicate.com/v1",
    auth=c.Auth(env=("REPLICATE_API_TOKEN",)),
    submit=c.Call("POST", "/models/{endpoint}/predictions", capture=_ID),
    dialects={
        "version": {
            "submit": c.Call("POST", "/predictions", capture=_ID, body={"version": "{version}"}),
            "lookup": _made_of("version", "version"),
        },
        "deployment": {"submit": c.Call("POST", "/deployments/{endpoint}/predictions", capture=_ID)},
    },
    input_path="input",
    poll=c.Call("GET", "/predictions/{id}"),
    cancel=c.Call("POST", "/predictions/{id}/cancel"),
    probe=c.Call("GET", "/account"),
    refused={},  # no `input`, which a prediction must have (replicate.com/docs/reference/http, read 2026-11-21)
    free={
        "schema": c.Call("GET", "/models/{endpoint}"),
        "hardware": c.Call("GET", "/hardware"),
        "webhook-secret": c.Call("GET", "/webhooks/default/secret"),
    },
    status=c.Status(
        "status",
        c.words(
            queued="starting", running="processing", succeeded="succeeded", failed="failed", canceled="canceled aborted"
        ),
        error="error",
    ),
    codes=c.Codes(
        ("error", "status"),
        {**c.kinds(content_policy="*E005*", canceled="aborted"), "*flagged as sensitive*": "content_policy"},
    ),
    error_message=("error", "detail", "title"),
    upload=_upload,
    upload_ttl_s=24 * 3600,  # `expires_at` of a file (replicate 1.0.7)
    inputs={"": c.Input(accepts=("url", "upload"))},
    webhook=standard_webhooks("webhook", "id"),
    lookup=_made_of("endpoint", "model"),
    bills_failures=_bills,
    requests_per_second=10.0,  # 600 a minute (replicate.com/docs/topics/predictions/rate-limits, read 2026-11-21)
    result_ttl_s=3_600.0,
    served_model="model",
    tasks={**_PLAIN, **{f"{task}@version": replace(one, meters=_SECONDS) for task, one in _PLAIN.items()}},
)
