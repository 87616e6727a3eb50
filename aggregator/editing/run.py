"""Running an edit: files in, one file out, or none.

The libraries that read and write media come with the extra `local`; nothing here loads them before an edit runs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

from aggregator.editing.edits import Edit
from aggregator.errors import ConfigurationError, EditError

__all__ = ["run_edit"]

SUFFIXES: Mapping[str, str] = {"image": ".png", "video": ".mp4", "audio": ".wav"}
_EXTRA_MODULES = ("av", "PIL", "numpy")


def run_edit(
    edit: Edit,
    paths: Mapping[str, Path],
    out: Path,
    *,
    progress: Callable[[float], None] | None = None,
    on_open: Callable[[str], None] | None = None,
) -> Path:
    """Make the edit. It blocks, and a file that crashes what reads it ends this process: `EditPool` gives it one of
    its own.

    Args:
        edit: Its inputs are stored.
        paths: The files of the inputs, by their `sha256`.
        out: Where to write; the suffix of what is made is added where it has another (`.png`, `.mp4`, `.wav`).
        progress: Called now and then, in the same thread, with the share that is done. What it raises ends the edit.
        on_open: Called with the field of an input (`clips[1]`) whenever its file is about to be opened.

    Returns:
        The file that was written. After an error there is none.

    Raises:
        EditError: An input is missing, broken, of the wrong kind, or too short for what was asked.
        ConfigurationError: The extra `local` is not installed.

    """
    try:
        from av.error import FFmpegError

        from aggregator.editing.operations import OPERATIONS
        from aggregator.editing.sources import sources_of
    except ImportError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in _EXTRA_MODULES:
            raise
        raise ConfigurationError(f'{edit.task} needs {library}: pip install "aggregator[local]"') from missing
    sources = sources_of(edit, paths, on_open)
    suffix = SUFFIXES[edit.makes()]
    target = out if out.suffix == suffix else out.with_name(f"{out.name}{suffix}")
    part = target.with_name(f".{uuid4().hex}{suffix}")
    try:
        OPERATIONS[edit.task](edit, sources, part, progress or (lambda _share: None))
        part.replace(target)
    except (OSError, FFmpegError) as error:
        raise EditError(f"{edit.task}: {target} cannot be written: {error}", edit=edit.task) from error
    finally:
        part.unlink(missing_ok=True)
    return target
