"""The official client of Luma's Dream Machine (lumaai 1.21.0): it is content with the emulator, and asks for what we
ask for.

Not compared: the client's own headers (`x-stainless-*`, `user-agent`, `accept*`).
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, Reference, Request, TextToImage, TextToVideo, VideoToVideo
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same

lumaai = import_module("lumaai")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "video-upscaling": "client",
}
NAME = "luma_dream_machine"
URL, CLIP = "https://example.com/a.png", "https://example.com/a.mp4"
Client = Any
FRAMES = {"frame0": {"type": "image", "url": URL}, "frame1": {"type": "image", "url": URL + "?2"}}
INTENTS: dict[str, tuple[str, Request, Callable[[Client], Any]]] = {
    "a clip": (
        "ray-2",
        TextToVideo(prompt="a fox", aspect_ratio="9:16", resolution="540p", duration_s=9),
        lambda c: c.video.create(
            model="ray-2",
            prompt="a fox",
            generation_type="video",
            aspect_ratio="9:16",
            resolution="540p",
            duration="9s",
        ),
    ),
    "a first and a last frame": (
        "ray-flash-2",
        ImageToVideo(image=URL, last_image=URL + "?2", prompt="it jumps"),
        lambda c: c.video.create(model="ray-flash-2", prompt="it jumps", generation_type="video", keyframes=FRAMES),
    ),
    "a clip made anew": (
        "ray-2",
        VideoToVideo(video=CLIP, prompt="in blue", strength=0.0),
        lambda c: c.video.modify(
            model="ray-2",
            prompt="in blue",
            generation_type="modify_video",
            media={"url": CLIP},
            mode="adhere_1",
        ),
    ),
    "a picture": (
        "photon-1",
        TextToImage(prompt="a fox", format="png", references=(Reference(image=URL, role="style"),)),
        lambda c: c.image.create(
            model="photon-1",
            prompt="a fox",
            generation_type="image",
            format="png",
            style_ref=[{"url": URL}],
        ),
    ),
    "an edited picture": (
        "photon-1",
        ImageToImage(image=URL, prompt="in blue"),
        lambda c: c.image.create(
            model="photon-1", prompt="in blue", generation_type="image", modify_image_ref={"url": URL}
        ),
    ),
}


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    base = f"{emulator.url(NAME)}/dream-machine/v1"
    with lumaai.LumaAI(auth_token=emulator.keys[NAME], base_url=base, max_retries=0) as found:
        yield found


def waited(client: Client, generation: Any) -> Any:
    while generation.state in ("queued", "dreaming"):
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
    done = waited(client, call(client.generations))
    assert (done.state, done.failure_reason) == ("completed", None)
    assert (done.assets.video or done.assets.image).startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=("x-stainless-*",)) == []


GOING_ON: dict[str, tuple[tuple[str, ...], dict[str, Any], Callable[[Client, str], Any]]] = {
    "longer": (
        ("extend_video", "it jumps"),
        {"model": f"{NAME}:ray-2", "duration_s": 5},
        lambda c, first: c.video.create(
            model="ray-2",
            prompt="it jumps",
            generation_type="video",
            duration="5s",
            keyframes={"frame0": {"type": "generation", "id": first}},
        ),
    ),
    "larger": (
        ("upscale_video",),
        {"model": f"{NAME}:upscale", "resolution": "1080p"},
        lambda c, first: c.upscale(first, resolution="1080p", generation_type="upscale_video"),
    ),
}


@pytest.mark.parametrize("how", GOING_ON)
async def test_a_clip_goes_on_as_the_clients_own(
    how: str,
    client: Client,
    ours_after: Callable[..., Awaitable[tuple[str, Recorded]]],
    bought: Callable[[str], list[Recorded]],
) -> None:
    verb, options, call = GOING_ON[how]
    first, mine = await ours_after(NAME, "ray-2", *verb, **options)
    done = waited(client, call(client.generations, first))
    assert done.assets.video.startswith("http")
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=("x-stainless-*",)) == []


def test_the_client_goes_on_enlarges_and_deletes(client: Client) -> None:
    first = waited(client, client.generations.video.create(model="ray-2", prompt="a fox", resolution="540p"))
    frame = {"frame0": {"type": "generation", "id": first.id}}
    assert waited(client, client.generations.video.create(model="ray-2", keyframes=frame)).state == "completed"
    large = client.generations.upscale(first.id, resolution="720p", generation_type="upscale_video")
    assert waited(client, large).state == "completed"
    client.generations.delete(first.id)
    with pytest.raises(lumaai.NotFoundError):
        client.generations.get(first.id)
    assert client.credits.get().credit_balance == 10_000


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("bad_key", "AuthenticationError"),
        ("invalid", "BadRequestError"),
        ("not_found", "NotFoundError"),
        ("rate_limited", "RateLimitError"),
        ("no_credit", "APIStatusError"),
        ("server_error", "InternalServerError"),
        ("unavailable", "InternalServerError"),
    ],
)
def test_the_client_reads_every_refusal(fault: str, expected: str, emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, fault)
    with pytest.raises(getattr(lumaai, expected)) as caught:
        client.generations.video.create(model="ray-2", prompt="a fox")
    assert caught.value.body["detail"]


def test_the_client_reads_a_failure(emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, "moderated_output")
    done = waited(client, client.generations.video.create(model="ray-2", prompt="a fox"))
    assert (done.state, done.failure_reason) == ("failed", "Content moderated")
