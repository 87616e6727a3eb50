"""What providers have told us by calling back: kept, found again, and followers woken. Nothing here moves an attempt.

A delivery is a row of `inbox` until somebody has looked at its job: it brings the next look forward, and says where a
job is whose answer never came. The look decides.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select, update

from aggregator.clock import Clock
from aggregator.job import AttemptState
from aggregator.store.database import Store
from aggregator.store.journal import Attempt
from aggregator.store.schema import FINAL_STATES, attempt, inbox

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Addressed", "Nudges", "addressed", "forget", "found", "handled", "keep"]

KEPT_MS = 7 * 86_400 * 1000
"""How long a delivery is known by its name: senders repeat for up to 75 hours."""
WATCH_INTERVAL_S = 1.0
"""How often the deliveries are read that another process may have taken."""
UNSETTLED = (AttemptState.SUBMITTING, AttemptState.RECONCILING)
"""A provider may call back in these, before we know its job by name."""


# Put together once: that takes longer than running them.
_FOUND = (
    select(inbox.c.remote_id, inbox.c.handle).where(inbox.c.attempt == bindparam("of")).order_by(inbox.c.seq).limit(1)
)


_BY_ADDRESS = inbox.c.attempt == attempt.c.id
_BY_NAME = and_(
    inbox.c.attempt.is_(None), inbox.c.source == attempt.c.provider, inbox.c.remote_id == attempt.c.remote_id
)
_WAITING = tuple(
    select(attempt.c.job).join(inbox, joins).where(inbox.c.handled_at.is_(None)) for joins in (_BY_ADDRESS, _BY_NAME)
)
_ADDRESSED = select(attempt.c.id, attempt.c.job, attempt.c.state, attempt.c.remote_id, attempt.c.plan).limit(1)
_ADDRESSED_BY_ID = _ADDRESSED.where(attempt.c.id == bindparam("of"))
_ADDRESSED_BY_NAME = _ADDRESSED.where(attempt.c.provider == bindparam("source"), attempt.c.remote_id == bindparam("of"))
_KNOWN = select(inbox.c.seq).where(inbox.c.source == bindparam("source"), inbox.c.msg_id == bindparam("of"))
_KEEP = insert(inbox)
_UNSETTLED = (
    select(attempt.c.id).where(attempt.c.state.in_(UNSETTLED), attempt.c.provider == bindparam("source")).limit(1)
)
_NAMED = inbox.c.attempt == bindparam("of")
_EARLY = and_(
    inbox.c.attempt.is_(None), inbox.c.source == bindparam("provider"), inbox.c.remote_id == bindparam("remote")
)
_LOOKED = update(inbox).where(inbox.c.handled_at.is_(None)).values(handled_at=bindparam("then"))
_HANDLED, _HANDLED_EARLY = _LOOKED.where(_NAMED), _LOOKED.where(or_(_NAMED, _EARLY))
_OVER = select(attempt.c.id).where(attempt.c.id == inbox.c.attempt, attempt.c.state.in_(FINAL_STATES)).exists()
_FORGET = delete(inbox).where(inbox.c.at < bindparam("until"), or_(inbox.c.handled_at.is_not(None), _OVER))


@dataclass(frozen=True, slots=True)
class Addressed:
    """The attempt that a delivery is about, as far as taking it needs."""

    id: str
    job: str
    state: AttemptState
    remote_id: str | None
    names: Mapping[str, str]


def addressed(c: "Connection", attempt_id: str) -> Addressed | None:
    """The attempt that a callback address names."""
    return _addressed(c, _ADDRESSED_BY_ID, of=attempt_id)


def _addressed(c: "Connection", which: Select[Any], **values: str) -> Addressed | None:
    row = c.execute(which, values).one_or_none()
    if row is None:
        return None
    return Addressed(row.id, row.job, AttemptState(row.state), row.remote_id, row.plan["names"])


def keep(
    c: "Connection",
    source: str,
    msg_id: str,
    *,
    attempt_id: str | None,
    remote_id: str,
    handle: Mapping[str, str],
    at: int,
    news: bool,
) -> Addressed | None:
    """Write down a delivery that was believed; once, however often it comes. Returns whom it is news for, if anyone.

    Args:
        attempt_id: What the callback address named.
        news: It says more than that the job goes on, which is news only of a job whose answer never came.

    """
    if c.execute(_KNOWN, {"source": source, "of": msg_id}).first() is not None:
        return None
    if attempt_id is None:
        of = _addressed(c, _ADDRESSED_BY_NAME, source=source, of=remote_id)
    else:
        of = addressed(c, attempt_id)
    waits = not of.state.is_final if of is not None else _unsettled(c, source)
    news = news or (of is not None and of.remote_id is None)
    c.execute(
        _KEEP,
        {
            "source": source,
            "msg_id": msg_id,
            "at": at,
            "attempt": None if of is None else of.id,
            "remote_id": remote_id,
            "handle": dict(handle),
            "handled_at": None if news and waits else at,
        },
    )
    return of if news and waits else None


def _unsettled(c: "Connection", source: str) -> bool:
    """Whether a job of this provider may be one whose name we do not know yet."""
    return c.execute(_UNSETTLED, {"source": source}).first() is not None


def found(c: "Connection", of: Attempt) -> dict[str, str] | None:
    """The handle of an attempt whose answer never came, if a delivery on its own address names its job."""
    row = c.execute(_FOUND, {"of": of.id}).one_or_none()
    if row is None:
        return None
    return {**of.plan["names"], **(row.handle or {}), "id": row.remote_id}


def handled(c: "Connection", of: Attempt, at: int) -> None:
    """Somebody has looked at the job after these deliveries."""
    remote_id = of.handle.get("id")
    if remote_id is None:
        c.execute(_HANDLED, {"of": of.id, "then": at})
    else:
        c.execute(_HANDLED_EARLY, {"of": of.id, "provider": of.provider, "remote": remote_id, "then": at})


def forget(c: "Connection", now: int) -> None:
    """Remove what was handled, or can be news for nobody any more, and is older than any sender repeats."""
    c.execute(_FORGET, {"until": now - KEPT_MS})


def _waiting(c: "Connection") -> list[str]:
    """The jobs that have deliveries nobody has looked after."""
    return [job_id for query in _WAITING for job_id in c.execute(query).scalars()]


class Nudges:
    """Wakes whoever waits for a job when its provider has called back, whichever process took the call."""

    def __init__(self, store: Store, clock: Clock, *, on: bool) -> None:
        """Args:
        on: Whether deliveries are taken at all.

        """
        self.on = on
        self._store = store
        self._clock = clock
        self._resting: dict[str, asyncio.Event] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def rest(self, of: Attempt, seconds: float) -> bool:
        """Sleep, or until there is a delivery about the job; whether there was."""
        if not self.on:
            await self._clock.sleep(seconds)
            return False
        called = self._resting[of.job] = asyncio.Event()
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        sleep = asyncio.create_task(self._sleep(seconds))
        wake = asyncio.create_task(called.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
            if sleep.done():
                sleep.result()
        finally:
            sleep.cancel()
            wake.cancel()
            del self._resting[of.job]
            if not self._resting:
                self._watcher.cancel()
        return called.is_set()

    def wake(self, job_id: str) -> None:
        """Let whoever rests here for a job go on."""
        if job_id in self._resting:
            self._resting[job_id].set()

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def _watch(self) -> None:
        """Read what came, at once and then again and again, as long as anyone rests."""
        while True:
            with suppress(Exception):  # the jobs are looked at without it, if more seldom
                for job_id in await self._store.read(_waiting):
                    self.wake(job_id)
            await self._clock.sleep(WATCH_INTERVAL_S)
