"""Frames of clips are the ones that were asked for; a contact sheet shows what it was given, where it says."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aggregator.editing.layout import Grid
from aggregator.errors import EditError
from tests.editing.media import BLUE, GREEN, RED, Desk, film, is_close, pictures_of, ramp


def grey_of(path: object) -> float:
    return float(np.asarray(Image.open(str(path)).convert("L")).mean())


def test_the_first_and_the_last_frame_are_those(desk: Desk) -> None:
    clip = desk.clip("grey", ramp(48))
    assert abs(grey_of(desk.run("first-frame", video=clip)) - 16) <= 2
    assert abs(grey_of(desk.run("last-frame", video=clip)) - (16 + 4 * 47)) <= 2


def test_the_last_frame_of_a_long_clip_is_found_without_the_rest(desk: Desk) -> None:
    greys = [(g, g, g) for g in (16 + number % 200 for number in range(24 * 12 + 7))]
    clip = desk.clip("long", greys)
    assert abs(grey_of(desk.run("last-frame", video=clip)) - greys[-1][0]) <= 2
    clip_at = desk.run("frame", video=clip, at_s=200 / 24)
    assert abs(grey_of(clip_at) - greys[200][0]) <= 2


@pytest.mark.parametrize(("at_s", "number"), [(0.0, 0), (0.5, 12), (12.9 / 24, 12), (47 / 24, 47)])
def test_the_frame_of_a_moment_is_the_one_on_the_screen(desk: Desk, at_s: float, number: int) -> None:
    made = desk.run("frame", video=desk.clip("grey", ramp(48)), at_s=at_s)
    assert abs(grey_of(made) - (16 + 4 * number)) <= 2


def test_a_moment_after_the_end_is_refused(desk: Desk) -> None:
    with pytest.raises(EditError, match=r"frame: video lasts 1 s: at_s is 1; last-frame is its end") as caught:
        desk.run("frame", video=desk.clip("a", [RED] * 24), at_s=1.0)
    assert (caught.value.edit, caught.value.field) == ("frame", "video")


def test_a_container_without_lengths_and_index_is_read_all_the_same(desk: Desk) -> None:
    pictures = [Image.new("RGB", (64, 48), colour) for colour in ramp(48)]
    clip = desk.stored(film(desk.directory / "a.mkv", pictures, fps=Fraction(24000, 1001)))
    assert abs(grey_of(desk.run("last-frame", video=clip)) - (16 + 4 * 47)) <= 2


def test_a_contact_sheet_shows_pictures_and_the_middles_of_clips(desk: Desk) -> None:
    picture = desk.picture("green", Image.new("RGB", (64, 48), GREEN))
    clip = desk.clip("change", [RED] * 10 + [BLUE] * 4 + [RED] * 10)
    tall = desk.picture("tall", Image.new("RGB", (20, 80), RED))
    labels = ["Storyboard", "a name that is much longer than the tile is wide", ""]
    made = Image.open(
        desk.run("contact-sheet", pictures=[picture, clip, tall], tile_px=128, columns=2, labels=labels)
    ).convert("RGB")
    grid = Grid.of(3, 2, 128, (64, 48))
    assert made.size == grid.size
    pixels = np.asarray(made).astype(int)
    ground = pixels[0, 0]
    for number, colour in enumerate([GREEN, BLUE]):
        left, top = grid.tile(number)
        assert is_close(pixels[top : top + 96, left : left + 128], colour)
        below = pixels[top + 96 : top + 96 + grid.label_px * 2, left : left + 128]
        assert np.abs(below - ground).max() > 100, "its label is written below"
    left, top = grid.tile(2)
    assert is_close(pixels[top : top + 96, left + 60 : left + 68], RED)
    assert np.abs(pixels[top : top + 96, left : left + 40] - ground).max() == 0, "a tall picture is not pulled"
    gap = pixels[:, grid.tile(0)[0] + 128 : grid.tile(1)[0]]
    assert np.abs(gap - ground).max() == 0, "a long label stays in its tile"


def test_clips_of_other_makes_are_read(desk: Desk) -> None:
    """WebM, without a length in its header and with times in milliseconds."""
    path = desk.directory / "clip.webm"
    with av.open(str(path), "w", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=Fraction(30000, 1001), options={"crf": "10", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, colour in enumerate(ramp(45)):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), colour)).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1001, 30000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    clip = desk.stored(path, "video/webm")
    assert "duration_s" not in clip.as_json()
    assert abs(grey_of(desk.run("last-frame", video=clip)) - (16 + 4 * 44)) <= 3
    assert abs(grey_of(desk.run("frame", video=clip, at_s=20 * 1001 / 30000)) - (16 + 4 * 20)) <= 3
    frames = pictures_of(desk.run("trim", clip=clip, start_s=10 * 1001 / 30000))
    assert [round(frame.mean()) for frame in frames] == pytest.approx(
        [16 + 4 * number for number in range(10, 45)], abs=3
    )
