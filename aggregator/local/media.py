"""Into files: pictures by Pillow, films and sound by PyAV, each marked as a stand-in in its own metadata.

Owns: codecs, containers, and that the same frames give the same bytes.
Refuses: to decide what is seen or heard.
"""

import json
import wave
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.error
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, PngImagePlugin

from aggregator.local.defaults import STAND_IN_LABEL, STAND_IN_STATEMENT
from aggregator.local.sound import Sound

PNG_COMPRESSION: Final = 3  # much quicker than the default for a few percent more bytes
JPEG_QUALITY: Final = 90
WEBP_QUALITY: Final = 88
WEBP_EFFORT: Final = 2
ENCODER_THREADS: Final = 2  # a fixed number: x264 gives the same bytes only for the same number of threads
AAC_BITS_PER_S: Final = 128_000
BITEXACT: Final = "bitexact"
BT709: Final = 1
STEREO: Final = 2
AUDIO_BLOCK: Final = 1024
OPUS_RATE_HZ: Final = 48_000
# format → (container, codec, sample format)
AUDIO_CODECS: Final = {
    "mp3": ("mp3", "libmp3lame", "s16p"),
    "flac": ("flac", "flac", "s16"),
    "opus": ("ogg", "libopus", "s16"),
}
IMAGE_MIME_TYPES: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
AUDIO_MIME_TYPES: Final = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg"}


def save_picture(path: Path, picture: Image.Image, image_format: str, facts: Mapping[str, object]) -> None:
    """Write a picture with `facts` in its metadata: PNG text chunks, or the EXIF description of the others."""
    if image_format == "png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("Software", f"aggregator local ({STAND_IN_LABEL.replace('·', '-')})")
        chunks.add_text("Comment", STAND_IN_STATEMENT)
        chunks.add_text("aggregator", json.dumps(facts, sort_keys=True))
        picture.save(path, "PNG", pnginfo=chunks, compress_level=PNG_COMPRESSION)
        return
    exif = Image.Exif()
    exif[0x010E] = f"{STAND_IN_STATEMENT} {json.dumps(facts, sort_keys=True)}"  # ImageDescription
    if image_format == "jpeg":
        picture.save(path, "JPEG", quality=JPEG_QUALITY, exif=exif)
    else:
        picture.save(path, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT, exif=exif)


def save_film(
    path: Path, frames: Iterable[Image.Image], size_px: tuple[int, int], fps: int, *, sound: Sound | None, crf: int
) -> None:
    """Write an MP4 that starts playing before it has arrived whole: H.264, and AAC when there is sound."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": f"+{BITEXACT}"}) as film:
        film.metadata.update({"title": STAND_IN_LABEL, "comment": STAND_IN_STATEMENT})
        picture = film.add_stream("libx264", rate=fps)
        picture.width, picture.height = size_px
        picture.pix_fmt = "yuv420p"
        picture.options = {"preset": "veryfast", "crf": str(crf), "tune": "animation"}
        coder = picture.codec_context
        coder.thread_count = ENCODER_THREADS
        coder.colorspace = coder.color_primaries = coder.color_trc = coder.color_range = BT709
        heard = film.add_stream("aac", rate=sound.rate_hz, layout=_layout(sound)) if sound else None
        if heard is not None and sound is not None:
            heard.bit_rate = AAC_BITS_PER_S
            heard.codec_context.options = {"flags": f"+{BITEXACT}"}
            _write_sound(film, heard, sound)
        _write_frames(film, picture, frames, fps)


def _write_frames(film: OutputContainer, stream: VideoStream, frames: Iterable[Image.Image], fps: int) -> None:
    for number, image in enumerate(frames):
        drawn: av.VideoFrame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
        frame = drawn.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts = number
        frame.time_base = Fraction(1, fps)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def _write_sound(container: OutputContainer, stream: AudioStream, sound: Sound) -> None:
    coder = stream.codec_context
    fit = av.AudioResampler(
        format=coder.format, layout=coder.layout, rate=coder.sample_rate, frame_size=coder.frame_size or 0
    )
    step = AUDIO_BLOCK * sound.channels * 2
    for at in range(0, len(sound.samples), step):
        block = sound.samples[at : at + step]
        frame = av.AudioFrame(format="s16", layout=_layout(sound), samples=len(block) // (sound.channels * 2))
        frame.planes[0].update(block.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = sound.rate_hz
        frame.pts = at // (sound.channels * 2)
        frame.time_base = Fraction(1, sound.rate_hz)
        for fitted in fit.resample(frame):
            container.mux(stream.encode(fitted))
    for fitted in fit.resample(None):
        container.mux(stream.encode(fitted))
    container.mux(stream.encode(None))


def _layout(sound: Sound) -> str:
    return "stereo" if sound.channels == STEREO else "mono"


def save_sound(path: Path, sound: Sound, audio_format: str, comment: str) -> None:
    """Write a sound with the statement, and whatever else a listener should know, in its metadata."""
    words = f"{STAND_IN_STATEMENT} {comment}".strip()
    if audio_format == "wav":
        _save_wav(path, sound, words)
        return
    container, codec, sample_format = AUDIO_CODECS[audio_format]
    rate = OPUS_RATE_HZ if audio_format == "opus" else sound.rate_hz
    with av.open(str(path), "w", format=container, options={"fflags": f"+{BITEXACT}"}) as output:
        output.metadata.update({"title": STAND_IN_LABEL, "comment": words})
        stream = output.add_stream(codec, rate=rate, layout=_layout(sound), format=sample_format)
        assert isinstance(stream, AudioStream)
        stream.codec_context.options = {"flags": f"+{BITEXACT}"}
        _write_sound(output, stream, sound)


def _save_wav(path: Path, sound: Sound, words: str) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.channels)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(sound.samples)
    text = words.encode() + b"\0"
    text += b"\0" * (len(text) % 2)
    info = b"INFOICMT" + len(text).to_bytes(4, "little") + text
    with path.open("r+b") as raw:  # the comment goes behind the samples, where every reader skips what it does not know
        raw.seek(0, 2)
        raw.write(b"LIST" + len(info).to_bytes(4, "little") + info)
        length = raw.tell() - 8
        raw.seek(4)
        raw.write(length.to_bytes(4, "little"))
