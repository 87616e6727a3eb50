"""Brings a store of an older version up to date, a version at a time, all in the one transaction that opens it.

A step is written down once, as SQL, and never follows later changes of `schema`: it leads from one released version to
the next. Tests replay all of them from every released version.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, inspect, select, update

from aggregator.errors import StoreError
from aggregator.store.schema import SCHEMA_VERSION, meta, metadata

__all__ = ["STEPS", "bring_up_to_date", "version"]

VERSION = "schema_version"


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables of an empty database, or lead those of an older version to this one.

    It runs in a write transaction and looks again: another process may have been quicker.
    """
    found = version(connection)
    if found is None:
        metadata.create_all(connection)
        connection.execute(insert(meta).values(key=VERSION, value=str(SCHEMA_VERSION)))
        return
    for step in range(found, SCHEMA_VERSION):
        for statement in STEPS[step][connection.dialect.name]:
            connection.exec_driver_sql(statement)
    connection.execute(update(meta).where(meta.c.key == VERSION).values(value=str(SCHEMA_VERSION)))


def version(connection: Connection) -> int | None:
    """The version of the store; `None` of a database without one. Reads only.

    Raises:
        StoreError: It was written by a newer version, or by another program.

    """
    inspector = inspect(connection)
    if not inspector.has_table(meta.name):
        foreign = sorted(set(inspector.get_table_names()) & set(metadata.tables))
        if foreign:
            raise StoreError(
                f"the database has tables of another program, by the names of ours: {', '.join(foreign)}. Nothing was "
                "changed: choose another database"
            )
        return None
    found = connection.execute(select(meta.c.value).where(meta.c.key == VERSION)).scalar()
    if found is None:
        raise StoreError("the database has a table 'meta' without a schema version: choose another database")
    if int(found) > SCHEMA_VERSION:
        raise StoreError(
            f"the store has schema {found}, this version of aggregator reads {SCHEMA_VERSION}: upgrade aggregator, "
            "or choose another directory"
        )
    return int(found)


_SQLITE_2 = (
    "ALTER TABLE account ADD COLUMN warned INTEGER DEFAULT '0' NOT NULL",
    "ALTER TABLE account ADD COLUMN window_of TEXT REFERENCES account (id)",
    "ALTER TABLE account ADD COLUMN from_at INTEGER",
    "ALTER TABLE account ADD COLUMN until_at INTEGER",
    "ALTER TABLE attempt ADD COLUMN known TEXT",
    "ALTER TABLE attempt ADD COLUMN first_sent_at INTEGER",
    "ALTER TABLE attempt ADD COLUMN last_sent_at INTEGER",
    "ALTER TABLE attempt ADD COLUMN found_by TEXT",
    # Version 1 wrote each sending into the log alone.
    """UPDATE attempt SET
        first_sent_at = (SELECT min(at) FROM event WHERE event.attempt = attempt.id AND kind = 'submitting'),
        last_sent_at = (SELECT max(at) FROM event WHERE event.attempt = attempt.id AND kind = 'submitting')
    WHERE sends > 0""",
    "ALTER TABLE transfer ADD COLUMN currency TEXT",
    "ALTER TABLE transfer ADD COLUMN credits INTEGER",
    "ALTER TABLE transfer ADD COLUMN credit_usd TEXT",
    """CREATE TABLE budget (
        account TEXT NOT NULL,
        period TEXT NOT NULL,
        cap INTEGER NOT NULL,
        PRIMARY KEY (account, period),
        CONSTRAINT known_period CHECK (period IN ('day', 'week', 'month')),
        CONSTRAINT cap_not_negative CHECK (cap >= 0),
        FOREIGN KEY(account) REFERENCES account (id)
    ) STRICT""",
    """CREATE TABLE credit_rate (
        currency TEXT NOT NULL,
        from_at INTEGER NOT NULL,
        usd TEXT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (currency, from_at)
    ) STRICT""",
    """CREATE TRIGGER credit_rate_no_update BEFORE UPDATE ON credit_rate
    BEGIN SELECT RAISE(ABORT, 'credit_rate rows are immutable'); END""",
    """CREATE TRIGGER credit_rate_no_delete BEFORE DELETE ON credit_rate
    BEGIN SELECT RAISE(ABORT, 'credit_rate rows are immutable'); END""",
    """CREATE TABLE inbox (
        seq INTEGER NOT NULL,
        source TEXT NOT NULL,
        msg_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        attempt TEXT,
        remote_id TEXT,
        handle TEXT,
        handled_at INTEGER,
        PRIMARY KEY (seq),
        CONSTRAINT one_row_per_delivery UNIQUE (source, msg_id)
    ) STRICT""",
    "CREATE INDEX inbox_by_attempt ON inbox (attempt)",
    "CREATE INDEX inbox_by_remote_job ON inbox (source, remote_id)",
    "CREATE INDEX inbox_waiting ON inbox (seq) WHERE handled_at IS NULL",
    """CREATE TABLE throttle (
        provider TEXT NOT NULL,
        account_ref TEXT NOT NULL,
        next_at INTEGER DEFAULT '0' NOT NULL,
        at_once REAL,
        frozen_until INTEGER DEFAULT '0' NOT NULL,
        PRIMARY KEY (provider, account_ref)
    ) STRICT""",
    """CREATE TABLE pause (
        offer TEXT NOT NULL,
        rates TEXT NOT NULL,
        attempt TEXT NOT NULL,
        at INTEGER NOT NULL,
        lifted_at INTEGER,
        PRIMARY KEY (offer, rates),
        FOREIGN KEY(attempt) REFERENCES attempt (id)
    ) STRICT""",
)


