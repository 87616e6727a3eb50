"""Puts a client together: configuration, provider tables, registry, prices, store, engine; and takes it apart again."""

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from aggregator import ledger
from aggregator._http import HttpxTransport, Transport, origin
from aggregator.backends import backends_of, provider_table, provider_tables
from aggregator.clock import Clock
from aggregator.config import Config, load_config
from aggregator.engine import Engine
from aggregator.errors import StoreError
from aggregator.job import Progress
from aggregator.planning import Planner, ask_as_json
from aggregator.pricing.money import micro_usd
from aggregator.pricing.table import PriceTable
from aggregator.probing import Prober
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.plan import Ask
from aggregator.runner import Runner
from aggregator.runner.context import Context
from aggregator.spend import Spend
from aggregator.store.database import Store, unsafe_filesystem
from aggregator.store.files import FileStore
from aggregator.store.journal import NewJob, verify_log
from aggregator.tasks import Request

__all__ = ["ORGANISATION", "Opened", "configuration", "open_client"]

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

    async def open_account(self, name: str, *, parent: str | None, budget_usd: Decimal | None) -> None:
        cap = None if budget_usd is None else micro_usd(budget_usd, "reserve")
        above = parent or (None if name == ORGANISATION else ORGANISATION)
        await self.store.transact(lambda c: ledger.open_account(c, name, parent=above, cap=cap))

    async def set_budget(self, name: str, budget_usd: Decimal) -> None:
        await self.store.transact(lambda c: ledger.set_cap(c, name, micro_usd(budget_usd, "reserve")))

    async def spend(self, name: str) -> Spend:
        return await self.store.read(lambda c: ledger.spend(c, name))

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
        now = int(self.clock.time() * 1000)
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
    unsafe = unsafe_filesystem(directory, allow_ephemeral=config.allow_ephemeral)
    if unsafe is not None:
        raise StoreError(unsafe)
    tables = provider_tables(config)
    backends, not_usable = backends_of(config, tables, os.environ)
    paths = [path.expanduser() for path in config.registry.paths]
    registry = Registry.load(paths, mappings=mappings_of(tables))
    prices = PriceTable.load(paths)

    store = Store(directory / STORE_NAME, inline=inline_store)
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

    files = FileStore(directory, prober)
    planner = Planner(registry, prices, config, backends, not_usable, clock)
    engine = Engine(transport=moving, clock=clock, rng=rng)
    runner = Runner(Context(engine, planner, store, files, clock, rng, on_progress=on_progress))
    stack.push_async_callback(runner.aclose)
    opened = Opened(planner, runner, store, files, clock, rng)
    await opened.open_account(ORGANISATION, parent=None, budget_usd=None)
    if config.budget_usd is not None:
        await opened.set_budget(ORGANISATION, config.budget_usd)
    return opened


def configuration(given: Config | Mapping[str, Any] | str | os.PathLike[str] | None) -> Config:
    """The configuration, however it was given."""
    if isinstance(given, Config):
        return given
    if isinstance(given, Mapping):
        return Config.of(given)
    return load_config(None if given is None else Path(given), os.environ)
