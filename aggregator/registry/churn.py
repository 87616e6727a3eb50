"""How fast boards turn over, measured from their readings: `python -m aggregator.registry.churn` prints the table.

What `freshness.toml` says of half-lives and drift comes from here; a test holds the two together. Exits from the top
are taken to come at a constant rate (exponential, maximum likelihood): half-life = ln 2 × slot-days / exits, with the
exact 95 % range of a Poisson count. Exits between two readings that came back are not seen.
"""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from math import exp, log
from statistics import fmean, stdev
from typing import TypeVar

from aggregator.registry.cards import Board, Reading
from aggregator.registry.freshness import Freshness, freshness

__all__ = ["Drift", "Turnover", "drift", "kept", "pooled", "table", "turnover"]

LONGEST_GAP_DAYS = 60
"""Between two readings of one stretch: over more than that a whole top five comes and goes unseen."""
SHORTEST_DAYS = 60
"""What is measured over less says little."""
LARGE = 20
"""Models on a board that is counted with others; those on a small one have few to fear."""
_VARIANT = re.compile(r"[ (-]+(\d+p|audio|no-audio|preview|low|medium|high|\d{6,8})\b\)?", re.IGNORECASE)
_ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class Turnover:
    """How often a model left the first `top` places of one board, or of several together."""

    top: int
    slot_days: int
    exits: int

    @property
    def half_life_days(self) -> float | None:
        """Until half of those at the top are gone; `None`: nobody left while it was watched."""
        return log(2) * self.slot_days / self.exits if self.exits else None

    @property
    def range_days(self) -> tuple[float, float | None]:
        """The 95 % range of the half-life; open where nobody left."""
        most, least = _poisson_range(self.exits)
        return log(2) * self.slot_days / most, log(2) * self.slot_days / least if least else None


@dataclass(frozen=True, slots=True)
class Drift:
    """What moved on a board from its first to its last whole reading, in Elo per 30 days."""

    frontier: float
    """How much the best score rose."""
    own: float
    """How much the score of a model that was read both times rose, on average."""
    own_sd: float
    models: int


# ----------------------------------------------------------------------------------------------------------- measuring


def turnover(board: Board, top: int) -> Turnover | None:
    """Exits from the first `top` places over the longest unbroken stretch; `None`: the readings are too sparse.

    A board needs twice as many models: where most of them are at the top there is nobody to drive them out.
    """
    if _size(board) < 2 * top:
        return None
    days = _stretch([(day, names) for day, names in _rankings(board) if len(names) > top])
    if not days or (days[-1][0] - days[0][0]).days < SHORTEST_DAYS:
        return None
    exits = sum(len(set(before[:top]) - set(after[:top])) for (_, before), (_, after) in pairwise(days))
    return Turnover(top, top * (days[-1][0] - days[0][0]).days, exits)


def pooled(parts: Iterable[Turnover]) -> Turnover:
    """Several boards as one."""
    of = list(parts)
    return Turnover(of[0].top, sum(part.slot_days for part in of), sum(part.exits for part in of))


def kept(board: Board, top: int, after_days: int) -> float | None:
    """Of those in the first `top` places on any day, the part that is there `after_days` later; `None`: too sparse."""
    days = _stretch([(day, names) for day, names in _rankings(board) if len(names) > top])
    if _size(board) < 2 * top:
        return None

    def first(on: date) -> set[str]:
        return next(set(names[:top]) for day, names in reversed(days) if day <= on)

    last = days[-1][0] - timedelta(after_days) if days else date.min
    starts = [days[0][0] + timedelta(n) for n in range((last - days[0][0]).days + 1)] if days else []
    shares = [len(first(start) & first(start + timedelta(after_days))) / top for start in starts]
    return sum(shares) / len(shares) if shares else None


def drift(board: Board) -> Drift | None:
    """How the frontier and the models themselves moved; `None`: the readings are too sparse."""
    whole = _size(board) / 2
    days = _stretch([(day, of) for day, of in _by_day(board) if any(one.rank == 1 for one in of)])
    days = [(day, of) for day, of in days if len(of) >= whole]
    if not days or (days[-1][0] - days[0][0]).days < SHORTEST_DAYS:
        return None
    (first, then), (last, now) = days[0], days[-1]
    per_30 = 30 / (last - first).days
    scores = {reading.name: reading.score for reading in now}
    moved = [(scores[reading.name] - reading.score) * per_30 for reading in then if reading.name in scores]
    if len(moved) < 2:  # noqa: PLR2004  there is no spread of one
        return None
    gain = max(one.score for one in now) - max(one.score for one in then)
    return Drift(gain * per_30, fmean(moved), stdev(moved), len(moved))


def _size(board: Board) -> int:
    return max((len(of) for _, of in _by_day(board)), default=0)


def _by_day(board: Board) -> list[tuple[date, list[Reading]]]:
    return [(day, list(of)) for day, of in groupby(board.readings, key=lambda reading: reading.as_of)]


