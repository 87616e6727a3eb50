"""The book of an emulator: what each provider took, and what it bills. Compare it with what a client believes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.jobs import Job, JobState

__all__ = ["Book", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One purchase."""

    provider: str
    job: Job
    route: str
    """Which route took it."""
    parameters: Any
    """What was asked for: the JSON body, or the texts of the form."""
    billed: Callable[[Job], bool]

    @property
    def job_id(self) -> str:
        return self.job.id

    @property
    def kind(self) -> str:
        """`image`, `video` or `audio`."""
        return self.job.order.kind

    @property
    def at(self) -> float:
        """When it was taken, in seconds since the epoch."""
        return self.job.created

    @property
    def state(self) -> JobState:
        return self.job.state

    @property
    def usd(self) -> Decimal | None:
        """What it is billed with by now: its price from the moment it is taken, until it ends in a way that is free.

        `None`: the service does not know the price.
        """
        return self.job.usd if self.billed(self.job) else Decimal(0)

    def as_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "job_id": self.job_id,
            "kind": self.kind,
            "route": self.route,
            "parameters": self.parameters,
            "state": self.state,
            "at": self.at,
            "usd": None if self.usd is None else str(self.usd),
        }


class Book(list[Entry]):
    """All purchases in the order they were taken."""

    def of(self, provider: str) -> "Book":
        """Those of one provider."""
        return Book(entry for entry in self if entry.provider == provider)

    @property
    def usd(self) -> Decimal:
        """The invoice by now, as far as prices are known."""
        return sum((entry.usd or Decimal(0) for entry in self), Decimal(0))

    @property
    def unpriced(self) -> int:
        """How many purchases have no known price."""
        return sum(entry.usd is None for entry in self)

    def as_json(self) -> dict[str, Any]:
        return {"usd": str(self.usd), "unpriced": self.unpriced, "entries": [entry.as_json() for entry in self]}
