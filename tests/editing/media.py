"""Small real pictures, clips and sounds, and what can be found in such files."""

import hashlib
import math
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from aggregator._probe import probe
from aggregator.editing import EDITS, Edit, run_edit
from aggregator.editing.sources import FORMATS
from aggregator.inputs import Media

RATE_HZ = 48_000
RED, GREEN, BLUE = (200, 40, 40), (40, 180, 60), (40, 60, 200)
MIME_TYPES = {".png": "image/png", ".mp4": "video/mp4", ".mkv": "video/x-matroska", ".wav": "audio/wav"}
Colour = tuple[int, int, int]


@dataclass
class Desk:
    """A directory of inputs as they are stored, and edits made of them."""

    directory: Path

    def __post_init__(self) -> None:
        self.paths: dict[str, Path] = {}
        self.out = self.directory / "out"
        self.out.mkdir()

    def stored(self, path: Path, mime_type: str | None = None) -> Media:
        """The file as the store would hold it, with what the prober found."""
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.paths[sha256] = path
        try:
            facts = probe(str(path))
        except av.error.FFmpegError:
            facts = {}
        known = {name: facts[name] for name in ("width", "height", "duration_s", "fps") if name in facts}
        return Media(sha256=sha256, mime_type=mime_type or MIME_TYPES[path.suffix], **known)

    def picture(self, name: str, image: Image.Image) -> Media:
        path = self.directory / f"{name}.png"
        image.save(path)
        return self.stored(path)

    def clip(self, name: str, colours: Sequence[Colour], **form: Any) -> Media:
        """A frame of each colour."""
        size = form.pop("size", (64, 48))
        return self.stored(film(self.directory / f"{name}.mp4", [Image.new("RGB", size, c) for c in colours], **form))

    def sound(self, name: str, samples: np.ndarray, *, rate_hz: int = RATE_HZ) -> Media:
        return self.stored(sound_file(self.directory / f"{name}.wav", samples, rate_hz=rate_hz))

    def run(
        self, task: str, name: str = "made", progress: Callable[[float], None] | None = None, **fields: Any
    ) -> Path:
        return run_edit(self.edit(task, **fields), self.paths, self.out / name, progress=progress)

    def edit(self, task: str, **fields: Any) -> Edit:
        return EDITS[task](**fields)


def film(
    path: Path,
    pictures: Sequence[Image.Image],
    *,
    fps: Fraction | int = 24,
    tone_hz: float | None = None,
    crf: int = 4,
    keyframe_every: int = 250,
) -> Path:
    """A clip with keyframes far apart, as models deliver them, and a tone if there is to be one."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
        picture.gop_size = keyframe_every
        picture.width, picture.height = pictures[0].size
        picture.pix_fmt = "yuv420p"
        heard = container.add_stream("aac", rate=RATE_HZ, layout="stereo") if tone_hz else None
        if heard is not None:
            samples = tone(tone_hz, len(pictures) / fps)
            frame = av.AudioFrame.from_ndarray(np.stack([samples, samples]).astype("f4"), "fltp", "stereo")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
        for number, image in enumerate(pictures):
            frame = av.VideoFrame.from_image(image).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
    return path


def sound_file(path: Path, samples: np.ndarray, *, rate_hz: int = RATE_HZ) -> Path:
    rows = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(rows.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.ascontiguousarray((rows * 32767).astype("<i2").T).tobytes())
    return path


def tone(pitch_hz: float, duration_s: float, *, level: float = 0.5, rate_hz: int = RATE_HZ) -> np.ndarray:
    return level * np.sin(math.tau * pitch_hz * np.arange(round(duration_s * rate_hz)) / rate_hz)


def clicks(tempo_bpm: float, duration_s: float, *, first_s: float = 0.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A metronome: short bursts of a high tone."""
    samples = np.zeros(round(duration_s * rate_hz))
    burst = tone(1500, 0.03, rate_hz=rate_hz) * np.linspace(1, 0, round(0.03 * rate_hz))
    at_s = first_s
    while (at := round(at_s * rate_hz)) + len(burst) <= len(samples):
        samples[at : at + len(burst)] += burst
        at_s += 60 / tempo_bpm
    return samples


def pictures_of(path: Path) -> list[np.ndarray]:
    """Every frame as RGB."""
    with av.open(str(path), options={"format_whitelist": FORMATS}) as container:
        return [np.asarray(frame.to_image()).astype(int) for frame in container.decode(video=0)]


def samples_of(path: Path) -> np.ndarray:
    """The sound, one row per channel."""
    with av.open(str(path)) as container:
        fit = av.AudioResampler("fltp", None, None)
        made = [made.to_ndarray() for frame in container.decode(audio=0) for made in fit.resample(frame)]
    return np.concatenate(made, axis=1)


def level_of(samples: np.ndarray, pitch_hz: float, *, rate_hz: int = RATE_HZ) -> float:
    """How loud one tone is in a sound (Goertzel's question, asked of a whole sound)."""
    row = samples[0]
    turns = np.exp(-1j * math.tau * pitch_hz * np.arange(len(row)) / rate_hz)
    return float(2 * abs(np.mean(row * turns)))


def is_close(pixels: np.ndarray, colour: Colour, by: float = 8) -> bool:
    return bool(np.abs(pixels.reshape(-1, 3).mean(axis=0) - colour).max() < by)


def ramp(count: int) -> list[Colour]:
    """Greys that are one apart from frame to frame by four levels: a frame is known by its grey."""
    return [(16 + 4 * number,) * 3 for number in range(count)]
