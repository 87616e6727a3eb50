"""Waiting for a job that was taken, and then the bill.

News are pushed where the provider can, and looked for at learned moments where it cannot. The settlement is one
transaction with `succeeded`, before anything is fetched.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import JsonValue

from aggregator import _observe, ledger
from aggregator._results import Delivery
from aggregator._wire import Reading
from aggregator.backend import Backend
from aggregator.clock import Clock
from aggregator.contract import State
from aggregator.errors import (
    AuthenticationError,
    ContentPolicyError,
    InvalidRequestError,
    JobCanceledError,
    JobFailedError,
    JobTimeoutError,
    ProviderError,
    ResponseFormatError,
    UnavailableError,
)
from aggregator.job import AttemptState
from aggregator.planning import read_by
from aggregator.polling import ServiceTime, next_poll_s
from aggregator.pricing.compute import GPU_SECOND
from aggregator.pricing.money import dollars, from_micro_usd, micro_usd
from aggregator.pricing.quote import Cost, Quote
from aggregator.pricing.settle import settled
from aggregator.runner import drift, inbox
from aggregator.runner.context import LEASE_S, Context
from aggregator.runner.faults import raised_again, write_fault
from aggregator.runner.fetch import spooled
from aggregator.runner.unknown import unknown
from aggregator.store import journal, pauses
from aggregator.store.journal import Attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["seen", "watch"]

S = AttemptState
GONE = (404, 405, 410)
NOT_FOUND_GRACE_S = 60.0
"""A provider may not know its own job yet, right after it was submitted."""
MAX_STREAMS = 400
"""Jobs listened to at once: each holds a connection, and processes are often limited to 1,024 files. A stream costs
less than looking and tells at once, so that below this every job has one.
"""
FOLLOWED_S = 1.0
"""A job that was submitted longer ago than this when the waiting began may be over already: it teaches nothing."""


async def watch(context: Context, of: Attempt) -> None:
    """Wait until the provider says that the job is over, or its deadline passes; write down what it says."""
    backend = context.backend(of)
    if backend.provider.poll is None:
        await unknown(context, of, UnavailableError("the process ended before its answer was kept"))
    if of.state is S.UNKNOWN:
        await _late_evidence(context, of, backend)
        return
    async with context.following(of):
        try:
            await _followed(context, of, backend)
        except (AuthenticationError, ResponseFormatError) as error:
            if context.remaining_s(of):
                raise  # the job is fine: what cannot be asked or read now is left to whoever resumes
            now = await context.load(of.job)
            if now.id != of.id or now.state not in (S.SUBMITTED, S.RUNNING):
                raise
            await unknown(context, now, error)


async def _followed(context: Context, of: Attempt, backend: Backend) -> None:
    """Listen where the provider pushes, and look until it is over."""
    times = _Times.of(context, of)
    if backend.provider.stream is not None and len(context.listening) < MAX_STREAMS:
        of = await _stream(context, of, backend, times)
    if of.state in (S.SUBMITTED, S.RUNNING):
        learned = await context.store.read(lambda c: journal.service(c, of.offer))
        while of.state in (S.SUBMITTED, S.RUNNING):
            of = await _look(context, of, backend, learned, times)


@dataclass(frozen=True, slots=True)
class _Times:
    """How long a job has been running. The written moment is read once: the clock it was written by may jump."""

    clock: Clock
    submitted_s: float
    teaches: bool
    """Whether the waiting began with the job."""

    @classmethod
    def of(cls, context: Context, of: Attempt) -> "_Times":
        now_s = context.clock.monotonic()
        since = of.submitted_at if of.submitted_at is not None else of.created_at
        elapsed_s = max(0.0, (context.now() - since) / 1000)
        return cls(context.clock, now_s - elapsed_s, elapsed_s < FOLLOWED_S)

    @property
    def elapsed_s(self) -> float:
        """Since the job was submitted."""
        return self.clock.monotonic() - self.submitted_s


async def _late_evidence(context: Context, of: Attempt, backend: Backend) -> None:
    """One look at a job that was given up: if it has ended, that counts."""
    try:
        reading = await context.engine.poll(backend, of.handle)
        if reading.state.is_terminal:
            of = await seen(context, of, reading)
    except AuthenticationError:
        raise
    except ProviderError:
        pass  # no news: what is written stands
    if of.state is S.UNKNOWN:
        await context.let_go(of)
        raise raised_again(of)


async def _stream(context: Context, of: Attempt, backend: Backend, times: _Times) -> Attempt:
    """Listen until the job is over. When the stream ends early, the looking goes on as for anyone else."""
    end: Reading | None = None
    context.listening.add(of.job)
    try:
        async with asyncio.timeout(context.remaining_s(of)):
            async for reading in context.engine.watch(backend, of.handle):
                if reading.state.is_terminal:
                    end = reading
                else:
                    of = await _kept(context, of, reading)
    except TimeoutError:
        pass  # one last look, and the deadline has passed
    except ResponseFormatError as error:
        _odd_word(of, error)
    except ProviderError:
        pass  # looking shows whether it stays so
    finally:
        context.listening.discard(of.job)
    if end is None:
        return of
    return await seen(context, of, end, unfinished_s=times.elapsed_s if times.teaches else None)


async def _look(context: Context, of: Attempt, backend: Backend, learned: ServiceTime, times: _Times) -> Attempt:
    """Sleep until the next look, look, and write down what is new. The last look is at the deadline, or after it in a
    process that came later.
    """
    elapsed_s = times.elapsed_s
    told = context.callbacks.expected(backend.provider, of.body)
    rest_s = min(next_poll_s(learned, elapsed_s, told=told), context.remaining_s(of))
    if called := await context.nudges.rest(of, rest_s):
        elapsed_s = times.elapsed_s
    try:
        reading = await context.engine.poll(backend, of.handle)
    except AuthenticationError:
        raise  # the job is fine, the key is not: mend it and resume
    except ResponseFormatError as error:
        _odd_word(of, error)
    except ProviderError as error:  # no answer is no news: the deadline ends it
        if error.status_code in (404, 410):
            of = await _not_found(context, of, error, elapsed_s)
    else:
        if reading.state.is_terminal:
            of = await seen(context, of, reading, unfinished_s=elapsed_s if times.teaches else None)
        else:
            of = await _kept(context, of, reading)
        if called:
            await context.store.transact(lambda c: inbox.handled(c, of, context.now()))
    if of.state in (S.SUBMITTED, S.RUNNING) and not context.remaining_s(of):
        said = f"{of.offer} has not finished by the deadline of the job, and was not canceled"
        await unknown(context, of, JobTimeoutError(said))
    return of


async def _not_found(context: Context, of: Attempt, error: ProviderError, elapsed_s: float) -> Attempt:
    """The provider knows no such job: it has canceled it and forgotten it, or does not know it yet, or nobody knows."""
    if await context.store.read(lambda c: journal.has_event(c, of.id, journal.CANCEL_HEARD)):
        said = f"{of.offer} has canceled it, and knows it no longer"
        return await _failed(context, of, JobCanceledError(said, provider=of.provider, accepted=True))
    if elapsed_s > NOT_FOUND_GRACE_S:
        await unknown(context, of, error)
    return of


async def _kept(context: Context, of: Attempt, reading: Reading) -> Attempt:
    """The job goes on: say so, and write down once that it runs."""
    context.tell(of, reading)
    if reading.state is not State.RUNNING or of.state is S.RUNNING:
        return of
    if of.lease_until - context.now() >= LEASE_S * 1000 / 2:
        return of  # it may be over soon: a write less
    return await context.move(of, S.RUNNING, wire=reading.state.value, **context.lease())


def _odd_word(of: Attempt, error: ResponseFormatError) -> None:
    """A word that is not in the table: counted and shown, never guessed; the looking goes on to the deadline."""
    _observe.emit("unknown_status_word", job=of.job, provider=of.provider, word=error.code)
    _observe.measure("aggregator.unknown_status_words", 1, "{word}", {"gen_ai.provider.name": of.provider})


async def seen(
    context: Context, of: Attempt, reading: Reading, *, unfinished_s: float | None = None, at_once: bool = False
) -> Attempt:
    """The provider says that it is over: fetch the answer, book what it cost.

    Args:
        unfinished_s: When it was last known to go on, in seconds since the submit; `None` where that is not known.
        at_once: The answer to the order itself says so.

    """
    if reading.state is not State.SUCCEEDED:
        assert reading.error is not None
        return await _failed(context, of, reading.error, reading.charged_usd)
    watched = at_once or unfinished_s is not None
    took_ms = max(0, context.now() - of.last_sent_at) if watched and of.last_sent_at is not None else None
    try:
        delivery = await context.engine.result(context.backend(of), read_by(of.plan["read"]), of.handle, reading)
    except (AuthenticationError, ResponseFormatError):
        raise  # it is done and to be paid for; what is missing is an answer that can be read
    except ProviderError as error:
        return await _failed(context, of, error) if _ends(error) else of
    if delivery is None:
        return of  # it is done, and what follows is not there yet: the looking goes on
    return await _settled(context, of, await spooled(context, delivery), unfinished_s, took_ms)


def _ends(error: ProviderError) -> bool:
    """Whether the answer to a success says that the job failed after all, rather than that it is not to be had."""
    if isinstance(error, InvalidRequestError):
        return error.status_code is not None and error.status_code // 100 == 4 and error.status_code not in GONE  # noqa: PLR2004
    return isinstance(error, JobFailedError | JobCanceledError | ContentPolicyError)


async def _settled(
    context: Context, of: Attempt, delivery: Delivery, unfinished_s: float | None, took_ms: int | None
) -> Attempt:
    """Book what it cost, together with the fact that it is done, before anything is fetched."""
    cost = settled(
        Quote.from_json(of.plan["quote"]),
        delivery.reported,
        reserved_usd=from_micro_usd(of.reserved),
        charged_usd=delivery.charged_usd,
        measured=_seen(context, of, took_ms),
    )
    assert cost.amount_usd is not None
    amount = micro_usd(cost.amount_usd, "settle")
    over, paused = 0, False

    def money(c: "Connection", at: int) -> ledger.Moved:
        nonlocal over, paused
        basis = cost.as_json()
        booked = ledger.settle(c, of.id, amount, source=_source(cost), basis=basis, at=at, warn_at=context.warn_at)
        over, paused = booked.over, _paused(context, c, of, amount, at)
        if of.submitted_at is not None and unfinished_s is not None:
            journal.learn(c, of.offer, (at - of.submitted_at) / 1000, unfinished_s=unfinished_s)
        return booked

    answer = delivery.as_json()
    wire = State.SUCCEEDED.value
    moved = await context.move(of, S.SUCCEEDED, money=money, delivery=answer, wire=wire, took_ms=took_ms, error=None)
    _observe.emit("attempt_settled", job=of.job, offer=of.offer, micro_usd=amount, source=cost.source)
    if over:
        _observe.emit("bill_above_quote", job=of.job, offer=of.offer, over_micro_usd=over, paused=paused)
    if cost.unpriced:
        _observe.emit("bill_unpriced", job=of.job, offer=of.offer, micro_usd=amount)
    if cost.source == "reported":
        await drift.noticed(context, of, cost.amount_usd)
    return moved


def _seen(context: Context, of: Attempt, took_ms: int | None) -> dict[str, Decimal]:
    """The GPU-seconds of a job on a server of the user's own, from the order to the word that it is done."""
    backend = context.backend(of)
    own = backend.self_hosted and backend.own_host
    return {GPU_SECOND: Decimal(took_ms) / 1000} if own and took_ms is not None else {}


