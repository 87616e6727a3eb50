"""One client process of a schedule: its line, its store, its disk, and the moment it dies."""

import errno
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol, TypeVar

from sqlalchemy import exc

from aggregator.store.database import Store
from tests.faults.quick import QuickDatabase

T = TypeVar("T")
MAX_TAPS = 2_000
"""Four times as many steps as any life has needed: a client that spins is not waited for."""
BUSY, FULL = "database is locked", "database or disk is full"


class Death(BaseException):
    """The process is no more."""


class BrokenPromiseError(AssertionError):
    """A promise was broken."""


class Watcher(Protocol):
    """What a life tells of itself."""

    def note(self, life: "Life", text: str) -> None: ...
    def struck(self, fault: str) -> None: ...
    def check_always(self, connection: Any) -> None: ...


@dataclass(eq=False)
class Life:
    """A process that ends after `fuse` steps, if that many there are."""

    watcher: Watcher
    rng: Random
    fuse: int = -1
    store_storm: float = 0.0
    """The share of transactions that the database refuses."""
    disk_storm: float = 0.0
    """The share of file operations that the disk refuses."""
    dead: bool = False
    taps: int = 0
    owner: str = ""
    stores: list[Any] = field(default_factory=list)

    def tap(self, point: str) -> None:
        """A moment at which the process may die."""
        self.taps += 1
        if self.taps > MAX_TAPS:
            raise BrokenPromiseError("a client spins")
        if self.taps == self.fuse and not self.dead:
            self.dead = True
            self.watcher.note(self, f"dies {point}")
        if self.dead:
            raise Death

    def work(self, work: Callable[[Any], T]) -> Callable[[Any], T]:
        """A transaction that the database may refuse, before it or at its commit."""
        if self.store_storm == 0.0:
            return work
        roll = self.rng.random()
        if roll >= self.store_storm:
            return work
        why = BUSY if roll < self.store_storm / 2 else FULL

        def refused(connection: Any) -> T:
            if why == FULL:
                work(connection)
            self.watcher.struck(why)
            self.watcher.note(self, why)
            raise exc.OperationalError("COMMIT", None, sqlite3.OperationalError(why))

        return refused


class MortalStore(Store):
    """Dies before or after any transaction; the money is checked after each."""

    life: Life | None = None

    def _open(self) -> None:
        if not isinstance(self.database, QuickDatabase):  # which was made from a store that was opened
            super()._open()

    def now(self, work: Callable[[Any], T], *, write: bool = True) -> T:
        life = self.life
        if not write or life is None:
            return super().now(work, write=write)
        life.tap("before a transaction")
        result = super().now(life.work(work))
        super().now(life.watcher.check_always, write=False)
        life.tap("after a transaction")
        return result


class Disk:
    """The `os` module as the artifact store sees it: it may be full or read only."""

    def __init__(self, current: Callable[[], Life | None]) -> None:
        self._current = current

    def __getattr__(self, name: str) -> Any:
        true = getattr(os, name)
        return self._refusing(true, name) if name in ("open", "fsync") else true

    def _refusing(self, true: Callable[..., T], name: str) -> Callable[..., T]:
        def may_refuse(*args: Any, **kwargs: Any) -> T:
            life = self._current()
            if life is not None and life.disk_storm and life.rng.random() < life.disk_storm:
                life.watcher.struck("disk")
                life.watcher.note(life, f"the disk refuses {name}")
                number = errno.EROFS if name == "open" else errno.ENOSPC
                raise OSError(number, os.strerror(number))
            return true(*args, **kwargs)

        return may_refuse
