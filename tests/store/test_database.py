"""What holds on both databases: a transaction is all or nothing, one writes at a time, what is immutable stays."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from aggregator import Aggregator
from aggregator.errors import StoreError
from aggregator.secret import Secret
from aggregator.store import journal
from aggregator.store.database import Store
from aggregator.store.schema import (
    IMMUTABLE,
    SCHEMA_VERSION,
    account,
    attempt,
    credit_rate,
    job,
    log,
    meta,
    transfer,
)

At = Path | Secret


@pytest.fixture
def one(store_at: At):
    """A store on this thread."""
    store = Store(store_at, inline=True)
    yield store
    store.close()


def put(c, key="k"):
    c.execute(insert(meta).values(key=key, value="x"))


def keys(c):
    return set(c.execute(select(meta.c.key)).scalars())


def reopened(store_at: At):
    store = Store(store_at, inline=True)
    try:
        return store.now(keys, write=False)
    finally:
        store.close()


async def test_a_transaction_that_fails_never_was(store: Store, store_at: At) -> None:
    def half(c) -> None:
        put(c, "half")
        raise KeyError("half-way")

    with pytest.raises(KeyError):
        await store.transact(half)
    assert await store.read(keys) == {"schema_version"}
    await store.transact(lambda c: put(c, "whole"))
    store.close()
    store.close()
    assert reopened(store_at) == {"schema_version", "whole"}


async def test_transactions_of_one_client_do_not_mix(store: Store) -> None:
    await store.transact(lambda c: c.execute(insert(meta).values(key="n", value="0")))

    def count(c) -> None:
        now = int(c.execute(select(meta.c.value).where(meta.c.key == "n")).scalar())
        c.execute(update(meta).where(meta.c.key == "n").values(value=str(now + 1)))

    await asyncio.gather(*(store.transact(count) for _ in range(50)))
    assert await store.read(lambda c: c.execute(select(meta.c.value).where(meta.c.key == "n")).scalar()) == "50"


COUNTING = """
import os
from pathlib import Path
from sqlalchemy import select, update
from aggregator.secret import Secret
from aggregator.store import journal
from aggregator.store.database import Store
from aggregator.store.schema import meta

where = os.environ["TEST_STORE"]
store = Store(Secret(where) if "://" in where else Path(where), inline=True)

def count(c):
    now = int(c.execute(select(meta.c.value).where(meta.c.key == "n")).scalar())
    c.execute(update(meta).where(meta.c.key == "n").values(value=str(now + 1)))
    journal.write_event(c, None, "counted", {"n": now}, now)

for _ in range(100):
    store.now(count)