def _paused(context: Context, c: "Connection", of: Attempt, bill: int, at: int) -> bool:
    """Whether nothing more is bought at this price, because of this bill; who plans here knows it at once."""
    paused = pauses.pause_if_above(c, of, bill, at)
    if paused:
        context.planner.paused = pauses.paused(c)
    return paused


def _source(cost: Cost) -> ledger.Source:
    assert cost.source != "none"
    return cost.source


async def _failed(context: Context, of: Attempt, error: ProviderError, charged_usd: Decimal | None = None) -> Attempt:
    """It was taken and then failed: billed by what the answer says was charged, else by the provider's own rule, and
    kept reserved where neither says.
    """
    rule = context.backend(of).provider.bills_failures
    billed = rule(error) if callable(rule) else rule
    charged = of.reserved
    if charged_usd is not None:
        charged = micro_usd(charged_usd, "settle")
        billed = charged > 0
    if of.maybe_sent and billed is False:
        billed = None  # an earlier request may have bought another one
    if billed is None:
        held = dollars(from_micro_usd(of.reserved))
        error.message = (
            f"{error.message.rstrip('. ')}. It may be billed: {held} stay reserved, until `aggregator correct {of.id} "
            "USD` says what was"
        )
    name = type(error).__name__

    def money(c: "Connection", at: int) -> ledger.Moved | None:
        if billed:
            source: ledger.Source = "computed" if charged_usd is None else "reported"
            basis: JsonValue = {"why": "failures are billed"}
            _paused(context, c, of, charged, at)
            return ledger.settle(c, of.id, charged, source=source, basis=basis, at=at, warn_at=context.warn_at)
        return ledger.release(c, of.id, why=name, at=at) if billed is False else None

    _observe.emit("attempt_failed", job=of.job, offer=of.offer, error=name)
    to, wire = (S.CANCELED, State.CANCELED) if isinstance(error, JobCanceledError) else (S.FAILED, State.FAILED)
    return await context.move(of, to, money=money, error=write_fault(error, of), wire=wire.value)
