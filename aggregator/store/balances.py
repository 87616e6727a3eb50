"""What transfers and earmarks add up to: the figures that accounts keep a copy of. Reads only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
)

from aggregator.periods import DAY_MS
from aggregator.store.schema import account, earmark, transfer

__all__ = [
    "DAY",
    "RESOLVED",
    "Figures",
    "Sums",
    "Total",
    "charged",
    "earmarks",
    "end",
    "kept",
    "pending",
    "subtree",
    "sums",
    "totals",
]

pending, end = transfer.alias("pending"), transfer.alias("resolution")

DAY = pending.c.at // literal_column(str(DAY_MS), BigInteger)
"""Days since the epoch: when it was reserved."""

RESOLVED = and_(end.c.pending_id == pending.c.id, text("resolution.kind IN ('post', 'void')"))
"""Written out, so that the databases see that the index of resolutions serves it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an account keeps: whole micro-dollars, or millionths of a credit."""

    held: int = 0
    settled: int = 0
    overrun: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.held + other.held, self.settled + other.settled, self.overrun + other.overrun)


@dataclass(frozen=True, slots=True)
class Total:
    """What was reserved on one account on one day, and what became of it."""

    debit: str
    currency: str | None
    """Of the provider's credits, where it bills in them."""
    day: int
    """Days since the epoch."""
    usd: Figures
    credits: Figures


def subtree(name: str | BindParameter[str]) -> Any:
    """Selects the ids of an account and of everything below it."""
    tree = select(account.c.id).where(account.c.id == name).cte("tree", recursive=True)
    return select(tree.union_all(select(account.c.id).where(account.c.parent == tree.c.id)).c.id)


def charged(hold: Any, resolution: Any, adjusting: Sequence[Any], name: str = "amount") -> Figures:
    """What an attempt is charged after all, in order; and how much of that no reservation covered when it was booked.

    What an adjustment adds was free for others in the meantime, so that all of it counts as overrun; what it takes away
    is taken from the overrun first.
    """
    settled = getattr(resolution, name) if resolution.kind == "post" else 0
    over = max(0, settled - getattr(hold, name))
    for row in sorted(adjusting, key=lambda row: int(row.id.rpartition(":")[2])):
        change = getattr(row, name) * (1 if row.debit == hold.debit else -1)
        settled, over = settled + change, max(0, over + change)
    return Figures(0, settled, over)


def _sums(name: str) -> list[Any]:
    held, booked = pending.c[name], end.c[name]
    parts = [
        case((end.c.kind.is_(None), held), else_=0),
        case((end.c.kind == "post", booked), else_=0),
        case((and_(end.c.kind == "post", booked > held), booked - held), else_=0),
    ]
    return [func.coalesce(func.sum(part), 0) for part in parts]


# Put together once: that takes longer than running them.
_BY = (pending.c.debit, pending.c.currency, DAY)
_CHANGED = select(transfer.c.pending_id).where(transfer.c.kind == "adjust")
_PLAIN = (
    select(*_BY, *_sums("amount"), *_sums("credits"))
    .select_from(pending.outerjoin(end, RESOLVED))
    .where(pending.c.kind == "pending", pending.c.id.not_in(_CHANGED))
    .group_by(*_BY)
)
_ADJUSTED = (
    select(transfer)
    .join(pending, or_(pending.c.id == transfer.c.id, pending.c.id == transfer.c.pending_id))
    .where(pending.c.kind == "pending", pending.c.id.in_(_CHANGED))
)


@dataclass(frozen=True, slots=True)
class Sums:
    """What `totals` asks."""

    plain: Select[Any]
    adjusted: Select[Any]


def sums(*where: ColumnElement[bool]) -> Sums:
    """Sums of what was reserved; `where` is about `pending`. Whoever asks often keeps it, with parameters in it."""
    return Sums(_PLAIN.where(*where), _ADJUSTED.where(*where))


_ALL = Sums(_PLAIN, _ADJUSTED)


def totals(connection: Connection, of: Sums = _ALL, **values: Any) -> Iterator[Total]:
    """What was reserved, by account, currency and day; `values` are those of the parameters in `of`."""
    yield from _plain(connection, of.plain, values)
    yield from _adjusted(connection, of.adjusted, values)


_EARMARKED_ON = earmark.c.at // literal_column(str(DAY_MS), BigInteger)
_EARMARKS = select(earmark.c.account, _EARMARKED_ON, func.sum(earmark.c.amount)).group_by(
    earmark.c.account, _EARMARKED_ON
)


def kept(*where: ColumnElement[bool]) -> Select[Any]:
    """Sums of earmarks; `where` is about `earmark`. Whoever asks often keeps it, with parameters in it."""
    return _EARMARKS.where(*where)


def earmarks(connection: Connection, of: Select[Any] = _EARMARKS, **values: Any) -> Iterator[Total]:
    """What is kept for steps that have not reserved yet, by account and day; `values` are those of the parameters in
    `of`.
    """
    for name, day, amount in connection.execute(of, values):
        yield Total(name, None, int(day), Figures(int(amount)), Figures())


def _plain(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Iterator[Total]:
    """Everything that nobody came back to."""
    for debit, currency, day, *added in connection.execute(query, values):
        figures = [int(one) for one in added]  # PostgreSQL adds whole numbers to a decimal
        yield Total(debit, currency, int(day), Figures(*figures[:3]), Figures(*figures[3:]))


def _adjusted(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Iterator[Total]:
    """What was charged otherwise than first booked: few, and their order counts."""
    attempts: dict[str, list[Any]] = {}
    for row in connection.execute(query, values):
        attempts.setdefault(row.attempt, []).append(row)
    for of in attempts.values():
        hold = next(row for row in of if row.kind == "pending")
        resolution = next(row for row in of if row.kind in ("post", "void"))
        adjusting = [row for row in of if row.kind == "adjust"]
        credit = charged(hold, resolution, adjusting, "credits") if hold.currency else Figures()
        usd = charged(hold, resolution, adjusting)
        yield Total(hold.debit, hold.currency, hold.at // DAY_MS, usd, credit)
