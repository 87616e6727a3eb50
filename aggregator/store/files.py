"""The artifact store: content-addressed files on disk, written whole or not at all, streamed in both directions.

Where a bucket is configured, a file is put there before it counts as stored, and brought from there where it is
missing: the disk is then what a host has at hand of it.
"""

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from weakref import WeakValueDictionary

from aggregator.artifact import Facts
from aggregator.config import Config
from aggregator.errors import (
    ArtifactLostError,
    ConfigurationError,
    RequestError,
    ResponseFormatError,
    StoreError,
    UnavailableError,
)
from aggregator.inputs import Media
from aggregator.probing import Prober
from aggregator.store.pictures import MAX_PIXELS, size_px

if TYPE_CHECKING:
    from aggregator.store.bucket import Bucket

__all__ = ["FileStore", "StoredFile", "bucket_of", "extension", "max_bytes", "sniff"]

BATCH_BYTES = 2**20
PART_TTL_S = 86_400.0
HEAD_BYTES = 64
MAX_BYTES = {"image": 50 * 2**20, "audio": 200 * 2**20, "video": 2 * 2**30}

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
}
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
)


def sniff(head: bytes) -> str | None:
    """The media type by the first bytes; `None` for what is no picture, clip or sound we know."""
    return next((mime for at, magic, mime in MAGIC if head[at : at + len(magic)] == magic), None)


def max_bytes(family: str | None) -> int:
    """The largest file of a kind (`image`, `video`, `audio`) that is taken; of no known kind, the largest of all."""
    return MAX_BYTES.get(family or "video", MAX_BYTES["video"])


def extension(mime_type: str) -> str:
    """How a file of this type is named."""
    return EXTENSIONS.get(mime_type, "bin")


