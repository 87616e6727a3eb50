"""The bucket that several hosts share, through obstore (extra `s3`): every complete file under its hash, streamed.

Credentials are found in the environment, by obstore's own rules (`AWS_ACCESS_KEY_ID`, …), and never pass through here.
What obstore says of an error is not repeated: it quotes what the server answered, which may quote the key.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from aggregator.errors import StoreError

__all__ = ["Bucket"]

T = TypeVar("T")

MAX_RETRIES = 4
"""Of one request: connections that fail, 5xx, dropped lines; with exponential backoff and jitter."""
RETRY_S = 60.0
"""After this long no request is begun again."""
CONNECT_S = 5.0
SILENCE_S = 120.0
"""How long an answer may take, the sending of one part included."""
TRANSFER_S = 3600.0
"""How long the reading of one file may take."""
PART_BYTES = 8 * 2**20
MAX_PARTS = 2
"""How many parts of a file are in memory at once."""
MAX_PUTS = 4
"""How many files are sent at once."""
CHUNK_BYTES = 2**20

# The library tells a missing file from a missing bucket, and why a key was refused, by the text of the answer alone.
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_NO_KEY = "/latest/api/token"
"""The address where a machine of Amazon's is asked for its key: the last place where one is looked for."""
FAULTS = (BaseError, OSError, ValueError)
"""All that the library raises of a server."""
Doing = Literal["written", "read", "listed", "cleared"]


class Bucket:
    """Files in an S3-compatible bucket, below a prefix."""

    def __init__(self, url: str, *, endpoint: str | None, region: str | None) -> None:
        self.name = url
        self._at = f"at {endpoint}" if endpoint else "at the address of the environment, or Amazon's"
        own = {"endpoint": endpoint, "region": region}
        self._store = S3Store.from_url(
            url,
            config={name: value for name, value in own.items() if value is not None},  # type: ignore[arg-type]
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_S),
                "read_timeout": timedelta(seconds=SILENCE_S),
                "timeout": timedelta(seconds=TRANSFER_S),
                **({"allow_http": True} if endpoint and endpoint.startswith("http:") else {}),
            },
            retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=RETRY_S)},
        )
        self._turn = asyncio.Semaphore(MAX_PUTS)

    async def put(self, key: str, path: Path, *, mime_type: str, size_bytes: int) -> None:
        """Send a file, whole or not at all, unless it is there: a key is the hash of what is below it.

        Raises:
            StoreError: The bucket does not take it.

        """
        async with self._turn:
            if await self._done("written", self._size_bytes(key)) != size_bytes:
                sent = obstore.put_async(
                    self._store,
                    key,
                    path,
                    attributes={"Content-Type": mime_type},
                    chunk_size=PART_BYTES,
                    max_concurrency=MAX_PARTS,
                )
                await self._done("written", sent)

    async def _size_bytes(self, key: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:  # of a missing bucket too: sending says so
            return None

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The bytes of a file, piece by piece, unverified.

        Raises:
            FileNotFoundError: There is certainly none.
            StoreError: The bucket does not give it.

        """
        try:
            found = await obstore.get_async(self._store, key)
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield chunk
        except FAULTS as error:
            if isinstance(error, FileNotFoundError) and _code(error) == "NoSuchKey":
                raise FileNotFoundError(key) from None
            raise self._said("read", error) from None

    async def check(self) -> None:
        """Write, list, read and remove a small file.

        Raises:
            StoreError: One of them does not work; which, and what to do.

        """
        key, body = f"canary/{secrets.token_hex(8)}", secrets.token_bytes(16)
        await self._done("written", obstore.put_async(self._store, key, body))
        try:
            listed = await self._done("listed", obstore.list_with_delimiter_async(self._store, "canary"))
            if not any(item["path"] == key for item in listed["objects"]):
                raise StoreError(f"{self.name} does not list what was just written to it")
            if b"".join([chunk async for chunk in self.get(key)]) != body:
                raise StoreError(f"{self.name} gives other bytes than were just written to it")
        finally:
            await self._done("cleared", obstore.delete_async(self._store, key))

    async def _done(self, doing: Doing, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except FAULTS as error:
            raise self._said(doing, error) from None

    def _said(self, doing: Doing, error: Exception) -> StoreError:
        """What the library raised, in our words."""
        return StoreError(f"{self.name} cannot be {doing} {self._at}: {_why(error)}")


def _code(error: Exception) -> str | None:
    found = _CODE.search(str(error))
    return found[1] if found else None


def _why(error: Exception) -> str:
    code = _code(error)
    named = f" ({code})" if code else ""
    if code == "NoSuchBucket":
        return "there is no such bucket"
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        needs = "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject"
        return f"the key in the environment may not do that{named}; it needs {needs}"
    if _NO_KEY in str(error):
        return "there is no key in the environment: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if named:
        return f"the answer is {code}"
    if isinstance(error, FileNotFoundError):
        return "it answers that there is nothing there: check the endpoint and the name of the bucket"
    return "it cannot be reached, or broke off; it was asked several times"
