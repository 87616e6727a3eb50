"""The official client of fal (fal-client 1.0.3): the emulator suits it, and we ask for what it asks for.

Normalised, each on purpose:

* `logs`: the client sends `true` or `false`, we send `0`; both are documented as booleans.
* the name of an uploaded file: the client sends the one on disk, or none; we send a piece of the content hash.
* the order of the parts of a large upload: the client sends them side by side, we one after the other.
* headers of the transport, `user-agent` and `accept` (see `tests.conformance.compare`).
"""

import dataclasses
import json
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aggregator.contract import Call
from aggregator.inputs import Media
from aggregator.tasks import (
    FrameInterpolation,
    ImageToImage,
    ImageToVideo,
    ImageUpscaling,
    LipSync,
    SpeechToSpeech,
    TextToImage,
    TextToMusic,
    TextToSound,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToAudio,
    VideoToVideo,
    VideoUpscaling,
)
from tests.conformance.compare import same
from tests.providers.harness import STILL, opened

fal_client = import_module("fal_client")

from fal_client import client as module  # noqa: E402

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "image-upscaling": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "video-upscaling": "client",
    "frame-interpolation": "client",
    "lip-sync": "client",
    "video-to-audio": "client",
    "text-to-speech": "client",
    "speech-to-speech": "client",
    "text-to-sound": "client",
    "text-to-music": "client",
}
SCHNELL = "fal-ai/flux/schnell"
PICTURE, FILM, VOICE = (f"https://example.com/a.{kind}" for kind in ("png", "mp4", "wav"))
CLIP, SOUND = (Media(url=url, duration_s=4.0, width=1280, height=720, fps=24.0) for url in (FILM, VOICE))
INTENTS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "text-to-image": (
        TextToImage(prompt="ein Füchslein 🦊", size=(640, 480), seed=0),
        SCHNELL,
        {"prompt": "ein Füchslein 🦊", "image_size": {"width": 640, "height": 480}, "seed": 0, "num_images": 1},
    ),
    "text-to-video": (
        TextToVideo(prompt="a fox", duration_s=8, audio=False),
        "fal-ai/veo3.1",
        {"prompt": "a fox", "duration": "8s", "generate_audio": False},
    ),
    "image-to-video": (
        ImageToVideo(image=PICTURE, prompt="a fox", duration_s=5),
        "fal-ai/kling-video/v2.5-turbo/pro/image-to-video",
        {"image_url": PICTURE, "prompt": "a fox", "duration": "5"},
    ),
    "image-upscaling": (
        ImageUpscaling(image=PICTURE, factor=2),
        "fal-ai/clarity-upscaler",
        {"image_url": PICTURE, "upscale_factor": 2},
    ),
    "text-to-speech": (
        TextToSpeech(text="Good evening."),
        "fal-ai/kokoro/american-english",
        {"prompt": "Good evening."},
    ),
    "image-to-image": (
        ImageToImage(image=PICTURE, prompt="in winter", aspect_ratio="16:9"),
        "fal-ai/flux-pro/kontext",
        {"image_url": PICTURE, "prompt": "in winter", "aspect_ratio": "16:9", "num_images": 1},
    ),
    "video-to-video": (
        VideoToVideo(video=CLIP, prompt="in winter"),
        "fal-ai/luma-dream-machine/ray-2/modify",
        {"video_url": FILM, "prompt": "in winter"},
    ),
    "video-extension": (
        VideoExtension(video=CLIP, prompt="it sleeps", duration_s=6),
        "fal-ai/ltx-2.3/extend-video",
        {"video_url": FILM, "prompt": "it sleeps", "duration": 6},
    ),
    "video-upscaling": (
        VideoUpscaling(video=CLIP, factor=2),
        "fal-ai/topaz/upscale/video",
        {"video_url": FILM, "upscale_factor": 2, "model": "Proteus"},
    ),
    "frame-interpolation": (
        FrameInterpolation(video=CLIP),
        "fal-ai/rife/video",
        {"video_url": FILM, "num_frames": 1, "use_calculated_fps": True},
    ),
    "lip-sync": (
        LipSync(audio=SOUND, video=CLIP),
        "fal-ai/sync-lipsync/v2",
        {"audio_url": VOICE, "video_url": FILM, "model": "lipsync-2"},
    ),
    "video-to-audio": (
        VideoToAudio(video=CLIP, prompt="steps", seed=3),
        "fal-ai/mmaudio-v2",
        {"video_url": FILM, "prompt": "steps", "seed": 3},
    ),
    "speech-to-speech": (
        SpeechToSpeech(audio=SOUND, voice="Rachel"),
        "fal-ai/elevenlabs/voice-changer",
        {"audio_url": VOICE, "voice": "Rachel"},
    ),
    "text-to-sound": (
        TextToSound(prompt="a door", duration_s=2),
        "fal-ai/elevenlabs/sound-effects/v2",
        {"text": "a door", "duration_seconds": 2},
    ),
    "text-to-music": (
        TextToMusic(prompt="slow piano", duration_s=30),
        "fal-ai/stable-audio-25/text-to-audio",
        {"prompt": "slow piano", "seconds_total": 30},
    ),
}


