"""Parts of clips and sounds, and clips one after the other: the right frames, with the right sound."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aggregator._probe import probe
from aggregator.errors import EditError
from tests.editing.media import (
    BLUE,
    GREEN,
    RATE_HZ,
    RED,
    Desk,
    film,
    is_close,
    level_of,
    pictures_of,
    ramp,
    samples_of,
    tone,
)


def test_a_part_of_a_clip_is_exactly_its_frames(desk: Desk) -> None:
    made = desk.run("trim", clip=desk.clip("grey", ramp(48), tone_hz=440), start_s=0.5, end_s=1.25)
    greys = [frame.mean() for frame in pictures_of(made)]
    assert len(greys) == 18
    assert np.abs(np.array(greys) - [16 + 4 * number for number in range(12, 30)]).max() <= 2
    assert level_of(samples_of(made), 440) > 0.4
    assert samples_of(made).shape[1] == pytest.approx(0.75 * RATE_HZ, abs=1024)


def test_keyframes_are_where_the_encoder_wants_them_and_not_where_the_clip_had_them(desk: Desk) -> None:
    made = desk.run("trim", clip=desk.clip("grey", ramp(48), keyframe_every=1), end_s=1.0)
    with av.open(str(made)) as film_made:
        assert sum(packet.is_keyframe for packet in film_made.demux(video=0) if packet.size) == 1


def test_a_part_late_in_a_long_clip_is_found(desk: Desk) -> None:
    greys = [(16 + number % 200,) * 3 for number in range(240)]
    made = desk.run("trim", clip=desk.clip("long", greys), start_s=8.0, duration_s=0.5)
    assert [round(frame.mean()) for frame in pictures_of(made)] == pytest.approx([g[0] for g in greys[192:204]], abs=2)


def test_a_part_of_a_sound_is_sample_for_sample_the_same(desk: Desk) -> None:
    samples = np.random.default_rng(7).uniform(-1, 1, 22_050)
    given = desk.sound("noise", samples, rate_hz=22_050)
    made = desk.run("trim", clip=given, start_s=0.25, duration_s=0.5)
    whole, part = samples_of(desk.paths[given.sha256 or ""]), samples_of(made)
    start = round(0.25 * 22_050)
    assert part.shape == (1, 11_025), "its own rate and channels are kept"
    assert np.array_equal(part, whole[:, start : start + 11_025])


def test_sound_begins_where_the_picture_does(desk: Desk) -> None:
    quiet_then_loud = np.concatenate((np.zeros(RATE_HZ), tone(440, 1.0)))
    clip = desk.clip("grey", ramp(48))
    muxed = desk.stored(desk.run("mux-sound", video=clip, audio=desk.sound("late", quiet_then_loud)))
    made = samples_of(desk.run("trim", name="part", clip=muxed, start_s=0.75, duration_s=0.5))
    quarter = RATE_HZ // 4
    assert np.abs(made[:, : quarter - 1200]).max() < 0.02
    assert np.abs(made[:, quarter + 1200 : 2 * quarter]).max() > 0.4


def test_a_clip_a_hair_shorter_than_asked_for_is_taken_whole_and_no_shorter_one(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 23)
    assert probe(str(desk.run("trim", clip=clip, end_s=1.0)))["frames"] == 23
    with pytest.raises(EditError, match=r"trim: clip lasts 0.958333 s: 0 to 1.2 s is not all in it"):
        desk.run("trim", clip=clip, end_s=1.2)
    with pytest.raises(EditError, match=r"lasts 0.958333 s: from 3 s on is not all in it"):
        desk.run("trim", clip=clip, start_s=3)


def test_clips_follow_each_other_in_the_form_of_the_first(desk: Desk) -> None:
    first = desk.clip("first", [RED] * 24, tone_hz=440)
    second = desk.clip("second", [BLUE] * 45, fps=30, size=(48, 48))
    third = desk.clip("third", [GREEN] * 12, tone_hz=880)
    made = desk.run("concatenate", clips=[first, second, third])
    frames = pictures_of(made)
    assert (len(frames), frames[0].shape) == (24 + 36 + 12, (48, 64, 3))
    assert probe(str(made))["fps"] == 24
    assert all(is_close(frame, RED) for frame in frames[:24])
    assert all(is_close(frame[4:-4, 14:-14], BLUE) for frame in frames[24:60])
    assert all(frame[:, :4].mean() < 8 for frame in frames[24:60]), "a square clip stands between bars"
    assert all(is_close(frame, GREEN) for frame in frames[60:])
    sound = samples_of(made)
    assert sound.shape[1] == pytest.approx(3 * RATE_HZ, abs=1024)
    assert level_of(sound[:, 2000 : RATE_HZ - 2000], 440) > 0.4
    assert np.abs(sound[:, RATE_HZ + 3000 : int(2.5 * RATE_HZ) - 3000]).max() < 0.01, (
        "silence where a clip has no sound"
    )
    assert level_of(sound[:, int(2.5 * RATE_HZ) + 2000 : 3 * RATE_HZ - 1000], 880) > 0.4


def test_clips_without_any_sound_make_a_film_without_one(desk: Desk) -> None:
    made = desk.run("concatenate", clips=[desk.clip("a", [RED] * 5), desk.clip("b", [BLUE] * 5)])
    assert "audio_codec" not in probe(str(made))


def test_other_shapes_fill_or_are_pulled_when_that_is_asked(desk: Desk) -> None:
    first, square = desk.clip("first", [RED] * 4), desk.clip("square", [BLUE] * 4, size=(48, 48))
    for fit in ("cover", "stretch"):
        frames = pictures_of(desk.run("concatenate", clips=[first, square], fit=fit))
        assert is_close(frames[6], BLUE), fit


def test_a_crossfade_goes_from_one_clip_to_the_next_evenly(desk: Desk) -> None:
    first = desk.clip("first", [(40, 40, 40)] * 24, tone_hz=440)
    second = desk.clip("second", [(200, 200, 200)] * 24, tone_hz=880)
    made = desk.run("concatenate", clips=[first, second], crossfade_s=0.5)
    greys = np.array([frame.mean() for frame in pictures_of(made)])
    assert len(greys) == 36
    assert np.abs(greys[:12] - 40).max() <= 2
    assert np.abs(greys[24:] - 200).max() <= 2
    steps = np.diff(greys[11:25])
    assert steps.min() > 160 / 13 - 4
    assert steps.max() < 160 / 13 + 4
    sound = samples_of(made)
    middle = sound[:, int(0.7 * RATE_HZ) : int(0.8 * RATE_HZ)]
    assert level_of(middle, 440) == pytest.approx(0.25, abs=0.06)
    assert level_of(middle, 880) == pytest.approx(0.25, abs=0.06)


def test_a_clip_too_short_for_its_crossfades_is_named(desk: Desk) -> None:
    long, short = desk.clip("long", [RED] * 24), desk.clip("short", [BLUE] * 12)
    with pytest.raises(EditError, match=r"clips\[1\] lasts 0.5 s: its crossfades take 0.75 s: make crossfade_s less"):
        desk.run("concatenate", clips=[long, short, long], crossfade_s=0.375)
    desk.run("concatenate", clips=[long, short], crossfade_s=0.375)  # at the end it has one only


def test_rates_that_are_no_whole_numbers_keep_their_length(desk: Desk) -> None:
    pictures = [Image.new("RGB", (64, 48), colour) for colour in ramp(48)]
    ntsc = desk.stored(film(desk.directory / "ntsc.mp4", pictures, fps=Fraction(30000, 1001)))
    made = desk.run("concatenate", clips=[ntsc, desk.clip("b", [BLUE] * 24)])
    assert probe(str(made))["fps"] == pytest.approx(30000 / 1001)
    assert probe(str(made))["frames"] == 48 + 30
