"""Runs transactions on the database: one connection, one writer, off the event loop, or inline.

SQLAlchemy is imported here and below, and only once a store is opened. What differs between SQLite and PostgreSQL is in
a file each; a transaction is the same on both: explicit, and begun before the first read, so that what is checked is
what is changed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, exc

from aggregator.errors import ConfigurationError, StoreError
from aggregator.secret import Secret
from aggregator.store import migrations
from aggregator.store.schema import SCHEMA_VERSION

__all__ = ["Database", "Look", "Store", "look"]

T = TypeVar("T")

MAX_GROUP = 64
"""Transactions that may share one commit: a burst waits for one write to disk, not for one each. Reads share a view."""


class Database(Protocol):
    """What SQLite and PostgreSQL do each in their way, on the one connection they keep."""

    name: str
    """What errors and `doctor` call it: no password in it."""
    is_shared: bool
    """Whether processes on several machines may use it."""

    @property
    def in_transaction(self) -> bool:
        """Whether what was begun can still be committed or undone by us."""

    def begin(self, *, write: bool) -> Connection:
        """Begin a transaction: the only one that writes, or one consistent view."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo it, unless that has happened."""

    def describe(self) -> tuple[str, str | None]:
        """The product with its version, and what keeps it from being durable, if anything does."""

    def close(self) -> None:
        """Let go of it."""


def _database(at: Path | Secret) -> Database:
    if isinstance(at, Path):
        from aggregator.store.sqlite import SQLite

        return SQLite(at)
    try:
        from aggregator.store.postgres import PostgreSQL
    except ImportError:
        raise ConfigurationError('a store on PostgreSQL needs psycopg: pip install "aggregator[postgres]"') from None
    return PostgreSQL(at)


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


@contextmanager
def _opening(at: Path | Secret) -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, OSError) as error:
        name = f" at {at}" if isinstance(at, Path) else ""
        raise StoreError(f"the store{name} cannot be opened: {_said(error)}") from None


@dataclass(frozen=True, slots=True)
class Look:
    """What is where a store is said to be."""

    name: str
    product: str
    weakness: str | None
    """What keeps it from being durable."""
    version: int | None
    """Of its tables; `None`: there are none yet."""


def look(at: Path | Secret) -> Look:
    """Look at a store without making or changing anything.

    Raises:
        StoreError: It cannot be reached, or was written by a newer version.

    """
    with _opening(at):
        database = _database(at)
        try:
            product, weakness = database.describe()
            found = migrations.version(database.begin(write=False))
            database.rollback()
        finally:
            database.close()
    return Look(database.name, product, weakness, found)


