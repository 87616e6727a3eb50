"""Finds out about a paid request that may have been taken: by what its provider declares, and never by guessing.

In this order: what was known before the send is looked at; the same bytes go out again under the same key, where the
provider knows keys; the job is looked for by the attempt's own id; a callback may have named it; it is looked for among
the jobs of that time. What is proven not to have been taken gives its money back. What stays open is `unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import Formatter
from typing import Any

from aggregator import _lookup
from aggregator._http import SendError
from aggregator._lookup import Listed, Sought
from aggregator._retry import CAP_S
from aggregator.backend import Backend
from aggregator.contract import AskFlow, Call, Lookup, Provider
from aggregator.engine import PAID_TIMEOUTS, Submission
from aggregator.errors import ContentPolicyError, InvalidRequestError, ProviderError, UnavailableError
from aggregator.job import AttemptState
from aggregator.runner import inbox, submit
from aggregator.runner.context import SEND_LEASE_S, Context
from aggregator.runner.faults import raised_again, read_fault, write_fault
from aggregator.runner.unknown import unknown
from aggregator.store import journal
from aggregator.store.journal import Attempt

__all__ = ["ABSENT", "missing_names", "reconcile"]

S = AttemptState
MAX_REPLAYS = 4
"""How often the same request is sent again without a usable answer."""
IN_FLIGHT_S = PAID_TIMEOUTS.read_s
"""How long a provider may say that the first request is still being worked on."""
LOOKS_S = 30.0
"""How long a lookup is repeated that may not show a job yet."""
CLOCKS_S = 3600.0
"""By how much clocks may differ, or jump: so much of a key's time is left to them."""
CERTAINLY_S = 86_400.0
"""From how much later on a written time proves that time has passed."""
SKEW_S = 5.0
LATE_S = 60.0
"""How much sooner or later a provider's clock may say that a job was made."""
CONFLICT, UNPROCESSABLE, NOT_FOUND = 409, 422, 404
MAYBE_ALIVE = "sender_may_live"
"""The code of an attempt whose sender was only silent for too long."""
ABSENT = "absent"
"""`Attempt.found_by` of what was certainly not taken."""


@dataclass(frozen=True, slots=True)
class Found:
    """The provider's job of an attempt, and by what it was found."""

    handle: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The attempt was certainly not taken."""

    why: str


async def reconcile(context: Context, of: Attempt) -> None:
    """Find out what became of a request that may have been sent. A later look at what is unknown is one short one."""
    backend = context.backend(of)
    if of.state is S.SUBMITTING:
        of = await _interrupted(context, of)
    taken = False
    async with context.following(of):
        found = await _known(context, backend, of)
        if found is None and _knows_key(context, backend.provider, of):
            replay = await _replayed(context, backend, of)
            if replay.over:
                return
            of, taken = replay.of, replay.taken
        if found is None:
            found = await _searched(context, backend, of)
    if isinstance(found, Found):
        await context.whole(submit.taken(context, of, dict(found.handle), found_by=found.by))
    elif isinstance(found, Absent) and not taken:
        no = UnavailableError(f"{of.offer} has not taken the order ({found.why})")
        await context.whole(submit.not_taken(context, of, no, S.FAILED, found_by=ABSENT))
    elif of.state is S.UNKNOWN:
        await context.let_go(of)
        raise raised_again(of)
    else:
        error = read_fault(of.error) if of.error else UnavailableError("no answer")
        await unknown(context, of, error, taken=taken)


async def _interrupted(context: Context, of: Attempt) -> Attempt:
    """Somebody's send has no end in the journal: from here on it counts as sent."""
    code = None if of.id in context.ended else MAYBE_ALIVE
    context.ended.discard(of.id)
    error = UnavailableError("the process ended while the request was on its way", code=code)
    return await context.move(
        of,
        S.RECONCILING,
        maybe_sent=1,
        error=write_fault(error, of),
        why={"outcome": "interrupted"},
        **context.lease(SEND_LEASE_S),
    )


# ------------------------------------------------------------------------------------- what was known before the send


async def _known(context: Context, backend: Backend, of: Attempt) -> Found | Absent | None:
    """Look at the job that a purchase of several exchanges had described before it paid."""
    if isinstance(backend.ordering(of.plan["names"]), Call) or of.first_sent_at is None:
        return None
    if not of.known:
        # Written down right before the paid request leaves, by whoever still holds the attempt: it has not left.
        return Absent("it broke off before the request that is paid")
    if not _can_be_polled(backend.provider, of.known):
        return None
    try:
        await context.engine.poll(backend, of.known)
    except (ProviderError, SendError):
        return None
    return Found(of.known, "poll")


def _can_be_polled(provider: Provider, names: Mapping[str, str]) -> bool:
    poll = provider.poll
    return poll is not None and not missing_names(provider, poll, names)


