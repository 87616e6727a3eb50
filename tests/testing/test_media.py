"""The files an emulator makes: of the ordered type, size and length, playable, each its own, quickly made."""

import io
import time

import av
import pytest
from PIL import Image

from aggregator.probing import Prober
from aggregator.testing.emulator.media import extension, render

FILM = {"width": 320, "height": 240, "duration_s": 2, "fps": 24}
SOUND_TYPES = ("audio/wav", "audio/mpeg", "audio/flac", "audio/ogg", "audio/opus", "audio/mp4")


async def facts_of(raw: bytes, mime: str, tmp_path):
    path = tmp_path / f"file.{extension(mime)}"
    path.write_bytes(raw)
    prober = Prober()
    try:
        return await prober.probe(path)
    finally:
        await prober.aclose()


@pytest.mark.parametrize(
    ("asked", "codec"),
    [
        ({"width": 1920, "height": 1080, "duration_s": 10, "fps": 24, "audio": True}, "aac"),
        ({"width": 720, "height": 1280, "duration_s": 5.04, "fps": 25}, None),
        ({"width": 854, "height": 480, "duration_s": 8, "fps": 29.97, "audio": True}, "aac"),
        ({"width": 320, "height": 240, "duration_s": 0.5, "fps": 16}, None),
    ],
)
async def test_films_are_as_ordered(asked: dict, codec: str | None, tmp_path) -> None:
    facts = await facts_of(render("video/mp4", **asked), "video/mp4", tmp_path)
    assert (facts.width, facts.height, facts.video_codec, facts.audio_codec) == (
        asked["width"],
        asked["height"],
        "h264",
        codec,
    )
    assert facts.fps == pytest.approx(asked["fps"], abs=0.001)
    assert facts.duration_s == pytest.approx(asked["duration_s"], abs=0.025)


@pytest.mark.parametrize("mime", ["video/mp4", "video/quicktime"])
def test_every_frame_of_a_film_can_be_shown(mime: str) -> None:
    with av.open(io.BytesIO(render(mime, **FILM, audio=True, seed=3))) as film:
        frames = list(film.decode(video=0))
    assert [frame.pts * frame.time_base * 24 for frame in frames] == list(range(48))
    dark, light = frames[30].to_image().getpixel((5, 5)), frames[40].to_image().getpixel((5, 5))
    assert sum(dark) + 20 < sum(light)  # the second round is a picture, too, and it moves


@pytest.mark.parametrize(("mime", "kind"), [(f"image/{kind}", kind) for kind in ("png", "jpeg", "webp", "gif")])
def test_pictures_are_as_ordered(mime: str, kind: str) -> None:
    with Image.open(io.BytesIO(render(mime, width=640, height=481))) as picture:
        picture.load()
        assert (picture.format, picture.size) == (kind.upper(), (640, 481))


def test_a_drawing_says_its_size() -> None:
    assert render("image/svg+xml", width=30, height=20).startswith(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="30"'
    )


@pytest.mark.parametrize("mime", SOUND_TYPES)
async def test_sounds_are_as_ordered(mime: str, tmp_path) -> None:
    facts = await facts_of(render(mime, duration_s=3.7), mime, tmp_path)
    assert facts.duration_s == pytest.approx(3.7, abs=0.05)
    assert facts.audio_codec


def test_bare_samples_have_no_header() -> None:
    assert len(render("audio/pcm", duration_s=1.5, rate_hz=16_000)) == 1.5 * 16_000 * 2
    assert len(render("audio/L16; rate=44100", duration_s=2, rate_hz=44_100, channels=2)) == 2 * 44_100 * 4
    assert len(render("audio/basic", duration_s=1, rate_hz=8_000)) == 8_000


@pytest.mark.parametrize("mime", ["video/mp4", "image/png", "image/jpeg", "audio/wav", "audio/mpeg", "audio/pcm"])
def test_each_seed_has_its_own_file_and_always_the_same(mime: str) -> None:
    asked = {"width": 64, "height": 64, "duration_s": 1}
    files = [render(mime, **asked, seed=seed) for seed in range(20)]
    assert len(set(files)) == 20
    assert render(mime, **asked, seed=3) == files[3]


def test_a_long_film_costs_little() -> None:
    start = time.process_time()
    render("video/mp4", width=1920, height=1080, duration_s=60, fps=24, seed=99)
    assert time.process_time() - start < 2


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(ValueError, match="'model/gltf' can be made: one of image/png"):
        render("model/gltf")
