"""Planted bugs: each is a way to lose money that somebody has written before. The schedules have to find them all."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from aggregator import engine, ledger
from aggregator._lookup import Listed
from aggregator._wire import Reading
from aggregator.contract import State
from aggregator.errors import JobFailedError, JobTimeoutError, ProviderError, UnavailableError
from aggregator.job import AttemptState as S
from aggregator.planning import Planner
from aggregator.routing.fallback import may_fall_back
from aggregator.runner import faults, fetch, reconcile, runner, submit, watch
from aggregator.store import files, journal
from aggregator.store.schema import account
from tests.faults.planting import Mutant, Planted

# ------------------------------------------------------------------------------------------------ sending and resending


def no_intent_before_the_send(plant: Planted) -> None:
    """The paid request leaves first, and is written down when its answer is there."""
    planned = Planner.purchase

    def purchase(self: Planner, *args: Any, **kwargs: Any) -> Any:
        return replace(planned(self, *args, **kwargs), body=None)

    async def send_first(context: Any, of: Any, **_: Any) -> None:
        backend = context.backend(of)
        submission = await submit.send(context, backend, of)
        at = {"first_sent_at": context.now(), "last_sent_at": context.now()}
        of = await context.move(of, S.SUBMITTING, sends=of.sends + 1, **at, **context.lease())
        await submit.outcome(context, backend, of, submission)

    plant.change(Planner, "purchase", purchase)
    plant.put(runner, "submit", send_first)


def resubmits_what_is_unknown(plant: Planted) -> None:
    """After a crash the request is simply sent again, with or without a key."""

    async def again(context: Any, of: Any) -> None:
        backend = context.backend(of)
        if of.state is S.SUBMITTING:
            of = await context.move(of, S.RECONCILING, maybe_sent=1, **context.lease())
        await submit.outcome(context, backend, of, await submit.send(context, backend, of))

    plant.put(runner, "reconcile", again)


def retries_a_time_out_within_the_call(plant: Planted) -> None:
    """As official clients do: no answer, so the request is sent again, below everything that could know."""
    send = engine.Engine._pay

    async def twice(self: Any, *args: Any, **kwargs: Any) -> Any:
        submission, response = await send(self, *args, **kwargs)
        return await send(self, *args, **kwargs) if submission.outcome == "unknown" else (submission, response)

    plant.put(engine.Engine, "_pay", twice)


def sends_a_fresh_key_each_time(plant: Planted) -> None:
    send, count = submit.send, iter(range(10**9))

    async def fresh(context: Any, backend: Any, of: Any) -> Any:
        return await send(context, backend, replace(of, idempotency_key=f"{of.id}/{next(count)}"))

    plant.put(submit, "send", fresh)


def replays_a_key_that_has_ended(plant: Planted) -> None:
    plant.put(reconcile, "_knows_key", lambda _context, provider, of: provider.idempotency != "none" and of.body)


def fails_over_on_a_time_out(plant: Planted) -> None:
    """A slow job is given up, and bought at the next offer."""
    true_unknown = watch.unknown

    async def failed(context: Any, of: Any, error: Any) -> None:
        if not isinstance(error, JobTimeoutError):
            await true_unknown(context, of, error)
        release = lambda c, at: ledger.release(c, of.id, why="late", at=at)  # noqa: E731
        await context.move(of, S.FAILED, error=faults.write_fault(error, of), money=release)

    plant.put(watch, "unknown", failed)
    plant.change(runner, "may_fall_back", lambda error: isinstance(error, JobTimeoutError) or may_fall_back(error))


def buys_for_whoever_asks_second(plant: Planted) -> None:
    """A process that finds an intent takes it for its own."""
    true_follow = runner.Runner.follow
    plant.put(runner.Runner, "follow", lambda self, job_id, **_: true_follow(self, job_id, fresh=True))


def takes_over_whoever_is_silent(plant: Planted) -> None:
    """A lease is no reason to wait: the request of a living process is reconciled under its hands."""

    async def hold(self: Any, of: Any) -> Any:
        context = self._context
        context.ended.add(of.id)
        claimed = await context.store.transact(lambda c: journal.claim(c, of, **context.lease()))
        return await context.load(of.job) if claimed else None

    plant.put(runner.Runner, "_hold", hold)


def serves_another_request_under_the_key(plant: Planted) -> None:
    async def find(self: Any, project: str, key: str, _fingerprint: str) -> Any:
        row = await self._context.store.read(lambda c: journal.find(c, project, key))
        return None if row is None else await self._context.load(row.id)

    plant.put(runner.Runner, "find", find)


# ---------------------------------------------------------------------------------------------------------- finding out


def releases_what_is_unknown(plant: Planted) -> None:
    async def give_back(context: Any, of: Any, error: Any, **_: Any) -> None:
        if of.state is S.UNKNOWN:
            raise faults.raised_again(of)
        await submit.not_taken(context, of, error, S.FAILED)

    plant.put(reconcile, "unknown", give_back)


def _believed_at_once(plant: Planted, outcome: str) -> None:
    """While what was sent before may still arrive."""
    resent = reconcile._resent
    plant.put(reconcile, "_resent", lambda *given, **_: resent(*given, believe_no=True))
    plant.put(reconcile, "_judges_the_bytes", lambda submission: submission.outcome == outcome)


def believes_any_no_after_an_ambiguous_send(plant: Planted) -> None:
    _believed_at_once(plant, "rejected")


def forgets_that_it_may_have_been_sent(plant: Planted) -> None:
    """What certainly did not leave this time clears what may have left before."""
    _believed_at_once(plant, "never_sent")


def takes_an_empty_list_for_a_proof(plant: Planted) -> None:
    """A job that is not listed yet was not taken."""
    plant.put(reconcile, "_proof_s", lambda *_: 0.0)


def adopts_the_first_of_several(plant: Planted) -> None:
    """Whatever looks like it is it, whoever else it may belong to."""

    async def listed(context: Any, backend: Any, of: Any) -> Any:
        found = await context.engine.lookup(backend, reconcile._sought(backend, of))
        return found and Listed(found.handles[-1:], found.complete)

    plant.put(reconcile, "_listed", listed)
    plant.change(reconcile, "LATE_S", 3600.0)


# ------------------------------------------------------------------------------------------------------------ the money


def settles_twice(plant: Planted) -> None:
    settle = ledger.settle

    def twice(connection: Any, attempt: str, amount: int, **kwargs: Any) -> Any:
        moved = settle(connection, attempt, amount, **kwargs)
        connection.execute(account.update().values(settled=account.c.settled + amount))
        return moved

    plant.put(ledger, "settle", twice)


def settles_late(plant: Planted) -> None:
    """The money is booked when the file is there, instead of when the job is done."""
    bills: dict[str, Any] = {}
    true_settled, true_settle, true_output = watch._settled, ledger.settle, journal.add_output

    def remember(_connection: Any, attempt: str, amount: int, **kwargs: Any) -> Any:
        bills[attempt] = (amount, kwargs)
        return ledger.Moved()

    async def settled(*args: Any) -> Any:
        ledger.settle = remember  # type: ignore[assignment]
        try:
            return await true_settled(*args)
        finally:
            ledger.settle = true_settle

    def stored(connection: Any, of: Any, *args: Any) -> None:
        amount, kwargs = bills[of.id]
        true_settle(connection, of.id, amount, **kwargs)
        true_output(connection, of, *args)

    plant.put(watch, "_settled", settled)
    plant.change(journal, "add_output", stored)


def checks_the_budget_and_then_acts(plant: Planted) -> None:
    """The check reads what was true a moment ago; the update asks for nothing."""
    true = ledger.reserve

    def reserve(connection: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        caps = connection.execute(account.select()).all()
        connection.execute(account.update().values(cap=None))
        moved = true(connection, name, *args, **kwargs)
        for row in caps:
            connection.execute(account.update().where(account.c.id == row.id).values(cap=row.cap))
        return moved

    plant.put(ledger, "reserve", reserve)


def forgets_the_budget_of_the_day(plant: Planted) -> None:
    true = ledger.levels
    plant.put(ledger, "levels", lambda *args, **kwargs: [one for one in true(*args, **kwargs) if not one.period])


def reserves_on_the_project_alone(plant: Planted) -> None:
    """The organisation above it is not asked."""
    true = ledger.levels
    plant.put(ledger, "levels", lambda *args, **kwargs: [one for one in true(*args, **kwargs) if one.id == args[1]])


def releases_at_the_deadline(plant: Planted) -> None:
    async def give_up(context: Any, of: Any, error: Any, **_: Any) -> None:
        release = lambda c, at: ledger.release(c, of.id, why="late", at=at)  # noqa: E731
        await context.move(of, S.FAILED, error=faults.write_fault(error, of), money=release)

    plant.put(watch, "unknown", give_up)


def sweeps_old_reservations(plant: Planted) -> None:
    """What has been held for ten minutes is given back."""
    true = runner.Runner._step

    async def step(self: Any, of: Any, **kwargs: Any) -> None:
        context = self._context
        if of.state is S.UNKNOWN and context.now() - of.created_at > 600_000:
            release = lambda c, at: ledger.release(c, of.id, why="old", at=at)  # noqa: E731
            await context.move(of, S.FAILED, error=of.error, money=release)
        else:
            await true(self, of, **kwargs)

    plant.put(runner.Runner, "_step", step)


def takes_every_failure_for_free(plant: Planted) -> None:
    failed = watch._failed

    async def free(context: Any, of: Any, error: Any, charged_usd: Any = None) -> Any:
        error.code = "failed_free"
        return await failed(context, of, error, charged_usd)

    plant.put(watch, "_failed", free)


def takes_an_unreadable_answer_for_a_failure(plant: Planted) -> None:
    """A poll without an answer ends the job."""
    poll = engine.Engine.poll

    async def ends(self: Any, backend: Any, handle: Any) -> Any:
        try:
            return await poll(self, backend, handle)
        except UnavailableError as error:
            return Reading(State.FAILED, {}, error=JobFailedError(error.message, code="failed_free"))

    plant.put(engine.Engine, "poll", ends)


def books_no_more_than_was_reserved(plant: Planted) -> None:
    settle = ledger.settle

    def capped(connection: Any, attempt: str, amount: int, **kwargs: Any) -> Any:
        hold, *_ = ledger._history(connection, attempt)
        return settle(connection, attempt, min(amount, hold.amount), **kwargs)

    plant.put(ledger, "settle", capped)


def books_no_overrun(plant: Planted) -> None:
    """What a bill is above its quote is settled, and counted nowhere."""
    moved = ledger._moved

    def flat(connection: Any, hold: Any, by: Any, warn_at: Any) -> Any:
        return moved(connection, hold, {unit: replace(figures, overrun=0) for unit, figures in by.items()}, warn_at)

    plant.put(ledger, "_moved", flat)


# ---------------------------------------------------------------------------------------------------- files and the log


def makes_a_lost_file_again(plant: Planted) -> None:
    async def lost(context: Any, of: Any, error: Any) -> None:
        await context.move(of, S.LOST, error=faults.write_fault(error, of))
        await _bought_again(context, of)

    plant.put(fetch, "_lost", lost)


def makes_again_what_cannot_be_fetched(plant: Planted) -> None:
    """A download that fails is a job that failed."""
    true = fetch.fetch

    async def again(context: Any, of: Any) -> None:
        try:
            await true(context, of)
        except ProviderError as error:
            await context.move(of, S.LOST, error=faults.write_fault(error, of))
            await _bought_again(context, of)

    plant.put(runner, "fetch", again)


async def _bought_again(context: Any, of: Any) -> None:
    """The key is free for another order."""
    sql = text("UPDATE attempt SET state = 'failed' WHERE id = :id")
    await context.store.transact(lambda c: c.execute(sql, {"id": of.id}))


def keeps_half_a_file(plant: Planted) -> None:
    write = files.FileStore.write

    async def short(self: Any, chunks: Any, *, family: Any, expected_bytes: Any = None, **kwargs: Any) -> Any:
        del expected_bytes
        return await write(self, chunks, family=family, **kwargs)

    plant.put(files.FileStore, "write", short)


def names_a_file_that_is_not_there(plant: Planted) -> None:
    """The row is written, and the file keeps the name it had while it was not whole."""
    plant.put(files, "_publish", lambda *_: None)


def leaves_a_move_out_of_the_log(plant: Planted) -> None:
    true = journal.write_event
    plant.put(journal, "write_event", lambda c, of, kind, *rest: None if kind == "stored" else true(c, of, kind, *rest))


MUTANTS: dict[Mutant, int] = {
    no_intent_before_the_send: 205,
    resubmits_what_is_unknown: 7,
    retries_a_time_out_within_the_call: 12,
    sends_a_fresh_key_each_time: 0,
    replays_a_key_that_has_ended: 294,
    fails_over_on_a_time_out: 22,
    buys_for_whoever_asks_second: 7,
    takes_over_whoever_is_silent: 15,
    serves_another_request_under_the_key: 31,
    releases_what_is_unknown: 7,
    believes_any_no_after_an_ambiguous_send: 1,
    forgets_that_it_may_have_been_sent: 100,
    takes_an_empty_list_for_a_proof: 120,
    adopts_the_first_of_several: 418,
    settles_twice: 0,
    settles_late: 6,
    checks_the_budget_and_then_acts: 0,
    forgets_the_budget_of_the_day: 0,
    reserves_on_the_project_alone: 0,
    releases_at_the_deadline: 22,
    sweeps_old_reservations: 7,
    takes_every_failure_for_free: 4,
    takes_an_unreadable_answer_for_a_failure: 99,
    books_no_more_than_was_reserved: 1,
    books_no_overrun: 1,
    makes_a_lost_file_again: 6,
    makes_again_what_cannot_be_fetched: 1,
    keeps_half_a_file: 0,
    names_a_file_that_is_not_there: 0,
    leaves_a_move_out_of_the_log: 0,
}
"""Each with a seed that finds it at once, for the quick test; should that have changed, it searches on from there."""
