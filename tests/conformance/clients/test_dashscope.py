"""The official client of DashScope (dashscope 2.0.2): it is content with the emulator, and asks for what we ask for.

Not compared: the charset in its content type, what it adds to every call (`input.extend_prompt`, `input.function`), a
prompt that it leaves out and writes as null, its own headers (`x-dashscope-*` of the client, `user-agent`, `accept*`),
and in an upload the folder and the name of the file.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aggregator.tasks import (
    ImageToVideo,
    Reference,
    Request,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToVideo,
)
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same

dashscope = import_module("dashscope")

AioVideoSynthesis = import_module("dashscope.aigc.video_synthesis").AioVideoSynthesis

PROVES = {
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "text-to-image": "client",
    "text-to-speech": "client",
}
NAME = "dashscope"
STILL = Path(__file__).parents[2] / "data" / "still.png"
A, B, CLIP = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4"))
ADDED = {"input.extend_prompt": True, "input.function": "video-synthesis"}
OWN = (
    "content-type",
    "x-dashscope-sdk*",
    "x-dashscope-euid",
    "x-dashscope-source*",
    "x-request-id",
    "traceparent",
    "date",
)
Sent = Callable[[str], list[Recorded]]


def media(*items: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "url": url} for kind, url in items]


INTENTS: dict[str, tuple[str, Request, dict[str, Any]]] = {
    "from words": (
        "wan2.7-t2v",
        TextToVideo(
            prompt="a fox", duration_s=2, resolution="720p", aspect_ratio="9:16", seed=0, negative_prompt="fog"
        ),
        {
            "prompt": "a fox",
            "negative_prompt": "fog",
            "duration": 2,
            "resolution": "720P",
            "ratio": "9:16",
            "seed": 0,
        },
    ),
    "with references": (
        "happyhorse-1.1-r2v",
        TextToVideo(prompt="they meet", resolution="480p", references=(Reference(image=A), Reference(image=B))),
        {
            "prompt": "they meet",
            "resolution": "480P",
            "media": media(("reference_image", A), ("reference_image", B)),
        },
    ),
    "from two frames": (
        "wan2.7-i2v",
        ImageToVideo(image=A, last_image=B, prompt="it jumps", resolution="720p"),
        {"prompt": "it jumps", "resolution": "720P", "media": media(("first_frame", A), ("last_frame", B))},
    ),
    "from a clip": (
        "wan3.0-video",
        VideoToVideo(video=CLIP, prompt="make it night", resolution="480p", audio=False),
        {"prompt": "make it night", "resolution": "480P", "audio": False, "media": media(("reference_video", CLIP))},
    ),
    "a clip that goes on": (
        "wan2.7-i2v",
        VideoExtension(video=CLIP, prompt="on", resolution="720p"),
        {"prompt": "on", "resolution": "720P", "media": media(("first_clip", CLIP))},
    ),
    "older, from words": (
        "wan2.5-t2v-preview",
        TextToVideo(prompt="a fox", resolution="480p", duration_s=5),
        {"prompt": "a fox", "size": "832*480", "duration": 5},
    ),
    "older, from a frame": (
        "wan2.6-i2v",
        ImageToVideo(image=A, prompt="it jumps", duration_s=5),
        {"prompt": "it jumps", "img_url": A, "resolution": "720P", "duration": 5},
    ),
    "older, from a frame alone": ("wan2.6-i2v", ImageToVideo(image=A), {"img_url": A, "resolution": "720P"}),
    "older, from a clip": (
        "wan2.6-r2v",
        VideoToVideo(video=CLIP, prompt="again", references=(Reference(image=A),)),
        {"prompt": "again", "reference_urls": [CLIP, A], "size": "1280*720"},
    ),
    "older, from two frames": (
        "wan2.2-kf2v-flash",
        ImageToVideo(image=A, last_image=B, prompt="it turns", resolution="480p"),
        {"prompt": "it turns", "first_frame_url": A, "last_frame_url": B, "resolution": "480P"},
    ),
}


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dashscope, "base_http_api_url", f"{emulator.url(NAME)}/api/v1")
        patch.setattr(dashscope, "api_key", emulator.keys[NAME])
        yield dashscope.VideoSynthesis


def ended(client: Any, made: Any) -> Any:
    while (task := client.fetch(made)).output.task_status in ("PENDING", "RUNNING"):
        time.sleep(0.01)
    return task


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_served_and_asks_for_what_we_ask_for(
    intent: str, client: Any, ours: Callable[..., Awaitable[list[Recorded]]], bought: Sent
) -> None:
    endpoint, request, call = INTENTS[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    made = client.async_call(model=endpoint, **call)
    assert (made.status_code, made.output.task_status) == (200, "PENDING")
    task = ended(client, made)
    assert (task.status_code, task.output.task_status, task.usage.video_count) == (200, "SUCCEEDED", 1)
    assert task.output.video_url.startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=OWN, they_add=ADDED, drop_nulls=True) == []


AT_ONCE: dict[str, tuple[str, Request, dict[str, Any]]] = {
    "a picture": (
        "qwen-image-2.0",
        TextToImage(prompt="a fox", size=(1024, 768), seed=0, negative_prompt="fog"),
        {
            "messages": [{"role": "user", "content": [{"text": "a fox"}]}],
            "size": "1024*768",
            "seed": 0,
            "negative_prompt": "fog",
            "n": 1,
            "watermark": False,
        },
    ),
    "speech": (
        "qwen3-tts-flash",
        TextToSpeech(text="Good morning.", voice="Cherry", language="en"),
        {"text": "Good morning.", "voice": "Cherry", "language_type": "English"},
    ),
}


NOTHING: dict[str, dict[str, Any]] = {"speech": {"parameters": {}}}
"""What the client adds where it has nothing to say."""


@pytest.mark.parametrize("intent", AT_ONCE)
async def test_what_is_answered_at_once_is_asked_for_alike(
    intent: str, client: Any, ours: Callable[..., Awaitable[list[Recorded]]], bought: Sent
) -> None:
    endpoint, request, call = AT_ONCE[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    made = dashscope.MultiModalConversation.call(model=endpoint, **call)
    assert made.status_code == 200, made
    url = made.output.choices[0].message.content[0]["image"] if intent == "a picture" else made.output.audio["url"]
    assert url.startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=OWN, they_add=NOTHING.get(intent, {}), drop_nulls=True) == []


async def test_an_upload_goes_the_same_way(
    emulator: Emulator, client: Any, ours: Callable[..., Awaitable[list[Recorded]]]
) -> None:
    request = ImageToVideo(image=STILL, prompt="it jumps", duration_s=5)
    await ours(NAME, request, model=f"{NAME}:wan2.6-i2v")
    mine = [one for one in emulator.requests if one.method == "POST" or one.path.endswith("/uploads")]
    made = client.async_call(
        model="wan2.6-i2v", prompt="it jumps", img_url=STILL.as_uri(), duration=5, resolution="720P"
    )
    assert made.status_code == 200, made
    seen = [one for one in emulator.requests if one.method == "POST" or one.path.endswith("/uploads")]
    theirs = seen[len(mine) :]
    assert len(mine) == len(theirs) == 3
    policy, stored, paid = zip(mine, theirs, strict=True)
    assert same(*policy, ignore_headers=OWN) == []
    assert [one.headers["content-type"].partition(";")[0] for one in stored] == ["multipart/form-data"] * 2
    left = {"ignore_body": ("key", "Signature", "file"), "unordered_parts": True, "ignore_headers": OWN}
    assert same(*stored, **left) == []
    assert stored[0].form["file"][0].content == stored[1].form["file"][0].content
    assert [one.form["key"][0].text.rpartition("/")[0].count("/") for one in stored] == [2, 2]
    assert same(*paid, ignore_headers=OWN, they_add=ADDED, ignore_body=("input.img_url",)) == []
    assert {one.headers["x-dashscope-ossresourceresolve"] for one in paid} == {"enable"}


def test_the_client_waits_lists_and_cancels(emulator: Emulator, client: Any) -> None:
    emulator.script(NAME, "slow", "succeeded")
    waiting = client.async_call(model="wan2.7-t2v", prompt="a fox", resolution="720P", duration=2)
    assert client.cancel(waiting).status_code == 200
    assert client.fetch(waiting).output.task_status == "CANCELED"
    done = client.call(model="wan2.7-t2v", prompt="a fox", resolution="720P", duration=2)
    assert done.output.task_status == "SUCCEEDED"
    too_late = client.cancel(done)
    assert (too_late.status_code, too_late.code) == (400, "UnsupportedOperation")
    assert client.list().status_code == 200


def test_another_regions_job_is_unknown(client: Any) -> None:
    assert client.fetch("7b7ad6f6-0000-4000-8000-000000000000").output.task_status == "UNKNOWN"


async def test_the_asynchronous_client_is_served_as_well(emulator: Emulator, client: Any) -> None:
    made = await AioVideoSynthesis.async_call(model="wan2.7-t2v", prompt="a fox", resolution="720P", duration=2)
    assert made.output.task_status == "PENDING"
    assert (await AioVideoSynthesis.fetch(made)).status_code == 200


ERRORS = {
    "bad_key": (401, "InvalidApiKey"),
    "no_credit": (400, "Arrearage"),
    "rate_limited": (429, "Throttling.RateQuota"),
    "invalid": (400, "InvalidParameter"),
    "ModelNotFound": (404, "ModelNotFound"),
    "moderated_input": (400, "DataInspectionFailed"),
    "unavailable": (503, "ServiceUnavailable"),
}


@pytest.mark.parametrize("fate", ERRORS)
def test_the_client_understands_every_error(fate: str, emulator: Emulator, client: Any) -> None:
    emulator.script(NAME, fate)
    said = client.async_call(model="wan2.7-t2v", prompt="a fox")
    assert (said.status_code, said.code) == ERRORS[fate]
    assert said.message


@pytest.mark.parametrize(
    ("fate", "word", "code"),
    [
        ("failed", "FAILED", "InternalError.Algo"),
        ("moderated_output", "FAILED", "DataInspectionFailed"),
        ("canceled", "CANCELED", None),
    ],
)
def test_the_client_understands_every_ending(
    fate: str, word: str, code: str | None, emulator: Emulator, client: Any
) -> None:
    emulator.script(NAME, fate)
    task = ended(client, client.async_call(model="wan2.7-t2v", prompt="a fox"))
    assert task.output.task_status == word
    assert task.output.get("code") == code
