"""ComfyUI as it answers: 0.33.0, and where `world["generation"]` is `history`, 0.3.64 without a jobs API (both were
run on 2026-11-20).

It knows a few nodes (`aggregator.testing.emulator.nodes`). Unlike the real one it works on several jobs at once.
`world["interrupted_all"]` says that somebody stopped whatever ran; `world["wanted"]` is a header, and what it must be,
where a proxy stands before it.
"""

import json
from typing import Any
from uuid import UUID

from aggregator.testing.emulator.media import extension
from aggregator.testing.emulator.nodes import (
    MAKES,
    MODELS,
    NODES,
    below,
    fault_of,
    node_error,
    not_in_list,
    ordered,
)
from aggregator.testing.emulator.service import Answer, Call, Job, Service, uuid


def error(kind: str, message: str, details: str = "", nodes: Any = None, **extra: Any) -> Answer:
    said = {"type": kind, "message": message, "details": details, "extra_info": extra}
    return Answer(400, {"error": said, "node_errors": nodes or {}})


def failed(nodes: dict[str, Any]) -> Answer:
    details = "\n".join(f"{one['message']}: {one['details']}" for node in nodes.values() for one in node["errors"])
    return error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details, nodes)


def wanted(call: Call) -> tuple[str, str]:
    """The header that a proxy looks at, and what it must be."""
    found: tuple[str, str] = call.world.get("wanted", ("x-none", ""))
    return found


SERVICE = Service(
    "comfyui",
    key=lambda call: bool(call.headers.get(wanted(call)[0], "") == wanted(call)[1]),  # a bare one takes any, and none
    ids=uuid,
    faults={
        "bad_key": Answer(401, "401 Authorization Required"),
        "forbidden": Answer(403, ""),
        "not_found": Answer(404, "404: Not Found"),
        "invalid": lambda detail: error("no_prompt", "No prompt provided", detail or "No prompt provided"),
        "no_node": error("missing_node_type", "Node 'Upscale' not found.", "Node ID '#4'", node_title="Upscale"),
        "no_outputs": error("prompt_no_outputs", "Prompt has no outputs"),
        "no_model": failed({"4": not_in_list("ckpt_name", "mine.safetensors", MODELS, "CheckpointLoaderSimple")}),
        "out_of_range": failed(
            {"3": node_error("value_bigger_than_max", "Value 99999 bigger than max of 10000", "steps", "KSampler")}
        ),
        "too_large": Answer(413, "413: Request Entity Too Large"),
        "rate_limited": Answer(429, "", {"retry-after": "1"}),
        "server_error": Answer(500, "500 Internal Server Error\n\nServer got itself in trouble"),
        "unavailable": Answer(503, "503 Service Unavailable"),
    },
)


def is_newer(call: Call) -> bool:
    return bool(call.world.get("generation", "jobs") == "jobs")


@SERVICE.post("/prompt")
def submit(call: Call) -> Answer:
    if "origin" in call.headers:
        return Answer(403, "")
    body = call.json()
    if "prompt" not in body:
        call.refuse("invalid")
    graph, job_id = body["prompt"], str(body.get("prompt_id") or uuid(call.rng))
    if is_newer(call) and not is_canonical(job_id):
        return error("invalid_prompt_id", "job id must be a UUID in canonical lowercase hyphenated form")
    unknown = [name for name, node in graph.items() if node.get("class_type") not in NODES]
    if unknown:
        kind = "missing_node_type" if is_newer(call) else "invalid_prompt"
        word = graph[unknown[0]].get("class_type")
        return error(kind, f"Node '{word}' not found.", f"Node ID '#{unknown[0]}'", node_id=unknown[0], node_title=word)
    targets = body.get("partial_execution_targets")
    outputs = [name for name in graph if graph[name]["class_type"] in MAKES and (targets is None or name in targets)]
    if not outputs:
        call.refuse("no_outputs")
    files = call.world.setdefault("inputs", {})
    faults = {one: fault for name in outputs for one in below(graph, name) if (fault := fault_of(graph, one, files))}
    good = [name for name in outputs if not faults.keys() & set(below(graph, name))]
    if not good:
        return failed(faults)
    number = call.world["number"] = call.world.get("number", 0) + 1
    job = call.take(ordered(graph, good), graph=graph, outputs=good, number=number, client=body.get("client_id"))
    named(call, job, job_id)
    keep_files(call, job)
    return Answer(200, {"prompt_id": job_id, "number": number, "node_errors": faults})


