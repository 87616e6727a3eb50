"""What you said of outputs yourself: verdicts, and the Bradley–Terry scores that follow from them.

A pick among takes is a win of one model over another; a thumb or a failure is a win or a loss against a model that is
nothing special. Each model starts where the public boards see it, held there by a prior worth `k` comparisons, so that
n of your own weigh n / (n + k), and one that is 180 days old counts half.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import exp, fsum, log, sqrt
from typing import Literal

__all__ = ["ELO", "ELO_PER_ROOT_COMPARISON", "Kind", "Score", "Verdict", "elo_scores", "interval_elo"]

Kind = Literal["pick", "up", "down", "failure"]

ELO = 400 / log(10)
"""Elo points of one unit of log odds."""
ELO_PER_ROOT_COMPARISON = 1.96 * 2 * ELO
"""Half the 95 % interval of a score from one even comparison; of n it is this by the root of n."""
_SMALL = 1e-9
_MAX_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one output, or against which other one it won."""

    day: date
    role: str
    """The role it was asked for under; the task, where none was named."""
    task: str
    kind: Kind
    model: str
    against: str | None = None
    """The model that a pick was preferred to."""


@dataclass(frozen=True, slots=True)
class Score:
    """Where your own verdicts leave a model."""

    elo: float
    """On the scale of the priors: 0 is as good as the best of the boards today."""
    n: float
    """How many comparisons it rests on, the old ones counted for less."""
    last: date


def interval_elo(n: float) -> float:
    """Half the 95 % interval of a score from `n` comparisons; what is left of a faded one counts as one."""
    return ELO_PER_ROOT_COMPARISON / sqrt(max(n, 1.0))


def elo_scores(
    verdicts: Iterable[Verdict],
    day: date,
    priors: Mapping[str, float],
    *,
    half_life_days: float,
    k: float,
    typical_elo: float,
    counts: Mapping[Kind, float],
) -> dict[str, Score]:
    """The scores of the models that verdicts up to `day` speak of; in which order they were given does not matter.

    Args:
        priors: Where a model is without them, in Elo; `typical_elo` where nothing is said.
        k: How many comparisons a prior is worth.
        counts: How many comparisons a verdict of each kind is worth when it is new.

    """
    won: dict[tuple[str, str], list[float]] = defaultdict(list)
    last: dict[str, date] = {}
    for verdict in verdicts:
        rival = verdict.against or ""
        if verdict.day > day or rival == verdict.model:
            continue  # still to come; or two takes of one model, which say nothing of models
        weight = counts[verdict.kind] * 0.5 ** ((day - verdict.day).days / half_life_days)
        pair = (verdict.model, rival) if verdict.kind in ("pick", "up") else (rival, verdict.model)
        won[pair].append(weight)
        for model in filter(None, pair):
            last[model] = max(last.get(model, verdict.day), verdict.day)
    start = {model: priors.get(model, typical_elo) / ELO for model in last}
    wins = {pair: fsum(weights) for pair, weights in won.items()}  # exact: the same in any order
    found = _most_likely(wins, start, typical_elo / ELO, k / 4)
    n = {model: fsum(total for pair, total in wins.items() if model in pair) for model in last}
    return {model: Score(found[model] * ELO, n[model], last[model]) for model in sorted(last)}


def _most_likely(
    wins: Mapping[tuple[str, str], float], start: Mapping[str, float], typical: float, precision: float
) -> dict[str, float]:
    """The log odds that make these wins and the priors likeliest: Newton's step for one model after another.

    The problem is concave, so that there is one answer. `""` is the model that is nothing special; it stays put.
    """
    met: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for (one, other), total in sorted(wins.items()):
        met[one].append((other, total, total))
        met[other].append((one, 0.0, total))
    found = {**start, "": typical}
    for _ in range(_MAX_ROUNDS):
        moved = 0.0
        for model, prior in sorted(start.items()):
            chances = [(1 / (1 + exp(found[other] - found[model])), won, of) for other, won, of in met[model]]
            slope = fsum(won - chance * of for chance, won, of in chances) - precision * (found[model] - prior)
            step = slope / (precision + fsum(chance * (1 - chance) * of for chance, _, of in chances))
            step = max(-1.0, min(1.0, step))  # far from the answer Newton's step overshoots
            found[model] += step
            moved = max(moved, abs(step))
        if moved < _SMALL:
            break
    return found
