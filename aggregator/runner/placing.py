"""Which of several servers of a provider a job goes to: the one with the fewest jobs of ours, past those that rest.

A job is placed when it is bought, and may be placed again until a server has taken it: while it waits for room, and
when what was sent there certainly bought nothing. From then on it stays where it is.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aggregator.backend import Backend
from aggregator.engine import Submission
from aggregator.replicas import replicas
from aggregator.runner.context import Context
from aggregator.store import limits
from aggregator.store.journal import Attempt, NewAttempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["elsewhere", "freer", "moved", "placed"]


def placed(context: Context, c: "Connection", purchase: NewAttempt) -> NewAttempt:
    """The purchase at the server with the fewest jobs of ours, waiting ones included; that rests only if all do."""
    several = _servers(context, purchase)
    if len(several) < 2:  # noqa: PLR2004
        return purchase
    loads = limits.loads(c, purchase.provider)
    best = min(
        several, key=lambda one: (_rests(context, purchase, one.account), loads.get(one.account, 0), several.index(one))
    )
    where = context.planner.where(purchase.provider, purchase.endpoint, purchase.model, best.account)
    context.planner.health.asked(where, context.clock.monotonic())
    return replace(purchase, account_ref=best.account)


async def freer(context: Context, of: Attempt) -> str | None:
    """The account of another server that would take a waiting job at once, while its own would not."""
    several = _servers(context, of)
    if len(several) < 2:  # noqa: PLR2004
        return None

    def look(c: "Connection") -> str | None:
        def is_free(one: Backend) -> bool:
            account = limits.Account(of.provider, one.account, one.concurrency)
            return limits.room(c, account, me=context.owner, at=context.now(), without=of.id).is_free

        own = next((one for one in several if one.account == of.account_ref), None)
        if own is None or is_free(own):
            return None
        others = (one for one in several if one is not own and not _rests(context, of, one.account) and is_free(one))
        return next((one.account for one in others), None)

    return await context.store.read(look)


def elsewhere(context: Context, of: Attempt, submission: Submission) -> str | None:
    """The account of the server to ask next, after one has certainly taken nothing; `None`: there is no other.

    Whoever does not answer rests at once; whoever is busy is taken to be so for a moment.
    """
    several = _servers(context, of)
    if of.maybe_sent or of.sends >= len(several):
        return None
    health, at = context.planner.health, context.clock.monotonic()
    where = context.planner.where(of.provider, of.endpoint, of.model, of.account_ref)
    if submission.outcome == "never_sent":
        health.down(where, "it does not answer", at)
    else:
        health.full(where, at)
    others = (one.account for one in several if one.account != of.account_ref)
    return next((account for account in others if not _rests(context, of, account)), None)


def moved(of: Attempt, account: str) -> dict[str, Any]:
    """The columns of an attempt that goes to another server; what was uploaded to the first is uploaded again."""
    uploaded = any(item.get("form", "upload") == "upload" for item in of.plan["inputs"].values())
    return {"account_ref": account, **({"body": None} if uploaded else {})}


def _servers(context: Context, of: Attempt | NewAttempt) -> tuple[Backend, ...]:
    """All servers of a provider, as they are configured now."""
    backend = context.planner.backends.get(of.provider)
    return () if backend is None else replicas(backend)


def _rests(context: Context, of: Attempt | NewAttempt, account: str) -> bool:
    where = context.planner.where(of.provider, of.endpoint, of.model, account)
    return context.planner.health.why_resting(where, context.clock.monotonic()) is not None
