"""What a caller may hand in as a picture, a clip or a sound: a path, bytes, a URL, an open file, an earlier result.

`Media.of` turns any of them into a `Media` and checks what can be checked without I/O on the network. Local inputs are
copied into the artifact store before anything is sent (`aggregator.artifact`), so that a job can be resumed by a
process that does not have them; from then on a `Media` is a hash, and can be written as JSON.
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self, cast, runtime_checkable
from urllib.parse import unquote_to_bytes

from pydantic import JsonValue

from aggregator.errors import RequestError

__all__ = ["Media", "MediaLike"]

MAX_DATA_URI_BYTES = 50 * 2**20


@runtime_checkable
class SupportsMedia(Protocol):
    """A result or an artifact: anything that can say which `Media` it is."""

    def as_media(self) -> "Media": ...


@dataclass(frozen=True, slots=True)
class Media:
    """One input. Either a `url`, or bytes: not yet stored (`source`) or stored (`sha256`)."""

    url: str | None = None
    sha256: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    job_id: str | None = None
    """The job that made it: the thread that lineage and promotion follow."""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    """What probing found: prices by size or length are quoted from these."""
    refs: Mapping[str, str] | None = field(default=None, compare=False)
    """What the provider that made it calls it, beside `provider`, `account` and `until` (seconds since the epoch)."""
    source: Path | bytes | BinaryIO | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, value: object) -> Self:
        """Understand `value`, or raise `RequestError` saying what would be understood."""
        if isinstance(value, cls):
            return value
        if isinstance(value, SupportsMedia):
            return cls(**{name: getattr(value.as_media(), name) for name in _WRITTEN})
        if isinstance(value, bytes | bytearray | memoryview):
            return cls._of_bytes(bytes(value), None)
        if isinstance(value, os.PathLike) or (
            isinstance(value, str) and "://" not in value[:12] and value[:5] != "data:"
        ):
            return cls(source=_readable(Path(value)))
        if isinstance(value, str):
            return cls._of_url(value)
        if hasattr(value, "read"):
            return cls(source=cast("BinaryIO", value))
        raise RequestError(
            f"a {type(value).__name__} is not an input: give a path, bytes, a URL, a file opened in binary mode, "
            "or an earlier result"
        )

    @classmethod
    def _of_bytes(cls, value: bytes, mime_type: str | None) -> Self:
        if not value:
            raise RequestError("the input is empty")
        return cls(source=value, mime_type=mime_type)

    @classmethod
    def _of_url(cls, value: str) -> Self:
        scheme = value.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return cls(url=value)
        if scheme == "file":
            raise RequestError(f"{value!r} is a file URL: give the path itself")
        if scheme != "data":
            raise RequestError(f"{scheme!r} URLs are not understood: give http(s), data, or a path")
        head, _, payload = value[5:].partition(",")
        if len(payload) > MAX_DATA_URI_BYTES * 4 // 3:
            raise RequestError(f"the data URI is longer than {MAX_DATA_URI_BYTES} bytes: give a path instead")
        try:
            raw = base64.b64decode(payload, validate=True) if head.endswith(";base64") else unquote_to_bytes(payload)
        except ValueError as error:
            raise RequestError(f"the data URI is not valid base64: {error}") from None
        return cls._of_bytes(raw, head.removesuffix(";base64").partition(";")[0] or None)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote. Only a journal's own words are read: never a caller's."""
        url, sha256 = value.get("url"), value.get("sha256")
        written = set(value) <= set(_WRITTEN) and (url is None) != (sha256 is None)
        if not written or (sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", str(sha256))):
            raise RequestError(f"not a stored input: {sorted(map(str, value))}")
        return cls(**value)

    def as_json(self) -> dict[str, JsonValue]:
        """Write the input for a journal. Only a URL or a stored input can be written."""
        if self.url is None and self.sha256 is None:
            raise RequestError("this input is not stored yet")
        written = {name: value for name in _WRITTEN if (value := getattr(self, name)) is not None}
        return {**written, "refs": dict(self.refs)} if self.refs is not None else written

    @property
    def identity(self) -> str:
        """What makes two inputs the same: their bytes, or their address."""
        return f"sha256:{self.sha256}" if self.sha256 else f"url:{self.url}"


_WRITTEN = ("url", "sha256", "mime_type", "size_bytes", "job_id", "width", "height", "duration_s", "fps", "refs")

MediaLike = Media | SupportsMedia | str | os.PathLike[str] | bytes | BinaryIO
"""Everything an input may be given as."""


def _readable(path: Path) -> Path:
    try:
        found = path.exists()
    except (OSError, ValueError) as error:
        raise RequestError(f"not a path, nor any other input: {error}") from None
    if not found:
        raise RequestError(f"no file at {path}: check the path (relative to {Path.cwd()})")
    if not path.is_file():
        raise RequestError(f"{path} is not a file")
    if not os.access(path, os.R_OK):
        raise RequestError(f"{path} cannot be read: check its permissions")
    if path.stat().st_size == 0:
        raise RequestError(f"{path} is empty")
    return path
