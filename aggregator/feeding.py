"""Makes a catalogue count: from rows, the package's own or a feed's, to a registry and a price table."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from aggregator._http import Transport
from aggregator.backends import provider_tables
from aggregator.clock import Clock
from aggregator.config import Config
from aggregator.contract import Provider
from aggregator.planning import Planner
from aggregator.pricing.compute import gpu_layers
from aggregator.pricing.table import PriceTable, RateRows
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.view import View

if TYPE_CHECKING:
    from aggregator.registry.bounds import Catalogue
    from aggregator.registry.feed import Feed

__all__ = ["catalogue_of", "last_known", "open_feed"]


def catalogue_of(
    config: Config, tables: Mapping[str, Provider], today: date, base: "Catalogue | None" = None
) -> tuple[Registry, PriceTable]:
    """The registry and the prices: the package's own or `base`, with the user's directories laid over them.

    Args:
        today: When the configuration's own prices were read.
        base: What a feed says.

    Raises:
        ConfigurationError: A user's file is malformed, or does not go with the rest.

    """
    paths = [path.expanduser() for path in config.registry.paths]
    mappings = mappings_of(tables)
    own = gpu_layers(config, today)
    if base is None:
        return Registry.load(paths, mappings=mappings), PriceTable.load(paths, more=own)
    version = hashlib.sha256(json.dumps(base.rates, sort_keys=True).encode()).hexdigest()
    registry = Registry.load(paths, mappings=mappings, base=base.rows)
    return registry, PriceTable.load(paths, base=RateRows(base.rates, version), more=own)


def last_known(config: Config, tables: Mapping[str, Provider], today: date) -> tuple[Registry, PriceTable]:
    """The same with the last good feed as the base, if one is configured and kept here: for who does not stay."""
    if config.registry.feed is None:
        return catalogue_of(config, tables, today)
    from aggregator.registry.feed import last_good

    directory = config.directory.expanduser().absolute()
    good = last_good(config.registry, directory, tables, config.registry.feed_accept)
    return catalogue_of(config, tables, today, good.catalogue if good else None)


async def open_feed(
    planner: Planner, directory: Path, stack: AsyncExitStack, *, transport: Transport, clock: Clock, rng: Random
) -> "Feed | None":
    """Begin with the configured feed, if there is one: it exchanges the planner's view. `stack` ends it."""
    if planner.config.registry.feed is None:
        return None
    from aggregator.registry.feed import Feed

    async def use(catalogue: "Catalogue") -> None:
        while True:
            view = planner.view
            today = datetime.fromtimestamp(clock.time(), UTC).date()
            registry, prices = await asyncio.to_thread(_ready, view, catalogue, today)
            if planner.view.config is view.config:  # else it was read again meanwhile
                planner.swap(replace(planner.view, registry=registry, prices=prices))
                return

    feed = Feed(
        planner.config.registry,
        directory,
        tables=lambda: provider_tables(planner.config),
        accept=lambda: planner.config.registry.feed_accept,
        use=use,
        transport=transport,
        clock=clock,
        rng=rng,
    )
    stack.push_async_callback(feed.aclose)
    await feed.begin()
    return feed


def _ready(view: View, base: "Catalogue", today: date) -> tuple[Registry, PriceTable]:
    """Everything built that is otherwise built when it is first asked for: by a planner, on the event loop."""
    registry, prices = catalogue_of(view.config, provider_tables(view.config), today, base)
    prices = prices.with_measured(view.prices.measured)
    for part in (registry.all_offers(), registry.cards, registry.boards):
        assert part is not None
    for provider in prices.providers:
        prices.rates(provider)
    return registry, prices
