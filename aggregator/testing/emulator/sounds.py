"""Tones of an ordered length: bare samples, and the same in the containers that vendors deliver."""

import io
import wave
from array import array
from fractions import Fraction
from math import pi, sin
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from av.container import OutputContainer

__all__ = ["SOUNDS", "STEREO", "encode_sound", "sound_file", "tone"]

# type → container, codec, sample format
SOUNDS: Final = {
    "audio/mpeg": ("mp3", "libmp3lame", "s16p"),
    "audio/flac": ("flac", "flac", "s16"),
    "audio/ogg": ("ogg", "libopus", "s16"),
    "audio/opus": ("ogg", "libopus", "s16"),
    "audio/aac": ("adts", "aac", "fltp"),
    "audio/mp4": ("mp4", "aac", "fltp"),
    "audio/basic": ("mulaw", "pcm_mulaw", "s16"),
    "audio/x-alaw": ("alaw", "pcm_alaw", "s16"),
}
QUICKEST: Final = {
    "libmp3lame": {"compression_level": "9"},
    "libopus": {"compression_level": "0"},
    "aac": {"aac_coder": "fast"},
}
"""How each encoder is told that nobody will listen."""
OPUS_RATE_HZ: Final = 48_000
BLOCK: Final = 16_384
STEREO: Final = 2
LOUDNESSES: Final = range(3_000, 9_000)
PITCHES_HZ: Final = range(220, 880)
"""Whole periods of each fit into a second, which is then repeated."""


def tone(count: int, rate_hz: int, channels: int, seed: int) -> bytes:
    """So many samples, as 16-bit integers of each channel in turn."""
    rng = Random(seed)  # noqa: S311  a tone
    pitch_hz, loudness = rng.choice(PITCHES_HZ), rng.choice(LOUDNESSES)
    second = (loudness * sin(2 * pi * pitch_hz * at / rate_hz) for at in range(min(rate_hz, count)))
    samples = array("h", (int(value) for value in second for _ in range(channels))).tobytes()
    return (samples * (count // rate_hz + 1))[: count * channels * 2]


def sound_file(mime: str, duration_s: float, rate_hz: int, channels: int, seed: int) -> bytes:
    """A tone as a file; `audio/pcm` is its bare samples."""
    samples = tone(round(duration_s * rate_hz), rate_hz, channels, seed)
    if mime == "audio/pcm":
        return samples
    out = io.BytesIO()
    if mime == "audio/wav":
        with wave.open(out, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(samples)
        return out.getvalue()
    import av

    container, codec, sample_format = SOUNDS[mime]
    with av.open(out, "w", format=container) as file:
        rate = OPUS_RATE_HZ if codec == "libopus" else rate_hz
        stream: Any = file.add_stream(codec, rate=rate, layout=_layout(channels), format=sample_format)
        stream.options = QUICKEST.get(codec, {})
        encode_sound(file, stream, samples, rate_hz, channels)
    return out.getvalue()


def _layout(channels: int) -> str:
    return "stereo" if channels == STEREO else "mono"


def encode_sound(container: "OutputContainer", stream: Any, samples: bytes, rate_hz: int, channels: int) -> None:
    """Compress samples into a stream of a container that is open."""
    import av

    coder = stream.codec_context
    fit = av.AudioResampler(
        format=coder.format, layout=coder.layout, rate=coder.sample_rate, frame_size=coder.frame_size or 0
    )
    step = BLOCK * channels * 2
    for at in range(0, len(samples), step):
        block = samples[at : at + step]
        frame = av.AudioFrame(format="s16", layout=_layout(channels), samples=len(block) // (channels * 2))
        frame.planes[0].update(block.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = rate_hz
        frame.pts, frame.time_base = at // (channels * 2), Fraction(1, rate_hz)
        for fitted in fit.resample(frame):
            container.mux(stream.encode(fitted))
    for fitted in fit.resample(None):
        container.mux(stream.encode(fitted))
    container.mux(stream.encode(None))