def _rankings(board: Board) -> list[tuple[date, list[str]]]:
    """On each day the models from the first place down, as far as no place is missing; variants count once."""
    found = []
    for day, of in _by_day(board):
        ranked = sorted((one for one in of if one.rank is not None), key=lambda one: (one.rank or 0, -one.score))
        whole = []
        for place, one in enumerate(ranked, 1):
            if (one.rank or 0) > place:
                break
            whole.append(one)
        names = [family(one) for one in sorted(whole, key=lambda one: -one.score)]
        if names:
            found.append((day, list(dict.fromkeys(names))))
    return found


def family(reading: Reading) -> str:
    """What variants of one model have in common: its id, or the board's name without size, sound and date."""
    return reading.model or _VARIANT.sub("", reading.name).lower()


T = TypeVar("T")


def _stretch(days: Sequence[tuple[date, T]]) -> list[tuple[date, T]]:
    """The longest run of days without a gap that is too long; of two alike the later."""
    runs: list[list[tuple[date, T]]] = []
    for day in days:
        if runs and (day[0] - runs[-1][-1][0]).days <= LONGEST_GAP_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return max(reversed(runs), key=lambda run: run[-1][0] - run[0][0], default=[])


def _poisson_range(count: int) -> tuple[float, float]:
    """The largest and the smallest mean that a count is still likely under, at 95 %: exact, by bisection."""

    def chance(at_most: int, mean: float) -> float:
        term = total = exp(-mean)
        for n in range(1, at_most + 1):
            term *= mean / n
            total += term
        return total

    def solved(falls_below: Callable[[float], bool]) -> float:
        low, high = 0.0, 2.0 * count + 20.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if falls_below(middle) else (middle, high)
        return low

    most = solved(lambda mean: chance(count, mean) < _ALPHA)
    return most, solved(lambda mean: 1 - chance(count - 1, mean) > _ALPHA) if count else 0.0


# -------------------------------------------------------------------------------------------------------------- telling

_TOPS = (1, 3, 5, 10)
_AFTER = (30, 60, 90, 120)
_SPARSE = "–"


def table(boards: Iterable[Board], rules: Freshness) -> str:
    """What the readings of these boards give, beside what `rules` say; a dash is what they are too sparse for."""
    measured = [board for board in boards if board.kind == "arena" and turnover(board, 1)]
    lines = ["Half-life of a place at the top in days, its 95 % range, freshness.toml's rule", ""]
    lines += [f"{'board':<28}{'top':>4}{'slot-days':>11}{'exits':>7}{'half-life':>11}{'range':>12}{'rule':>6}"]
    by_top: dict[int, list[Turnover]] = {}
    for board in measured:
        for top in _TOPS:
            found = turnover(board, top)
            rule = {1: rules.half_life("best", board.task), 5: rules.half_life("arena", board.task)}.get(top)
            lines.append(_line(board.id if top == 1 else "", top, found, rule))
            if found and (top == 1 or _size(board) >= LARGE):
                by_top.setdefault(top, []).append(found)
    lines += [_line(f"{len(parts)} boards", top, pooled(parts), None) for top, parts in sorted(by_top.items())]
    lines += ["", "Of the top five, the part that is still there after so many days", ""]
    lines.append(f"{'board':<28}" + "".join(f"{days:>7}" for days in _AFTER))
    for board in measured:
        shares = [kept(board, 5, days) for days in _AFTER]
        lines.append(f"{board.id:<28}" + "".join(f"{_SPARSE if one is None else f'{one:.2f}':>7}" for one in shares))
    lines += ["", "Elo per 30 days: the best score of a board, and that of one model", ""]
    lines.append(f"{'board':<28}{'best':>7}{'rule':>7}{'one':>7}{'sd':>6}{'models':>8}")
    for board in measured:
        moved, rule = drift(board), 30 * rules.drift(board.task)
        said = (_SPARSE,) * 4
        if moved:
            said = (f"{moved.frontier:+.1f}", f"{moved.own:+.1f}", f"{moved.own_sd:.1f}", str(moved.models))
        lines.append(f"{board.id:<28}{said[0]:>7}{rule:>+7.1f}{said[1]:>7}{said[2]:>6}{said[3]:>8}")
    return "\n".join(lines)


def _line(name: str, top: int, found: Turnover | None, rule: float | None) -> str:
    ruled = "" if rule is None else f"{rule:.0f}"
    if found is None:
        return f"{name:<28}{top:>4}{_SPARSE:>11}{_SPARSE:>7}{_SPARSE:>11}{_SPARSE:>12}{ruled:>6}"
    low, high = found.range_days
    span = f"{low:.0f}–{high:.0f}" if high else f"over {low:.0f}"
    half = f"{found.half_life_days:.0f}" if found.half_life_days else _SPARSE
    return f"{name:<28}{top:>4}{found.slot_days:>11}{found.exits:>7}{half:>11}{span:>12}{ruled:>6}"


if __name__ == "__main__":
    from aggregator.registry.load import Registry

    sys.stdout.write(table(Registry.bundled().boards.values(), freshness()) + "\n")
