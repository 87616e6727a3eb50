"""What became of the last purchases, as the attempts say."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select

from aggregator.job import AttemptState
from aggregator.routing.outcomes import HALF_LIFE_DAYS, Ended, end_of
from aggregator.store.records import Attempt
from aggregator.store.schema import attempt

__all__ = ["ended", "recent"]

MOST = 2_000
"""How many of the newest are read when a store is opened: it takes some 15 ms."""
OLDEST = timedelta(days=8 * HALF_LIFE_DAYS)
"""What is older would count less than half a percent."""

_RECENT = (
    select(
        attempt.c.provider,
        attempt.c.endpoint,
        attempt.c.state,
        attempt.c.error,
        attempt.c.took_ms,
        attempt.c.finished_at,
    )
    .where(attempt.c.finished_at > bindparam("since"))
    .order_by(attempt.c.finished_at.desc())
    .limit(MOST)
)


def recent(connection: Connection, at: int) -> list[Ended]:
    """The newest outcomes of all offers, oldest first; `at` is now, in milliseconds."""
    since = at - int(OLDEST.total_seconds() * 1000)
    rows = connection.execute(_RECENT, {"since": since}).all()
    found = (
        _ended(f"{row.provider}:{row.endpoint}", row.state, row.error, row.took_ms, row.finished_at)
        for row in reversed(rows)
    )
    return [one for one in found if one is not None]


def ended(of: Attempt, at: int) -> Ended | None:
    """What an attempt in its final state says of its offer."""
    return _ended(of.offer, of.state, of.error, of.took_ms, at)


def _ended(offer: str, state: str, error: Mapping[str, object] | None, took_ms: int | None, at: int) -> Ended | None:
    name, status = (None, None) if error is None else (str(error["type"]), error.get("status_code"))
    end = end_of(AttemptState(state), name, status if isinstance(status, int) else None)
    if end is None:
        return None
    took_s = took_ms / 1000 if end == "succeeded" and took_ms is not None else None
    return Ended(offer, at / 1000, end, took_s)
