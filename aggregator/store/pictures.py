"""How large a picture says it is, by its header alone: asked before anything decodes it. Pure but for the file."""

import re
from typing import BinaryIO

__all__ = ["MAX_PIXELS", "size_px"]

MAX_PIXELS = 2**29
"""Decoded, about 1.6 GB. The largest that a provider sells (upscaling) is 512 million."""
MAX_HEAD_BYTES = 2**20
MAX_SEGMENTS = 4096
_JPEG_ALONE = (0x01, *range(0xD0, 0xD8))  # markers that have no segment
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_px(file: BinaryIO, mime_type: str) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF, WebP or AVIF file; `None` where its header does not say."""
    file.seek(0)
    if mime_type == "image/jpeg":
        return _jpeg(file)
    head = file.read(MAX_HEAD_BYTES if mime_type == "image/avif" else 32)
    found = {"image/png": _png, "image/gif": _gif, "image/webp": _webp, "image/avif": _avif}[mime_type](head)
    return found if found and min(found) > 0 else None


def _png(head: bytes) -> tuple[int, int] | None:
    """https://www.w3.org/TR/png-3/#11IHDR."""
    return (_big(head[16:20]), _big(head[20:24])) if head[12:16] == b"IHDR" and len(head) >= 24 else None  # noqa: PLR2004


def _gif(head: bytes) -> tuple[int, int]:
    return _little(head[6:8]), _little(head[8:10])


def _webp(head: bytes) -> tuple[int, int] | None:
    """RFC 9649: the extended form, the lossless one, and a frame of VP8 (RFC 6386, 9.1)."""
    kind = head[12:16]
    if kind == b"VP8X":
        return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    if kind == b"VP8L" and head[20:21] == b"\x2f":
        bits = _little(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
    return None


def _avif(head: bytes) -> tuple[int, int] | None:
    """The largest `ispe` property (ISO/IEC 23008-12, 6.5.3) of the file's items: that of a grid is the whole."""
    found = [
        (_big(head[one.end() + 4 : one.end() + 8]), _big(head[one.end() + 8 : one.end() + 12]))
        for one in re.finditer(b"\0\0\0\x14ispe", head)
    ]
    return max(found, key=lambda size: size[0] * size[1], default=None)


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    """From segment to segment up to the first frame (ITU T.81, B.2.2)."""
    file.seek(2)
    for _ in range(MAX_SEGMENTS):
        marker = file.read(2)
        while marker == b"\xff\xff":  # fill
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF:  # noqa: PLR2004
            return None
        if marker[1] in _JPEG_ALONE:
            continue
        length = _big(file.read(2))
        if marker[1] in _JPEG_FRAME:
            frame = file.read(5)
            height, width = _big(frame[1:3]), _big(frame[3:5])
            return (width, height) if width and height else None
        file.seek(max(0, length - 2), 1)
    return None


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
