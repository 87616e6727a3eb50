"""The file under everything: what it refuses, what it survives, and that a transaction is all or nothing."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from aggregator import Aggregator
from aggregator.errors import StoreError
from aggregator.store import database
from aggregator.store.database import Store, filesystem_of, unsafe_filesystem
from aggregator.store.schema import meta, metadata


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


def test_every_table_is_strict(path: Path) -> None:
    Store(path).close()
    strict = {name for name, value in sql(path, "SELECT name, strict FROM pragma_table_list") if value}
    assert set(metadata.tables) <= strict


def test_a_wrong_type_is_refused_by_the_file_itself(path: Path) -> None:
    Store(path).close()
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        sql(path, "INSERT INTO account (id, held) VALUES ('a', 'much')")


def test_what_is_committed_is_on_the_disk_and_waits_for_others(path: Path) -> None:
    store = Store(path, inline=True)
    found = {name: store._connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    store.close()
    assert found == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    Store(path).close()
    sql(path, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="schema 99"):
        Store(path)
    assert sql(path, "SELECT value FROM meta") == [("99",)]


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, however long it may be" * 50)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path)


async def test_a_transaction_that_fails_never_was(path: Path) -> None:
    store = Store(path)

    def half(c: object) -> None:
        c.execute(insert(meta).values(key="half", value="x"))  # type: ignore[attr-defined]
        raise KeyError("half-way")

    with pytest.raises(KeyError):
        await store.transact(half)
    assert await store.read(lambda c: c.execute(select(meta.c.key)).scalars().all()) == ["schema_version"]
    await store.transact(lambda c: c.execute(insert(meta).values(key="whole", value="x")))
    store.close()
    store.close()
    assert ("whole",) in sql(path, "SELECT key FROM meta")


@pytest.mark.parametrize("inline", [True, False])
async def test_a_commit_that_fails_leaves_the_store_usable(path: Path, inline: bool) -> None:
    store = Store(path, inline=inline)

    def orphan(c: object) -> None:
        c.execute(text("PRAGMA defer_foreign_keys = ON"))  # type: ignore[attr-defined]
        c.execute(text("INSERT INTO output (job, n, attempt, sha256) VALUES ('a', 1, 'b', 'c')"))  # type: ignore[attr-defined]

    with pytest.raises(Exception, match="FOREIGN KEY"):
        await store.transact(orphan)
    await store.transact(lambda c: c.execute(insert(meta).values(key="after", value="x")))
    assert await store.read(lambda c: c.execute(text("SELECT count(*) FROM output")).scalar()) == 0
    store.close()


async def test_a_store_that_stays_locked_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    store = Store(path, inline=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.transact(lambda c: c.execute(insert(meta).values(key="k", value="x")))
    assert await store.read(lambda c: c.execute(select(meta.c.key)).scalar()) == "schema_version"
    other.execute("ROLLBACK")
    other.close()
    await store.transact(lambda c: c.execute(insert(meta).values(key="k", value="x")))
    store.close()


async def test_transactions_of_one_client_do_not_mix(path: Path) -> None:
    store = Store(path)

    def count(c: object) -> None:
        now = int(c.execute(select(meta.c.value).where(meta.c.key == "n")).scalar() or 0)  # type: ignore[attr-defined]
        c.execute(text("INSERT OR REPLACE INTO meta VALUES ('n', :n)"), {"n": str(now + 1)})  # type: ignore[attr-defined]

    await asyncio.gather(*(store.transact(count) for _ in range(50)))
    store.close()
    assert sql(path, "SELECT value FROM meta WHERE key = 'n'") == [("50",)]


def test_text_that_is_no_unicode_can_still_be_written_down(path: Path) -> None:
    """A provider may say anything: `json.loads` makes a lone surrogate of `"\\ud800"`."""
    store = Store(path, inline=True)
    odd = {"message": "\ud800 and more"}
    statement = text("INSERT INTO event (at, kind, data, hash) VALUES (1, 'k', :data, 'h')")
    written = metadata.tables["event"].c.data.type.process_bind_param(odd, None)
    store._begin(store._connection, lambda c: c.execute(statement, {"data": written}))
    row = store._begin(store._connection, lambda c: c.execute(select(metadata.tables["event"])).one())
    store.close()
    assert row.data == odd


# ------------------------------------------------------------------------------------------------------- file systems

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
systemd-1 /mnt/auto autofs rw 0 0
nas:/a /mnt/auto nfs4 rw 0 0
nas:/b /mnt/my\\040films cifs rw 0 0
nas:/c /mnt/nas nfs rw 0 0
/dev/sdb1 /mnt/nas/local ext4 rw 0 0
"""


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read, resolve, exists = Path.read_text, Path.resolve, Path.exists
    monkeypatch.setattr(
        Path, "read_text", lambda self, *a, **k: MOUNTS if str(self) == "/proc/mounts" else read(self, *a, **k)
    )
    monkeypatch.setattr(Path, "exists", lambda self, **k: str(self).startswith(("/mnt", "/run")) or exists(self, **k))
    monkeypatch.setattr(Path, "resolve", lambda self, **k: self if str(self).startswith("/mnt") else resolve(self, **k))


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/films", "ext4"),
        ("/run/films", "tmpfs"),
        ("/mnt/nas/films", "nfs"),
        ("/mnt/nas/local/films", "ext4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/auto/films", "nfs4"),
        ("/mnt/my films/a", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_and_topmost_mount(path: str, kind: str) -> None:
    assert filesystem_of(Path(path)) == kind


@pytest.mark.usefixtures("mounts")
def test_a_network_disk_is_refused_whatever_is_allowed() -> None:
    for allow in (True, False):
        assert "network file system (nfs)" in (unsafe_filesystem(Path("/mnt/nas/a"), allow_ephemeral=allow) or "")
    assert unsafe_filesystem(Path("/home/films"), allow_ephemeral=False) is None


@pytest.mark.usefixtures("mounts")
def test_a_ram_disk_is_refused_unless_it_is_allowed() -> None:
    assert "allow_ephemeral" in (unsafe_filesystem(Path("/run/a"), allow_ephemeral=False) or "")
    assert unsafe_filesystem(Path("/run/a"), allow_ephemeral=True) is None


async def test_a_client_does_not_open_on_a_disk_that_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "filesystem_of", lambda _path: "tmpfs")
    with pytest.raises(StoreError, match="RAM disk"):
        async with Aggregator.local(tmp_path / "store"):
            pass
    assert not (tmp_path / "store").exists()
    async with Aggregator.local(tmp_path / "store", allow_ephemeral=True):
        pass


async def test_a_client_does_not_open_on_books_that_do_not_add_up(tmp_path: Path) -> None:
    async with Aggregator.local(tmp_path, budget_usd="5"):
        pass
    sql(tmp_path / "store.sqlite", "UPDATE account SET settled = 7 WHERE id = 'organisation'")
    with pytest.raises(Exception, match="do not add up"):
        async with Aggregator.local(tmp_path):
            pass