def bucket_of(config: Config) -> "Bucket | None":
    """The bucket that is configured; it is not asked for anything yet.

    Raises:
        ConfigurationError: What speaks to it is not installed.

    """
    settings = config.artifacts
    if settings.url is None:
        return None
    try:
        from aggregator.store.bucket import Bucket
    except ImportError:
        raise ConfigurationError('[artifacts] url needs obstore: pip install "aggregator[s3]"') from None
    return Bucket(settings.url, endpoint=settings.endpoint, region=settings.region)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is complete in the store."""

    sha256: str
    mime_type: str
    size_bytes: int
    path: str
    facts: Facts | None


class FileStore:
    """Files under `directory/artifacts`, named by their hash."""

    def __init__(self, directory: Path, prober: Prober, bucket: "Bucket | None" = None) -> None:
        self._root = directory / "artifacts"
        self._parts = directory / "parts"
        self.notes = directory / "transcoded"
        """What became of inputs that were written in another format."""
        self._prober = prober
        self._bucket = bucket
        self._coming: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()
        _sweep(self._parts)

    def path(self, sha256: str, mime_type: str) -> Path:
        """Where a file lies, if it is here; `have` sees to that."""
        return self._root / sha256[:2] / f"{sha256}.{extension(mime_type)}"

    async def have(self, sha256: str, mime_type: str) -> Path:
        """Where a stored file lies, brought from the bucket first if another host made it.

        Raises:
            ArtifactLostError: It is neither here nor there.
            StoreError: The bucket does not give it, or gives other bytes; or the disk does not take it.

        """
        path = self.path(sha256, mime_type)
        if path.is_file():
            return path
        if self._bucket is None:
            raise ArtifactLostError(f"{path} was stored and is there no more", accepted=True)
        async with self._coming.setdefault(path, asyncio.Lock()):
            if not path.is_file():
                await self._bring(self._bucket, path, sha256)
        return path

    async def _bring(self, bucket: "Bucket", path: Path, sha256: str) -> None:
        key = path.relative_to(self._root).as_posix()
        said = f"{bucket.name}/{key} holds other bytes than its name says"
        with self._part() as part:
            try:
                with _made(part) as file:
                    digest, _, _ = await self._copy(bucket.get(key), file, max_bytes(None))
                    if digest != sha256:
                        raise StoreError(f"{said}: remove it, and put the file there again from a host that has it")
                    await asyncio.to_thread(_flushed, file)
            except FileNotFoundError:
                raise ArtifactLostError(f"{path} is not here, nor in {bucket.name}", accepted=True) from None
            except ResponseFormatError as error:
                raise StoreError(f"{said}: {error}") from None
            await asyncio.to_thread(_publish, part, path)

    async def ingest(self, media: Media) -> Media:
        """Copy a local input into the store; an input that is stored already, or is an address, stays as it is."""
        if media.source is None:
            return media
        source = media.source
        try:
            if isinstance(source, Path):
                with source.open("rb") as file:
                    stored = await self.write(_read(file), family=None)
            elif isinstance(source, bytes):
                stored = await self.write(_once(source), family=None)
            else:
                stored = await self.write(_read(source), family=None)
        except OSError as error:
            raise RequestError(f"the input cannot be read: {error}") from None
        except ResponseFormatError as error:
            raise RequestError(f"not a usable input: {error}") from None
        facts = stored.facts or Facts()
        return replace(
            media,
            source=None,
            sha256=stored.sha256,
            mime_type=stored.mime_type,
            size_bytes=stored.size_bytes,
            width=facts.width,
            height=facts.height,
            duration_s=facts.duration_s,
            fps=facts.fps,
        )

    async def write(
        self, chunks: AsyncIterable[bytes], *, family: str | None, expected_bytes: int | None = None
    ) -> StoredFile:
        """Stream a body to disk, hash it on the way, and keep it only if it is complete and what it should be.

        Hashing and writing run in a thread while the next piece arrives. At most three batches are in memory.

        Raises:
            UnavailableError: Shorter or longer than was announced: it may arrive whole another time.
            ResponseFormatError: Too long, empty, or not of the `family` (`image`, `video`, `audio`).
            StoreError: The disk or the bucket does not take it.

        """
        with self._part() as part:
            with _made(part) as file:
                digest, head, size = await self._copy(chunks, file, max_bytes(family))
                if size == 0:
                    raise ResponseFormatError("the file is empty", accepted=True)
                if expected_bytes is not None and size != expected_bytes:
                    raise UnavailableError(f"{size} bytes arrived of {expected_bytes}", accepted=True)
                mime_type = sniff(head)
                if mime_type is None or (family is not None and mime_type.partition("/")[0] != family):
                    raise ResponseFormatError(
                        f"the bytes are {mime_type or 'no picture, clip or sound'}, {family or 'media'} was expected",
                        accepted=True,
                    )
                await asyncio.to_thread(_check_pixels, part, mime_type)
                await asyncio.to_thread(_flushed, file)
            target = self.path(digest, mime_type)
            await asyncio.to_thread(_publish, part, target)
        key = target.relative_to(self._root).as_posix()
        if self._bucket is not None:
            await self._bucket.put(key, target, mime_type=mime_type, size_bytes=size)
        return StoredFile(digest, mime_type, size, key, await self._prober.probe(target))

    @contextmanager
    def _part(self) -> Generator[Path, None, None]:
        """A name to write to, which is free again afterwards."""
        part = self._parts / f"{secrets.token_hex(12)}.part"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    async def _copy(self, chunks: AsyncIterable[bytes], file: FileIO, max_bytes: int) -> tuple[str, bytes, int]:
        digest, head, size = hashlib.sha256(), b"", 0
        batch: list[bytes] = []
        batched = 0
        loop = asyncio.get_running_loop()
        writing: asyncio.Future[None] | None = None

        def flush(pieces: list[bytes]) -> None:
            joined = b"".join(pieces)
            digest.update(joined)
            with _disk():
                left = memoryview(joined)
                while left:
                    left = left[file.write(left) :]

        try:
            async for chunk in chunks:
                if len(head) < HEAD_BYTES:
                    head += chunk[:HEAD_BYTES]
                size += len(chunk)
                if size > max_bytes:
                    raise ResponseFormatError(f"the file is longer than {max_bytes} bytes", accepted=True)
                batch.append(chunk)
                batched += len(chunk)
                if batched >= BATCH_BYTES:
                    if writing is not None:
                        await writing
                    writing = loop.run_in_executor(None, flush, batch)
                    batch, batched = [], 0
        finally:
            if writing is not None:
                await writing
        flush(batch)
        return digest.hexdigest(), head, size


@contextmanager
def _disk() -> Generator[None, None, None]:
    """What the disk refuses is told apart from what a source cannot give."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"a file cannot be written to the artifact store: {error}") from None


def _check_pixels(part: Path, mime_type: str) -> None:
    """A picture that would burst memory when it is decoded is refused by its header, before anything decodes it."""
    if not mime_type.startswith("image/"):
        return
    with part.open("rb") as file:
        size = size_px(file, mime_type)
    if size is None:
        raise ResponseFormatError(f"the header of the {mime_type} does not say how large it is", accepted=True)
    if size[0] * size[1] > MAX_PIXELS:
        raise ResponseFormatError(f"a picture of {size[0]}×{size[1]} is more than {MAX_PIXELS} pixels", accepted=True)


def _made(part: Path) -> FileIO:
    """Unbuffered: what does not fit on the disk is said when it is written, not when the file is closed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with _disk():
        part.parent.mkdir(parents=True, exist_ok=True)
        return FileIO(os.open(part, flags, 0o600), "wb")


def _flushed(file: FileIO) -> None:
    with _disk():
        os.fsync(file.fileno())


def _publish(part: Path, target: Path) -> None:
    """Make a complete file visible under its name, durably."""
    with _disk():
        new = not target.parent.is_dir()
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
        for directory in (target.parent, *target.parent.parents[:2]) if new else (target.parent,):
            _sync(directory)


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sweep(parts: Path) -> None:
    """Remove what processes that were killed left half-written, once it is certainly nobody's."""
    for part in parts.glob("*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > PART_TTL_S:
                part.unlink()


async def _once(value: bytes) -> AsyncIterator[bytes]:
    yield value


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, BATCH_BYTES):
        if not isinstance(chunk, bytes):
            raise RequestError("the file is open in text mode: open it with 'rb'")
        yield chunk
