"""What a person says of an attempt that nobody else could find out about; and what is assumed when nobody says it.

Each is final and a row of the event log. What turns out later is a correction in the ledger, never another resolution.
"""

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import JsonValue

from aggregator import _observe, ledger
from aggregator.contract import Provider
from aggregator.errors import (
    ArtifactLostError,
    ProviderError,
    RequestError,
    ResponseFormatError,
    UnavailableError,
)
from aggregator.job import AttemptState, UnknownAttempt
from aggregator.pricing.money import dollars, from_micro_usd
from aggregator.runner import books, submit
from aggregator.runner.context import Context
from aggregator.runner.faults import write_fault
from aggregator.runner.reconcile import missing_names
from aggregator.store import journal, pauses
from aggregator.store.journal import Attempt, MovedElsewhereError

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Said", "adopt", "assume_charged", "correct", "settle", "unknown_attempts"]

S = AttemptState
Said = Literal["operator", "invoice"]
"""Who says what was charged."""
HORIZON_S = 7 * 86_400.0
"""How long evidence may still come at least; a provider may keep its results longer."""
GONE = (404, 405, 410)


async def unknown_attempts(context: Context, project: str | None = None) -> list[UnknownAttempt]:
    """Every attempt that is unknown, the longest ordered first, with where to look."""
    found = await context.store.read(lambda c: journal.unknown(c, project=project))
    return [_described(context, of) for of in found]


def _described(context: Context, of: Attempt) -> UnknownAttempt:
    sent_at = None if of.first_sent_at is None else datetime.fromtimestamp(of.first_sent_at / 1000, UTC)
    backend = context.planner.backend(of.provider, of.account_ref)
    when = f"of {sent_at:%Y-%m-%d %H:%M:%S} UTC" if sent_at else "of that day"
    what = f"the job {of.handle['id']}" if of.handle.get("id") else f"a job {when} that nobody here has"
    docs = f" ({backend.provider.docs})" if backend is not None else ""
    return UnknownAttempt(
        id=of.id,
        job_id=of.job,
        project=of.project.partition(":")[2],
        key=of.key,
        offer=of.offer,
        sent_at=sent_at,
        reserved_usd=str(from_micro_usd(of.reserved)),
        remote_id=of.handle.get("id"),
        error=of.error["message"] if of.error else "",
        where=f"look for {what} in the history and the invoice of your account at {of.provider}{docs}",
    )


async def _unknown(context: Context, attempt_id: str) -> Attempt:
    of = await context.store.read(lambda c: journal.by_id(c, attempt_id))
    if of is None:
        raise RequestError(f"there is no attempt {attempt_id}: `aggregator unknown list` shows those that are unknown")
    if of.state is not S.UNKNOWN:
        raise RequestError(f"attempt {attempt_id} is {of.state}, not unknown: nothing was changed")
    return of


async def _first(of: Attempt, work: Coroutine[Any, Any, Attempt]) -> Attempt:
    """What is said, if it is said first."""
    try:
        return await work
    except MovedElsewhereError:
        raise RequestError(
            f"attempt {of.id} has been found out about at this very moment, by a callback or another process: nothing "
            "was changed here; look at the job again"
        ) from None


# ------------------------------------------------------------------------------------------------------------ adopting


async def adopt(context: Context, attempt_id: str, remote_id: str, also: Mapping[str, str]) -> Attempt:
    """Go on with the provider's job of this name, if the provider knows it and no other attempt has it.

    Args:
        also: What else its calls are addressed by, where the name alone does not do.

    Raises:
        RequestError: It cannot be this attempt's job, or cannot be asked about; the attempt stays as it is.
        ProviderError: The provider could not be asked now; the attempt stays as it is.

    """
    of = await _unknown(context, attempt_id)
    if of.handle:
        raise RequestError(f"attempt {of.id} is job {of.handle.get('id')} already: `aggregator resume` asks for it")
    provider = context.backend(of).provider
    handle = _handle(provider, {**of.plan["names"], **of.known, **also, "id": quote(remote_id, safe="")})
    if provider.poll is None:
        raise RequestError(f"{of.provider} cannot be asked about a job: say whether it was charged instead")
    if missing := missing_names(provider, provider.poll, handle):
        raise RequestError(f"to ask {of.provider} about {remote_id} its {', '.join(missing)} must be given as well")
    if await context.store.read(lambda c: journal.is_taken(c, of, handle["id"])):
        raise RequestError(f"{remote_id} belongs to another attempt: attempt {of.id} stays unknown")
    try:
        await context.engine.poll(context.backend(of), handle)
    except ResponseFormatError:
        pass  # it is there; what its state means shows itself
    except ProviderError as error:
        if error.status_code not in GONE:
            raise
        raise RequestError(f"{of.provider} knows no job {remote_id} ({error}): attempt {of.id} stays unknown") from None
    return await _first(of, context.whole(submit.taken(context, of, handle, found_by="operator")))


