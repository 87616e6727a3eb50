"""Who writes next: processes of one machine take turns at one file.

Who waits for SQLite's lock looks for it now and then, at last every 100 ms; a process that commits again and again
leaves it free for much less than that, and keeps the others out for longer than they wait. Whoever wants to write
holds this lock until it has SQLite's: the one that has just committed has to pass here too, behind who waits already.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

__all__ = ["Turns"]

INTERVAL_S = 0.002
"""How often it is looked whether one's turn has come."""


class Turns:
    """A lock on a file, which ends with its holder."""

    def __init__(self, path: Path, longest_s: float) -> None:
        """After `longest_s` one goes on out of turn: the database says what is the matter."""
        self._path, self._longest_s = path, longest_s
        self._file: BinaryIO | None = None

    @contextmanager
    def next(self) -> Iterator[None]:
        """Be the next one, until the end of this."""
        file = self._opened()
        if file is None or sys.platform == "win32":  # they wait as SQLite does
            yield
            return
        until_s = time.monotonic() + self._longest_s
        while not _is_locked(file) and time.monotonic() < until_s:
            time.sleep(INTERVAL_S)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self) -> BinaryIO | None:
        """The file; `None` where none can be made, on a full disk perhaps, of which the database will speak."""
        if self._file is None:
            with suppress(OSError):
                self._file = self._path.open("ab")
        return self._file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _is_locked(file: BinaryIO) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
