"""Two-phase money: reserve, then settle or release, each resolved once. Integer micro-dollars, immutable rows.

Every function here runs inside the caller's transaction, so that money moves together with the state that moves it.
`held`, `settled` and `overrun` of an account are caches of its transfers and earmarks; `verify` rebuilds them and
compares. What is found out after an attempt was resolved is a further row (`adjust`), never a change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Literal

from pydantic import JsonValue
from sqlalchemy import Connection, bindparam, insert, select

from aggregator.booking import Moved, book, move, whole
from aggregator.budgets import USD, WARN_AT, Level, crossings, in_credits, levels, rate_usd, shown
from aggregator.earmarks import earmark, let_go, unmark
from aggregator.errors import AlreadyReleasedError, AlreadySettledError, LedgerError
from aggregator.periods import DAY_MS
from aggregator.store.balances import Figures, charged, earmarks, totals
from aggregator.store.schema import account, transfer

__all__ = ["Moved", "Source", "adjust", "earmark", "release", "reserve", "settle", "unmark", "verify"]

Source = Literal["reported", "computed", "reserved", "operator", "invoice", "probed"]
"""Who says what was charged."""


# Put together once: that takes longer than running them.
_TRANSFERS = select(transfer).where(transfer.c.attempt == bindparam("of"))
_BY_ID = select(transfer.c.debit, transfer.c.amount).where(transfer.c.id == bindparam("of"))
_WRITE = insert(transfer)
_ACCOUNTS = select(account)


def reserve(
    connection: Connection,
    name: str,
    attempt_id: str,
    amount: int,
    *,
    provider: str,
    basis: JsonValue,
    at: int,
    warn_at: Sequence[int] = WARN_AT,
    earmark: tuple[str, str] | None = None,
) -> Moved:
    """Hold `amount` on the account, on everything above it and on their periods, or nothing anywhere. A repeat is a
    no-op.

    Args:
        earmark: The run and the step that it is for: what is still kept for them goes into this reservation. As much
            as was kept needs no room, but in the periods that began since it was earmarked.

    Raises:
        BudgetExceededError: It does not fit on one of the levels.

    """
    whole(amount)
    hold = f"{attempt_id}:hold"
    known = connection.execute(_BY_ID, {"of": hold}).one_or_none()
    if known is not None:
        if (known.debit, known.amount) != (name, amount):
            raise LedgerError(f"attempt {attempt_id} reserved {shown(known.amount)} on {known.debit} before")
        return Moved()
    back = {} if earmark is None else let_go(connection, *earmark)
    touched = levels(connection, name, provider, at, opening=True)
    currency = next((level.currency for level in touched if level.currency != USD), None)
    usd = None if currency is None else rate_usd(connection, currency)
    needed = {USD: amount}
    if currency is not None and usd is not None:
        needed[currency] = in_credits(amount, usd, "reserve")
    after = book(connection, touched, needed, amount, back=back)
    _write(
        connection,
        id=hold,
        kind="pending",
        debit=name,
        credit=f"provider:{provider}",
        attempt=attempt_id,
        amount=amount,
        currency=currency,
        credits=None if currency is None else needed[currency],
        credit_usd=None if usd is None else str(usd),
        source="quote",
        basis=basis,
        at=at,
    )
    return Moved(held=amount, levels=after, crossed=crossings(connection, after, warn_at))


def settle(
    connection: Connection,
    attempt_id: str,
    amount: int,
    *,
    source: Source,
    basis: JsonValue,
    at: int,
    warn_at: Sequence[int] = WARN_AT,
) -> Moved:
    """Book `amount` against the reservation and free the rest.

    A bill above the reservation is a fact: it is booked in full and counted as overrun. A repeat is a no-op.
    """
    whole(amount)
    hold, resolved, _ = _history(connection, attempt_id)
    over = max(0, amount - hold.amount)
    if resolved is not None:
        if resolved.kind == "void":
            raise AlreadyReleasedError(f"the reservation of attempt {attempt_id} was released before")
        if resolved.amount != amount:
            raise AlreadySettledError(
                f"attempt {attempt_id} was settled at {shown(resolved.amount)}, not {shown(amount)}"
            )
        return Moved(over=over)
    in_unit = _credits(hold, amount)
    _resolve(connection, hold, "post", amount, in_unit, source, basis, at)
    by = {USD: Figures(-hold.amount, amount, over)}
    if hold.currency:
        by[hold.currency] = Figures(-hold.credits, in_unit or 0, max(0, (in_unit or 0) - hold.credits))
    return _moved(connection, hold, by, warn_at)


def release(connection: Connection, attempt_id: str, *, why: str, at: int) -> Moved:
    """Give the whole reservation back. Only for what certainly costs nothing: the runner decides that. A repeat is a
    no-op.
    """
    hold, resolved, _ = _history(connection, attempt_id)
    if resolved is not None:
        if resolved.kind == "post":
            raise AlreadySettledError(f"attempt {attempt_id} was settled at {shown(resolved.amount)} before")
        return Moved()
    source = "operator" if why == "operator" else "released"
    _resolve(connection, hold, "void", hold.amount, hold.credits, source, {"why": why}, at)
    by = {USD: Figures(-hold.amount)}
    if hold.currency:
        by[hold.currency] = Figures(-hold.credits)
    return _moved(connection, hold, by, ())


def adjust(
    connection: Connection,
    attempt_id: str,
    amount: int,
    *,
    source: Source,
    basis: JsonValue,
    at: int,
    warn_at: Sequence[int] = WARN_AT,
) -> Moved:
    """Set what a resolved attempt was charged after all: an invoice, an operator or the file itself says so. Writes the
    difference; where there is none, nothing.

    What it adds was free for others in the meantime: it counts as overrun, and may leave an account above its cap.

    Raises:
        LedgerError: The attempt is not resolved yet: it is to be settled or released.

    """
    whole(amount)
    hold, resolved, adjusting = _history(connection, attempt_id)
    if resolved is None:
        raise LedgerError(f"attempt {attempt_id} is still reserved: settle or release it, then adjust it")
    was = charged(hold, resolved, adjusting)
    if was.settled == amount:
        return Moved()
    in_unit = _credits(hold, amount)
    was_in_unit = charged(hold, resolved, adjusting, "credits").settled if hold.currency else 0
    more = amount > was.settled
    if not more:
        _open_clearing(connection, hold.credit)
    row = {
        "id": f"{attempt_id}:adjust:{len(adjusting) + 1}",
        "kind": "adjust",
        "pending_id": hold.id,
        "debit": hold.debit if more else hold.credit,
        "credit": hold.credit if more else hold.debit,
        "attempt": attempt_id,
        "amount": abs(amount - was.settled),
        "currency": hold.currency,
        "credits": None if in_unit is None else abs(in_unit - was_in_unit),
        "credit_usd": hold.credit_usd,
    }
    _write(connection, **row, source=source, basis=basis, at=at)
    now = [*adjusting, _Adjusting(row["id"], row["debit"], row["amount"], row["credits"])]
    by = {USD: _difference(was, charged(hold, resolved, now))}
    if hold.currency:
        before, after = (charged(hold, resolved, rows, "credits") for rows in (adjusting, now))
        by[hold.currency] = _difference(before, after)
    return _moved(connection, hold, by, warn_at)


@dataclass(frozen=True, slots=True)
class _Adjusting:
    """An `adjust` row that has just been written."""

    id: str
    debit: str
    amount: int
    credits: int | None


def _difference(before: Figures, after: Figures) -> Figures:
    return Figures(0, after.settled - before.settled, after.overrun - before.overrun)


def _open_clearing(connection: Connection, name: str) -> None:
    """What comes back from a provider is debited to its clearing account, which keeps no figures."""
    if connection.execute(select(account.c.id).where(account.c.id == name)).first() is None:
        connection.execute(insert(account).values(id=name))


# ------------------------------------------------------------------------------------------------------------- inside


def _history(connection: Connection, attempt_id: str) -> tuple[Any, Any, list[Any]]:
    """The hold of an attempt, what resolved it, and what was found out later."""
    rows = connection.execute(_TRANSFERS, {"of": attempt_id}).all()
    hold = next((row for row in rows if row.kind == "pending"), None)
    if hold is None:
        raise LedgerError(f"attempt {attempt_id} has no reservation")
    resolved = next((row for row in rows if row.kind in ("post", "void")), None)
    return hold, resolved, [row for row in rows if row.kind == "adjust"]


def _credits(hold: Any, amount: int) -> int | None:
    """An amount in the credits of a hold, at the rate it was made at; `None` where it is in dollars alone."""
    return in_credits(amount, Decimal(hold.credit_usd), "settle") if hold.currency else None


def _moved(connection: Connection, hold: Any, by: dict[str, Figures], warn_at: Sequence[int]) -> Moved:
    """Move the balances that the hold was made on."""
    provider = hold.credit.partition(":")[2]
    touched = [
        level for level in levels(connection, hold.debit, provider, hold.at) if level.currency in by
    ]  # credits that were not counted yet when it was reserved stay as they are
    for unit, change in by.items():
        ids = [level.id for level in touched if level.currency == unit]
        move(connection, ids, change)
    after = _after(touched, by)
    usd = by[USD]
    return Moved(usd.held, usd.settled, max(0, usd.overrun), after, crossings(connection, after, warn_at))


def _after(touched: Iterable[Level], by: dict[str, Figures]) -> tuple[Level, ...]:
    found = []
    for level in touched:
        change = by[level.currency]
        found.append(
            level._replace(
                held=level.held + change.held,
                settled=level.settled + change.settled,
                overrun=level.overrun + change.overrun,
            )
        )
    return tuple(found)


def _resolve(
    connection: Connection,
    hold: Any,
    kind: str,
    amount: int,
    in_unit: int | None,
    source: str,
    basis: JsonValue,
    at: int,
) -> None:
    _write(
        connection,
        id=f"{hold.attempt}:{kind}",
        kind=kind,
        pending_id=hold.id,
        debit=hold.debit,
        credit=hold.credit,
        attempt=hold.attempt,
        amount=amount,
        currency=hold.currency,
        credits=in_unit,
        credit_usd=hold.credit_usd,
        source=source,
        basis=basis,
        at=at,
    )


def _write(connection: Connection, **columns: Any) -> None:
    connection.execute(_WRITE, columns)


# ------------------------------------------------------------------------------------------------------------ proving


def verify(connection: Connection) -> None:
    """Rebuild every balance from the transfers and earmarks, and compare: accounts, periods and credits.

    Raises:
        LedgerError: A balance differs; both figures are in the message.

    """
    rows = {row.id: row for row in connection.execute(_ACCOUNTS)}
    books = _rebuilt(connection, rows)
    for row in rows.values():
        written, found = Figures(row.held, row.settled, row.overrun), books[row.id]
        if written != found:
            raise LedgerError(
                f"the books of {row.id} do not add up: reserved {written.held}, settled {written.settled} and overrun "
                f"{written.overrun} micro-dollars are written, the transfers and earmarks say {found.held}, "
                f"{found.settled} and {found.overrun}. Nothing is spent until this is understood; keep a copy of the "
                "store"
            )


def _rebuilt(connection: Connection, rows: Mapping[str, Any]) -> dict[str, Figures]:
    """What every account would say if it were worked out anew."""
    credit_accounts = {row.currency: row.id for row in rows.values() if row.currency != USD and not row.window_of}
    windows: dict[str, list[Any]] = {}
    for row in rows.values():
        if row.window_of:
            windows.setdefault(row.window_of, []).append(row)
    books = dict.fromkeys(rows, Figures())

    def add(name: str, day: int, figures: Figures) -> None:
        books[name] += figures
        for window in windows.get(name, ()):
            if window.from_at <= day * DAY_MS < window.until_at:
                books[window.id] += figures

    for total in chain(totals(connection), earmarks(connection)):
        at: str | None = total.debit
        while at is not None:
            add(at, total.day, total.usd)
            at = rows[at].parent
        if total.currency is not None:
            add(credit_accounts[total.currency], total.day, total.credits)
    return books
