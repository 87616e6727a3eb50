"""Pictures: made and edited while the caller waits."""

import asyncio
import base64
import io

from PIL import Image


def _picture(data: dict) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data["b64_json"])))


async def test_pictures_with_a_seed_each(server):
    answer = await server.http.post(
        "/v1/images/generations", json={"prompt": "a fox", "size": "64x32", "n": 2, "seed": 5, "user": "me"}
    )
    body = answer.json()
    assert (body["size"], body["output_format"], body["seed"], body["model"]) == ("64x32", "png", 5, "tiny")
    assert [data["seed"] for data in body["data"]] == [5, 6]
    pictures = [_picture(data) for data in body["data"]]
    assert [(one.format, one.size, one.getpixel((0, 0))) for one in pictures] == [
        ("PNG", (64, 32), (5, 0, 0)),
        ("PNG", (64, 32), (6, 0, 0)),
    ]
    assert server.jobs.all() == []  # the caller has it, and has no key to come back with


async def test_another_format_by_address(server):
    asked = {"prompt": "a fox", "response_format": "url", "output_format": "webp"}
    [data] = (await server.http.post("/v1/images/generations", json=asked)).json()["data"]
    assert data["url"].startswith("http://tiny.test/v1/images/image_")
    file = await server.http.get(data["url"])
    assert (file.headers["content-type"], Image.open(io.BytesIO(file.content)).format) == ("image/webp", "WEBP")
    other = await server.http.get(data["url"].replace("variant=0", "variant=1"))
    assert other.status_code == 404


async def test_an_edit_keeps_the_size_of_its_picture(server, png):
    answer = await server.http.post(
        "/v1/images/edits", data={"prompt": "at night", "strength": "0.5"}, files={"image": ("a.png", png)}
    )
    assert (answer.json()["size"], server.edit.told["strength"]) == ("64x48", 0.5)
    given = "data:image/png;base64," + base64.b64encode(png).decode()
    answer = await server.http.post("/v1/images/edits", json={"prompt": "at night", "image": {"image_url": given}})
    assert answer.json()["size"] == "64x48"


async def test_an_edit_that_would_be_rounded_is_refused(server):
    data = io.BytesIO()
    Image.new("RGB", (100, 60)).save(data, "PNG")
    answer = await server.http.post("/v1/images/edits", data={"prompt": "x"}, files={"image": ("a", data.getvalue())})
    assert "104x64 is the nearest to 100x60" in answer.json()["error"]["message"]
    answer = await server.http.post("/v1/images/edits", data={"prompt": "x"}, files={"image": ("a", b"no picture")})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "image")
    answer = await server.http.post("/v1/images/edits", data={"prompt": "x"})
    assert answer.json()["error"]["message"] == "image: a picture to edit"


async def test_a_refusal_of_the_pipeline_is_the_callers_and_a_fault_is_not(server):
    server.picture.fault = ValueError("guidance_scale must be above 1")
    answer = await server.http.post("/v1/images/generations", json={"prompt": "a fox"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "guidance_scale must be above 1")
    server.picture.fault = RuntimeError("a kernel died")
    answer = await server.http.post("/v1/images/generations", json={"prompt": "a fox"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "generation_failed")


async def test_a_caller_who_hangs_up_stops_the_work_unless_a_key_may_ask_again(server):
    server.gate.shut()
    await server.hung_up("/v1/images/generations", b'{"prompt": "a fox", "num_inference_steps": 40}')
    [record] = server.jobs.all()
    assert record.status == "canceled"
    server.gate.pass_one()
    await server.hung_up("/v1/images/generations", b'{"prompt": "a fox"}', key="k")
    server.gate.open()
    headers = {"Idempotency-Key": "k"}
    made = await server.http.post("/v1/images/generations", json={"prompt": "a fox"}, headers=headers)
    again = await server.http.post("/v1/images/generations", json={"prompt": "a fox"}, headers=headers)
    assert made.json() == again.json()
    assert len([one for one in server.jobs.all() if one.status == "completed"]) == 1


async def test_a_picture_waits_its_turn_behind_clips(server):
    server.gate.shut()
    clip = await server.order()
    await server.at_step()
    waiting = asyncio.create_task(server.http.post("/v1/images/generations", json={"prompt": "a fox"}))
    server.gate.open()
    assert (await waiting).status_code == 200
    assert (await server.job(clip["id"]))["status"] == "completed"
