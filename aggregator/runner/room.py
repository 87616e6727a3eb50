"""Room for one more job at a provider: asked for before a paid request leaves, and learned from what becomes of it."""

from typing import TYPE_CHECKING, Any

from aggregator._limits import Turn
from aggregator.backend import Backend
from aggregator.engine import Submission
from aggregator.errors import ProviderError, RateLimitError
from aggregator.replicas import replicas
from aggregator.runner import placing
from aggregator.runner.context import Context, Money
from aggregator.store import limits
from aggregator.store.journal import Attempt, NewAttempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = [
    "FullError",
    "NoRoomError",
    "check",
    "is_first",
    "is_free",
    "learn",
    "refused",
    "spread",
    "took",
    "wait",
    "waits",
]

BUSY_S, MAX_BUSY_S = 2.0, 30.0
"""How long a server of the user's own is left alone that is busy: longer each time."""
LOOK_S = 1.0
"""How often the store is looked at for room that another process has left."""


class NoRoomError(Exception):
    """The provider takes no more jobs at this moment; the attempt stays reserved."""


class FullError(Exception):
    """Nothing was bought: the provider takes no more jobs at this moment, and another offer is to be asked instead."""


def spread(context: Context, c: "Connection", purchase: NewAttempt, at: int) -> None:
    """Let the planner know that an account is full, and have it plan again, where the configuration wants that.

    Raises:
        FullError: From the transaction, which is undone. Not where every offer is passed over: then it is waited.

    """
    plan: Any = purchase.plan
    if plan["chosen"]["passed_over"] is not None or not plan["alternatives"]:
        return
    if _overflows(context, c, purchase):
        _full(context, purchase)
        raise FullError
    if not context.planner.config.routing.spread:
        return
    purchase = placing.placed(context, c, purchase)
    account = _account(_backend(context, purchase))
    awaited = context.engine.limits.is_awaited(_key(account))
    if awaited or not limits.room(c, account, me=context.owner, at=at).is_free:
        _full(context, purchase)
        raise FullError


def _overflows(context: Context, c: "Connection", purchase: NewAttempt) -> bool:
    """Whether so much waits for the user's own servers already that the policy of the stage sends more to a seller."""
    plan: Any = purchase.plan
    policy, backends = context.planner.config.policy.get(plan["stage"]), context.planner.backends
    own = backends.get(purchase.provider)
    if policy is None or not policy.overflows or own is None or not own.self_hosted:
        return False
    names = (item["offer"].partition(":")[0] for item in plan["alternatives"])
    if all((seller := backends.get(name)) is None or seller.self_hosted for name in names):
        return False
    each = sum(limits.loads(c, purchase.provider).values()) / len(replicas(own))
    if policy.overflow_jobs is not None and each >= policy.overflow_jobs:
        return True
    track = context.planner.outcomes.track(f"{purchase.provider}:{purchase.endpoint}")
    known = policy.overflow_wait_s is not None and track is not None and track.p50_s is not None
    return known and each * track.p50_s > policy.overflow_wait_s  # type: ignore[union-attr,operator]


def _full(context: Context, purchase: NewAttempt) -> None:
    """None of its servers takes more."""
    named = purchase.provider, purchase.endpoint, purchase.model
    for one in replicas(_backend(context, purchase)):
        context.planner.health.full(context.planner.where(*named, one.account), context.clock.monotonic())


def is_free(context: Context, c: "Connection", purchase: NewAttempt, at: int) -> bool:
    """Whether a purchase may be sent at once, before anybody who waits."""
    backend = _backend(context, purchase)
    return is_first(context, backend) and limits.room(c, _account(backend), me=context.owner, at=at).is_free


def is_first(context: Context, backend: Backend) -> bool:
    """Whether nobody waits for room there, nor every request for its moment."""
    return backend.requests_per_second is None and not context.engine.limits.is_awaited(_key(_account(backend)))


