"""The dialect's own client is OpenAI's (openai 3.52.0): its methods for clips still exist, and are what servers copied.

Not compared: the client's own headers (`x-stainless-*`), the name of a file in a form (ours is a digest), the order of
parts. An edit and an extension of OpenAI's take no model: ours is let pass there.
"""

import warnings
from importlib import import_module
from pathlib import Path

import pytest

from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Reference,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToVideo,
)
from tests.conformance.compare import same

openai = import_module("openai")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-speech": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
}

STILL = Path(__file__).parents[2] / "data" / "still.png"
OWN = ("x-stainless-*",)
FORM = {"ignore_headers": OWN, "unordered_parts": True, "ignore_filenames": True}
PNG = ("still.png", STILL.read_bytes(), "image/png")


@pytest.fixture
def dialect(emulator):
    """The same client before a server that speaks the dialect; a server of one's own may want no key."""
    warnings.simplefilter("ignore", DeprecationWarning)  # the methods for clips say that OpenAI's own are gone
    url = emulator.url("openai_compatible")
    with openai.OpenAI(api_key=emulator.keys["openai_compatible"], base_url=url, max_retries=0) as opened:
        yield opened


def test_it_reads_a_clip_from_order_to_file(dialect):
    made = dialect.videos.create_and_poll(
        model="sora-2", prompt="a fox", seconds="4", size="1280x720", poll_interval_ms=20
    )
    assert (made.status, made.progress, made.seconds, made.error) == ("completed", 100, "4", None)
    assert dialect.videos.download_content(made.id).content[4:8] == b"ftyp"
    assert made.id in [one.id for one in dialect.videos.list()]
    assert dialect.videos.delete(made.id).deleted


def test_it_reads_a_clip_that_failed(emulator, dialect):
    emulator.script("openai_compatible", "moderated_output")
    made = dialect.videos.create_and_poll(prompt="a fox", poll_interval_ms=20)
    assert (made.status, made.error.code) == ("failed", "moderation_blocked")


CARD = '[model]\nmaker = "mine"\ntier = "workhorse"\ntitle = "Mine"\n'
OFFER = """
model = "mine"
endpoint = "wan-2.2"
checked = 2026-11-20
meters = [{ unit = "request", quantity = "1" }]
[tasks.text-to-image]
[tasks.image-to-image]
[tasks.text-to-video]
[tasks.image-to-video]
[tasks.video-to-video]
[tasks.video-extension]
[tasks.text-to-speech]
"""


@pytest.fixture
def own(tmp_path):
    """The options of a user whose server speaks the dialect and wants a key."""
    home = tmp_path / "mine"
    (home / "models").mkdir(parents=True)
    (home / "offers" / "openai_compatible").mkdir(parents=True)
    (home / "models" / "mine.toml").write_text(CARD)
    (home / "offers" / "openai_compatible" / "all.toml").write_text(OFFER)
    providers = {"openai_compatible": {"api_key_env": "MY_SERVER_KEY"}}
    return {"model": "mine", "settings": {"registry": {"paths": [str(home)]}, "providers": providers}}


@pytest.fixture
def clip(emulator, tmp_path):
    """A clip of one's own, which really is one."""
    from aggregator.testing.emulator.media import render

    path = tmp_path / "clip.mp4"
    path.write_bytes(render("video/mp4", width=64, height=64, duration_s=0.5, fps=8, audio=False, seed=1))
    return path


async def test_a_picture_of_the_dialect(ours, bought, dialect, own):
    (mine,) = await ours("openai_compatible", TextToImage(prompt="a fox", size=(512, 512)), **own)
    dialect.images.generate(model="wan-2.2", prompt="a fox", size="512x512", response_format="b64_json")
    (other,) = bought("openai_compatible")
    assert same(mine, other, ignore_headers=OWN) == []


async def test_an_edit_of_the_dialect(ours, bought, dialect, own):
    request = ImageToImage(prompt="at night", image=STILL, references=(Reference(image=STILL),), mask=STILL)
    (mine,) = await ours("openai_compatible", request, **own)
    dialect.images.edit(model="wan-2.2", prompt="at night", image=[PNG, PNG], mask=PNG, response_format="b64_json")
    (other,) = bought("openai_compatible")
    assert same(mine, other, **FORM) == []


async def test_speech_of_the_dialect(ours, bought, dialect, own):
    (mine,) = await ours("openai_compatible", TextToSpeech(text="hello", voice="af_heart", format="mp3"), **own)
    dialect.audio.speech.create(model="wan-2.2", input="hello", voice="af_heart", response_format="mp3")
    (other,) = bought("openai_compatible")
    assert same(mine, other, ignore_headers=OWN) == []


@pytest.fixture
def whole(emulator, dialect):
    """Let the time pass that a clip takes, and look at it."""

    def look(made):
        emulator.clock.advance(60)
        assert dialect.videos.retrieve(made.id).status == "completed"
        assert dialect.videos.download_content(made.id).content[4:8] == b"ftyp"

    return look


@pytest.mark.usefixtures("virtual_clock")
class TestClips:
    async def test_from_a_prompt(self, ours, bought, dialect, whole, own):
        request = TextToVideo(prompt="a fox", size=(1280, 720), duration_s=8)
        (mine,) = await ours("openai_compatible", request, **own)
        made = dialect.videos.create(model="wan-2.2", prompt="a fox", size="1280x720", seconds="8")
        (other,) = bought("openai_compatible")
        whole(made)
        assert same(mine, other, **FORM) == []

    async def test_from_a_picture(self, ours, bought, dialect, whole, own):
        (mine,) = await ours("openai_compatible", ImageToVideo(prompt="go", image=STILL), **own)
        made = dialect.videos.create(model="wan-2.2", prompt="go", input_reference=PNG)
        (other,) = bought("openai_compatible")
        whole(made)
        assert same(mine, other, **FORM) == []

    async def test_from_a_clip(self, ours, bought, dialect, whole, own, clip):
        (mine,) = await ours("openai_compatible", VideoToVideo(prompt="at night", video=clip), **own)
        made = dialect.videos.edit(prompt="at night", video=("clip.mp4", clip.read_bytes(), "video/mp4"))
        (other,) = bought("openai_compatible")
        whole(made)
        # OpenAI's edit takes no model: a server with one serves it, one with several must be told.
        assert same(mine, other, **FORM, ignore_body=("model",)) == []

    async def test_on_from_a_clip(self, ours, bought, dialect, whole, own, clip):
        (mine,) = await ours("openai_compatible", VideoExtension(prompt="on", video=clip, duration_s=8), **own)
        made = dialect.videos.extend(prompt="on", seconds="8", video=("clip.mp4", clip.read_bytes(), "video/mp4"))
        (other,) = bought("openai_compatible")
        whole(made)
        assert same(mine, other, **FORM, ignore_body=("model",)) == []
