"""What every stretch of an attempt's life shares, and the one function that moves an attempt and its money."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from aggregator._wire import Reading
from aggregator.clock import Clock
from aggregator.contract import State
from aggregator.engine import Backend, Engine
from aggregator.errors import ConfigurationError, RequestError
from aggregator.job import AttemptState, Progress
from aggregator.owner import new_owner
from aggregator.planning import Planner
from aggregator.store import journal
from aggregator.store.database import Store
from aggregator.store.files import FileStore
from aggregator.store.journal import Attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["LEASE_S", "SEND_LEASE_S", "Context", "Money"]

LEASE_S = 60.0
"""How long a follower may be silent before another process may go on with its job."""
SEND_LEASE_S = 780.0
"""The same while a paid request is on its way: longer than its answer may take (`engine.PAID_TIMEOUTS`)."""

Money = Callable[["Connection", int], None]
"""What moves together with a state: gets the transaction and its time in milliseconds."""


@dataclass(frozen=True, slots=True)
class Context:
    """Engine, plan, store, clock: everything a stretch needs, owned by the client."""

    engine: Engine
    planner: Planner
    store: Store
    files: FileStore
    clock: Clock
    rng: Random
    on_progress: Callable[[Progress], None] | None = None
    owner: str = field(default_factory=new_owner)
    listening: set[str] = field(default_factory=set)
    """Jobs whose news are pushed at this moment."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock.time() * 1000)

    def lease(self, seconds: float = LEASE_S) -> dict[str, Any]:
        """The columns that say who follows an attempt, and until when."""
        return {"lease_owner": self.owner, "lease_until": self.now() + int(seconds * 1000)}

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

        def work(c: "Connection") -> Attempt:
            journal.move(c, of, to, at=at, why=why, **columns)
            if money is not None:
                money(c, at)
            moved = journal.latest(c, of.job)
            assert moved is not None
            return moved

        moved = await self.store.transact(work)
        self.tell(moved)
        return moved

    def backend(self, of: Attempt) -> Backend:
        """The provider and the account that the attempt was made with, whatever the configuration says now, in the
        dialect it was ordered in.
        """
        backend = self.planner.backends.get(of.provider)
        if backend is None:
            raise ConfigurationError(
                f"job {of.job} was submitted to {of.provider}, which is not configured any more: configure it to go on"
            )
        if backend.account != of.account_ref:
            raise ConfigurationError(
                f"job {of.job} was submitted to {of.provider} with another key: set that key to go on"
            )
        return backend.speaking(of.plan["names"])

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
                reused=reused,
            ),
        )
