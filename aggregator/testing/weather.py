"""Chance for `aggregator.testing.memory`, from a seed: what goes wrong on the line, and what becomes of jobs."""

from collections.abc import Callable, Mapping
from random import Random

from aggregator.testing.memory import Fate, Fault, Kind

__all__ = ["destiny", "weather"]


def weather(rng: Random, storm: float) -> Callable[[Kind], Fault | None]:
    """Faults of every kind, a share `storm` of all exchanges, in an order that `rng` decides."""
    free: tuple[Fault, ...] = ("never_arrives", "drop_before", "drop_after", "truncated", "500_before", "429")
    of: Mapping[Kind, tuple[Fault, ...]] = {
        "submit": (*free, "no_id", "500_after", "429_bare", "401", "402", "404", "422", "451"),
        "poll": (*free, "odd_word", "404", "401"),
        "cancel": free,
        "upload": free,
        "file": ("never_arrives", "drop_before", "cut", "500_before", "429", "expired", "gone"),
    }
    return lambda kind: rng.choice(of[kind]) if rng.random() < storm else None


def destiny(rng: Random) -> Callable[[], Fate]:
    """Fates of every kind; most jobs come out well."""

    def draw() -> Fate:
        ends = ("failed_free", "failed_billed", "failed_unclear", "moderated", "canceled")
        end = rng.choice(ends) if rng.random() < 0.25 else "succeeded"  # noqa: PLR2004
        forgets = rng.uniform(0, 3600) if rng.random() < 0.1 else None  # noqa: PLR2004
        return Fate(rng.lognormvariate(3.0, 1.0), end, rng.choice(("1", "1", "1", "2")), forgets)  # type: ignore[arg-type]

    return draw
