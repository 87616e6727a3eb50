"""The same on PostgreSQL: every released version since it is there becomes today's, and keeps its rows."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, make_url

from aggregator import ledger
from aggregator.secret import Secret
from aggregator.store import journal, migrations
from aggregator.store.database import Store
from aggregator.store.reports import job_records
from aggregator.store.schema import SCHEMA_VERSION
from tests.postgres import database

RELEASED = {int(file.stem[1:]): file for file in (Path(__file__).parent / "released" / "postgresql").glob("v*.sql")}
SCHEMA = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT conrelid::regclass, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
)


def asked(url: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', 'public', false)")
        return [sorted(connection.execute(query).fetchall(), key=str) for query in queries]


def schema(url: str) -> list[list[tuple[Any, ...]]]:
    return asked(url, *SCHEMA)


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that is written, by table."""
    [tables] = asked(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = asked(url, *(f'SELECT to_jsonb(t) FROM "{name}" t' for (name,) in tables))
    return {name: [row for (row,) in lines] for (name,), lines in zip(tables, found, strict=True)}


@pytest.fixture(params=sorted(RELEASED))
def old(request: pytest.FixtureRequest, postgres_url: str) -> str:
    """A store as a released version left it."""
    address = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(RELEASED[request.param].read_bytes())
    return postgres_url


def test_every_version_since_postgresql_was_kept() -> None:
    assert sorted(RELEASED) == list(range(2, SCHEMA_VERSION))
    assert [version for version, step in migrations.STEPS.items() if "postgresql" in step] == sorted(RELEASED)


def test_the_tables_are_those_that_are_made_today(old: str) -> None:
    Store(Secret(old)).close()
    with database() as new:
        Store(Secret(new)).close()
        assert schema(old) == schema(new)


def test_what_was_written_stays_and_adds_up(old: str) -> None:
    before = rows(old)
    store = Store(Secret(old), inline=True)
    for check in (ledger.verify, journal.verify_log):
        store.now(check, write=False)
    assert len(store.now(job_records, write=False)) == len(before["job"])
    store.close()
    after = rows(old)
    assert after.pop("meta") == [{"key": "schema_version", "value": str(SCHEMA_VERSION)}]
    for name in before.keys() - {"meta"}:
        kept = [{column: row[column] for column in before[name][0]} for row in after[name]] if before[name] else []
        assert sorted(kept, key=str) == sorted(before[name], key=str), name


def test_a_step_that_is_cut_short_leaves_the_old_version_whole(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, was = rows(old), schema(old)
    last = migrations.STEPS[SCHEMA_VERSION - 1]["postgresql"][-1]
    execute = Connection.exec_driver_sql

    def mortal(self: Connection, statement: str, *args: Any, **kwargs: Any) -> Any:
        done = execute(self, statement, *args, **kwargs)
        if statement == last:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "exec_driver_sql", mortal)
        with pytest.raises(KeyboardInterrupt):
            Store(Secret(old))
    assert (rows(old), schema(old)) == (before, was)
    Store(Secret(old)).close()
    assert rows(old)["meta"] == [{"key": "schema_version", "value": str(SCHEMA_VERSION)}]
