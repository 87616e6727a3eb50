"""The paid request: sent with its intent durable, once unless it certainly bought nothing; and what became of it.

What nobody knows is `unknown`: its money stays reserved and it is not sent again on a guess. Only where the provider
replays idempotency keys is the same request, byte for byte and under the same key, sent again to find out.
"""

from dataclasses import replace

from aggregator import _observe, ledger
from aggregator._http import SendError
from aggregator._retry import CAP_S, MAX_ASKED_S, retrying
from aggregator.contract import State
from aggregator.engine import Backend, Submission
from aggregator.errors import (
    AggregatorError,
    ContentPolicyError,
    InvalidRequestError,
    JobTimeoutError,
    ProviderError,
    ResponseFormatError,
    UnavailableError,
)
from aggregator.job import AttemptState
from aggregator.planning import write_inputs
from aggregator.runner import watch
from aggregator.runner.context import SEND_LEASE_S, Context
from aggregator.runner.faults import Source, write_fault
from aggregator.runner.unknown import unknown
from aggregator.store.journal import Attempt, MovedElsewhereError, RemoteJobTakenError

__all__ = ["reconcile", "submit", "upload"]

S = AttemptState
MAX_SENDS = 4
"""Paid requests per attempt, all but the last of which certainly bought nothing."""
MAX_REPLAYS = 4
"""How often a replayed key is asked about."""


