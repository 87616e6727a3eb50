"""Opens the database and runs transactions on it: one connection, one writer, off the event loop, or inline.

SQLAlchemy is imported here and in the tables, and only once a store is opened. Transactions are explicit: `BEGIN
IMMEDIATE` before the first read, so that what is checked is what is changed.
"""

import asyncio
import os
import re
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, create_engine, event, exc, insert, select
from sqlalchemy.pool import StaticPool

from aggregator.errors import StoreError
from aggregator.store.schema import SCHEMA_VERSION, meta, metadata

__all__ = ["Store", "filesystem_of", "unsafe_filesystem"]

T = TypeVar("T")
BUSY_TIMEOUT_MS = 30_000

NETWORK_FILESYSTEMS = frozenset(
    ["9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"]
)
EPHEMERAL_FILESYSTEMS = frozenset({"ramfs", "tmpfs"})

MAX_GROUP = 64
"""Transactions that may share one commit: a burst waits for one write to disk, not for one each."""


@dataclass(frozen=True, slots=True)
class _Queued(Generic[T]):
    """A transaction on its way to the thread, and who waits for it."""

    work: Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[T]"

    def deliver(self, result: T | None, error: BaseException | None) -> None:
        """Tell whoever waits, if anyone still does."""

        def tell() -> None:
            if self.future.done():
                return
            if error is None:
                self.future.set_result(result)  # type: ignore[arg-type]
            else:
                self.future.set_exception(error)

        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self.loop.call_soon_threadsafe(tell)


class Store:
    """A database file and the one thread that uses it."""

    def __init__(self, path: Path, *, inline: bool = False) -> None:
        """Open or create the database at `path`.

        Args:
            inline: Run transactions on the caller's thread: for a simulation, where a run must be deterministic.

        Raises:
            StoreError: It cannot be opened, or was written by a newer version.

        """
        self.path = path
        self._queue: deque[_Queued[Any]] = deque()
        self._executor = None if inline else ThreadPoolExecutor(1, thread_name_prefix="aggregator-store")
        try:
            self._connection = self._call(self._open)
        except exc.DBAPIError as error:
            self.close()
            raise StoreError(f"the store at {path} cannot be opened: {error.orig}") from None
        except StoreError:
            self.close()
            raise

    def _call(self, work: Callable[[], T]) -> T:
        return work() if self._executor is None else self._executor.submit(work).result()

    def _open(self) -> Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            f"sqlite:///{self.path}", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare)
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self._begin(connection, _create_or_check)
        except BaseException:
            connection.close()
            engine.dispose()
            raise
        return connection

    def _begin(self, connection: Connection, work: Callable[[Connection], T], begin: str = "BEGIN IMMEDIATE") -> T:
        try:
            connection.exec_driver_sql(begin)
            try:
                result = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                    connection.exec_driver_sql("ROLLBACK")
                raise
        except exc.OperationalError as error:
            raise StoreError(f"the store at {self.path}: {error.orig}") from None
        return result

    def transact(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work` in one transaction: all of it is durable when this returns, or none of it ever was.

        Raises:
            StoreError: The disk is full, or another process kept the store locked.

        """
        if self._executor is None:
            return _immediate(partial(self._begin, self._connection, work))
        loop = asyncio.get_running_loop()
        queued = _Queued(work, loop, loop.create_future())
        self._queue.append(queued)
        self._executor.submit(self._commit_group)
        return queued.future

    def _commit_group(self) -> None:
        """Run what has gathered in one transaction, each part of it undone by itself where it fails; then tell them."""
        group = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_GROUP))]
        if not group:
            return  # an earlier turn took it along
        ends: list[tuple[Any, BaseException | None]] = []

        def together(connection: Connection) -> None:
            for queued in group:
                ends.append(self._part(connection, queued.work))

        try:
            self._begin(self._connection, together)
        except BaseException as broken:  # noqa: BLE001  nothing of it is durable, and each of them is told so
            ends = [(None, broken)] * len(group)
        for queued, (result, error) in zip(group, ends, strict=True):
            queued.deliver(result, error)

    @staticmethod
    def _part(connection: Connection, work: Callable[[Connection], T]) -> tuple[T | None, BaseException | None]:
        """One of a group: what it returned, or what it raised, with nothing of it left."""
        connection.exec_driver_sql("SAVEPOINT part")
        try:
            result = work(connection)
        except BaseException as error:
            if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                raise  # the disk: SQLite has undone the whole group
            connection.exec_driver_sql("ROLLBACK TO part")
            connection.exec_driver_sql("RELEASE part")
            if isinstance(error, exc.OperationalError):
                raise
            return None, error
        connection.exec_driver_sql("RELEASE part")
        return result, None

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work`, which only reads, on one consistent view; it waits for no writer."""
        return self._submit(partial(self._begin, self._connection, work, "BEGIN"))

    def _submit(self, run: Callable[[], T]) -> Awaitable[T]:
        if self._executor is None:
            return _immediate(run)
        return asyncio.get_running_loop().run_in_executor(self._executor, run)

    def close(self) -> None:
        """Finish what is being written, then close. May be called twice."""

        def dispose() -> None:  # on the thread, behind whatever it still has to do
            connection = self.__dict__.pop("_connection", None)
            if connection is not None:
                connection.close()
                connection.engine.dispose()

        if "_connection" in self.__dict__:
            self._call(dispose)
        if self._executor is not None:
            self._executor.shutdown(wait=True)


async def _immediate(run: Callable[[], T]) -> T:
    return run()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. That needs a new file for itself for a moment, and SQLite does not wait for it."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(0.01)
        else:
            return


def _create_or_check(connection: Connection) -> None:
    metadata.create_all(connection)
    found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar()
    if found is None:
        connection.execute(insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION)))
    elif int(found) != SCHEMA_VERSION:
        raise StoreError(
            f"the store has schema {found}, this version of aggregator reads {SCHEMA_VERSION}: upgrade aggregator, "
            "or choose another directory"
        )


def filesystem_of(path: Path) -> str | None:
    """The type of file system that holds `path`; `None` where the machine does not tell."""
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return None
    existing = path.resolve()
    while not existing.exists():
        existing = existing.parent
    mounts = [(_unescaped(point), kind) for point, kind in (line.split()[1:3] for line in lines)]
    holding = [(point, kind) for point, kind in mounts if os.path.commonpath([point, str(existing)]) == point]
    # Of several mounts on one point the last is on top: an automount comes before what it mounted.
    return max(reversed(holding), key=lambda item: len(item[0]))[1] if holding else None


def _unescaped(point: str) -> str:
    """A mount point as it is: the table writes a blank as a backslash and 040 (fstab(5))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)


def unsafe_filesystem(path: Path, *, allow_ephemeral: bool) -> str | None:
    """Why a store at `path` would not keep its promises, or `None`."""
    kind = filesystem_of(path)
    if kind in NETWORK_FILESYSTEMS:
        return f"{path} is on a network file system ({kind}), where SQLite's locks do not hold: choose a local disk"
    if kind in EPHEMERAL_FILESYSTEMS and not allow_ephemeral:
        return (
            f"{path} is on a RAM disk ({kind}), which forgets paid jobs: choose a disk, or set allow_ephemeral = true"
        )
    return None
