"""The official client of OpenRouter (openrouter 1.3.84): it is content with the emulator, and asks for what we ask for.

Not compared: how the client names itself (`user-agent`, `accept`). It writes `response_format` of speech whatever is
asked (pcm), ours writes mp3.
"""

import time
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Reference,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoToVideo,
)
from aggregator.testing.emulator.services.openrouter import SERVICE
from tests.conformance.compare import same

openrouter = import_module("openrouter")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-speech": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
}

PICTURE, CLIP = "https://example.com/still.png", "https://example.com/clip.mp4"
STILL = Path(__file__).parents[2] / "data" / "still.png"


def _asset(kind, url):
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


@pytest.fixture
def client(emulator):
    with openrouter.OpenRouter(
        api_key=emulator.keys["openrouter"], server_url=f"{emulator.url('openrouter')}/api/v1", retry_config=None
    ) as opened:
        yield opened


# ------------------------------------------------------------------------------------------ it understands every answer


def test_it_reads_a_picture(client):
    made = client.images.generate(model="black-forest-labs/flux.2-pro", prompt="a fox", output_format="jpeg")
    assert (made.data[0].media_type, made.usage.cost) == ("image/jpeg", 0.04)


def test_it_reads_the_lists_of_models(client):
    assert client.images.list_models().data[0].id
    model = client.video_generation.list_videos_models().data[0]
    assert (model.id, model.pricing_skus) == ("google/veo-3.1", {"per-video-second": "0.04"})


def test_it_reads_speech(client):
    answer = client.tts.create_speech(model="openai/gpt-4o-mini-tts-2025-12-15", input="hello", voice="alloy")
    assert isinstance(answer, httpx.Response)
    assert answer.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
    assert answer.headers["x-generation-id"].startswith("gen-tts-")


def _ended(client, job):
    for _ in range(200):
        seen = client.video_generation.get_generation(job_id=job.id)
        if seen.status not in ("pending", "in_progress"):
            return seen
        time.sleep(0.01)
    raise AssertionError(seen.status)


def test_it_reads_a_clip_and_its_bytes(client):
    job = client.video_generation.generate(model="google/veo-3.1", prompt="a fox", duration=4)
    assert job.status == "pending"
    seen = _ended(client, job)
    assert (seen.status, seen.usage.cost, len(seen.unsigned_urls)) == ("completed", 0.16, 1)
    content = client.video_generation.get_video_content(job_id=job.id, index=0)
    assert b"".join(content.iter_bytes() if hasattr(content, "iter_bytes") else content)[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("fate", "word"),
    [("failed", "failed"), ("moderated_output", "failed"), ("failed:expired", "expired"), ("canceled", "cancelled")],
)
def test_it_reads_a_clip_that_ended_badly(emulator, client, fate, word):
    emulator.script("openrouter", fate)
    assert _ended(client, client.video_generation.generate(model="google/veo-3.1", prompt="a fox")).status == word


ERRORS = {
    "bad_key": "UnauthorizedResponseError",
    "no_credit": "PaymentRequiredResponseError",
    "forbidden": "ForbiddenResponseError",
    "moderated_input": "ForbiddenResponseError",
    "not_found": "NotFoundResponseError",
    "conflict": "OpenRouterDefaultError",
    "too_large": "PayloadTooLargeResponseError",
    "invalid": "BadRequestResponseError",
    "rate_limited": "TooManyRequestsResponseError",
    "server_error": "InternalServerResponseError",
    "unavailable": "ServiceUnavailableResponseError",
}


@pytest.mark.parametrize("fault", SERVICE.faults)
def test_it_reads_every_error(emulator, client, fault):
    emulator.script("openrouter", fault)
    with pytest.raises(openrouter.errors.OpenRouterError) as caught:
        client.video_generation.generate(model="google/veo-3.1", prompt="a fox")
    assert type(caught.value).__name__ == ERRORS[fault]


# --------------------------------------------------------------------------------------------- it asks for what we ask


