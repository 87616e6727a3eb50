"""Every task delivers a real file of the ordered kind, size and length."""

import io
import json
import wave

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from .conftest import DRAFT, HERO, Caller


def film_facts(data: bytes) -> dict[str, object]:
    with av.open(io.BytesIO(data)) as film:
        picture = film.streams.video[0]
        facts = {
            "size": (picture.codec_context.width, picture.codec_context.height),
            "fps": picture.average_rate,
            "codecs": [stream.codec_context.name for stream in film.streams],
            "pixels": picture.codec_context.pix_fmt,
            "comment": film.metadata["comment"],
        }
        facts["frames"] = sum(1 for _ in film.decode(video=0))
    return facts


def film_frames(data: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(data)) as film:
        return [frame.to_image() for frame in film.decode(video=0)]


@pytest.mark.parametrize(("image_format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_text_to_image(caller: Caller, model: str, image_format: str, kind: str) -> None:
    job, data = await caller.make("text-to-image", model, prompt="a boat", width=320, height=180, format=image_format)
    picture = Image.open(io.BytesIO(data))
    assert (picture.size, picture.format) == ((320, 180), kind)
    assert job["is_stand_in"]
    assert "Stand-in" in (picture.info.get("Comment") or picture.getexif()[0x010E])


async def test_default_sizes_of_both_models(caller: Caller) -> None:
    for model, size in ((DRAFT, (768, 432)), (HERO, (1536, 864))):
        job, _ = await caller.make("text-to-image", model, prompt="a tree")
        assert (job["outputs"][0]["width"], job["outputs"][0]["height"]) == size


@pytest.mark.parametrize("size", [(64, 64), (64, 300), (300, 64), (91, 201)])
@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_odd_sizes_and_endless_prompts_are_drawn(caller: Caller, model: str, size: tuple[int, int]) -> None:
    width, height = size
    _, data = await caller.make("text-to-image", model, prompt="unbreakable" * 300, width=width, height=height)
    assert Image.open(io.BytesIO(data)).size == size


@pytest.mark.parametrize(
    "place", ["mountains", "city rain", "sea", "forest fog", "desert", "kitchen", "moon", "snow hill"]
)
async def test_every_place_is_drawn_by_both_models(caller: Caller, place: str) -> None:
    for model in (DRAFT, HERO):
        _, data = await caller.make("text-to-image", model, prompt=place, width=160, height=90)
        assert len(Image.open(io.BytesIO(data)).convert("RGB").getcolors(160 * 90)) > 50


async def test_the_same_seed_is_the_same_composition_on_both_models(caller: Caller) -> None:
    scenes, shapes = [], []
    for model, seed in ((DRAFT, 5), (HERO, 5), (HERO, 6)):
        _, data = await caller.make(
            "text-to-image", model, prompt="a boat on the sea, noon", seed=seed, width=320, height=180
        )
        picture = Image.open(io.BytesIO(data))
        scenes.append(json.loads(picture.info["aggregator"])["scene"])
        shapes.append(picture)
    assert scenes[0] == scenes[1] != scenes[2]
    assert _likeness(shapes[0], shapes[1]) > 0.6


def _likeness(first: Image.Image, second: Image.Image) -> float:
    """Correlation of two pictures' light, seen from afar."""
    a, b = (list(picture.convert("L").resize((16, 9)).tobytes()) for picture in (first, second))
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    cross = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    spread = sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)
    return cross / spread**0.5


async def test_negative_prompt_takes_words_out(caller: Caller) -> None:
    _, data = await caller.make("text-to-image", prompt="sea at night", negative_prompt="night", width=160, height=90)
    assert json.loads(Image.open(io.BytesIO(data)).info["aggregator"])["scene"]["setting"] == "sea"


@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_image_to_image(caller: Caller, model: str, png: bytes) -> None:
    url = await caller.upload(png)
    job, data = await caller.make(
        "image-to-image", model, image=url, prompt="colder", width=200, height=100, strength=1
    )
    assert Image.open(io.BytesIO(data)).size == (200, 100)
    assert any("not by a model" in note for note in job["notes"])


async def test_upscaling_keeps_the_picture(caller: Caller, png: bytes) -> None:
    job, data = await caller.make("image-upscaling", image=await caller.upload(png), factor=1.5)
    large, small = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(png))
    assert large.size == (288, 144)
    apart = ImageChops.difference(large.convert("RGB").resize(small.size), small.convert("RGB"))
    assert max(ImageStat.Stat(apart).mean) < 2
    assert "Lanczos" in job["notes"][0]


