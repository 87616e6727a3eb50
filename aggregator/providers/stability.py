"""Stability: forms in, the file itself out; the slow ones are asked for again by an id until the status is 200.

Pictures: one path each, `sd3` chooses its model in the form. A picture that the filter blurred comes with HTTP 200 and
says so in a header. Failures are free. Results of the slow ones are kept for a day, for the same key.
"""

from aggregator.contract import (
    BUILD,
    Auth,
    Blocked,
    Call,
    Codes,
    Endpoint,
    Files,
    Input,
    Meter,
    Provider,
    State,
    Status,
    To,
)

_JSON, _PICTURE, _SOUND = ({"accept": kind} for kind in ("application/json", "image/*", "audio/*"))
_FILTERED = Blocked("@headers.finish-reason", ("CONTENT_FILTERED",))
_AT_200 = Status("@status", {"202": State.RUNNING, "200": State.SUCCEEDED})
_NEGATIVE = "negative_prompt"


def _image(**fields: str | To) -> Endpoint:
    return Endpoint(
        fields={"prompt": "prompt", "seed": "seed", "format": "output_format", **fields},
        build=lambda _: {},  # `factor` is what the endpoint does: it is checked, and said nowhere
        files=Files(mime_type="image/png", form="body", blocked=_FILTERED),
        meters=(Meter("image", "1"),),
        facts={"seed": "@headers.seed"},
        encoding="multipart",
    )


_AUDIO = Endpoint(
    fields={"prompt": "prompt", "duration_s": "duration", "seed": "seed", "format": "output_format"},
    fixed={"model": "{endpoint}"},
    files=Files(mime_type="audio/mpeg", form="body", blocked=_FILTERED),
    meters=(Meter("request", "1"),),
    facts={"seed": "@headers.seed"},
    encoding="multipart",
    dialect="audio",
)

PROVIDER = Provider(
    name="stability",
    docs="https://platform.stability.ai/docs/api-reference",
    checked="2026-11-21",
    base_url="https://api.stability.ai",
    auth=Auth(env=("STABILITY_API_KEY",)),
    submit=Call("POST", "/v2beta/stable-image/{endpoint}", headers=_PICTURE, read_s=300.0),
    probe=Call("GET", "/v1/user/balance", headers=_JSON),
    free={"balance": Call("GET", "/v1/user/balance", headers=_JSON)},
    dialects={
        "sd3": {"submit": Call("POST", "/v2beta/stable-image/generate/sd3", headers=_PICTURE, read_s=300.0)},
        "queued": {
            "submit": Call("POST", "/v2beta/stable-image/{endpoint}", headers=_JSON, capture={"id": "id"}),
            "poll": Call("GET", "/v2beta/results/{id}", headers=_PICTURE),
            "status": _AT_200,
        },
        "audio": {"submit": Call("POST", "/v2beta/audio/stable-audio-2/text-to-audio", headers=_SOUND, read_s=300.0)},
        "queued-audio": {
            "submit": Call("POST", "/v2beta/audio/stable-audio/text-to-audio", headers=_JSON, capture={"id": "id"}),
            "poll": Call("GET", "/v2beta/audio/results/{id}", headers=_SOUND),
            "status": _AT_200,
        },
    },
    codes=Codes(
        ("name",),
        {
            "content_moderation": "content_policy",
            "internal_error": "unavailable",
            "rate_limit_exceeded": "rate_limit",
            "unauthorized": "authentication",
            **dict.fromkeys(
                ("bad_request", "language_not_supported", "not_found", "payload_too_large"), "invalid_request"
            ),
        },
    ),
    error_message=("errors[]", "message"),
    request_id_header="x-request-id",
    inputs={"image": Input(("part",), max_bytes=10 * 2**20, mime_types=("image/png", "image/jpeg", "image/webp"))},
    bills_failures=False,
    requests_per_second=15.0,  # 150 in 10 seconds, else a minute's pause
    result_ttl_s=86_400,
    tasks={
        "text-to-image": _image(negative_prompt=_NEGATIVE, aspect_ratio="aspect_ratio"),
        "image-to-image": _image(negative_prompt=_NEGATIVE, image="image", strength="strength", mask="mask"),
        "image-upscaling": _image(image="image", factor=BUILD),
        "text-to-music": _AUDIO,
        "text-to-sound": _AUDIO,
    },
)
