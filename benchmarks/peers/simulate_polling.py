"""A simulation without I/O: our rule as it learns, the best fixed interval, and the exact optimum, at equal looks."""

import math
import sys
from collections.abc import Callable
from random import Random
from statistics import NormalDist

from measuring import report

from aggregator.polling import ServiceTime, next_poll_s

MEDIAN_S = 10.0
THEORY = {0.1: (0.098, 0.503), 0.25: (0.227, 0.516), 0.5: (0.415, 0.567), 0.8: (0.629, 0.689)}
"""Looks × overshoot in the limit of many looks: the optimum, and a fixed interval."""
NORMAL = NormalDist()


def learned(sigma: float, jobs: int) -> tuple[float, float]:
    """Looks per job and overshoot (in medians) of the library's own rule, one job after the other."""
    random, known = Random(5), ServiceTime()
    looks = overshoot_s = 0.0
    for index in range(-10, jobs):
        takes_s = MEDIAN_S * math.exp(random.gauss(0, sigma))
        at_s = before_s = 0.0
        count = 0
        while at_s < takes_s:
            before_s, at_s, count = at_s, at_s + next_poll_s(known, at_s), count + 1
        known = known.observe(at_s, unfinished_s=before_s)
        if index >= 0:
            looks, overshoot_s = looks + count, overshoot_s + at_s - takes_s
    return looks / jobs, overshoot_s / jobs / MEDIAN_S


def done(at: float, sigma: float) -> float:
    """The share of jobs that took at most `at` medians."""
    return NORMAL.cdf(math.log(at) / sigma) if at > 0 else 0.0


def schedule(times: list[float], sigma: float) -> tuple[float, float]:
    """Looks per job and overshoot of a schedule, exactly."""
    looks = seen = before = 0.0
    for at in times:
        share = done(at, sigma)
        looks += 1 - before
        seen += at * (share - before)
        before = share
    return looks, seen - math.exp(sigma**2 / 2)


def fixed(sigma: float, interval: float) -> tuple[float, float]:
    return schedule([interval * step for step in range(1, int(math.exp(6 * sigma) / interval) + 2)], sigma)


def best(sigma: float, price: float, points: int = 500) -> tuple[float, float]:
    """The schedule with the least overshoot when each look costs `price`: dynamic programming from the end."""
    times = [0.0, *(math.exp(sigma * (-4.2 + 9.2 * index / points)) for index in range(points + 1))]
    shares = [done(at, sigma) for at in times]
    cost, following = [0.0] * len(times), [0] * len(times)
    for now in range(len(times) - 2, -1, -1):
        least = math.inf
        for then in range(now + 1, len(times)):
            total = price * (1 - shares[now]) + times[then] * (shares[then] - shares[now]) + cost[then]
            if total < least:
                least, following[now] = total, then
            elif total > 1.5 * least + 1e-6:
                break
        cost[now] = least
    taken, now = [], 0
    while now < len(times) - 1:
        now = following[now]
        taken.append(times[now])
    return schedule(taken, sigma)


def at_equal_looks(rule: Callable[[float], tuple[float, float]], looks: float) -> float:
    """The overshoot of `rule` where its parameter gives as many looks; between two of its points, the line."""
    low, high = 1e-3, 20.0
    for _ in range(14):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if rule(middle)[0] > looks else (low, middle)
    (more, less_late), (fewer, later) = rule(low), rule(high)
    return less_late + (later - less_late) * (more - looks) / (more - fewer) if more > fewer else later


def main(jobs: int) -> None:
    rows = []
    for sigma, (theory, theory_fixed) in THEORY.items():
        looks, ours = learned(sigma, jobs)
        rows.append(
            {
                "sigma": sigma,
                "looks": looks,
                "ours": ours,
                "fixed": at_equal_looks(lambda interval: fixed(sigma, interval), looks),  # noqa: B023
                "best": at_equal_looks(lambda price: best(sigma, price), looks),  # noqa: B023
                "theory": theory,
                "theory_fixed": theory_fixed,
            }
        )
    report(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
