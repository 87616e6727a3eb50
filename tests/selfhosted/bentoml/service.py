"""The service that the real BentoML serves: methods and tasks that wait and break as their prompt says."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Annotated

import av
import bentoml
from PIL import Image


def _obey(prompt: str) -> None:
    if found := re.search(r"wait (\d+)", prompt):
        time.sleep(int(found[1]))
    if "break" in prompt:
        raise ValueError("no fox today")


Clip = Annotated[bytes, bentoml.validators.ContentType("video/mp4")]
"""A task that returns a path stays in progress for ever (1.4.39 cannot keep it); bare bytes are called text."""


def _clip(seconds: float) -> bytes:
    at = Path(tempfile.mkdtemp()) / "out.mp4"
    with av.open(str(at), "w") as out:
        stream = out.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(round(8 * seconds)):
            out.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), (number * 9 % 256, 0, 0)))))
        out.mux(stream.encode())
    return at.read_bytes()


# A task counts, and so does each look at it: with one at a time, nobody could look while it works.
@bentoml.service(workers=1, traffic={"timeout": 120, "max_concurrency": 2})
class Toy:
    @bentoml.api(route="/text-to-image")
    def text_to_image(self, prompt: str, seed: int = 0, width: int = 64, height: int = 48) -> Image.Image:
        _obey(prompt)
        return Image.new("RGB", (width, height), (seed % 256, 90, 0))

    @bentoml.api(route="/image-to-image")
    def image_to_image(self, prompt: str, image: Image.Image, strength: float = 0.5, blur: int = 0) -> Image.Image:
        _obey(prompt)
        return image.resize((32, 24))

    @bentoml.task(route="/text-to-video")
    def text_to_video(self, prompt: str, duration: float = 1.0) -> Clip:
        _obey(prompt)
        return _clip(duration)

    @bentoml.task(route="/image-to-video")
    def image_to_video(self, image: Image.Image, prompt: str = "") -> Clip:
        _obey(prompt)
        return _clip(1.0)
