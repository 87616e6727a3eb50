"""ComfyUI at an address of your own: any workflow in API format is an offer, once it says which inputs are which.

Both generations are spoken, whichever answers: the jobs API of newer servers, else history and queue, read as the same
job. The id is ours, made from the attempt's: a job whose answer never came is looked up by it. A queue without an end
never says that it is full. Nothing is ever asked of other people's jobs: no interrupt without an id, no `clear`.
"""

import json
from collections.abc import Generator, Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from pydantic import JsonValue

from aggregator import contract as c
from aggregator.providers import _workflows as workflows

_NAMES = UUID("5b1f7a52-6a3d-4f0e-9d0e-3f6a0c7a9e11")
"""The namespace of our ids. Changed, jobs on their way are not found any more."""
_KINDS = ("images", "gifs", "videos", "video", "audio")
"""Clips and moving pictures come under `images` as well; popular nodes for clips have `gifs`."""
TOO_LATE = 409
_ENDS = ("execution_success", "execution_error", "execution_interrupted")
_SHOWS = (1).to_bytes(4)
"""The kind of a frame that holds a picture: one sort of them names the job, and is only sent to who asks for it."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG")
_Question = Generator[c.HttpRequest, c.HttpResponse, c.HttpResponse]


# ------------------------------------------------------------------------------------------------------- what is sent


def _id(attempt: str) -> str:
    """The job's id: newer servers take a UUID in its canonical form and nothing else."""
    return str(uuid5(_NAMES, attempt))


def _marked(body: c.Json, attempt: str) -> c.Json:
    """The workflow of one attempt: its id, and what is its own in the nodes."""
    job, nodes = _id(attempt), body.get("prompt")
    workflows.own(nodes if isinstance(nodes, dict) else {}, job)
    return {**body, "prompt_id": job, "client_id": job}


def _upload(source: c.UploadSource) -> c.Flow:
    """Into the server's input folder, named by its contents. Any kind of file goes this way."""
    body = c.Body(source.path, source.size_bytes)
    file = c.Part("image", body, workflows.file_name(source), source.mime_type)
    answer = yield c.HttpRequest("POST", "/upload/image", parts=(file, c.Part("type", "input")))
    said = json.loads(answer.body)  # the name may be another one
    return f"{said['subfolder']}/{said['name']}" if said.get("subfolder") else str(said["name"])


# -------------------------------------------------------------------------------------------------- how a job gets on


def _job(names: Mapping[str, str]) -> _Question:
    """One job, as newer servers tell it; of older ones put together."""
    answer = yield c.HttpRequest("GET", f"/api/jobs/{names['id']}")
    if _has(answer):
        job = json.loads(answer.body)
        if job.get("status") == "pending":
            job["position"] = yield from _place(job)
        return _said({**job, **_seconds(job.get("execution_start_time"), job.get("execution_end_time"))})
    if b"Job not found" in answer.body:
        return answer  # it knows jobs, and not this one; any other word may be of a proxy
    return (yield from _older(names["id"]))


def _place(job: Mapping[str, Any]) -> Generator[c.HttpRequest, c.HttpResponse, int | None]:
    """How many are before a job that waits."""
    answer = yield c.HttpRequest("GET", "/api/jobs?status=pending")
    waiting = json.loads(answer.body).get("jobs", []) if _has(answer) else None
    mine = job.get("priority")
    if waiting is None or mine is None:
        return None
    return len([one for one in waiting if one.get("priority", mine) < mine])


def _older(job: str) -> _Question:
    """By history and queue. What is in neither has gone: deleted, or forgotten by a server that was started again."""
    for last in (False, True):
        ended = _read((yield c.HttpRequest("GET", f"/history/{job}"))).get(job)
        if ended is not None:
            return _said(_ended(job, ended))
        if last:  # it may have ended while the queue was asked for
            break
        queue = _read((yield c.HttpRequest("GET", "/queue")))
        if any(item[1] == job for item in queue["queue_running"]):
            return _said({"id": job, "status": "in_progress"})
        waiting = sorted(queue["queue_pending"], key=lambda item: float(item[0]))
        place = next((at for at, item in enumerate(waiting) if item[1] == job), None)
        if place is not None:
            return _said({"id": job, "status": "pending", "position": place})
    return _said({"error": "neither its history nor its queue has this job"}, 404)


