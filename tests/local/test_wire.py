"""The contract: idempotency, cancelling, durability, refusals and files."""

import asyncio
import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from aggregator.local import LocalApp, defaults, files

from .conftest import DRAFT, HERO, Caller

LONG_FILM = {"prompt": "a long walk", "duration_s": 60, "width": 640, "height": 360, "audio": False}


async def test_the_same_key_and_body_is_the_same_job(caller: Caller) -> None:
    first = await caller.submit("text-to-image", key="k", prompt="x", width=64, height=64)
    again = await caller.submit("text-to-image", key="k", prompt="x", width=64, height=64)
    await caller.ended(first.json()["id"])
    later = await caller.submit("text-to-image", key="k", prompt="x", width=64, height=64)
    assert {answer.status_code for answer in (first, again, later)} == {202}
    assert len({answer.json()["id"] for answer in (first, again, later)}) == 1
    assert later.json() == {"id": first.json()["id"], "status": "succeeded", "is_stand_in": True}


async def test_the_same_key_with_another_body_is_refused(caller: Caller) -> None:
    await caller.submit("text-to-image", key="k", prompt="x", width=64, height=64)
    refused = await caller.submit("text-to-image", key="k", prompt="y", width=64, height=64)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_many_submits_at_once_with_one_key_make_one_job(caller: Caller, tmp_path: Path) -> None:
    answers = await asyncio.gather(
        *(caller.submit("text-to-image", key="k", prompt="x", width=64, height=64) for _ in range(12))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(list((tmp_path / "local" / "jobs").glob("job_*.json"))) == 1


async def test_a_seed_is_drawn_and_reported(caller: Caller) -> None:
    job, _ = await caller.make("text-to-image", prompt="x", width=64, height=64)
    assert job["seed"] == Random(4).randrange(2**32)
    job, _ = await caller.make("text-to-image", prompt="x", width=64, height=64, seed=77)
    assert job["seed"] == 77


async def test_a_job_tells_what_it_is(caller: Caller) -> None:
    job, data = await caller.make("text-to-image", prompt="x", width=1000, height=500)
    [output] = job["outputs"]
    digest = hashlib.sha256(data).hexdigest()
    assert output == {
        "url": f"http://local.test/v1/files/{digest}.png",
        "mime_type": "image/png",
        "bytes": len(data),
        "sha256": digest,
        "width": 1000,
        "height": 500,
    }
    assert (job["progress"], job["error"], job["usage"]) == (1.0, None, {"compute_seconds": "0.250"})


async def test_cancel_ends_a_film_between_frames(caller: Caller, tmp_path: Path) -> None:
    job_id = (await caller.submit("text-to-video", **LONG_FILM)).json()["id"]
    async with asyncio.timeout(10):
        while (await caller.job(job_id))["progress"] <= 0.03:
            await asyncio.sleep(0.01)
    canceled = await caller.http.delete(f"/v1/jobs/{job_id}")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    again = await caller.http.delete(f"/v1/jobs/{job_id}")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_finished")
    assert (await caller.job(job_id))["status"] == "canceled"
    async with asyncio.timeout(5):
        while list((tmp_path / "local" / "files").glob(".making-*")):
            await asyncio.sleep(0.02)


async def test_no_more_than_the_workers_run_at_once(tmp_path: Path) -> None:
    local = LocalApp(tmp_path, workers=1)
    caller = Caller(local)
    ids = [(await caller.submit("text-to-video", **LONG_FILM)).json()["id"] for _ in range(3)]
    await asyncio.sleep(0.2)
    assert sorted([(await caller.job(job_id))["status"] for job_id in ids]) == ["queued", "queued", "running"]
    queued = await caller.http.delete(f"/v1/jobs/{ids[2]}")
    assert queued.json()["status"] == "canceled"
    await caller.http.aclose()
    await local.aclose()


async def test_a_job_left_midway_is_finished_by_the_next_app(tmp_path: Path) -> None:
    first = LocalApp(tmp_path, rng=Random(1))
    caller = Caller(first)
    film = {"prompt": "a walk", "duration_s": 3, "width": 320, "height": 180}
    job_id = (await caller.submit("text-to-video", key="once", **film)).json()["id"]
    async with asyncio.timeout(10):
        while (await caller.job(job_id))["progress"] <= 0.03:
            await asyncio.sleep(0.005)
    seed = (await caller.job(job_id))["seed"]
    await first.aclose()  # stops between two frames, as a kill would, with the journal as it was
    await caller.http.aclose()

    second = LocalApp(tmp_path, rng=Random(2))
    caller = Caller(second)
    assert (await caller.http.get("/v1/health")).status_code == 200
    job = await caller.ended(job_id)
    assert (job["status"], job["seed"]) == ("succeeded", seed)
    assert (await caller.submit("text-to-video", key="once", **film)).json()["id"] == job_id
    await caller.http.aclose()
    await second.aclose()


async def test_a_killed_process_loses_no_accepted_job(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
import httpx
from aggregator.local import LocalApp

async def main():
    local = LocalApp(Path(sys.argv[1]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(local.asgi), base_url="http://local.test") as http:
        film = {"prompt": "a walk", "duration_s": 4, "width": 320, "height": 180}
        body = {"model": "animatic-draft", "task": "text-to-video", "input": film}
        job = (await http.post("/v1/jobs", json=body)).json()
        while (seen := (await http.get("/v1/jobs/" + job["id"])).json())["progress"] <= 0.05:
            await asyncio.sleep(0.005)
        print(job["id"], seen["seed"], flush=True)
        os._exit(9)

asyncio.run(main())
"""
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == 9, killed.stderr
    job_id, seed = killed.stdout.split()
    local = LocalApp(tmp_path)
    caller = Caller(local)
    job = await caller.ended(job_id)
    assert (job["status"], job["seed"]) == ("succeeded", int(seed))
    await caller.http.aclose()
    await local.aclose()


async def test_two_apps_on_one_directory_agree(tmp_path: Path) -> None:
    apps = [LocalApp(tmp_path), LocalApp(tmp_path)]
    callers = [Caller(local) for local in apps]
    film = {"prompt": "a walk", "duration_s": 1, "width": 128, "height": 96}
    answers = await asyncio.gather(*(caller.submit("text-to-video", key="k", **film) for caller in callers))
    assert len({answer.json()["id"] for answer in answers}) == 1
    jobs = [await caller.ended(answers[0].json()["id"]) for caller in callers]
    assert jobs[0] == jobs[1]
    assert jobs[0]["status"] == "succeeded"
    for caller, local in zip(callers, apps, strict=True):
        await caller.http.aclose()
        await local.aclose()


@pytest.mark.parametrize(
    ("task", "given", "field"),
    [
        ("text-to-image", {}, "prompt"),
        ("text-to-image", {"prompt": "  "}, "prompt"),
        ("text-to-image", {"prompt": "x\ud800"}, "prompt"),
        ("text-to-image", {"prompt": "x", "colour": "red"}, "colour"),
        ("text-to-image", {"prompt": "x", "width": 63}, "width"),
        ("text-to-image", {"prompt": "x", "width": True}, "width"),
        ("text-to-image", {"prompt": "x", "width": 4096, "height": 4096}, "width, height"),
        ("text-to-image", {"prompt": "x", "format": "wav"}, "format"),
        ("text-to-image", {"prompt": "x", "seed": -1}, "seed"),
        ("text-to-video", {"prompt": "x", "width": 65, "height": 64}, "width, height"),
        ("text-to-video", {"prompt": "x", "duration_s": 61}, "duration_s"),
        ("text-to-video", {"prompt": "x", "fps": 24.5}, "fps"),
        ("text-to-video", {"prompt": "x", "camera": "orbit"}, "camera"),
        ("text-to-video", {"prompt": "x", "audio": "yes"}, "audio"),
        ("image-to-video", {"prompt": "x"}, "image"),
        ("image-upscaling", {"image": "http://elsewhere.test/v1/files/a.png"}, "image"),
        ("image-upscaling", {"image": "file:///etc/passwd"}, "image"),
        ("image-upscaling", {"image": "data:image/png;base64,AAAA"}, "image"),
        ("image-upscaling", {"image": "data:image/png;base64,!"}, "image"),
        ("text-to-speech", {"text": "x", "speed": 9}, "speed"),
        ("text-to-sound", {"prompt": "x", "duration_s": 61}, "duration_s"),
    ],
)
async def test_invalid_input_names_the_field(caller: Caller, task: str, given: dict[str, object], field: str) -> None:
    refused = await caller.http.post(
        "/v1/jobs",
        content=_ascii_json({"model": DRAFT, "task": task, "input": given}),
        headers={"Content-Type": "application/json"},
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_input")
    assert refused.json()["error"]["message"].startswith(f"{field}: ")


def _ascii_json(body: object) -> bytes:
    return json.dumps(body).encode()


async def test_unknown_model_task_and_addresses(caller: Caller) -> None:
    assert (await caller.submit("text-to-image", "other", prompt="x")).json()["error"]["code"] == "unknown_model"
    assert (await caller.submit("text-to-smell", prompt="x")).json()["error"]["code"] == "unknown_task"
    for address in ("/v1/jobs/job_1", "/v1/jobs/..%2F..%2Fx", "/v2"):
        missing = await caller.http.get(address)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (await caller.http.post("/v1/jobs", content=b"{")).status_code == 400
    assert (await caller.http.post("/v1/jobs", content=b"[]")).status_code == 400
    gone = await caller.submit("image-upscaling", image=f"http://local.test/v1/files/{'0' * 64}.png")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "file_not_found")


async def test_hooks_for_endings(caller: Caller, tmp_path: Path) -> None:
    refused = await caller.submit("text-to-video", prompt="x [refuse]")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "content_policy")
    assert not list((tmp_path / "local" / "jobs").iterdir())
    failing = await caller.submit("text-to-image", prompt="x [fail]")
    job = await caller.ended(failing.json()["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "render_failed")
    assert job["usage"] == {"compute_seconds": "0"}


async def test_files_are_kept_by_content(caller: Caller, png: bytes, tmp_path: Path) -> None:
    url = await caller.upload(png)
    assert url == f"http://local.test/v1/files/{hashlib.sha256(png).hexdigest()}.png"
    assert await caller.upload(png) == url
    assert len(list((tmp_path / "local" / "files").iterdir())) == 1
    answer = await caller.http.get(url)
    assert (answer.content, answer.headers["content-type"]) == (png, "image/png")
    assert (await caller.http.post("/v1/files", content=b"x", headers={"Content-Type": "text/html"})).status_code == 422


async def test_a_data_uri_is_an_image(caller: Caller, png: bytes) -> None:
    reference = "data:image/png;base64," + base64.b64encode(png).decode()
    job, _ = await caller.make("image-upscaling", image=reference, factor=1)
    assert job["outputs"][0]["width"] == 192


async def test_no_name_leads_outside_the_files(caller: Caller, tmp_path: Path) -> None:
    secret = tmp_path / "local" / "secret.png"
    await caller.http.get("/v1/health")
    secret.write_bytes(b"secret")
    for name in (
        "../secret.png",
        "..%2Fsecret.png",
        "%2e%2e%2fsecret.png",
        "..%5Csecret.png",
        "/etc/passwd",
        ".making-x.png",
    ):
        answer = await caller.http.get(f"/v1/files/{name}")
        assert answer.status_code == 404
        assert b"secret" not in answer.content.replace(b"/v1", b"")


async def test_too_large_uploads_are_refused(caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1000)

    async def blocks():
        for _ in range(20):
            yield bytes(100)

    refused = await caller.http.post("/v1/files", content=blocks(), headers={"Content-Type": "image/png"})
    assert refused.status_code == 413
    assert not list((tmp_path / "local" / "files").iterdir())
    monkeypatch.setattr(defaults, "MAX_FILE_BYTES", 1000)
    assert (
        await caller.http.post("/v1/files", content=bytes(1001), headers={"Content-Type": "image/png"})
    ).status_code == 413


async def test_health(caller: Caller) -> None:
    health = (await caller.http.get("/v1/health")).json()
    assert health["status"] == "ok"
    assert health["voice"] in ("espeak-ng", "synthetic")
    assert health["models"] == [DRAFT, HERO]


async def test_an_unreadable_record_harms_nobody(caller: Caller, tmp_path: Path) -> None:
    jobs = tmp_path / "local" / "jobs"
    (jobs / f"job_{'0' * 32}.json").write_text("{")
    assert (await caller.http.get("/v1/health")).status_code == 200
    assert (await caller.http.get(f"/v1/jobs/job_{'0' * 32}")).status_code == 404
    shutil.rmtree(jobs)
