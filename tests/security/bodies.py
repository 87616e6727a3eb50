"""What a server may answer to do harm: bombs, bodies without end, wrong types, broken framing, names of files."""

import asyncio
import gzip
import struct
import zlib
from collections.abc import AsyncGenerator

from aggregator.testing.memory import PNG
from tests.security.range import Reply, answer

__all__ = ["BROKEN", "CODINGS", "ENDLESS", "HUGE", "NAMES", "WRONG", "compressed", "drips", "drips_a_head"]

CODINGS = ("gzip", "deflate", "br", "zstd", "x-gzip", "compress", "gzip, gzip", "identity, gzip", "GZIP", "*")


async def _endless() -> AsyncGenerator[bytes, None]:
    yield answer(PNG, length=2**40)
    while True:
        yield bytes(2**16)


async def _endless_chunks() -> AsyncGenerator[bytes, None]:
    yield answer(b"", "transfer-encoding: chunked", length=-1) + b"%x\r\n%b\r\n" % (len(PNG), PNG)
    while True:
        yield b"10000\r\n" + bytes(2**16) + b"\r\n"


async def _one_chunk_without_end() -> AsyncGenerator[bytes, None]:
    yield answer(b"", "transfer-encoding: chunked", length=-1) + b"ffffffff\r\n" + PNG
    while True:
        yield bytes(2**16)


async def _endless_headers() -> AsyncGenerator[bytes, None]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x-more: " + b"y" * 1000 + b"\r\n"


async def _one_header_without_end() -> AsyncGenerator[bytes, None]:
    yield b"HTTP/1.1 200 OK\r\nx-long: "
    while True:
        yield b"y" * 2**16


async def _endless_trailers() -> AsyncGenerator[bytes, None]:
    yield answer(b"", "transfer-encoding: chunked", length=-1) + b"0\r\n"
    while True:
        yield b"x-more: " + b"y" * 1000 + b"\r\n"


async def _endless_interim() -> AsyncGenerator[bytes, None]:
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100


async def _hangs_in_head() -> AsyncGenerator[bytes, None]:
    yield b"HTTP/1.1 200 OK\r\n"
    await asyncio.Event().wait()


async def _hangs_in_body() -> AsyncGenerator[bytes, None]:
    yield answer(PNG[:20], length=1000)
    await asyncio.Event().wait()


async def drips() -> AsyncGenerator[bytes, None]:
    yield answer(PNG, length=2**18)
    while True:
        yield b"\0"
        await asyncio.sleep(0.001)


async def drips_a_head() -> AsyncGenerator[bytes, None]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x-more: y\r\n"
        await asyncio.sleep(0.02)


def compressed(kind: str) -> bytes:
    raw = PNG + bytes(2**24)
    return {"gzip": gzip.compress(raw), "deflate": zlib.compress(raw)}.get(kind, raw[: 2**16])


def _png(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


def _jpeg(width: int, height: int) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 40_000) + bytes(39_998)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + exif + frame + b"\xff\xd9"


def _webp(kind: bytes, payload: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _avif(width: int, height: int) -> bytes:
    head = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1"
    sizes = b"".join(b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", *one) for one in ((64, 64), (width, height)))
    return head + struct.pack(">I", 8 + len(sizes)) + b"meta" + sizes


HUGE = {
    "png 100,000 × 100,000": _png(100_000, 100_000),
    "png 2³² wide": _png(2**32 - 1, 1),
    "png 0 × 0": _png(0, 0),
    "png without a size": PNG[:8] + b"\0\0\0\x0dIDAT" + PNG[16:],
    "jpeg 65,535 × 65,535": _jpeg(65_535, 65_535),
    "jpeg without a size": b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xd9",
    "jpeg of a thousand fills": b"\xff\xd8" + b"\xff" * 1000,
    "gif 65,535 × 65,535": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(30),
    "webp 16,777,216 × 16,777,216": _webp(b"VP8X", bytes(4) + b"\xff" * 6),
    "webp of no known form": _webp(b"VP8?", bytes(20)),
    "avif 100,000 × 100,000": _avif(100_000, 100_000),
    "avif without a size": b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + bytes(40),
}
WRONG = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "svg with a prologue": b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg/>",
    "html": b"<!doctype html><title>sign in</title>",
    "pdf": b"%PDF-1.7\n1 0 obj",
    "zip": b"PK\x03\x04" + bytes(40),
    "gzip": gzip.compress(PNG),
    "script": b"#!/bin/sh\ncurl evil",
    "program": b"\x7fELF" + bytes(60),
    "playlist": b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/\n",
    "list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "json": b'{"error": "expired"}',
    "bmp": b"BM" + bytes(60),
    "tiff": b"II*\0" + bytes(60),
    "psd": b"8BPS" + bytes(60),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    "exr": b"v/1\x01" + bytes(60),
    "postscript": b"%!PS-Adobe-3.0",
    "nothing": b"",
    "a clip": b"\0\0\0\x18ftypmp42" + bytes(100),
    "a sound": b"fLaC" + bytes(60),
}
BROKEN: dict[str, Reply] = {
    "shorter than it says": answer(PNG, length=len(PNG) + 1),
    "two lengths": answer(PNG, "content-length: 5"),
    "a negative length": answer(PNG, "content-length: -1", length=-1),
    "a length in words": answer(PNG, "content-length: much", length=-1),
    "a length and chunks, broken": answer(b"zz\r\n" + PNG, "transfer-encoding: chunked"),
    "a chunk of negative size": answer(b"-5\r\n" + PNG, "transfer-encoding: chunked", length=-1),
    "a chunk that breaks off": answer(b"ff\r\n" + PNG, "transfer-encoding: chunked", length=-1),
    "no status line": PNG,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n" + PNG,
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a name with a line break": answer(PNG, "x-a\n b: c"),
    "nothing": b"",
}
ENDLESS: dict[str, Reply] = {
    "a body": _endless,
    "chunks": _endless_chunks,
    "one chunk": _one_chunk_without_end,
    "headers": _endless_headers,
    "one header": _one_header_without_end,
    "trailers": _endless_trailers,
    "interim answers": _endless_interim,
    "a head that stops": _hangs_in_head,
    "a body that stops": _hangs_in_body,
}
NAMES = (
    "../../evil.png",
    "..\\..\\evil.png",
    "/etc/cron.d/evil",
    "C:\\evil.png",
    "evil.png\0.txt",
    "CON.png",
    "~/.ssh/authorized_keys",
    "a" * 4000,
    "\u202egnp.exe",
    "-rf.png",
)
