"""Topaz Labs for pictures: an order is a form, and the group of its model is part of the path.

A result is ordered by its size in pixels, so an enlargement by a factor needs a picture whose size is known. The file's
address is asked for once the job is done. What was charged stands in the status, in credits.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import RequestError


def _picture(values: Mapping[str, Any]) -> c.Json:
    """A file or an address; an enlargement is said as the size of the result."""
    body: c.Json = {}
    if (image := values.get("image")) is not None:
        body["source_url" if str(image).startswith("http") else "image"] = image
    if (factor := values.get("factor")) is not None:
        known = values.get("@media", {}).get("image", {})
        if not {"width", "height"} <= known.keys():
            raise RequestError("topaz takes a size, no factor: give a picture whose size can be probed")
        body |= {"output_width": round(known["width"] * factor), "output_height": round(known["height"] * factor)}
    return body


PROVIDER = c.Provider(
    name="topaz",
    docs="https://developer.topazlabs.com/image-api",
    checked="2026-11-20",
    base_url="https://api.topazlabs.com/image/v1",
    auth=c.Auth(env=("TOPAZ_API_KEY",), header="X-API-Key", template="{key}"),
    submit=c.Call("POST", "/{group}/async", capture={"id": "process_id"}),
    poll=c.Call("GET", "/status/{id}"),
    follow=(c.Follow(c.Call("GET", "/download/{id}")),),
    cancel=c.Call("DELETE", "/cancel/{id}"),
    probe=c.Call("GET", "/status?paginated=true&limit=1"),
    free={"estimate": c.Call("POST", "/estimate"), "estimate-gen": c.Call("POST", "/estimate-gen")},
    status=c.Status(
        "status",
        c.words(queued="Pending", running="Processing", succeeded="Completed", failed="Failed", canceled="Cancelled"),
        progress="progress",
        progress_of=100,
    ),
    codes=c.Codes(("@status",), c.kinds(authentication="412", quota="402", rate_limit="425")),
    inputs={"": c.Input(("part", "url"), max_bytes=None)},
    charge=c.Charge("credits", "0.08", at="poll"),
    webhook=c.Webhook("webhook_url", "process_id"),  # not signed
    result_ttl_s=3600,
    served_model="model",
    tasks={
        "image-upscaling": c.Endpoint(
            fields={"image": c.BUILD, "factor": c.BUILD, "format": "output_format"},
            build=_picture,
            files=c.Files("download_url", "image/*"),
            # By the model and both sizes, by a table that is not published: only `estimate` tells.
            meters=(c.Meter("credit", casts.unknown),),
            encoding="multipart",
        )
    },
)
