"""Errors as the journal keeps them: written when an attempt ends badly, raised again for whoever asks later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from aggregator import errors
from aggregator.errors import ProviderError, RoutesExhaustedError, UnavailableError

if TYPE_CHECKING:
    from aggregator.store.journal import Attempt

__all__ = ["ended", "raised_again", "write_fault"]

_FIELDS = ("provider", "model", "task", "status_code", "code", "request_id", "accepted", "retry_after_s", "job_id")


def write_fault(error: ProviderError, of: "Attempt") -> dict[str, JsonValue]:
    """The error as JSON, completed with what the attempt knows."""
    error.provider, error.model, error.task = of.provider, of.model, of.request["task"]
    error.job_id = of.job
    error.args = (error.message,)
    fields = {name: getattr(error, name) for name in _FIELDS}
    return {"type": type(error).__name__, "message": error.message, **fields}


def read_fault(written: Mapping[str, Any]) -> ProviderError:
    """The error that `write_fault` wrote."""
    cls = getattr(errors, written["type"])
    error: ProviderError = cls(written["message"], **{name: written[name] for name in _FIELDS})
    return error


def raised_again(of: "Attempt") -> ProviderError:
    """The error an attempt ended with."""
    if of.error is None:
        return UnavailableError(
            f"job {of.job} ended as {of.state} without an error", provider=of.provider, job_id=of.job
        )
    return read_fault(of.error)


def ended(failures: list[ProviderError], aside: list[str]) -> ProviderError | RoutesExhaustedError:
    """What a job ends with that no offer has made.

    Args:
        aside: Offers that were not asked, each with the reason.

    """
    more = f". Not asked: {'; '.join(aside)}" if aside else ""
    if len(failures) == 1:
        failures[0].message = failures[0].message.rstrip(". ") + more if more else failures[0].message
        failures[0].args = (failures[0].message,)
        return failures[0]
    said = "; ".join(f"{error.provider}: {error.message}" for error in failures)
    return RoutesExhaustedError(f"{len(failures)} offers were tried and none took it: {said}{more}", errors=failures)


@dataclass(frozen=True, slots=True)
class Source:
    """A stored input on its way to a provider."""

    sha256: str
    mime_type: str
    size_bytes: int
    path: str
