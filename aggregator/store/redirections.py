"""Offers whose answers named another model than the one that was asked for. Inside the caller's transaction."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from aggregator.store.schema import redirected

__all__ = ["Redirection", "redirections", "remember"]


@dataclass(frozen=True, slots=True)
class Redirection:
    """An offer, and the model that its answers named instead."""

    offer: str
    served_model: str
    attempt: str
    """The last one it was seen at."""
    first_at: int
    """In milliseconds since the epoch."""
    last_at: int
    count: int


def remember(connection: Connection, offer: str, served_model: str, attempt: str, at: int) -> None:
    """Count one more such answer."""
    this = (redirected.c.offer == offer, redirected.c.served_model == served_model)
    seen = {"attempt": attempt, "last_at": at}
    known = connection.execute(update(redirected).where(*this).values(**seen, count=redirected.c.count + 1))
    if known.rowcount == 0:
        row = {"offer": offer, "served_model": served_model, "first_at": at, "count": 1}
        connection.execute(redirected.insert().values(**row, **seen))


def redirections(connection: Connection) -> list[Redirection]:
    """All that were seen, by offer."""
    rows = connection.execute(select(redirected).order_by(redirected.c.offer, redirected.c.last_at))
    return [Redirection(**row._mapping) for row in rows]  # noqa: SLF001
