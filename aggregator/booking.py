"""Moves the balances of accounts and of their periods: with a look at the caps, or without."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, or_, update

from aggregator.budgets import Crossing, Level, no_room
from aggregator.errors import LedgerError
from aggregator.store.balances import Figures
from aggregator.store.schema import account

__all__ = ["Back", "Moved", "book", "move", "whole"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a verb did to the books, in micro-dollars. All zero where it was done before."""

    held: int = 0
    """By a reservation: all of it, whatever was earmarked for it."""
    settled: int = 0
    over: int = 0
    """By how much the bill is above its reservation."""
    levels: tuple[Level, ...] = ()
    """The accounts and periods that moved, as they are now."""
    crossed: tuple[Crossing, ...] = ()
    """Thresholds passed for the first time: write them down, and tell them after the commit."""


Back = Mapping[str, tuple[Level, int]]
"""What levels get back, by their id: it was held on them before."""

# Put together once: that takes longer than running them.
_IDS = account.c.id.in_(bindparam("ids", expanding=True))
_HOLD = (
    update(account)
    .where(_IDS, or_(account.c.cap.is_(None), account.c.held + account.c.settled + bindparam("by") <= account.c.cap))
    .values(held=account.c.held + bindparam("by"))
)
_MOVE = (
    update(account)
    .where(_IDS)
    .values(
        held=account.c.held + bindparam("by_held"),
        settled=account.c.settled + bindparam("by_settled"),
        overrun=account.c.overrun + bindparam("by_overrun"),
    )
)


def whole(amount: int) -> int:
    """The ledger's door: a float is no amount, and neither is less than nothing."""
    if type(amount) is not int or amount < 0:
        raise LedgerError(f"{amount!r} is no amount: the ledger takes whole micro-dollars, from 0")
    return amount


def book(
    connection: Connection,
    touched: Sequence[Level],
    needed: Mapping[str, int],
    quote: int,
    *,
    back: Back,
    what: str = "this call",
) -> tuple[Level, ...]:
    """Hold what is needed on every level, and let go of what comes back. Returns all of them as they are now.

    A level that gets back as much as it is to hold needs no room: what was kept for this very purpose is there, even
    where the bills of others were above their reservations since.

    Args:
        needed: By currency.
        quote: The same in micro-dollars, for the error.
        what: Is to be paid, for the error.

    Raises:
        BudgetExceededError: It does not fit on one of the levels.

    """
    changes = {level.id: (level, -amount) for level, amount in back.values()}
    for level in touched:
        _, kept = back.get(level.id, (level, 0))
        changes[level.id] = (level, needed[level.currency] - kept)
    less: dict[int, list[str]] = {}
    more: dict[int, list[str]] = {}
    for name, (_, by) in changes.items():
        (less if by <= 0 and name in back else more).setdefault(by, []).append(name)
    for by, ids in less.items():
        move(connection, ids, Figures(by))
    for by, ids in more.items():
        if connection.execute(_HOLD, {"ids": ids, "by": by}).rowcount != len(ids):
            growing = {name for names in more.values() for name in names}
            raise no_room(_without(back, (of for of in touched if of.id in growing)), needed, quote, what)
    return tuple(level._replace(held=level.held + by) for level, by in changes.values())


def _without(back: Back, levels: Iterable[Level]) -> list[Level]:
    """The levels as they are once everything came back."""
    return [level._replace(held=level.held - back.get(level.id, (level, 0))[1]) for level in levels]


def move(connection: Connection, ids: Iterable[str], by: Figures) -> None:
    """Move balances, whatever their caps are."""
    moves = {"by_held": by.held, "by_settled": by.settled, "by_overrun": by.overrun}
    connection.execute(_MOVE, {"ids": list(ids), **moves})
