"""What every stretch of an attempt's life shares, and the one function that moves an attempt and its money."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import JsonValue

from aggregator._build import marked
from aggregator._paths import first, place
from aggregator._wire import Reading
from aggregator.backend import Backend
from aggregator.callbacks import Callbacks
from aggregator.clock import Clock
from aggregator.contract import State
from aggregator.engine import Engine
from aggregator.errors import ConfigurationError, RequestError, StoreError
from aggregator.job import AttemptState, Progress
from aggregator.owner import new_owner
from aggregator.planning import Planner
from aggregator.replicas import address_of
from aggregator.runner import books, inbox
from aggregator.runner.handed import Handed
from aggregator.runner.inbox import Nudges
from aggregator.store import journal, outcomes
from aggregator.store.database import Store
from aggregator.store.files import FileStore
from aggregator.store.journal import Attempt, MovedElsewhereError, NewAttempt
from aggregator.store.limits import IN_FLIGHT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.ledger import Moved

__all__ = ["LEASE_S", "SEND_LEASE_S", "Context", "Money", "retrieve"]

LEASE_S = 60.0
"""How long a follower may be silent before another process may go on with its job."""
SEND_LEASE_S = 780.0
"""The same while a paid request is on its way: longer than its answer may take (`engine.PAID_TIMEOUTS`)."""

T = TypeVar("T")
Money = Callable[["Connection", int], "Moved | None"]
"""What moves together with a state: gets the transaction and its time in milliseconds; returns what the ledger said."""


@dataclass(frozen=True, slots=True)
class Context:
    """Engine, plan, store, clock: everything a stretch needs, owned by the client."""

    engine: Engine
    planner: Planner
    store: Store
    files: FileStore
    clock: Clock
    rng: Random
    nudges: Nudges
    """Followers rest on it: they are woken when a provider calls back."""
    callbacks: Callbacks = field(default_factory=Callbacks)
    """What an order's body asks a provider to call."""
    on_progress: Callable[[Progress], None] | None = None
    warn_at: tuple[int, ...] = (80, 100)
    """Percent of a budget at which it is told how much is used."""
    owner: str = field(default_factory=new_owner)
    handed: Handed = field(default_factory=Handed)
    """What inputs are called that were uploaded lately."""
    listening: set[str] = field(default_factory=set)
    """Jobs whose news are pushed at this moment."""
    critical: set[asyncio.Task[Any]] = field(default_factory=set)
    """What must not be cut in two, and goes on."""
    deadlines: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By job that is followed here, the written deadline and when that is by the monotonic clock."""
    sent: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By job that is followed here, the attempt whose first send left from here and when, by the monotonic clock."""
    ended: set[str] = field(default_factory=set)
    """Attempts found in the middle of their send, whose sender has certainly ended."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock.time() * 1000)

    def lease(self, seconds: float = LEASE_S) -> dict[str, Any]:
        """The columns that say who follows an attempt, and until when."""
        return {"lease_owner": self.owner, "lease_until": self.now() + int(seconds * 1000)}

    def left_s(self, until: int) -> float:
        """Seconds from now to a written moment, by a clock that may jump."""
        return max(0.0, (until - self.now()) / 1000)

    def remaining_s(self, of: Attempt) -> float:
        """Seconds until the job's deadline, to the millisecond; once asked, by the clock that never jumps."""
        now_s = self.clock.monotonic()
        written, deadline_s = self.deadlines.get(of.job, (0, 0.0))
        if written != of.deadline_at:
            deadline_s = now_s + self.left_s(of.deadline_at)
            self.deadlines[of.job] = (of.deadline_at, deadline_s)
        return max(0.0, round(deadline_s - now_s, 3))

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Run what must not be cut in two: whoever gives up leaves it to finish."""
        task = asyncio.create_task(work)
        self.critical.add(task)
        task.add_done_callback(self.critical.discard)
        task.add_done_callback(retrieve)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def following(self, of: Attempt) -> AsyncGenerator[None, None]:
        """Keep the lease while the body waits, however long it is silent.

        Raises:
            MovedElsewhereError: Another process has taken it meanwhile; the body was stopped.

        """
        limit = asyncio.timeout(None)

        async def renew() -> None:
            kept = True
            while kept:
                await asyncio.sleep(LEASE_S / 2)  # the event loop's time: what is shown is that this process lives
                with suppress(StoreError):  # the next one may be written
                    kept = await self.store.transact(lambda c: journal.keep(c, of.id, **self.lease()))
            limit.reschedule(asyncio.get_running_loop().time())

        try:
            async with limit:
                renewing = asyncio.create_task(renew())
                try:
                    yield
                finally:
                    renewing.cancel()
                    await asyncio.gather(renewing, return_exceptions=True)
        except TimeoutError:
            if limit.expired():
                raise MovedElsewhereError(of.id) from None
            raise

    def addressed(self, bought: "Attempt | NewAttempt", attempt_id: str, body: JsonValue) -> JsonValue:
        """The body with what only an attempt can say: its id, where the provider takes one along, and the address to
        call back, unless the caller gave another one.
        """
        backend = self.planner.backend(bought.provider, bought.account_ref)
        if backend is None or not isinstance(body, dict):
            return body
        table = backend.speaking(cast("dict[str, str]", bought.plan["names"])).provider
        asked = self.callbacks.asked(table, attempt_id)
        if any(first(body, path) is not None for path in asked):
            asked = {}
        if table.reference:
            asked = {**asked, table.reference: attempt_id}
        written = deepcopy(body)
        for path, text in asked.items():
            place(written, path, text)
        return marked(table, written, attempt_id)

    def forget(self, job_id: str) -> None:
        """The job is not followed here any more."""
        self.deadlines.pop(job_id, None)
        self.sent.pop(job_id, None)

    async def let_go(self, of: Attempt) -> None:
        """Give the lease back: anyone may look next."""
        await self.store.transact(lambda c: journal.claim(c, of, lease_owner=None, lease_until=None))

    async def load(self, job_id: str) -> Attempt:
        """The newest attempt of a job."""
        found = await self.store.read(lambda c: journal.latest(c, job_id))
        if found is None:
            raise RequestError(f"there is no job {job_id} in this store")
        return found

    async def move(
        self,
        of: Attempt,
        to: AttemptState,
        *,
        money: Money | None = None,
        why: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> Attempt:
        """One transaction: the state, and whatever goes with it. Returns the attempt as it is now."""
        at = self.now()

        def work(c: "Connection") -> "tuple[Attempt, Moved | None]":
            journal.move(c, of, to, at=at, why=why, **columns)
            if to.is_final and self.nudges.on:
                inbox.handled(c, of, at)
            booked = None if money is None else money(c, at)
            books.write(c, booked, of.id, at)
            moved = journal.latest(c, of.job)
            assert moved is not None
            return moved, booked

        moved, booked = await self.store.transact(work)
        if of.state in IN_FLIGHT and to not in IN_FLIGHT:
            self.engine.limits.nudge((of.provider, of.account_ref))
        books.tell(booked, project=of.project, provider=of.provider, model=of.model, task=of.request["task"])
        if to in (AttemptState.FAILED, AttemptState.REFUSED):
            self.handed.forget(of)
        if to.is_final and (known := outcomes.ended(moved, at)) is not None:
            self.planner.outcomes.tell(known)
        self.tell(moved)
        return moved

    def backend(self, of: Attempt) -> Backend:
        """The provider and the account that the attempt was made with, whatever the configuration says now, in the
        dialect it was ordered in.
        """
        backend = self.planner.backend(of.provider, of.account_ref)
        if backend is None:
            raise ConfigurationError(
                f"job {of.job} was submitted to {of.provider}, which is not configured any more: configure it to go on"
            )
        if backend.account != of.account_ref:
            at = address_of(of.account_ref)
            moved = f" at {at}: name it in [providers.{of.provider}] base_urls, with the same key," if at else ""
            raise ConfigurationError(
                f"job {of.job} was submitted to {of.provider}{moved or ' with another key: set that key'} to go on"
            )
        return backend.speaking(of.plan["names"])

    def result_ttl_s(self, of: Attempt) -> float | None:
        """How long the provider keeps a result; `None` where that is not known, or it is not configured any more."""
        backend = self.planner.backend(of.provider, of.account_ref)
        dialect = of.plan["names"].get("dialect", "")
        if backend is None or (dialect and dialect not in backend.provider.dialects):
            return None
        return backend.provider.spoken(dialect).result_ttl_s

    def tell(self, of: Attempt, reading: Reading | None = None, *, reused: bool = False) -> None:
        """Give news of a job to whoever shows it: by the event loop, so that what a callback raises stops no job."""
        if self.on_progress is None:
            return
        running = reading is not None and reading.state is State.RUNNING
        asyncio.get_running_loop().call_soon(
            self.on_progress,
            Progress(
                job_id=of.job,
                key=of.key,
                task=of.request["task"],
                model=of.model,
                provider=of.provider,
                stage=of.stage,
                state=AttemptState.RUNNING if running else of.state,
                elapsed_s=max(0.0, (self.now() - of.created_at) / 1000),
                fraction=reading.progress if reading else None,
                position=reading.position if reading else None,
                preview=reading.preview if reading else None,
                reused=reused,
            ),
        )


def retrieve(task: asyncio.Task[Any]) -> None:
    """Look at the exception, so that a task nobody waits for does not end with a warning of the event loop."""
    if not task.cancelled():
        task.exception()
