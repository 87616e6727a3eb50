"""Comfy's API v2 as `comfy-api-proxy` 0.1.6 speaks it in front of a ComfyUI (its source, and run on 2026-11-22).

The nodes are those of `comfyui`. `world["token"]` is what it was started with. A job that waited when it was canceled,
or that the server behind forgot (`world["forgets"]`), is `expired`.
"""

from datetime import UTC, datetime
from typing import Any

from aggregator.testing.emulator.nodes import MAKES, NODES, below, fault_of, ordered
from aggregator.testing.emulator.service import Answer, Call, Job, Service, bearer, uuid
from aggregator.testing.emulator.services.comfyui import keep_files, stopped

LISTED = 50
DAY_S = 86_400


def error(status: int, code: str, message: str, details: Any = None, **headers: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message, "details": details}}, headers)


def invalid(message: str, nodes: Any = None) -> Answer:
    return error(422, "invalid_workflow", message, {"node_errors": nodes or {}})


def opens(call: Call) -> bool:
    token = call.world.get("token")
    return token is None or bearer(call) == token


SERVICE = Service(
    "comfyui_v2",
    key=opens,
    ids=uuid,
    faults={
        "bad_key": error(401, "unauthorized", "Invalid token."),
        "forbidden": error(403, "forbidden", "Origin not allowed."),
        "not_found": error(404, "not_found", "No job."),
        "invalid": lambda detail: invalid(detail or "Workflow rejected."),
        "ui_format": error(422, "workflow_format_ui", "This is a UI-export graph."),
        "missing_asset": error(422, "missing_asset", "Unresolvable core/ASSET reference(s): x", {"missing_ids": ["x"]}),
        "too_large": error(413, "payload_too_large", "Upload exceeds 104857600 bytes."),
        "no_credit": error(402, "insufficient_credits", "No credits."),
        "queue_full": error(429, "queue_full", "The queue is full.", **{"retry-after": "1"}),
        "not_ready": error(429, "deployment_not_ready", "The deployment starts.", **{"retry-after": "1"}),
        "rate_limited": error(429, "rate_limited", "Too many requests.", **{"retry-after": "1"}),
        "server_error": error(500, "upstream_error", "ComfyUI rejected the upload."),
        "unavailable": error(503, "upstream_unreachable", "Could not reach ComfyUI."),
    },
)


# --------------------------------------------------------------------------------------------------------------- orders


@SERVICE.post("/api/v2/jobs")
def submit(call: Call) -> Answer:
    body = call.json()
    graph = body.get("workflow")
    if not isinstance(graph, dict):
        return invalid("Missing 'workflow' (API-format graph).")
    if isinstance(graph.get("nodes"), list):
        call.refuse("ui_format")
    assets = call.world.setdefault("assets", {})
    missing = [one["info"]["id"] for one in references(graph) if one["info"]["id"] not in assets]
    if missing:
        return error(422, "missing_asset", f"Unresolvable core/ASSET reference(s): {', '.join(missing)}")
    ran = resolved(graph, assets)
    wrong = refusal(call, ran)
    if wrong is not None:
        return wrong
    outputs = [name for name, node in ran.items() if node["class_type"] in MAKES]
    good = [name for name in outputs if not faults_of(call, ran, [name])]  # the others are left out in silence
    job = call.take(ordered(ran, good), graph=ran, outputs=good, metadata=body.get("metadata"))
    call.world.setdefault("known", []).append(job.id)
    keep_files(call, job)
    return Answer(201, said(call, job, job.id, "queued"))


def references(value: Any) -> list[Any]:
    """Every `core/ASSET` in a workflow."""
    if isinstance(value, dict) and value.get("__type") == "core/ASSET":
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for item in inner for one in references(item)]


def resolved(value: Any, assets: dict[str, Any]) -> Any:
    """The workflow with file names in place of assets, as it runs."""
    if isinstance(value, dict):
        if value.get("__type") == "core/ASSET":
            return assets[value["info"]["id"]][0]
        return {name: resolved(item, assets) for name, item in value.items()}
    return [resolved(item, assets) for item in value] if isinstance(value, list) else value


def faults_of(call: Call, graph: Any, outputs: list[str]) -> dict[str, Any]:
    files = call.world.setdefault("inputs", {})
    return {one: fault for name in outputs for one in below(graph, name) if (fault := fault_of(graph, one, files))}


def refusal(call: Call, graph: Any) -> Answer | None:
    unknown = [node.get("class_type") for node in graph.values() if node.get("class_type") not in NODES]
    if unknown:
        return invalid(f"Node '{unknown[0]}' not found.")
    outputs = [name for name in graph if graph[name]["class_type"] in MAKES]
    if not outputs:
        return invalid("Prompt has no outputs")
    if all(faults_of(call, graph, [name]) for name in outputs):
        return invalid("Prompt outputs failed validation", faults_of(call, graph, outputs))
    return None


# ------------------------------------------------------------------------------------------------------------ how it is


def moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def said(call: Call, job: Job | None, name: str, status: str | None = None) -> dict[str, Any]:
    """A job, as every answer about it says it."""
    word = status or ("expired" if job is None or call.world.get("forgets") else str(job.state))
    created_s = job.created if job is not None else call.now
    failed = word == "failed" and job is not None
    body = {
        "id": name,
        "status": word,
        "created_at": moment(created_s),
        "started_at": None,
        "completed_at": None,
        "expires_at": moment(created_s + DAY_S),
        "queue_position": job.position + 1 if job is not None and word == "queued" and status is None else None,
        "progress": {"value": 0.0, "nodes_done": 0, "nodes_total": 0} if word == "running" else None,
        "outputs": outputs(call, job) if job is not None and word == "succeeded" else [],
        "error": died(job) if job is not None and failed else None,
        "outputs_reused": False,
        "urls": {at: f"{call.base}/api/v2/jobs/{name}{end}" for at, end in ENDS.items()},
    }
    label = job.extra["metadata"] if job is not None else None
    return body if label is None else {**body, "metadata": label}


ENDS = {"self": "", "events": "/events", "cancel": "/cancel"}


def died(job: Job) -> dict[str, Any]:
    memory = "Allocation on device \n" if job.detail == "OOM" else "The generation failed."
    return {
        "code": "node_execution_error",
        "message": memory,
        "node_id": "3",
        "class_type": "KSampler",
        "traceback": None,
    }


def outputs(call: Call, job: Job) -> list[dict[str, Any]]:
    """Clips are called images; what was only shown is there too. Nobody knows a size or a hash."""
    kinds = {"images": "image", "gifs": "video", "audio": "audio"}
    found: list[dict[str, Any]] = []
    for node, kept in job.extra["files"].items():
        for key, items in kept.items():
            for item in items if key in kinds else []:
                asset = f"{job.id}.{len(found)}"
                call.world.setdefault("made", {})[asset] = (item["filename"], item["subfolder"], item["type"])
                mime = job.mime if item["type"] == "output" else "image/png"
                found.append(
                    {
                        "node_id": node,
                        "name": item["filename"],
                        "type": kinds[key],
                        "content_type": mime,
                        "size_bytes": 0,
                        "id": asset,
                        "hash": None,
                        "url": f"{call.base}/api/v2/assets/{asset}/content",
                        "url_expires_at": moment(call.now + DAY_S),
                        "job_id": job.id,
                    }
                )
    return found


def named(call: Call) -> tuple[str, Job | None]:
    """The job of the path; one that nobody ordered here is not found."""
    name = call.path["id"]
    job = call.job(name)
    if job is None and name not in call.world.get("known", ()):
        call.refuse("not_found")
    return name, job


@SERVICE.get("/api/v2/jobs/{id}")
def one_job(call: Call) -> Answer:
    name, job = named(call)
    return Answer(200, said(call, job, name))


@SERVICE.get("/api/v2/jobs/{id}/workflow")
def workflow(call: Call) -> Answer:
    _, job = named(call)
    return call.refuse("not_found") if job is None else Answer(200, {"workflow": job.extra["graph"], "format": "api"})


@SERVICE.get("/api/v2/jobs")
def jobs(call: Call) -> Answer:
    wanted = int(call.query.get("limit", LISTED))
    names = list(reversed(call.world.get("known", ())))[:wanted]
    return Answer(200, {"jobs": [said(call, call.job(name), name) for name in names], "truncated": False})


@SERVICE.post("/api/v2/jobs/{id}/cancel")
def cancel(call: Call) -> Answer:
    name, job = named(call)
    runs = job is not None and job.state == "running"
    if job is not None:
        stopped(call, job)
    return Answer(200, said(call, call.job(name), name, "canceling" if runs else None))


# --------------------------------------------------------------------------------------------------------------- assets


@SERVICE.post("/api/v2/assets")
def upload(call: Call) -> Answer:
    """The same bytes are kept once, whatever they are called."""
    form = call.form("file", "file_path")
    file, path = form["file"][0], form["file_path"][0].text
    assets = call.world.setdefault("assets", {})
    known = next((name for name, (_, content) in assets.items() if content == file.content), None)
    name = known or uuid(call.rng)
    assets.setdefault(name, (path.removeprefix("input/"), file.content))
    call.world.setdefault("inputs", {})[assets[name][0]] = file.content
    body = {
        "id": name,
        "hash": None,
        "size_bytes": len(file.content),
        "content_type": file.mime_type or "application/octet-stream",
        "file_path": path,
        "created_at": moment(call.now),
        "url": f"{call.base}/api/v2/assets/{name}/content",
        "url_expires_at": moment(call.now + DAY_S),
        "created_new": known is None,
    }
    return Answer(201 if known is None else 200, body)


@SERVICE.get("/api/v2/assets/{id}/content")
def content(call: Call) -> Answer:
    made = call.world.get("made", {}).get(call.path["id"])
    job, index = call.world.get("files", {}).get(made, (None, 0))
    if job is None or job.expired:
        return error(404, "output_unavailable", "Output bytes are no longer retrievable upstream.")
    return Answer(200, job.content(index), {"content-type": job.mime})


@SERVICE.get("/api/v2/health", public=True)
def health(_call: Call) -> Answer:
    return Answer(200, {"status": "healthy", "upstream": "http://127.0.0.1:8188"})
