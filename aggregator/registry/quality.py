"""How good a model is today, as far as anybody knows: what boards said, aged, and what you said yourself.

A score is compared within one board and one day only: with the best of that day; then the drift of the frontier since
is taken off. What follows is a share, with an interval that age widens. A model that nobody read has no standing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from math import exp, sqrt
from typing import Literal, TypeVar

from aggregator.registry.cards import Board, Reading
from aggregator.registry.freshness import Freshness, freshness
from aggregator.registry.load import Registry
from aggregator.verdicts import ELO, ELO_PER_ROOT_COMPARISON, Verdict, elo_scores, interval_elo

__all__ = ["Quality", "Standing", "elo_share"]

K = TypeVar("K")
V = TypeVar("V")
_KEPT = 64
"""Tables that are kept: a process asks for today's, a simulation for many days'."""
_ELO = "elo"
_UNPROVED = ("preliminary", "vendor")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model stands against the best of its task today."""

    share: float
    """Of blind pairs against the best of the board today, how many it is expected to win: 0.5 is as good as that."""
    low: float
    high: float
    """The 95 % interval of `share`; it widens with age."""
    board: str
    """Whose reading it is; empty where your own verdicts alone count."""
    as_of: date
    """The day of the reading, or of your last verdict."""
    weight: float
    """How much of the evidence still counts, from 0.05 to 1: by age, votes and confidence; of your own, n / (n + k)."""
    basis: Literal["board", "own", "both"]


def elo_share(ahead_elo: float) -> float:
    """The share of pairs won by who is so many points ahead; negative: behind."""
    return 1.0 / (1.0 + exp(-ahead_elo / ELO))


@dataclass(frozen=True, slots=True)
class _Read:
    """Where a board sees a model: Elo ahead of the best of today, so never above 0, give or take `half`."""

    ahead: float
    half: float
    board: str
    as_of: date
    weight: float


class Quality:
    """The standings of all models. Nothing changes it: new readings or verdicts make another one."""

    def __init__(self, registry: Registry, own: Sequence[Verdict] = ()) -> None:
        self._registry = registry
        self.own = tuple(own)
        self._read: dict[tuple[str, date], Mapping[str, _Read]] = {}
        self._standings: dict[tuple[str, date, str], Mapping[str, Standing]] = {}

    @cached_property
    def rules(self) -> Freshness:
        """What decays how fast."""
        return freshness()

    def standing(self, model: str, task: str, day: date, *, role: str | None = None) -> Standing | None:
        """How a model stands for a task on a day; `None`: nothing is known of it, which is not the same as bad.

        Args:
            role: Under which your own verdicts were given; `None`: those under no role.

        """
        return self.standings(task, day, role=role).get(model)

    def standings(self, task: str, day: date, *, role: str | None = None) -> Mapping[str, Standing]:
        """Every model that has a standing for a task on a day."""
        key = (task, day, role or task)
        found = self._standings.get(key)
        return _kept(self._standings, key, lambda: self._stand(*key)) if found is None else found

    def _stand(self, task: str, day: date, role: str) -> Mapping[str, Standing]:
        boards = [board for board in self._registry.boards.values() if board.task == task and board.unit == _ELO]
        read = _kept(self._read, (task, day), lambda: _best_read(boards, day, self.rules))
        said = [verdict for verdict in self.own if verdict.role == role and verdict.task == task]
        found = {model: _standing(one.ahead, one.half, one, None) for model, one in read.items()}
        if said:
            priors = {model: one.ahead for model, one in read.items()}
            own = self.rules.own
            scores = elo_scores(
                said,
                day,
                priors,
                half_life_days=own.half_life_days,
                k=own.k,
                typical_elo=own.typical_elo,
                counts=own.counts,
            )
            for model, score in scores.items():
                part = score.n / (score.n + own.k)
                one = read.get(model)
                half = interval_elo(score.n) if one is None else part * interval_elo(score.n) + (1 - part) * one.half
                found[model] = _standing(score.elo, half, one, (part, score.last))
        return found


