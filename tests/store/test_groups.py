"""A burst of transactions shares commits; each of them still succeeds, fails and is read by itself."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from aggregator.errors import StoreError
from aggregator.secret import Secret
from aggregator.store.database import MAX_GROUP, Store
from aggregator.store.schema import meta


def put(key: str, value: str = "1"):
    def work(c: Connection) -> str:
        c.execute(insert(meta).values(key=key, value=value))
        return key

    return work


def count(c: Connection) -> int:
    return c.execute(select(func.count()).select_from(meta)).scalar_one() - 1  # the schema's version is one


async def test_a_burst_shares_commits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[None] = []
    commit = store.database.commit
    monkeypatch.setattr(store.database, "commit", lambda: (seen.append(None), commit()))
    keys = await asyncio.gather(*(store.transact(put(f"k{n}")) for n in range(200)))
    assert keys == [f"k{n}" for n in range(200)]
    assert len(seen) <= 200 / MAX_GROUP + 20
    assert await store.read(count) == 200


async def test_one_that_fails_undoes_itself_and_no_other(store: Store) -> None:
    def fails(c: Connection) -> None:
        put("gone")(c)
        raise LookupError("on purpose")

    ends = await asyncio.gather(
        *(store.transact(fails if n == 5 else put(f"k{n}")) for n in range(10)), return_exceptions=True
    )
    assert [type(end) for end in ends].count(LookupError) == 1
    assert isinstance(ends[5], LookupError)
    assert await store.read(count) == 9


async def test_one_that_the_database_refuses_undoes_itself_and_no_other(store: Store) -> None:
    ends = await asyncio.gather(*(store.transact(put(f"k{n % 9}")) for n in range(10)), return_exceptions=True)
    assert isinstance(ends[9], IntegrityError)
    assert await store.read(count) == 9


async def test_each_sees_what_those_before_it_did(store: Store) -> None:
    def step(c: Connection) -> int:
        n = count(c)
        put(f"n{n}")(c)
        return n

    assert await asyncio.gather(*(store.transact(step) for _ in range(50))) == list(range(50))


async def test_when_nothing_is_durable_everyone_is_told(store: Store) -> None:
    def breaks(c: Connection) -> None:
        store.database.rollback()  # as a full disk does
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    ends = await asyncio.gather(
        *(store.transact(breaks if n == 3 else put(f"k{n}")) for n in range(6)), return_exceptions=True
    )
    written = await store.read(count)
    assert sum(isinstance(end, str) for end in ends) == written
    assert isinstance(ends[3], StoreError)


async def test_closing_finishes_what_was_asked_for(store: Store, store_at: Path | Secret) -> None:
    asked = [asyncio.ensure_future(store.transact(put(f"k{n}"))) for n in range(100)]
    await asyncio.sleep(0)
    store.close()
    assert len(await asyncio.gather(*asked)) == 100
    again = Store(store_at)
    assert await again.read(count) == 100
    again.close()


async def test_nobody_has_to_wait_for_the_end(store: Store) -> None:
    left = asyncio.ensure_future(store.transact(put("left")))
    await asyncio.sleep(0)
    left.cancel()
    await store.transact(put("after"))
    assert await store.read(count) == 2


async def test_a_burst_of_reads_shares_a_view(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.transact(put("there"))
    seen: list[bool] = []
    begin = store.database.begin
    monkeypatch.setattr(store.database, "begin", lambda *, write: (seen.append(write), begin(write=write))[1])
    assert await asyncio.gather(*(store.read(count) for _ in range(200))) == [1] * 200
    assert len(seen) <= 200 / MAX_GROUP + 20
    assert not any(seen)


async def test_a_read_sees_what_was_written_before_it_was_asked_for(store: Store) -> None:
    async def one(n: int) -> bool:
        key = await store.transact(put(f"k{n}"))
        return await store.read(lambda c: c.execute(select(meta.c.value).where(meta.c.key == key)).scalar()) == "1"

    assert all(await asyncio.gather(*(one(n) for n in range(100))))


@pytest.mark.parametrize("broken", ["SELECT * FROM nowhere", None])
async def test_a_read_that_fails_fails_alone(store: Store, broken: str | None) -> None:
    def fails(c: Connection) -> None:
        if broken is None:
            raise LookupError("on purpose")
        c.exec_driver_sql(broken)

    ends = await asyncio.gather(*(store.read(fails if n == 5 else count) for n in range(10)), return_exceptions=True)
    assert [end for n, end in enumerate(ends) if n != 5] == [0] * 9
    assert isinstance(ends[5], LookupError if broken is None else StoreError | ProgrammingError)
