"""fal: a queue in front of a thousand endpoints, each with a schema of its own: the mapping is in the offer rows.

`COMPLETED` is said of failures as well: the status then has an `error`, or the result is an HTTP error whose
`detail[].type` says why. Pictures that were blanked ride on HTTP 200 (`has_nsfw_concepts`): the rows of the models that
have it say so. No key makes a submit idempotent. Costs are not in the answers.
"""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from aggregator import casts
from aggregator import contract as c
from aggregator.contract import Call
from aggregator.errors import ProviderError
from aggregator.signing import jwks_digest

SERVER_ERROR = 500
MULTIPART_ABOVE_BYTES = 100 * 2**20
PART_BYTES = 10 * 2**20

_FAILED = (
    "downstream_service_* generation_timeout internal_* no_media_generated request_timeout runner_* startup_timeout"
)
_REFUSED = (
    "archive_file_count_* audio_duration_too_* bad_request face_detection_error feature_not_supported "
    "file_download_error file_too_large greater_than* image_load_error image_too_* invalid_archive less_than* missing "
    "multiple_of one_of sequence_too_* unsupported_*_format value_error video_duration_too_*"
)
_IMAGE = ("text-to-image", "image-to-image")
_VIDEO = (
    *("text-to-video", "image-to-video", "video-to-video", "video-extension", "video-upscaling"),
    *("frame-interpolation", "lip-sync", "video-to-audio"),
)
_AUDIO = ("text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music")
_LISTED = Call("GET", "{api}/v1/models/requests/by-endpoint?endpoint_id={endpoint}&expand=payloads&limit=100")
_WORDS = c.words(queued="IN_QUEUE", running="IN_PROGRESS", succeeded="COMPLETED")
_ADDRESSES = {name: name for name in ("status_url", "response_url", "cancel_url")}


def _rebuilt(names: Mapping[str, str]) -> Mapping[str, str]:
    """Where a request is asked about, by its id: below its application, the first two parts of its endpoint."""
    parts = names["endpoint"].split("/")
    app = "/".join(parts[: 3 if parts[0] in ("workflows", "comfy") else 2])
    at = f"/{app}/requests/{names['id']}"
    return {"status_url": f"{at}/status", "response_url": at, "cancel_url": f"{at}/cancel"}


def _files(path: str, mime_type: str) -> c.Endpoint:
    return c.Endpoint(files=c.Files(path, mime_type), facts={"seed": "seed"})


def _upload(source: c.UploadSource) -> c.Flow:
    """A token from the storage API, then with it (never with the key) the bytes to the CDN; in parts above 100 MB."""
    answer = yield c.HttpRequest("POST", "{rest}/storage/auth/token?storage_type=fal-cdn-v3", json={})
    token = json.loads(answer.body)
    allowed = {"authorization": f"{token['token_type']} {token['token']}"}
    kind = {"content-type": source.mime_type}
    named = {**allowed, **kind, "x-fal-file-name": casts.file_name(source)}
    if source.size_bytes <= MULTIPART_ABOVE_BYTES:
        content = c.Body(source.path, source.size_bytes)
        answer = yield c.HttpRequest("POST", "{cdn}/files/upload", named, content=content, trusted=False)
        return str(json.loads(answer.body)["access_url"])
    url = f"{token['base_url']}/files/upload/multipart"
    opened = json.loads((yield c.HttpRequest("POST", url, named, trusted=False)).body)
    parts = f"{opened['access_url']}/multipart/{opened['uploadId']}"
    tags: list[JsonValue] = []
    for offset in range(0, source.size_bytes, PART_BYTES):
        piece = c.Body(source.path, min(PART_BYTES, source.size_bytes - offset), offset)
        number = len(tags) + 1
        answer = yield c.HttpRequest("PUT", f"{parts}/{number}", {**allowed, **kind}, content=piece, trusted=False)
        tags.append({"partNumber": number, "etag": answer.headers["etag"]})
    yield c.HttpRequest("POST", f"{parts}/complete", allowed, json={"parts": tags}, trusted=False)
    return str(opened["access_url"])


def _bills(error: ProviderError) -> bool | None:
    """Server errors are never charged; a 422 may be, if a runner had begun (fal.ai/docs/model-apis/faq, read
    2026-11-21).
    """
    return False if error.status_code is not None and error.status_code >= SERVER_ERROR else None


PROVIDER = c.Provider(
    name="fal",
    docs="https://fal.ai/docs/model-apis/model-endpoints/queue",
    checked="2026-11-21",
    base_url="https://queue.fal.run",
    hosts={"rest": "https://rest.fal.ai", "api": "https://api.fal.ai"},
    cdns={"cdn": "https://v3.fal.media"},
    auth=c.Auth(env=("FAL_KEY",), template="Key {key}"),
    submit=Call("POST", "/{endpoint}", capture={"id": "request_id", **_ADDRESSES}),
    poll=Call("GET", "{status_url}?logs=0"),
    stream=Call("GET", "{status_url}/stream?logs=0"),
    follow=(c.Follow(Call("GET", "{response_url}")),),
    cancel=Call("PUT", "{cancel_url}"),
    probe=Call("GET", "{api}/v1/models/pricing?endpoint_id=fal-ai/flux/schnell"),
    free={
        "models": Call("GET", "{api}/v1/models"),
        "schema": Call("GET", "{api}/v1/models?endpoint_id={endpoint}&expand=openapi-3.0"),
        "prices": Call("GET", "{api}/v1/models/pricing?endpoint_id={endpoint}"),
    },
    status=c.Status("status", _WORDS, error="error", position="queue_position"),
    codes=c.Codes(
        ("detail[].type", "error_type", "detail"),
        {
            "*Exhausted balance*": "quota",  # HTTP 403
            "content_policy_violation": "content_policy",
            **c.kinds(invalid_request=_REFUSED, job_failed=_FAILED, canceled="client_*"),
        },
    ),
    error_message=("detail[].msg", "detail", "error.message", "error"),
    request_id_header="x-fal-request-id",
    upload=_upload,
    # Inputs are kept as long as results, and an account may set for how long: https://fal.ai/docs/model-apis/data-retention
    # (read 2026-11-21). An hour is well below the usual days.
    upload_ttl_s=3_600,
    inputs={"": c.Input(accepts=("url", "upload"))},
    webhook=jwks_digest(
        "@query.fal_webhook",
        "request_id",
        prefix="x-fal-webhook",
        who="request-id",
        keys="{rest}/.well-known/jwks.json",
        status=c.Status("status", c.words(succeeded="OK", failed="ERROR"), error="error"),
        handle=_rebuilt,
    ),
    # Sorted by their end: one that goes on may be missing (fal.ai/docs/platform-apis, read 2026-11-21).
    lookup=c.Lookup(_LISTED, "items", {"id": "request_id"}, _rebuilt, created="sent_at", equal={"": "json_input"}),
    bills_failures=_bills,
    result_ttl_s=7 * 86_400,  # "at least 7 days" (fal.ai/docs/faq, read 2026-11-21)
    tasks={
        **dict.fromkeys(_IMAGE, _files("images[].url", "image/*")),
        "image-upscaling": _files("image.url", "image/*"),
        **dict.fromkeys(_VIDEO, _files("video.url", "video/*")),
        **dict.fromkeys(_AUDIO, _files("audio.url", "audio/*")),
    },
)
