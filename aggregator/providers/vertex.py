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

from aggregator import contract as c
from aggregator.errors import ContentPolicyError, ProviderError
from aggregator.signing import jwt_rs256

_TOKENS = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_MODEL = "/publishers/google/models/{endpoint}"
_WIRE = {"image": "image", "last_image": "lastFrame", "video": "video"}
_CLIPS, _BLOCKED = "response.videos[]", c.Blocked("response.raiMediaFilteredCount")
_SOUND = "predictions[].audioContent predictions[].bytesBase64Encoded"
_SHAPE = {"aspect_ratio": "aspectRatio", "resolution": "resolution", "duration_s": "durationSeconds", "fps": "fps"}
_NAMES = {**_SHAPE, "negative_prompt": "negativePrompt", "audio": "generateAudio", "seed": "seed"}


def _token(key: str, now: float) -> c.TokenFlow:
    """An access token as it is, or a service account's own for an hour, as google-auth 2.62 asks for it."""
    if not key.lstrip().startswith("{"):
        return key, math.inf
    account = json.loads(key)
    claims = {"iss": account["client_email"], "scope": _SCOPE, "aud": _TOKENS, "iat": int(now), "exp": int(now) + 3600}
    assertion = jwt_rs256(claims, account["private_key"], key_id=account.get("private_key_id", ""))
    form = urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}).encode()
    answer = yield c.HttpRequest("POST", account.get("token_uri", _TOKENS), _FORM, content=form, trusted=False)
    granted = json.loads(answer.body)
    return str(granted["access_token"]), now + float(granted["expires_in"])


def _media(text: Any) -> c.Json:
    head, _, data = str(text).partition(";base64,")
    return {"bytesBase64Encoded": data, "mimeType": head.removeprefix("data:")}


def _instance(values: Mapping[str, Any]) -> c.Json:
    """The one thing to make. A reference is a style, or else an asset."""
    kinds = ((one["image"], "STYLE" if one["role"] == "style" else "ASSET") for one in values.get("references", ()))
    guides: list[Any] = [{"image": _media(image), "referenceType": kind} for image, kind in kinds]
    said = {name: values[name] for name in ("prompt", "negative_prompt", "seed") if name in values}
    shown = {wire: _media(values[name]) for name, wire in _WIRE.items() if name in values}
    return {"instances": [{**said, **shown, **({"referenceImages": guides} if guides else {})}]}


def _clip(*inputs: str) -> c.Endpoint:
    return c.Endpoint(
        {**dict.fromkeys(("prompt", *inputs), c.BUILD), **{name: f"parameters.{to}" for name, to in _NAMES.items()}},
        {"parameters": {"sampleCount": 1}},
        build=_instance,
        files=c.Files(f"{_CLIPS}.bytesBase64Encoded", "video/mp4", "base64", f"{_CLIPS}.mimeType", blocked=_BLOCKED),
        meters=(c.Meter("video_second", "request.duration_s"),),
    )


def _bills(error: ProviderError) -> bool | None:
    """What is blocked is not charged (ai.google.dev/gemini-api/docs/video); of other failures nothing is documented."""
    return False if isinstance(error, ContentPolicyError) else None


_DONE = c.words(succeeded="true", running="false")

PROVIDER = c.Provider(
    name="vertex",
    docs="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=("VERTEX_ACCESS_TOKEN", "VERTEX_SERVICE_ACCOUNT"), token=_token),
    submit=c.Call("POST", f"{_MODEL}:predictLongRunning", capture={"name": "name"}),
    poll=c.Call("POST", f"{_MODEL}:fetchPredictOperation", body={"operationName": "{name}"}),
    probe=c.Call("GET", "/models?pageSize=1"),
    status=c.Status("done", _DONE, missing=c.State.RUNNING, error="error.message"),
    dialects={"predict": {"submit": c.Call("POST", f"{_MODEL}:predict", read_s=300.0), "poll": None, "status": None}},
    codes=c.Codes(
        ("error.message", "error.status", "error.code"),
        {
            # Code 3 is any invalid argument; only the words tell that it was the content.
            "*usage guidelines*": "content_policy",
            **c.kinds(
                authentication="UNAUTHENTICATED PERMISSION_DENIED",
                quota="FAILED_PRECONDITION",
                rate_limit="RESOURCE_EXHAUSTED",
                invalid_request="INVALID_ARGUMENT OUT_OF_RANGE NOT_FOUND",
                unavailable="UNAVAILABLE INTERNAL DEADLINE_EXCEEDED",
            ),
        },
    ),
    error_message=("error.message", "response.raiMediaFilteredReasons[]", "error_description", "error"),
    inputs={"": c.Input(("data",), max_bytes=20 * 2**20)},
    bills_failures=_bills,
    tasks={
        "text-to-video": _clip("references"),
        "image-to-video": _clip("image", "last_image", "references"),
        "video-extension": _clip("video"),
        "text-to-music": c.Endpoint(
            dict.fromkeys(("prompt", "negative_prompt", "seed"), c.BUILD),
            {"parameters": {"sample_count": 1}},
            build=_instance,
            files=c.Files(_SOUND, "audio/wav", form="base64", mime_path="predictions[].mimeType"),
            meters=(c.Meter("request", "1"),),
            dialect="predict",
        ),
    },
)
