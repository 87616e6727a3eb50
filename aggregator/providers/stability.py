"""Stability: forms in, the file itself out; the slow ones are asked for again by an id until the status is 200.

Pictures: one path each, `sd3` chooses its model in the form. A picture that the filter blurred comes with HTTP 200 and
says so in a header. Failures are free. Results of the slow ones are kept for a day, for the same key.
"""

from aggregator import contract as c

_JSON, _PICTURE, _SOUND = ({"accept": kind} for kind in ("application/json", "image/*", "audio/*"))
_FILTERED = c.Blocked("@headers.finish-reason", ("CONTENT_FILTERED",))
_AT_200 = c.Status("@status", c.words(running="202", succeeded="200"))
_NEGATIVE = "negative_prompt"


def _image(**fields: str | c.To) -> c.Endpoint:
    return c.Endpoint(
        fields={"prompt": "prompt", "seed": "seed", "format": "output_format", **fields},
        build=lambda _: {},  # `factor` is what the endpoint does: it is checked, and said nowhere
        files=c.Files(mime_type="image/png", form="body", blocked=_FILTERED),
        meters=(c.Meter("image", "1"),),
        facts={"seed": "@headers.seed"},
        encoding="multipart",
    )


_AUDIO = c.Endpoint(
    fields={"prompt": "prompt", "duration_s": "duration", "seed": "seed", "format": "output_format"},
    fixed={"model": "{endpoint}"},
    files=c.Files(mime_type="audio/mpeg", form="body", blocked=_FILTERED),
    meters=(c.Meter("request", "1"),),
    facts={"seed": "@headers.seed"},
    encoding="multipart",
    dialect="audio",
)

PROVIDER = c.Provider(
    name="stability",
    docs="https://platform.stability.ai/docs/api-reference",
    checked="2026-11-21",
    base_url="https://api.stability.ai",
    auth=c.Auth(env=("STABILITY_API_KEY",)),
    submit=c.Call("POST", "/v2beta/stable-image/{endpoint}", headers=_PICTURE, read_s=300.0),
    probe=c.Call("GET", "/v1/user/balance", headers=_JSON),
    free={"balance": c.Call("GET", "/v1/user/balance", headers=_JSON)},
    dialects={
        "sd3": {"submit": c.Call("POST", "/v2beta/stable-image/generate/sd3", headers=_PICTURE, read_s=300.0)},
        "queued": {
            "submit": c.Call("POST", "/v2beta/stable-image/{endpoint}", headers=_JSON, capture={"id": "id"}),
            "poll": c.Call("GET", "/v2beta/results/{id}", headers={"accept": "*/*"}),
            "status": _AT_200,
        },
        "audio": {"submit": c.Call("POST", "/v2beta/audio/stable-audio-2/text-to-audio", headers=_SOUND, read_s=300.0)},
        "queued-audio": {
            "submit": c.Call("POST", "/v2beta/audio/stable-audio/text-to-audio", headers=_JSON, capture={"id": "id"}),
            "poll": c.Call("GET", "/v2beta/audio/results/{id}", headers=_SOUND),
            "status": _AT_200,
        },
    },
    codes=c.Codes(
        ("name",),
        c.kinds(
            authentication="unauthorized",
            rate_limit="rate_limit_exceeded",
            invalid_request="bad_request language_not_supported not_found payload_too_large",
            content_policy="content_moderation",
            unavailable="internal_error",
        ),
    ),
    error_message=("errors[]", "message"),
    request_id_header="x-request-id",
    inputs={"image": c.Input(("part",), max_bytes=10 * 2**20, mime_types=("image/png", "image/jpeg", "image/webp"))},
    bills_failures=False,
    requests_per_second=15.0,  # 150 in 10 seconds, else a minute's pause
    result_ttl_s=86_400,
    tasks={
        "text-to-image": _image(negative_prompt=_NEGATIVE, aspect_ratio="aspect_ratio"),
        "image-to-image": _image(negative_prompt=_NEGATIVE, image="image", strength="strength", mask="mask"),
        "image-upscaling": _image(image="image", factor=c.BUILD),
        "text-to-music": _AUDIO,
        "text-to-sound": _AUDIO,
    },
)