def _backend(context: Context, purchase: NewAttempt) -> Backend:
    """Whom it is bought from, though the configuration may have changed since it was planned."""
    backend = context.planner.backend(purchase.provider, purchase.account_ref)
    assert backend is not None  # it was there when it was planned
    return backend


async def wait(context: Context, of: Attempt) -> Turn:
    """Queue up until there is room, or the deadline has passed. The turn is to be ended once the intent to send is
    written down. Where nothing limits the account there is no queue.
    """
    account = _account(context.backend(of))
    queue, key = context.engine.limits, _key(account)

    async def look() -> limits.Room:
        at = context.now()
        return await context.store.read(lambda c: limits.room(c, account, me=context.owner, at=at, without=of.id))

    if not queue.is_awaited(key) and not (await look()).is_limited:
        return Turn()
    turn = await queue.turn(key)
    try:
        while not (room := await look()).is_free and (left_s := context.remaining_s(of)) > 0:
            if await placing.freer(context, of) is not None:
                break  # it is not sent from here, but placed there
            frozen_s = context.left_s(room.frozen_until)
            if frozen_s:
                await context.clock.sleep(min(frozen_s, left_s))
            else:
                await queue.nudged(key, min(LOOK_S, left_s))
    except BaseException:
        turn.end()
        raise
    return turn


def check(context: Context, of: Attempt) -> Money:
    """What goes with the intent to send: somebody else may have been quicker.

    Raises:
        NoRoomError: From the transaction, which is undone.

    """
    account = _account(context.backend(of))

    def work(c: "Connection", at: int) -> None:
        if not limits.room(c, account, me=context.owner, at=at, without=of.id).is_free:
            raise NoRoomError(of.id)

    return work


def took(context: Context, of: Attempt) -> Money:
    """What goes with the news that a job was taken."""
    account = _account(context.backend(of))
    return lambda c, at: limits.took(c, account, me=context.owner, at=at)


def is_busy(context: Context, of: Attempt, error: ProviderError) -> bool:
    """Whether a server takes no more for now: it says so (429), or in its own way (409, 503) that it took nothing."""
    own = error.accepted is False and error.status_code in context.backend(of).provider.never_accepted
    return own or isinstance(error, RateLimitError)


def waits(context: Context, of: Attempt, error: ProviderError) -> bool:
    """Whether a job waits for a server of the user's own as long as it takes: where nobody else of the tier fits, or
    the policy of the stage wants own servers first and lets nothing overflow.
    """
    backend = context.backend(of)
    if not (backend.self_hosted and backend.own_host) or not is_busy(context, of, error):
        return False
    policy, plan = context.planner.config.policy.get(of.stage), of.plan
    if all(other["tier"] != plan["chosen"]["tier"] for other in plan["alternatives"]):
        return True
    return policy is not None and policy.order == "self-hosted" and not policy.overflows


def refused(context: Context, of: Attempt, error: ProviderError) -> Money | None:
    """What goes with the news that a job was not taken: nothing, unless there were too many."""
    if not is_busy(context, of, error):
        return None
    account = _account(context.backend(of))
    asked_s = error.retry_after_s
    if asked_s is None and waits(context, of, error):
        asked_s = min(BUSY_S * of.sends, MAX_BUSY_S)
    return lambda c, at: limits.refused(c, account, me=context.owner, at=at, without=of.id, retry_after_s=asked_s)


def learn(context: Context, of: Attempt, submission: Submission) -> None:
    """Tell the breaker what became of a paid request."""
    health, at = context.planner.health, context.clock.monotonic()
    where = context.planner.where(of.provider, of.endpoint, of.model, of.account_ref)
    if submission.outcome == "accepted":
        health.took(where, at)
    elif submission.error is not None:
        health.failed(where, submission.error, at)


def _account(backend: Backend) -> limits.Account:
    return limits.Account(backend.provider.name, backend.account, backend.concurrency)


def _key(account: limits.Account) -> tuple[str, str]:
    return account.provider, account.account_ref
