"""Reading the configuration again in a running client: `aggregator.toml`, the user's directories, the keys.

All of it is read and checked before anything counts; then one view takes the place of another. Jobs on their way keep
the provider and the key they were ordered with.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aggregator import _observe
from aggregator.backends import backends_of, provider_table, provider_tables
from aggregator.config import Config
from aggregator.errors import ConfigurationError
from aggregator.feeding import catalogue_of
from aggregator.opening import ORGANISATION, Opened, configuration, frozen_by
from aggregator.options import budget_caps
from aggregator.periods import day_of
from aggregator.store import verdicts
from aggregator.view import View

if TYPE_CHECKING:
    from aggregator.registry.bounds import Catalogue

__all__ = ["Reloaded", "reload"]

_FIXED = ("directory", "store", "allow_ephemeral")
"""What a client is built on."""
_AT_OPENING = ("webhooks", "warn_at")
"""What counts from the next opening on; of the feed, its address and key."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What is known now, and what of the configuration has to wait."""

    offers: int
    providers: tuple[str, ...]
    """Those that can be used."""
    at_next_opening: tuple[str, ...] = ()
    """Keys of the configuration that were changed, and count when the client is opened again."""

    def as_json(self) -> dict[str, Any]:
        return {
            "offers": self.offers,
            "providers": list(self.providers),
            "at_next_opening": list(self.at_next_opening),
        }


async def reload(opened: Opened, configured: Config | Mapping[str, Any] | str | os.PathLike[str] | None) -> Reloaded:
    """Read it all again, and plan by it from now on.

    Raises:
        ConfigurationError: Something is malformed, or names another store: what was in use stays in use.

    """
    planner = opened.planner
    before = planner.view.config
    config = configuration(configured)
    for name in _FIXED:
        if getattr(config, name) != getattr(before, name):
            raise ConfigurationError(f"{name} has changed: a running client keeps its store; open another client")
    at_ms = opened.context.now()
    feed, good, view = opened.feed, None, None
    while view is None or (feed is not None and feed.good is not good):  # a newer one may have come meanwhile
        good = feed.good if feed is not None else None
        view = await asyncio.to_thread(_read, opened, config, good.catalogue if good is not None else None, at_ms)
    frozen = frozen_by(config, view, at_ms) if config.frozen else None
    if config.budget_usd is not None and config.budget_usd != before.budget_usd:
        await opened.set_budget(ORGANISATION, budget_caps(config.budget_usd, "budget_usd"))
    for name, settings in config.providers.items():
        if settings.credits is not None:
            await opened.open_credits(name, settings.credits)
    judged = await opened.context.store.read(verdicts.read)  # what other processes were told since, too
    planner.swap(replace(view, verdicts=judged))
    planner.frozen = frozen
    late = [name for name in _AT_OPENING if getattr(config, name) != getattr(before, name)]
    late += [
        f"registry.{name}"
        for name in ("feed", "feed_key", "feed_ttl_s")
        if getattr(config.registry, name) != getattr(before.registry, name)
    ]
    offers = len(view.registry.all_offers())
    _observe.emit("reloaded", offers=offers, providers=", ".join(sorted(view.backends)))
    return Reloaded(offers, tuple(sorted(view.backends)), tuple(late))


def _read(opened: Opened, config: Config, base: "Catalogue | None", at_ms: int) -> View:
    """The view of a configuration, read whole; `base` is what a feed says."""
    tables = provider_tables(config)
    backends, unusable = backends_of(config, tables, os.environ)
    for name in [name for name in backends if name not in opened.planner.backends]:
        if backends[name].provider.base_url == provider_table("local").base_url and not opened.embedded:
            del backends[name]
            unusable[name] = "the embedded backend is started when the client is opened: open another client"
    registry, prices = catalogue_of(config, tables, day_of(at_ms), base)
    return View(config, registry, prices, backends, unusable)