def _standing(ahead: float, half: float, read: _Read | None, own: tuple[float, date] | None) -> Standing:
    both = [*([(read.weight, read.as_of)] if read else []), *([own] if own else [])]
    return Standing(
        share=elo_share(ahead),
        low=elo_share(ahead - half),
        high=elo_share(ahead + half),
        board=read.board if read else "",
        as_of=max(as_of for _, as_of in both),
        weight=max(weight for weight, _ in both),
        basis="both" if read and own else "board" if read else "own",
    )


def _kept(cache: dict[K, V], key: K, make: Callable[[], V]) -> V:
    if key not in cache:
        if len(cache) >= _KEPT:
            cache.clear()
        cache[key] = make()
    return cache[key]


# -------------------------------------------------------------------------------------------------------------- boards


def _best_read(boards: Iterable[Board], day: date, rules: Freshness) -> dict[str, _Read]:
    """By model, what the board says that counts most; of two alike the newer. Boards are never mixed."""
    found: dict[str, _Read] = {}
    for board in sorted(boards, key=lambda board: board.id):
        for model, read in _reads(board, day, rules).items():
            known = found.get(model)
            if known is None or (read.weight, read.as_of) > (known.weight, known.as_of):
                found[model] = read
    return found


def _reads(board: Board, day: date, rules: Freshness) -> dict[str, _Read]:
    past = [reading for reading in board.readings if reading.as_of <= day]
    best = _frontier(past, rules.drift(board.task))
    by_model: dict[str, list[Reading]] = {}
    for reading in past:
        if reading.model:
            by_model.setdefault(reading.model, []).append(reading)
    found = {}
    for model, readings in by_model.items():
        counts = _in_force(readings, best, day, rules)
        if counts is not None:
            age = (day - counts.as_of).days
            ahead = counts.score - best[counts.as_of] - rules.drift(board.task) * age
            half = _half(counts, rules) + rules.quality.widening_elo * age
            found[model] = _Read(ahead, half, board.id, counts.as_of, rules.weight(board, counts, day))
    return found


def _frontier(readings: Sequence[Reading], drift: float) -> dict[date, float]:
    """What the best of a board had on each of its days; where it was not read that day, what follows from another."""
    highest: dict[date, float] = {}
    whole: list[date] = []
    for as_of, group in groupby(readings, key=lambda reading: reading.as_of):
        there = list(group)
        highest[as_of] = max(reading.score for reading in there)
        ranks = {reading.rank for reading in there}
        if 1 in ranks or ranks == {None}:
            whole.append(as_of)
    found = {}
    for as_of, most in highest.items():
        earlier = [day for day in whole if day <= as_of]
        near = earlier[-1] if earlier else next(iter(whole), as_of)
        found[as_of] = max(most, highest[near] + drift * (as_of - near).days)
    return found


def _in_force(readings: Sequence[Reading], best: Mapping[date, float], day: date, rules: Freshness) -> Reading | None:
    """The reading that counts: the newest, but one that is young or preliminary promotes nobody by itself.

    It needs a second one like it. Until then the older reading stays, unless the new one is worse.
    """
    newest: dict[date, Reading] = {}
    for reading in readings:  # of several variants on one day the best
        known = newest.get(reading.as_of)
        if known is None or (reading.score, reading.name) > (known.score, known.name):
            newest[reading.as_of] = reading

    def is_unproved(reading: Reading) -> bool:
        return reading.confidence in _UNPROVED or (day - reading.as_of).days < rules.quality.young_days

    in_order = sorted(newest.values(), key=lambda reading: reading.as_of, reverse=True)
    unproved = [reading for reading in in_order if is_unproved(reading)]
    if not is_unproved(in_order[0]) or len(unproved) > 1:
        return in_order[0]
    proved = next((reading for reading in in_order if not is_unproved(reading)), None)
    if proved is None:
        return None
    return min(in_order[0], proved, key=lambda reading: reading.score - best[reading.as_of])


def _half(reading: Reading, rules: Freshness) -> float:
    """Half the interval of a reading when it was new."""
    if reading.ci95 is not None:
        return reading.ci95
    if reading.votes:
        return ELO_PER_ROOT_COMPARISON / sqrt(reading.votes)
    return rules.quality.ci95_unknown_elo
