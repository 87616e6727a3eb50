"""Rows of prices that are paused. Every function runs inside the caller's transaction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, insert, select, update

from aggregator.errors import PricePausedError
from aggregator.pricing.drift import Pause, is_above, rates_of
from aggregator.pricing.money import from_micro_usd
from aggregator.store import journal
from aggregator.store.schema import attempt, pause, transfer

if TYPE_CHECKING:
    from aggregator.store.journal import Attempt, NewAttempt

__all__ = ["lift", "pause_if_above", "paused", "refuse"]

# Put together once: every purchase asks.
_PAUSED = (
    select(pause.c.offer, pause.c.rates, pause.c.at, attempt.c.job, attempt.c.reserved, transfer.c.amount)
    .join_from(pause, attempt, attempt.c.id == pause.c.attempt)
    .join(transfer, (transfer.c.attempt == attempt.c.id) & (transfer.c.kind == "post"))
    .where(pause.c.lifted_at.is_(None))
    .order_by(pause.c.at, pause.c.offer)
)
_ADD = insert(pause)
_AGAIN = (
    update(pause)
    .where(pause.c.offer == bindparam("of"), pause.c.rates == bindparam("priced"))
    .values(attempt=bindparam("by"), at=bindparam("then"), lifted_at=None)
)


def pause_if_above(connection: Connection, of: "Attempt", bill: int, at: int) -> bool:
    """Pause the price of an attempt whose bill, in micro-dollars, is above what was reserved for it."""
    if not is_above(bill, of.reserved):
        return False
    rates = rates_of(of.plan["quote"])
    known = connection.execute(_AGAIN, {"of": of.offer, "priced": rates, "by": of.id, "then": at})
    if known.rowcount == 0:
        connection.execute(_ADD, {"offer": of.offer, "rates": rates, "attempt": of.id, "at": at})
    journal.write_event(connection, of.id, "paused", {"offer": of.offer, "rates": rates, "bill": bill}, at)
    return True


def paused(connection: Connection) -> Mapping[tuple[str, str], Pause]:
    """What is paused now, by offer and rates."""
    rows = connection.execute(_PAUSED)
    return {
        (row.offer, row.rates): Pause(
            row.offer, row.rates, row.job, from_micro_usd(row.reserved), from_micro_usd(row.amount), row.at
        )
        for row in rows
    }


def refuse(known: Mapping[tuple[str, str], Pause], purchase: "NewAttempt") -> None:
    """Let no purchase through whose price is paused.

    Raises:
        PricePausedError: It is.

    """
    offer = f"{purchase.provider}:{purchase.endpoint}"
    found = known.get((offer, rates_of(purchase.plan["quote"]))) if known else None  # type: ignore[arg-type]
    if found is not None:
        raise PricePausedError(
            f"{offer} {found.said}. Nothing was sent. Correct its rate, or allow it again as it is with "
            f"`aggregator pauses lift {offer}`",
            offer=offer,
            quote_usd=found.quote_usd,
            bill_usd=found.bill_usd,
        )


def lift(connection: Connection, offer: str, at: int) -> int:
    """Allow an offer to be bought again, at every price of it that is paused; returns how many those were."""
    done = connection.execute(
        update(pause).where(pause.c.offer == offer, pause.c.lifted_at.is_(None)).values(lifted_at=at)
    )
    if done.rowcount:
        journal.write_event(connection, None, "lifted", {"offer": offer}, at)
    return done.rowcount
