"""The outcome that nobody knows: money stays reserved, nothing is sent again, and the caller is told so."""

from aggregator import _observe
from aggregator.errors import ProviderError
from aggregator.job import AttemptState
from aggregator.runner.context import Context
from aggregator.runner.faults import raised_again, write_fault
from aggregator.store.journal import Attempt

__all__ = ["unknown"]


async def unknown(context: Context, of: Attempt, error: ProviderError, *, taken: bool = False) -> None:
    """Nobody knows what became of it: the money stays reserved and nothing is sent again. Always raises.

    Args:
        taken: The provider has it, though nobody knows as what.

    """
    _observe.emit("attempt_unknown", job=of.job, offer=of.offer, error=type(error).__name__)
    taken = taken or bool(of.handle)
    error.accepted = True if taken else None
    said = "was accepted" if taken else "may have been accepted and charged"
    error.message = (
        f"{error.message.rstrip('. ')}. Job {of.job} {said}: its money stays reserved (attempt {of.id}). Do not order "
        "it again under another key; `aggregator resume` looks for it again, and `aggregator unknown list` says where "
        "to look and how to settle it"
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