def is_canonical(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def named(call: Call, job: Job, name: str) -> None:
    """The job is known by the name it was given: an earlier one of that name is not found any more."""
    call.desk.jobs.pop(job.id)
    job.id = name
    call.desk.jobs[name] = job


def keep_files(call: Call, job: Job) -> None:
    """Name what it makes. A graph that was run before is answered from the cache, with the files of that time."""
    graph, found = job.extra["graph"], {}
    before = call.world.setdefault("cache", {}).setdefault(json.dumps(graph, sort_keys=True), job)
    if before is not job:
        job.extra["files"] = before.extra["files"]
        job.finish()
        return
    files = call.world.setdefault("files", {})
    for name in job.extra["outputs"]:
        kind, key, place = MAKES[graph[name]["class_type"]]
        ending = extension(job.mime if kind == job.order.kind else "image/png")
        prefix = graph[name]["inputs"].get("filename_prefix", "ComfyUI_temp")
        folder, _, stem = prefix.rpartition("/")
        made = []
        for index in range(job.order.count):
            taken = sum(one[0].startswith(f"{stem}_") for one in files)
            item = {"filename": f"{stem}_{taken + 1:05}_.{ending}", "subfolder": folder, "type": place}
            files[(item["filename"], folder, place)] = (job, index)
            made.append(item)
        found[name] = {key: made} | ({"animated": [True]} if kind == "video" else {})
    job.extra["files"] = found


# ------------------------------------------------------------------------------------------------------------ how it is

WORDS = {
    "queued": "pending",
    "running": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}


def died(job: Job) -> dict[str, Any]:
    memory = job.detail == "OOM"
    return {
        "prompt_id": job.id,
        "node_id": "3",
        "node_type": "KSampler",
        "executed": ["4", "6"],
        "exception_message": "Allocation on device \n" if memory else "The generation failed.",
        "exception_type": "torch.OutOfMemoryError" if memory else "RuntimeError",
        "traceback": ['  File "/srv/ComfyUI/execution.py", line 512, in execute\n'],
        "current_inputs": {},
        "current_outputs": [],
        "timestamp": int(job.ended * 1000),
    }


def is_over(job: Job) -> bool:
    return job.state in ("succeeded", "failed", "canceled")


def messages(job: Job) -> list[Any]:
    told: list[Any] = [["execution_start", {"prompt_id": job.id, "timestamp": int(job.started * 1000)}]]
    if job.state == "failed":
        return [*told, ["execution_error", died(job)]]
    word = "execution_interrupted" if job.state == "canceled" else "execution_success"
    return [*told, [word, {"prompt_id": job.id, "timestamp": int(job.ended * 1000)}]]


def of_history(job: Job) -> dict[str, Any]:
    good = job.state == "succeeded"
    return {
        "prompt": [
            job.extra["number"],
            job.id,
            job.extra["graph"],
            {"client_id": job.extra["client"]},
            job.extra["outputs"],
        ],
        "outputs": job.extra["files"] if good else {},
        "status": {"status_str": "success" if good else "error", "completed": good, "messages": messages(job)},
        "meta": {},
    }


def of_jobs(job: Job, *, whole: bool) -> dict[str, Any]:
    said = {
        "id": job.id,
        "status": WORDS[job.state],
        "priority": job.extra["number"],
        "create_time": int(job.created * 1000),
        "outputs_count": len(job.extra["files"]) if job.state == "succeeded" else 0,
    }
    if job.state == "failed":
        said["execution_error"] = died(job)
    if whole and is_over(job):
        entry = of_history(job)
        said |= {"outputs": entry["outputs"], "execution_status": entry["status"]}
        said |= {"execution_start_time": int(job.started * 1000), "execution_end_time": int(job.ended * 1000)}
        said["workflow"] = {"prompt": job.extra["graph"], "extra_data": {}}
    return said


def every(call: Call, *states: str) -> list[Job]:
    found = [job for job in call.desk.jobs.values() if job.state in states and job.is_known]
    return sorted(found, key=lambda job: job.extra["number"])


def newer_only(call: Call) -> None:
    if not is_newer(call):
        call.refuse("not_found")


@SERVICE.get("/api/jobs")
def jobs(call: Call) -> Answer:
    newer_only(call)
    wanted = call.query.get("status", ",".join(WORDS.values())).split(",")
    found = [of_jobs(job, whole=False) for state, word in WORDS.items() if word in wanted for job in every(call, state)]
    page = {"offset": 0, "limit": None, "total": len(found), "has_more": False}
    return Answer(200, {"jobs": found, "pagination": page})


@SERVICE.get("/api/jobs/{id}")
def one_job(call: Call) -> Answer:
    newer_only(call)
    job = call.job(call.path["id"])
    return Answer(404, {"error": "Job not found"}) if job is None else Answer(200, of_jobs(job, whole=True))


@SERVICE.post("/api/jobs/{id}/cancel")
def cancel(call: Call) -> Answer:
    newer_only(call)
    job = call.job(call.path["id"])
    return Answer(200, {"cancelled": job is not None and stopped(call, job)})


def stopped(call: Call, job: Job) -> bool:
    """What waited leaves no trace; what ran is in the history as interrupted."""
    waits = job.state == "queued"
    done = call.cancel(job)
    if waits and done:
        call.desk.jobs.pop(job.id, None)
    return done


@SERVICE.get("/history/{id}")
def history(call: Call) -> Answer:
    job = call.job(call.path["id"])
    return Answer(200, {job.id: of_history(job)} if job is not None and is_over(job) else {})


@SERVICE.get("/queue")
def queue(call: Call) -> Answer:
    def item(job: Job) -> list[Any]:
        return [job.extra["number"], job.id, job.extra["graph"], {}, job.extra["outputs"]]

    running, waiting = ([item(job) for job in every(call, state)] for state in ("running", "queued"))
    return Answer(200, {"queue_running": running, "queue_pending": waiting})


@SERVICE.post("/queue")
def delete(call: Call) -> Answer:
    body = call.json()
    wanted = body.get("delete", [])
    for job in every(call, "queued"):
        if body.get("clear") or job.id in wanted:
            stopped(call, job)
    return Answer(200)


@SERVICE.post("/interrupt")
def interrupt(call: Call) -> Answer:
    only = json.loads(call.raw or b"{}").get("prompt_id")
    call.world["interrupted_all"] = call.world.get("interrupted_all") or only is None
    for job in every(call, "running"):
        if only in (None, job.id):
            call.cancel(job)
    return Answer(200)


# ------------------------------------------------------------------------------------------------------------ the rest


@SERVICE.get("/view")
def view(call: Call) -> Answer:
    wanted = (call.query.get("filename", ""), call.query.get("subfolder", ""), call.query.get("type", "output"))
    job, index = call.world.get("files", {}).get(wanted, (None, 0))
    if job is None or job.expired:
        return Answer(404)
    return Answer(200, job.content(index), {"content-type": job.mime})


@SERVICE.post("/upload/image")
def upload(call: Call) -> Answer:
    """Same name and bytes: kept once; same name and other bytes: another name."""
    form = call.form("image")
    file, known = form["image"][0], call.world.setdefault("inputs", {})
    folder = form["subfolder"][0].text if "subfolder" in form else ""
    stem, _, ending = (file.filename or "file").rpartition(".")
    name, turn = f"{stem}.{ending}", 0
    while known.get(name, file.content) != file.content and "overwrite" not in form:
        turn += 1
        name = f"{stem} ({turn}).{ending}"
    known[name] = file.content
    return Answer(200, {"name": name, "subfolder": folder, "type": "input"})


def described(name: str) -> dict[str, Any]:
    known = {"name": name, "display_name": name, "category": "nodes", "api_node": False}
    return known | {"input": {"required": NODES[name]}, "output_node": name in MAKES}


@SERVICE.get("/object_info")
def nodes(_call: Call) -> Answer:
    return Answer(200, {name: described(name) for name in NODES})


@SERVICE.get("/object_info/{name}")
def node(call: Call) -> Answer:
    name = call.path["name"]
    return Answer(200, {name: described(name)} if name in NODES else {})


@SERVICE.get("/system_stats")
def stats(call: Call) -> Answer:
    version = "0.33.0" if is_newer(call) else "0.3.64"
    card = {"name": "cuda:0", "type": "cuda", "vram_total": 24 * 2**30, "vram_free": 20 * 2**30}
    return Answer(200, {"system": {"comfyui_version": version, "os": "posix"}, "devices": [card]})
