"""Money that is kept for the steps of a run, from before the first of them is bought until each reserves its own.

What is earmarked is part of what its account, everything above it and their periods hold, so that no other work can
take it. It counts for the day it was earmarked on: a step that reserves on a later day finds its money in the budget
for life, and has to find room in the periods that began since. Dollars only; a provider's credits are counted when a
step reserves. Every function runs inside the caller's transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from aggregator.booking import Back, Moved, book, whole
from aggregator.budgets import USD, WARN_AT, Level, crossings, levels
from aggregator.periods import DAY_MS
from aggregator.store.schema import earmark as table

__all__ = ["earmark", "let_go", "unmark"]

# Put together once: that takes longer than running them.
_OF_RUN = select(table).where(table.c.run == bindparam("of"))
_OF_STEP = _OF_RUN.where(table.c.step == bindparam("named"))
_DROP = delete(table).where(table.c.run == bindparam("of"), table.c.step == bindparam("named"))
_ADD = insert(table)


def earmark(
    connection: Connection,
    name: str,
    run: str,
    steps: Mapping[str, int],
    *,
    at: int,
    warn_at: Sequence[int] = WARN_AT,
) -> Moved:
    """Keep money of an account for the steps of a run: for all of them, or for none. A repeat on the same day is a
    no-op; with other figures the difference is moved, and steps that are not named any more are let go. On another day
    everything is moved to that day.

    Args:
        steps: Micro-dollars.

    Raises:
        BudgetExceededError: All of it together does not fit on one of the levels. What was kept before stays.

    """
    rows = connection.execute(_OF_RUN, {"of": run}).all()
    asked = {step: (name, whole(amount), at // DAY_MS) for step, amount in steps.items()}
    if asked == {row.step: (row.account, row.amount, row.at // DAY_MS) for row in rows}:
        return Moved()
    back = _taken_back(connection, rows)
    touched = levels(connection, name, "", at, opening=True) if steps else []
    total = sum(steps.values())
    what = "the steps of this run together"
    after = book(connection, touched, {USD: total}, total, back=back, what=what)
    if steps:
        new = [
            {"run": run, "step": step, "account": name, "amount": amount, "at": at} for step, amount in steps.items()
        ]
        connection.execute(_ADD, new)
    change = total - sum(row.amount for row in rows)
    return Moved(held=change, levels=after, crossed=crossings(connection, after, warn_at))


def unmark(connection: Connection, run: str, steps: Collection[str] | None = None) -> Moved:
    """Give back what is still kept for a run, or for some steps of it. A repeat is a no-op."""
    rows = [row for row in connection.execute(_OF_RUN, {"of": run}) if steps is None or row.step in steps]
    after = book(connection, (), {}, 0, back=_taken_back(connection, rows))
    return Moved(held=-sum(row.amount for row in rows), levels=after)


def let_go(connection: Connection, run: str, step: str) -> Back:
    """Forget what is kept for a step, which is about to reserve it. The balances are the caller's to move; nothing
    comes back a second time.
    """
    return _taken_back(connection, connection.execute(_OF_STEP, {"of": run, "named": step}).all())


def _taken_back(connection: Connection, rows: Sequence[Any]) -> Back:
    """Delete earmarks; what that gives back to each level, none of which has moved yet."""
    if not rows:
        return {}
    sums: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (row.account, row.at // DAY_MS)
        sums[key] = sums.get(key, 0) + row.amount
    back: dict[str, tuple[Level, int]] = {}
    for (name, day), amount in sums.items():
        for level in levels(connection, name, "", day * DAY_MS):
            _, before = back.get(level.id, (level, 0))
            back[level.id] = (level, before + amount)
    connection.execute(_DROP, [{"of": row.run, "named": row.step} for row in rows])
    return back
