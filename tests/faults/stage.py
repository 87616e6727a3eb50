"""What all schedules share, so that a life begins in a millisecond: tables, registries, prices, plans, a quiet loop."""

import asyncio
import tempfile
from collections import deque
from collections.abc import Callable, Coroutine
from functools import cache
from heapq import heappop
from pathlib import Path
from typing import Any

import pytest

from aggregator import opening, owner
from aggregator.config import Config
from aggregator.identity import fingerprint
from aggregator.planning import Planner
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.registry.schema import read_directory
from aggregator.store import sqlite
from aggregator.testing import memory
from aggregator.testing.clock import VirtualLoop
from aggregator.testing.memory import registry
from tests.faults.servers import addresses

TABLES = {
    table.name: table
    for table in (
        memory.PROVIDER,
        memory.REPLAYING,
        memory.EXPIRING,
        memory.REJECTING,
        memory.REFERRING,
        memory.LISTING,
        memory.CALLING,
    )
}
"""Every way to find out about a request whose answer never came."""
SECRET_ENV = "AGGREGATOR_SIMULATED_SECRET"
PRICES = {"cheap": "0.04", "second": "0.05", "third": "0.06"}
OFFERED = (("cheap", "second"), ("second", "third"))
"""What there is to be had on one day and on another, when the first choice is no more."""
TASKS = ("text-to-image", "image-to-image")


@cache
def market(provider: str, day: int) -> Path:
    """The name of a registry directory with two offers of one provider: it was read, and is gone."""
    offers = {f"{provider}:{endpoint}": PRICES[endpoint] for endpoint in OFFERED[day]}
    with tempfile.TemporaryDirectory() as root:
        path = registry(Path(root) / f"{provider}-{day}", offers)
        rows, prices = read_directory(path), PriceTable([read_rates(path / "rates")])
        assert prices.rates(provider)
        assert prices.version
    by_task = {task: [row for row in rows.offers.values() if row["task"] == task] for task in TASKS}
    _READ[path] = (Registry(rows.cards, by_task, mappings=mappings_of(TABLES)), prices)
    return path


_READ: dict[Path, tuple[Registry, PriceTable]] = {}
"""The directory alone, without the package's own rows."""


def prepare(patch: pytest.MonkeyPatch) -> None:
    """Read once what every opening of a client reads; plan once what is planned in every schedule."""
    patch.setenv(SECRET_ENV, "it-is-no-secret-at-all")
    patch.setattr(opening, "provider_tables", lambda _config: TABLES)
    patch.setattr(Registry, "load", lambda paths, **_: _READ[paths[0]][0])
    patch.setattr(PriceTable, "load", lambda paths, **_: _READ[paths[0]][1])
    patch.setattr(opening, "unsafe_filesystem", lambda *_, **__: None)
    for name in ("_boot", "_namespace", "_started"):
        patch.setattr(owner, name, cache(getattr(owner, name)))
    _share_compiled(patch)
    plans: dict[Any, Any] = {}
    true = Planner.plan

    def plan(self: Planner, request: Any, ask: Any, *, explain: bool = False) -> Any:
        if any(request.media()) or self.paused or _resting(self, request.task):
            return true(self, request, ask, explain=explain)
        day = int(self._clock.time() // 86_400)
        at = (id(self.registry), fingerprint(request, ask), ask.max_usd, ask.exclude, day, explain)
        if at not in plans:
            plans[at] = true(self, request, ask, explain=explain)
        return plans[at]

    patch.setattr(Planner, "plan", plan)


def _share_compiled(patch: pytest.MonkeyPatch) -> None:
    """Every engine compiles its statements anew: here they share the first one's."""
    first: list[Any] = []
    create = sqlite.create_engine

    def create_engine(url: str, **options: Any) -> Any:
        engine = create(url, **options)
        first.append(engine)
        del first[1:]
        engine.dialect = engine.pool._dialect = first[0].dialect
        engine._compiled_cache = first[0]._compiled_cache
        return engine

    patch.setattr(sqlite, "create_engine", create_engine)


def _resting(planner: Planner, task: str) -> bool:
    """Whether an offer is passed over now."""
    now_s, health = planner._clock.monotonic(), planner.health
    places = (planner.where(offer.provider, offer.endpoint, offer.model) for offer in planner.registry.offers(task))
    return any(health.why_resting(where, now_s) for where in places)


@cache
def configuration(provider: str, day: int, organisation_usd: str | None, servers: int = 1) -> Config:
    """What a client is told; its directory is still to be said."""
    table = "PROVIDER" if provider == memory.PROVIDER.name else provider.upper()
    settings: dict[str, Any] = {
        "directory": "/nowhere",
        "allow_ephemeral": True,
        "providers": {provider: {"table": f"aggregator.testing.memory:{table}"}},
        "routing": {"allow": [provider]},
        "registry": {"paths": [str(market(provider, day))]},
    }
    if servers > 1:
        settings["providers"][provider]["base_urls"] = addresses(provider)
    if provider == memory.CALLING.name:
        settings["webhooks"] = {"url": "https://shop.invalid/hooks", "secret_env": SECRET_ENV}
    if organisation_usd is not None:
        settings["budget_usd"] = organisation_usd
    return Config.of(settings)


class QuietLoop(VirtualLoop):
    """A virtual loop that looks at no socket: nothing but timers can wake it."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool
    _clock_resolution: float

    def _run_once(self) -> None:
        """Run what is ready; where nothing is, it is as late as the next timer says."""
        ready, timers = self._ready, self._scheduled
        while timers and timers[0]._cancelled:
            heappop(timers)._scheduled = False
        if not ready and not self._stopping:
            if not timers:
                raise RuntimeError("the simulation is stuck: every task waits, and no timer is set")
            self.advance(max(0.0, timers[0].when() - self.time()))
        until_s = self.time() + self._clock_resolution
        while timers and timers[0].when() < until_s:
            timer = heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _make_self_pipe(self) -> None:
        """No thread calls."""

    def _close_self_pipe(self) -> None:
        """Nothing was made."""


def run_quiet(coro_fn: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=QuietLoop) as runner:
        return runner.run(coro_fn())
