"""Who follows a job, and what comes next by its state.

Followers are tasks of their own: a caller that stops waiting stops nothing, and a job that another process follows is
only watched.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from aggregator import _observe, ledger
from aggregator._retry import CAP_S
from aggregator.artifact import Result
from aggregator.backend import Backend
from aggregator.contract import Call
from aggregator.errors import KeyConflictError, PricePausedError, ProviderError, RequestError
from aggregator.job import AttemptState, JobRecord
from aggregator.owner import is_gone
from aggregator.routing.fallback import MAX_ATTEMPTS, may_fall_back
from aggregator.runner import books, placing, room
from aggregator.runner.context import LEASE_S, SEND_LEASE_S, Context, retrieve
from aggregator.runner.faults import ended, raised_again
from aggregator.runner.fetch import fetch, result
from aggregator.runner.reconcile import ABSENT, reconcile
from aggregator.runner.submit import submit, upload
from aggregator.runner.watch import watch
from aggregator.store import journal, pauses, quarantine
from aggregator.store.journal import Attempt, MovedElsewhereError, NewAttempt, NewJob
from aggregator.store.reports import job_records

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Runner"]

S = AttemptState
WATCH_INTERVAL_S = 1.0
"""How often a job that another process follows is looked at."""
GONE = (404, 410)
MAX_CANCELS = 4
"""How often a provider is asked to cancel a job."""
CLOSE_GRACE_S = 30.0
"""How long closing waits for paid requests whose answer is still to come."""


class Runner:
    """Follows jobs to their end."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._follows: dict[str, asyncio.Task[Result]] = {}

    # ------------------------------------------------------------------------------------------------------ beginning

    async def find(self, project: str, key: str, fingerprint: str) -> Attempt | None:
        """The newest attempt of the job that a key belongs to.

        Raises:
            KeyConflictError: It belongs to another request.

        """

        def look(c: "Connection") -> tuple[Any, Attempt | None]:
            row = journal.find(c, project, key)
            return row, None if row is None else journal.latest(c, row.id)

        row, of = await self._context.store.read(look)
        if row is not None and row.fingerprint != fingerprint:
            raise KeyConflictError(
                f"the key {key!r} of {project.partition(':')[2]} belongs to another request, finished or under way: "
                "use another key for another request",
                key=key,
            )
        return of

    async def start(self, new: NewJob, purchase: NewAttempt) -> str:
        """Write a job down, reserve its money and begin to follow it. Returns its id: another's, if that one was
        quicker.
        """

        def begin(c: "Connection") -> tuple[str, ledger.Moved | None]:
            row = journal.find(c, new.project, new.key)
            if row is not None:
                return str(row.id), None
            room.spread(self._context, c, purchase, self._context.now())
            journal.add_job(c, new)
            return new.id, self._purchase(c, new.id, new.project, purchase)

        async def write() -> str:
            job_id, booked = await self._context.store.transact(begin)
            self._tell(booked, new.project, purchase)
            if job_id == new.id:
                self.follow(job_id, fresh=True)
            return job_id

        job_id = await self._context.whole(write())  # a purchase that is written down is sent, whoever stopped waiting
        if job_id != new.id:
            await self.find(new.project, new.key, new.fingerprint)
            self.follow(job_id)
        return job_id

    async def again(self, of: Attempt, purchase: NewAttempt, *, deadline_at: int) -> str:
        """Buy once more for a job whose last attempt ended with nothing; it gets its time again.

        While this client still follows the job (to another offer, perhaps), and where another process was quicker,
        nothing is bought.
        """

        def begin(c: "Connection") -> ledger.Moved | None:
            last = journal.latest(c, of.job)
            if last is None or last.state not in (S.FAILED, S.REFUSED, S.CANCELED):
                return None
            room.spread(self._context, c, purchase, self._context.now())
            journal.renew(c, of.job, deadline_at)
            return self._purchase(c, of.job, of.project, purchase)

        async def write() -> None:
            booked = await self._context.store.transact(begin)
            self._tell(booked, of.project, purchase)
            self.follow(of.job, fresh=booked is not None)

        known = self._follows.get(of.job)
        if known is None or known.done():
            await self._context.whole(write())
        return of.job

    def _purchase(self, c: "Connection", job_id: str, project: str, purchase: NewAttempt) -> ledger.Moved:
        """An attempt and its reservation. With nothing to wait for, the intent to send is part of it: one commit
        less.
        """
        context, at = self._context, self._context.now()
        context.planner.paused = pauses.paused(c)
        context.planner.quarantined = quarantine.reasons(c)
        pauses.refuse(context.planner.paused, purchase)
        purchase = placing.placed(context, c, purchase)
        at_once = purchase.body is not None and room.is_free(context, c, purchase, at)
        state = S.SUBMITTING if at_once else S.RESERVED
        attempt_id = journal.add_attempt(
            c,
            job_id,
            purchase,
            state=state,
            at=at,
            body_of=partial(self._context.addressed, purchase),
            **self._context.lease(SEND_LEASE_S),
        )
        quote, warn_at = purchase.plan["quote"], self._context.warn_at
        booked = ledger.reserve(
            c,
            project,
            attempt_id,
            purchase.reserved,
            provider=purchase.provider,
            basis=quote,
            at=at,
            warn_at=warn_at,
            earmark=purchase.earmark,
        )
        books.write(c, booked, attempt_id, at)
        return booked

    @staticmethod
    def _tell(booked: ledger.Moved | None, project: str, purchase: NewAttempt) -> None:
        request: Any = purchase.plan["request"]
        task = request["task"]
        books.tell(booked, project=project, provider=purchase.provider, model=purchase.model, task=task)

    # ------------------------------------------------------------------------------------------------------ following

    def follow(self, job_id: str, *, fresh: bool = False) -> asyncio.Task[Result]:
        """The task that takes a job to its end; one per job. `fresh`: this call has just written the purchase down."""
        known = self._follows.get(job_id)
        if known is not None and not known.done():
            return known
        task = asyncio.create_task(self._run(job_id, fresh=fresh), name=f"aggregator {job_id}")
        task.add_done_callback(retrieve)
        task.add_done_callback(lambda _: self._context.forget(job_id))
        self._follows[job_id] = task
        return task

    async def wait(self, job_id: str, wait_s: float | None) -> Result:
        """Wait for a job's result; to stop waiting stops nothing."""
        task = self.follow(job_id)
        if wait_s is None:
            return await asyncio.shield(task)
        await asyncio.wait({task}, timeout=wait_s)
        if not task.done():
            raise TimeoutError(f"job {job_id} is not finished after {wait_s:g} s of waiting; it goes on")
        return task.result()

    async def cancel(self, job_id: str) -> bool:
        """Ask the provider to stop a job. What became of it shows in its result."""
        context = self._context
        of = await context.load(job_id)
        backend, turn = context.backend(of), 0
        call = backend.speaking(of.plan["names"]).provider.cancel
        # What is waited for while it is sent is known to the provider by our own id, if by any.
        own_id = isinstance(call, Call) and "{attempt}" in call.url
        while of.state in (S.SUBMITTED, S.RUNNING) or (of.state is S.SUBMITTING and own_id):
            try:
                known = {**of.plan["names"], **of.handle, "attempt": of.id}
                return await self._asked_to_cancel(of, backend, known)
            except ProviderError as error:
                turn += 1
                if not error.retryable or turn == MAX_CANCELS or (error.retry_after_s or 0.0) > CAP_S:
                    raise
                await context.clock.sleep(max(error.retry_after_s or 0.0, context.rng.uniform(0.5, 1.0) * 2**turn))
            # It may be over by now, and there are providers that delete what is canceled too late.
            try:
                over = (
                    backend.provider.poll is None or (await context.engine.poll(backend, of.handle)).state.is_terminal
                )
            except ProviderError as error:
                over = error.status_code in GONE  # it was heard, and the job is forgotten
            if over:
                return False
            of = await context.load(job_id)
        return False

    async def _asked_to_cancel(self, of: Attempt, backend: Backend, known: Mapping[str, str]) -> bool:
        """Ask once; that it was heard is written down, for providers that forget a job with that."""
        heard = await self._context.engine.cancel(backend, known)
        if heard:
            at = self._context.now()
            await self._context.store.transact(lambda c: journal.write_event(c, of.id, journal.CANCEL_HEARD, {}, at))
        return heard

    async def record(self, job_id: str) -> JobRecord:
        """What is known of a job."""
        found = await self._context.store.read(lambda c: job_records(c, job_id=job_id))
        if not found:
            raise RequestError(f"there is no job {job_id} in this store")
        return found[0]

    async def drain(self) -> None:
        """Wait until nothing is followed any more, whatever the ends are."""
        while tasks := [task for task in self._follows.values() if not task.done()]:
            await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Stop following. Paid requests on their way are waited for, so that closing makes no unknown outcome."""
        await _ended(self._follows.values())  # first, so that none of them begins another one
        critical = self._context.critical
        if critical:
            await asyncio.wait(critical, timeout=CLOSE_GRACE_S)
        await _ended([*self._follows.values(), *critical])
        await self._context.handed.aclose()
        await self._context.store.transact(lambda c: journal.drop_leases(c, self._context.owner))

    # ---------------------------------------------------------------------------------------------------- the way down

    async def _run(self, job_id: str, *, fresh: bool) -> Result:
        context = self._context
        of = await context.load(job_id)
        if of.state is S.STORED:
            return await result(context, of, reused=not fresh)
        context.remaining_s(of)  # its time runs from here on
        task = of.request["task"]
        given = _observe.attributes(task=task, provider=of.provider, model=of.model, project=of.project, stage=of.stage)
        began_s = context.clock.monotonic()
        with _observe.span(f"generate_content {of.model}", given) as found:
            found["aggregator.job.id"] = job_id
            made = await self._to_the_end(of, fresh=fresh)
            if made.cost.amount_usd is not None:
                found["aggregator.cost.usd"] = float(made.cost.amount_usd)
                _observe.measure("aggregator.cost", float(made.cost.amount_usd), "USD", given)
        _observe.measure("gen_ai.client.operation.duration", context.clock.monotonic() - began_s, "s", given)
        return made

    async def _to_the_end(self, of: Attempt, *, fresh: bool) -> Result:
        """From whatever the journal says to a stored result, or the error that ended it."""
        intended = fresh and of.state is S.SUBMITTING
        followed = False
        context, failures = self._context, list[ProviderError]()
        while of.state is not S.STORED:
            if of.state.is_final:
                failures.append(raised_again(of))
                absent = followed and of.found_by == ABSENT
                more = len(failures) < MAX_ATTEMPTS  # of this call: what an earlier one tried is no reason to stop
                if not (more and absent and await self._once_more(of)) and not (
                    more and fresh and await self._next_offer(of, failures[-1])
                ):
                    aside = context.planner.aside(of.plan) if fresh and may_fall_back(failures[-1]) else []
                    raise ended(failures, aside)
                of = await self._context.load(of.job)
                intended = of.state is S.SUBMITTING
                continue
            held = of if intended else await self._hold(of)
            if held is None:
                await self._context.clock.sleep(WATCH_INTERVAL_S)
            else:
                followed = True
                with suppress(MovedElsewhereError):  # another process was quicker; what it wrote counts
                    await self._step(held, intended=intended)
            intended = False
            of = await self._context.load(of.job)
        return await result(self._context, of, reused=False)

    async def _hold(self, of: Attempt) -> Attempt | None:
        """The attempt, if this process may move it: the lease is its own, or free, or its holder is gone."""
        context = self._context
        left_ms = of.lease_until - context.now()
        if of.lease_owner == context.owner and left_ms > LEASE_S * 1000 / 2:
            return of
        theirs = of.lease_owner is not None and of.lease_owner != context.owner and left_ms > 0
        if theirs and not is_gone(of.lease_owner or ""):
            return None
        if of.state is S.SUBMITTING and (of.lease_owner is None or is_gone(of.lease_owner)):
            context.ended.add(of.id)
        claimed = await context.store.transact(lambda c: journal.claim(c, of, **context.lease()))
        return await context.load(of.job) if claimed else None

    async def _step(self, of: Attempt, *, intended: bool) -> None:
        """One stretch of the way, by the state it is in."""
        context = self._context
        match of.state:
            case S.RESERVED if of.body is None:
                await upload(context, of)
            case S.RESERVED if (there := await placing.freer(context, of)) is not None:
                await context.move(of, S.RESERVED, **placing.moved(of, there))
            case S.RESERVED:
                async with context.following(of):
                    turn = await room.wait(context, of)
                try:
                    await context.whole(submit(context, of, intended=False, entered=turn.end))
                finally:
                    turn.end()
            case S.SUBMITTING if intended:
                await context.whole(submit(context, of, intended=True))
            case S.SUBMITTING | S.RECONCILING:
                await reconcile(context, of)
            case S.UNKNOWN if not of.handle:
                await reconcile(context, of)
            case S.SUBMITTED | S.RUNNING | S.UNKNOWN:
                await watch(context, of)
            case S.SUCCEEDED | S.FETCHING:
                await fetch(context, of)

    async def _once_more(self, of: Attempt) -> bool:
        """Buy at the same offer again: what was sent there was certainly not taken."""
        if not self._context.remaining_s(of):
            return False
        purchase = NewAttempt(
            provider=of.provider,
            endpoint=of.endpoint,
            model=of.model,
            account_ref=of.account_ref,
            table_checked=of.table_checked,
            plan=dict(of.plan),
            reuse_address=of.reuse_address,
            reserved=of.reserved,
            body=None,
        )
        return await self._bought(of, purchase)

    async def _next_offer(self, of: Attempt, error: ProviderError) -> bool:
        """Buy at the next offer of the plan, if the error allows it and the plan has one."""
        if not may_fall_back(error):
            return False
        while (purchase := self._context.planner.next_purchase(of.plan, of.ask)) is not None:
            with suppress(PricePausedError):  # which the planner knows from here on
                if not await self._bought(of, purchase):
                    return False
                _observe.emit("fallback", job=of.job, offer=of.offer, next=f"{purchase.provider}:{purchase.endpoint}")
                return True
        return False

    async def _bought(self, of: Attempt, purchase: NewAttempt) -> bool:
        """Write the next attempt down, unless this one cost or may yet cost something, or whoever ran the same program
        again has bought already.
        """

        def begin(c: "Connection") -> ledger.Moved | None:
            last = journal.latest(c, of.job)
            money = journal.settlement(c, of.id)
            if last is None or last.id != of.id or money is None or money.kind != "void":
                return None
            return self._purchase(c, of.job, of.project, purchase)

        booked = await self._context.store.transact(begin)
        self._tell(booked, of.project, purchase)
        return booked is not None


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what is not done, and wait for it."""
    tasks = [task for task in tasks if not task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
