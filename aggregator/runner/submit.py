"""The paid request: sent with its intent durable, once unless it certainly bought nothing; and what became of it.

What nobody knows is for `reconcile` to find out: its money stays reserved, and here it is not sent again.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from aggregator import _observe, ledger
from aggregator._http import SendError
from aggregator._retry import MAX_ASKED_S, retrying
from aggregator.backend import Backend
from aggregator.contract import State
from aggregator.engine import PAID_TIMEOUTS, Submission
from aggregator.errors import (
    AggregatorError,
    InvalidRequestError,
    JobTimeoutError,
    ProviderError,
    ResponseFormatError,
    StoreError,
    UnavailableError,
)
from aggregator.inputs import Media
from aggregator.job import AttemptState
from aggregator.planning import write_inputs
from aggregator.runner import placing, room, watch
from aggregator.runner.context import SEND_LEASE_S, Context, Money
from aggregator.runner.faults import Source, write_fault
from aggregator.runner.unknown import unknown
from aggregator.store import journal
from aggregator.store.journal import Attempt, MovedElsewhereError, RemoteJobTakenError
from aggregator.store.transcoded import in_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["not_taken", "outcome", "send", "submit", "taken", "upload"]

S = AttemptState
MAX_SENDS = 4
"""Paid requests per attempt, all but the last of which certainly bought nothing."""
SENDING_S = PAID_TIMEOUTS.whole_s
"""How much of the lease must be left when the first byte leaves."""
UNPROCESSABLE = 422


class _NotTakenError(Exception):
    """The paid request certainly bought nothing, and the provider may be asked again."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


async def upload(context: Context, of: Attempt) -> None:
    """Hand local inputs over, write the exact body down, and send it where there is room. If an input is not taken, the
    attempt has ended.
    """
    backend = context.backend(of)
    gave: dict[str, str] = {}
    try:
        for text, source in (await _sources(context, of, "upload")).items():
            upload = partial(context.engine.upload, backend, source, of.plan["names"])
            gave[text] = await context.handed.once(of, source, context.clock, backend.provider.upload_ttl_s, upload)
        for text, source in (await _sources(context, of, "data")).items():
            gave[text] = await context.engine.inline(source)
        await _sources(context, of, "part")  # what cannot be made ready is known before anything is paid
    except (AggregatorError, SendError, ValueError, KeyError, OSError) as error:
        await not_taken(context, of, _upload_failed(of, error), S.FAILED)
        return
    body = context.addressed(of, of.id, write_inputs(of.plan["body"], gave))
    await context.whole(_written_down(context, of, backend, body))


async def _written_down(context: Context, of: Attempt, backend: Backend, body: JsonValue) -> None:
    """Keep the body; with nothing to wait for, the intent to send is part of it: one commit less."""
    if room.is_first(context, backend) and context.remaining_s(of):
        try:
            ready = await _intent(context, of, sends=1, money=room.check(context, of), body=body)
        except room.NoRoomError:
            pass
        else:
            await submit(context, ready, intended=True)
            return
    await context.move(of, S.RESERVED, body=body)


async def _sources(context: Context, of: Attempt, *forms: str) -> dict[str, Source]:
    """The local inputs of an attempt that are handed over in one of these ways, by their text in the body."""
    found = {}
    for text, item in of.plan["inputs"].items():
        media, form = (item["media"], item["form"]) if "form" in item else (item, "upload")  # older journals
        if form in forms:
            if "as" in item:
                media = (await in_format(context.files, Media.from_json(media), item["as"])).as_json()
            path = await context.files.have(media["sha256"], media["mime_type"])
            found[text] = Source(media["sha256"], media["mime_type"], media["size_bytes"], str(path))
    return found


def _upload_failed(of: Attempt, error: Exception) -> ProviderError:
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, StoreError):
        return UnavailableError(f"an input cannot be had: {error}; nothing was ordered", accepted=False)
    said = f"{type(error).__name__}: {error}"
    return UnavailableError(f"{of.provider} did not take an input ({said}); nothing was ordered", accepted=False)


