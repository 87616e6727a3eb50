"""The store in memory and the one on disk are one: the same seeds, the same histories; and nothing read is changed."""

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from aggregator.store.database import Store
from aggregator.store.schema import account, meta
from tests.faults.quick import QuickDatabase, forget, unchanged
from tests.faults.simulation import Simulation, simulate
from tests.faults.stage import prepare
from tests.ledger.books import Books
from tests.ledger.test_model import Ledger

SEEDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
RANDOM = {"lease_owner"}
"""Names that no seed decides."""


def history(simulation: Simulation) -> dict[str, Any]:
    """Everything that was written, sent and struck."""
    found: dict[str, Any] = {
        table: [{name: value for name, value in row.items() if name not in RANDOM} for row in simulation.rows(table)]
        for table in ("account", "budget", "job", "attempt", "transfer", "event", "output", "inbox", "service_time")
    }
    found["artifact"] = sorted(row["sha256"] for row in simulation.rows("artifact"))
    found["exchanges"] = simulation.transport.exchanges
    found["struck"] = (simulation.deaths, dict(simulation.faults), simulation.server.time())
    simulation.close()
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_schedule_is_the_same_in_memory_and_on_disk(seed: int, quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    forget()
    memory = history(simulate(seed, quick / "memory", monkeypatch))
    assert unchanged()
    disk = history(simulate(seed, quick / "disk", monkeypatch, on_disk=True))
    for part, rows in memory.items():
        assert rows == disk[part], part
    assert len(memory["event"]) > 0


def test_the_same_seed_is_the_same_schedule(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    assert history(simulate(11, quick, monkeypatch)) == history(simulate(11, quick, monkeypatch))


def test_a_part_that_fails_is_undone_and_the_next_one_is_not() -> None:
    database = QuickDatabase()
    try:
        connection = database.begin(write=True)
        connection.execute(insert(account).values(id="a", cap=5))
        database.commit()
        connection = database.begin(write=True)
        connection.execute(update(account).where(account.c.id == "a").values(held=4))
        with pytest.raises(IntegrityError):
            connection.execute(update(account).values(held=6))
        database.rollback()
        connection = database.begin(write=True)
        connection.execute(insert(account).values(id="b"))
        database.commit()
        rows = connection.execute(select(account.c.id, account.c.held).order_by(account.c.id)).all()
        assert [tuple(row) for row in rows] == [("a", 0), ("b", 0)]
    finally:
        database.end()


def test_a_statement_that_is_kept_takes_other_values_each_time() -> None:
    database = QuickDatabase()
    one = select(account.c.id).where(account.c.id == bindparam("of"))
    some = select(account.c.id).where(account.c.id.in_(bindparam("ids", expanding=True))).order_by(account.c.id)
    try:
        connection = database.begin(write=True)
        for name in "abc":
            connection.execute(insert(account), {"id": name})
        assert [connection.execute(one, {"of": name}).scalar() for name in "cab"] == ["c", "a", "b"]
        for ids in (["a"], ["a", "c"], ["b", "c"], []):
            assert list(connection.execute(some, {"ids": ids}).scalars()) == ids
        for name in "ab":  # the same form, put together each time
            assert connection.execute(select(account.c.id).where(account.c.id == name)).scalar() == name
        narrowed = one.where(account.c.held == 1)  # made from one that is known
        assert connection.execute(narrowed, {"of": "a"}).first() is None
    finally:
        database.end()


def test_what_one_schedule_wrote_the_next_one_does_not_find() -> None:
    database = QuickDatabase()
    database.begin(write=True).execute(insert(account).values(id="a"))
    database.commit()
    database.end()
    again = QuickDatabase()
    try:
        assert again.raw is database.raw
        connection = again.begin(write=False)
        assert connection.execute(select(account.c.id)).all() == []
        assert connection.execute(select(meta.c.value)).scalar() is not None
    finally:
        again.end()


def test_the_simulation_uses_no_thread_and_no_socket() -> None:
    from tests.faults.stage import run_quiet

    async def wait() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run_quiet(wait) == 3600.0

    async def stuck() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="stuck"):
        run_quiet(stuck)


class InMemory(Ledger):
    """The model of the ledger's tests, on the store that the schedules use."""

    @staticmethod
    def fresh(stack: ExitStack) -> Books:
        database = QuickDatabase()
        stack.callback(database.end)
        store = Store.__new__(Store)
        store._executor = None
        store.database = database
        return Books(store)


TestLedgerInMemory = InMemory.TestCase
TestLedgerInMemory.settings = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "30")),
    stateful_step_count=int(os.environ.get("LEDGER_STEPS", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
