"""Luma's Dream Machine, both directions: what is sent for each task, and what is made of every answer."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.tasks import Reference
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import Shop, asking

NAME = "luma_dream_machine"
URL = "https://example.com/a.png"
CLIP = "https://example.com/a.mp4"
FOX = {"model": "ray-2", "prompt": "a fox", "generation_type": "video"}
ROOT = "/dream-machine/v1/generations"
ORDER = (FOX, "ray-2", "text-to-video")


def test_bodies() -> None:
    check_bodies(NAME, offers=9)


SENT: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    (
        "text_to_video",
        ("a fox",),
        {"model": f"{NAME}:ray-2", "duration_s": 9, "resolution": "540p", "aspect_ratio": "9:21"},
        "video",
        {**FOX, "duration": "9s", "resolution": "540p", "aspect_ratio": "9:21"},
    ),
    (
        "image_to_video",
        (URL, "it jumps"),
        {"model": f"{NAME}:ray-flash-2", "last_image": URL + "?2"},
        "video",
        {
            "model": "ray-flash-2",
            "prompt": "it jumps",
            "generation_type": "video",
            "keyframes": {
                "frame0": {"type": "image", "url": URL},
                "frame1": {"type": "image", "url": URL + "?2"},
            },
        },
    ),
    (
        "video_to_video",
        (CLIP, "in blue"),
        {"model": f"{NAME}:ray-2"},
        "video/modify",
        {
            "model": "ray-2",
            "prompt": "in blue",
            "generation_type": "modify_video",
            "mode": "flex_1",
            "media": {"url": CLIP},
        },
    ),
    (
        "video_to_video",
        (CLIP, "in blue"),
        {"model": f"{NAME}:ray-2", "strength": 1.0},
        "video/modify",
        {
            "model": "ray-2",
            "prompt": "in blue",
            "generation_type": "modify_video",
            "mode": "reimagine_3",
            "media": {"url": CLIP},
        },
    ),
    (
        "text_to_image",
        ("a fox",),
        {
            "model": f"{NAME}:photon-1",
            "format": "jpeg",
            "references": [
                *(Reference(image=f"{URL}?{role}", role=role) for role in ("character", "style", "object", "look")),
            ],
        },
        "image",
        {
            "model": "photon-1",
            "prompt": "a fox",
            "generation_type": "image",
            "format": "jpg",
            "character_ref": {"identity0": {"images": [f"{URL}?character"]}},
            "style_ref": [{"url": f"{URL}?style"}, {"url": f"{URL}?look"}],
            "image_ref": [{"url": f"{URL}?object"}],
        },
    ),
    (
        "image_to_image",
        (URL, "in blue"),
        {"model": f"{NAME}:photon-1"},
        "image",
        {
            "model": "photon-1",
            "prompt": "in blue",
            "generation_type": "image",
            "modify_image_ref": {"url": URL},
        },
    ),
]


@pytest.mark.parametrize(("verb", "given", "options", "path", "body"), SENT)
async def test_what_is_sent(verb, given, options, path, body, shop: Shop) -> None:
    sent, made = await shop.bought(verb, *given, **options)
    assert (sent[0].method, sent[0].path, sent[0].query) == ("POST", f"{ROOT}/{path}", {})
    assert sent[0].json == body
    assert sent[0].headers["authorization"].startswith("Bearer luma-")
    assert {(one.method, one.path) for one in sent[1:]} == {("GET", f"{ROOT}/{sent[0].job_id}")}
    assert made.artifact.path.stat().st_size > 0


async def test_what_it_made_goes_on_and_is_enlarged_by_its_id(shop: Shop) -> None:
    project = await shop.project()
    first = await project.text_to_video("a fox", model=f"{NAME}:ray-2", resolution="540p", max_usd="9")
    await project.extend_video(first, "on", model=f"{NAME}:ray-2", resolution="540p", max_usd="9")
    await project.upscale_video(first, resolution="720p", model=f"{NAME}:upscale", max_usd="9")
    orders = [one for one in shop.emulator.requests if one.method == "POST"]
    assert orders[1].json["keyframes"] == {"frame0": {"type": "generation", "id": orders[0].job_id}}
    assert orders[2].path == f"{ROOT}/{orders[0].job_id}/upscale"
    assert orders[2].json == {"generation_type": "upscale_video", "resolution": "720p"}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"state": "queued"}, State.QUEUED),
        ({"state": "dreaming"}, State.RUNNING),
        ({"state": "completed", "assets": {"video": CLIP}}, State.SUCCEEDED),
        ({"state": "failed", "failure_reason": "x"}, State.FAILED),
    ],
)
async def test_every_status_word(said, state, shop: Shop) -> None:
    assert (await shop.look(f"GET {ROOT}/*", {"id": "x", **said})).state is state


async def test_a_word_that_is_not_in_the_table_is_no_success(shop: Shop) -> None:
    with pytest.raises(errors.ResponseFormatError):
        await shop.look(f"GET {ROOT}/*", {"id": "x", "state": "processing"})


@pytest.mark.parametrize(
    ("fate", "expected"),
    [("moderated_output", errors.ContentPolicyError), ("failed", errors.JobFailedError)],
)
async def test_every_failure(fate, expected, shop: Shop) -> None:
    await shop.fails(fate, expected)


@pytest.mark.parametrize(
    ("fault", "expected", "outcome"),
    [
        ("bad_key", errors.AuthenticationError, "rejected"),
        ("no_credit", errors.QuotaError, "rejected"),
        ("invalid", errors.InvalidRequestError, "rejected"),
        ("not_found", errors.InvalidRequestError, "rejected"),
        ("rate_limited", errors.RateLimitError, "rejected"),
        ("server_error", errors.UnavailableError, "unknown"),
        ("unavailable", errors.UnavailableError, "unknown"),
    ],
)
async def test_every_refusal(fault, expected, outcome, shop: Shop) -> None:
    await shop.refused(fault, expected, outcome)


async def test_a_delivery_names_the_job_and_proves_nothing(shop: Shop) -> None:
    bill = await shop.order()
    notice = verify(shop.provider, shop.delivery(bill.handle["id"]), now=shop.clock.time())
    assert (notice.job_id, notice.reading) == (bill.handle["id"], None)
    await shop.engine.probe(shop.backend)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("video", {**FOX, "model": "ray-3"}),
        ("video", {**FOX, "duration": "10s"}),
        ("video", {"model": "ray-2"}),
        ("video", {**FOX, "keyframes": {"frame0": {"type": "generation", "id": "nobody's"}}}),
        ("video", {**FOX, "keyframes": {"frame0": {"type": "image", "url": "data:image/png;base64,AA=="}}}),
        ("video/modify", {"generation_type": "modify_video", "media": {"url": CLIP}, "mode": "free", "model": "ray-2"}),
        ("image", {"model": "ray-2", "prompt": "x"}),
    ],
)
def test_the_emulator_refuses_what_the_vendor_refuses(path, body) -> None:
    with asking(NAME, {"authorization": "Bearer {key}"}) as (http, _):
        assert http.post(f"{ROOT}/{path}", json=body).status_code in (400, 404)
