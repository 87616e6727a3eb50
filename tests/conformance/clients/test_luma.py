"""The official client of Luma's Agents API (luma-agents 0.5.0): it is content with the emulator, and asks for what we
ask for.

Not compared: the client's own headers (`x-stainless-*`, `user-agent`, `accept*`).
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, Reference, Request, TextToImage, TextToVideo, VideoToVideo
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same

luma_agents = import_module("luma_agents")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
}
NAME = "luma"
URL, CLIP = "https://example.com/a.png", "https://example.com/a.mp4"
STILL = Path(__file__).parents[2] / "data" / "still.png"
Client = Any
INTENTS: dict[str, tuple[str, Request, dict[str, Any]]] = {
    "a picture": (
        "uni-1",
        TextToImage(prompt="a fox", aspect_ratio="3:2", format="jpeg", references=(Reference(image=URL),)),
        {
            "model": "uni-1",
            "type": "image",
            "prompt": "a fox",
            "aspect_ratio": "3:2",
            "output_format": "jpeg",
            "image_ref": [{"url": URL}],
        },
    ),
    "an edited picture": (
        "uni-1-max",
        ImageToImage(image=URL, prompt="in blue"),
        {"model": "uni-1-max", "type": "image_edit", "prompt": "in blue", "source": {"url": URL}},
    ),
    "a clip": (
        "ray-3.2",
        TextToVideo(prompt="a fox", aspect_ratio="9:16", resolution="540p", duration_s=10),
        {
            "model": "ray-3.2",
            "type": "video",
            "prompt": "a fox",
            "aspect_ratio": "9:16",
            "video": {"resolution": "540p", "duration": "10s"},
        },
    ),
    "a first and a last frame": (
        "ray-3.2",
        ImageToVideo(image=URL, last_image=URL + "?2", prompt="it jumps"),
        {
            "model": "ray-3.2",
            "type": "video",
            "prompt": "it jumps",
            "video": {"start_frame": {"url": URL}, "end_frame": {"url": URL + "?2"}},
        },
    ),
    "a clip made anew": (
        "ray-3.2",
        VideoToVideo(video=CLIP, prompt="in blue", strength=1.0),
        {
            "model": "ray-3.2",
            "type": "video_edit",
            "prompt": "in blue",
            "source": {"url": CLIP, "media_type": "video/mp4"},
            "video": {"edit": {"strength": "reimagine_3"}},
        },
    ),
    "another shape": (
        "ray-3.2/reframe",
        VideoToVideo(video=CLIP, prompt="the same", aspect_ratio="1:1"),
        {
            "model": "ray-3.2",
            "type": "video_reframe",
            "prompt": "the same",
            "aspect_ratio": "1:1",
            "source": {"url": CLIP, "media_type": "video/mp4"},
        },
    ),
}


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    base = f"{emulator.url(NAME)}/v1"
    with luma_agents.Luma(auth_token=emulator.keys[NAME], base_url=base, max_retries=0) as found:
        yield found


def waited(client: Client, generation: Any) -> Any:
    while generation.state in ("queued", "processing"):
        time.sleep(0.01)
        generation = client.generations.get(generation.id)
    return generation


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_served_and_asks_for_what_we_ask_for(
    intent: str,
    client: Client,
    ours: Callable[..., Awaitable[list[Recorded]]],
    bought: Callable[[str], list[Recorded]],
) -> None:
    endpoint, request, call = INTENTS[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    done = waited(client, client.generations.create(**call))
    assert (done.state, done.type, done.failure_code) == ("completed", call["type"], None)
    assert done.output[0].url.startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=("x-stainless-*",)) == []


async def test_a_clip_goes_on_from_the_clients_own(
    client: Client, ours_after: Callable[..., Awaitable[tuple[str, Recorded]]], bought: Callable[[str], list[Recorded]]
) -> None:
    first, mine = await ours_after(NAME, "ray-3.2", "extend_video", "it jumps", duration_s=5, model=f"{NAME}:ray-3.2")
    frame = {"start_frame": {"generation_id": first}, "duration": "5s"}
    generation = client.generations.create(model="ray-3.2", type="video", prompt="it jumps", video=frame)
    assert waited(client, generation).output[0].url.startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=("x-stainless-*",)) == []


async def test_an_upload_is_the_clients_own(
    emulator: Emulator, client: Client, ours: Callable[..., Awaitable[list[Recorded]]]
) -> None:
    await ours(NAME, ImageToImage(image=STILL, prompt="in blue"), model=f"{NAME}:uni-1")
    mine = [one for one in emulator.requests if "/files" in one.path or "/bucket" in one.path]
    content = STILL.read_bytes()
    slot = client.files.create(mime_type="image/png", size_bytes=len(content), purpose="input")
    put = httpx.request(slot.upload.method, slot.upload.url, headers=slot.upload.headers, content=content)
    assert put.status_code == 200
    assert client.files.complete(slot.id).state == "pending"
    assert client.files.get(slot.id).state == "ready"
    theirs = [one for one in emulator.requests if "/files" in one.path or "/bucket" in one.path][len(mine) :]
    assert [(one.method, one.route) for one in mine] == [(one.method, one.route) for one in theirs]
    assert same(mine[0], theirs[0], ignore_headers=("x-stainless-*",)) == []
    made = waited(client, client.generations.create(prompt="x", type="image_edit", source={"file_id": slot.id}))
    assert made.state == "completed"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("bad_key", "AuthenticationError"),
        ("forbidden", "PermissionDeniedError"),
        ("invalid", "BadRequestError"),
        ("moderated_input", "UnprocessableEntityError"),
        ("not_found", "NotFoundError"),
        ("rate_limited", "RateLimitError"),
        ("no_credit", "APIStatusError"),
        ("server_error", "InternalServerError"),
        ("unavailable", "InternalServerError"),
    ],
)
def test_the_client_reads_every_refusal(fault: str, expected: str, emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, fault)
    with pytest.raises(getattr(luma_agents, expected)) as caught:
        client.generations.create(prompt="a fox")
    assert caught.value.body["detail"]


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        ("moderated_output", "content_moderated"),
        *(
            (f"failed:{code}", code)
            for code in ("generation_failed", "budget_exhausted", "corrupt_input", "rate_limited")
        ),
    ],
)
def test_the_client_reads_every_failure(fate: str, code: str, emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, fate)
    done = waited(client, client.generations.create(prompt="a fox"))
    assert (done.state, done.failure_code, done.output) == ("failed", code, None)
