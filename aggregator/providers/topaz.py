"""Topaz Labs for pictures: an order is a form, and the group of its model is part of the path.

A result is ordered by its size in pixels, so an enlargement by a factor needs a picture whose size is known. The file's
address is asked for once the job is done. What was charged stands in the status, in credits.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Follow,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    Webhook,
)
from aggregator.errors import RequestError


def _picture(values: Mapping[str, Any]) -> Json:
    """A file or an address; an enlargement is said as the size of the result."""
    body: Json = {}
    if (image := values.get("image")) is not None:
        body["source_url" if str(image).startswith("http") else "image"] = image
    if (factor := values.get("factor")) is not None:
        known = values.get("@media", {}).get("image", {})
        if not {"width", "height"} <= known.keys():
            raise RequestError("topaz takes a size, no factor: give a picture whose size can be probed")
        body |= {"output_width": round(known["width"] * factor), "output_height": round(known["height"] * factor)}
    return body


def _unknown(_values: Mapping[str, Any]) -> None:
    """Credits depend on the model and on both sizes, by a table that is not published: only `estimate` tells."""


PROVIDER = Provider(
    name="topaz",
    docs="https://developer.topazlabs.com/image-api",
    checked="2026-11-20",
    base_url="https://api.topazlabs.com/image/v1",
    auth=Auth(env=("TOPAZ_API_KEY",), header="X-API-Key", template="{key}"),
    submit=Call("POST", "/{group}/async", capture={"id": "process_id"}),
    poll=Call("GET", "/status/{id}"),
    follow=(Follow(Call("GET", "/download/{id}")),),
    cancel=Call("DELETE", "/cancel/{id}"),
    probe=Call("GET", "/status?paginated=true&limit=1"),
    free={"estimate": Call("POST", "/estimate"), "estimate-gen": Call("POST", "/estimate-gen")},
    status=Status(
        "status",
        {
            "Pending": State.QUEUED,
            "Processing": State.RUNNING,
            "Completed": State.SUCCEEDED,
            "Failed": State.FAILED,
            "Cancelled": State.CANCELED,
        },
        progress="progress",
        progress_of=100,
    ),
    codes=Codes(("@status",), {"402": "quota", "412": "authentication", "425": "rate_limit"}),
    inputs={"": Input(("part", "url"), max_bytes=None)},
    charge=Charge("credits", "0.08", at="poll"),
    webhook=Webhook("webhook_url", "process_id"),  # not signed
    result_ttl_s=3600,
    tasks={
        "image-upscaling": Endpoint(
            fields={"image": BUILD, "factor": BUILD, "format": "output_format"},
            build=_picture,
            files=Files("download_url", "image/*"),
            meters=(Meter("credit", _unknown),),
            encoding="multipart",
        ),
    },
)
