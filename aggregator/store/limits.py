"""How many jobs of one credential are in flight and how fast requests may follow each other, over all processes.

The attempts themselves are what is counted: one is in flight while somebody who lives follows it, so that nothing has
to be taken, kept or given back. Every function runs inside the caller's transaction; times are milliseconds, those of
requests microseconds.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, insert, or_, select, update

from aggregator.clock import Clock
from aggregator.owner import is_gone
from aggregator.store.database import Store
from aggregator.store.schema import attempt, throttle

__all__ = [
    "IN_FLIGHT",
    "Account",
    "Room",
    "SharedLimits",
    "freeze",
    "in_flight",
    "loads",
    "next_wait_us",
    "refused",
    "room",
    "took",
]

IN_FLIGHT = ("submitting", "reconciling", "submitted", "running")
CUT = 0.5
"""What is left of the jobs in flight as the limit, after one more was refused."""

# Put together once: whoever waits for room asks again and again.
_LEARNED = select(throttle.c.at_once, throttle.c.frozen_until, throttle.c.next_at).where(
    throttle.c.provider == bindparam("provider"), throttle.c.account_ref == bindparam("account_ref")
)
_SERVER_US = select(cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger))
_FOLLOWED = (
    select(attempt.c.lease_owner, func.count())
    .where(
        attempt.c.state.in_(IN_FLIGHT),
        attempt.c.provider == bindparam("provider"),
        attempt.c.account_ref == bindparam("account_ref"),
        attempt.c.id != bindparam("without"),
        or_(attempt.c.lease_owner == bindparam("me"), attempt.c.lease_until > bindparam("at")),
    )
    .group_by(attempt.c.lease_owner)
)


_LOADS = (
    select(attempt.c.account_ref, func.count())
    .where(attempt.c.provider == bindparam("provider"), attempt.c.state.in_(("reserved", *IN_FLIGHT)))
    .group_by(attempt.c.account_ref)
)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose limits: a provider and a fingerprint of the credential, with the limit that is documented or configured."""

    provider: str
    account_ref: str
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """Whether one more paid request may leave now, and whether there is any limit at all."""

    is_free: bool
    is_limited: bool
    frozen_until: int = 0
    """Until when the provider asked to be left alone."""


class SharedLimits:
    """What all processes on one store share, for the queues of this one (`aggregator._limits.Shared`)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def wait_s(self, account: tuple[str, str], interval_s: float) -> float:
        """Take the next moment at which a request is due; how far away it is."""
        of, interval_us, now_us = Account(*account), round(interval_s * 1e6), round(self._clock.time() * 1e6)
        return await self._store.transact(lambda c: next_wait_us(c, of, interval_us, now_us)) / 1e6

    async def freeze(self, account: tuple[str, str], seconds: float) -> None:
        """Order nothing for so long."""
        until = int((self._clock.time() + seconds) * 1000)
        await self._store.transact(lambda c: freeze(c, Account(*account), until))


def room(connection: Connection, of: Account, *, me: str, at: int, without: str = "") -> Room:
    """Whether one more job may be ordered. Without any limit, one row that is not there is all that is looked at.

    Args:
        me: The owner who asks: what it follows is in flight whatever its leases say.
        without: An attempt that is not counted.

    """
    found = _known(connection, of)
    learned, frozen_until = (None, 0) if found is None else (found.at_once, found.frozen_until)
    if frozen_until > at:
        return Room(is_free=False, is_limited=True, frozen_until=frozen_until)
    limit = min((limit for limit in (of.at_once, learned) if limit is not None), default=None)
    if limit is None:
        return Room(is_free=True, is_limited=False)
    return Room(is_free=in_flight(connection, of, me=me, at=at, without=without) < int(limit), is_limited=True)


def in_flight(connection: Connection, of: Account, *, me: str, at: int, without: str = "") -> int:
    """The jobs at a provider that somebody follows. Those of a process that is gone are nobody's: whoever goes on with
    one counts it again.
    """
    named = {"provider": of.provider, "account_ref": of.account_ref, "me": me, "at": at, "without": without}
    rows = connection.execute(_FOLLOWED, named)
    return sum(count for owner, count in rows if owner == me or not is_gone(owner))


def loads(connection: Connection, provider: str) -> dict[str, int]:
    """The jobs of ours at each account of a provider, those that wait to be sent included."""
    rows = connection.execute(_LOADS, {"provider": provider})
    return {account: int(count) for account, count in rows}


def refused(
    connection: Connection, of: Account, *, me: str, at: int, without: str, retry_after_s: float | None
) -> None:
    """The provider takes no more for now: half of what is in flight is the limit from here on, for every process, and
    nothing is ordered before the time it asks for.
    """
    limit = max(1.0, CUT * in_flight(connection, of, me=me, at=at, without=without))
    known = _known(connection, of)
    learned = limit if known is None or known.at_once is None else min(known.at_once, limit)
    until = at + int((retry_after_s or 0.0) * 1000)
    _write(connection, of, known, at_once=learned, frozen_until=max(until, known.frozen_until if known else 0))


def freeze(connection: Connection, of: Account, until: int) -> None:
    """The provider asks to be left alone: no process orders anything before then."""
    known = _known(connection, of)
    _write(connection, of, known, frozen_until=max(until, known.frozen_until if known else 0))


def took(connection: Connection, of: Account, *, me: str, at: int) -> None:
    """A job was taken. Where a limit was learned and is used up, it grows: by one for each round of such jobs."""
    known = _known(connection, of)
    learned = None if known is None else known.at_once
    if learned is not None and in_flight(connection, of, me=me, at=at) >= int(learned):
        _write(connection, of, known, at_once=learned + 1.0 / learned)


def next_wait_us(connection: Connection, of: Account, interval_us: int, now_us: int) -> int:
    """Take the next moment at which a request is due, and say how far away it is: the generic cell rate algorithm with
    room for one, so that no second ever sees more than the figure.

    On PostgreSQL it is the database's own clock that counts, whatever the clocks of the machines say.
    """
    if connection.dialect.name == "postgresql":
        now_us = connection.execute(_SERVER_US).scalar_one()
    known = _known(connection, of)
    due_us = now_us if known is None else max(known.next_at, now_us)
    _write(connection, of, known, next_at=due_us + interval_us)
    return due_us - now_us


def _known(connection: Connection, of: Account) -> Any:
    return connection.execute(_LEARNED, {"provider": of.provider, "account_ref": of.account_ref}).one_or_none()


def _write(connection: Connection, of: Account, known: Any, **columns: float) -> None:
    """Change the row that was read, or make it: nobody else writes meanwhile."""
    if known is None:
        connection.execute(insert(throttle).values(provider=of.provider, account_ref=of.account_ref, **columns))
        return
    this = (throttle.c.provider == of.provider, throttle.c.account_ref == of.account_ref)
    connection.execute(update(throttle).where(*this).values(**columns))
