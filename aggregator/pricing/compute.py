"""Own GPUs: what a job costs by the seconds it takes and the price of an hour, and when that beats paying by the job.

Pure: seconds come from an offer's `[compute]`, from finished jobs or, where there are neither, from the shape of the
model (`estimate`); the price of an hour from `usd_per_gpu_hour`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from statistics import quantiles
from typing import Any, NamedTuple

from aggregator.config import Config
from aggregator.pricing.estimate import PETAFLOPS, petaflops
from aggregator.pricing.known import Interval, interval, known_values
from aggregator.pricing.money import EXACT
from aggregator.pricing.table import RateRows
from aggregator.registry.cards import Compute, Offer
from aggregator.tasks import request_from_json

__all__ = [
    "GPU_SECOND",
    "BreakEven",
    "Finished",
    "Volume",
    "gpu_layers",
    "gpu_time",
    "is_timed",
    "measured",
    "per_gpu_second",
]

GPU_SECOND = "gpu_second"
HOUR_S, DAY_S, DAYS_A_MONTH = 3600, 86_400, 30
FEWEST = 5
"""Finished jobs from which on what was measured replaces what was stated."""
FEW_SPREAD = Decimal("1.5")
"""How much further than what they took fewer jobs than that may be off, both ways, where nothing else is known."""
_PER = {
    **dict.fromkeys(("text-to-image", "image-to-image", "image-upscaling"), "request.megapixels"),
    **dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), "request.duration_s"),
    **dict.fromkeys(("text-to-sound", "text-to-music"), "request.duration_s"),
    "text-to-speech": "request.characters",
}
"""What the seconds of a job go by where nobody knows its model's work; the job itself for other tasks."""
_PICO, _MILLI = Decimal("1e-12"), Decimal("0.001")


def per_gpu_second(usd_per_gpu_hour: Decimal) -> Decimal:
    """Dollars a second; what does not divide evenly is rounded up, by less than a cent in three hundred years."""
    return (usd_per_gpu_hour / HOUR_S).quantize(_PICO, ROUND_CEILING).normalize()


def gpu_layers(config: Config, today: date) -> tuple[RateRows, ...]:
    """A layer of the price table: the price of a GPU-second on each provider whose hour the configuration prices."""
    hours = {name: of.usd_per_gpu_hour for name, of in config.providers.items() if of.usd_per_gpu_hour is not None}
    gpus = {name: of.gpu for name, of in config.providers.items() if of.gpu}
    if not hours and not gpus:
        return ()
    rows = {
        provider: [
            {
                "endpoint": "*",
                "unit": GPU_SECOND,
                "usd": f"{per_gpu_second(usd):f}",
                "from": date.min.isoformat(),
                "source": f"[providers.{provider}] usd_per_gpu_hour = {usd}",
                "checked": today.isoformat(),
            }
        ]
        for provider, usd in hours.items()
    }
    said = [f"{provider}={usd}" for provider, usd in sorted(hours.items())]
    said += [f"{provider} on {gpu}" for provider, gpu in sorted(gpus.items())]
    return (RateRows(rows, " ".join(said), gpus),)


def gpu_time(compute: Compute, offer: Offer, values: Mapping[str, Any]) -> Interval | None:
    """The GPU-seconds of a job, fastest to slowest; `None` where what they are counted by is not known before."""
    amount = _amount(compute, offer, values)
    if amount is None:
        return None
    return EXACT.multiply(amount[0], compute.low_s), EXACT.multiply(amount[1], compute.high_s)


def _amount(compute: Compute, offer: Offer, values: Mapping[str, Any]) -> Interval | None:
    if compute.per == PETAFLOPS:
        work = petaflops(offer, values)
        return None if work is None else (work, work)
    name = compute.per.removeprefix("request.")
    return interval(name, offer, values) if name != compute.per else (Decimal(name), Decimal(name))


