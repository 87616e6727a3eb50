"""A provider of two pages, for tests of the emulator: its service, its table, its registry."""

import hashlib
import hmac
import json
from pathlib import Path

from aggregator.contract import Auth, Call, Codes, Endpoint, Files, Meter, Provider, State, Status
from aggregator.testing.emulator.service import Answer, HookDelivery, RateLimit, Service, order
from aggregator.testing.emulator.service import Call as Asked

FAULTS = {
    "no_credit": Answer(402, {"error": "no credit"}),
    "invalid": lambda detail: Answer(422, {"error": detail or "invalid"}),
    "moderated_input": Answer(451, {"error": "that is not allowed"}),
    "rate_limited": Answer(429, {"error": "slow down"}, {"retry-after": "1"}),
    "unavailable": Answer(503, {"error": "busy"}),
}


def tiny(name="tiny", **options):
    """A service with two tasks, uploads, webhooks, a page that is a stream, and one that is defective."""
    service = Service(name, prefix="t_", faults=FAULTS, **options)

    @service.post("/v1/videos")
    def videos(call: Asked) -> Answer:
        body = call.json("prompt")
        ordered = order("video", width=320, height=240, duration_s=body.get("seconds", 1), usd="0.60")
        job = call.take(ordered, **({"hook": body["hook"]} if "hook" in body else {}))
        return Answer(200, {"id": job.id})

    @service.post("/v1/pictures")
    def pictures(call: Asked) -> Answer:
        call.form("prompt")
        job = call.take(order("image", width=32, height=16, count=2, usd="0.04"))
        job.finish()
        if job.state != "succeeded":
            return Answer(200, {"blocked": job.moderated})
        return Answer(200, job.contents[0], {"content-type": job.mime})

    @service.get("/v1/videos/{id}")
    def video(call: Asked) -> Answer:
        job = call.job(call.path["id"])
        if job is None:
            call.refuse("not_found")
        said = {"id": job.id, "status": job.state, "progress": job.fraction, "position": job.position}
        if job.state == "failed":
            said["error"] = "moderated" if job.moderated else job.detail or "broken"
        return Answer(200, said | ({"urls": job.urls} if job.state == "succeeded" else {}))

    @service.delete("/v1/videos/{id}")
    def cancel(call: Asked) -> Answer:
        job = call.job(call.path["id"])
        return Answer(200 if job is not None and call.cancel(job) else 409)

    @service.post("/v1/uploads/{folder:path}/{name}:keep")
    def upload(call: Asked) -> Answer:
        url = call.store(call.raw, call.headers["content-type"])
        assert call.file(url) == call.raw
        return Answer(201, {"url": url, **call.path})

    @service.get("/v1/news", public=True)
    def news(_call: Asked) -> Answer:
        return Answer(200, iter([b"data: 1\n\n", 0.001, b"data: 2\n\n"]), {"content-type": "text/event-stream"})

    @service.get("/v1/defect")
    def defect(_call: Asked) -> Answer:
        raise ZeroDivisionError

    def hook(job, url, world) -> HookDelivery:
        body = json.dumps({"id": job.id, "status": job.state, "to": url}).encode()
        return HookDelivery({"x-signature": hmac.new(world.secret.encode(), body, hashlib.sha256).hexdigest()}, body)

    service.hook = hook
    return service


LIMIT = RateLimit(2, headers=lambda left, reset_s: {"x-left": str(left), "x-reset": f"{reset_s:.0f}"})

PROVIDER = Provider(
    name="tiny",
    docs="tests",
    checked="2026-11-21",
    base_url="https://tiny.invalid/v1",
    auth=Auth(env=("TINY_TOKEN",)),
    submit=Call("POST", "/videos", capture={"id": "id"}),
    poll=Call("GET", "/videos/{id}"),
    status=Status("status", {state.value: state for state in State}, error="error"),
    codes=Codes(("error",), {"moderated": "content_policy"}),
    bills_failures=False,
    tasks={
        "text-to-video": Endpoint(
            fields={"prompt": "prompt", "duration_s": "seconds"},
            files=Files("urls[]", "video/mp4"),
            meters=(Meter("video", "1"),),
        )
    },
)


def registry(directory: Path) -> Path:
    """A model, an offer, a rate."""
    for file, text in {
        "models/tiny-film.toml": '[model]\nmaker = "nobody"\ntier = "workhorse"\n',
        "offers/tiny/film.toml": (
            'model = "tiny-film"\nendpoint = "film"\nchecked = 2026-01-01\n[tasks.text-to-video]\n'
            "limits = { duration_s = [1, 2] }\ndefaults = { duration_s = 1 }\n"
        ),
        "rates/tiny.toml": '[[rate]]\nendpoint = "film"\nunit = "video"\nusd = "0.60"\nfrom = 2025-01-01\n',
    }.items():
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def settings(directory: Path) -> dict:
    """What a client needs to know the provider."""
    return {
        "providers": {"tiny": {"table": "tests.testing.tiny:PROVIDER"}},
        "registry": {"paths": [str(registry(directory / "registry"))]},
    }
