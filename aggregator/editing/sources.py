"""The stored inputs of an edit as files: found, of a kind that is taken, and opened with nothing but themselves."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import av.error
from av.container import InputContainer

from aggregator.editing.edits import Edit
from aggregator.errors import EditError

__all__ = ["Source", "opened", "sources_of"]

FORMATS: Final = "aac,flac,gif,jpeg_pipe,matroska,mov,mp3,ogg,png_pipe,wav,webp_pipe,gif_pipe"
"""What the prober opens, and for its reason: no playlists and no lists of files, which name others to be opened."""


def _untold(_field: str) -> None:
    """Nobody wants to know what is read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input: its file, and what it is called in an error."""

    edit: str
    field: str
    kind: str
    path: Path
    on_open: Callable[[str], None] = _untold
    """Called with the field whenever its file is about to be opened."""

    def error(self, problem: str, advice: str) -> EditError:
        return EditError(f"{self.edit}: {self.field} {problem}: {advice}", edit=self.edit, field=self.field)


def sources_of(
    edit: Edit, paths: Mapping[str, Path], on_open: Callable[[str], None] | None = None
) -> dict[str, list[Source]]:
    """Every field with its inputs, in order.

    Raises:
        EditError: One is not stored, not there, or of another kind than the field takes.

    """
    found: dict[str, list[Source]] = {}
    for field, media in edit.media():
        many = len(edit.inputs(field)) > 1
        name = f"{field}[{len(found.get(field, []))}]" if many else field
        path = paths.get(media.sha256 or "")
        kind = (media.mime_type or "").partition("/")[0]
        source = Source(edit.task, name, kind, path or Path(), on_open or _untold)
        taken = edit.kinds[field]
        if path is None or not path.is_file():
            raise source.error("has no file here", "inputs are stored before an edit runs; was it deleted since?")
        if kind not in taken:
            raise source.error(f"is {media.mime_type or 'of an unknown type'}", f"it takes {' or '.join(taken)}")
        found.setdefault(field, []).append(source)
    return found


@contextmanager
def opened(source: Source) -> Iterator[InputContainer]:
    """The file, open for reading. What goes wrong in it while it is open is an `EditError` too."""
    source.on_open(source.field)
    try:
        with av.open(
            str(source.path), options={"protocol_whitelist": "file", "format_whitelist": FORMATS}
        ) as container:
            yield container
    except av.error.FFmpegError as error:
        raise source.error(f"cannot be read ({error.strerror})", "is the file whole? Make or fetch it again") from error