@pytest.fixture
def addresses(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The client knows its hosts by constants."""
    url: str = emulator.url("fal")
    monkeypatch.setattr(module, "QUEUE_URL_FORMAT", f"{url}/")
    monkeypatch.setattr(module, "RUN_URL_FORMAT", f"{url}/run/")
    monkeypatch.setattr(module, "REST_URL", url)
    monkeypatch.setattr(module, "CDN_URL", url)
    return url


@pytest.fixture
async def client(addresses: str, emulator: Any) -> AsyncIterator[Any]:
    client = fal_client.AsyncClient(key=emulator.keys["fal"])
    yield client
    await (await client._client).aclose()


# -------------------------------------------------------------------------------------- the client and our emulator


@pytest.mark.emulator(latency_s=0.1)
async def test_the_client_follows_a_job_to_its_result(client: Any, emulator: Any) -> None:
    handle = await client.submit(SCHNELL, {"prompt": "a fox"})
    kinds = [type(event) async for event in handle.iter_events(interval=0.005)]
    assert list(dict.fromkeys(kinds)) == [fal_client.Queued, fal_client.InProgress, fal_client.Completed]
    result = await handle.get(interval=0.005)
    assert "/files/" in result["images"][0]["url"]
    assert [entry.job_id for entry in emulator.book] == [handle.request_id]


async def test_the_client_calls_without_the_queue(client: Any) -> None:
    assert (await client.run(SCHNELL, {"prompt": "a fox"}))["images"]


@pytest.mark.parametrize("endpoint", [SCHNELL, "fal-ai/veo3.1", "workflows/me/film", "comfy/me/graph"])
async def test_the_addresses_are_those_the_client_builds(endpoint: str, client: Any) -> None:
    handle = await client.submit(endpoint, {})
    rebuilt = await client.get_handle(endpoint, handle.request_id)
    assert (handle.status_url, handle.response_url, handle.cancel_url) == (
        rebuilt.status_url,
        rebuilt.response_url,
        rebuilt.cancel_url,
    )


async def test_the_client_cancels(client: Any, emulator: Any) -> None:
    handle = await client.submit(SCHNELL, {})
    await handle.cancel()
    assert (emulator.requests[-1].method, emulator.requests[-1].status) == ("PUT", 202)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")


@pytest.mark.parametrize(
    ("fault", "status"),
    [("bad_key", 401), ("no_credit", 403), ("invalid", 422), ("moderated_input", 422), ("internal_error", 500)],
)
async def test_the_client_reads_every_error(fault: str, status: int, client: Any, emulator: Any) -> None:
    emulator.script("fal", fault)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await client.submit(SCHNELL, {"prompt": "a fox"})
    assert caught.value.status_code == status
    assert not emulator.book


async def test_the_client_asks_again_where_it_is_too_much(
    client: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.script("fal", "rate_limited")
    await client.submit(SCHNELL, {"prompt": "a fox"})
    assert [one.status for one in emulator.requests] == [429, 200]


@pytest.mark.parametrize(
    ("fate", "error_type", "status"),
    [("failed:runner_disconnected", "runner_disconnected", 503), ("failed", None, 500)],
)
async def test_the_client_sees_a_failed_job(
    fate: str, error_type: str | None, status: int, client: Any, emulator: Any
) -> None:
    emulator.script("fal", fate)
    handle = await client.submit(SCHNELL, {})
    async for event in handle.iter_events(interval=0.005):
        last = event
    assert (type(last), last.error_type) == (fal_client.Completed, error_type)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert caught.value.status_code == status


async def test_a_webhook_is_asked_for_where_our_table_says(client: Any, emulator: Any) -> None:
    from aggregator.providers.fal import PROVIDER

    await client.submit(SCHNELL, {}, webhook_url="https://example.com/hook?a=1")
    assert PROVIDER.webhook is not None
    assert PROVIDER.webhook.ask == "@query.fal_webhook"
    assert emulator.requests[0].query == {"fal_webhook": "https://example.com/hook?a=1"}


# ----------------------------------------------------------------------------------- the same intent, byte for byte


@pytest.mark.parametrize("task", INTENTS)
async def test_a_job_is_ordered_and_looked_at_alike(
    task: str, client: Any, emulator: Any, ours: Any, bought: Any
) -> None:
    request, endpoint, arguments = INTENTS[task]
    handle = await client.submit(endpoint, arguments)
    assert "/files/" in json.dumps(await handle.get(interval=0.005))
    (theirs,) = bought("fal")
    fetched = emulator.requests[-1]
    start = len(emulator.requests)
    (mine,) = await ours("fal", request, model=f"fal:{endpoint}")
    assert same(mine, theirs) == []
    fetch = emulator.requests[-1]
    assert fetch.path.endswith(f"/requests/{mine.job_id}")
    assert same(dataclasses.replace(fetch, path=fetched.path), fetched) == []
    looks = [one for one in emulator.requests[start:] if one.path.endswith("/status")]
    their_look = next(one for one in emulator.requests if one.path.endswith("/status"))
    for look in looks:
        assert same(dataclasses.replace(look, path=their_look.path), their_look, ignore_query=["logs"]) == []


async def test_an_input_is_uploaded_alike(client: Any, emulator: Any, ours: Any) -> None:
    await client.upload_file(STILL)
    token, upload = emulator.requests
    await ours("fal", ImageUpscaling(image=STILL, factor=2), model="fal:fal-ai/clarity-upscaler")
    our_token, our_upload = emulator.requests[2:4]
    assert same(our_token, token) == []
    assert _tokenless(our_upload) == _tokenless(upload)
    assert same(our_upload, upload, ignore_headers=["authorization", "x-fal-file-name"]) == []


async def test_a_large_input_is_uploaded_in_the_same_parts(
    addresses: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from aggregator.providers import fal
    from tests.providers.fal.harness import Source

    for place, name in ((fal, "MULTIPART_ABOVE_BYTES"), (module, "MULTIPART_THRESHOLD")):
        monkeypatch.setattr(place, name, 100)
    for place, name in ((fal, "PART_BYTES"), (module, "MULTIPART_CHUNK_SIZE")):
        monkeypatch.setattr(place, name, 40)
    file = tmp_path / "in.png"
    file.write_bytes(bytes(range(101)))
    async with opened("fal") as shop:
        url = shop.emulator.url("fal")
        monkeypatch.setattr(module, "REST_URL", url)
        monkeypatch.setattr(module, "CDN_URL", url)
        client = fal_client.SyncClient(key=shop.emulator.keys["fal"])
        client.upload_file(file)
        theirs = list(shop.emulator.requests)
        await shop.engine.upload(shop.backend, Source(str(file)))
        mine = shop.emulator.requests[len(theirs) :]
    order = lambda one: (one.method != "PUT", one.path.rpartition("/")[2]) if "multipart/" in one.path else ()  # noqa: E731
    theirs[2:-1] = sorted(theirs[2:-1], key=order)  # the client sends parts side by side
    assert len(mine) == len(theirs) == 6
    for our, their in zip(mine, theirs, strict=True):
        cut = len(our.path.split("/"))
        assert (our.method, cut, _tokenless(our)) == (their.method, len(their.path.split("/")), _tokenless(their))
        ignored = ["x-fal-file-name"] + ["authorization"] * ("files" in our.path)
        told = dataclasses.replace(our, path=their.path)
        assert same(told, their, ignore_headers=ignored, ignore_body=["parts"]) == []
    complete, their_complete = (sorted(one.json["parts"], key=str) for one in (mine[-1], theirs[-1]))
    assert complete == their_complete


async def test_the_stream_and_the_cancel_are_asked_alike() -> None:
    """Both go to addresses that the answer names."""
    from aggregator.providers.fal import PROVIDER

    assert PROVIDER.cancel == Call("PUT", "{cancel_url}")
    assert PROVIDER.stream is not None
    assert PROVIDER.stream.url.startswith("{status_url}/stream")


def _tokenless(one: Any) -> bool:
    """Whether the token of the CDN is sent, and not the key."""
    return one.headers["authorization"].startswith("Bearer ") and not one.key_sent


def test_the_package_does_not_need_the_client() -> None:
    sources = Path(__file__).parents[3] / "aggregator"
    assert not [path for path in sources.rglob("*.py") if "import fal_client" in path.read_text(encoding="utf-8")]
