"""The figures of a chain: sums of what its steps may cost, and the longest way through it.

`low_usd` and `high_usd` add the ends of the quotes, each widened by how the offer's bills stood to its quotes so far
(where eight of ten lay). `p50` and `p90` are read from `DRAWS` runs, drawn with the random numbers that are given:
between the ends of a quote every amount is as likely as any other, bills stand to quotes as so far (a triangle around
the median), times are log-normal through the offer's own p50 and p90, a step begins when all it takes is there, and
every step succeeds the first time. `worst_s` adds deadlines.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from statistics import NormalDist

from aggregator.pricing.money import EXACT, from_micro_usd, micro_usd
from aggregator.routing.chain import ChainStep
from aggregator.routing.chain_quote import ChainQuote, Spread, StepQuote, Times, Way

__all__ = ["quote_chain"]

DRAWS = 2_000
Z90 = NormalDist().inv_cdf(0.9)
ZERO = Decimal(0)
MICRO_USD = 1_000_000


def quote_chain(steps: Sequence[ChainStep], ways: Sequence[Way], rng: Random) -> ChainQuote:
    """What a chain costs and takes when each step is made in the way that stands beside it."""
    made = tuple(
        StepQuote(step.name, step.request.task, way, _spread([way], rng), _time(way))
        for step, way in zip(steps, ways, strict=True)
    )
    unpriced = tuple(step.name for step in made if step.cost is None)
    untimed = tuple(step.name for step in made if step.time is None)
    priced = _spread([way for way in ways if way.high_usd is not None], rng)
    assert priced is not None
    return ChainQuote(
        steps=made,
        cost=None if unpriced else priced,
        priced=priced,
        time=None if untimed else _through(steps, ways, rng),
        worst_s=_longest(steps, {step.name: step.deadline_s for step in steps}),
        unpriced=unpriced,
        untimed=untimed,
    )


# ---------------------------------------------------------------------------------------------------------------- money


def _spread(ways: Sequence[Way], rng: Random) -> Spread | None:
    """The sum of what these cost; `None`: the price of one is unknown."""
    low, high = ZERO, ZERO
    open_ends: list[Callable[[], float]] = []
    sure = ZERO
    for way in ways:
        least, most = way.least_usd, way.most_usd
        if least is None or most is None:
            return None
        low, high = EXACT.add(low, least), EXACT.add(high, most)
        if least == most:
            sure = EXACT.add(sure, most)
        else:
            open_ends.append(_draw_usd(way, rng))
    low, high = from_micro_usd(micro_usd(low, "settle")), from_micro_usd(micro_usd(high, "reserve"))
    if not open_ends:
        return Spread(low, high, high, high)
    drawn = sorted(sum(draw() for draw in open_ends) for _ in range(DRAWS))

    def at(share: float) -> Decimal:
        amount = EXACT.add(sure, from_micro_usd(round(_quantile(drawn, share) * MICRO_USD)))
        return from_micro_usd(micro_usd(min(max(amount, low), high), "reserve"))

    return Spread(low, at(0.5), at(0.9), high)


def _draw_usd(way: Way, rng: Random) -> Callable[[], float]:
    assert way.low_usd is not None
    assert way.high_usd is not None
    low, high = float(way.low_usd), float(way.high_usd)
    if way.bills is None:
        return lambda: rng.uniform(low, high)
    least, median, most = (float(ratio) for ratio in way.bills)
    return lambda: rng.uniform(low, high) * rng.triangular(least, most, median)


# ----------------------------------------------------------------------------------------------------------------- time


def _time(way: Way) -> Times | None:
    return None if way.p50_s is None or way.p90_s is None else Times(way.p50_s, way.p90_s)


def _through(steps: Sequence[ChainStep], ways: Sequence[Way], rng: Random) -> Times:
    """How long the chain takes, where the time of every step is known."""
    draws = {step.name: _draw_s(way, rng) for step, way in zip(steps, ways, strict=True)}
    drawn = sorted(_longest(steps, {name: draw() for name, draw in draws.items()}) for _ in range(DRAWS))
    return Times(_quantile(drawn, 0.5), _quantile(drawn, 0.9))


def _draw_s(way: Way, rng: Random) -> Callable[[], float]:
    assert way.p50_s is not None
    assert way.p90_s is not None
    p50_s, p90_s = way.p50_s, max(way.p50_s, way.p90_s)
    if p50_s <= 0 or p50_s == p90_s:
        return lambda: p50_s
    mean, sigma = math.log(p50_s), math.log(p90_s / p50_s) / Z90
    return lambda: rng.lognormvariate(mean, sigma)


def _longest(steps: Sequence[ChainStep], seconds: Mapping[str, float]) -> float:
    """The longest way through a chain whose steps take so long."""
    done: dict[str, float] = {}
    for step in steps:
        done[step.name] = seconds[step.name] + max((done[other] for other in step.takes), default=0.0)
    return max(done.values())


def _quantile(in_order: Sequence[float], share: float) -> float:
    return in_order[min(len(in_order) - 1, math.ceil(share * len(in_order)) - 1)]