def missing_names(provider: Provider, call: Call | AskFlow, names: Mapping[str, str]) -> list[str]:
    """What a call's address needs beside these names; a question of several needs the job's id."""
    if not isinstance(call, Call):
        return [] if "id" in names else ["id"]
    known = {"nonce", *provider.hosts, *provider.cdns, *names}
    return [name for _, name, _, _ in Formatter().parse(call.url) if name and name not in known]


# -------------------------------------------------------------------------------------------------- the key once more


@dataclass(frozen=True, slots=True)
class _Replay:
    """What sending the same again has shown."""

    of: Attempt
    over: bool = False
    """The attempt has gone on: there is nothing more to find out."""
    taken: bool = False
    """The provider has the job, and does not say as what."""
    refused: bool = False
    """It refuses these bytes, while an earlier send of them may still arrive and be judged otherwise."""
    error: ProviderError | None = None


def _knows_key(context: Context, provider: Provider, of: Attempt) -> bool:
    """Whether the provider still knows the key of the first send: by this process's own clock if it was the sender,
    else by the written time, with what clocks may differ by.
    """
    ttl_s = provider.idempotency_ttl_s
    if provider.idempotency == "none" or of.body is None or ttl_s is None:
        return provider.idempotency != "none" and of.body is not None
    attempt_id, sent_s = context.sent.get(of.job, ("", 0.0))
    if attempt_id == of.id:
        return context.clock.monotonic() - sent_s < ttl_s - LATE_S
    first_ms = of.first_sent_at if of.first_sent_at is not None else of.created_at
    return 0 <= (context.now() - first_ms) / 1000 < ttl_s - CLOCKS_S


async def _replayed(context: Context, backend: Backend, of: Attempt) -> _Replay:
    """Send the same bytes again under the same key. Where the provider replays, its answer is the first one's; where it
    refuses a key that it knows, the refusal says that it has the job. A refusal of the bytes counts once nothing that
    was sent before can still arrive: two judgements of one picture may differ.
    """
    began_s = unclear_s = context.clock.monotonic()
    arrives_s = _read_s(backend, of)
    unclear = turn = 0
    refused = False
    while unclear < MAX_REPLAYS and (refused or context.clock.monotonic() - began_s < IN_FLIGHT_S):
        await context.engine.ready(backend)
        if not _knows_key(context, backend.provider, of):
            break
        late = context.clock.monotonic() - unclear_s >= arrives_s
        replay = await context.whole(_resent(context, backend, of, believe_no=late))
        of, error = replay.of, replay.error
        status = error.status_code if error is not None else None
        if refused := replay.refused:
            await context.nudges.rest(of, unclear_s + arrives_s - context.clock.monotonic())
            continue
        if replay.over or replay.taken or status == UNPROCESSABLE:
            return replay
        unclear += status != CONFLICT  # that one is still being worked on
        unclear_s = context.clock.monotonic()
        asked_s = min((error.retry_after_s if error else None) or 0.0, CAP_S)
        turn += 1
        await context.nudges.rest(of, max(asked_s, context.rng.uniform(0.5, 1.0) * min(2.0**turn, CAP_S)))
    return _Replay(of)


async def _resent(context: Context, backend: Backend, of: Attempt, *, believe_no: bool) -> _Replay:
    """One more send, and what it settles: it was taken, or would have been refused the first time as well."""
    of = await context.move(of, of.state, sends=of.sends + 1, last_sent_at=context.now(), **context.lease(SEND_LEASE_S))
    submission = await submit.send(context, backend, of)
    refused = _judges_the_bytes(submission)
    if refused and not believe_no:
        return _Replay(of, refused=True, error=submission.error)
    if submission.outcome == "accepted" or refused:
        await submit.outcome(context, backend, replace(of, maybe_sent=False), submission, found_by="replay")
        return _Replay(of, over=True)
    status = submission.error.status_code if submission.error is not None else None
    rejects = backend.provider.idempotency == "reject"
    return _Replay(of, taken=rejects and status in (CONFLICT, UNPROCESSABLE), error=submission.error)


def _judges_the_bytes(submission: Submission) -> bool:
    """Whether a refusal speaks of the request itself, so that it would have been the same the first time. A refused
    key, an empty account, a rate limit or an endpoint that is gone say nothing of what was taken before; nor does a
    422, which is how a key is refused that is known.
    """
    error = submission.error
    if submission.outcome != "rejected":
        return False
    malformed = isinstance(error, InvalidRequestError) and error.status_code not in (404, 405, 410, UNPROCESSABLE)
    return malformed or isinstance(error, ContentPolicyError)


# --------------------------------------------------------------------------------------------- looking, free of charge


async def _searched(context: Context, backend: Backend, of: Attempt) -> Found | Absent | None:
    """Look, and look again as long as an answer may still come: a list may be late, a provider may still call."""
    provider = backend.provider
    began_s = context.clock.monotonic()
    patience_s = 0.0 if of.state is S.UNKNOWN else _patience_s(context, backend, of)
    turn = 0
    while True:
        watched_s = context.clock.monotonic() - began_s
        found = await _looked(context, backend, of, watched_s)
        left_s = patience_s - watched_s
        if found is not None or left_s <= 0 or (provider.lookup is None and not _is_called(context, provider, of)):
            return found
        turn += 1
        await context.nudges.rest(of, min(2.0**turn, CAP_S, left_s))


