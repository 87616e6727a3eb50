"""What comes out: saved whole or not at all, read piece by piece, compared with what was ordered."""

import asyncio
import hashlib
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from aggregator.artifact import Artifact, Facts, Lineage, shortfalls
from aggregator.tasks import ImageToImage, TextToImage, TextToVideo, VideoExtension
from tests.runner.test_outcomes import order
from tests.runner.world import World

REQUEST = TextToImage(prompt="a fox")


def artifact(path: Path, facts: Facts | None = None) -> Artifact:
    lineage = Lineage("j", "film", "k", "prototype", REQUEST, "p:e", "m", {})
    data = path.read_bytes()
    return Artifact(hashlib.sha256(data).hexdigest(), "image/png", len(data), path, facts, lineage)


@pytest.fixture
def file(quick: Path) -> Path:
    path = quick / "store.png"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


async def test_a_copy_is_whole_and_replaces_what_was_there(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "down" / "a.png"
    assert await artifact(file).save(target) == target
    target.write_bytes(b"old")
    await artifact(file).save(str(target))
    assert target.read_bytes() == file.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]


async def test_a_copy_that_fails_leaves_what_was_there(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def half(_source: Path, beside: Path) -> None:
        Path(beside).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aggregator.artifact.shutil.copyfile", half)
    with pytest.raises(OSError, match="No space"):
        await artifact(file).save(target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


async def test_many_copies_to_one_place_do_not_disturb_each_other(file: Path, tmp_path: Path) -> None:
    await asyncio.gather(*(artifact(file).save(tmp_path / "a.png") for _ in range(20)))
    assert (tmp_path / "a.png").read_bytes() == file.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


async def test_a_large_file_is_read_in_constant_memory(quick: Path) -> None:
    path = quick / "large.png"
    with path.open("wb") as large:
        large.truncate(64 * 2**20)
    one = Artifact("x", "video/mp4", 64 * 2**20, path, None, artifact_lineage())
    tracemalloc.start()
    size = 0
    async for chunk in one.stream():
        size += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 64 * 2**20
    assert peak < 2 * 2**20


def artifact_lineage() -> Lineage:
    return Lineage("j", "film", "k", "prototype", REQUEST, "p:e", "m", {})


async def test_a_file_is_read_in_the_pieces_that_are_asked_for(file: Path) -> None:
    one = artifact(file)
    chunks = [chunk async for chunk in one.stream(100_000)]
    assert [len(chunk) for chunk in chunks] == [100_000, 100_000, 56_000]
    with one.open() as opened:
        assert opened.read() == b"".join(chunks)


def test_an_artifact_as_an_input_keeps_its_facts_and_its_thread(file: Path) -> None:
    media = artifact(file, Facts(width=64, height=32, duration_s=1.5)).as_media()
    assert (media.job_id, media.width, media.height, media.duration_s) == ("j", 64, 32, 1.5)
    assert artifact(file).as_media().width is None


def test_a_result_is_json_and_can_be_pickled(world: World) -> None:
    import json

    result = world.run(order)
    document = json.loads(json.dumps(result.as_json()))
    assert document["artifacts"][0]["sha256"] == result.artifact.sha256
    assert document["cost"]["amount_usd"] == "0.04"
    assert document["lineage"]["offer"] == "memory:cheap"
    assert pickle.loads(pickle.dumps(result)) == result
    assert (result.path, result.is_stand_in) == (result.artifact.path, False)


# ----------------------------------------------------------------------------------------------------------- shortfalls


@pytest.mark.parametrize(
    ("ordered", "facts", "said"),
    [
        ({"size": "1280x720"}, {"width": 1280, "height": 720}, []),
        ({"size": "1280x720"}, {"width": 1280, "height": 704}, ["size: ordered 1280x720, delivered 1280x704"]),
        ({"size": "1280x720"}, {}, []),
        ({"aspect_ratio": "16:9"}, {"width": 1344, "height": 768}, []),
        (
            {"aspect_ratio": "16:9"},
            {"width": 1024, "height": 1024},
            ["aspect_ratio: ordered 16:9, delivered 1024:1024"],
        ),
        ({"resolution": "1080p"}, {"width": 1080, "height": 1920}, []),
        ({"resolution": "1080p"}, {"width": 1280, "height": 720}, ["resolution: ordered 1080p, delivered 720p"]),
        ({"resolution": "4k"}, {"width": 1280, "height": 720}, []),
        ({"duration_s": 5}, {"duration_s": 5.2}, []),
        ({"duration_s": 5}, {"duration_s": 4.0}, ["duration_s: ordered 5.0, delivered 4.0"]),
        ({"duration_s": 60}, {"duration_s": 61.5}, []),
        ({"fps": 30}, {"fps": 29.97}, []),
        ({"fps": 30}, {"fps": 24.0}, ["fps: ordered 30.0, delivered 24.0"]),
        ({"audio": True}, {"video_codec": "h264"}, ["audio: ordered True, delivered False"]),
        ({"audio": False}, {"video_codec": "h264", "audio_codec": "aac"}, ["audio: ordered False, delivered aac"]),
        ({"audio": True}, {"video_codec": "h264", "audio_codec": "aac"}, []),
        ({"audio": True}, {}, []),
    ],
)
def test_what_is_short_of_the_order_is_said(ordered: dict[str, Any], facts: dict[str, Any], said: list[str]) -> None:
    found = shortfalls(TextToVideo(prompt="a fox", **ordered), Facts(**facts))
    assert [str(item) for item in found] == said


def test_a_clip_that_was_extended_is_longer_than_what_was_added() -> None:
    request = VideoExtension(video="https://example.com/a.mp4", duration_s=5)
    assert shortfalls(request, Facts(duration_s=13.0)) == []


def test_what_was_not_ordered_is_not_compared() -> None:
    request = ImageToImage(image="https://example.com/a.png", prompt="at night")
    assert shortfalls(request, Facts(width=1, height=1, duration_s=9.0)) == []


def test_facts_read_as_people_write_them() -> None:
    facts = Facts(width=640, height=360, duration_s=4.0, fps=12.0, video_codec="h264", audio_codec="aac")
    assert str(facts) == "640x360 4.0 s 12 fps h264 aac"
    assert str(Facts()) == ""