def _ended(job: str, entry: Mapping[str, Any]) -> c.Json:
    """An entry of the history, as the jobs API tells it."""
    status = entry.get("status") or {}
    told = {one[0]: one[1] for one in status.get("messages", []) if isinstance(one, list) and len(one) > 1}
    word = "completed"
    if status.get("status_str") == "error":
        word = "cancelled" if "execution_interrupted" in told else "failed"
    found: c.Json = {"id": job, "status": word, "outputs": entry.get("outputs", {})}
    if "execution_error" in told:
        found["execution_error"] = told["execution_error"]
    ends = (told[name].get("timestamp") for name in _ENDS if name in told)
    seconds = _seconds(told.get("execution_start", {}).get("timestamp"), next(ends, None))
    return {**found, **seconds, "workflow": {"prompt": entry["prompt"][2]}}


def _seconds(began_ms: int | None, ended_ms: int | None) -> c.Json:
    """How long the card was busy with it."""
    if began_ms is None or ended_ms is None or ended_ms < began_ms:
        return {}
    return {"gpu_seconds": (ended_ms - began_ms) / 1000}


def _lookup(names: Mapping[str, str]) -> _Question:
    """The job of an attempt whose answer never came."""
    return _job({**names, "id": _id(names["attempt"])})


def _cancel(names: Mapping[str, str]) -> _Question:
    """Stop this job, and nobody else's. Older servers interrupt whatever runs where they are not told which, and the
    oldest do not listen: it is only sent while this job is the one that runs.
    """
    job = names["id"]
    answer = yield c.HttpRequest("POST", f"/api/jobs/{job}/cancel", json={})
    if _has(answer):
        return _said({}, 200 if _read(answer).get("cancelled") else TOO_LATE)
    if answer.status not in (404, 405):
        return answer
    deleted = False
    for _ in range(2):  # it may begin to run while it is deleted
        queue = _read((yield c.HttpRequest("GET", "/queue")))
        if any(item[1] == job for item in queue["queue_running"]):
            return (yield c.HttpRequest("POST", "/interrupt", json={"prompt_id": job}))
        if not any(item[1] == job for item in queue["queue_pending"]):
            break
        yield c.HttpRequest("POST", "/queue", json={"delete": [job]})
        deleted = True
    return _said({}, 200 if deleted else TOO_LATE)


def _has(answer: c.HttpResponse) -> bool:
    """Whether there is such a thing."""
    return answer.status // 100 == 2  # noqa: PLR2004


def _read(answer: c.HttpResponse) -> Any:
    """What every server answers: where it does not, nothing is known."""
    if not _has(answer):
        raise ValueError(answer.status)
    return json.loads(answer.body)


def _said(body: Mapping[str, Any], status: int = 200) -> c.HttpResponse:
    return c.HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


# -------------------------------------------------------------------------------------------------------- what is wrong


def _refusal(body: JsonValue) -> str:
    """What is wrong with the workflow: with its nodes, else with the whole."""
    answer: Any = body if isinstance(body, dict) else {}
    return workflows.faults(answer.get("node_errors")) or _other(answer.get("error"))


def _other(error: Any) -> str:
    """What is wrong with the whole."""
    if not isinstance(error, dict):
        return ""
    node = (error.get("extra_info") or {}).get("node_title")
    return ": ".join(text for text in (error.get("message"), error.get("details"), node) if text)