def _handle(provider: Provider, names: Mapping[str, str]) -> dict[str, str]:
    """All that is known of a job by its name."""
    sources: tuple[Any, ...] = (provider.lookup, provider.webhook)
    rest = next((source.handle for source in sources if source is not None and source.handle is not None), None)
    made = rest(names) if rest is not None else {}
    return {**made, **names}


# ------------------------------------------------------------------------------------------------------------ settling


async def settle(context: Context, attempt_id: str, charged: int) -> Attempt:
    """Book what it was charged, in micro-dollars; 0 gives the reservation back.

    Charged means paid: its key does not buy again. Not charged means that nothing was bought: its key may.
    """
    of = await _unknown(context, attempt_id)
    if charged:
        return await _first(of, _booked(context, of, charged, source="operator", said="an operator found"))
    nothing = UnavailableError(
        f"{of.offer} has charged nothing for it, an operator found: the reservation is given back",
        accepted=bool(of.handle),
    )
    moving = context.move(
        of,
        S.FAILED,
        error=write_fault(nothing, of),
        found_by="operator",
        why={"operator": "not charged"},
        money=lambda c, at: ledger.release(c, of.id, why="operator", at=at),
    )
    moved = await _first(of, moving)
    _observe.emit("attempt_failed", job=of.job, offer=of.offer, error=type(nothing).__name__)
    return moved


async def _booked(context: Context, of: Attempt, charged: int, *, source: ledger.Source, said: str) -> Attempt:
    shown = dollars(from_micro_usd(charged))
    lost = ArtifactLostError(
        f"{of.offer} charged {shown} for it, {said}, and there is no result to be had. It is not made again under the "
        "same key: order it under another one",
        accepted=True,
    )

    def money(c: "Connection", at: int) -> ledger.Moved:
        basis: JsonValue = {"why": said}
        pauses.pause_if_above(c, of, charged, at)
        return ledger.settle(c, of.id, charged, source=source, basis=basis, at=at, warn_at=context.warn_at)

    moved = await context.move(
        of,
        S.LOST,
        error=write_fault(lost, of),
        found_by="operator" if source == "operator" else "horizon",
        why={"said": said, "micro_usd": charged},
        money=money,
    )
    _observe.emit("attempt_settled", job=of.job, offer=of.offer, micro_usd=charged, source=source)
    return moved


async def correct(context: Context, attempt_id: str, charged: int, *, source: Said) -> Attempt:
    """Book what an attempt that has ended was charged after all, in micro-dollars: what is still reserved for it, as
    for a failure that nobody documents the billing of, or what was booked otherwise.

    Raises:
        RequestError: There is no such attempt, or it has not ended: nothing was changed.

    """
    of = await context.store.read(lambda c: journal.by_id(c, attempt_id))
    if of is None:
        raise RequestError(f"there is no attempt {attempt_id}: errors name it, and it is a job's id with a number")
    if not of.state.is_final:
        raise RequestError(f"attempt {attempt_id} is {of.state}: what it is charged is booked when it has ended")
    at = context.now()

    def work(c: "Connection") -> ledger.Moved:
        basis: JsonValue = {"why": f"corrected by the {source}"}
        if journal.settlement(c, of.id) is not None:
            moved = ledger.adjust(c, of.id, charged, source=source, basis=basis, at=at, warn_at=context.warn_at)
        elif charged:
            moved = ledger.settle(c, of.id, charged, source=source, basis=basis, at=at, warn_at=context.warn_at)
        else:
            moved = ledger.release(c, of.id, why="operator", at=at)
        journal.write_event(c, of.id, "corrected", {"micro_usd": charged, "source": source}, at)
        books.write(c, moved, of.id, at)
        return moved

    moved = await context.store.transact(work)
    books.tell(moved, project=of.project, provider=of.provider, model=of.model, task=of.request["task"])
    return of


async def assume_charged(context: Context) -> list[Attempt]:
    """Book what has been unknown beyond its horizon as if the whole reservation had been charged."""
    found = await context.store.read(journal.unknown)
    said, booked = "it is assumed (settle_unknown)", list[Attempt]()
    for of in found:
        if _is_due(context, of):
            with suppress(MovedElsewhereError):  # evidence has just come
                booked.append(await _booked(context, of, of.reserved, source="reserved", said=said))
    return booked


def _is_due(context: Context, of: Attempt) -> bool:
    ttl_s = context.result_ttl_s(of)
    since = of.last_sent_at if of.last_sent_at is not None else of.created_at
    return (context.now() - since) / 1000 > max(HORIZON_S, ttl_s or 0.0)
