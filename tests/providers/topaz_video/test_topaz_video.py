"""Topaz for clips, both directions: the five calls of a purchase, and what is made of every answer."""

import asyncio
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.errors import RequestError, RoutingError
from aggregator.providers.topaz_video import _clip
from aggregator.testing.emulator import Answer, Emulator, LeapingClock
from tests.facts.validate import _facts as facts
from tests.facts.validate import check_bodies
from tests.providers.harness import Shop, asker, clip, wrong

PROVES = {"video-upscaling": "schema", "frame-interpolation": "schema"}
NAME = "topaz_video"
KNOWN = {"width": 320, "height": 180, "duration_s": 2.0, "fps": 24.0, "mime_type": "video/mp4"}


def test_bodies() -> None:
    check_bodies(NAME, offers=0)
    assert len(facts(NAME)["unchecked"]) == 5


@pytest.mark.parametrize(
    ("verb", "options", "model", "output"),
    [
        ("upscale_video", {"factor": 2}, "prob-4", {"width": 640, "height": 360, "fps": 24}),
        ("upscale_video", {"resolution": "4k", "fps": 60}, "iris-3", {"width": 3840, "height": 2160, "fps": 60}),
        ("upscale_video", {"factor": 2}, "rhea-1", {"width": 640, "height": 360, "fps": 24}),
        ("upscale_video", {"factor": 2}, "nyx-3", {"width": 640, "height": 360, "fps": 24}),
        ("interpolate_frames", {"fps": 48}, "apo-8", {"width": 320, "height": 180, "fps": 48}),
    ],
)
async def test_a_purchase_is_five_calls(verb, options, model, output, tmp_path, shop: Shop) -> None:
    path = clip(tmp_path)
    sent, made = await shop.bought(verb, path, model=f"{NAME}:{model}", **options)
    create, accept, *parts, complete, first_look = sent[: 5 + len([one for one in sent if one.method == "PUT"]) - 1]
    assert (create.method, create.path) == ("POST", "/video/")
    assert wrong(NAME, "POST /video/", create.json, kind="requests") == []
    assert create.json["filters"] == [{"model": model}]
    assert create.json["source"] == {
        "container": "mp4",
        "size": path.stat().st_size,
        "duration": 2.0,
        "frameCount": 48,
        "frameRate": 24.0,
        "resolution": {"width": 320, "height": 180},
    }
    asked = create.json["output"]
    assert asked["resolution"] == {"width": output["width"], "height": output["height"]}
    assert asked["frameRate"] == output["fps"]
    assert (accept.method, accept.body) == ("PATCH", b"")
    assert accept.path.endswith("/accept")
    assert accept.job_id  # this is what was bought
    assert len(parts) > 1
    assert b"".join(one.body for one in parts) == path.read_bytes()
    assert not any(one.key_sent for one in parts)
    assert (complete.method, complete.path) == ("PATCH", accept.path.replace("accept", "complete-upload/"))
    assert wrong(NAME, "PATCH /video/{requestId}/complete-upload/", complete.json, kind="requests") == []
    assert [one["partNum"] for one in complete.json["uploadResults"]] == list(range(1, len(parts) + 1))
    assert first_look.path == accept.path.replace("accept", "status")
    assert all(one.headers["x-api-key"] for one in (create, accept, complete, first_look))
    assert made.artifact.path.stat().st_size > 0


async def test_an_address_cannot_be_described(shop: Shop) -> None:
    with pytest.raises(RoutingError, match="takes files"):
        await shop.bought("upscale_video", "https://example.com/a.mp4", model=f"{NAME}:prob-4", factor=2)


def test_what_is_made_of_what_is_known_of_a_clip() -> None:
    def output(**values: Any) -> tuple[int, int]:
        made = _clip({"video": "<sha256:1>", "@media": {"video": {**KNOWN, **values.pop("known", {})}}, **values})
        size = made["output"]["resolution"]
        return size["width"], size["height"]

    assert output() == (320, 180)
    assert output(factor=1.5) == (480, 270)
    assert output(resolution="1080p") == (1920, 1080)
    assert output(resolution="1080p", known={"width": 180, "height": 320}) == (1080, 1920)
    assert output(resolution="1080p", known={"width": 400, "height": 300}) == (1440, 1080)
    assert output(factor=2, known={"width": 321, "height": 181}) == (642, 362)
    assert _clip({}) == {}
    assert _clip({"video": "x", "@media": {"video": {**KNOWN, "mime_type": "video/quicktime"}}})["source"][
        "container"
    ] == ("mov")


@pytest.mark.parametrize("fact", ["width", "height", "duration_s", "fps"])
def test_what_is_not_known_is_not_guessed(fact) -> None:
    known = {name: value for name, value in KNOWN.items() if name != fact}
    with pytest.raises(RequestError, match=fact):
        _clip({"video": "<sha256:1>", "@media": {"video": known}})


# ------------------------------------------------------------------------------------------------------------ answers


