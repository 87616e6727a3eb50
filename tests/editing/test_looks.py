"""Size, colours and words of clips and pictures, and pictures held as clips."""

from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aggregator._probe import probe
from aggregator.editing.layout import Fit
from aggregator.errors import EditError
from tests.editing.media import BLUE, GREEN, RED, Desk, film, is_close, level_of, pictures_of, ramp, samples_of


def halves(left: tuple[int, ...], right: tuple[int, ...], size: tuple[int, int] = (64, 48)) -> Image.Image:
    image = Image.new("RGB" if len(left) == 3 else "RGBA", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


@pytest.mark.parametrize(
    ("fit", "corner", "middle"), [("contain", (0, 0, 0), RED), ("cover", RED, RED), ("stretch", RED, RED)]
)
def test_a_picture_fills_another_shape_as_asked(
    desk: Desk, fit: Fit, corner: tuple[int, ...], middle: tuple[int, ...]
) -> None:
    picture = desk.picture("wide", halves(RED, RED, (80, 40)))
    made = Image.open(desk.run("resize", picture=picture, width=50, height=50, fit=fit))
    assert made.size == (50, 50)
    assert made.getpixel((1, 1)) == corner
    assert made.getpixel((25, 25)) == middle


def test_cover_keeps_the_middle_and_its_shape(desk: Desk) -> None:
    wide = halves(RED, BLUE, (120, 40))
    wide.paste(GREEN, (40, 0, 80, 40))
    made = np.asarray(Image.open(desk.run("resize", picture=desk.picture("w", wide), width=20, height=20, fit="cover")))
    assert is_close(made[:, 2:-2], GREEN, by=3)


def test_bars_beside_a_picture_with_clear_parts_are_clear(desk: Desk) -> None:
    picture = desk.picture("clear", halves((200, 0, 0, 255), (0, 0, 0, 0), (40, 80)))
    made = Image.open(desk.run("resize", picture=picture, width=40, height=40))
    assert made.mode == "RGBA"
    assert made.getpixel((1, 20))[3] == 0
    assert made.getpixel((15, 20)) == (200, 0, 0, 255)


def test_a_clip_is_brought_to_an_even_size_and_keeps_its_sound(desk: Desk) -> None:
    made = desk.run("resize", picture=desk.clip("a", ramp(24), tone_hz=440), width=31, height=31)
    frames = pictures_of(made)
    assert frames[0].shape == (32, 32, 3)
    assert [round(frame[12:20, 8:24].mean()) for frame in frames] == pytest.approx([c[0] for c in ramp(24)], abs=3)
    assert frames[12][:2].mean() < 6, "bars above and below"
    assert level_of(samples_of(made), 440) > 0.4


def test_colours_do_not_drift_from_edit_to_edit(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 6)
    first = pictures_of(desk.run("trim", clip=clip, duration_s=0.25))[0].mean(axis=(0, 1))
    for number in range(5):
        clip = desk.stored(desk.run("captions", name=str(number), video=clip, captions=[(0.2, 0.25, ".")]))
    assert pictures_of(desk.paths[clip.sha256 or ""])[0].mean(axis=(0, 1)) == pytest.approx(first, abs=1.5)


def test_a_picture_takes_the_mean_and_the_contrast_of_the_reference(desk: Desk) -> None:
    given = desk.picture("given", halves((90, 90, 100), (130, 130, 140)))
    reference_image = halves((120, 60, 40), (220, 160, 120))
    reference = desk.picture("reference", reference_image)
    wanted = np.asarray(reference_image).astype(float)
    whole = np.asarray(Image.open(desk.run("colour-match", picture=given, reference=reference))).astype(float)
    assert whole.mean(axis=(0, 1)) == pytest.approx(wanted.mean(axis=(0, 1)), abs=6)
    assert whole.std(axis=(0, 1)) == pytest.approx(wanted.std(axis=(0, 1)), abs=8)
    half = np.asarray(Image.open(desk.run("colour-match", picture=given, reference=reference, strength=0.5)))
    before = np.asarray(Image.open(desk.paths[given.sha256 or ""]).convert("RGB")).astype(float)
    assert half.mean(axis=(0, 1)) == pytest.approx((before + whole).mean(axis=(0, 1)) / 2, abs=2)


def test_a_clip_is_matched_as_a_whole_so_that_it_does_not_flicker(desk: Desk) -> None:
    clip = desk.clip("a", [(60, 60, 60)] * 12 + [(120, 120, 120)] * 12)
    made = pictures_of(
        desk.run("colour-match", picture=clip, reference=desk.picture("warm", halves(RED, (250, 180, 120))))
    )
    mean = np.mean([frame.mean(axis=(0, 1)) for frame in made], axis=0)
    assert mean == pytest.approx(np.asarray(halves(RED, (250, 180, 120))).mean(axis=(0, 1)), abs=12)
    assert made[18].mean() - made[6].mean() > 40, "dark stays darker"


def test_an_even_picture_is_not_blown_up_to_noise(desk: Desk) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8))
    made = desk.run(
        "colour-match", picture=desk.picture("even", halves((99,) * 3, (101,) * 3)), reference=desk.picture("n", noise)
    )
    assert np.asarray(Image.open(made)).std() < 12


