"""Two-phase money: reserve, then settle or release, each resolved once. Integer micro-dollars, immutable rows.

Every function here runs inside the caller's transaction, so that money moves together with the state that moves it.
`held` and `settled` of an account are caches of its transfers; `verify` rebuilds them and compares.
"""

from typing import Any, Literal

from pydantic import JsonValue
from sqlalchemy import Connection, insert, or_, select, update

from aggregator.errors import (
    AlreadyReleasedError,
    AlreadySettledError,
    BudgetExceededError,
    ConfigurationError,
    LedgerError,
)
from aggregator.pricing.money import dollars, from_micro_usd
from aggregator.spend import Spend, SpendLine
from aggregator.store.schema import account, attempt, transfer

__all__ = ["open_account", "release", "reserve", "set_cap", "settle", "spend", "verify"]

Source = Literal["reported", "computed", "reserved", "operator"]


def _shown(amount: int) -> str:
    return dollars(from_micro_usd(amount))


# ---------------------------------------------------------------------------------------------------------- accounts


def open_account(connection: Connection, name: str, *, parent: str | None, cap: int | None) -> None:
    """Make an account, or find it as it was made. `cap` of `None` leaves an existing cap alone.

    Raises:
        ConfigurationError: It exists with another budget or another parent.

    """
    row = connection.execute(select(account.c.cap, account.c.parent).where(account.c.id == name)).one_or_none()
    if row is None:
        connection.execute(insert(account).values(id=name, parent=parent, cap=cap))
        return
    if row.parent != parent:
        raise ConfigurationError(f"{name} exists below {row.parent}, not below {parent}: choose another name")
    if cap is not None and row.cap != cap:
        was = "no budget" if row.cap is None else f"a budget of {_shown(row.cap)}"
        raise ConfigurationError(f"{name} has {was}, not {_shown(cap)}: a budget is for life; set_budget() changes it")


def set_cap(connection: Connection, name: str, cap: int) -> None:
    """Change a budget; never below what is spent and reserved."""
    row = connection.execute(
        select(account.c.held, account.c.settled, account.c.overrun).where(account.c.id == name)
    ).one()
    if row.held + row.settled > cap + row.overrun:
        raise ConfigurationError(
            f"a budget of {_shown(cap)} is too low for {name}: {_shown(row.settled)} spent, {_shown(row.held)} reserved"
        )
    connection.execute(update(account).where(account.c.id == name).values(cap=cap))


def _chain(connection: Connection, name: str) -> list[str]:
    """The account and everything above it, in one fixed order, so that two writers never wait for each other."""
    above: list[str] = []
    at: str | None = name
    while at is not None:
        above.append(at)
        at = connection.execute(select(account.c.parent).where(account.c.id == at)).scalar()
    return sorted(above)


# ------------------------------------------------------------------------------------------------------------- money


def reserve(
    connection: Connection, name: str, attempt_id: str, amount: int, *, provider: str, basis: JsonValue, at: int
) -> None:
    """Hold `amount` on the account and on everything above it, or nothing anywhere.

    Raises:
        BudgetExceededError: It does not fit on one of the levels.

    """
    hold = f"{attempt_id}:hold"
    if connection.execute(select(transfer.c.id).where(transfer.c.id == hold)).first() is not None:
        return
    chain = _chain(connection, name)
    fits = or_(account.c.cap.is_(None), account.c.held + account.c.settled + amount <= account.c.cap)
    for level in chain:
        done = connection.execute(
            update(account).where(account.c.id == level, fits).values(held=account.c.held + amount)
        )
        if done.rowcount != 1:
            raise _no_room(connection, level, amount)
    connection.execute(
        insert(transfer).values(
            id=hold,
            kind="pending",
            debit=name,
            credit=f"provider:{provider}",
            attempt=attempt_id,
            amount=amount,
            source="quote",
            basis=basis,
            at=at,
        )
    )


def _no_room(connection: Connection, level: str, amount: int) -> BudgetExceededError:
    row = connection.execute(
        select(account.c.cap, account.c.held, account.c.settled).where(account.c.id == level)
    ).one()
    free = max(0, row.cap - row.held - row.settled)
    return BudgetExceededError(
        f"{level}: this call may cost {_shown(amount)}, and {_shown(free)} is left of {_shown(row.cap)} "
        f"(spent {_shown(row.settled)}, reserved {_shown(row.held)}). Nothing was sent. Raise the budget with "
        "set_budget(), or choose a cheaper model or stage",
        account=level,
        quote_usd=from_micro_usd(amount),
        limit_usd=from_micro_usd(row.cap),
        spent_usd=from_micro_usd(row.settled),
        held_usd=from_micro_usd(row.held),
    )


def _resolution(connection: Connection, attempt_id: str) -> tuple[Any, Any]:
    """The hold of an attempt, and what resolved it."""
    rows = connection.execute(
        select(transfer).where(transfer.c.id.in_([f"{attempt_id}:hold", f"{attempt_id}:post", f"{attempt_id}:void"]))
    ).all()
    hold = next((row for row in rows if row.kind == "pending"), None)
    if hold is None:
        raise LedgerError(f"attempt {attempt_id} has no reservation")
    return hold, next((row for row in rows if row.kind != "pending"), None)


