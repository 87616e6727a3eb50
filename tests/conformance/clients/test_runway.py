"""The official client of Runway (runwayml 5.24.0): it is content with the emulator, and asks for what we ask for.

Not compared: the client's own headers (`x-stainless-*`, `user-agent`, `accept*`). The client sends a form's file under
the name it was given, we under the hash of its bytes.
"""

from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aggregator.tasks import (
    FrameInterpolation,
    ImageToImage,
    ImageToVideo,
    ImageUpscaling,
    Reference,
    Request,
    SpeechToSpeech,
    TextToImage,
    TextToSound,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToAudio,
    VideoToVideo,
    VideoUpscaling,
)
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same

runwayml = import_module("runwayml")
from runwayml.lib import polling  # noqa: E402

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
    "video-to-audio": "client",
    "text-to-speech": "client",
    "speech-to-speech": "client",
    "text-to-sound": "client",
}
NAME = "runway"
URL, CLIP, SOUND = "https://example.com/a.png", "https://example.com/a.mp4", "https://example.com/a.wav"
STILL = Path(__file__).parents[2] / "data" / "still.png"
Client = Any


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(polling, "POLL_TIME", 0.02)
    monkeypatch.setattr(polling, "POLL_JITTER", 0.0)
    with runwayml.RunwayML(api_key=emulator.keys[NAME], base_url=emulator.url(NAME), max_retries=0) as found:
        yield found