class _NotTakenError(Exception):
    """The paid request certainly bought nothing, and the provider may be asked again."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


async def upload(context: Context, of: Attempt) -> Attempt | None:
    """Hand local inputs over and write the exact body down. `None`: it did not work, and the attempt has ended."""
    backend = context.backend(of)
    gave: dict[str, str] = {}
    try:
        for text, source in _sources(context, of, "upload").items():
            gave[text] = await context.engine.upload(backend, source, of.plan["names"])
        for text, source in _sources(context, of, "data").items():
            gave[text] = await context.engine.inline(source)
    except (AggregatorError, SendError, ValueError, KeyError, OSError) as error:
        await _not_taken(context, of, _upload_failed(of, error), S.FAILED)
        return None
    return await context.move(of, S.RESERVED, body=write_inputs(of.plan["body"], gave))


def _sources(context: Context, of: Attempt, *forms: str) -> dict[str, Source]:
    """The local inputs of an attempt that are handed over in one of these ways, by their text in the body."""
    found = {}
    for text, item in of.plan["inputs"].items():
        media, form = (item["media"], item["form"]) if "form" in item else (item, "upload")  # older journals
        if form in forms:
            path = context.files.path(media["sha256"], media["mime_type"])
            found[text] = Source(media["sha256"], media["mime_type"], media["size_bytes"], str(path))
    return found


def _upload_failed(of: Attempt, error: Exception) -> ProviderError:
    if isinstance(error, ProviderError):
        return error
    said = f"{type(error).__name__}: {error}"
    return UnavailableError(f"{of.provider} did not take an input ({said}); nothing was ordered", accepted=False)


async def submit(context: Context, of: Attempt, *, intended: bool) -> None:
    """Send the paid request, again only after it certainly bought nothing; write down what became of it.

    Args:
        intended: The intent to send is in the journal already, by this very process.

    """
    backend = context.backend(of)
    current = of

    async def once() -> None:
        nonlocal current, intended
        await context.engine.ready(backend)
        if not intended and context.now() >= current.deadline_at:
            late = JobTimeoutError(f"{of.offer} was not asked by the deadline of the job; nothing was ordered")
            await _not_taken(context, current, late, S.FAILED)
            return
        if not intended:
            current = await context.move(current, S.SUBMITTING, sends=current.sends + 1, **context.lease(SEND_LEASE_S))
        intended = False
        submission = await _send(context, backend, current)
        error = submission.error
        again = submission.outcome in ("never_sent", "rejected") and error is not None and error.retryable
        left_s = (current.deadline_at - context.now()) / 1000
        again = again and current.sends < MAX_SENDS and not current.maybe_sent
        if again and error is not None and (error.retry_after_s or 0.0) < min(left_s, MAX_ASKED_S):
            current = await context.move(current, S.RESERVED, why={"outcome": submission.outcome})
            raise _NotTakenError(error)
        await _outcome(context, backend, current, submission)

    await retrying(once, safe=_send_again, attempts=MAX_SENDS, clock=context.clock, rng=context.rng)


async def _send(context: Context, backend: Backend, of: Attempt) -> Submission:
    _observe.emit("attempt_started", job=of.job, offer=of.offer, send=of.sends)
    inputs = _sources(context, of, "part")
    return await context.engine.submit(
        backend, of.body, of.plan["names"], idempotency_key=of.idempotency_key, inputs=inputs
    )


def _send_again(error: BaseException) -> float | None:
    return (error.error.retry_after_s or 0.0) if isinstance(error, _NotTakenError) else None


async def _outcome(context: Context, backend: Backend, of: Attempt, submission: Submission) -> None:
    """Write down what became of a paid request."""
    if submission.outcome == "accepted":
        of = await _taken(context, of, dict(submission.handle))
        _observe.emit("attempt_accepted", job=of.job, offer=of.offer, remote_id=of.handle.get("id"))
        if submission.reading is not None:
            await watch.seen(context, of, submission.reading)
        return
    error = submission.error or UnavailableError("no answer")
    if submission.outcome == "unknown" and backend.provider.idempotency == "replay":
        await context.move(of, S.RECONCILING, maybe_sent=1, why={"outcome": "unknown"})
    elif submission.outcome == "unknown" or of.maybe_sent:  # a definite no clears only itself
        await unknown(context, of, error)
    else:
        await _not_taken(context, of, error, S.FAILED if submission.outcome == "never_sent" else S.REFUSED)


async def _taken(context: Context, of: Attempt, handle: dict[str, str]) -> Attempt:
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
                **context.lease(),
            )
        except MovedElsewhereError:
            now = await context.load(of.job)
            if now.id != of.id or now.handle or now.state not in (S.SUBMITTING, S.RECONCILING, S.UNKNOWN):
                raise
            of = now
        except RemoteJobTakenError as error:
            await unknown(context, of, ResponseFormatError(str(error)))


async def _not_taken(context: Context, of: Attempt, error: ProviderError, to: AttemptState) -> None:
    """Nothing was bought: give the money back."""
    error.accepted = False
    name = type(error).__name__
    _observe.emit("attempt_refused", job=of.job, offer=of.offer, error=name)
    await context.move(
        of,
        to,
        error=write_fault(error, of),
        why={"error": name},
        money=lambda c, at: ledger.release(c, of.id, why=name, at=at),
    )


async def reconcile(context: Context, of: Attempt) -> None:
    """Find out about a request that may have been sent."""
    backend = context.backend(of)
    if backend.provider.idempotency != "replay":
        await unknown(context, of, UnavailableError("the process ended while the request was on its way"))
    if of.state is S.SUBMITTING:
        why = {"outcome": "interrupted"}
        of = await context.move(of, S.RECONCILING, maybe_sent=1, why=why, **context.lease(SEND_LEASE_S))
    last: ProviderError | None = None
    for turn in range(MAX_REPLAYS):
        await context.engine.ready(backend)
        submission = await _send(context, backend, of)
        if submission.outcome == "accepted" or _judges_the_bytes(submission):
            # The provider knows the key: what it says now is what it said, or would have said, the first time.
            await _outcome(context, backend, replace(of, maybe_sent=False), submission)
            return
        last = submission.error
        asked_s = min((last.retry_after_s if last else None) or 0.0, CAP_S)
        await context.clock.sleep(max(asked_s, context.rng.uniform(0.5, 1.0) * 2**turn))
    await unknown(context, of, last or UnavailableError("no answer"))


def _judges_the_bytes(submission: Submission) -> bool:
    """Whether a refusal speaks of the request itself, so that it would have been the same the first time. A refused
    key, an empty account, a rate limit or an endpoint that is gone say nothing of what was taken before.
    """
    error = submission.error
    return (
        submission.outcome == "rejected"
        and isinstance(error, InvalidRequestError | ContentPolicyError)
        and error.status_code not in (404, 405, 410)
    )