def _step_3(integer: str, strict: str) -> tuple[str, ...]:
    return (
        f"ALTER TABLE attempt ADD COLUMN took_ms {integer}",
        "CREATE INDEX attempt_by_end ON attempt (finished_at)",
        f"""CREATE TABLE verdict (
            id TEXT NOT NULL,
            at {integer} NOT NULL,
            project TEXT NOT NULL,
            role TEXT NOT NULL,
            task TEXT NOT NULL,
            kind TEXT NOT NULL,
            job TEXT NOT NULL,
            model TEXT NOT NULL,
            against TEXT,
            PRIMARY KEY (id),
            CONSTRAINT known_verdict CHECK (kind IN ('pick', 'up', 'down')),
            FOREIGN KEY(job) REFERENCES job (id)
        ){strict}""",
        "CREATE INDEX verdict_by_time ON verdict (at)",
        f"""CREATE TABLE quarantine (
            offer TEXT NOT NULL,
            since {integer} NOT NULL,
            why TEXT NOT NULL,
            evidence TEXT NOT NULL,
            lifted_at {integer},
            PRIMARY KEY (offer)
        ){strict}""",
        f"""CREATE TABLE redirected (
            offer TEXT NOT NULL,
            served_model TEXT NOT NULL,
            attempt TEXT NOT NULL,
            first_at {integer} NOT NULL,
            last_at {integer} NOT NULL,
            count {integer} NOT NULL,
            PRIMARY KEY (offer, served_model),
            FOREIGN KEY(attempt) REFERENCES attempt (id)
        ){strict}""",
    )


def _step_4(integer: str, strict: str) -> tuple[str, ...]:
    return (
        f"""CREATE TABLE run (
            id TEXT NOT NULL,
            project TEXT NOT NULL,
            name TEXT NOT NULL,
            workflow TEXT NOT NULL,
            inputs TEXT NOT NULL,
            stage TEXT NOT NULL,
            state TEXT NOT NULL,
            generation TEXT NOT NULL,
            settings TEXT NOT NULL,
            created_at {integer} NOT NULL,
            updated_at {integer} NOT NULL,
            PRIMARY KEY (id),
            CONSTRAINT one_run_per_name UNIQUE (project, name),
            CONSTRAINT known_run_state CHECK (state IN ('running', 'paused', 'finished', 'failed', 'canceled')),
            FOREIGN KEY(project) REFERENCES account (id)
        ){strict}""",
        f"""CREATE TABLE run_step (
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            take {integer} NOT NULL,
            address TEXT,
            job TEXT,
            output TEXT,
            state TEXT NOT NULL,
            why TEXT,
            started_at {integer},
            ended_at {integer},
            PRIMARY KEY (run, step, take),
            CONSTRAINT known_step_state CHECK (state IN ('waiting', 'running', 'reused', 'attached', 'made', 'failed', \
'skipped', 'paused')),
            FOREIGN KEY(run) REFERENCES run (id),
            FOREIGN KEY(job) REFERENCES job (id)
        ){strict}""",
        f"""CREATE TABLE pick (
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            address TEXT NOT NULL,
            take {integer} NOT NULL,
            "by" TEXT NOT NULL,
            at {integer} NOT NULL,
            PRIMARY KEY (run, step, address),
            CONSTRAINT known_picker CHECK (by IN ('person', 'score', 'first')),
            FOREIGN KEY(run) REFERENCES run (id)
        ){strict}""",
        f"""CREATE TABLE made (
            address TEXT NOT NULL,
            output TEXT NOT NULL,
            took_ms {integer} NOT NULL,
            at {integer} NOT NULL,
            PRIMARY KEY (address)
        ){strict}""",
        f"""CREATE TABLE earmark (
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            account TEXT NOT NULL,
            amount {integer} NOT NULL,
            at {integer} NOT NULL,
            PRIMARY KEY (run, step),
            CONSTRAINT earmark_not_negative CHECK (amount >= 0),
            FOREIGN KEY(run) REFERENCES run (id),
            FOREIGN KEY(account) REFERENCES account (id)
        ){strict}""",
    )


_BY_KEY = "CREATE INDEX job_by_key ON job (project, key text_pattern_ops)"

STEPS: Mapping[int, Mapping[str, Sequence[str]]] = {
    1: {"sqlite": _SQLITE_2},  # version 1 was SQLite alone
    2: {"sqlite": _step_3("INTEGER", " STRICT"), "postgresql": _step_3("BIGINT", "")},
    3: {"sqlite": _step_4("INTEGER", " STRICT"), "postgresql": (*_step_4("BIGINT", ""), _BY_KEY)},
}
"""From each released version to the next, by dialect."""
