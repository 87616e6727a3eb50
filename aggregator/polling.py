"""When to look next: at a conditional quantile of the offer's learned service time, given that it is not done yet.

Service times are close to log-normal. Each offer keeps the running mean and spread of their logarithm; old
observations fade. At three looks a job, equal steps of the remaining probability are within 5 % of the best that looks
can do (`benchmarks/run.py --only polling` shows it, against fixed intervals too).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["ServiceTime", "next_poll_s"]

STEP = 0.3
"""The share of the remaining probability that passes between two looks."""
MIN_INTERVAL_S = 0.1
MAX_INTERVAL_S = 15.0
TOLD_FACTOR = 4.0
MAX_INTERVAL_TOLD_S = 60.0
MEMORY = 50.0
"""Observations after which older ones count half or less."""
EARLIEST = 0.4
REACH = 3.0
"""A job is not taken to have ended before this share of the time after which it was found done, nor more than this many
standard deviations before it.
"""
MIN_SIGMA = 0.05
ENOUGH = 3
"""Observations from which on the fit is used."""
CERTAIN = 1.0 - 1e-6


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """The learned distribution: `count` observations (faded), mean and sum of squares of log seconds."""

    count: float = 0.0
    mean_log_s: float = 0.0
    square_log_s: float = 0.0

    def observe(self, seconds: float, *, unfinished_s: float | None = None) -> "ServiceTime":
        """Learn one more service time: `seconds`, or what lies between the last look that found the job unfinished and
        the look at `seconds` that found it done.

        To learn the moment of the look itself would confirm every late look with a later one. Nor is a job that the
        first look found done taken to have ended right before: an offer that became faster would never be noticed.
        """
        value = math.log(max(seconds, 0.001))
        if unfinished_s is not None:
            known = self.distribution
            narrow = EARLIEST if known is None else max(EARLIEST, math.exp(-REACH * known.stdev))
            value = (value + math.log(max(unfinished_s, seconds * narrow, 0.001))) / 2
        keep = min(self.count, MEMORY - 1) / self.count if self.count else 0.0
        count = self.count * keep + 1
        mean = self.mean_log_s + (value - self.mean_log_s) / count
        square = self.square_log_s * keep + (value - self.mean_log_s) * (value - mean)
        return ServiceTime(count, mean, square)

    @property
    def distribution(self) -> NormalDist | None:
        """Of log seconds; `None` before enough is learned."""
        if self.count < ENOUGH:
            return None
        return NormalDist(self.mean_log_s, max(math.sqrt(self.square_log_s / (self.count - 1)), MIN_SIGMA))


def next_poll_s(learned: ServiceTime, elapsed_s: float, *, told: bool = False) -> float:
    """Seconds from now until the next look, for a job that has been running for `elapsed_s`.

    Where the provider calls back (`told`) looks are fewer, and never none: a call that does not come costs time.
    Before enough is learned, and far beyond what was, the time it has taken so far is the best guess of the scale.
    """
    wait_s = elapsed_s * STEP
    distribution = learned.distribution
    if distribution is not None:
        passed = distribution.cdf(math.log(max(elapsed_s, 1e-3)))
        target = passed + STEP * (1.0 - passed)
        if target < CERTAIN:
            wait_s = math.exp(distribution.inv_cdf(target)) - elapsed_s
    wait_s = min(MAX_INTERVAL_S, max(MIN_INTERVAL_S, wait_s))
    return min(MAX_INTERVAL_TOLD_S, wait_s * TOLD_FACTOR) if told else wait_s
