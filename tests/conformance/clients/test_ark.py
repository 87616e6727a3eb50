"""The official client of Ark (volcengine-ark-runtime 5.0.54): it is content with the emulator, and asks for what we ask
for.

Not compared: what the client leaves out, which it writes as null; its own headers (`x-client-request-id`, `x-is-*`,
`user-agent`, `accept*`). Neither upload nor callback is in the client.
"""

import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Reference,
    Request,
    TextToImage,
    TextToVideo,
    VideoExtension,
    VideoToVideo,
)
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same

runtime = import_module("volcenginesdkarkruntime")

PROVES = {
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "text-to-image": "client",
    "image-to-image": "client",
}
NAME = "ark"
A, B, CLIP = (f"https://example.com/{name}" for name in ("a.png", "b.png", "c.mp4"))
TWO, TWO_5, ONE = "dreamina-seedance-2-0-260128", "dreamina-seedance-2-5-260628", "seedance-1-0-pro-250528"
TEXT = {"type": "text", "text": "a fox"}
FILM = {"type": "video_url", "video_url": {"url": CLIP}, "role": "reference_video"}
USUAL = {"resolution": "720p", "duration": 5}
OWN = ("x-client-request-id", "x-stainless-*", "x-is-*")


def image(url: str, role: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": role}


INTENTS: dict[str, tuple[str, Request, dict[str, Any]]] = {
    "from words": (
        TWO,
        TextToVideo(prompt="a fox", duration_s=4, resolution="480p", aspect_ratio="9:16", seed=0, audio=True),
        {"content": [TEXT], "duration": 4, "resolution": "480p", "ratio": "9:16", "seed": 0, "generate_audio": True},
    ),
    "with references": (
        TWO,
        TextToVideo(prompt="a fox", references=(Reference(image=A), Reference(image=B, role="style"))),
        {**USUAL, "content": [TEXT, image(A, "reference_image"), image(B, "reference_image")]},
    ),
    "from two frames": (
        TWO,
        ImageToVideo(image=A, last_image=B, prompt="a fox"),
        {**USUAL, "content": [TEXT, image(A, "first_frame"), image(B, "last_frame")]},
    ),
    "from a frame, with a camera that stands": (
        ONE,
        ImageToVideo(image=A, camera="static"),
        {**USUAL, "content": [image(A, "first_frame")], "camera_fixed": True},
    ),
    "from a clip": (
        TWO_5,
        VideoToVideo(video=CLIP, prompt="a fox", references=(Reference(image=A),)),
        {**USUAL, "content": [TEXT, image(A, "reference_image"), FILM], "omni_reference_task_type": "edit"},
    ),
    "a clip that goes on": (
        TWO_5,
        VideoExtension(video=CLIP, prompt="a fox"),
        {**USUAL, "content": [TEXT, FILM], "omni_reference_task_type": "extend"},
    ),
}


@pytest.fixture
def client(emulator: Emulator) -> Any:
    base = f"{emulator.url(NAME)}/api/v3"
    return runtime.Ark(api_key=emulator.keys[NAME], base_url=base, max_retries=0)


def ended(client: Any, task_id: str) -> Any:
    while (task := client.content_generation.tasks.get(task_id=task_id)).status in ("queued", "running"):
        time.sleep(0.01)
    return task


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_served_and_asks_for_what_we_ask_for(
    intent: str,
    client: Any,
    ours: Callable[..., Awaitable[list[Recorded]]],
    bought: Callable[[str], list[Recorded]],
) -> None:
    endpoint, request, call = INTENTS[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    task = ended(client, client.content_generation.tasks.create(model=endpoint, **call).id)
    assert (task.status, task.model, task.error) == ("succeeded", endpoint, None)
    assert task.content.video_url.startswith("http")
    assert task.usage.completion_tokens == task.usage.total_tokens > 0
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=OWN, drop_nulls=True) == []


PICTURES: dict[str, tuple[str, Request, dict[str, Any]]] = {
    "a picture": ("seedream-4-5-251128", TextToImage(prompt="a fox", resolution="4k"), {"size": "4K"}),
    "of a size": ("seedream-5-0-260128", TextToImage(prompt="a fox", size=(2048, 1152)), {"size": "2048x1152"}),
    "changed": (
        "seedream-4-0-250828",
        ImageToImage(prompt="at night", image=A, resolution="1k"),
        {"image": A, "size": "1K"},
    ),
    "from two": (
        "seedream-4-0-250828",
        ImageToImage(prompt="at night", image=A, references=(Reference(image=B),)),
        {"image": [A, B]},
    ),
}


@pytest.mark.parametrize("intent", PICTURES)
async def test_the_client_draws_as_we_do(
    intent: str,
    client: Any,
    ours: Callable[..., Awaitable[list[Recorded]]],
    bought: Callable[[str], list[Recorded]],
) -> None:
    endpoint, request, call = PICTURES[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    made = client.images.generate(model=endpoint, prompt=request.prompt, watermark=False, **call)
    assert made.data[0].url.startswith("http")
    assert (made.model, made.usage.generated_images) == (endpoint, 1)
    (theirs,) = bought(NAME)
    assert same(mine, theirs, ignore_headers=OWN, drop_nulls=True) == []


async def test_a_look_is_alike(emulator: Emulator, client: Any, ours: Callable[..., Awaitable[list[Recorded]]]) -> None:
    _, request, _call = INTENTS["from words"]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{TWO}")
    ours_seen = next(one for one in emulator.requests if one.method == "GET")
    ended(client, mine.job_id)
    theirs_seen = emulator.requests[-1]
    assert same(ours_seen, theirs_seen, ignore_headers=(*OWN, "content-type")) == []


async def test_the_asynchronous_client_is_served_as_well(emulator: Emulator) -> None:
    base = f"{emulator.url(NAME)}/api/v3"
    async with runtime.AsyncArk(api_key=emulator.keys[NAME], base_url=base, max_retries=0) as client:
        made = await client.content_generation.tasks.create(model=TWO, content=[TEXT], resolution="480p")
        assert (await client.content_generation.tasks.get(task_id=made.id)).id == made.id


def test_jobs_are_listed_canceled_and_forgotten(emulator: Emulator, client: Any) -> None:
    tasks = client.content_generation.tasks
    emulator.script(NAME, "succeeded", "slow")
    done, waiting = (tasks.create(model=TWO, content=[TEXT], resolution="480p").id for _ in range(2))
    ended(client, done)
    assert {one.id for one in tasks.list(page_num=1, page_size=10).items} == {done, waiting}
    assert [one.id for one in tasks.list(status="succeeded").items] == [done]
    tasks.delete(task_id=waiting)
    assert tasks.get(task_id=waiting).status == "cancelled"
    tasks.delete(task_id=done)
    with pytest.raises(runtime._exceptions.ArkNotFoundError):
        tasks.get(task_id=done)


ERRORS = {
    "bad_key": ("ArkAuthenticationError", "AuthenticationError"),
    "no_credit": ("ArkPermissionDeniedError", "AccountOverdueError"),
    "rate_limited": ("ArkRateLimitError", "RateLimitExceeded.EndpointRPMExceeded"),
    "invalid": ("ArkBadRequestError", "InvalidParameter"),
    "ModelNotFound": ("ArkNotFoundError", "ModelNotFound"),
    "moderated_input": ("ArkBadRequestError", "InputTextSensitiveContentDetected"),
    "unavailable": ("ArkInternalServerError", "InternalServiceError"),
}


@pytest.mark.parametrize("fate", ERRORS)
def test_the_client_understands_every_error(fate: str, emulator: Emulator, client: Any) -> None:
    emulator.script(NAME, fate)
    with pytest.raises(runtime._exceptions.ArkAPIError) as caught:
        client.content_generation.tasks.create(model=TWO, content=[TEXT])
    assert (type(caught.value).__name__, caught.value.code) == ERRORS[fate]
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("fate", "status", "code"),
    [
        ("failed", "failed", "InternalServiceError"),
        ("moderated_output", "failed", "OutputVideoSensitiveContentDetected"),
        ("canceled", "cancelled", None),
        ("failed:expired", "expired", None),
    ],
)
def test_the_client_understands_every_ending(
    fate: str, status: str, code: str | None, emulator: Emulator, client: Any
) -> None:
    emulator.script(NAME, fate)
    task = ended(client, client.content_generation.tasks.create(model=TWO, content=[TEXT]).id)
    assert task.status == status
    assert (task.error.code if task.error else None) == code