def settle(connection: Connection, attempt_id: str, amount: int, *, source: Source, basis: JsonValue, at: int) -> int:
    """Book `amount` against the reservation and free the rest. Returns by how much the bill is above it (usually 0).

    A bill above the reservation is a fact: it is booked in full and counted as overrun. A repeat is a no-op.
    """
    hold, resolved = _resolution(connection, attempt_id)
    over: int = max(0, amount - hold.amount)
    if resolved is not None:
        if resolved.kind == "void":
            raise AlreadyReleasedError(f"the reservation of attempt {attempt_id} was released before")
        if resolved.amount != amount:
            raise AlreadySettledError(
                f"attempt {attempt_id} was settled at {_shown(resolved.amount)}, not {_shown(amount)}"
            )
        return over
    _resolve(connection, hold, "post", amount, source, basis, at)
    for level in _chain(connection, hold.debit):
        connection.execute(
            update(account)
            .where(account.c.id == level)
            .values(
                held=account.c.held - hold.amount,
                settled=account.c.settled + amount,
                overrun=account.c.overrun + over,
            )
        )
    return over


def release(connection: Connection, attempt_id: str, *, why: str, at: int) -> None:
    """Give the whole reservation back. Only for what certainly costs nothing: the runner decides that. A repeat is a
    no-op.
    """
    hold, resolved = _resolution(connection, attempt_id)
    if resolved is not None:
        if resolved.kind == "post":
            raise AlreadySettledError(f"attempt {attempt_id} was settled at {_shown(resolved.amount)} before")
        return
    _resolve(connection, hold, "void", hold.amount, "operator" if why == "operator" else "released", {"why": why}, at)
    for level in _chain(connection, hold.debit):
        connection.execute(update(account).where(account.c.id == level).values(held=account.c.held - hold.amount))


def _resolve(connection: Connection, hold: Any, kind: str, amount: int, source: str, basis: JsonValue, at: int) -> None:
    connection.execute(
        insert(transfer).values(
            id=f"{hold.attempt}:{kind}",
            kind=kind,
            pending_id=hold.id,
            debit=hold.debit,
            credit=hold.credit,
            attempt=hold.attempt,
            amount=amount,
            source=source,
            basis=basis,
            at=at,
        )
    )


# ----------------------------------------------------------------------------------------------------------- reports


def spend(connection: Connection, name: str) -> Spend:
    """Read the books of an account and everything below it."""
    row = connection.execute(select(account).where(account.c.id == name)).one()
    below = _below(connection, name)
    post, pending = transfer.alias("post"), transfer.alias("pending")
    rows = connection.execute(
        select(
            attempt.c.model,
            attempt.c.provider,
            attempt.c.plan,
            pending.c.amount.label("held"),
            post.c.kind,
            post.c.amount,
            post.c.source,
        )
        .select_from(
            pending.join(attempt, attempt.c.id == pending.c.attempt).outerjoin(post, post.c.pending_id == pending.c.id)
        )
        .where(pending.c.kind == "pending", pending.c.debit.in_(below))
    ).all()
    lines: dict[tuple[str, str, str], list[int]] = {}
    for item in rows:
        if item.kind == "void":
            continue
        sums = lines.setdefault((item.model, item.provider, item.plan["request"]["task"]), [0, 0, 0, 0])
        sums[0] += 1
        sums[1] += item.amount or 0
        sums[2] += 0 if item.kind else item.held
        sums[3] += item.source == "reserved"
    return Spend(
        project=name.partition(":")[2] or name,
        budget_usd=None if row.cap is None else from_micro_usd(row.cap),
        settled_usd=from_micro_usd(row.settled),
        held_usd=from_micro_usd(row.held),
        overrun_usd=from_micro_usd(row.overrun),
        unpriced_jobs=sum(sums[3] for sums in lines.values()),
        lines=tuple(
            SpendLine(model, provider, task, sums[0], from_micro_usd(sums[1]), from_micro_usd(sums[2]), sums[3])
            for (model, provider, task), sums in sorted(lines.items())
        ),
    )


def _below(connection: Connection, name: str) -> list[str]:
    tree = select(account.c.id).where(account.c.id == name).cte("tree", recursive=True)
    tree = tree.union_all(select(account.c.id).where(account.c.parent == tree.c.id))
    return list(connection.execute(select(tree.c.id)).scalars())


def verify(connection: Connection) -> None:
    """Rebuild every balance from the transfers and compare.

    Raises:
        LedgerError: A balance differs; both figures are in the message.

    """
    parents = {row.id: row.parent for row in connection.execute(select(account.c.id, account.c.parent))}
    books: dict[str, list[int]] = {name: [0, 0, 0] for name in parents}
    resolved = transfer.alias("resolved")
    rows = connection.execute(
        select(transfer.c.debit, transfer.c.amount, resolved.c.kind, resolved.c.amount.label("posted"))
        .outerjoin(resolved, resolved.c.pending_id == transfer.c.id)
        .where(transfer.c.kind == "pending")
    )
    for row in rows:
        at: str | None = row.debit
        while at is not None:
            if row.kind is None:
                books[at][0] += row.amount
            elif row.kind == "post":
                books[at][1] += row.posted
                books[at][2] += max(0, row.posted - row.amount)
            at = parents[at]
    for level in connection.execute(select(account.c.id, account.c.held, account.c.settled, account.c.overrun)):
        if [level.held, level.settled, level.overrun] != books[level.id]:
            held, posted, over = books[level.id]
            raise LedgerError(
                f"the books of {level.id} do not add up: reserved {level.held}, settled {level.settled} and overrun "
                f"{level.overrun} micro-dollars are written, the transfers say {held}, {posted} and {over}. Nothing is "
                "spent until this is understood; keep a copy of the store"
            )