def is_timed(offer: Offer) -> bool:
    """Whether its jobs are counted in GPU-seconds that finished ones teach."""
    return offer.compute is not None or bool(offer.weights)


def _counted_by(offer: Offer) -> Compute:
    """What its seconds are for: as its row says, else the model's work, else the length, the pixels or the job."""
    if offer.compute is not None:
        return offer.compute
    per = PETAFLOPS if offer.work is not None else _PER.get(offer.task, "1")
    return Compute("", per, Decimal(0), Decimal(0))


class Finished(NamedTuple):
    """A job that was done, and how long it kept its GPUs."""

    offer: str
    request: Mapping[str, Any]
    """As JSON."""
    gpu_seconds: Decimal
    gpu: str | None = None
    """The card it ran on, where the configuration named one then."""


def measured(
    offers: Iterable[Offer], jobs: Iterable[Finished], gpu: Callable[[str], str | None] = lambda _provider: None
) -> dict[str, Compute]:
    """What finished jobs say, by offer: from the tenth percentile of GPU-seconds for one of a thing to the ninetieth.

    Where something is stated, fewer than five change nothing. Where nothing is, the first one counts, and what so few
    say is spread by half.

    Args:
        gpu: The card that runs at a provider now: jobs that ran on another one say nothing.

    """
    by_id = {(offer.id, offer.task): offer for offer in offers if is_timed(offer)}
    each: dict[str, list[Decimal]] = {}
    counted: dict[str, Compute] = {}
    for offer_id, row, seconds, ran_on in jobs:
        offer = by_id.get((offer_id, str(row["task"])))
        if offer is None or ran_on != gpu(offer.provider):
            continue
        by = _counted_by(offer)
        amount = _amount(by, offer, known_values(offer, request_from_json(row)))
        if amount is not None and amount[0] == amount[1] > 0:
            counted[offer_id] = replace(by, gpu=by.gpu or ran_on or "own GPU")
            each.setdefault(offer_id, []).append(seconds / amount[0])
    return {
        name: _spread(counted[name], found)
        for name, found in each.items()
        if len(found) >= FEWEST or not counted[name].high_s
    }


def _spread(by: Compute, each: Sequence[Decimal]) -> Compute:
    if len(each) < FEWEST:
        ends = min(each) / FEW_SPREAD, max(each) * FEW_SPREAD
    else:
        tenths = quantiles(each, n=10, method="inclusive")
        ends = tenths[0], tenths[-1]
    low, high = (end.quantize(_MILLI, way) for end, way in zip(ends, (ROUND_FLOOR, ROUND_CEILING), strict=True))
    return Compute(by.gpu, by.per, low, high, source=f"{len(each)} finished jobs of ours")


# ----------------------------------------------------------------------------------------------------------- break-even


