"""Clips: ordered in both encodings, made step by step, told truly, fetched, canceled, listed."""

import asyncio

import av
import pytest

from tests.diffusion.conftest import TTL_S


async def test_a_clip_is_made_and_told_as_it_is(server):
    job = await server.order(size="96x64", num_frames=9, fps=8, seed=7, negative_prompt="text", num_inference_steps=4)
    assert (job["object"], job["model"], job["seed"]) == ("video", "tiny", 7)
    done = await server.until(job["id"], "completed", "failed")
    assert (done["status"], done["progress"], done["error"]) == ("completed", 100, None)
    assert (done["size"], done["num_frames"], done["fps"], done["duration_s"]) == ("96x64", 9, 8.0, 1.125)
    assert done["seconds"] == "1.125"
    assert done["steps"] == {"done": 4, "total": 4}
    assert done["expires_at"] == done["completed_at"] + TTL_S
    told = server.wan.told
    assert (told["width"], told["height"], told["num_frames"]) == (96, 64, 9)
    assert (told["generator"], told["negative_prompt"], told["guidance_scale"]) == (7, "text", 5.0)
    file = await server.http.get(f"/v1/videos/{job['id']}/content")
    assert file.headers["content-type"] == "video/mp4"
    (server.root / "probe.mp4").write_bytes(file.content)
    with av.open(str(server.root / "probe.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (96, 64, 8)
        assert sum(1 for _ in film.decode(stream)) == 9


async def test_a_part_of_a_file(server):
    job = await server.order()
    await server.until(job["id"], "completed")
    whole = (await server.http.get(f"/v1/videos/{job['id']}/content")).content
    part = await server.http.get(f"/v1/videos/{job['id']}/content", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


async def test_a_form_is_read_as_json_is(server):
    texts = {"prompt": "7", "size": "64x64", "seconds": "1", "fps": "8", "seed": "3", "num_inference_steps": "2"}
    answer = await server.http.post(
        "/v1/videos", files=[(name, (None, value)) for name, value in {**texts, "guidance_scale": "4.5"}.items()]
    )
    done = await server.until(answer.json()["id"], "completed", "failed")
    assert (done["num_frames"], done["prompt"], done["seed"]) == (9, "7", 3)
    assert (server.wan.told["guidance_scale"], server.wan.told["num_inference_steps"]) == (4.5, 2)


async def test_what_is_left_open_is_the_pipelines_and_the_seed_is_told(server):
    first, second = await server.order(), await server.order()
    done = await server.until(second["id"], "completed")
    assert (done["size"], done["num_frames"], done["fps"]) == ("96x64", 5, 16.0)
    assert first["seed"] != second["seed"]


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"num_frames": 16}, "num_frames", "17 is the nearest"),
        ({"size": "100x64"}, "size", "96x64 is the nearest"),
        ({"size": "big"}, "size", "two numbers"),
        ({"width": 64}, "size", "go together"),
        ({"seconds": "4.3", "fps": 10}, "seconds", "num_frames 45"),
        ({"seconds": 4, "num_frames": 9}, "seconds", "9 frames at 16 per second last 0.5625 seconds"),
        ({"seed": -1}, "seed", "from 0"),
        ({"seed": True}, "seed", "from 0"),
        ({"n": 2}, "n", "from 1 to 1"),
        ({"num_inference_steps": 0}, "num_inference_steps", "from 1"),
        ({"colour": "red"}, "colour", "it takes negative_prompt, num_inference_steps, guidance_scale"),
        ({"callback_on_step_end": 1}, "callback_on_step_end", "takes no such thing"),
        ({"guidance_scale": {"a": 1}}, "guidance_scale", "a number, a text"),
        ({"prompt": " "}, "prompt", "text"),
        ({"lora": [{"name": "anime"}]}, "lora", "was not given to the server"),
        ({"input_reference": "https://example.com/a.png"}, "input_reference", "fetches nothing"),
        ({"input_reference": "/etc/passwd"}, "input_reference", "fetches nothing"),
    ],
)
async def test_what_cannot_be_made_is_refused_before_anything_is_made(server, fields, param, said):
    answer = await server.http.post("/v1/videos", json={"prompt": "a fox", **fields})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert said in error["message"]
    assert server.jobs.all() == []
    assert [path.name for path in server.root.iterdir()] == ["lock"]


