"""Sheets made by hand, with files of every kind, and a reader of the page that is made of them."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from aggregator.workflow.sheet.data import File, Made, Money, Origin, Sheet, Step, Take

EVIL = """<script>alert(1)</script>"><img src=x onerror=alert(2)> javascript:alert(3) ' " &amp; </style></script>"""


def picture(directory: Path, color: str = "teal", size: tuple[int, int] = (64, 36)) -> File:
    """A picture in one color."""
    path = directory / f"{color}.png"
    Image.new("RGB", size, color).save(path)
    return stored(path, "image/png", width=size[0], height=size[1])


def clip(directory: Path, size: tuple[int, int] = (64, 36), frames: int = 12) -> File:
    """A clip that gets brighter."""
    path = directory / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            shade = np.full((size[1], size[0], 3), number * 20, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shade)))
        out.mux(stream.encode(None))
    return stored(path, "video/mp4", width=size[0], height=size[1], duration_s=frames / 12, fps=12.0)


def sound(directory: Path, seconds: float = 0.5, rate: int = 8_000) -> File:
    """A tone that fades."""
    path = directory / "tone.wav"
    time = np.arange(int(seconds * rate)) / rate
    wave = (np.sin(2 * np.pi * 440 * time) * (1 - time / seconds) * 20_000).astype(np.int16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return stored(path, "audio/wav", duration_s=seconds)


def stored(path: Path, mime_type: str, **facts: Any) -> File:
    content = path.read_bytes()
    return File(
        sha256=sha256(content).hexdigest(), mime_type=mime_type, size_bytes=len(content), path=path.absolute(), **facts
    )


def take(number: int = 1, *files: File, **more: Any) -> Take:
    """A take that was bought for four cents."""
    usual = {"model": "model-1", "offer": "memory:model-1", "seed": 7, "cost_usd": Decimal("0.04"), "took_s": 1.5}
    job = more.pop("job", f"job-{number}-{files[0].sha256[:8] if files else 'none'}")
    return Take(number=number, files=files, job=job, **{**usual, **more})


def step(name: str, *takes: Take, needs: tuple[str, ...] = (), **more: Any) -> Step:
    usual = {"fan": name, "task": "text-to-image", "stage": "prototype", "state": "made", "is_edit": False}
    origins = tuple(Origin(field="image", step=one) for one in needs)
    recipe = more.pop("recipe", Made(words=f"a {name}", origins=origins))
    return Step(name=name, takes=takes, needs=needs, recipe=recipe, wanted=max(1, len(takes)), **{**usual, **more})


def sheet(*steps: Step, **more: Any) -> Sheet:
    bill = Money(name="prototype", cost_usd=Decimal("0.12"), run="film")
    usual = {"project": "film", "run": "film", "workflow": "film", "stage": "prototype", "state": "finished"}
    return Sheet(steps=steps, at_ms=1_795_300_000_000, bills=more.pop("bills", (bill,)), **{**usual, **more})


# ------------------------------------------------------------------------------------------------------------- reading

VOID = frozenset({"meta", "link", "img", "input", "br"})


@dataclass
class Node:
    """An element of a page."""

    name: str
    attributes: dict[str, str | None]
    within: "Node | None" = None
    nodes: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces) + "".join(node.text for node in self.nodes)

    def all(self, name: str | None = None, **attributes: str) -> list["Node"]:
        """What is below it, in order, of a name and with these words in attributes (`class_`, `data_step`)."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        found = []
        for node in self.nodes:
            has = all(value in (node.attributes.get(key) or "").split() for key, value in wanted.items())
            if (name is None or node.name == name) and has:
                found.append(node)
            found += node.all(name, **attributes)
        return found


class Reader(HTMLParser):
    """Reads a page as a browser does, as far as its shape goes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = self._at = Node("", {})
        self.feed(text)
        self.close()
        assert self._at is self.root, f"<{self._at.name}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs), self._at)
        self._at.nodes.append(node)
        if tag not in VOID:
            self._at = node

    def handle_endtag(self, tag: str) -> None:
        assert self._at.name == tag, (self._at.name, tag)
        assert self._at.within is not None
        self._at = self._at.within

    def handle_data(self, data: str) -> None:
        self._at.pieces.append(data)


def read(text: str) -> Node:
    return Reader(text).root
