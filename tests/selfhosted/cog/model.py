"""The model that the real Cog serves: it draws what its input `makes` says, waits and breaks as its prompt says."""

import re
import tempfile
import time
import wave
from pathlib import Path as File

import av
from cog import BaseRunner, Input, Path
from PIL import Image


class Runner(BaseRunner):
    def setup(self) -> None:
        self.at = File(tempfile.mkdtemp())

    def run(
        self,
        prompt: str = Input(default=""),
        text: str = Input(default=""),
        makes: str = Input(default="image", choices=["image", "video", "audio"]),
        image: Path = Input(default=None),  # noqa: B008 - as Cog wants it
        width: int = Input(default=64, ge=16, le=512),
        height: int = Input(default=48, ge=16, le=512),
        seconds: float = Input(default=1.0),
        steps: int = Input(default=1),
        seed: int = Input(default=0),
        speaker: str = Input(default=""),
    ) -> Path:
        """One file."""
        if found := re.search(r"wait (\d+)", prompt + text):
            until = time.monotonic() + int(found[1])
            while time.monotonic() < until:
                time.sleep(0.05)
        if "break" in prompt + text:
            raise ValueError("no fox today")
        if makes == "image":
            return self._picture(image, width, height, seed)
        return self._clip(width, height, seconds) if makes == "video" else self._sound(seconds)

    def _picture(self, given: Path | None, width: int, height: int, seed: int) -> Path:
        picture = (
            Image.open(str(given)).convert("RGB") if given else Image.new("RGB", (width, height), (seed % 256, 90, 0))
        )
        picture.save(self.at / "out.png")
        return Path(self.at / "out.png")

    def _clip(self, width: int, height: int, seconds: float) -> Path:
        with av.open(str(self.at / "out.mp4"), "w") as out:
            stream = out.add_stream("libx264", rate=8)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number in range(round(8 * seconds)):
                frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (number * 9 % 256, 0, 0)))
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return Path(self.at / "out.mp4")

    def _sound(self, seconds: float) -> Path:
        with wave.open(str(self.at / "out.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(b"\x00\x20" * round(8000 * seconds))
        return Path(self.at / "out.wav")
