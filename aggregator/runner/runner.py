"""Who follows a job, and what comes next by its state.

Followers are tasks of their own: a caller that stops waiting stops nothing, and a job that another process follows is
only watched.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from aggregator import _observe, ledger
from aggregator.artifact import Result
from aggregator.errors import KeyConflictError, ProviderError, RequestError
from aggregator.job import AttemptState, JobRecord
from aggregator.owner import is_gone
from aggregator.routing.fallback import MAX_ATTEMPTS, may_fall_back
from aggregator.runner.context import LEASE_S, SEND_LEASE_S, Context
from aggregator.runner.faults import exhausted, raised_again
from aggregator.runner.fetch import fetch, result
from aggregator.runner.submit import reconcile, submit, upload
from aggregator.runner.watch import watch
from aggregator.store import journal
from aggregator.store.journal import Attempt, MovedElsewhereError, NewAttempt, NewJob
from aggregator.store.reports import job_records

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Runner"]

T = TypeVar("T")
S = AttemptState
WATCH_INTERVAL_S = 1.0
"""How often a job that another process follows is looked at."""
CLOSE_GRACE_S = 30.0
"""How long closing waits for paid requests whose answer is still to come."""


class Runner:
    """Follows jobs to their end."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._follows: dict[str, asyncio.Task[Result]] = {}
        self._critical: set[asyncio.Task[Any]] = set()

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

        def begin(c: "Connection") -> str:
            row = journal.find(c, new.project, new.key)
            if row is not None:
                return str(row.id)
            journal.add_job(c, new)
            self._purchase(c, new.id, new.project, purchase)
            return new.id

        async def write() -> str:
            job_id = await self._context.store.transact(begin)
            if job_id == new.id:
                self.follow(job_id, fresh=True)
            return job_id

        job_id = await self._whole(write())  # a purchase that is written down is sent, whoever stopped waiting
        if job_id != new.id:
            await self.find(new.project, new.key, new.fingerprint)
            self.follow(job_id)
        return job_id

    async def again(self, of: Attempt, purchase: NewAttempt, *, deadline_at: int) -> str:
        """Buy once more for a job whose last attempt ended with nothing; it gets its time again.

        While this client still follows the job (to another offer, perhaps), and where another process was quicker,
        nothing is bought.
        """

        def begin(c: "Connection") -> bool:
            last = journal.latest(c, of.job)
            if last is None or last.state not in (S.FAILED, S.REFUSED, S.CANCELED):
                return False
            journal.renew(c, of.job, deadline_at)
            self._purchase(c, of.job, of.project, purchase)
            return True

        async def write() -> None:
            self.follow(of.job, fresh=await self._context.store.transact(begin))

        known = self._follows.get(of.job)
        if known is None or known.done():
            await self._whole(write())
        return of.job

    def _purchase(self, c: "Connection", job_id: str, project: str, purchase: NewAttempt) -> None:
        """An attempt and its reservation. With nothing to wait for, the intent to send is part of it: one commit
        less.
        """
        at = self._context.now()
        state = S.RESERVED if purchase.body is None else S.SUBMITTING
        attempt_id = journal.add_attempt(c, job_id, purchase, state=state, at=at, **self._context.lease(SEND_LEASE_S))
        basis = purchase.plan["quote"]
        ledger.reserve(c, project, attempt_id, purchase.reserved, provider=purchase.provider, basis=basis, at=at)

    # ------------------------------------------------------------------------------------------------------ following

    def follow(self, job_id: str, *, fresh: bool = False) -> asyncio.Task[Result]:
        """The task that takes a job to its end; one per job. `fresh`: this call has just written the purchase down."""
        known = self._follows.get(job_id)
        if known is not None and not known.done():
            return known
        task = asyncio.create_task(self._run(job_id, fresh=fresh), name=f"aggregator {job_id}")
        task.add_done_callback(_retrieve)
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
        of = await self._context.load(job_id)
        if of.state not in (S.SUBMITTED, S.RUNNING):
            return False
        return await self._context.engine.cancel(self._context.backend(of), of.handle)

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
        if self._critical:
            await asyncio.wait(self._critical, timeout=CLOSE_GRACE_S)
        await _ended([*self._follows.values(), *self._critical])
        await self._context.store.transact(lambda c: journal.drop_leases(c, self._context.owner))

    # ---------------------------------------------------------------------------------------------------- the way down

    async def _run(self, job_id: str, *, fresh: bool) -> Result:
        context = self._context
        of = await context.load(job_id)
        if of.state is S.STORED:
            return await result(context, of, reused=not fresh)
        task = of.request["task"]
        given = _observe.attributes(task=task, provider=of.provider, model=of.model, project=of.project, stage=of.stage)
        began_s = context.clock.monotonic()
        with _observe.span(f"generate_content {of.model}", given) as found:
            found["aggregator.job.id"] = job_id
            async with context.engine.place(context.backend(of)):
                made = await self._to_the_end(of, fresh=fresh)
            if made.cost.amount_usd is not None:
                found["aggregator.cost.usd"] = float(made.cost.amount_usd)
                _observe.measure("aggregator.cost", float(made.cost.amount_usd), "USD", given)
        _observe.measure("gen_ai.client.operation.duration", context.clock.monotonic() - began_s, "s", given)
        return made

    async def _to_the_end(self, of: Attempt, *, fresh: bool) -> Result:
        """From whatever the journal says to a stored result, or the error that ended it."""
        intended = fresh and of.state is S.SUBMITTING
        failures: list[ProviderError] = []
        while of.state is not S.STORED:
            if of.state.is_final:
                failures.append(raised_again(of))
                if not fresh or not await self._next_offer(of, failures[-1]):
                    raise failures[0] if len(failures) == 1 else exhausted(failures)
                of = await self._context.load(of.job)
                intended = of.state is S.SUBMITTING
                continue
            held = of if intended else await self._hold(of)
            if held is None:
                await self._context.clock.sleep(WATCH_INTERVAL_S)
            else:
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
        claimed = await context.store.transact(lambda c: journal.claim(c, of, **context.lease()))
        return await context.load(of.job) if claimed else None

    async def _step(self, of: Attempt, *, intended: bool) -> None:
        """One stretch of the way, by the state it is in."""
        context = self._context
        match of.state:
            case S.RESERVED:
                ready = await upload(context, of) if of.body is None else of
                if ready is not None:
                    await self._whole(submit(context, ready, intended=False))
            case S.SUBMITTING if intended:
                await self._whole(submit(context, of, intended=True))
            case S.SUBMITTING | S.RECONCILING:
                await self._whole(reconcile(context, of))
            case S.UNKNOWN if not of.handle and context.backend(of).provider.idempotency == "replay":
                await self._whole(reconcile(context, of))
            case S.SUBMITTED | S.RUNNING | S.UNKNOWN:
                await watch(context, of)
            case S.SUCCEEDED | S.FETCHING:
                await fetch(context, of)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Run what must not be cut in two: whoever gives up leaves it to finish."""
        task = asyncio.create_task(work)
        self._critical.add(task)
        task.add_done_callback(self._critical.discard)
        task.add_done_callback(_retrieve)
        return await asyncio.shield(task)

    async def _next_offer(self, of: Attempt, error: ProviderError) -> bool:
        """Buy at the next offer of the plan, if the error allows it and the plan has one."""
        if of.n >= MAX_ATTEMPTS or not may_fall_back(error):
            return False
        purchase = self._context.planner.next_purchase(of.plan, of.ask)
        if purchase is None:
            return False

        def begin(c: "Connection") -> bool:
            last = journal.latest(c, of.job)
            if last is None or last.id != of.id:
                return False  # whoever ran the same program again has bought already
            self._purchase(c, of.job, of.project, purchase)
            return True

        bought = await self._context.store.transact(begin)
        if bought:
            _observe.emit("fallback", job=of.job, offer=of.offer, next=f"{purchase.provider}:{purchase.endpoint}")
        return bought


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what is not done, and wait for it."""
    tasks = [task for task in tasks if not task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Look at the exception, so that a job nobody waits for does not end with a warning of the event loop."""
    if not task.cancelled():
        task.exception()
