"""Chance for `aggregator.testing.memory`, from a seed: what goes wrong on the line, and what becomes of jobs."""

from collections.abc import Callable, Mapping
from random import Random

from aggregator.testing.memory_book import Ending, Fate, Fault, Kind
from aggregator.testing.memory_tables import LISTED_WITHIN_S

__all__ = ["FAULTS", "destiny", "weather"]

_ANY: tuple[Fault, ...] = (
    "never_arrives",
    "dns",
    "tls",
    "drop_before",
    "drop_after",
    "hang_before",
    "hang_after",
    "half_header",
    "truncated",
    "500_before",
    "502_before",
    "503_before",
    "504_before",
    "408_before",
    "425",
    "429",
    "429_bare",
)
_AFTER: tuple[Fault, ...] = ("500_after", "502_after", "503_after", "504_after", "408_after")
_REFUSED: tuple[Fault, ...] = ("400", "401", "402", "403", "404", "409", "422", "451")
_FILE: tuple[Fault, ...] = ("expired", "expired", "gone", "cut", "short", "empty", "page", "encoded", "slow", "403")

FAULTS: Mapping[Kind, tuple[Fault, ...]] = {
    "submit": (*_ANY, *_AFTER, *_REFUSED, "no_id", "no_id", "duplicate_id", "arrives_late", "arrives_late"),
    "poll": (*_ANY, "odd_word", "aborted", "backwards", "no_url", "404", "401", "403"),
    "lookup": (*_ANY, "404", "401"),
    "cancel": (*_ANY, "500_after"),
    "upload": (*_ANY, "401"),
    "file": (*_ANY, *_FILE),
}
"""What may go wrong in an exchange of each kind."""


def weather(rng: Random, storm: float) -> Callable[[Kind], Fault | None]:
    """Faults of every kind, a share `storm` of all exchanges, in an order that `rng` decides."""
    return lambda kind: rng.choice(FAULTS[kind]) if rng.random() < storm else None


def destiny(rng: Random, *, whims: float = 0.25) -> Callable[[], Fate]:
    """Fates of every kind; all but a share `whims` of the jobs come out well."""
    bad: tuple[Ending, ...] = ("failed_free", "failed_billed", "failed_unclear", "moderated", "canceled")

    def draw() -> Fate:
        return Fate(
            service_s=rng.lognormvariate(3.0, 1.0),
            end=rng.choice(bad) if rng.random() < whims else "succeeded",
            images=rng.choice(("1", "1", "1", "2")),
            forgets_after_s=rng.uniform(0, 3600) if rng.random() < whims / 2 else None,
            appears_after_s=rng.uniform(0, LISTED_WITHIN_S) if rng.random() < whims else 0.0,
            billed_at="success" if rng.random() < whims else "accept",
        )

    return draw
