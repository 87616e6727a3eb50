"""The outcome that nobody knows: money stays reserved, nothing is sent again, and the caller is told so."""

from aggregator import _observe
from aggregator.errors import ProviderError
from aggregator.job import AttemptState
from aggregator.runner.context import Context
from aggregator.runner.faults import raised_again, write_fault
from aggregator.store.journal import Attempt

__all__ = ["unknown"]


async def unknown(context: Context, of: Attempt, error: ProviderError) -> None:
    """Nobody knows what became of it: the money stays reserved and nothing is sent again. Always raises."""
    _observe.emit("attempt_unknown", job=of.job, offer=of.offer, error=type(error).__name__)
    error.accepted = True if of.handle else None
    taken = "was accepted" if of.handle else "may have been accepted and charged"
    asked = of.handle or context.backend(of).provider.idempotency == "replay"
    where = "`aggregator resume` looks for it again" if asked else f"look for it at {of.provider}"
    error.message = (
        f"{error.message.rstrip('. ')}. Job {of.job} {taken}: its money stays reserved (attempt {of.id}). Do not order "
        f"it again under another key; {where}"
    )
    of = await context.move(
        of,
        AttemptState.UNKNOWN,
        maybe_sent=int(of.maybe_sent or not of.handle),
        error=write_fault(error, of),
        lease_owner=None,
        lease_until=None,
    )
    raise raised_again(of)