async def test_another_model_and_another_task_are_refused(server, png):
    answer = await server.http.post("/v1/videos", json={"prompt": "a fox", "model": "huge"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "this server has tiny")
    answer = await server.http.post("/v1/videos", data={"prompt": "go"}, files={"input_reference": ("a.png", png)})
    assert answer.json()["error"]["message"] == "this model does not serve I2V: it serves T2V, T2I, I2I, T2A"


async def test_progress_is_that_of_the_steps(server):
    server.gate.shut()
    job = await server.order(num_inference_steps=4)
    await server.at_step()
    assert (await server.job(job["id"]))["status"] == "in_progress"
    assert (await server.job(job["id"]))["progress"] == 0
    server.gate.pass_one()
    await server.at_step()
    told = await server.job(job["id"])
    assert (told["progress"], told["steps"]) == (25, {"done": 1, "total": 4})
    server.gate.open()
    done = await server.until(job["id"], "completed")
    assert done["progress"] == 100
    assert server.gate.steps == [0, 1, 2, 3]


async def test_a_running_job_stops_after_its_step(server):
    server.gate.shut()
    job = await server.order(num_inference_steps=50)
    await server.at_step()
    answer = await server.http.delete(f"/v1/videos/{job['id']}")
    assert answer.json() == {"id": job["id"], "object": "video.deleted", "deleted": True}
    assert (await server.job(job["id"]))["status"] == "canceled"
    server.gate.open()
    after = await server.order()
    await server.until(after["id"], "completed")
    assert len(server.gate.steps) == 1 + 3  # the one that was being made, and those of the job after it
    assert sorted(path.name for path in server.jobs.directory(job["id"]).iterdir()) == ["job.json"]
    again = await server.http.delete(f"/v1/videos/{job['id']}")
    assert (again.status_code, (await server.job(job["id"]))["status"]) == (200, "canceled")


async def test_a_waiting_job_is_never_begun_once_it_is_canceled(server):
    server.gate.shut()
    first, second = await server.order(), await server.order()
    await server.at_step()
    assert (await server.job(second["id"]))["queue_position"] == 1
    canceled = await server.http.post(f"/v1/videos/{second['id']}/cancel")
    assert canceled.json()["status"] == "canceled"
    server.gate.open()
    await server.until(first["id"], "completed")
    assert server.gate.steps == [0, 1, 2]


async def test_what_has_ended_is_not_canceled_but_can_be_deleted(server):
    job = await server.order()
    await server.until(job["id"], "completed")
    late = await server.http.post(f"/v1/videos/{job['id']}/cancel")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "already_finished")
    assert (await server.job(job["id"]))["status"] == "completed"
    await server.http.delete(f"/v1/videos/{job['id']}")
    assert (await server.http.get(f"/v1/videos/{job['id']}")).status_code == 404
    assert (await server.http.get(f"/v1/videos/{job['id']}/content")).status_code == 404
    assert not server.jobs.directory(job["id"]).exists()


async def test_a_failure_is_told_in_the_pipelines_words_without_the_machines_paths(server):
    server.wan.fault = RuntimeError("cannot read /root/models/tiny-wan/vae.bin, see https://hf.co/docs/vae")
    job = await server.order()
    failed = await server.until(job["id"], "failed")
    said = "cannot read <path>, see https://hf.co/docs/vae"
    assert failed["error"] == {"code": "generation_failed", "message": said}
    assert (await server.http.get(f"/v1/videos/{job['id']}/content")).status_code == 404
    server.wan.fault = None
    await server.until((await server.order())["id"], "completed")


async def test_memory_that_was_not_enough_says_what_to_do(server):
    server.wan.fault = type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory")
    job = await server.order()
    failed = await server.until(job["id"], "failed")
    assert failed["error"]["code"] == "out_of_memory"
    assert "--offload" in failed["error"]["message"]


async def test_more_than_may_wait_is_refused_with_when_to_come_again(server):
    server.gate.shut()
    jobs = [await server.order()]
    await server.at_step()
    jobs += [await server.order(), await server.order()]
    answer = await server.http.post("/v1/videos", json={"prompt": "one more"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
    assert int(answer.headers["retry-after"]) >= 1
    await server.http.delete(f"/v1/videos/{jobs[1]['id']}")
    await server.order()
    server.gate.open()


async def test_the_list_in_pages(server):
    jobs = [await server.order() for _ in range(2)]
    await server.until(jobs[1]["id"], "completed")
    jobs.append(await server.order())
    ids = [job["id"] for job in jobs]
    page = (await server.http.get("/v1/videos?limit=2")).json()
    assert ([job["id"] for job in page["data"]], page["has_more"]) == (ids[:0:-1], True)
    rest = (await server.http.get(f"/v1/videos?after={page['last_id']}")).json()
    assert ([job["id"] for job in rest["data"]], rest["has_more"]) == (ids[:1], False)
    oldest = (await server.http.get("/v1/videos?order=asc&limit=1")).json()
    assert oldest["first_id"] == ids[0]
    assert (await server.http.get("/v1/videos?limit=0")).status_code == 400


async def test_what_is_too_old_is_gone(server, clock):
    job = await server.order(key="k")
    await server.until(job["id"], "completed")
    clock.more_s = TTL_S + 1
    assert (await server.http.get(f"/v1/videos/{job['id']}")).status_code == 404
    again = await server.order(key="k")
    assert again["status"] == "queued"
    await server.until(again["id"], "completed")


async def test_several_callers_at_once_are_served_in_turn(server):
    server.gate.shut()
    first = await server.order()
    await server.at_step()
    more = await asyncio.gather(server.order(), server.order())
    positions = sorted([(await server.job(job["id"]))["queue_position"] for job in more])
    assert positions == [1, 2]
    server.gate.open()
    for job in (first, *more):
        await server.until(job["id"], "completed")