@dataclass(frozen=True, slots=True)
class Volume:
    """A number of jobs a day: GPUs that are kept for it, and what a day costs on them and at the seller's."""

    jobs_a_day: int
    gpus: int
    own_usd: Decimal
    seller_usd: Interval

    @property
    def wins(self) -> bool | None:
        """Whether own GPUs are cheaper; `None`: that depends on where in its interval the seller's price falls."""
        if self.own_usd < self.seller_usd[0]:
            return True
        return None if self.own_usd < self.seller_usd[1] else False

    def as_json(self) -> dict[str, Any]:
        return {
            "jobs_a_day": self.jobs_a_day,
            "jobs_a_month": self.jobs_a_day * DAYS_A_MONTH,
            "gpus": self.gpus,
            "own_usd_a_day": str(self.own_usd),
            "seller_usd_a_day": [str(end) for end in self.seller_usd],
            "wins": self.wins,
        }


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From which number of jobs a day GPUs by the hour cost less than a seller by the job.

    The slowest seconds are reckoned with, so that what is said holds; GPUs are kept day and night.
    """

    seconds: Interval
    """GPU-seconds of one job."""
    usd_per_gpu_hour: Decimal
    utilisation: Decimal
    """The share of its time a GPU is busy when it has all it can take."""
    seller_usd: Interval
    """The seller's price of one job."""

    @property
    def gpus(self) -> int:
        """GPUs that are added at a time: one, or as many as a job needs that takes more than a day of one."""
        return max(1, int((self.seconds[1] / self._busy_s).to_integral_value(ROUND_CEILING)))

    @property
    def jobs(self) -> int:
        """Jobs a day that those do at that utilisation."""
        return max(1, int(self._busy_s / self.seconds[1]))

    @property
    def _busy_s(self) -> Decimal:
        return DAY_S * self.utilisation

    @property
    def usd_a_day(self) -> Decimal:
        """What those cost a day, busy or not."""
        return self.usd_per_gpu_hour * 24 * self.gpus

    @property
    def busy_usd(self) -> Decimal:
        """What one job costs on GPUs that have all they can take."""
        return self.usd_a_day / self.jobs

    @property
    def by_the_second_usd(self) -> Interval:
        """One job where a GPU is paid for only while it works (it scales to zero)."""
        each = per_gpu_second(self.usd_per_gpu_hour)
        return self.seconds[0] * each, self.seconds[1] * each

    def at(self, jobs_a_day: int) -> Volume:
        """A day with so many jobs."""
        times = -(-jobs_a_day // self.jobs)
        seller_usd = self.seller_usd[0] * jobs_a_day, self.seller_usd[1] * jobs_a_day
        return Volume(jobs_a_day, self.gpus * times, self.usd_a_day * times, seller_usd)

    @property
    def first_win(self) -> int | None:
        """The fewest jobs a day at which own GPUs are cheaper at the seller's highest price; `None`: they never are."""
        seller_usd = self.seller_usd[1]
        return int(self.usd_a_day / seller_usd) + 1 if seller_usd > self.busy_usd else None

    def wins_from(self, seller_usd: Decimal) -> int | None:
        """The fewest jobs a day from which own GPUs are cheaper at this price of a job, whatever the number above it.

        A further GPU is half idle at first, so that winning may be lost again for a while; `None`: they never win.
        """
        if seller_usd <= self.busy_usd:
            return None
        # From so many on, a further GPU is paid for by its first job.
        times = max(1, int((self.usd_a_day - seller_usd) / (seller_usd * self.jobs - self.usd_a_day)) + 1)
        return int(self.usd_a_day * times / seller_usd) + 1

    def volumes(self) -> Sequence[Volume]:
        """Days worth showing: round numbers around where it turns."""
        middle = self.first_win or self.jobs
        shown = {_round(Decimal(middle) * share) for share in map(Decimal, ("0.1", "0.3", "0.6", "1", "2", "5", "20"))}
        exact = {found for found in (self.first_win,) if found}
        return [self.at(jobs) for jobs in sorted(shown | exact) if jobs]

    def as_json(self) -> dict[str, Any]:
        low, high = (self.wins_from(end) for end in reversed(self.seller_usd))
        return {
            "gpu_seconds": [str(end) for end in self.seconds],
            "usd_per_gpu_hour": str(self.usd_per_gpu_hour),
            "utilisation": str(self.utilisation),
            "gpus_at_a_time": self.gpus,
            "jobs_a_day_of_those": self.jobs,
            "seller_usd": [str(end) for end in self.seller_usd],
            "busy_usd": str(self.busy_usd),
            "by_the_second_usd": [str(end) for end in self.by_the_second_usd],
            "first_win_jobs_a_day": self.first_win,
            "wins_from_jobs_a_day": {"at_most": high, "at_least": low},
            "volumes": [volume.as_json() for volume in self.volumes()],
        }


def _round(jobs: Decimal) -> int:
    """To two figures."""
    return int(jobs.quantize(Decimal(10) ** max(0, jobs.adjusted() - 1), ROUND_HALF_EVEN))
