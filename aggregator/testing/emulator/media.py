"""Real, playable files of an ordered size and length, made as cheaply as they can be.

A picture is a tinted gradient, a film is a second of such pictures over and over (the same compressed packets, so that
ten seconds cost what one does), a sound is a tone. The seed decides tint and pitch: no two jobs have the same file.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.sounds import QUICKEST, SOUNDS, STEREO, encode_sound, sound_file, tone

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from PIL.Image import Image

__all__ = ["extension", "render"]

IMAGES: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
FILMS: Final = {"video/mp4": "mp4", "video/quicktime": "mov"}
EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/pcm": "pcm",
    "audio/basic": "ulaw",
    "audio/x-alaw": "alaw",
}
ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/l16": "audio/pcm",
    "audio/x-flac": "audio/flac",
}


def extension(mime: str) -> str:
    """What a file of this type ends in."""
    return EXTENSIONS.get(_plain(mime), "bin")


def render(
    mime: str,
    *,
    width: int = 0,
    height: int = 0,
    duration_s: float = 0.0,
    fps: float = 24.0,
    audio: bool = False,
    rate_hz: int = 24_000,
    channels: int = 1,
    seed: int = 0,
) -> bytes:
    """A file of this type. `audio/pcm` is bare 16-bit samples; a type that is not known is an error."""
    asked = _Asked(_plain(mime), (width, height), duration_s, fps, audio, rate_hz, channels, seed)
    try:
        return _render(asked)
    except ImportError as missing:
        raise ConfigurationError(
            f'the emulator needs {missing.name} to make files: pip install "aggregator[testing]"'
        ) from missing


def _plain(mime: str) -> str:
    name = mime.partition(";")[0].strip().lower()
    return ALIASES.get(name, name)


@dataclass(frozen=True, slots=True)
class _Asked:
    mime: str
    size_px: tuple[int, int]
    duration_s: float
    fps: float
    audio: bool
    rate_hz: int
    channels: int
    seed: int


@lru_cache(maxsize=64)
def _render(asked: _Asked) -> bytes:
    if asked.mime in FILMS:
        return _film(asked)
    if asked.mime in SOUNDS or asked.mime in ("audio/wav", "audio/pcm"):
        return sound_file(asked.mime, asked.duration_s, asked.rate_hz, asked.channels, asked.seed)
    if asked.mime in EXTENSIONS:
        return _picture_file(asked.mime, asked.size_px, asked.seed)
    raise ValueError(f"no file of type {asked.mime!r} can be made: one of {', '.join(EXTENSIONS)}")


# ------------------------------------------------------------------------------------------------------------ pictures


def _tint(seed: int) -> tuple[int, int, int]:
    rng = Random(seed)  # noqa: S311  a colour
    return rng.randrange(40, 216), rng.randrange(40, 216), rng.randrange(40, 216)


def _picture(size_px: tuple[int, int], seed: int, *, bright: float = 1.0) -> "Image":
    from PIL import Image

    red, green, blue = (int(part * bright) for part in _tint(seed))
    corners = Image.new("RGB", (2, 2), (red, green, blue))
    corners.putpixel((1, 1), (min(255, red + 32), green, max(0, blue - 32)))
    return corners.resize(size_px, Image.Resampling.BILINEAR)


def _picture_file(mime: str, size_px: tuple[int, int], seed: int) -> bytes:
    if mime == "image/svg+xml":
        width, height = size_px
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        return f'{head}<rect width="100%" height="100%" fill="rgb{_tint(seed)}"/></svg>'.encode()
    out = io.BytesIO()
    options: dict[str, Any] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}.get(IMAGES[mime], {})
    _picture(size_px, seed).save(out, IMAGES[mime], **options)
    return out.getvalue()


# --------------------------------------------------------------------------------------------------------------- films


def _film(asked: _Asked) -> bytes:
    import av

    out = io.BytesIO()
    rate = Fraction(asked.fps).limit_denominator(1001)
    count = max(1, round(asked.duration_s * rate))
    with av.open(out, "w", format=FILMS[asked.mime]) as film:
        picture = film.add_stream("libx264", rate=rate)
        picture.width, picture.height = (part + part % 2 for part in asked.size_px)  # 4:2:0 has no odd sizes
        picture.pix_fmt = "yuv420p"
        round_ = min(count, max(1, round(rate)))
        picture.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(round_), "crf": "30"}
        picture.codec_context.thread_count = 1
        heard: AudioStream | None = film.add_stream("aac", rate=44_100, layout="stereo") if asked.audio else None
        packets = list(_packets(picture, (picture.width, picture.height), round_, rate, asked.seed))
        for number in range(count):
            film.mux(_again(packets[number % round_], number, rate, picture))
        if heard is not None:
            heard.codec_context.options = QUICKEST["aac"]
            samples = tone(round(count / rate * 44_100), 44_100, STEREO, asked.seed)
            encode_sound(film, heard, samples, 44_100, STEREO)
    return out.getvalue()


def _packets(stream: Any, size_px: tuple[int, int], count: int, rate: Fraction, seed: int) -> Iterator[Any]:
    """One round of frames, compressed: the first stands alone, and none needs a later one."""
    import av

    dark, light = (
        av.VideoFrame.from_image(_picture(size_px, seed, bright=bright)).reformat(format="yuv420p")  # type: ignore[no-untyped-call]
        for bright in (0.85, 1.0)
    )
    for number in range(count):
        frame = dark if number < count / 2 else light
        frame.pts, frame.time_base = number, 1 / rate
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _again(packet: Any, number: int, rate: Fraction, stream: Any) -> Any:
    """The same compressed frame at another time."""
    import av

    made = av.Packet(bytes(packet))
    made.stream, made.time_base = stream, 1 / rate
    made.pts = made.dts = number
    made.duration = 1
    made.is_keyframe = packet.is_keyframe
    return made
