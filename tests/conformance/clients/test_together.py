"""The official client of Together (together 3.1.1): it is content with the emulator, and asks for what we ask for.

Not compared: the client's own headers (`x-stainless-*`).
"""

import time
from importlib import import_module
from pathlib import Path

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, Reference, TextToImage, TextToSpeech, TextToVideo, VideoToVideo
from aggregator.testing.emulator.services.together import SERVICE
from tests.conformance.compare import same

together = import_module("together")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-speech": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
}

STILL = Path(__file__).parents[2] / "data" / "still.png"
OWN = ("x-stainless-*",)
PICTURE, CLIP = "https://example.com/still.png", "https://example.com/clip.mp4"


@pytest.fixture
def client(emulator):
    with together.Together(
        api_key=emulator.keys["together"], base_url=emulator.url("together"), max_retries=0
    ) as opened:
        yield opened


# ------------------------------------------------------------------------------------------ it understands every answer


@pytest.mark.parametrize(("form", "kind"), [("base64", "b64_json"), ("url", "url")])
def test_it_reads_a_picture(client, form, kind):
    made = client.images.generate(model="black-forest-labs/FLUX.1-schnell", prompt="a fox", n=2, response_format=form)
    assert [one.type for one in made.data] == [kind, kind]
    assert getattr(made.data[1], kind)


def test_it_reads_speech(client):
    sound = client.audio.speech.create(
        model="hexgrad/Kokoro-82M", input="hello", voice="af_alloy", response_format="wav"
    )
    assert sound.read().startswith(b"RIFF")


def _ended(client, job):
    for _ in range(200):
        seen = client.videos.retrieve(job.id)
        if seen.status not in ("queued", "in_progress"):
            return seen
        time.sleep(0.01)
    raise AssertionError(seen.status)


def test_it_reads_a_clip(client):
    job = client.videos.create(model="minimax/hailuo-02", prompt="a fox", seconds="6")
    assert job.object == "video"
    seen = _ended(client, job)
    assert (seen.status, seen.seconds, seen.outputs.cost) == ("completed", "6", 29)
    assert seen.outputs.video_url.startswith("http")


@pytest.mark.parametrize(("fate", "code"), [("failed", "generation_failed"), ("moderated_output", "nsfw_content")])
def test_it_reads_a_clip_that_failed(emulator, client, fate, code):
    emulator.script("together", fate)
    seen = _ended(client, client.videos.create(model="minimax/hailuo-02", prompt="a fox"))
    assert (seen.status, seen.error.code) == ("failed", code)


ERRORS = {
    "bad_key": "AuthenticationError",
    "no_credit": "APIStatusError",
    "not_found": "NotFoundError",
    "invalid": "BadRequestError",
    "unprocessable": "UnprocessableEntityError",
    "moderated_input": "UnprocessableEntityError",
    "rate_limited": "RateLimitError",
    "server_error": "InternalServerError",
    "unavailable": "InternalServerError",
}


@pytest.mark.parametrize("fault", SERVICE.faults)
def test_it_reads_every_error(emulator, client, fault):
    emulator.script("together", fault)
    with pytest.raises(together.APIStatusError) as caught:
        client.images.generate(model="black-forest-labs/FLUX.1-schnell", prompt="a fox")
    assert type(caught.value).__name__ == ERRORS[fault]


# --------------------------------------------------------------------------------------------- it asks for what we ask


async def test_a_picture(ours, bought, client):
    request = TextToImage(prompt="a fox", negative_prompt="text", size=(512, 768), seed=0, format="png")
    (mine,) = await ours("together", request, model="flux-1-schnell")
    client.images.generate(
        model="black-forest-labs/FLUX.1-schnell",
        prompt="a fox",
        negative_prompt="text",
        width=512,
        height=768,
        seed=0,
        output_format="png",
        response_format="base64",
    )
    (other,) = bought("together")
    assert same(mine, other, ignore_headers=OWN) == []


@pytest.mark.parametrize(
    ("model", "endpoint", "field"),
    [
        ("flux-1-kontext-pro", "black-forest-labs/FLUX.1-kontext-pro", {"image_url": PICTURE}),
        ("qwen-image-edit", "Qwen/Qwen-Image-Edit", {"reference_images": [PICTURE]}),
    ],
)
async def test_an_edit(ours, bought, client, model, endpoint, field):
    (mine,) = await ours("together", ImageToImage(prompt="at night", image=PICTURE), model=model)
    client.images.generate(model=endpoint, prompt="at night", response_format="base64", **field)
    (other,) = bought("together")
    assert same(mine, other, ignore_headers=OWN) == []


async def test_speech(ours, bought, client):
    request = TextToSpeech(text="hello", voice="af_alloy", language="en", format="mp3")
    (mine,) = await ours("together", request, model="kokoro-82m")
    client.audio.speech.create(
        model="hexgrad/Kokoro-82M", input="hello", voice="af_alloy", language="en", response_format="mp3"
    )
    (other,) = bought("together")
    assert same(mine, other, ignore_headers=OWN) == []


@pytest.fixture
def whole(emulator, client):
    """Let the time pass that a clip takes, and look at it."""

    def look(made):
        emulator.clock.advance(60)
        seen = client.videos.retrieve(made.id)
        assert (seen.status, seen.outputs.video_url.startswith("http")) == ("completed", True)

    return look


@pytest.mark.usefixtures("virtual_clock")
class TestClips:
    async def test_from_a_prompt(self, ours, bought, client, whole):
        request = TextToVideo(prompt="a fox", duration_s=6, size=(1280, 720), fps=24, seed=3, audio=False)
        (mine,) = await ours("together", request, model="hailuo-02")
        made = client.videos.create(
            model="minimax/hailuo-02",
            prompt="a fox",
            seconds="6",
            width=1280,
            height=720,
            fps=24,
            seed=3,
            generate_audio=False,
        )
        (other,) = bought("together")
        whole(made)
        assert same(mine, other, ignore_headers=OWN) == []

    async def test_between_two_pictures(self, ours, bought, client, whole, row):
        request = ImageToVideo(prompt="go", image=PICTURE, last_image=PICTURE, resolution="720p", duration_s=5)
        (mine,) = await ours("together", request, **row("together", "some/model", "image-to-video"))
        frames = [{"input_image": PICTURE, "frame": "first"}, {"input_image": PICTURE, "frame": "last"}]
        made = client.videos.create(
            model="some/model", prompt="go", resolution="720p", seconds="5", media={"frame_images": frames}
        )
        (other,) = bought("together")
        whole(made)
        assert same(mine, other, ignore_headers=OWN) == []

    async def test_from_a_clip(self, ours, bought, client, whole, row):
        request = VideoToVideo(prompt="at night", video=CLIP, references=(Reference(image=PICTURE),))
        (mine,) = await ours("together", request, **row("together", "some/model", "video-to-video"))
        media = {"source_video": CLIP, "reference_images": [PICTURE]}
        made = client.videos.create(model="some/model", prompt="at night", media=media)
        (other,) = bought("together")
        whole(made)
        assert same(mine, other, ignore_headers=OWN) == []
