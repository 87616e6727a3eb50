"""Planted bugs: each is a way to lose money that somebody has written before. The schedules have to find them all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from aggregator import ledger
from aggregator.errors import JobTimeoutError
from aggregator.job import AttemptState as S
from aggregator.planning import Planner
from aggregator.routing.fallback import may_fall_back
from aggregator.runner import faults, fetch, runner, submit, unknown, watch
from aggregator.store.schema import account

Mutant = Callable[[pytest.MonkeyPatch], None]


def no_intent_before_the_send(patch: pytest.MonkeyPatch) -> None:
    """The paid request leaves first, and is written down when its answer is there."""
    planned = Planner.purchase

    def purchase(self: Planner, *args: Any, **kwargs: Any) -> Any:
        return replace(planned(self, *args, **kwargs), body=None)

    async def send_first(context: Any, of: Any, *, intended: bool) -> None:
        backend = context.backend(of)
        submission = await submit._send(context, backend, of)
        of = await context.move(of, S.SUBMITTING, sends=of.sends + 1, **context.lease())
        await submit._outcome(context, backend, of, submission)

    patch.setattr(Planner, "purchase", purchase)
    patch.setattr(runner, "submit", send_first)


def resubmits_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    """After a crash the request is simply sent again, with or without a key."""

    async def again(context: Any, of: Any) -> None:
        backend = context.backend(of)
        if of.state is S.SUBMITTING:
            of = await context.move(of, S.RECONCILING, maybe_sent=1, **context.lease())
        await submit._outcome(context, backend, of, await submit._send(context, backend, of))

    patch.setattr(runner, "reconcile", again)


def releases_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    async def give_back(context: Any, of: Any, error: Any) -> None:
        if of.state is S.UNKNOWN:
            raise faults.raised_again(of)
        await submit._not_taken(context, of, error, S.FAILED)

    patch.setattr(submit, "unknown", give_back)


def settles_twice(patch: pytest.MonkeyPatch) -> None:
    settle = ledger.settle

    def twice(connection: Any, attempt: str, amount: int, **kwargs: Any) -> int:
        over = settle(connection, attempt, amount, **kwargs)
        connection.execute(account.update().values(settled=account.c.settled + amount))
        return over

    patch.setattr(ledger, "settle", twice)


def settles_late(patch: pytest.MonkeyPatch) -> None:
    """The money is booked when the file is there, instead of when the job is done."""

    async def settled(context: Any, of: Any, delivery: Any, *_: Any) -> Any:
        return await context.move(of, S.SUCCEEDED, delivery=delivery.as_json(), error=None)

    true_fetch = fetch.fetch

    async def fetch_and_settle(context: Any, of: Any) -> None:
        await true_fetch(context, of)
        basis = {"amount_usd": "0.04", "source": "computed", "table": "", "lines": [], "unpriced": False}
        await context.store.transact(
            lambda c: ledger.settle(c, of.id, of.reserved, source="computed", basis=basis, at=context.now())
        )

    patch.setattr(watch, "_settled", settled)
    patch.setattr(runner, "fetch", fetch_and_settle)


def makes_a_lost_file_again(patch: pytest.MonkeyPatch) -> None:
    async def lost(context: Any, of: Any, error: Any) -> None:
        await context.move(of, S.LOST, error=faults.write_fault(error, of))
        await context.store.transact(
            lambda c: c.execute(text("UPDATE attempt SET state = 'failed' WHERE id = :id"), {"id": of.id})
        )

    patch.setattr(fetch, "_lost", lost)


def fails_over_on_a_time_out(patch: pytest.MonkeyPatch) -> None:
    true_unknown = unknown.unknown

    async def failed(context: Any, of: Any, error: Any) -> None:
        if not isinstance(error, JobTimeoutError):
            await true_unknown(context, of, error)
        await context.move(of, S.FAILED, error=faults.write_fault(error, of))

    patch.setattr(watch, "unknown", failed)
    patch.setattr(runner, "may_fall_back", lambda error: isinstance(error, JobTimeoutError) or may_fall_back(error))


def sends_a_fresh_key_each_time(patch: pytest.MonkeyPatch) -> None:
    send, count = submit._send, iter(range(10**9))

    async def fresh(context: Any, backend: Any, of: Any) -> Any:
        return await send(context, backend, replace(of, idempotency_key=f"{of.id}/{next(count)}"))

    patch.setattr(submit, "_send", fresh)


def believes_any_no_after_an_ambiguous_send(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(submit, "_judges_the_bytes", lambda submission: submission.outcome == "rejected")


def checks_the_budget_and_then_acts(patch: pytest.MonkeyPatch) -> None:
    """The check reads what was true a moment ago; the update asks for nothing."""
    true = ledger.reserve

    def reserve(connection: Any, name: str, *args: Any, **kwargs: Any) -> None:
        caps = connection.execute(account.select()).all()
        connection.execute(account.update().values(cap=None))
        true(connection, name, *args, **kwargs)
        for row in caps:
            connection.execute(account.update().where(account.c.id == row.id).values(cap=row.cap))

    patch.setattr(ledger, "reserve", reserve)


def releases_at_the_deadline(patch: pytest.MonkeyPatch) -> None:
    async def give_up(context: Any, of: Any, error: Any) -> None:
        release = lambda c, at: ledger.release(c, of.id, why="late", at=at)  # noqa: E731
        await context.move(of, S.FAILED, error=faults.write_fault(error, of), money=release)

    patch.setattr(watch, "unknown", give_up)


def takes_every_failure_for_free(patch: pytest.MonkeyPatch) -> None:
    failed = watch._failed

    async def free(context: Any, of: Any, error: Any, charged_usd: Any = None) -> Any:
        error.code = "failed_free"
        return await failed(context, of, error, charged_usd)

    patch.setattr(watch, "_failed", free)


def books_no_more_than_was_reserved(patch: pytest.MonkeyPatch) -> None:
    settle = ledger.settle

    def capped(connection: Any, attempt: str, amount: int, **kwargs: Any) -> int:
        hold, _ = ledger._resolution(connection, attempt)
        return settle(connection, attempt, min(amount, hold.amount), **kwargs)

    patch.setattr(ledger, "settle", capped)


def buys_for_whoever_asks_second(patch: pytest.MonkeyPatch) -> None:
    """A process that finds an intent takes it for its own."""

    def follow(self: Any, job_id: str, *, fresh: bool = False) -> Any:
        return true_follow(self, job_id, fresh=True)

    true_follow = runner.Runner.follow
    patch.setattr(runner.Runner, "follow", follow)


MUTANTS: dict[Mutant, int] = {
    no_intent_before_the_send: 0,
    resubmits_what_is_unknown: 13,
    releases_what_is_unknown: 13,
    settles_twice: 2,
    settles_late: 4,
    makes_a_lost_file_again: 33,
    fails_over_on_a_time_out: 5,
    sends_a_fresh_key_each_time: 2,
    believes_any_no_after_an_ambiguous_send: 147,
    checks_the_budget_and_then_acts: 27,
    releases_at_the_deadline: 5,
    takes_every_failure_for_free: 27,
    books_no_more_than_was_reserved: 4,
    buys_for_whoever_asks_second: 1,
}
"""Each with a seed that finds it at once; should that have changed, the whole range is searched."""
