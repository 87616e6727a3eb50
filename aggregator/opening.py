"""Puts a client together: configuration, provider tables, registry, prices, store, engine; and takes it apart again."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from aggregator import budgets, ledger
from aggregator._http import HttpxTransport, Transport, origin
from aggregator._limits import Limits
from aggregator.backends import backends_of, provider_table, provider_tables
from aggregator.callbacks import callbacks_of
from aggregator.clock import Clock
from aggregator.config import Config, CreditSettings, load_config
from aggregator.edit_pool import EditPool
from aggregator.engine import Engine
from aggregator.errors import RequestError, StoreError
from aggregator.feeding import catalogue_of, open_feed
from aggregator.job import Progress
from aggregator.options import budget_caps
from aggregator.owner import new_owner
from aggregator.periods import day_of
from aggregator.planning import Planner, ask_as_json
from aggregator.pricing.compute import is_timed, measured
from aggregator.pricing.money import micro_usd
from aggregator.pricing.table import PriceTable
from aggregator.probing import Prober
from aggregator.registry.load import Registry
from aggregator.routing.outcomes import Outcomes
from aggregator.routing.plan import Ask
from aggregator.runner import Runner, inbox
from aggregator.runner.context import Context
from aggregator.runner.inbox import Nudges
from aggregator.spend import BY, DIMENSIONS, Budget, Dimension, Spend
from aggregator.store import bills, outcomes, pauses, quarantine, reports, verdicts
from aggregator.store.database import Store
from aggregator.store.disk import unsafe_filesystem
from aggregator.store.files import FileStore, bucket_of
from aggregator.store.journal import NewJob, verify_log
from aggregator.store.limits import SharedLimits
from aggregator.tasks import Request
from aggregator.view import View

if TYPE_CHECKING:
    from aggregator.locking import Frozen
    from aggregator.registry.feed import Feed

__all__ = ["ORGANISATION", "Opened", "configuration", "frozen_by", "open_client"]

ORGANISATION = "organisation"
"""The account above all projects."""

STORE_NAME = "store.sqlite"


@dataclass(frozen=True, slots=True)
class Opened:
    """What an open client shares with its projects."""

    planner: Planner
    runner: Runner
    store: Store
    files: FileStore
    clock: Clock
    rng: Random
    context: Context
    transport: Transport
    edits: EditPool
    feed: "Feed | None" = None
    embedded: bool = False
    """Whether the embedded backend runs in this process."""

    async def open_account(self, name: str, *, parent: str | None, budget: Mapping[str, Decimal]) -> None:
        above = parent or (None if name == ORGANISATION else ORGANISATION)
        caps = _caps(budget)
        if not await self.store.read(lambda c: budgets.is_open(c, name, parent=above, caps=caps)):
            await self.store.transact(lambda c: budgets.open_account(c, name, parent=above, caps=caps))

    async def set_budget(self, name: str, budget: Mapping[str, Decimal]) -> None:
        caps, at = _caps(budget), self._now()
        await self.store.transact(lambda c: budgets.set_caps(c, name, caps, at=at))

    async def open_credits(self, provider: str, settings: CreditSettings) -> None:
        caps, at = _caps(budget_caps(settings.budget, "budget")), self._now()
        await self.store.transact(lambda c: budgets.open_credits(c, provider, settings.usd, caps, at=at))

    async def spend(
        self,
        name: str,
        *,
        by: Dimension | Sequence[Dimension] = BY,
        since: date | None = None,
        until: date | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Spend:
        """The books of an account; what may be asked is said by `Project.spend`."""
        chosen = (by,) if isinstance(by, str) else tuple(by)
        for one in chosen:
            if one not in DIMENSIONS:
                raise RequestError(f"spend by {one!r}: there are {', '.join(DIMENSIONS)}")
        at = self._now()
        return await self.store.read(
            lambda c: reports.spend(c, name, at=at, by=chosen, since=since, until=until, tags=tags)
        )

    async def budgets(self) -> list[Budget]:
        at = self._now()
        return await self.store.read(lambda c: budgets.report(c, at=at))

    def _now(self) -> int:
        return int(self.clock.time() * 1000)

    def new_job(
        self,
        account: str,
        *,
        key: str | None,
        fingerprint: str,
        request: Request,
        ask: Ask,
        deadline_s: float,
        tags: Mapping[str, str],
    ) -> NewJob:
        """A job to be written down. Its id sorts by time; without a key the id is the key."""
        now = self._now()
        job_id = f"{now:011x}{self.rng.getrandbits(52):013x}"
        return NewJob(
            id=job_id,
            project=account,
            key=key or f"job:{job_id}",
            fingerprint=fingerprint,
            request=request.as_json(),
            ask=ask_as_json(ask),
            stage=ask.stage,
            tags=dict(tags),
            created_at=now,
            deadline_at=now + int(deadline_s * 1000),
        )


def _caps(budget: Mapping[str, Decimal]) -> dict[str, int]:
    """Whole micro-dollars, or millionths of a credit."""
    return {period: micro_usd(amount, "reserve") for period, amount in budget.items()}


async def open_client(
    configured: Config | Mapping[str, Any] | str | os.PathLike[str] | None,
    *,
    stack: AsyncExitStack,
    on_progress: Callable[[Progress], None] | None,
    clock: Clock,
    rng: Random,
    transport: Transport | None,
    inline_store: bool,
) -> Opened:
    """Open everything. What is opened is closed by `stack`, in reverse order."""
    config = configuration(configured)
    directory = config.directory.expanduser().absolute()
    url = config.store.url(os.environ)
    unsafe = unsafe_filesystem(directory, allow_ephemeral=config.allow_ephemeral, holds_database=url is None)
    if unsafe is not None:
        raise StoreError(unsafe)
    tables = provider_tables(config)
    backends, not_usable = backends_of(config, tables, os.environ)
    callbacks = callbacks_of(config, os.environ)
    registry, prices = catalogue_of(config, tables, datetime.fromtimestamp(clock.time(), UTC).date())

    store = Store(url or directory / STORE_NAME, inline=inline_store)
    stack.callback(store.close)
    await store.read(ledger.verify)
    await store.read(verify_log)
    apps: dict[str, Any] = {}
    local = backends.get("local")
    if local is not None and local.provider.base_url == provider_table("local").base_url:
        from aggregator.local import LocalApp

        app = LocalApp(directory / "local", rng=rng)
        stack.push_async_callback(app.aclose)
        apps[origin(local.provider.base_url)] = app.asgi
    moving = transport or HttpxTransport(apps)
    stack.push_async_callback(moving.aclose)
    prober = Prober(enabled=not inline_store)  # a simulation starts no processes
    stack.push_async_callback(prober.aclose)

    files = FileStore(directory, prober, bucket_of(config))
    timed, said = await _timed(store, config, registry, prices), await store.read(verdicts.read)
    planner = Planner(View(config, registry, timed, backends, not_usable, verdicts=said), clock)
    now_ms = int(clock.time() * 1000)
    planner.paused, planner.quarantined, planner.drifts = await store.read(
        lambda c: (pauses.paused(c), quarantine.reasons(c), bills.drifts(c, now_ms))
    )
    planner.outcomes = Outcomes(clock, await store.read(lambda c: outcomes.recent(c, now_ms)))
    engine = Engine(transport=moving, clock=clock, rng=rng, limits=Limits(clock, SharedLimits(store, clock)))
    nudges = Nudges(store, clock, on=callbacks.on)
    owner = new_owner(shared=url is not None)
    context = Context(engine, planner, store, files, clock, rng, nudges, callbacks, on_progress, config.warn_at, owner)
    runner = Runner(context)
    stack.push_async_callback(runner.aclose)
    if callbacks.on:
        await store.transact(lambda c: inbox.forget(c, context.now()))
    feed = await open_feed(planner, directory, stack, transport=moving, clock=clock, rng=rng)
    if config.frozen:
        planner.frozen = frozen_by(config, planner.view, context.now())
    opened = Opened(
        planner, runner, store, files, clock, rng, context, moving, EditPool(enabled=not inline_store), feed, bool(apps)
    )
    stack.push_async_callback(opened.edits.aclose)
    await opened.open_account(ORGANISATION, parent=None, budget={})
    if config.budget_usd is not None:
        await opened.set_budget(ORGANISATION, budget_caps(config.budget_usd, "budget_usd"))
    for name, settings in config.providers.items():
        if settings.credits is not None:
            await opened.open_credits(name, settings.credits)
    return opened


async def _timed(store: Store, config: Config, registry: Registry, prices: PriceTable) -> PriceTable:
    """The prices with the GPU-seconds that jobs took where an hour of a GPU has a price."""
    own = {name for name, of in config.providers.items() if of.usd_per_gpu_hour is not None}
    offers = [offer for offer in registry.all_offers() if offer.provider in own and is_timed(offer)] if own else []
    done = await store.read(lambda c: bills.finished(c, [one.id for one in offers])) if offers else []
    found = measured(offers, done, prices.gpu)
    return prices.with_measured(found) if found else prices


def frozen_by(config: Config, view: View, now_ms: int) -> "Frozen":
    """What the configured lock holds plans to.

    Raises:
        LockError: What it names is not what it was.

    """
    from aggregator.lock import Lock
    from aggregator.locking import Frozen

    frozen = Frozen(Lock.read(config.lock), config.lock)
    frozen.check(view, day_of(now_ms))
    return frozen


def configuration(given: Config | Mapping[str, Any] | str | os.PathLike[str] | None) -> Config:
    """The configuration, however it was given."""
    if isinstance(given, Config):
        return given
    if isinstance(given, Mapping):
        return Config.of(given)
    return load_config(None if given is None else Path(given), os.environ)