class Store:
    """A database and the one thread that uses it."""

    def __init__(self, at: Path | Secret, *, inline: bool = False) -> None:
        """Open the database, make its tables, or bring those of an older version up to date.

        Args:
            at: The file of SQLite, or the URL of PostgreSQL, which may hold a password.
            inline: Run transactions on the caller's thread: for a simulation, where a run must be deterministic.

        Raises:
            StoreError: It cannot be opened, or was written by a newer version.

        """
        self._writes: deque[_Queued[Any]] = deque()
        self._reads: deque[_Queued[Any]] = deque()
        self._executor = None if inline else ThreadPoolExecutor(1, thread_name_prefix="aggregator-store")
        self.database: Database | None = None
        try:
            with _opening(at):
                self.database = self._call(partial(_database, at))
                self._call(self._open)
        except BaseException:
            self.close()
            raise

    def _call(self, work: Callable[[], T]) -> T:
        return work() if self._executor is None else self._executor.submit(work).result()

    def _open(self) -> None:
        if self.now(migrations.version, write=False) != SCHEMA_VERSION:
            self.now(migrations.bring_up_to_date)

    @property
    def _opened(self) -> Database:
        if self.database is None:
            raise StoreError("the store is closed")
        return self.database

    def now(self, work: Callable[[Connection], T], *, write: bool = True) -> T:
        """Run `work` in one transaction, on this thread: for a store that was opened inline.

        Raises:
            StoreError: As `transact` does.

        """
        database = self._opened
        try:
            connection = database.begin(write=write)
            try:
                result = work(connection)
                database.commit()
            except BaseException:
                database.rollback()
                raise
        except (exc.OperationalError, exc.InternalError) as error:
            raise StoreError(f"the store at {database.name}: {_said(error)}") from None
        return result

    def transact(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work` in one transaction: all of it is durable when this returns, or none of it ever was.

        Raises:
            StoreError: The disk is full, another process kept the store locked, or the server is gone. Nothing was
                written, unless its `written` is `None`: then nobody knows.

        """
        return self._queued(work, self._writes, self._commit_group, write=True)

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work`, which only reads, on one consistent view; it waits for no writer."""
        return self._queued(work, self._reads, self._read_group, write=False)

    def _queued(
        self, work: Callable[[Connection], T], queue: deque[_Queued[Any]], turn: Callable[[], None], *, write: bool
    ) -> Awaitable[T]:
        if self._executor is None:
            return _immediate(partial(self.now, work, write=write))
        loop = asyncio.get_running_loop()
        queued = _Queued(work, loop, loop.create_future())
        queue.append(queued)
        self._executor.submit(turn)
        return queued.future

    def _read_group(self) -> None:
        """Run what has gathered on one view. What the database refuses, it may have refused for another of them: those
        have a view each.
        """
        group = _gathered(self._reads)

        def together(connection: Connection) -> list[tuple[Any, BaseException | None]]:
            return [_tried(partial(queued.work, connection), but=exc.DBAPIError) for queued in group]

        try:
            ends = self.now(together, write=False) if group else []
        except BaseException:  # noqa: BLE001  each of them is told its own
            ends = [_tried(partial(self.now, queued.work, write=False)) for queued in group]
        for queued, (result, error) in zip(group, ends, strict=True):
            queued.deliver(result, error)

    def _commit_group(self) -> None:
        """Run what has gathered in one transaction, each part of it undone by itself where it fails; then tell them."""
        group = _gathered(self._writes)
        if not group:
            return  # an earlier turn took it along
        ends: list[tuple[Any, BaseException | None]] = []

        def together(connection: Connection) -> None:
            for queued in group:
                ends.append(self._part(connection, queued.work))

        try:
            if len(group) == 1:
                ends.append((self.now(group[0].work), None))
            else:
                self.now(together)
        except BaseException as broken:  # noqa: BLE001  nothing of it is durable, and each of them is told so
            ends = [(None, broken)] * len(group)
        for queued, (result, error) in zip(group, ends, strict=True):
            queued.deliver(result, error)

    def _part(self, connection: Connection, work: Callable[[Connection], T]) -> tuple[T | None, BaseException | None]:
        """One of a group: what it returned, or what it raised, with nothing of it left."""
        connection.exec_driver_sql("SAVEPOINT part")
        try:
            result = work(connection)
        except BaseException as error:
            if not self._opened.in_transaction:
                raise  # a full disk, a lost connection: the whole group is undone
            connection.exec_driver_sql("ROLLBACK TO part")
            connection.exec_driver_sql("RELEASE part")
            if isinstance(error, exc.OperationalError):
                raise
            return None, error
        connection.exec_driver_sql("RELEASE part")
        return result, None

    def close(self) -> None:
        """Finish what is being written, then close. May be called twice."""

        def dispose() -> None:  # on the thread, behind whatever it still has to do
            database, self.database = self.database, None
            if database is not None:
                database.close()

        if self.database is not None:
            self._call(dispose)
        if self._executor is not None:
            self._executor.shutdown(wait=True)


def _gathered(queue: deque[_Queued[Any]]) -> list[_Queued[Any]]:
    """What waits by now; nothing where an earlier turn took it along."""
    return [queue.popleft() for _ in range(min(len(queue), MAX_GROUP))]


def _tried(run: Callable[[], T], *, but: type[Exception] | tuple[()] = ()) -> tuple[T | None, BaseException | None]:
    """What it returns or raises; `but`: this goes through."""
    try:
        return run(), None
    except but:
        raise
    except BaseException as error:  # noqa: BLE001  whoever waits is told
        return None, error


def _said(error: Exception) -> str:
    """The first line of what the database said: it never repeats a value."""
    return str(error.orig if isinstance(error, exc.DBAPIError) else error).partition("\n")[0]


async def _immediate(run: Callable[[], T]) -> T:
    return run()
