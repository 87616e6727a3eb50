"""Inputs in another format than they were given in: made when they are first handed over, and kept with the others."""

import asyncio
import json
import os

from aggregator.inputs import Media
from aggregator.store.files import FileStore, extension
from aggregator.transcoding import transcoded

__all__ = ["in_format"]


async def in_format(files: FileStore, media: Media, mime_type: str) -> Media:
    """A stored picture as a stored picture of another type; the same one every time.

    Raises:
        ValueError: It cannot be read.

    """
    assert media.sha256 is not None
    assert media.mime_type is not None
    note = files.notes / f"{media.sha256}.{extension(mime_type)}.json"
    if not note.exists():
        raw = await asyncio.to_thread(transcoded, await files.have(media.sha256, media.mime_type), mime_type)
        made = await files.ingest(Media(source=raw))
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(made.as_json()))
        part.replace(note)
    return Media.from_json(json.loads(note.read_text()))
