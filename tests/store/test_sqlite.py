"""The file under everything: what it refuses and what it survives."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import insert, select, text

from aggregator.errors import StoreError
from aggregator.store import sqlite
from aggregator.store.database import Store
from aggregator.store.schema import log, meta, metadata
from aggregator.store.turns import interval_s

NOBODY = 65_534


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute(statement).fetchall()
        connection.commit()
        return found
    finally:
        connection.close()


@pytest.fixture
def path(quick: Path) -> Path:
    return quick / "below" / "store.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[Store]:
    store = Store(path, inline=True)
    yield store
    store.close()


def put(c, key="k"):
    c.execute(insert(meta).values(key=key, value="x"))


def test_every_table_is_strict(path: Path, file: Store) -> None:
    strict = {name for name, value in sql(path, "SELECT name, strict FROM pragma_table_list") if value}
    assert set(metadata.tables) <= strict


def test_a_wrong_type_is_refused_by_the_file_itself(path: Path, file: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        sql(path, "INSERT INTO account (id, held) VALUES ('a', 'much')")


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_what_is_committed_is_on_the_disk_and_waits_for_others(file: Store) -> None:
    found = file.now(lambda c: {name: c.execute(text(f"PRAGMA {name}")).scalar() for name in PRAGMAS}, write=False)
    assert found == PRAGMAS


def test_a_row_of_the_log_is_not_replaced_either(file: Store) -> None:
    file.now(lambda c: c.execute(insert(log).values(seq=1, at=1, kind="k", data={}, hash="h")))
    replace = text("INSERT OR REPLACE INTO event (seq, at, kind, data, hash) VALUES (1, 1, 'other', '{}', 'h')")
    with pytest.raises(Exception, match="immutable"):
        file.now(lambda c: c.execute(replace))


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, however long it may be" * 50)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path)


def test_a_directory_that_cannot_be_made_is_a_store_error(quick: Path) -> None:
    (quick / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(quick / "file" / "store.sqlite")


@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_that_cannot_be_written_is_a_store_error(path: Path, exists: bool) -> None:
    if exists:
        Store(path).close()
        path.chmod(0o444)
    path.parent.mkdir(exist_ok=True)
    for directory, mode in ((path.parent.parent, 0o755), (path.parent, 0o555)):
        directory.chmod(mode)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)  # root may write everywhere
    try:
        with pytest.raises(StoreError, match=r"cannot be opened|readonly|unable"):
            Store(path, inline=True)
    finally:
        os.seteuid(before)
        path.parent.chmod(0o755)


def test_a_full_disk_is_a_store_error_and_what_was_written_stays(file: Store) -> None:
    file.now(put)
    pages = file.now(lambda c: c.execute(text("PRAGMA page_count")).scalar_one(), write=False)
    file.now(lambda c: c.execute(text(f"PRAGMA max_page_count = {pages + 1}")), write=False)
    with pytest.raises(StoreError, match="full") as caught:
        file.now(lambda c: [put(c, f"{n}" * 2000) for n in range(100)])
    assert caught.value.written is False
    assert file.now(lambda c: c.execute(select(meta.c.key)).scalars().all(), write=False) == ["k", "schema_version"]
    file.now(lambda c: c.execute(text(f"PRAGMA max_page_count = {pages + 100}")), write=False)
    file.now(lambda c: put(c, "room again"))


@pytest.mark.parametrize("inline", [True, False])
async def test_a_commit_that_fails_leaves_the_store_usable(path: Path, inline: bool) -> None:
    store = Store(path, inline=inline)

    def orphan(c) -> None:
        c.execute(text("PRAGMA defer_foreign_keys = ON"))
        c.execute(text("INSERT INTO output (job, n, attempt, sha256) VALUES ('a', 1, 'b', 'c')"))

    with pytest.raises(Exception, match="FOREIGN KEY"):
        await store.transact(orphan)
    await store.transact(put)
    assert await store.read(lambda c: c.execute(text("SELECT count(*) FROM output")).scalar()) == 0
    store.close()


async def test_a_store_that_stays_locked_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    store = Store(path, inline=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.transact(put)
    assert await store.read(lambda c: c.execute(select(meta.c.key)).scalar()) == "schema_version"
    Store(path).close()  # looking at the version waits for no writer
    other.execute("ROLLBACK")
    other.close()
    await store.transact(put)
    store.close()


def test_who_has_just_written_comes_after_who_waits(path: Path) -> None:
    busy, other = sqlite.SQLite(path), sqlite.SQLite(path)
    order: list[str] = []

    def wait() -> None:
        other.begin(write=True)
        order.append("other")
        other.commit()

    busy.begin(write=True)
    waiting = threading.Thread(target=wait)
    waiting.start()
    until_s = time.monotonic() + 10
    with path.with_name(f"{path.name}-turn").open("ab") as turns:
        while _is_free(turns) and time.monotonic() < until_s:
            pass
    busy.commit()
    busy.begin(write=True)
    order.append("busy")
    busy.commit()
    waiting.join()
    busy.close()
    other.close()
    assert order == ["other", "busy"]


def _is_free(turns: BinaryIO) -> bool:
    try:
        fcntl.flock(turns, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(turns, fcntl.LOCK_UN)
    return True


def test_who_has_waited_longest_looks_most_often() -> None:
    """Of many who look equally often, one waits for ever."""
    looks = [interval_s(waited_s) for waited_s in (0, 0.1, 1, 5, 30)]
    assert looks == sorted(looks, reverse=True)
    assert looks[0] / looks[-1] > 15
    assert looks[-1] >= 0.0002
