"""The rows of deliveries, on each database: kept once, found by who needs them, removed when they are old."""

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from aggregator.job import AttemptState
from aggregator.runner import inbox as deliveries
from aggregator.store import journal
from aggregator.store.database import Store
from aggregator.store.journal import Attempt, NewAttempt, NewJob
from aggregator.store.schema import account, attempt, inbox

DAY_MS = 86_400_000
NAMES = {"endpoint": "cheap", "dialect": ""}


def made(c: Connection, job_id: str, state: AttemptState, remote_id: str | None = None) -> str:
    """A job with one attempt of the provider `calling`."""
    if c.execute(select(account.c.id)).first() is None:
        c.execute(insert(account).values(id="project:film"))
    journal.add_job(
        c,
        NewJob(job_id, "project:film", job_id, "1:x", {"task": "t"}, {}, "final", {}, created_at=0, deadline_at=1),
    )
    new = NewAttempt("calling", "cheap", "m", "", "2026-11-21", {"names": NAMES}, "1:y", 0, None)
    made = journal.add_attempt(c, job_id, new, state=AttemptState.RESERVED, lease_owner="o", lease_until=0, at=0)
    handle = {**NAMES, "id": remote_id} if remote_id else None
    c.execute(update(attempt).where(attempt.c.id == made).values(state=state, remote_id=remote_id, handle=handle))
    return made


def keep(c: Connection, msg_id: str, **more: Any) -> Any:
    given = {"attempt_id": None, "remote_id": "r1", "handle": {}, "at": 5, "news": True, **more}
    return deliveries.keep(c, "calling", msg_id, **given)


def rows(c: Connection) -> list[Any]:
    return list(c.execute(select(inbox).order_by(inbox.c.seq)))


def loaded(c: Connection, job_id: str) -> Attempt:
    found = journal.latest(c, job_id)
    assert found is not None
    return found


async def test_a_delivery_is_kept_once_for_the_attempt_that_its_address_names(store: Store) -> None:
    def work(c: Connection) -> None:
        ours = made(c, "j1", AttemptState.RECONCILING)
        made(c, "j2", AttemptState.SUBMITTED, "r1")
        told = keep(c, "a", attempt_id=ours, handle={"poll": "/x"})
        assert (told.id, told.job, told.state) == (ours, "j1", AttemptState.RECONCILING)
        assert keep(c, "a", attempt_id=ours, remote_id="other") is None
        [row] = rows(c)
        assert (row.attempt, row.remote_id, row.handle, row.handled_at) == (ours, "r1", {"poll": "/x"}, None)
        assert deliveries.found(c, loaded(c, "j1")) == {**NAMES, "poll": "/x", "id": "r1"}
        assert deliveries.found(c, loaded(c, "j2")) is None
        assert deliveries._waiting(c) == ["j1"]
        deliveries.handled(c, loaded(c, "j1"), 9)
        assert [row.handled_at for row in rows(c)] == [9]
        assert deliveries._waiting(c) == []
        deliveries.handled(c, loaded(c, "j1"), 10)
        assert [row.handled_at for row in rows(c)] == [9]

    await store.transact(work)


async def test_without_an_address_the_job_is_known_by_its_name(store: Store) -> None:
    def work(c: Connection) -> None:
        made(c, "j1", AttemptState.RUNNING, "r1")
        assert keep(c, "a").job == "j1"
        assert keep(c, "b", remote_id="r2") is None
        assert [(row.attempt, row.handled_at) for row in rows(c)] == [("j1.1", None), (None, 5)]

    await store.transact(work)


async def test_what_comes_before_the_answer_to_the_order_waits_for_it(store: Store) -> None:
    def work(c: Connection) -> None:
        made(c, "j1", AttemptState.SUBMITTING)
        assert keep(c, "a") is None
        assert [(row.attempt, row.handled_at) for row in rows(c)] == [(None, None)]
        assert deliveries._waiting(c) == []
        assert deliveries.found(c, loaded(c, "j1")) is None, "it may be about another one"
        handle = {**NAMES, "id": "r1"}
        c.execute(update(attempt).values(state=AttemptState.SUBMITTED, remote_id="r1", handle=handle))
        assert deliveries._waiting(c) == ["j1"]
        deliveries.handled(c, loaded(c, "j1"), 9)
        assert deliveries._waiting(c) == []

    await store.transact(work)


@pytest.mark.parametrize(
    ("state", "remote_id", "news", "waits"),
    [
        (AttemptState.RUNNING, "r1", True, True),
        (AttemptState.RUNNING, "r1", False, False),
        (AttemptState.UNKNOWN, None, False, True),
        (AttemptState.UNKNOWN, "r1", True, True),
        (AttemptState.STORED, "r1", True, False),
        (AttemptState.FAILED, None, False, False),
        (AttemptState.REFUSED, None, True, False),
    ],
)
async def test_whom_it_is_news_for(
    store: Store, state: AttemptState, remote_id: str | None, news: bool, waits: bool
) -> None:
    def work(c: Connection) -> None:
        ours = made(c, "j1", state, remote_id)
        assert (keep(c, "a", attempt_id=ours, news=news) is not None) is waits
        assert (rows(c)[0].handled_at is None) is waits

    await store.transact(work)


async def test_what_is_old_and_over_is_removed_and_nothing_else(store: Store) -> None:
    def work(c: Connection) -> None:
        open_, over = made(c, "j1", AttemptState.UNKNOWN), made(c, "j2", AttemptState.RUNNING, "r2")
        keep(c, "waits", attempt_id=open_)
        keep(c, "handled", attempt_id=over, news=False)
        keep(c, "over", attempt_id=over)
        keep(c, "new", attempt_id=over, news=False, at=DAY_MS)
        c.execute(update(attempt).where(attempt.c.id == over).values(state=AttemptState.STORED))
        deliveries.forget(c, 7 * DAY_MS)
        assert len(rows(c)) == 4
        deliveries.forget(c, 7 * DAY_MS + 6)
        assert [row.msg_id for row in rows(c)] == ["waits", "new"]

    await store.transact(work)