VOICE = {"type": "runway-preset", "preset_id": "Maya"}
INTENTS: dict[str, tuple[str, Request, Callable[[Client], Any]]] = {
    "a clip from words": (
        "gen4.5",
        TextToVideo(prompt="a fox", duration_s=4, aspect_ratio="9:16", seed=7),
        lambda c: c.text_to_video.create(model="gen4.5", prompt_text="a fox", duration=4, ratio="720:1280", seed=7),
    ),
    "a resold model, with sound": (
        "veo3.1",
        TextToVideo(prompt="a fox", duration_s=4, resolution="1080p", audio=True, negative_prompt="rain"),
        lambda c: c.text_to_video.create(
            model="veo3.1", prompt_text="a fox", duration=4, ratio="1920:1080", audio=True, negative_prompt="rain"
        ),
    ),
    "a clip guided by pictures": (
        "seedance2",
        TextToVideo(prompt="a fox", references=(Reference(image=URL),), resolution="480p", duration_s=4),
        lambda c: c.text_to_video.create(
            model="seedance2",
            prompt_text="a fox",
            duration=4,
            ratio="864:496",
            references=[{"type": "image", "uri": URL}],
        ),
    ),
    "a first and a last frame": (
        "kling3.0_standard",
        ImageToVideo(image=URL, last_image=URL + "?2", prompt="it jumps", duration_s=3),
        lambda c: c.image_to_video.create(
            model="kling3.0_standard",
            prompt_text="it jumps",
            duration=3,
            prompt_image=[{"uri": URL, "position": "first"}, {"uri": URL + "?2", "position": "last"}],
        ),
    ),
    "a clip made anew": (
        "aleph2",
        VideoToVideo(video=CLIP, prompt="in blue", seed=1),
        lambda c: c.video_to_video.create(model="aleph2", video_uri=CLIP, prompt_text="in blue", seed=1),
    ),
    "a clip goes on": (
        "gemini_omni_flash_1.1",
        VideoExtension(video=CLIP, prompt="on", duration_s=4),
        lambda c: c.video_to_video.create(
            model="gemini_omni_flash_1.1", video_uri=CLIP, prompt_text="on", duration=4, mode="extend"
        ),
    ),
    "a larger clip": (
        "magnific_video_upscaler_creative",
        VideoUpscaling(video=CLIP, resolution="1k"),
        lambda c: c.video_upscale.create(model="magnific_video_upscaler_creative", video_uri=CLIP, resolution="1k"),
    ),
    "more frames": (
        "enhance_frame_rate",
        FrameInterpolation(video=CLIP, fps=29.97),
        lambda c: c.video_upscale.create(model="enhance_frame_rate", video_uri=CLIP, target_framerate="29_97"),
    ),
    "a picture": (
        "gen4_image",
        TextToImage(prompt="a fox", size=(1360, 768), references=(Reference(image=URL),)),
        lambda c: c.text_to_image.create(
            model="gen4_image", prompt_text="a fox", ratio="1360:768", reference_images=[{"uri": URL}]
        ),
    ),
    "an edited picture": (
        "gen4_image_turbo",
        ImageToImage(image=URL, prompt="in blue", aspect_ratio="9:16"),
        lambda c: c.text_to_image.create(
            model="gen4_image_turbo", prompt_text="in blue", ratio="720:1280", reference_images=[{"uri": URL}]
        ),
    ),
    "a larger picture": (
        "magnific_precision_upscaler_v2",
        ImageUpscaling(image=URL, factor=2),
        lambda c: c.image_upscale.create(model="magnific_precision_upscaler_v2", image_uri=URL, scale_factor=2),
    ),
    "speech": (
        "eleven_v4",
        TextToSpeech(text="Good morning.", voice="Maya", language="en", speed=1.1, seed=2),
        lambda c: c.text_to_speech.create(
            model="eleven_v4", prompt_text="Good morning.", voice=VOICE, language_code="en", speed=1.1, seed=2
        ),
    ),
    "another voice": (
        "eleven_multilingual_sts_v2",
        SpeechToSpeech(audio=SOUND, voice="Maya"),
        lambda c: c.speech_to_speech.create(
            model="eleven_multilingual_sts_v2", media={"type": "audio", "uri": SOUND}, voice=VOICE
        ),
    ),
    "a sound": (
        "eleven_text_to_sound_v2",
        TextToSound(prompt="a door", duration_s=1.5),
        lambda c: c.sound_effect.create(model="eleven_text_to_sound_v2", prompt_text="a door", duration=1.5),
    ),
    "the sound of a clip": (
        "mirelo_sfx_2_0",
        VideoToAudio(video=CLIP, prompt="steps", duration_s=2),
        lambda c: c.video_to_audio.create(
            model="mirelo_sfx_2_0", video_uri=CLIP, prompt_text="steps", duration=2, num_variants=1
        ),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_served_and_asks_for_what_we_ask_for(
    intent: str,
    client: Client,
    ours: Callable[..., Awaitable[list[Recorded]]],
    bought: Callable[[str], list[Recorded]],
) -> None:
    endpoint, request, call = INTENTS[intent]
    (mine,) = await ours(NAME, request, model=f"{NAME}:{endpoint}")
    task = call(client)
    done = task.wait_for_task_output(timeout=60)
    assert (done.status, task.estimated_cost.credits) == ("SUCCEEDED", done.cost.credits)
    assert all(one.startswith("http") for one in done.output)
    (theirs,) = bought(NAME)
    we_leave_out = {"references": [{"type": "image", "uri": URL}]} if intent == "a clip guided by pictures" else {}
    we_say = {"references": [{"uri": URL}]} if we_leave_out else {}  # `type` has one value, and is optional
    assert same(mine, theirs, ignore_headers=("x-stainless-*",), they_add=we_leave_out, we_add=we_say) == []


async def test_an_upload_is_the_clients_own(
    emulator: Emulator, client: Client, ours: Callable[..., Awaitable[list[Recorded]]]
) -> None:
    await ours(NAME, ImageToVideo(image=STILL, prompt="it jumps"), model=f"{NAME}:gen4.5")
    mine = [one for one in emulator.requests if "uploads" in one.path]
    made = client.uploads.create_ephemeral(file=(mine[0].json["filename"], STILL.read_bytes(), "image/png"))
    theirs = [one for one in emulator.requests if "uploads" in one.path][2:]
    assert made.uri.startswith("runway://")
    assert same(mine[0], theirs[0], ignore_headers=("x-stainless-*",)) == []
    chance = ("key", "policy", "x-amz-signature")  # what the slot says, once for each
    assert same(mine[1], theirs[1], ignore_body=chance, ignore_headers=("x-runway-version", "x-stainless-*")) == []
    assert list(mine[1].form) == list(theirs[1].form)


def make(client: Client) -> Any:
    return client.text_to_video.create(model="gen4.5", prompt_text="a fox", duration=2, ratio="1280:720")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("bad_key", "AuthenticationError"),
        ("no_credit", "BadRequestError"),
        ("invalid", "BadRequestError"),
        ("not_found", "NotFoundError"),
        ("rate_limited", "RateLimitError"),
        ("server_error", "InternalServerError"),
        ("unavailable", "InternalServerError"),
        ("timeout", "InternalServerError"),
    ],
)
def test_the_client_reads_every_refusal(fault: str, expected: str, emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, fault)
    with pytest.raises(getattr(runwayml, expected)) as caught:
        make(client)
    assert caught.value.body["error"]


@pytest.mark.parametrize("code", ["SAFETY.INPUT.TEXT", "INTERNAL.BAD_OUTPUT.CODE01"])
def test_the_client_reads_a_failure(code: str, emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, f"failed:{code}")
    with pytest.raises(polling.TaskFailedError) as caught:
        make(client).wait_for_task_output(timeout=60)
    assert caught.value.task_details.failure_code == code


async def test_the_client_that_does_not_block_reads_a_cancellation(emulator: Emulator, client: Client) -> None:
    emulator.script(NAME, "slow")
    async with runwayml.AsyncRunwayML(api_key=emulator.keys[NAME], base_url=emulator.url(NAME)) as later:
        task = await later.text_to_video.create(model="gen4.5", prompt_text="a fox", duration=2, ratio="1280:720")
        assert client.tasks.retrieve(task.id).status in ("PENDING", "THROTTLED")
        await later.tasks.delete(task.id)
        with pytest.raises(polling.TaskFailedError) as caught:
            await task.wait_for_task_output(timeout=60)
        assert caught.value.task_details.status == "CANCELLED"


def test_the_client_reads_the_account(client: Client) -> None:
    found = client.organization.retrieve()
    assert found.credit_balance == 1000
    assert found.tier.models["gen4.5"].max_concurrent_generations == 3