FAULTS = {
    "bad_key": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "forbidden": errors.AuthenticationError,
    "not_found": errors.InvalidRequestError,
    "invalid": errors.InvalidRequestError,
    "server_error": errors.UnavailableError,
    "unavailable": errors.UnavailableError,
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
async def test_a_refusal_of_what_is_paid(fault, expected, tmp_path, shop: Shop) -> None:
    with pytest.raises(errors.AggregatorError) as caught:
        await shop.bought("upscale_video", clip(tmp_path), model=f"{NAME}:prob-4", factor=2, fates=(fault,))
    found = caught.value.errors[0] if isinstance(caught.value, errors.RoutesExhaustedError) else caught.value
    assert type(found) is expected
    assert found.accepted is (None if expected is errors.UnavailableError else False)


async def test_a_quote_that_fails_has_bought_nothing(shop: Shop) -> None:
    shop.answer_once("POST /video/", Answer(400, {"message": "Invalid input"}))
    with pytest.raises(errors.AggregatorError):
        await shop.bought("upscale_video", clip(shop.directory), model=f"{NAME}:prob-4", factor=2)
    spend = await (await shop.project()).spend()
    assert (spend.settled_usd, spend.held_usd) == (0, 0)
    assert len(shop.emulator.book) == 0


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, State.QUEUED) for word in ("accepted", "initializing")),
        *((word, State.RUNNING) for word in ("preprocessing", "processing", "postprocessing", "canceling")),
        ("complete", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("canceled", State.CANCELED),
    ],
)
async def test_every_status_word(word, state, shop: Shop) -> None:
    shop.answer_once("GET /video/*", Answer(200, {"status": word, "progress": 82}))
    handle = {"id": "x", "endpoint": "prob-4", "task": "video-upscaling", "dialect": ""}
    reading = await shop.engine.poll(shop.backend, handle)
    assert (reading.state, reading.progress) == (state, 0.82)


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    shop.answer_once("GET /video/*", Answer(200, {"status": "completed"}))
    with pytest.raises(errors.ResponseFormatError):
        await shop.engine.poll(shop.backend, {"id": "x", "task": "video-upscaling", "dialect": ""})


@pytest.mark.parametrize(
    ("fate", "expected"), [("failed", errors.JobFailedError), ("canceled", errors.JobCanceledError)]
)
async def test_every_bad_ending(fate, expected, tmp_path, shop: Shop) -> None:
    with pytest.raises(expected):
        await shop.bought("upscale_video", clip(tmp_path), model=f"{NAME}:prob-4", factor=2, fates=(fate,))


def test_the_emulator_answers_as_the_vendor_types_it() -> None:
    body = {
        "source": {
            "container": "mp4",
            "size": 3,
            "duration": 1,
            "frameCount": 24,
            "frameRate": 24,
            "resolution": {"width": 64, "height": 36},
        },
        "filters": [{"model": "prob-4"}],
        "output": {
            "resolution": {"width": 64, "height": 36},
            "frameRate": 24,
            "audioCodec": "AAC",
            "audioTransfer": "Copy",
        },
    }
    assert wrong(NAME, "POST /video/", body, kind="requests") == []
    with Emulator(seed=1, clock=(clock := LeapingClock()), only=(NAME,)) as emulator:
        key, seen = emulator.keys[NAME], set()
        with asker(emulator, NAME, {"x-api-key": key}) as http, asker(emulator, NAME, {}) as bare:

            def look(name: str) -> None:
                said = http.get(f"/video/{name}/status").json()
                assert wrong(NAME, "GET /video/{requestId}/status", said) == []
                seen.add(said["status"])

            made = http.post("/video/", json=body).json()
            assert wrong(NAME, "POST /video/", made) == []
            name = made["requestId"]
            look(name)
            accepted = http.patch(f"/video/{name}/accept").json()
            assert wrong(NAME, "PATCH /video/{requestId}/accept", accepted) == []
            look(name)
            assert http.put(accepted["urls"][0], content=b"abc").status_code == 400  # the key was sent along
            tag = bare.put(accepted["urls"][0], content=b"abc").headers["etag"].strip('"')
            wrong_tag = {"uploadResults": [{"partNum": 1, "eTag": "0"}]}
            assert http.patch(f"/video/{name}/complete-upload/", json=wrong_tag).status_code == 400
            results = {"uploadResults": [{"partNum": 1, "eTag": tag}]}
            done = http.patch(f"/video/{name}/complete-upload/", json=results)
            assert (done.status_code, wrong(NAME, "PATCH /video/{requestId}/complete-upload/", done.json())) == (
                202,
                [],
            )
            for _ in range(30):
                look(name)
                asyncio.run(clock.sleep(0.003))
            assert http.patch(f"/video/{name}/accept").status_code == 400  # nothing is bought twice
            assert http.post("/video/", json={**body, "filters": [{"model": "nobody"}]}).status_code == 400
            del body["source"]["frameCount"]
            assert http.post("/video/", json=body).status_code == 400
        desk = emulator.desk(NAME)
        for fault in FAULTS:
            assert wrong(NAME, "error", desk.fault(fault).body) == []
    assert seen >= {"accepted", "initializing", "preprocessing", "processing", "complete"}
