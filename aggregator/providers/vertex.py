"""Vertex AI: Veo as a long-running operation that is asked for by POST, Lyria 2 at once; both with OAuth.

The key is an access token, or the JSON of a service account that is exchanged for one. Files come as base64. A clip
that the filter refused is counted in a successful answer and not charged. The address is the project's own and must be
configured: `https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}`.
"""

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import JsonValue

from aggregator.contract import (
    BUILD,
    Auth,
    Blocked,
    Call,
    Codes,
    Endpoint,
    Files,
    HttpRequest,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    To,
    TokenFlow,
)
from aggregator.errors import ContentPolicyError, ProviderError
from aggregator.signing import jwt_rs256

_TOKENS = "https://oauth2.googleapis.com/token"
_MODEL = "/publishers/google/models/{endpoint}"
_WIRE = {"image": "image", "last_image": "lastFrame", "video": "video"}


def _token(key: str, now: float) -> TokenFlow:
    """An access token as it is, or a service account's own for an hour, as google-auth 2.62 asks for it."""
    if not key.lstrip().startswith("{"):
        return key, math.inf
    account = json.loads(key)
    claims = {
        "iss": account["client_email"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": _TOKENS,
        "iat": int(now),
        "exp": int(now) + 3600,
    }
    assertion = jwt_rs256(claims, account["private_key"], key_id=account.get("private_key_id", ""))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    address = account.get("token_uri", _TOKENS)
    answer = yield HttpRequest("POST", address, kind, content=urlencode(form).encode(), trusted=False)
    granted = json.loads(answer.body)
    return str(granted["access_token"]), now + float(granted["expires_in"])


def _media(text: JsonValue) -> Json:
    head, _, data = str(text).partition(";base64,")
    return {"bytesBase64Encoded": data, "mimeType": head.removeprefix("data:")}


def _instance(values: Mapping[str, Any]) -> Json:
    """The one thing to make. A reference is a style, or else an asset."""
    instance: Json = {name: values[name] for name in ("prompt", "negative_prompt", "seed") if name in values}
    instance |= {wire: _media(values[name]) for name, wire in _WIRE.items() if name in values}
    if references := values.get("references"):
        instance["referenceImages"] = [
            {"image": _media(one["image"]), "referenceType": "STYLE" if one["role"] == "style" else "ASSET"}
            for one in references
        ]
    return {"instances": [instance]}


def _clip(*inputs: str) -> Endpoint:
    fields: dict[str, str | To] = dict.fromkeys(("prompt", *inputs), BUILD)
    names = {"duration_s": "durationSeconds", "aspect_ratio": "aspectRatio", "negative_prompt": "negativePrompt"}
    names |= {"audio": "generateAudio", **{name: name for name in ("resolution", "fps", "seed")}}
    return Endpoint(
        fields={**fields, **{name: f"parameters.{path}" for name, path in names.items()}},
        fixed={"parameters": {"sampleCount": 1}},
        build=_instance,
        files=Files(
            "response.videos[].bytesBase64Encoded",
            "video/mp4",
            form="base64",
            mime_path="response.videos[].mimeType",
            blocked=Blocked("response.raiMediaFilteredCount"),
        ),
        meters=(Meter("video_second", "request.duration_s"),),
    )


def _bills(error: ProviderError) -> bool | None:
    """What is blocked is not charged (ai.google.dev/gemini-api/docs/video); of other failures nothing is documented."""
    return False if isinstance(error, ContentPolicyError) else None


PROVIDER = Provider(
    name="vertex",
    docs="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation",
    checked="2026-11-21",
    base_url="",
    auth=Auth(env=("VERTEX_ACCESS_TOKEN", "VERTEX_SERVICE_ACCOUNT"), token=_token),
    submit=Call("POST", f"{_MODEL}:predictLongRunning", capture={"name": "name"}),
    poll=Call("POST", f"{_MODEL}:fetchPredictOperation", body={"operationName": "{name}"}),
    probe=Call("GET", "/models?pageSize=1"),
    status=Status(
        "done", {"true": State.SUCCEEDED, "false": State.RUNNING}, missing=State.RUNNING, error="error.message"
    ),
    dialects={
        "predict": {"submit": Call("POST", f"{_MODEL}:predict", read_s=300.0), "poll": None, "status": None},
    },
    codes=Codes(
        ("error.message", "error.status", "error.code"),
        {
            # Code 3 is any invalid argument; only the words tell that it was the content.
            "*usage guidelines*": "content_policy",
            **dict.fromkeys(("UNAUTHENTICATED", "PERMISSION_DENIED"), "authentication"),
            "FAILED_PRECONDITION": "quota",
            "RESOURCE_EXHAUSTED": "rate_limit",
            **dict.fromkeys(("INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND"), "invalid_request"),
            **dict.fromkeys(("UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"), "unavailable"),
        },
    ),
    error_message=("error.message", "response.raiMediaFilteredReasons[]", "error_description", "error"),
    inputs={"": Input(("data",), max_bytes=20 * 2**20)},
    bills_failures=_bills,
    tasks={
        "text-to-video": _clip("references"),
        "image-to-video": _clip("image", "last_image", "references"),
        "video-extension": _clip("video"),
        "text-to-music": Endpoint(
            fields=dict.fromkeys(("prompt", "negative_prompt", "seed"), BUILD),
            fixed={"parameters": {"sample_count": 1}},
            build=_instance,
            files=Files(
                "predictions[].audioContent predictions[].bytesBase64Encoded",
                "audio/wav",
                form="base64",
                mime_path="predictions[].mimeType",
            ),
            meters=(Meter("request", "1"),),
            dialect="predict",
        ),
    },
)
