"""Writes the contact sheet of a run: a page, a picture, or both."""

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from aggregator.errors import ConfigurationError, RequestError
from aggregator.workflow.sheet.gathering import read_sheet

if TYPE_CHECKING:
    from aggregator.project import Project
    from aggregator.workflow.sheet.data import Sheet

__all__ = ["needed", "write_sheet"]

_EXTRA_MODULES = ("av", "PIL", "numpy", "starlette", "uvicorn")


async def write_sheet(project: "Project", run: str, *, html: Path | None = None, png: Path | None = None) -> "Sheet":
    """Write what a run has come to; what is there of these names is replaced.

    Returns:
        What was written, as data.

    Raises:
        RequestError: There is no run of this name, or a file cannot be written.
        ConfigurationError: The extra `local` is not installed.

    """
    try:
        from aggregator.workflow.sheet.page import page, shown
        from aggregator.workflow.sheet.picture import picture
        from aggregator.workflow.sheet.posters import posters_of
    except ImportError as missing:
        raise needed(missing) from missing
    sheet = await read_sheet(project, run)
    posters = await posters_of(shown(sheet))
    if html is not None:
        text = await asyncio.to_thread(page, sheet, posters)
        await asyncio.to_thread(_write, html, text.encode())
    if png is not None:
        drawn, file = await asyncio.to_thread(picture, sheet, posters), io.BytesIO()
        await asyncio.to_thread(drawn.save, file, "PNG")
        await asyncio.to_thread(_write, png, file.getvalue())
    return sheet


def needed(missing: ImportError) -> ConfigurationError | ImportError:
    """The error that names the extra; any other import error as it is."""
    if (missing.name or "").partition(".")[0] not in _EXTRA_MODULES:
        return missing
    return ConfigurationError(f'a contact sheet needs {missing.name}: pip install "aggregator[local]"')


def _write(path: Path, content: bytes) -> None:
    """The whole file, or none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{uuid4().hex}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror or error}") from None