def _failure(body: JsonValue) -> str:
    """Where and of what a job died."""
    error: Any = body.get("execution_error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return ""
    where = f"{error.get('node_type', 'node')} ({error.get('node_id', '?')})"
    kind = str(error.get("exception_type", ""))
    memory = "out of GPU memory; " if "outofmemory" in kind.lower().replace("_", "") else ""
    return f"{memory}{where}: {str(error.get('exception_message', '')).strip() or kind}"


# ------------------------------------------------------------------------------------------------------------- progress


def _progress(message: JsonValue, names: Mapping[str, str]) -> float | bool | None:
    """How many of the steps are done, of all nodes so far that have more than one: nobody tells which will follow.
    Newer servers tell all of them at once, older ones those of the one that runs.
    """
    told: Any = message
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, dict) or data.get("prompt_id") != names["id"]:
        return None
    kind = told.get("type")
    if kind == "execution_start" or (kind == "executing" and data.get("node") is None):
        return True  # the end is told before it is in the history, and then once more
    if kind == "progress_state":
        return _done(data.get("nodes", {}).values())
    return _done((data,)) if kind == "progress" else None


def _done(nodes: Iterable[Mapping[str, Any]]) -> float | None:
    long = [node for node in nodes if (node.get("max") or 0) > 1]
    steps = sum(node["max"] for node in long)
    return float(min(1.0, sum(node.get("value") or 0 for node in long) / steps)) if steps else None


def _preview(frame: bytes) -> bytes | None:
    """The picture of a step: which kind of frame, which kind of picture, then the picture itself."""
    kind, picture = frame[:4], frame[8:]
    return picture if kind == _SHOWS and picture.startswith(_PICTURES) else None


# ------------------------------------------------------------------------------------------------------------ the table

_WORDS = c.words(queued="pending", running="in_progress", succeeded="completed", failed="failed", canceled="cancelled")
_INVALID = (
    "no_prompt invalid_prompt invalid_prompt_id missing_node_type prompt_no_outputs prompt_outputs_failed_validation "
    "required_input_missing invalid_input_type value_smaller_than_min value_bigger_than_max value_not_in_list "
    "return_type_mismatch bad_linked_input custom_validation_failed exception_during_validation "
    "exception_during_inner_validation dependency_cycle"
)
_VIEW = "/view?filename={filename}&subfolder={subfolder}&type={type}"
_FOUND = " ".join(f"outputs.*.{kind}[]" for kind in _KINDS)
_FILES = c.Files(_FOUND, url=_VIEW, only={"type": "output"})
"""What a node only shows (`temp`) is none."""

PROVIDER = c.Provider(
    name="comfyui",
    docs="https://docs.comfy.org/development/comfyui-server/comms_routes",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/prompt", capture={"id": "prompt_id"}, read_s=60),
    poll=_job,
    stream=c.Socket("/ws?clientId={id}", _progress, _preview),
    cancel=_cancel,
    probe=c.Call("GET", "/system_stats"),
    free={"nodes": c.Call("GET", "/object_info"), "node": c.Call("GET", "/object_info/{class}")},
    status=c.Status("status", _WORDS, position="position"),
    # A node of the workflow that nobody knows, a checkpoint that is not there: whatever the code, the order is wrong.
    codes=c.Codes(
        ("node_errors.*.errors[].type", "error.type", "execution_error.exception_type"),
        c.kinds(invalid_request=f"{_INVALID} *"),
    ),
    error_message=(_failure, _refusal, "error"),
    # Outputs that cannot be made are left out in silence, and the others are made.
    refusal=c.Refusal("node_errors", ({}, None), cancels=True),
    input_path="prompt",
    upload=_upload,
    inputs={"": c.Input(("upload",), None)},
    mark=_marked,
    # At once, and of the last 10,000. What a server that was started again has forgotten is not being made either.
    lookup=c.Lookup(_lookup, complete_after_s=5, kept_s=14 * 86_400),
    bills_failures=False,  # nobody sends a bill
    tasks=dict(workflows.endpoints(_FILES)),
)
