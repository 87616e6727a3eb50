"""SQLite: one file on this machine's disk. What its connection needs, how a transaction begins, and that it waits."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from aggregator.store.turns import Turns

__all__ = ["SQLite"]

BUSY_TIMEOUT_MS = 30_000


class SQLite:
    """A file, and one connection to it. `BEGIN IMMEDIATE` before the first read: what is checked is what is changed."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare)
        self._turns = Turns(path.with_name(f"{path.name}-turn"), BUSY_TIMEOUT_MS / 1000)
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.connection.dbapi_connection.in_transaction)  # type: ignore[union-attr]

    def begin(self, *, write: bool) -> Connection:
        if write:
            with self._turns.next():
                self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self._connection.exec_driver_sql("BEGIN")
        return self._connection

    def commit(self) -> None:
        self._connection.exec_driver_sql("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:  # a full disk has undone it already
            self._connection.exec_driver_sql("ROLLBACK")

    def describe(self) -> tuple[str, str | None]:
        mode = self._connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        return f"SQLite {sqlite3.sqlite_version}", None if mode == "wal" else f"its journal mode is {mode}, not wal"

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()
        self._turns.close()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    # A trigger on DELETE is fired by INSERT OR REPLACE only where triggers are recursive.
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
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