async def submit(context: Context, of: Attempt, *, intended: bool, entered: Callable[[], None] = lambda: None) -> None:
    """Send the paid request, again only after it certainly bought nothing; write down what became of it. Where the
    provider takes no more at the moment, the attempt stays reserved.

    Args:
        intended: The intent to send is in the journal already, by this very process.
        entered: Called once the intent is written down.

    """
    backend = context.backend(of)
    current = of

    async def once() -> None:
        nonlocal current, intended
        await context.engine.ready(backend)
        if not intended and not context.remaining_s(current):
            late = JobTimeoutError(f"{of.offer} was not asked by the deadline of the job; nothing was ordered")
            await not_taken(context, current, late, S.FAILED)
            return
        if not intended:
            try:
                await _sources(context, current, "part")  # uploaded on another host, perhaps: they are brought first
            except (AggregatorError, ValueError, OSError) as lacking:
                await not_taken(context, current, _upload_failed(current, lacking), S.FAILED)
                return
            current = await _intent(context, current, sends=current.sends + 1, money=room.check(context, current))
            entered()
        elif context.left_s(current.lease_until) < SENDING_S:  # it took long to come here: somebody else may have it
            current = await _intent(context, current, sends=current.sends)
        intended = False
        if current.sends == 1:
            context.sent[of.job] = (of.id, context.clock.monotonic())
        submission = await send(context, backend, current)
        room.learn(context, current, submission)
        error = submission.error
        again = submission.outcome in ("never_sent", "rejected") and error is not None and error.retryable
        left_s = context.remaining_s(current)
        if again and left_s and not current.maybe_sent and await _placed_again(context, current, submission):
            raise room.NoRoomError(current.id)
        again = again and current.sends < MAX_SENDS and not current.maybe_sent
        if again and error is not None and (error.retry_after_s or 0.0) < min(left_s, MAX_ASKED_S):
            why, refused = {"outcome": submission.outcome}, room.refused(context, current, error)
            current = await context.move(current, S.RESERVED, known=None, why=why, money=refused)
            raise _NotTakenError(error)
        await outcome(context, backend, current, submission)

    with suppress(room.NoRoomError):
        await retrying(once, safe=_send_again, attempts=MAX_SENDS, clock=context.clock, rng=context.rng)


async def _placed_again(context: Context, of: Attempt, submission: Submission) -> bool:
    """Whether the attempt goes back to wait for room: at another server, or, where the user's own is busy, at this."""
    error = submission.error
    if error is None:
        return False
    there = placing.elsewhere(context, of, submission)
    if there is None and not room.waits(context, of, error):
        return False
    why, at = {"outcome": submission.outcome}, {} if there is None else placing.moved(of, there)
    await context.move(of, S.RESERVED, known=None, why=why, money=room.refused(context, of, error), **at)
    return True


async def _intent(context: Context, of: Attempt, *, sends: int, money: Money | None = None, **columns: Any) -> Attempt:
    """Write down that the request is about to leave, and when."""
    at = context.now()
    first = of.first_sent_at if of.first_sent_at is not None else at
    columns |= {"sends": sends, "first_sent_at": first, "last_sent_at": at, **context.lease(SEND_LEASE_S)}
    return await context.move(of, S.SUBMITTING, money=money, **columns)


async def send(context: Context, backend: Backend, of: Attempt) -> Submission:
    """The paid request itself, exactly as it is written down."""
    _observe.emit("attempt_started", job=of.job, offer=of.offer, send=of.sends)

    async def paying(known: Mapping[str, str]) -> None:
        until = context.now() + int(SEND_LEASE_S * 1000)
        await context.store.transact(lambda c: journal.know(c, of, known, lease_until=until))

    return await context.engine.submit(
        backend,
        of.body,
        of.plan["names"],
        idempotency_key=of.idempotency_key,
        inputs=await _sources(context, of, "part"),
        paying=paying,
    )


