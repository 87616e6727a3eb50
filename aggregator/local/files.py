"""Files by the hash of their bytes: uploads, and everything the backend makes.

Owns: `directory/files`, its names, types and the atomic way in (written aside, then renamed).
Refuses: any name that is not a hash with a known extension, so no path leads outside; and to delete.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aggregator.local.defaults import MAX_FILE_BYTES
from aggregator.local.refusals import RefusalError, invalid

EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "opus",
    "application/octet-stream": "bin",
}
MIME_TYPES: Final = {extension: mime for mime, extension in reversed(EXTENSIONS.items())}
NAME: Final = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(sorted(MIME_TYPES))})")
WRITE_BYTES: Final = 1024 * 1024  # what is gathered before a thread is asked to write it
HASH_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is there."""

    name: str
    mime_type: str
    size_bytes: int

    @property
    def sha256(self) -> str:
        return self.name.split(".")[0]


class FileStore:
    """Content-addressed files in one directory. Safe to share among processes: the same name is the same bytes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file is. Refused as not found unless the name is one of ours and the file is there."""
        if NAME.fullmatch(name):
            path = self._directory / name
            if path.is_file():
                return path
        raise RefusalError(404, "file_not_found", "no such file here")

    def stored(self, name: str) -> StoredFile:
        return StoredFile(name, mime_type_of(name), self.path(name).stat().st_size)

    def scratch(self, extension: str) -> Path:
        """A new empty file to write to, on the same disk as the store."""
        handle, name = tempfile.mkstemp(prefix=".making-", suffix=f".{extension}", dir=self._directory)
        os.close(handle)
        return Path(name)

    def keep(self, scratch: Path) -> StoredFile:
        """Take a finished scratch file into the store under the hash of its bytes."""
        digest = hashlib.sha256()
        with scratch.open("rb") as file:
            while block := file.read(HASH_BYTES):
                digest.update(block)
        return self._keep_as(scratch, digest.hexdigest())

    def keep_bytes(self, data: bytes, mime_type: str) -> StoredFile:
        scratch = self.scratch(extension_of(mime_type))
        scratch.write_bytes(data)
        return self.keep(scratch)

    async def keep_stream(self, blocks: AsyncIterator[bytes], mime_type: str) -> StoredFile:
        """Write an upload to disk as it arrives."""
        scratch = await asyncio.to_thread(self.scratch, extension_of(mime_type))
        digest, size, waiting = hashlib.sha256(), 0, bytearray()

        def write() -> None:
            digest.update(waiting)
            with scratch.open("ab") as file:
                file.write(waiting)
            waiting.clear()

        try:
            async for block in blocks:
                size += len(block)
                _check_size(size)
                waiting += block
                if len(waiting) >= WRITE_BYTES:
                    await asyncio.to_thread(write)
            _check_size(size, is_whole=True)
            await asyncio.to_thread(write)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        return await asyncio.to_thread(self._keep_as, scratch, digest.hexdigest())

    def _keep_as(self, scratch: Path, digest: str) -> StoredFile:
        name = f"{digest}{scratch.suffix}"
        scratch.replace(self._directory / name)
        return self.stored(name)


def mime_type_of(name: str) -> str:
    """The content type a stored name stands for."""
    return MIME_TYPES[name.rsplit(".", 1)[-1]]


def extension_of(mime_type: str) -> str:
    """The extension for a content type, parameters left aside."""
    plain = mime_type.split(";", maxsplit=1)[0].strip().lower()
    if plain not in EXTENSIONS:
        raise invalid("Content-Type", f"one of {', '.join(sorted(EXTENSIONS))}")
    return EXTENSIONS[plain]


def _check_size(size_bytes: int, *, is_whole: bool = False) -> None:
    if size_bytes > MAX_FILE_BYTES:
        raise RefusalError(413, "invalid_input", f"a file may hold at most {MAX_FILE_BYTES} bytes")
    if is_whole and size_bytes == 0:
        raise RefusalError(400, "invalid_input", "the file is empty")