async def test_a_picture(ours, bought, client):
    request = TextToImage(prompt="a fox", aspect_ratio="16:9", resolution="2k", seed=0, format="jpeg")
    (mine,) = await ours("openrouter", request, model="gemini-3.1-flash-image")
    client.images.generate(
        model="google/gemini-3.1-flash-image-preview",
        prompt="a fox",
        aspect_ratio="16:9",
        resolution="2K",
        seed=0,
        output_format="jpeg",
    )
    (other,) = bought("openrouter")
    assert same(mine, other) == []


async def test_an_edit_with_a_guide(ours, bought, client):
    request = ImageToImage(prompt="at night", image=PICTURE, references=(Reference(image=PICTURE),))
    (mine,) = await ours("openrouter", request, model="seedream-4.5")
    client.images.generate(
        model="bytedance-seed/seedream-4.5",
        prompt="at night",
        input_references=[_asset("image", PICTURE), _asset("image", PICTURE)],
    )
    (other,) = bought("openrouter")
    assert same(mine, other) == []


async def test_speech(ours, bought, client):
    request = TextToSpeech(text="hello", voice="alloy", prompt="softly", speed=1.5)
    (mine,) = await ours("openrouter", request, model="gpt-4o-mini-tts")
    client.tts.create_speech(
        model="openai/gpt-4o-mini-tts-2025-12-15",
        input="hello",
        voice="alloy",
        instructions="softly",
        speed=1.5,
        response_format="mp3",
    )
    (other,) = bought("openrouter")
    assert same(mine, other) == []


@pytest.fixture
def whole(emulator, client):
    """Let the time pass that a clip takes, and look at it."""

    def look(made):
        emulator.clock.advance(60)
        seen = client.video_generation.get_generation(job_id=made.id)
        assert (seen.status, len(seen.unsigned_urls)) == ("completed", 1)

    return look


@pytest.mark.usefixtures("virtual_clock")
class TestClips:
    async def test_from_a_prompt(self, ours, bought, client, whole):
        request = TextToVideo(prompt="a fox", duration_s=6, aspect_ratio="9:16", resolution="1080p", audio=True, seed=1)
        (mine,) = await ours("openrouter", request, model="veo-3.1")
        made = client.video_generation.generate(
            model="google/veo-3.1",
            prompt="a fox",
            duration=6,
            aspect_ratio="9:16",
            resolution="1080p",
            generate_audio=True,
            seed=1,
        )
        (other,) = bought("openrouter")
        whole(made)
        assert same(mine, other) == []

    async def test_between_two_pictures(self, ours, bought, client, whole):
        request = ImageToVideo(prompt="go", image=PICTURE, last_image=PICTURE, duration_s=5)
        (mine,) = await ours("openrouter", request, model="wan-2.7")
        frames = [{**_asset("image", PICTURE), "frame_type": f"{place}_frame"} for place in ("first", "last")]
        made = client.video_generation.generate(model="alibaba/wan-2.7", prompt="go", duration=5, frame_images=frames)
        (other,) = bought("openrouter")
        whole(made)
        assert same(mine, other) == []

    async def test_from_a_clip_and_a_guide(self, ours, bought, client, whole):
        request = VideoToVideo(prompt="at night", video=CLIP, references=(Reference(image=PICTURE),))
        (mine,) = await ours("openrouter", request, model="seedance-2.0")
        references = [_asset("video", CLIP), _asset("image", PICTURE)]
        made = client.video_generation.generate(
            model="bytedance/seedance-2.0", prompt="at night", input_references=references
        )
        (other,) = bought("openrouter")
        whole(made)
        assert same(mine, other) == []

    async def test_a_clip_goes_on(self, ours_after, bought, client, whole, row):
        own = row("openrouter", "google/veo-3.1", "video-extension")
        first, mine = await ours_after("openrouter", "google/veo-3.1", "extend_video", "it jumps", **own)
        made = client.video_generation.generate(model="google/veo-3.1", prompt="it jumps", previous_job_id=first)
        (other,) = bought("openrouter")
        whole(made)
        assert same(mine, other) == []