store.close()
"""


def test_processes_that_write_at_once_lose_nothing_and_the_log_has_one_end(one: Store, store_at: At) -> None:
    one.now(lambda c: c.execute(insert(meta).values(key="n", value="0")))
    where = str(store_at) if isinstance(store_at, Path) else store_at.reveal()
    running = [
        subprocess.Popen([sys.executable, "-c", COUNTING], env={**os.environ, "TEST_STORE": where}) for _ in "12"
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert one.now(lambda c: c.execute(select(meta.c.value).where(meta.c.key == "n")).scalar()) == "200"
    assert one.now(lambda c: c.execute(select(log.c.at).order_by(log.c.seq)).scalars().all()) == list(range(200))
    one.now(journal.verify_log, write=False)


def test_a_read_is_one_view_whatever_others_write(one: Store, store_at: At) -> None:
    other = Store(store_at, inline=True)

    def twice(c):
        first = keys(c)
        other.now(put)
        return first, keys(c)

    first, second = one.now(twice, write=False)
    assert first == second == {"schema_version"}
    assert one.now(keys, write=False) == {"schema_version", "k"}
    other.close()


def write_one_of_each(c) -> None:
    c.execute(insert(account).values(id="film"))
    c.execute(insert(credit_rate).values(currency="credit:x", from_at=1, usd="0.01", source="s"))
    journal.write_event(c, "a", "k", {}, 1)
    ends = {"stage": "s", "created_at": 0, "deadline_at": 0}
    c.execute(insert(job).values(id="j", project="film", key="k", fingerprint="f", request={}, ask={}, tags={}, **ends))
    texts = dict.fromkeys(("provider", "endpoint", "model", "account_ref", "table_checked", "reuse_address"), "x")
    made = {"plan": {}, "reserved": 0, "state": "stored", "idempotency_key": "a", "warnings": []}
    c.execute(insert(attempt).values(id="a", job="j", n=1, **made, **texts))
    hold = {"kind": "pending", "debit": "film", "credit": "p", "amount": 1, "source": "s", "basis": {}}
    c.execute(insert(transfer).values(id="a:hold", attempt="a", at=0, **hold))


@pytest.mark.parametrize("table", IMMUTABLE, ids=lambda table: table.name)
def test_what_is_immutable_is_not_changed_nor_deleted(one: Store, table) -> None:
    one.now(write_one_of_each)
    before = one.now(lambda c: c.execute(select(table)).all(), write=False)
    column = next(iter(table.columns))
    statements = [table.update().values({column: column}), table.delete()]
    if one.database.is_shared:
        statements.append(text(f"TRUNCATE {table.name} CASCADE"))
    for statement in statements:
        with pytest.raises(IntegrityError, match=f"{table.name} rows are immutable"):
            one.now(lambda c, statement=statement: c.execute(statement))
    assert before
    assert one.now(lambda c: c.execute(select(table)).all(), write=False) == before


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(one: Store, store_at: At) -> None:
    newer = update(meta).values(value=str(SCHEMA_VERSION + 1))
    one.now(lambda c: c.execute(newer))
    with pytest.raises(StoreError, match=f"schema {SCHEMA_VERSION + 1}.*upgrade aggregator"):
        Store(store_at)
    assert one.now(lambda c: c.execute(select(meta.c.value)).scalar(), write=False) == str(SCHEMA_VERSION + 1)


def test_tables_of_another_program_are_refused_and_left_as_they_are(one: Store, store_at: At) -> None:
    one.now(lambda c: c.execute(text("DROP TABLE meta")))
    with pytest.raises(StoreError, match=r"another program.*transfer"):
        Store(store_at)


def test_a_meta_of_another_program_is_refused(one: Store, store_at: At) -> None:
    one.now(lambda c: c.execute(text("DELETE FROM meta")))
    with pytest.raises(StoreError, match="without a schema version"):
        Store(store_at)


async def test_two_that_open_a_new_store_at_once_make_it_once(store_at: At) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(Store, store_at) for _ in range(4)))
    assert await stores[0].read(keys) == {"schema_version"}
    for store in stores:
        store.close()


async def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.now(keys)


def test_text_that_is_no_unicode_can_still_be_written_down(one: Store) -> None:
    """A provider may say anything: `json.loads` makes a lone surrogate of `"\\ud800"`."""
    odd = {"message": "\ud800 and \x00 more"}
    one.now(lambda c: journal.write_event(c, None, "k", odd, 1))
    one.now(journal.verify_log, write=False)
    assert one.now(lambda c: c.execute(select(log.c.data)).scalar(), write=False) == odd


@pytest.mark.parametrize("change", ["data = '{}'", "at = at + 1", "kind = 'other'", "attempt = 'b'", "hash = 'h'"])
def test_a_row_of_the_log_that_was_changed_is_found(one: Store, change: str) -> None:
    for n in range(3):
        one.now(lambda c, n=n: journal.write_event(c, "a", "k", {"n": n}, n))
    off = "DROP TRIGGER event_no_update" + (" ON event" if one.database.is_shared else "")
    one.now(lambda c: c.execute(text(off)))
    one.now(lambda c: c.execute(text(f"UPDATE event SET {change} WHERE seq = 2")))
    with pytest.raises(StoreError, match="row 2 of the event log was changed"):
        one.now(journal.verify_log, write=False)


def test_an_error_of_the_database_repeats_no_value(one: Store) -> None:
    one.now(put)
    with pytest.raises(IntegrityError) as caught:
        one.now(lambda c: c.execute(insert(meta).values(key="k", value="a prompt")))
    assert "a prompt" not in str(caught.value)


async def test_a_client_does_not_open_on_books_that_do_not_add_up(
    quick: Path, store_at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"allow_ephemeral": True}
    if isinstance(store_at, Secret):
        monkeypatch.setenv("STORE_URL", store_at.reveal())
        settings["store"] = {"url_env": "STORE_URL"}
    async with Aggregator.local(quick / "below", budget_usd="5", **settings) as agg:
        wrong = update(account).where(account.c.id == bindparam("of")).values(settled=7)
        await agg.opened.store.transact(lambda c: c.execute(wrong, {"of": "organisation"}))
    with pytest.raises(Exception, match="do not add up"):
        async with Aggregator.local(quick / "below", **settings):
            pass
