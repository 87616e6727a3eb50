"""What was billed of what was quoted, and how long own GPUs took: read from finished purchases, changed by nothing."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, or_, select

from aggregator.pricing.compute import Finished
from aggregator.pricing.money import from_micro_usd
from aggregator.pricing.ratio import Bill, Ratio, ratios
from aggregator.store.schema import attempt, job, transfer

__all__ = ["bills", "drifts", "finished"]

_MOST = 50
"""Purchases of one offer that are looked at, the newest."""
_MOST_OF_ALL = 500
"""Purchases of all offers that are looked at together: reading them takes some 20 ms."""
_SAID_BY_OTHERS = ("reported", "operator", "invoice")
_UNBILLED = ("failed", "refused", "canceled", "lost")
"""Ends in which a bill says nothing of the quote: a failure costs less."""

_post = transfer.alias("post")
_adjust = transfer.alias("adjust")
_later = func.coalesce(
    func.sum(case((_adjust.c.credit.startswith("provider:"), _adjust.c.amount), else_=-_adjust.c.amount)), 0
)
_corrected = (
    select(_adjust.c.attempt, _later.label("amount"))
    .where(_adjust.c.kind == "adjust", _adjust.c.source.in_(_SAID_BY_OTHERS))
    .group_by(_adjust.c.attempt)
    .subquery("corrected")
)
_BILLS = (
    select(
        attempt.c.provider,
        attempt.c.endpoint,
        attempt.c.model,
        attempt.c.plan,
        _post.c.amount,
        _post.c.basis,
        _post.c.at,
        _corrected.c.amount.label("later"),
    )
    .join_from(attempt, _post, (_post.c.attempt == attempt.c.id) & (_post.c.kind == "post"))
    .outerjoin(_corrected, _corrected.c.attempt == attempt.c.id)
    .where(
        attempt.c.state.not_in(_UNBILLED),
        or_(_post.c.source.in_(_SAID_BY_OTHERS), _corrected.c.amount.is_not(None)),
    )
    .order_by(_post.c.at.desc())
)
_OF_OFFER = (attempt.c.provider == bindparam("provider"), attempt.c.endpoint == bindparam("endpoint"))

# Put together once: whoever opens a store asks for all of them.
_ALL_BILLS = _BILLS.limit(_MOST_OF_ALL)
_BILLS_OF_OFFER = _BILLS.where(*_OF_OFFER).limit(_MOST)
_FINISHED = (
    select(attempt.c.took_ms, attempt.c.delivery, attempt.c.plan, job.c.request)
    .join_from(attempt, job, attempt.c.job == job.c.id)
    .where(attempt.c.delivery.is_not(None), *_OF_OFFER)
    .order_by(attempt.c.finished_at.desc())
    .limit(_MOST)
)


def bills(connection: Connection, *, offer: str | None = None) -> list[Bill]:
    """Every bill that a provider reported or a person corrected, of one offer or all; the newest of each offer."""
    rows = connection.execute(_ALL_BILLS) if offer is None else connection.execute(_BILLS_OF_OFFER, _names(offer))
    found: dict[str, list[Bill]] = {}
    for row in rows:
        of = found.setdefault(f"{row.provider}:{row.endpoint}", [])
        if len(of) < _MOST:
            of.append(_bill(row))
    return [bill for of in found.values() for bill in of]


def drifts(connection: Connection, now: int, *, offer: str | None = None) -> dict[str, Ratio]:
    """The offers whose bills are not as quoted; `now` in milliseconds since the epoch."""
    return {name: found for name, found in ratios(bills(connection, offer=offer), now).items() if found.drifts}


def _names(offer: str) -> dict[str, str]:
    provider, _, endpoint = offer.partition(":")
    return {"provider": provider, "endpoint": endpoint}


def _bill(row: Any) -> Bill:
    lines = row.basis.get("lines", ()) if isinstance(row.basis, Mapping) else ()
    counted = {line["unit"]: Decimal(line["high"]) for line in lines if line["row"] != "charged"}
    billed = from_micro_usd(row.amount + int(row.later or 0))
    return Bill(
        f"{row.provider}:{row.endpoint}",
        row.model,
        row.plan["quote"],
        billed,
        {} if row.later else counted,
        row.at,
    )


def finished(connection: Connection, offers: Collection[str]) -> list[Finished]:
    """The newest finished jobs of each of these offers, by what was reported, else by the time until they were done."""
    found = []
    for offer in dict.fromkeys(offers):
        for row in connection.execute(_FINISHED, _names(offer)):
            reported = row.delivery["reported"].get("gpu_second")
            took_s = Decimal(reported) if reported is not None else None
            if took_s is None and row.took_ms is not None:
                took_s = Decimal(row.took_ms) / 1000
            if took_s is not None:
                served = row.plan.get("request", row.request)
                found.append(Finished(offer, served, took_s, row.plan["names"].get("gpu")))
    return found
