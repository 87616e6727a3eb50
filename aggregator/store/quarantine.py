"""Rows of offers that a probe found gone or changed. Every function runs inside the caller's transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from aggregator.store import journal
from aggregator.store.schema import quarantine

__all__ = ["Quarantine", "lift", "put", "quarantined", "reasons"]

# Put together once: every purchase asks.
_REASONS = select(quarantine.c.offer, quarantine.c.why).where(quarantine.c.lifted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An offer that is passed over until somebody has looked, or a probe finds it well."""

    offer: str
    since: int
    """Milliseconds since the epoch."""
    why: str
    evidence: Mapping[str, Any]
    """What was asked and what came back."""

    @property
    def said(self) -> str:
        """In words that follow the offer's name."""
        return f"is in quarantine since {datetime.fromtimestamp(self.since / 1000, UTC):%Y-%m-%d}: {self.why}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def put(connection: Connection, offer: str, why: str, evidence: Mapping[str, Any], at: int) -> bool:
    """Quarantine an offer; whether it was not in it before. One that is keeps its first day."""
    known = connection.execute(select(quarantine.c.lifted_at).where(quarantine.c.offer == offer)).one_or_none()
    values = {"why": why, "evidence": dict(evidence)}
    if known is None:
        connection.execute(quarantine.insert().values(offer=offer, since=at, **values))
    elif known.lifted_at is None:
        connection.execute(update(quarantine).where(quarantine.c.offer == offer).values(**values))
        return False
    else:
        again = update(quarantine).where(quarantine.c.offer == offer)
        connection.execute(again.values(since=at, lifted_at=None, **values))
    journal.write_event(connection, None, "quarantined", {"offer": offer, "why": why}, at)
    return True


def quarantined(connection: Connection) -> Mapping[str, Quarantine]:
    """What is in quarantine now, by offer, the oldest first."""
    rows = connection.execute(
        select(quarantine).where(quarantine.c.lifted_at.is_(None)).order_by(quarantine.c.since, quarantine.c.offer)
    )
    return {row.offer: Quarantine(row.offer, row.since, row.why, row.evidence) for row in rows}


def reasons(connection: Connection) -> Mapping[str, str]:
    """Why each offer in quarantine is, for the router."""
    rows = connection.execute(_REASONS)
    return {row.offer: row.why for row in rows}


def lift(connection: Connection, offer: str, at: int) -> bool:
    """Let an offer be used again; whether it was in quarantine."""
    here = (quarantine.c.offer == offer, quarantine.c.lifted_at.is_(None))
    done = connection.execute(update(quarantine).where(*here).values(lifted_at=at)).rowcount > 0
    if done:
        journal.write_event(connection, None, "lifted", {"offer": offer}, at)
    return done
