"""Beats are found where they are, and clips change on them."""

import numpy as np
import pytest

from aggregator._probe import probe
from aggregator.editing.beats import cuts_of, find_beats
from aggregator.editing.sound import Sound
from aggregator.editing.sources import Source
from aggregator.errors import EditError
from tests.editing.media import BLUE, GREEN, RATE_HZ, RED, Desk, clicks, level_of, pictures_of, samples_of, tone

FRAME_S = 1 / 24


def beats_in(desk: Desk, samples: np.ndarray):
    media = desk.sound("music", samples)
    return find_beats(Sound(Source("cut-on-beats", "music", "audio", desk.paths[media.sha256 or ""])))


@pytest.mark.parametrize("tempo_bpm", [72, 90, 104, 120, 133.3])
@pytest.mark.parametrize("first_s", [0.0, 0.37])
def test_every_beat_of_a_metronome_is_found(desk: Desk, tempo_bpm: float, first_s: float) -> None:
    found = beats_in(desk, clicks(tempo_bpm, 10.0, first_s=first_s))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, rel=0.01)
    true_s = np.arange(first_s, 9.97, 60 / tempo_bpm)
    times_s = np.array(found.times_s)
    nearest = np.abs(times_s[:, None] - true_s[None]).min(axis=1)
    assert nearest.max() < 0.02
    assert len(times_s) >= len(true_s) - 2


def test_beats_are_found_under_a_melody_and_noise(desk: Desk) -> None:
    rng = np.random.default_rng(11)
    music = 0.5 * clicks(110, 12.0, first_s=0.2) + rng.normal(0, 0.02, 12 * RATE_HZ)
    for number in range(24):
        at = round((0.2 + number * 60 / 110 * 0.75) * RATE_HZ)  # notes beside the beat
        note = tone(220 * 2 ** (number % 7 / 12), 0.3, level=0.15)
        music[at : at + len(note)] += note
    found = beats_in(desk, music)
    true_s = np.arange(0.2, 12, 60 / 110)
    nearest = np.abs(np.array(found.times_s)[:, None] - true_s[None]).min(axis=1)
    assert np.median(nearest) < 0.02
    assert found.tempo_bpm == pytest.approx(110, rel=0.02)


def test_beats_are_where_the_drum_is_and_not_the_louder_cymbal_between(desk: Desk) -> None:
    rng = np.random.default_rng(5)
    music = np.zeros(10 * RATE_HZ)
    for number in range(19):
        at = round((0.1 + number * 0.5) * RATE_HZ)
        music[at : at + 7200] += tone(80, 0.15, level=0.6) * np.linspace(1, 0, 7200)
        music[at + 12_000 : at + 14_400] += rng.normal(0, 0.3, 2400) * np.linspace(1, 0, 2400)
    found = beats_in(desk, music)
    assert found.tempo_bpm == pytest.approx(120, rel=0.01)
    off_s = np.abs((np.array(found.times_s) - 0.1 + 0.25) % 0.5 - 0.25)
    assert off_s.max() < 0.03


@pytest.mark.parametrize("music", [np.zeros(4 * RATE_HZ), tone(220, 4.0)], ids=["silence", "one tone"])
def test_where_there_are_no_beats_none_are_made_up(desk: Desk, music: np.ndarray) -> None:
    assert beats_in(desk, music) is None
    with pytest.raises(EditError, match="music has no beats that can be heard: give music with a rhythm"):
        desk.run("cut-on-beats", clips=[desk.clip("a", [RED] * 24)] * 2, music=desk.sound("m", music))


def test_pictures_change_on_beats_under_the_music(desk: Desk) -> None:
    clips = [desk.clip(str(c), [c] * 72) for c in (RED, GREEN, BLUE, RED)]
    made = desk.run("cut-on-beats", clips=clips, music=desk.sound("m", clicks(100, 8.0, first_s=0.15)))
    frames = pictures_of(made)
    shown = [min((RED, GREEN, BLUE), key=lambda c: np.abs(frame.mean(axis=(0, 1)) - c).sum()) for frame in frames]
    changes_s = [number / 24 for number in range(1, len(shown)) if shown[number] != shown[number - 1]]
    assert [shown[0], *(shown[round(at * 24)] for at in changes_s)] == [RED, GREEN, BLUE, RED]
    true_s = np.arange(0.15, 8, 0.6)
    for change_s in changes_s:
        assert np.abs(true_s - change_s).min() <= FRAME_S
    cuts = cuts_of(made)
    assert cuts is not None
    assert cuts.tempo_bpm == pytest.approx(100, rel=0.01)
    assert cuts.cuts_s == pytest.approx(changes_s, abs=FRAME_S)
    assert set(cuts.cuts_s) <= set(cuts.beats_s)
    assert np.abs(np.diff([0, *changes_s, 8.0]) - 2).max() < 0.5, "each gets about its share"
    assert probe(str(made))["duration_s"] == pytest.approx(8.0, abs=FRAME_S)
    assert np.abs(samples_of(made)).max() > 0.3


def test_so_many_beats_a_clip_when_that_is_asked(desk: Desk) -> None:
    clips = [desk.clip(str(c), [c] * 72) for c in (RED, GREEN, BLUE)]
    music = desk.sound("m", clicks(120, 8.0))
    made = desk.run("cut-on-beats", clips=clips, music=music, beats_per_clip=2)
    cuts = cuts_of(made)
    assert cuts is not None
    first = cuts.beats_s.index(cuts.cuts_s[0])
    assert cuts.beats_s.index(cuts.cuts_s[1]) == first + 2
    assert cuts.cuts_s[1] - cuts.cuts_s[0] == pytest.approx(1.0, abs=0.02)
    assert probe(str(made))["duration_s"] == pytest.approx(cuts.cuts_s[1] + 3, abs=FRAME_S), "the last one plays out"


def test_a_clip_is_never_held_beyond_its_end(desk: Desk) -> None:
    clips = [desk.clip("short", [RED] * 20), desk.clip("long", [BLUE] * 72)]
    made = desk.run("cut-on-beats", clips=clips, music=desk.sound("m", clicks(120, 8.0)))
    cuts = cuts_of(made)
    assert cuts is not None
    assert 0.4 < cuts.cuts_s[0] <= 20 / 24


def test_more_clips_than_beats_are_refused(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 24)
    with pytest.raises(EditError, match=r"9 clips and \d beats in the music: give fewer clips or more music") as caught:
        desk.run("cut-on-beats", clips=[clip] * 9, music=desk.sound("m", clicks(120, 3.0)))
    assert caught.value.field == "clips"


def test_a_clip_into_which_no_beat_falls_is_named(desk: Desk) -> None:
    clips = [desk.clip("long", [RED] * 48), desk.clip("blink", [BLUE] * 6), desk.clip("long too", [GREEN] * 48)]
    with pytest.raises(EditError, match=r"clips\[1\] lasts 0.25 s and begins at .* no beat"):
        desk.run("cut-on-beats", clips=clips, music=desk.sound("m", clicks(100, 8.0)))


def test_what_was_not_cut_on_beats_says_nothing_of_them(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 24, tone_hz=440)
    made = desk.run("trim", clip=clip, end_s=0.5)
    assert cuts_of(made) is None
    assert level_of(samples_of(made), 440) > 0.4