@pytest.mark.parametrize("prompt", ["a storm on the sea, rain, pan left", "snow forest, tilt up"])
@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_text_to_video(caller: Caller, model: str, prompt: str) -> None:
    job, data = await caller.make("text-to-video", model, prompt=prompt, width=192, height=108, fps=10, duration_s=0.8)
    facts = film_facts(data)
    assert facts["size"] == (192, 108)
    assert (facts["fps"], facts["frames"]) == (10, 8)
    assert facts["codecs"] == ["h264", "aac"]
    assert facts["pixels"] == "yuv420p"
    assert "Stand-in" in str(facts["comment"])
    assert data.index(b"moov") < data.index(b"mdat")
    assert (job["outputs"][0]["duration_s"], job["outputs"][0]["fps"]) == (0.8, 10)


@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_image_to_video_shows_the_still_and_moves(caller: Caller, model: str) -> None:
    _, still = await caller.make("text-to-image", prompt="a house", width=320, height=180)
    url = await caller.upload(still)
    job, data = await caller.make(
        "image-to-video", model, image=url, camera="push-in", width=320, height=180, duration_s=0.5, audio=False
    )
    frames = film_frames(data)
    assert film_facts(data)["codecs"] == ["h264"]
    middle = (40, 30, 280, 150)  # the hero's corners are a little darker on purpose
    assert _likeness(frames[0].crop(middle), Image.open(io.BytesIO(still)).crop(middle)) > 0.95
    assert max(ImageStat.Stat(ImageChops.difference(frames[0], frames[-1])).mean) > 1
    assert any("push-in" in note for note in job["notes"])


async def test_image_to_video_takes_its_size_from_the_still(caller: Caller, png: bytes) -> None:
    job, _ = await caller.make("image-to-video", image=await caller.upload(png), duration_s=0.5)
    width, height = job["outputs"][0]["width"], job["outputs"][0]["height"]
    assert width / height == pytest.approx(2, rel=0.02)
    assert width * height <= 640 * 360
    assert not width % 2
    assert not height % 2


async def test_last_image_is_where_the_film_ends(caller: Caller) -> None:
    ends = []
    for colour in ("black", "white"):
        picture = io.BytesIO()
        Image.new("RGB", (128, 96), colour).save(picture, "PNG")
        ends.append(await caller.upload(picture.getvalue()))
    _, data = await caller.make("image-to-video", image=ends[0], last_image=ends[1], width=128, height=96, duration_s=1)
    frames = film_frames(data)
    middle = (40, 40, 90, 60)
    assert max(ImageStat.Stat(frames[0].crop(middle)).mean) < 20
    assert min(ImageStat.Stat(frames[-1].crop(middle)).mean) > 235


@pytest.mark.parametrize(
    ("audio_format", "codec"), [("wav", "pcm_s16le"), ("mp3", "mp3"), ("flac", "flac"), ("opus", "opus")]
)
async def test_text_to_sound(caller: Caller, audio_format: str, codec: str) -> None:
    job, data = await caller.make("text-to-sound", prompt="thunder, rain and birds", duration_s=1, format=audio_format)
    with av.open(io.BytesIO(data)) as sound:
        assert codec in sound.streams.audio[0].codec_context.name
        heard = sum(frame.samples / frame.sample_rate for frame in sound.decode(audio=0))
    assert heard == pytest.approx(1, abs=0.1)
    assert job["outputs"][0]["duration_s"] == 1


@pytest.mark.parametrize(("model", "channels"), [(DRAFT, 1), (HERO, 2)])
async def test_text_to_music(caller: Caller, model: str, channels: int) -> None:
    _, data = await caller.make("text-to-music", model, prompt="happy", duration_s=1.5)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (channels, 2)
        assert file.getnframes() / file.getframerate() == pytest.approx(1.5)
        assert any(file.readframes(file.getnframes()))
    assert b"Stand-in" in data


@pytest.mark.parametrize(
    ("task", "given"),
    [
        ("text-to-image", {"prompt": "a fox", "width": 256, "height": 144}),
        ("text-to-sound", {"prompt": "bell", "duration_s": 0.5}),
        ("text-to-music", {"prompt": "slow", "duration_s": 0.5}),
        ("text-to-video", {"prompt": "a car in rain", "width": 128, "height": 96, "duration_s": 0.5}),
        ("text-to-speech", {"text": "the same words"}),
    ],
)
@pytest.mark.parametrize("model", [DRAFT, HERO])
async def test_the_same_order_is_the_same_bytes(
    caller: Caller, model: str, task: str, given: dict[str, object]
) -> None:
    seed = {} if task == "text-to-speech" else {"seed": 9}
    files = {(await caller.make(task, model, **given, **seed))[1] for _ in range(2)}
    assert len(files) == 1
    if seed and task != "text-to-speech":
        assert (await caller.make(task, model, **given, seed=10))[1] not in files
