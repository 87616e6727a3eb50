"""How long what was once true may be relied on: `freshness.toml`, and the few formulas over it.

It is read when it is first asked for, in a millisecond: so it is plain records, and a test checks the file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from aggregator.registry.cards import Board, Reading
from aggregator.verdicts import Kind

__all__ = ["Fact", "Freshness", "State", "freshness"]

Fact = Literal["availability", "preview", "price", "limits", "license"]
State = Literal["fresh", "aging", "warn", "stale", "dead"]
"""Of a checked fact: rely on it; still rely on it; look again; do not rely on it; take it for gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    """What a reading is worth."""

    floor: float
    few_votes: int
    votes_unknown: float
    widening_elo: float
    ci95_unknown_elo: float
    young_days: int
    confidence: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRules:
    """What your own verdicts are worth."""

    half_life_days: float
    k: float
    typical_elo: float
    counts: Mapping[Kind, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Days since a fact was checked, from which on it is in each state; `None`: never."""

    fresh: int
    warn: int
    stale: int | None = None
    dead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The rules as data; the file says what each is."""

    quality: QualityRules
    half_life_days: Mapping[str, Mapping[str, float]]
    drift_elo: Mapping[str, float]
    own: OwnRules
    facts: Mapping[Fact, Ages]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """The rules from their tables."""
        return cls(
            quality=QualityRules(**said["quality"]),
            half_life_days=said["half_life_days"],
            drift_elo=said["drift_elo"],
            own=OwnRules(**said["own"]),
            facts={fact: Ages(**ages) for fact, ages in said["facts"].items()},
        )

    def half_life(self, kind: str, task: str) -> float:
        """Days until half of a claim of this kind (`arena`, `best`, `benchmark`, `vendor`) is gone."""
        return _of(self.half_life_days[kind], task)

    def drift(self, task: str) -> float:
        """Elo a day by which the best of a board moves away from a model that stays what it is."""
        return _of(self.drift_elo, task)

    def weight(self, board: Board, reading: Reading, day: date) -> float:
        """How much a reading still counts on `day`, from `floor` to 1."""
        rules = self.quality
        age = (day - reading.as_of).days
        votes = rules.votes_unknown if reading.votes is None else reading.votes / (reading.votes + rules.few_votes)
        trust = rules.confidence.get(reading.confidence, rules.confidence["unknown"])
        if board.kind == "vendor":
            trust = min(trust, rules.confidence["vendor"])
        return max(rules.floor, float(0.5 ** (age / self.half_life(board.kind, board.task))) * votes * trust)

    def state(self, fact: Fact, checked: date, day: date) -> State:
        """Whether a fact checked on one day may be relied on at another."""
        ages, age = self.facts[fact], (day - checked).days
        if ages.dead is not None and age >= ages.dead:
            return "dead"
        if ages.stale is not None and age >= ages.stale:
            return "stale"
        if age >= ages.warn:
            return "warn"
        return "aging" if age > ages.fresh else "fresh"


def _of(by_task: Mapping[str, float], task: str) -> float:
    return by_task.get(task, by_task["other"])


@cache
def freshness() -> Freshness:
    """The package's rules."""
    file = files("aggregator.registry").joinpath("freshness.toml")
    return Freshness.of(tomllib.loads(file.read_text(encoding="utf-8")))
