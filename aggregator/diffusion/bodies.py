"""What a request brings: its fields, and its pictures as files on disk.

Owns: forms and JSON, data URLs, the limit on all of it, and the fingerprint that an Idempotency-Key goes with.
Refuses: to fetch an address, and to take a path.
"""

import asyncio
import base64
import binascii
import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from aggregator.diffusion.order import PICTURE_FIELDS
from aggregator.diffusion.refusals import RefusalError, invalid

MAX_BODY_BYTES: Final = 64 * 2**20
MAX_TEXT_BYTES: Final = 2**20
MAX_FIELDS: Final = 100
MAX_FILES: Final = 16
HASH_BYTES: Final = 2**20


@dataclass(slots=True)
class Asked:
    """A body, read. `pictures` are names of files, by field."""

    fields: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, list[str]] = field(default_factory=dict)
    hashes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The same for the same order, however its form was written."""
        said = json.dumps([self.fields, self.hashes], sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

    def keep(self, name: str, source: IO[bytes], directory: Path) -> None:
        """Copy a picture to the job's directory."""
        kept = f"input-{len(self.hashes)}"
        with (directory / kept).open("wb") as target:
            shutil.copyfileobj(source, target, HASH_BYTES)
        with (directory / kept).open("rb") as copied:
            self.hashes.append((name, hashlib.file_digest(copied, "sha256").hexdigest()))
        self.pictures.setdefault(name, []).append(kept)


async def read_body(request: Request, directory: Path) -> Asked:
    """Read a form or a JSON object; its pictures go to `directory`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if int(_digits(request.headers.get("content-length"))) > MAX_BODY_BYTES:
        raise _too_large()
    bounded = Request(request.scope, _Bounded(request).receive)
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return await _form(bounded, directory)
    if kind != "application/json":
        raise RefusalError(415, "unsupported_media_type", "Content-Type: multipart/form-data or application/json")
    body = await bounded.body()
    return await asyncio.to_thread(_json, body, directory)


class _Bounded:
    """The body, cut off where it is too much."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._left = MAX_BODY_BYTES

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large()
        return message


async def _form(request: Request, directory: Path) -> Asked:
    asked = Asked()
    try:
        form = await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_TEXT_BYTES)
    except (HTTPException, MultiPartException) as error:
        said = error.detail if isinstance(error, HTTPException) else error.message
        raise RefusalError(400, "invalid_body", f"the form cannot be read: {said}") from None
    try:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                asked.fields[name] = value
            elif name in PICTURE_FIELDS:
                await asyncio.to_thread(asked.keep, name, value.file, directory)
            else:
                raise invalid(name, f"no file goes here; files are {', '.join(PICTURE_FIELDS)}")
    finally:
        await form.close()
    return asked


def _json(body: bytes, directory: Path) -> Asked:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, "invalid_body", "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise RefusalError(400, "invalid_body", "the body is a JSON object")
    asked = Asked(fields=parsed)
    for name in PICTURE_FIELDS:
        given = parsed.pop(name, None)
        for one in given if isinstance(given, list) else [] if given is None else [given]:
            _decoded(asked, name, one, directory)
    return asked


def _decoded(asked: Asked, name: str, given: object, directory: Path) -> None:
    """A data URL, alone or as `{"image_url": …}`."""
    url = given.get("image_url") if isinstance(given, Mapping) else given
    head, comma, data = str(url).partition(",")
    if not head.startswith("data:") or not head.endswith(";base64") or not comma:
        raise invalid(name, "a data: URL with base64, or a file of a form; this server fetches nothing")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise invalid(name, "a data: URL whose base64 can be read") from None
    asked.keep(name, io.BytesIO(decoded), directory)


def _digits(text: str | None) -> str:
    return text if text and text.isascii() and text.isdigit() else "0"


def _too_large() -> RefusalError:
    return RefusalError(413, "too_large", f"a body of at most {MAX_BODY_BYTES} bytes")
