"""Topaz Labs for clips: a purchase of five calls.

A clip is described first, which gives a quote and costs nothing; accepting that is what is paid; only then is the file
sent, in as many parts as there are addresses, and their receipts are handed in. So the size, length and frame rate of
what is sent must be known beforehand. The lower end of the quote is what is billed.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import RequestError

_SHAPES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
_CONTAINERS = {"video/mp4": "mp4", "video/quicktime": "mov", "video/x-matroska": "mkv"}


def _clip(values: Mapping[str, Any]) -> c.Json:
    """What is sent, and a result that is as large and as fast as that unless something else is asked for."""
    if "video" not in values:
        return {}
    known = values.get("@media", {}).get("video", {})
    if missing := [fact for fact in ("width", "height", "duration_s", "fps") if fact not in known]:
        raise RequestError(f"topaz_video must be told the clip's {', '.join(missing)}: give a file that can be probed")
    width, height, fps = known["width"], known["height"], known["fps"]
    factor = values.get("factor", 1)
    if (shape := _SHAPES.get(values.get("resolution", ""))) is not None:
        factor = min(max(shape) / max(width, height), min(shape) / min(width, height))
    source: c.Json = {
        "file": values["video"],
        "container": _CONTAINERS.get(known.get("mime_type", ""), "mp4"),
        "duration": known["duration_s"],
        "frameCount": round(known["duration_s"] * fps),
        "frameRate": fps,
        "resolution": {"width": width, "height": height},
    }
    size: c.Json = {"width": _even(width * factor), "height": _even(height * factor)}
    sound: c.Json = {"audioCodec": "AAC", "audioTransfer": "Copy"}
    output: c.Json = {"resolution": size, "frameRate": values.get("fps", fps), **sound, "container": "mp4"}
    return {"source": source, "output": output}


def _even(edge: float) -> int:
    """Encoders take even edges only."""
    return round(edge / 2) * 2


def _purchase(order: c.Order) -> Generator[c.HttpRequest | c.Paid, c.HttpResponse, Mapping[str, str]]:
    """Describe, accept (this is paid), send the parts, hand in their receipts."""
    body: Any = order.body
    source = dict(body["source"])
    file = order.inputs[source.pop("file")]
    described = {**body, "source": {**source, "size": file.size_bytes}}
    answer = yield c.HttpRequest("POST", "/video/", json=described)
    job = json.loads(answer.body)["requestId"]
    answer = yield c.Paid(c.HttpRequest("PATCH", f"/video/{job}/accept"), {"id": job})
    addresses = json.loads(answer.body)["urls"]
    each = -(-file.size_bytes // len(addresses))
    receipts: list[Any] = []
    for at, address in enumerate(addresses):
        part = c.Body(file.path, min(each, file.size_bytes - at * each), at * each)
        answer = yield c.HttpRequest("PUT", address, content=part, trusted=False)
        receipts.append({"partNum": at + 1, "eTag": answer.headers["etag"].strip('"')})
    yield c.HttpRequest("PATCH", f"/video/{job}/complete-upload/", json={"uploadResults": receipts})
    return {"id": job}


# `requested` is said of what was described and not accepted: of a job it is no word, and nothing was bought.
_WORDS = c.words(
    queued="accepted initializing",
    running="preprocessing processing postprocessing canceling",
    succeeded="complete",
    failed="failed",
    canceled="canceled",
)
_FILE = c.Files("download.url", "video/mp4")
# By the model and both sizes, by a table that is not published: the quote tells.
_CREDITS = (c.Meter("credit", casts.unknown, reported="estimates.cost.0"),)

PROVIDER = c.Provider(
    name="topaz_video",
    docs="https://developer.topazlabs.com/video-api",
    checked="2026-11-20",
    base_url="https://api.topazlabs.com",
    auth=c.Auth(env=("TOPAZ_API_KEY",), header="X-API-Key", template="{key}"),
    submit=_purchase,
    poll=c.Call("GET", "/video/{id}/status"),
    cancel=c.Call("DELETE", "/video/{id}"),
    probe=c.Call("GET", "/video/history?limit=1"),
    free={"models": c.Call("GET", "/video/status")},
    status=c.Status("status", _WORDS, progress="progress", progress_of=100),
    codes=c.Codes(("@status",), c.kinds(quota="402")),
    inputs={"": c.Input(("part",), max_bytes=None, mime_types=tuple(_CONTAINERS))},
    result_ttl_s=24 * 3600,
    tasks={
        "video-upscaling": c.Endpoint(
            {"video": c.BUILD, "factor": c.BUILD, "resolution": c.BUILD, "fps": c.BUILD}, {}, _clip, _FILE, _CREDITS
        ),
        "frame-interpolation": c.Endpoint({"video": c.BUILD, "fps": c.BUILD}, {}, _clip, _FILE, _CREDITS),
    },
)
