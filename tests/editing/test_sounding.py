"""Sounds under clips, and sounds over each other: as loud, as long and as late as asked for."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aggregator._probe import probe
from aggregator.editing.sound import BLOCK, Sound
from aggregator.editing.sources import Source
from aggregator.errors import EditError
from tests.editing.media import RATE_HZ, RED, Desk, film, level_of, pictures_of, ramp, samples_of, tone


def test_a_sound_takes_the_place_of_the_one_there_was(desk: Desk) -> None:
    clip = desk.clip("talking", ramp(48), tone_hz=440)
    made = desk.run("mux-sound", video=clip, audio=desk.sound("other", tone(880, 3.0)))
    sound = samples_of(made)
    assert (level_of(sound, 440) < 0.01, level_of(sound, 880) > 0.4) == (True, True)
    assert sound.shape[1] == pytest.approx(2 * RATE_HZ, abs=1024), "as long as the picture"


def test_the_picture_under_a_new_sound_is_not_encoded_again(desk: Desk) -> None:
    rng = np.random.default_rng(2)
    noise = [Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8)) for _ in range(12)]
    clip = desk.stored(film(desk.directory / "noise.mp4", noise, crf=30))
    made = desk.run("mux-sound", video=clip, audio=desk.sound("tone", tone(880, 2.0)))
    before, after = pictures_of(desk.paths[clip.sha256 or ""]), pictures_of(made)
    assert np.array_equal(np.array(before), np.array(after))


def test_the_sound_that_was_there_is_mixed_in_when_it_is_kept(desk: Desk) -> None:
    clip = desk.clip("talking", ramp(48), tone_hz=440)
    other = desk.sound("other", tone(880, 2.0))
    sound = samples_of(desk.run("mux-sound", video=clip, audio=other, keep_sound=True, volume_db=-12))
    assert level_of(sound, 440) == pytest.approx(0.5, abs=0.05)
    assert level_of(sound, 880) == pytest.approx(0.5 * 10 ** (-12 / 20), abs=0.02)


@pytest.mark.parametrize(
    ("fit", "frames", "heard_late"), [("video", 48, False), ("shortest", 18, None), ("loop", 48, True)]
)
def test_what_happens_where_lengths_differ_is_a_choice(
    desk: Desk, fit: str, frames: int, heard_late: bool | None
) -> None:
    clip, short = desk.clip("grey", ramp(48)), desk.sound("short", tone(880, 0.75))
    made = desk.run("mux-sound", video=clip, audio=short, fit=fit)
    assert probe(str(made))["frames"] == frames
    sound = samples_of(made)
    assert sound.shape[1] == pytest.approx(frames * RATE_HZ / 24, abs=1024)
    assert level_of(sound[:, 2000:30_000], 880) > 0.4
    if heard_late is not None:
        assert (level_of(sound[:, -24_000:-2000], 880) > 0.3) == heard_late


def test_a_mix_has_every_track_at_its_volume_and_time(desk: Desk) -> None:
    low, high = desk.sound("low", tone(300, 2.0)), desk.sound("high", tone(1000, 1.0, level=0.4))
    sound = samples_of(desk.run("mix", tracks=[low, high], volumes_db=[0, -6], starts_s=[0, 1.5]))
    assert sound.shape == (2, round(2.5 * RATE_HZ))
    early, both, late = sound[:, :RATE_HZ], sound[:, int(1.6 * RATE_HZ) : int(1.9 * RATE_HZ)], sound[:, -20_000:]
    assert (level_of(early, 300), level_of(early, 1000)) == pytest.approx((0.5, 0), abs=0.01)
    assert (level_of(both, 300), level_of(both, 1000)) == pytest.approx((0.5, 0.2), abs=0.01)
    assert (level_of(late, 300), level_of(late, 1000)) == pytest.approx((0, 0.2), abs=0.01)


def test_a_mix_that_would_clip_is_turned_down_as_a_whole(desk: Desk) -> None:
    tracks = [desk.sound(f"t{pitch}", tone(pitch, 1.0, level=0.9)) for pitch in (300, 500, 700)]
    sound = samples_of(desk.run("mix", tracks=tracks))
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=0.001)
    levels = [level_of(sound, pitch) for pitch in (300, 500, 700)]
    assert max(levels) - min(levels) < 0.005
    assert level_of(sound, 900) < 0.005, "nothing is distorted"


def test_a_mono_voice_of_another_rate_is_as_loud_on_both_sides(desk: Desk) -> None:
    voice = desk.sound("voice", tone(440, 1.0, rate_hz=16_000), rate_hz=16_000)
    sound = samples_of(desk.run("mix", tracks=[voice]))
    assert sound.shape == (2, RATE_HZ)
    assert np.array_equal(sound[0], sound[1])
    assert level_of(sound[:, 500:-500], 440) == pytest.approx(0.5, abs=0.01)


def test_the_sound_of_a_clip_is_a_track_of_a_mix(desk: Desk) -> None:
    tracks = [desk.clip("a", [RED] * 24, tone_hz=440), desk.sound("b", tone(900, 1.0))]
    sound = samples_of(desk.run("mix", tracks=tracks))
    assert min(level_of(sound, 440), level_of(sound, 900)) > 0.1
    with pytest.raises(EditError, match=r"mix: tracks has no sound in it"):
        desk.run("mix", tracks=[desk.clip("silent", [RED] * 5)])


def test_a_long_silence_before_a_track_is_not_held_at_once(desk: Desk) -> None:
    beep = desk.sound("beep", tone(440, 0.1))
    sound = Sound(Source("mix", "tracks", "audio", desk.paths[beep.sha256 or ""]))
    blocks = list(sound.blocks(RATE_HZ, 2, Fraction(-2)))
    assert sum(block.shape[1] for block in blocks) == round(2.1 * RATE_HZ)
    assert max(block.shape[1] for block in blocks) <= BLOCK
    assert np.abs(np.concatenate(blocks, axis=1)[:, : 2 * RATE_HZ]).max() == 0


@pytest.mark.parametrize(
    ("suffix", "codec", "mime_type"),
    [
        (".mp3", "libmp3lame", "audio/mpeg"),
        (".flac", "flac", "audio/flac"),
        (".ogg", "libopus", "audio/ogg"),
        (".aac", "aac", "audio/aac"),
        (".m4a", "aac", "audio/mp4"),
    ],
)
def test_every_kind_of_sound_that_is_delivered_is_read_to_its_end(
    desk: Desk, suffix: str, codec: str, mime_type: str
) -> None:
    path = desk.directory / f"sound{suffix}"
    # By its first packets, a stream without a header seems to be over in the silence.
    noise, silence = np.random.default_rng(4).uniform(-0.3, 0.3, 2 * RATE_HZ), np.zeros(5 * RATE_HZ)
    samples = np.concatenate((noise, silence, tone(440, 1.0, level=0.1)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype("i2")[None], "s16", "mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    sound = samples_of(desk.run("mix", tracks=[desk.stored(path, mime_type)]))
    assert sound.shape[1] == pytest.approx(8 * RATE_HZ, abs=3000)
    assert level_of(sound[:, -40_000:-6000], 440) == pytest.approx(0.1, abs=0.01)
