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

__all__ = ["Turns", "interval_s"]

INTERVAL_S = 0.004
"""How often it is looked at first whether one's turn has come."""
IMPATIENT_S = 0.25
"""After how long one looks twice as often as at first, after twice that three times as often: who has waited longest is
the likeliest to be next. Where all look equally often, one of many waits for ever.
"""
MOST_OFTEN_S = 0.0002


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
        began_s = time.monotonic()
        while not _is_locked(file) and (waited_s := time.monotonic() - began_s) < self._longest_s:
            time.sleep(interval_s(waited_s))
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


def interval_s(waited_s: float) -> float:
    """When to look next, after so long."""
    return max(INTERVAL_S / (1 + waited_s / IMPATIENT_S), MOST_OFTEN_S)


def _is_locked(file: BinaryIO) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