def test_clear_parts_stay_clear_and_count_for_nothing(desk: Desk) -> None:
    given = desk.picture("given", halves((100, 100, 100, 255), (0, 0, 255, 0)))
    made = Image.open(desk.run("colour-match", picture=given, reference=desk.picture("r", halves(RED, RED))))
    assert made.getpixel((40, 10))[3] == 0
    assert is_close(np.asarray(made)[:, :30, :3].astype(int), RED, by=6)


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), RED])
def test_words_are_seen_where_and_when_they_should_be_on_any_ground(desk: Desk, ground: tuple[int, int, int]) -> None:
    clip = desk.clip("a", [ground] * 24, size=(320, 180), tone_hz=440)
    made = desk.run("captions", video=clip, captions=[(0.25, 0.5, "Good morning"), (0.75, 1.0, "to you")])
    before, after = pictures_of(desk.paths[clip.sha256 or ""]), pictures_of(made)
    assert len(after) == 24
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert np.abs(new[:120] - old[:120]).max() < 24, "nothing changes above"
        foot = new[130:176, 80:240]
        if 6 <= number < 12 or number >= 18:
            assert foot.max() > 200, "white letters"
            assert foot.min() < 110, "on a dark panel"
        else:
            assert np.abs(new - old).max() < 24, number
    assert level_of(samples_of(made), 440) > 0.4


def test_one_text_is_there_for_the_whole_clip_and_breaks_into_lines(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 12, size=(160, 120))
    made = pictures_of(desk.run("captions", video=clip, text="a sentence which is longer than one line of it can be"))
    for frame in made:
        assert (frame[60:] > 180).all(axis=-1).any()
    panel = np.abs(made[0] - RED).max(axis=-1) > 60
    rows = np.flatnonzero(panel.any(axis=1))
    assert rows[-1] - rows[0] > 16, "more than one line"
    assert not panel[:, :4].any()
    assert not panel[:, -4:].any()


def test_captions_of_the_same_time_stand_above_each_other(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 6, size=(160, 120))
    one, two = (
        pictures_of(desk.run("captions", video=clip, captions=captions))[2]
        for captions in ([(0, 1, "first")], [(0, 1, "first"), (0, 1, "second")])
    )
    changed = [np.flatnonzero((np.abs(frame - RED).max(axis=-1) > 60).any(axis=1)) for frame in (one, two)]
    assert changed[1][0] < changed[0][0] - 8
    assert changed[1][-1] == changed[0][-1]


def test_letters_that_the_typeface_lacks_are_named_and_a_font_has_them(desk: Desk, tmp_path: Path) -> None:
    clip = desk.clip("a", [RED] * 6, size=(160, 120))
    with pytest.raises(
        EditError, match="'Grüße' has 'üß', which the built-in typeface has no letters for: give a font"
    ):
        desk.run("captions", video=clip, text="Grüße")
    matplotlib = find_spec("matplotlib")
    assert matplotlib is not None
    assert matplotlib.origin is not None
    font = Path(matplotlib.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    made = pictures_of(desk.run("captions", video=clip, text="Grüße", font=str(font)))
    assert (made[0][60:] > 180).all(axis=-1).any()
    (tmp_path / "no.ttf").write_bytes(b"no font")
    for wrong in (tmp_path / "no.ttf", tmp_path / "absent.ttf"):
        with pytest.raises(EditError, match=f"the font {wrong} cannot be read") as caught:
            desk.run("captions", video=clip, text="a", font=str(wrong))
        assert caught.value.field == "font"


def test_captions_that_could_not_be_seen_are_refused(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 24)
    with pytest.raises(EditError, match=r"video lasts 1 s: a caption begins at 1\.5 s"):
        desk.run("captions", video=clip, captions=[(1.5, 2.0, "late")])
    with pytest.raises(EditError, match="is too long for a picture of 64x48"):
        desk.run("captions", video=clip, text="far too many words for so small a picture " * 4)


def test_a_picture_is_held_as_a_clip(desk: Desk) -> None:
    picture = desk.picture("p", halves(RED, BLUE, (81, 61)))
    made = desk.run("hold", image=picture, duration_s=1.5, fps=30000 / 1001)
    frames = pictures_of(made)
    assert (len(frames), frames[0].shape) == (45, (62, 82, 3))
    assert probe(str(made))["fps"] == pytest.approx(30000 / 1001)
    for frame in (frames[0], frames[-1]):
        assert is_close(frame[:, :38], RED)
        assert is_close(frame[:, 44:], BLUE)


def test_a_push_in_goes_slowly_towards_the_middle(desk: Desk) -> None:
    image = Image.new("RGB", (120, 80), BLUE)
    image.paste(RED, (40, 20, 80, 60))
    frames = pictures_of(desk.run("hold", image=desk.picture("p", image), duration_s=1.0, push_in=0.5))
    shares = [(frame[..., 0] > 120).mean() for frame in frames]
    assert shares[0] == pytest.approx(40 * 40 / 9600, abs=0.01)
    assert shares[-1] == pytest.approx(60 * 60 / 9600, abs=0.02)
    assert all(later >= earlier - 0.005 for earlier, later in pairwise(shares))


def test_a_clip_that_was_stored_lying_on_its_side_stands_up(desk: Desk) -> None:
    lying = film(desk.directory / "lying.mp4", [halves(RED, BLUE)] * 6, fps=Fraction(24))
    raw = bytearray(lying.read_bytes())
    at = raw.rfind(b"tkhd") + 4 + 40  # the matrix of the track: turned by a quarter
    quarter = [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]
    raw[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
    lying.write_bytes(raw)
    clip = desk.stored(lying)
    made = Image.open(desk.run("first-frame", video=clip))
    assert made.size == (48, 64)
    assert is_close(np.asarray(made)[4:26].astype(int), RED), "clockwise: what was left is above"
    trimmed = pictures_of(desk.run("trim", clip=clip, duration_s=0.25))
    assert trimmed[0].shape == (64, 48, 3)
