"""Where one provider does its business in one emulator: it takes orders, keeps jobs, and knows what is to go wrong."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from aggregator.clock import Clock
from aggregator.testing.emulator.accounts import table, variable
from aggregator.testing.emulator.answers import Answer, DroppedError, RefusedError
from aggregator.testing.emulator.book import Book, Entry
from aggregator.testing.emulator.call import Call
from aggregator.testing.emulator.fates import BEFORE, ENDINGS, LATER, Fates
from aggregator.testing.emulator.files import Files
from aggregator.testing.emulator.jobs import Job, Order
from aggregator.testing.emulator.mischief import LOST
from aggregator.testing.emulator.service import Service

__all__ = ["Desk", "Pace", "World"]

BILLED = "failed_billed"
USUAL_FAULTS = {
    "bad_key": Answer(401, {"error": "the key is not valid"}),
    "invalid": Answer(400, {"error": "the request is not valid"}),
    "not_found": Answer(404, {"error": "not found"}),
    "rate_limited": Answer(429, {"error": "too many requests"}, {"retry-after": "1"}),
    "server_error": Answer(500, {"error": "internal server error"}),
}
"""For services that do not say their own."""


class World(dict[str, Any]):
    """What a service remembers in one emulator, beside its jobs."""

    def __init__(self, *, key: str, secret: str, base: str, clock: Clock, rng: Random) -> None:
        super().__init__()
        self.key = key
        self.secret = secret
        """Of webhooks."""
        self.base = base
        self.clock = clock
        self.rng = rng

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock.time()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a job stays queued, and then running; and a slow one in each."""

    latency_s: float = 0.02
    slow_s: float = 1.0


class Desk:
    """The state of one service."""

    def __init__(
        self,
        service: Service,
        *,
        base: str,
        seed: int,
        clock: Clock,
        files: Files,
        book: Book,
        pace: Pace,
        weather: Mapping[str, float],
        limits: bool,
        taken: Callable[["Desk", Job], None],
    ) -> None:
        self.service = service
        self.base = base
        self.clock = clock
        self.files = files
        self.rng = Random(f"{seed}/{service.name}")  # noqa: S311  ids and tints
        account = variable(service, table(service)) or service.name
        self.key = service.make_key(Random(f"{seed}/{account}/key"))  # noqa: S311  it opens nothing anywhere else
        secret = service.make_secret(self.rng)
        self.world = World(key=self.key, secret=secret, base=base, clock=clock, rng=self.rng)
        self.fates = Fates(service, weather, Random(f"{seed}/{service.name}/weather"))  # noqa: S311
        self.jobs: dict[str, Job] = {}
        self._book = book
        self._pace = pace
        self._limits = limits
        self._taken = taken
        self._asked: deque[float] = deque()

    def fault(self, name: str, detail: str = "") -> Answer:
        """An error in the vendor's words."""
        said = self.service.faults.get(name) or USUAL_FAULTS.get(name)
        if said is None:
            raise LookupError(f"{self.service.name} does not say what {name!r} looks like: add it to its faults")
        return said if isinstance(said, Answer) else said(detail)

    def admit(self, call: Call, *, public: bool) -> dict[str, str]:
        """Check the key and the rate; returns the headers that tell what is left."""
        if self.service.key is not None and not public:
            given = self.service.key(call)
            if given is not True and given != self.key:
                raise RefusedError(self.fault("bad_key"))
        limit = self.service.limit
        if limit is None:
            return {}
        while self._asked and self._asked[0] <= call.now - limit.per_s:
            self._asked.popleft()
        self._asked.append(call.now)
        left = limit.allowed - len(self._asked)
        headers = dict(limit.headers(max(0, left), max(0.0, self._asked[0] + limit.per_s - call.now)))
        if left < 0 and self._limits:
            self._asked.pop()
            refusal = self.fault("rate_limited")
            raise RefusedError(Answer(refusal.status, refusal.body, {**refusal.headers, **headers}))
        return headers

    def take(self, call: Call, order: Order, extra: dict[str, Any]) -> Job:
        """Book an order, unless its fate is another."""
        running = sum(not job.is_over for job in self.jobs.values())
        if self._limits and self.service.concurrency is not None and running >= self.service.concurrency:
            raise RefusedError(self.fault("rate_limited"))
        fate = self.fates.next()
        if isinstance(fate, Answer):
            raise RefusedError(fate)
        name, _, detail = fate.partition(":")
        if name in BEFORE:
            raise DroppedError(name)
        if name in self.service.faults and name not in ENDINGS:
            raise RefusedError(self.fault(name, detail))
        wait_s = self._pace.slow_s if name == "slow" else self._pace.latency_s
        twice = name == "overcharged" and order.usd is not None
        job = Job(
            self.service.ids(self.rng),
            replace(order, usd=2 * order.usd) if twice and order.usd is not None else order,
            self.clock.time,
            created=call.now,
            queued_s=wait_s,
            running_s=wait_s,
            ending="canceled" if name == "canceled" else "failed" if name in (*ENDINGS, BILLED) else "succeeded",
            moderated=name == "moderated_output",
            detail=detail,
            expired=name == "expired",
            oddity=name if name in LATER else "",
            extra=extra,
            seed=self.rng.getrandbits(32),
        )
        job.urls = self.files.put_job(job, self.service.expired)
        self.jobs[job.id] = call.job_taken = job
        call.aftermath = fate if name in (*LOST, "slow") else ""
        route = self.service.find(call.method, call.url)
        self._book.append(Entry(self.service.name, job, route[0].pattern if route else "", _asked(call), self._billed))
        self._taken(self, job)
        return job

    def _billed(self, job: Job) -> bool:
        if job.state == "failed" and job.oddity == BILLED:
            return True
        if job.state == "failed":
            rule = self.service.bills_failures
            return rule(job) if callable(rule) else rule
        return job.state != "canceled" or self.service.bills_canceled


def _asked(call: Call) -> Any:
    """What was asked for, as data."""
    if call.headers.get("content-type", "").startswith("multipart/"):
        parts = call.form()
        return {name: [part.filename or part.text for part in several] for name, several in parts.items()}
    try:
        return call.json()
    except RefusedError:
        return None
