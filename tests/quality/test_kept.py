"""Verdicts in the store, on each database: of the same pair and of the same output one row, the last."""

from typing import Any

from sqlalchemy import Connection, insert

from aggregator.periods import day_of
from aggregator.store import verdicts
from aggregator.store.database import Store
from aggregator.store.schema import account, job
from aggregator.store.verdicts import NewVerdict
from aggregator.verdicts import Verdict

DAY_MS = 86_400_000


def jobs(connection: Connection, *names: str) -> None:
    connection.execute(insert(account).values(id="project:film"))
    for name in names:
        connection.execute(
            insert(job).values(
                id=name,
                project="project:film",
                key=name,
                fingerprint="f",
                request={"task": "text-to-image"},
                ask={"role": None},
                stage="final",
                tags={},
                created_at=0,
                deadline_at=1,
            )
        )


def new(kind: Any, of: str, against: str | None = None) -> NewVerdict:
    other = {"against_job": against, "against": f"model-{against}"} if against else {}
    return NewVerdict(kind, "project:film", "look", "text-to-image", of, f"model-{of}", **other)


async def test_what_is_said_last_is_what_is_kept(store: Store) -> None:
    def say(connection: Connection) -> None:
        jobs(connection, "a", "b")
        verdicts.write(connection, [new("pick", "a", "b"), new("up", "a")], DAY_MS)
        verdicts.write(connection, [new("pick", "b", "a"), new("down", "a")], 2 * DAY_MS)
        verdicts.write(connection, [new("pick", "b", "a")], 3 * DAY_MS)

    await store.transact(say)
    assert await store.read(verdicts.read) == (
        Verdict(day_of(3 * DAY_MS), "look", "text-to-image", "pick", "model-b", "model-a"),
        Verdict(day_of(2 * DAY_MS), "look", "text-to-image", "down", "model-a", None),
    )


async def test_jobs_of_another_store_are_found_out(store: Store) -> None:
    await store.transact(lambda connection: jobs(connection, "a"))
    assert await store.read(lambda connection: verdicts.unknown_jobs(connection, ["a", "b"])) == {"b"}
