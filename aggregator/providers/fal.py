"""fal: a queue in front of more than a thousand endpoints, each with a schema of its own: the mapping is in the offer
rows.

The answer to a submit carries the addresses of status, result and cancel. `COMPLETED` is said of failures as well: the
status then has an `error`, or the result is an HTTP error whose `detail[].type` says why. No key makes a submit
idempotent. Local inputs go to the CDN with a token of their own; the credential never does. Costs are not in the
answers.
"""

import json

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    Provider,
    State,
    Status,
    UploadSource,
)
from aggregator.errors import ProviderError

SERVER_ERROR = 500

_FAILED = (
    "downstream_service_error downstream_service_unavailable generation_timeout internal_error internal_server_error "
    "no_media_generated request_timeout runner_connection_error runner_connection_refused runner_connection_timeout "
    "runner_disconnected runner_incomplete_response runner_scheduling_failure runner_server_error startup_timeout"
).split()
_REFUSED = (
    "archive_file_count_below_minimum archive_file_count_exceeds_maximum audio_duration_too_long audio_duration_too_short "
    "face_detection_error feature_not_supported file_download_error file_too_large greater_than greater_than_equal "
    "image_load_error image_too_large image_too_small invalid_archive less_than less_than_equal missing multiple_of one_of "
    "sequence_too_long sequence_too_short unsupported_audio_format unsupported_image_format unsupported_video_format "
    "value_error video_duration_too_long video_duration_too_short"
).split()


def _upload(source: UploadSource) -> Flow:
    """A token from the storage API, then the bytes to the CDN."""
    answer = yield HttpRequest("POST", "{rest}/storage/auth/token?storage_type=fal-cdn-v3", json={})
    token = json.loads(answer.body)
    headers = {
        "authorization": f"{token['token_type']} {token['token']}",
        "content-type": source.mime_type,
        "x-fal-file-name": f"{source.sha256[:16]}.{source.mime_type.partition('/')[2]}",
    }
    content = Body(source.path, source.size_bytes)
    answer = yield HttpRequest("POST", "{cdn}/files/upload", headers, content=content, trusted=False)
    return str(json.loads(answer.body)["access_url"])


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
        capture={
            "id": "request_id",
            "status_url": "status_url",
            "response_url": "response_url",
            "cancel_url": "cancel_url",
        },
    ),
    poll=Call("GET", "{status_url}?logs=0"),
    stream=Call("GET", "{status_url}/stream?logs=0"),
    result=Call("GET", "{response_url}"),
    cancel=Call("PUT", "{cancel_url}"),
    probe=Call("GET", "{api}/v1/models/pricing?endpoint_id=fal-ai/flux/schnell"),
    status=Status(
        "status",
        {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.SUCCEEDED},
        error="error",
        position="queue_position",
    ),
    codes=Codes(
        ("detail[].type", "error_type"),
        {
            "content_policy_violation": "content_policy",
            "bad_request": "invalid_request",
            "client_cancelled": "canceled",
            "client_disconnected": "canceled",
            **dict.fromkeys(_FAILED, "job_failed"),
            **dict.fromkeys(_REFUSED, "invalid_request"),
        },
    ),
    error_message=("detail[].msg", "detail", "error.message", "error"),
    request_id_header="x-fal-request-id",
    upload=_upload,
    bills_failures=_bills,
    result_ttl_s=7 * 86_400,  # "at least 7 days" (fal.ai/docs/faq, read 2026-11-21)
    tasks={
        "text-to-image": Endpoint(files=Files("images[].url", "image/*"), facts={"seed": "seed"}),
        "image-to-image": Endpoint(files=Files("images[].url", "image/*"), facts={"seed": "seed"}),
        "image-upscaling": Endpoint(files=Files("image.url", "image/*"), facts={"seed": "seed"}),
        "text-to-video": Endpoint(files=Files("video.url", "video/*"), facts={"seed": "seed"}),
        "image-to-video": Endpoint(files=Files("video.url", "video/*"), facts={"seed": "seed"}),
        "video-to-video": Endpoint(files=Files("video.url", "video/*"), facts={"seed": "seed"}),
        "video-upscaling": Endpoint(files=Files("video.url", "video/*"), facts={"seed": "seed"}),
        "lip-sync": Endpoint(files=Files("video.url", "video/*")),
        "text-to-speech": Endpoint(files=Files("audio.url", "audio/*")),
        "text-to-sound": Endpoint(files=Files("audio.url", "audio/*"), facts={"seed": "seed"}),
        "text-to-music": Endpoint(files=Files("audio.url", "audio/*"), facts={"seed": "seed"}),
    },
)