def _send_again(error: BaseException) -> float | None:
    return (error.error.retry_after_s or 0.0) if isinstance(error, _NotTakenError) else None


async def outcome(
    context: Context, backend: Backend, of: Attempt, submission: Submission, *, found_by: str | None = None
) -> None:
    """Write down what became of a paid request.

    Args:
        found_by: What settled it, where an earlier request had left it open.

    """
    if submission.outcome == "accepted":
        of = await taken(context, of, dict(submission.handle), found_by=found_by)
        _observe.emit("attempt_accepted", job=of.job, offer=of.offer, remote_id=of.handle.get("id"))
        if submission.reading is not None:
            await watch.seen(context, of, submission.reading, at_once=found_by is None)
        return
    error = submission.error or UnavailableError("no answer")
    if submission.outcome == "unknown" or of.maybe_sent or _speaks_of_the_key(backend, of, error):
        # A definite no clears only itself.
        written = write_fault(error, of)
        await context.move(of, S.RECONCILING, maybe_sent=1, error=written, why={"outcome": submission.outcome})
    else:
        to = S.FAILED if submission.outcome == "never_sent" else S.REFUSED
        await not_taken(context, of, error, to, found_by=found_by)


def _speaks_of_the_key(backend: Backend, of: Attempt, error: ProviderError) -> bool:
    """Whether a refusal may mean that the key was used before: by an earlier send, whatever was answered to it."""
    refused = isinstance(error, InvalidRequestError) and error.status_code == UNPROCESSABLE
    return refused and backend.provider.idempotency != "none" and of.sends > 1


async def taken(context: Context, of: Attempt, handle: dict[str, str], *, found_by: str | None = None) -> Attempt:
    """Keep what the provider gave for the job. Late evidence counts: another process that gave the attempt up in the
    meantime did not have it.
    """
    while True:
        try:
            return await context.move(
                of,
                S.SUBMITTED,
                handle=handle,
                remote_id=handle.get("id"),
                submitted_at=context.now(),
                wire=State.QUEUED.value,
                maybe_sent=0,
                error=None,
                found_by=found_by or of.found_by,
                money=room.took(context, of),
                **context.lease(),
            )
        except MovedElsewhereError:
            now = await context.load(of.job)
            if now.id != of.id or now.handle or now.state not in (S.SUBMITTING, S.RECONCILING, S.UNKNOWN):
                await _too_late(context, of, handle)
                raise
            of = now
        except RemoteJobTakenError as error:
            await unknown(context, of, ResponseFormatError(str(error)))


async def _too_late(context: Context, of: Attempt, handle: Mapping[str, str]) -> None:
    """The attempt was resolved without this job: write down that there is one, so that the books can be corrected."""
    said = {"remote_id": handle.get("id")}
    await context.store.transact(lambda c: journal.write_event(c, of.id, "accepted_too_late", said, context.now()))
    _observe.emit("accepted_too_late", job=of.job, offer=of.offer, remote_id=handle.get("id"))


async def not_taken(
    context: Context, of: Attempt, error: ProviderError, to: AttemptState, *, found_by: str | None = None
) -> None:
    """Nothing was bought: give the money back."""
    error.accepted = False
    name = type(error).__name__
    refused = room.refused(context, of, error) if of.state is S.SUBMITTING else None
    _observe.emit("attempt_refused", job=of.job, offer=of.offer, error=name)

    def money(c: "Connection", at: int) -> ledger.Moved:
        if refused is not None:
            refused(c, at)
        return ledger.release(c, of.id, why=name, at=at)

    await context.move(
        of,
        to,
        error=write_fault(error, of),
        found_by=found_by,
        why={"error": name},
        money=money,
    )
