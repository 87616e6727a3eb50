"""Every released version of the store can be opened: its tables become today's, its rows stay, its books add up."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from aggregator import ledger
from aggregator.store import journal, migrations
from aggregator.store.database import Store
from aggregator.store.reports import job_records
from aggregator.store.schema import SCHEMA_VERSION

RELEASED = {int(file.stem[1:]): file for file in (Path(__file__).parent / "released").glob("v*.sql")}
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=sorted(RELEASED))
def old(request: pytest.FixtureRequest, quick: Path) -> Path:
    """A store as a released version left it."""
    return unpacked(request.param, quick / "store.sqlite")


def unpacked(version: int, path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(RELEASED[version].read_text())
    connection.close()
    return path


def rows(path: Path) -> Rows:
    """Everything that is written, by table."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    connection.close()
    return found


def schema(path: Path) -> dict[str, Any]:
    """What the database itself says of its tables, columns, checks, keys, indexes and triggers, in no order."""
    connection = sqlite3.connect(path)

    def ask(pragma: str, of: str) -> list[Any]:
        return connection.execute(f"SELECT * FROM pragma_{pragma}(?)", (of,)).fetchall()

    found: dict[str, Any] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
        if kind == "table":
            # A column that was added stands at the end: where it stands is not looked at.
            columns = {column[1:] for column in ask("table_info", name)}
            keys = {key[2:] for key in ask("foreign_key_list", name)}
            indexes = {
                (index[2:], tuple(place[2] for place in ask("index_info", index[1])))
                for index in ask("index_list", name)
            }
            checks = {line.strip(" \t,") for line in sql.splitlines() if "CHECK" in line}
            found[name] = (columns, keys, indexes, checks, sql.rstrip().endswith("STRICT"))
        elif sql is not None:
            found[name] = " ".join(sql.split())
    connection.close()
    return found


def test_every_version_before_this_one_was_kept() -> None:
    assert sorted(RELEASED) == list(range(1, SCHEMA_VERSION))
    assert sorted(migrations.STEPS) == sorted(RELEASED)


def test_the_tables_are_those_that_are_made_today(old: Path, quick: Path) -> None:
    Store(old).close()
    Store(quick / "new.sqlite").close()
    now, new = schema(old), schema(quick / "new.sqlite")
    assert now.keys() == new.keys()
    for name in new:
        assert now[name] == new[name], name


def test_what_was_written_stays_and_adds_up(old: Path) -> None:
    before = rows(old)
    assert {row["state"] for row in before["attempt"]} >= {"stored", "failed", "refused", "unknown", "submitted"}
    assert {row["kind"] for row in before["transfer"]} >= {"pending", "post", "void"}
    store = Store(old, inline=True)
    for check in (ledger.verify, journal.verify_log):
        store.now(check, write=False)
    records = store.now(job_records, write=False)
    store.now(lambda c: journal.write_event(c, None, "opened", {}, 1))  # today's seals go on from those of the time
    store.now(journal.verify_log, write=False)
    store.close()
    after = rows(old)
    assert after.pop("meta") == [{"key": "schema_version", "value": str(SCHEMA_VERSION)}]
    after["event"].pop()
    for name in before.keys() - {"meta"}:
        kept = [{column: row[column] for column in was} for was, row in zip(before[name], after[name], strict=True)]
        assert kept == before[name], name
    assert len(records) == len(before["job"])


def test_when_an_attempt_of_version_1_was_sent_is_taken_from_the_log(quick: Path) -> None:
    path = unpacked(1, quick / "store.sqlite")
    Store(path).close()
    found = rows(path)
    for row in found["attempt"]:
        sent = [
            event["at"] for event in found["event"] if (event["attempt"], event["kind"]) == (row["id"], "submitting")
        ]
        assert sent
        assert (row["first_sent_at"], row["last_sent_at"]) == (min(sent), max(sent))


async def test_processes_that_open_it_at_once_lead_it_on_once(old: Path) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(Store, old) for _ in range(4)))
    for store in stores:
        await store.read(ledger.verify)
        store.close()
    assert rows(old)["meta"] == [{"key": "schema_version", "value": str(SCHEMA_VERSION)}]


def test_a_step_that_is_cut_short_leaves_the_old_version_whole(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement of every step is the last one, once; then it is opened again."""
    before, was = rows(old), schema(old)
    statements = [statement for step in migrations.STEPS.values() for statement in step["sqlite"]]
    execute = Connection.exec_driver_sql
    left = 0

    def mortal(self: Connection, statement: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if statement in statements:
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return execute(self, statement, *args, **kwargs)

    monkeypatch.setattr(Connection, "exec_driver_sql", mortal)
    needed = sum(len(step["sqlite"]) for version, step in migrations.STEPS.items() if version >= _version(old))
    for count in range(needed):
        left = count
        with pytest.raises(KeyboardInterrupt):
            Store(old)
        assert (rows(old), schema(old)) == (before, was)
    left = needed
    Store(old).close()
    assert _version(old) == SCHEMA_VERSION


def _version(path: Path) -> int:
    return int(rows(path)["meta"][0]["value"])


DIES = """
import os, sys
from pathlib import Path
from aggregator.store.database import Store
from aggregator.store.sqlite import SQLite

commit = SQLite.commit

def dies(self):
    if self._connection.exec_driver_sql("SELECT value FROM meta").scalar() == sys.argv[2]:
        os.kill(os.getpid(), 9)
    commit(self)

SQLite.commit = dies
Store(Path(sys.argv[1]), inline=True)
"""


def test_a_process_that_is_killed_before_the_commit_leaves_the_old_version_whole(old: Path) -> None:
    before, was = rows(old), schema(old)
    killed = subprocess.run([sys.executable, "-c", DIES, str(old), str(SCHEMA_VERSION)], check=False, timeout=60)
    assert killed.returncode == -9
    assert (rows(old), schema(old)) == (before, was)
    Store(old).close()
    assert _version(old) == SCHEMA_VERSION
