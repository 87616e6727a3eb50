"""PostgreSQL: a server that several machines share. Takes the extra `postgres`.

A write transaction holds one lock for the whole database, which makes it what `BEGIN IMMEDIATE` is on SQLite: one
writer at a time, what is checked is what is changed, and the log has one end. A connection that was lost is made anew;
whether a commit whose answer was lost took place is asked of the server, which knows.
"""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, create_engine, exc, make_url
from sqlalchemy.pool import NullPool

from aggregator.errors import ConfigurationError, StoreError
from aggregator.secret import Secret

__all__ = ["PostgreSQL"]

DRIVER = "postgresql+psycopg"
SCHEMES = ("postgresql", "postgres", DRIVER)
EXAMPLE = "postgresql://user:password@host/database"
CONNECT: dict[str, Any] = {
    "application_name": "aggregator",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""A machine that is gone is noticed within half a minute. What the URL says otherwise counts."""

WRITER = 0x6167677265676174  # "aggregat": advisory locks are numbers
BEGIN_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '30s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '60s'; "  # a writer that stands still keeps nobody out for ever
    f"SELECT pg_advisory_xact_lock({WRITER}), pg_current_xact_id()::text, pg_postmaster_start_time()::text"
)
BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
STATUS = "SELECT pg_xact_status(%s::xid8), pg_postmaster_start_time()::text"


WITHIN = (TransactionStatus.INTRANS, TransactionStatus.INERROR, TransactionStatus.ACTIVE)
FAILURES = (psycopg.Error, exc.DBAPIError)


class PostgreSQL:
    """A database on a server, and one connection to it."""

    is_shared = True

    def __init__(self, url: Secret) -> None:
        parsed = _parsed(url)
        self.name = parsed.set(drivername=DRIVER, query={}).render_as_string(hide_password=True)
        defaults = {name: value for name, value in CONNECT.items() if name not in parsed.query}
        self._engine = create_engine(
            parsed.set(drivername=DRIVER),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=defaults,
            hide_parameters=True,
        )
        self._connection = self._engine.connect()
        self._written: tuple[str, str] | None = None
        """The number of the transaction that writes, and since when its server runs; `None` in one that reads."""

    @property
    def _driver(self) -> "psycopg.Connection[Any]":
        found: psycopg.Connection[Any] = self._connection.connection.dbapi_connection  # type: ignore[assignment]
        return found

    @property
    def _is_lost(self) -> bool:
        return self._connection.closed or self._connection.invalidated or self._driver.closed

    @property
    def in_transaction(self) -> bool:
        return not self._is_lost and self._driver.info.transaction_status in WITHIN

    def begin(self, *, write: bool) -> Connection:
        """Begin, on a new connection if the last one was lost in the meantime: nothing has happened yet."""
        try:
            try:
                self._begin(write=write)
            except FAILURES:
                if not self._is_lost:
                    raise
                self._begin(write=write)
        except FAILURES as error:
            self.rollback()
            raise self._error(error, written=False) from None
        return self._connection

    def _begin(self, *, write: bool) -> None:
        if self._is_lost:
            with suppress(exc.DBAPIError):
                self._connection.close()
            self._connection = self._engine.connect()
        row = self._ask(BEGIN_WRITE if write else BEGIN_READ)
        self._written = (row[1], row[2]) if row else None

    def _ask(self, statements: str) -> Any:
        """Run statements in one round trip; returns the last one's row, if it has one."""
        with self._driver.cursor() as cursor:
            cursor.execute(statements.encode())
            while cursor.nextset():
                pass
            if statements == "COMMIT" and cursor.statusmessage != "COMMIT":
                raise StoreError(f"the store at {self.name}: a statement failed before, so nothing was written")
            return cursor.fetchone() if cursor.description else None

    def _error(self, error: Exception, *, written: bool | None) -> StoreError:
        said = str(error.orig if isinstance(error, exc.DBAPIError) else error).partition("\n")[0]
        end = "nothing of this transaction was written"
        if written is None:
            end = "whether this transaction was written is not known: read before anything else is done about it"
        return StoreError(f"the store at {self.name}: {said}; {end}", written=written)

    def commit(self) -> None:
        """Commit; if the answer is lost, find out whether it took place.

        Raises:
            StoreError: It did not (`written` is `False`), or nobody can tell (`None`).

        """
        try:
            self._ask("COMMIT")
        except psycopg.Error as error:
            if self._written is None or not self._is_lost:
                raise self._error(error, written=False) from None
            status = self._status(*self._written)
            if status != "committed":
                raise self._error(error, written=False if status == "aborted" else None) from None

    def _status(self, transaction: str, running_since: str) -> str | None:
        """What became of a transaction. Only the same run of the server knows: its successor may be a copy that lacks
        the last commits and gives their numbers to others.
        """
        try:
            self._begin(write=True)  # behind the transaction in question, which had the lock
            found = self._driver.execute(STATUS, (transaction,)).fetchone()
            self.rollback()
        except FAILURES:
            return None
        return found[0] if found and found[1] == running_since else None

    def rollback(self) -> None:
        if self.in_transaction:
            with suppress(psycopg.Error):  # a connection that is lost has undone it
                self._ask("ROLLBACK")

    def describe(self) -> tuple[str, str | None]:
        settings = ("server_version", "fsync", "synchronous_commit")
        shown = [self._connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in settings]
        off = [name for name, value in zip(settings, shown, strict=True) if value == "off"]
        weak = f"{' and '.join(off)} off: what was committed may be forgotten when the server falls" if off else None
        return f"PostgreSQL {shown[0].split()[0]}", weak

    def close(self) -> None:
        with suppress(exc.DBAPIError):
            self._connection.close()
        self._engine.dispose()


def _parsed(url: Secret) -> URL:
    """The parts of the URL. No error repeats any of it, nor does a traceback that shows local variables."""
    wrong = _wrong(url)
    if wrong is not None:
        raise ConfigurationError(wrong)
    return make_url(url.reveal())


def _wrong(url: Secret) -> str | None:
    try:
        parsed = make_url(url.reveal())
    except (exc.ArgumentError, ValueError):
        return f"the URL of the store is not one: write {EXAMPLE}"
    if parsed.drivername not in SCHEMES:
        return f"the URL of the store is not one of PostgreSQL: write {EXAMPLE}"
    if "@" in (parsed.host or ""):
        return "the password in the URL of the store holds an @: write %40 for it"
    if any("password" in name for name in parsed.query):
        return f"the password belongs before the host in the URL of the store: write {EXAMPLE}"
    return None
