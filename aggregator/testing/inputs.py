"""A picture, a clip and a sound, the same everywhere: inputs of recorded requests, written to disk when asked for.

They are as small as such files can be: nobody looks inside, and recordings know them by hash.
"""

import hashlib
import struct
import tempfile
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aggregator.inputs import Media

__all__ = ["sample", "sample_files"]


def _png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = b"".join(b"\x00" + bytes([200, 120, 40] * 2) for _ in range(2))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _wav() -> bytes:
    data = b"\x00\x00" * 800
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _mp4() -> bytes:
    brand = b"ftypisom\x00\x00\x02\x00isomiso2mp41"
    return struct.pack(">I", len(brand) + 4) + brand + struct.pack(">I", 12) + b"free" + b"\x00" * 4


@cache
def _directory() -> "tempfile.TemporaryDirectory[str]":
    """Where the samples are until the process ends, which removes them."""
    return tempfile.TemporaryDirectory(prefix="aggregator-inputs-")


@cache
def _written() -> Mapping[str, tuple[Path, str, bytes]]:
    directory = Path(_directory().name)
    found = {}
    for kind, mime_type, raw in (
        ("image", "image/png", _png()),
        ("video", "video/mp4", _mp4()),
        ("audio", "audio/wav", _wav()),
    ):
        path = directory / f"input.{mime_type.partition('/')[2]}"
        path.write_bytes(raw)
        found[kind] = (path, mime_type, raw)
    return found


def sample(kind: str) -> Media:
    """A stored input of a kind (`image`, `video`, `audio`), with facts as probing would give them."""
    _, mime_type, raw = _written()[kind]
    picture = {} if kind == "audio" else {"width": 1280, "height": 720}
    length = {} if kind == "image" else {"duration_s": 5.0}
    moving = {"fps": 24.0} if kind == "video" else {}
    digest = hashlib.sha256(raw).hexdigest()
    return Media(sha256=digest, mime_type=mime_type, size_bytes=len(raw), **picture, **length, **moving)  # type: ignore[arg-type]


def sample_files() -> Mapping[str, Path]:
    """Where the samples are, by hash."""
    return {hashlib.sha256(raw).hexdigest(): path for path, _, raw in _written().values()}
