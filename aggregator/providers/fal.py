"""fal: a queue in front of more than a thousand endpoints, each with a schema of its own: the mapping is in the offer
rows.

The answer to a submit carries the addresses of status, result and cancel. `COMPLETED` is said of failures as well: the
status then has an `error`, or the result is an HTTP error whose `detail[].type` says why. Pictures that were blanked
ride on HTTP 200 (`has_nsfw_concepts`): the rows of the models that have it say so. No key makes a submit idempotent.
Local inputs go to the CDN with a token of their own; the credential never does. Costs are not in the answers.
"""

import json

from pydantic import JsonValue

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    Follow,
    HttpRequest,
    Input,
    Provider,
    State,
    Status,
    UploadSource,
)
from aggregator.errors import ProviderError
from aggregator.signing import jwks_digest

SERVER_ERROR = 500
MULTIPART_ABOVE_BYTES = 100 * 2**20
PART_BYTES = 10 * 2**20

_FAILED = (
    *("downstream_service_*", "generation_timeout", "internal_*", "no_media_generated", "request_timeout"),
    *("runner_*", "startup_timeout"),
)
_REFUSED = (
    *("archive_file_count_*", "audio_duration_too_*", "face_detection_error", "feature_not_supported"),
    *("file_download_error", "file_too_large", "greater_than*", "image_load_error", "image_too_*", "invalid_archive"),
    *("less_than*", "missing", "multiple_of", "one_of", "sequence_too_*", "unsupported_*_format", "value_error"),
    *("bad_request", "video_duration_too_*"),
)
_IMAGE = ("text-to-image", "image-to-image")
_VIDEO = (
    *("text-to-video", "image-to-video", "video-to-video", "video-extension", "video-upscaling"),
    *("frame-interpolation", "lip-sync", "video-to-audio"),
)
_AUDIO = ("text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music")
_SEED = {"seed": "seed"}


def _upload(source: UploadSource) -> Flow:
    """A token from the storage API, then the bytes to the CDN: at once, or in parts above 100 MB."""
    answer = yield HttpRequest("POST", "{rest}/storage/auth/token?storage_type=fal-cdn-v3", json={})
    token = json.loads(answer.body)
    allowed = {"authorization": f"{token['token_type']} {token['token']}"}
    kind = {"content-type": source.mime_type}
    named = {**allowed, **kind, "x-fal-file-name": f"{source.sha256[:16]}.{source.mime_type.partition('/')[2]}"}
    if source.size_bytes <= MULTIPART_ABOVE_BYTES:
        content = Body(source.path, source.size_bytes)
        answer = yield HttpRequest("POST", "{cdn}/files/upload", named, content=content, trusted=False)
        return str(json.loads(answer.body)["access_url"])
    url = f"{token['base_url']}/files/upload/multipart"
    opened = json.loads((yield HttpRequest("POST", url, named, trusted=False)).body)
    parts = f"{opened['access_url']}/multipart/{opened['uploadId']}"
    tags: list[JsonValue] = []
    for offset in range(0, source.size_bytes, PART_BYTES):
        piece = Body(source.path, min(PART_BYTES, source.size_bytes - offset), offset)
        number = len(tags) + 1
        answer = yield HttpRequest("PUT", f"{parts}/{number}", {**allowed, **kind}, content=piece, trusted=False)
        tags.append({"partNumber": number, "etag": answer.headers["etag"]})
    yield HttpRequest("POST", f"{parts}/complete", allowed, json={"parts": tags}, trusted=False)
    return str(opened["access_url"])


def _bills(error: ProviderError) -> bool | None:
    """Server errors are never charged; a 422 may be, if a runner had begun (fal.ai/docs/model-apis/faq, read
    2026-11-21).
    """
    return False if error.status_code is not None and error.status_code >= SERVER_ERROR else None


PROVIDER = Provider(
    name="fal",
    docs="https://fal.ai/docs/model-apis/model-endpoints/queue",
    checked="2026-11-21",
    base_url="https://queue.fal.run",
    hosts={"rest": "https://rest.fal.ai", "api": "https://api.fal.ai"},
    cdns={"cdn": "https://v3.fal.media"},
    auth=Auth(env=("FAL_KEY",), template="Key {key}"),
    submit=Call(
        "POST",
        "/{endpoint}",
        capture={"id": "request_id", **{name: name for name in ("status_url", "response_url", "cancel_url")}},
    ),
    poll=Call("GET", "{status_url}?logs=0"),
    stream=Call("GET", "{status_url}/stream?logs=0"),
    follow=(Follow(Call("GET", "{response_url}")),),
    cancel=Call("PUT", "{cancel_url}"),
    probe=Call("GET", "{api}/v1/models/pricing?endpoint_id=fal-ai/flux/schnell"),
    free={
        "models": Call("GET", "{api}/v1/models"),
        "schema": Call("GET", "{api}/v1/models?endpoint_id={endpoint}&expand=openapi-3.0"),
        "prices": Call("GET", "{api}/v1/models/pricing?endpoint_id={endpoint}"),
    },
    status=Status(
        "status",
        {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.SUCCEEDED},
        error="error",
        position="queue_position",
    ),
    codes=Codes(
        ("detail[].type", "error_type", "detail"),
        {
            "*Exhausted balance*": "quota",  # HTTP 403
            "content_policy_violation": "content_policy",
            "client_*": "canceled",
            **dict.fromkeys(_FAILED, "job_failed"),
            **dict.fromkeys(_REFUSED, "invalid_request"),
        },
    ),
    error_message=("detail[].msg", "detail", "error.message", "error"),
    request_id_header="x-fal-request-id",
    upload=_upload,
    inputs={"": Input(accepts=("url", "upload"))},
    webhook=jwks_digest(
        "@query.fal_webhook",
        "request_id",
        prefix="x-fal-webhook",
        who="request-id",
        keys="{rest}/.well-known/jwks.json",
        status=Status("status", {"OK": State.SUCCEEDED, "ERROR": State.FAILED}, error="error"),
    ),
    bills_failures=_bills,
    result_ttl_s=7 * 86_400,  # "at least 7 days" (fal.ai/docs/faq, read 2026-11-21)
    tasks={
        **dict.fromkeys(_IMAGE, Endpoint(files=Files("images[].url", "image/*"), facts=_SEED)),
        "image-upscaling": Endpoint(files=Files("image.url", "image/*"), facts=_SEED),
        **dict.fromkeys(_VIDEO, Endpoint(files=Files("video.url", "video/*"), facts=_SEED)),
        **dict.fromkeys(_AUDIO, Endpoint(files=Files("audio.url", "audio/*"), facts=_SEED)),
    },
)
