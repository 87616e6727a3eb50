"""ComfyUI behind Comfy's API v2 (`comfy-api-proxy`, port 8189): the workflows of `comfyui` over another wire.

Where ComfyUI itself can be reached, prefer `comfyui`, which tells steps and previews and says what was left out: the
proxy hides that some outputs of a workflow were refused and the others made, and a poll of it knows no steps. Nodes
whose files nobody collects are taken out of the workflow before it is sent. A job is labelled with the attempt's id:
one whose answer never came is looked for by that. A proxy that was started with `--token` takes it as a key.
"""

import json
from collections.abc import Generator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import JsonValue

from aggregator import contract as c
from aggregator.providers import _workflows as workflows

_ASSET = "core/ASSET:"
"""Before the name of what was uploaded, in place of which the workflow has an object."""
_OK, _NOT_FOUND, _TOO_LATE = 200, 404, 409
_Question = Generator[c.HttpRequest, c.HttpResponse, c.HttpResponse]


def _marked(body: c.Json, attempt: str) -> c.Json:
    """The workflow of one attempt: what its outputs are made from, with what is its own in the nodes."""
    given: Any = dict(body)
    nodes, wanted = given.pop("prompt", {}), given.pop("partial_execution_targets", None)
    kept = {name: node for name, node in nodes.items() if not wanted or name in _below(nodes, wanted)}
    workflows.own(kept, sha256(attempt.encode()).hexdigest())
    for node in kept.values():
        inputs = node.get("inputs", {})
        node["inputs"] = {name: _referred(value) for name, value in inputs.items()}
    return {**given, "workflow": kept}


def _below(nodes: Mapping[str, Any], wanted: list[str]) -> set[str]:
    """Nodes and all that they are made from."""
    found = list(wanted)
    for name in found:
        inputs = nodes.get(name, {}).get("inputs", {}).values()
        found += {one[0] for one in inputs if isinstance(one, list) and one and one[0] not in found}
    return set(found)


def _referred(value: JsonValue) -> JsonValue:
    if not isinstance(value, str) or not value.startswith(_ASSET):
        return value
    return {"__type": "core/ASSET", "info": {"id": value.removeprefix(_ASSET)}}


def _upload(source: c.UploadSource) -> c.Flow:
    """What it has already it answers with, whatever that was called."""
    name, body = workflows.file_name(source), c.Body(source.path, source.size_bytes)
    parts = (c.Part("file", body, name, source.mime_type), c.Part("file_path", f"input/{name}"))
    answer = yield c.HttpRequest("POST", "/api/v2/assets", parts=parts)
    return f"{_ASSET}{json.loads(answer.body)['id']}"


def _job(names: Mapping[str, str]) -> _Question:
    """One job; of one that is done, the workflow too, which has the seed. One that the server behind has forgotten is
    `expired`: nobody knows what became of it.
    """
    answer = yield c.HttpRequest("GET", f"/api/v2/jobs/{names['id']}")
    if answer.status != _OK:
        return answer
    job = json.loads(answer.body)
    if job["status"] == "expired":
        return _said(
            {"error": {"code": "not_found", "message": "the server behind has forgotten this job"}}, _NOT_FOUND
        )
    job |= {"outputs": [one for one in job["outputs"] if _is_media(one)], **_seconds(job)}
    if not (job.get("progress") or {}).get("nodes_total"):
        job["progress"] = None  # a snapshot of nothing
    if job["status"] == "succeeded":
        ran = yield c.HttpRequest("GET", f"/api/v2/jobs/{names['id']}/workflow")
        job["workflow"] = {"prompt": json.loads(ran.body)["workflow"]} if ran.status == _OK else {}
    return _said(job)


def _is_media(output: Mapping[str, Any]) -> bool:
    """By its content type: a clip is said to be of the type `image`."""
    return str(output["content_type"]).partition("/")[0] in ("image", "video", "audio")


def _seconds(job: Mapping[str, Any]) -> c.Json:
    """How long the card was busy, where it says."""
    if (busy_ms := (job.get("metrics") or {}).get("execution_ms")) is not None:
        return {"gpu_seconds": busy_ms / 1000}
    began, ended = (job.get(name) for name in ("started_at", "completed_at"))
    if began is None or ended is None:
        return {}
    return {"gpu_seconds": (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()}


def _cancel(names: Mapping[str, str]) -> _Question:
    """Its answer is the job: of what waited, no trace is left."""
    answer = yield c.HttpRequest("POST", f"/api/v2/jobs/{names['id']}/cancel")
    if answer.status != _OK:
        return answer
    over = json.loads(answer.body)["status"] in ("succeeded", "failed")
    return _said({}, _TOO_LATE if over else _OK)


def _said(body: c.Json, status: int = _OK) -> c.HttpResponse:
    return c.HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _wrong(body: JsonValue) -> str:
    """What is wrong with a workflow, or where and of what a job died."""
    error: Any = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return ""
    where = f"{error['class_type']} ({error.get('node_id', '?')}): " if error.get("class_type") else ""
    nodes = workflows.faults((error.get("details") or {}).get("node_errors"))
    return nodes or f"{where}{str(error.get('message', '')).strip()}"


_WORDS = c.words(
    queued="queued", running="running canceling", succeeded="succeeded", failed="failed", canceled="canceled"
)
PROVIDER = c.Provider(
    name="comfyui_v2",
    docs="https://docs.comfy.org/development/api-development/sdks",
    checked="2026-11-22",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/api/v2/jobs", capture={"id": "id"}, read_s=60),
    poll=_job,
    cancel=_cancel,
    probe=c.Call("GET", "/api/v2/jobs?limit=1"),
    status=c.Status("status", _WORDS, progress="progress.value", position="queue_position"),
    codes=c.Codes(
        ("error.code",),
        c.kinds(
            authentication="unauthorized forbidden",
            quota="insufficient_credits",
            rate_limit="queue_full rate_limited deployment_not_ready",
            invalid_request="invalid_workflow workflow_format_ui missing_asset hash_mismatch blob_not_found "
            "invalid_request payload_too_large",
            unavailable="upstream_unreachable upstream_error deployment_stopped",
            job_failed="node_execution_error",
        ),
    ),
    error_message=(_wrong,),
    input_path="prompt",
    upload=_upload,
    inputs={"": c.Input(("upload",), None)},
    mark=_marked,
    reference="metadata",
    # It lists what it has ordered itself; what it could not hear the answer of may be made all the same.
    lookup=c.Lookup(c.Call("GET", "/api/v2/jobs?limit=100"), "jobs", reference="metadata"),
    bills_failures=False,  # nobody sends a bill
    tasks=dict(workflows.endpoints(c.Files("outputs[].url"))),
)