def _patience_s(context: Context, backend: Backend, of: Attempt) -> float:
    """How long looking is worth while, in seconds; never beyond the job's deadline."""
    provider, left_s = backend.provider, context.remaining_s(of)
    if _is_called(context, provider, of):
        return left_s
    if provider.lookup is None:
        return 0.0
    complete_s = provider.lookup.complete_after_s
    return min(left_s, LOOKS_S if complete_s is None else _proof_s(backend, of, complete_s))


def _is_called(context: Context, provider: Provider, of: Attempt) -> bool:
    """Whether the provider was asked to call back about this attempt, and is believed when it does."""
    return isinstance(of.body, dict) and context.callbacks.expected(provider, of.body)


def _proof_s(backend: Backend, of: Attempt, complete_after_s: float) -> float:
    """How long one has to watch until the request cannot be on its way any more, nor its job be missing from a list: a
    line that was cut here may still deliver what was sent, for as long as an answer would have been waited for.
    """
    alive = of.error is not None and of.error["code"] == MAYBE_ALIVE
    return complete_after_s + (SEND_LEASE_S if alive else _read_s(backend, of))


def _read_s(backend: Backend, of: Attempt) -> float:
    """How long the answer to a send is waited for."""
    call = backend.ordering(of.plan["names"])
    return min(call.read_s, PAID_TIMEOUTS.read_s) if isinstance(call, Call) else PAID_TIMEOUTS.read_s


async def _looked(context: Context, backend: Backend, of: Attempt, watched_s: float) -> Found | Absent | None:
    """One look everywhere."""
    lookup = backend.provider.lookup
    called = await context.store.read(lambda c: inbox.found(c, of))
    if called is not None and not (lookup is not None and _lookup.by_reference(lookup)):
        return Found(called, "callback")
    listed = await _listed(context, backend, of) if lookup is not None else None
    if listed is not None and len(listed.handles) == 1:
        return Found(listed.handles[0], "lookup")
    if called is not None:
        return Found(called, "callback")
    if lookup is None or listed is None or listed.handles or not listed.complete or lookup.complete_after_s is None:
        return None
    # Waited for by this process's own clock: the written times of two clocks may be hours apart.
    proof_s = _proof_s(backend, of, lookup.complete_after_s)
    last_ms = of.last_sent_at if of.last_sent_at is not None else context.now()
    passed_s = (context.now() - last_ms) / 1000
    waited = watched_s >= proof_s or passed_s >= proof_s + CERTAINLY_S
    return Absent("it lists no such job") if waited and _is_kept(context, of, lookup) else None


def _is_kept(context: Context, of: Attempt, lookup: Lookup) -> bool:
    """Whether the job, if there is one, is certainly listed still: by this process's own clock if it sent the order,
    else by the written time, with a day to spare.
    """
    if lookup.kept_s is None:
        return False
    attempt_id, sent_s = context.sent.get(of.job, ("", 0.0))
    if attempt_id == of.id:
        return context.clock.monotonic() - sent_s < lookup.kept_s
    first_ms = of.first_sent_at if of.first_sent_at is not None else of.created_at
    return (context.now() - first_ms) / 1000 + CERTAINLY_S < lookup.kept_s


async def _listed(context: Context, backend: Backend, of: Attempt) -> Listed | None:
    """What the provider's own lookup shows, without the jobs that other attempts have; `None` where it tells nothing,
    or where a job could be that of another attempt as well.
    """
    lookup = backend.provider.lookup
    assert lookup is not None
    if of.first_sent_at is None or of.last_sent_at is None:
        return None
    sought = _sought(backend, of)
    try:
        listed = await context.engine.lookup(backend, sought)
    except (ProviderError, SendError):
        return None
    if listed is None:
        return None

    def unclaimed(c: Any) -> Listed | None:
        free, others = (
            tuple(handle for handle in handles if not journal.is_taken(c, of, handle.get("id", "")))
            for handles in (listed.handles, listed.others)
        )
        if free and not _lookup.by_reference(lookup):
            rivals = (_sought(backend, other) for other in journal.unanswered(c, of))
            if any(_lookup.is_alike(lookup, sought, rival) for rival in rivals):
                return None
        return replace(listed, handles=free, complete=listed.complete and not others)

    return await context.store.read(unclaimed)


def _sought(backend: Backend, of: Attempt) -> Sought:
    """What is looked for: with an attempt's own id, or made in the time of its sends."""
    assert of.first_sent_at is not None
    last_ms = of.last_sent_at if of.last_sent_at is not None else of.first_sent_at
    return Sought(
        attempt=of.id,
        names=of.plan["names"],
        body=of.body,
        from_s=of.first_sent_at / 1000 - SKEW_S,
        until_s=last_ms / 1000 + _read_s(backend, of) + LATE_S,
    )
