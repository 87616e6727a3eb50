"""The feed: cards, offers, readings and rates that reach running processes without a release.

A signed bundle is asked for, verified, checked and compared with what is in use, all of it off the event loop; then one
reference is exchanged. Whatever is wrong with it, the last good one stays, and that is said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from aggregator import _observe
from aggregator._http import Transport
from aggregator.clock import Clock
from aggregator.config import RegistrySettings
from aggregator.contract import Provider
from aggregator.errors import AggregatorError, ConfigurationError, FeedError
from aggregator.pricing.rows import check_rates
from aggregator.pricing.table import bundled_rates
from aggregator.registry.bounds import Catalogue, check
from aggregator.registry.bundle import Head, key_bytes, unpack
from aggregator.registry.fetching import fetched
from aggregator.registry.guards import accepted, hold_back, refuse_shrunken
from aggregator.registry.kept import Kept
from aggregator.registry.load import bundled_rows
from aggregator.registry.refreshed import Good, Refreshed, brought, unchanged
from aggregator.registry.rows import Rows
from aggregator.registry.schema import checked_offer
from aggregator.signing import ed25519_verify

__all__ = ["Feed", "last_good", "own"]

RETRY_S = 60.0
"""After a failure it is asked for again after this long, then after twice as long each time, up to its time to live."""
SKEW = timedelta(days=1)
"""How far the publisher's clock may be ahead."""


class Feed:
    """One feed of one client. `begin` asks again and again until `aclose`; `refresh` asks now."""

    def __init__(
        self,
        settings: RegistrySettings,
        directory: Path,
        *,
        tables: Callable[[], Mapping[str, Provider]],
        accept: Callable[[], Sequence[str]],
        use: Callable[[Catalogue], Awaitable[None]],
        transport: Transport,
        clock: Clock,
        rng: Random,
    ) -> None:
        """Say where it is; nothing is asked for yet.

        Args:
            settings: With a `feed`.
            directory: Where the last good one is kept.
            tables: The providers there are now.
            accept: What may change as the feed says.
            use: Makes what a feed says count.

        Raises:
            ConfigurationError: The extra `signing` is not installed, or a key is none.

        """
        assert settings.feed is not None
        self._from = settings.feed
        self._keys = _keys(settings)
        self._settings, self._directory = settings, directory
        self._ttl_s = settings.feed_ttl_s
        self._kept = Kept.of(directory, settings.feed)
        self._tables, self._accept, self._use = tables, accept, use
        self._transport, self._clock, self._rng = transport, clock, rng
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.good: Good | None = None
        """What is in use; `None`: the package's own."""

    # --------------------------------------------------------------------------------------------------- its life

    async def begin(self) -> None:
        """Use the last good one, if there is one, and ask for a newer one whenever its time to live is over."""
        good = await asyncio.to_thread(last_good, self._settings, self._directory, self._tables(), self._accept())
        if good is not None:
            try:
                await self._use(good.catalogue)
                self.good = good
            except ConfigurationError as error:
                _observe.emit("feed_refused", feed=self._from, reason="content", said=str(error))
        self._task = asyncio.get_running_loop().create_task(self._follow(), name="aggregator feed")

    async def aclose(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        asked = self._kept.asked() if self.good else None
        age_s = self._ttl_s if asked is None else self._clock.time() - asked
        wait_s = max(0.0, self._ttl_s - max(0.0, age_s))
        failed = 0
        while True:
            await self._clock.sleep(wait_s * self._rng.uniform(0.9, 1.1))  # many processes, one server
            try:
                await self.refresh()
            except AggregatorError:  # said by `refresh`
                failed += 1
            else:
                failed = 0
            wait_s = min(self._ttl_s, RETRY_S * 2 ** min(failed - 1, 20)) if failed else self._ttl_s

    async def refresh(self) -> Refreshed:
        """Ask for it now.

        Raises:
            FeedError: It cannot be had, or is not taken; what was in use stays.

        """
        async with self._one:
            try:
                return await self._refreshed()
            except FeedError as error:
                _observe.emit("feed_refused", feed=self._from, reason=error.reason, said=str(error))
                raise

    async def _refreshed(self) -> Refreshed:
        waits = [one.id for one in self.good.held] if self.good else []
        known = self.good.etag if self.good and not any(accepted(name, self._accept()) for name in waits) else ""
        found = await fetched(self._from, known, self._transport)
        if found is None:
            self._kept.still_current(self._clock.time())
            assert self.good is not None
            return unchanged(self.good)
        data, etag = found
        before = self.good
        good = await asyncio.to_thread(self._taken, data, etag)
        if before is not None and good.head == before.head and good.held == before.held:
            self._kept.still_current(self._clock.time())
            return unchanged(before)
        try:
            await self._use(good.catalogue)
        except ConfigurationError as error:
            raise FeedError(f"{self._from}: it does not go with your own files: {error}", reason="content") from None
        self.good = good
        await asyncio.to_thread(self._keep, data, good)
        _observe.emit("feed_refreshed", feed=self._from, serial=good.head.serial, held=len(good.held))
        for one in good.held:
            _observe.emit("feed_held_back", feed=self._from, row=one.id, was=one.was, now=one.now, why=one.why)
        return brought(before.catalogue if before else own(), good)

    def _keep(self, data: bytes, good: Good) -> None:
        """Write it down; a disk that is full does not stop a good feed from being used."""
        try:
            self._kept.write(data, good.etag, good.catalogue, self._clock.time())
        except OSError as error:
            said = f"used, but not kept for the next start: {error.strerror or error}"
            _observe.emit("feed_refused", feed=self._from, reason="not_kept", said=said)

    # ------------------------------------------------------------------------------------------------- what is taken

    def _taken(self, data: bytes, etag: str) -> Good:
        """Verify, check and compare. Off the event loop: it takes a while."""
        bundle = unpack(data, self._keys, source=self._from)
        self._check_time(bundle.head)
        said = check(bundle.catalogue, self._tables(), source=self._from)
        used = self.good.catalogue if self.good else own()
        day = datetime.fromtimestamp(self._clock.time(), UTC).date()
        refuse_shrunken(used, said, day, source=self._from)
        catalogue, held = hold_back(used, said, self._accept())
        return Good(bundle.head, catalogue, held, etag)

    def _check_time(self, head: Head) -> None:
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        if head.expires_at <= now:
            raise FeedError(
                f"{self._from}: it expired at {head.expires_at}: its publisher must issue another", reason="expired"
            )
        if head.issued_at > now + SKEW:
            raise FeedError(
                f"{self._from}: it is issued at {head.issued_at}, which is to come: look at both clocks",
                reason="future",
            )
        known = self.good.head if self.good else None
        if known and (head.serial, head.sha256) != (known.serial, known.sha256) and head.serial <= known.serial:
            raise FeedError(
                f"{self._from}: its serial {head.serial} is not above {known.serial}, the last one taken: an old feed, "
                "or another under the same number",
                reason="rollback",
            )


def last_good(
    settings: RegistrySettings, directory: Path, tables: Mapping[str, Provider], accept: Sequence[str]
) -> Good | None:
    """What was kept at the last refresh of any process, verified again: old is better than none. `None`: nothing."""
    assert settings.feed is not None
    kept = Kept.of(directory, settings.feed)
    if (data := kept.read()) is None:
        return None
    try:
        bundle = unpack(data, _keys(settings), source=str(kept.bundle))
        said = check(bundle.catalogue, tables, source=str(kept.bundle))
    except FeedError as error:
        _observe.emit("feed_refused", feed=settings.feed, reason=error.reason, said=str(error))
        return None
    prices = kept.read_prices()
    catalogue, held = hold_back(_used(prices, said) or own(), said, accept)
    return Good(bundle.head, catalogue, held, str(prices.get("etag", "")))


def _keys(settings: RegistrySettings) -> list[bytes]:
    keys = [key_bytes(key, "[registry] feed_key") for key in settings.feed_key]
    ed25519_verify(keys[0], b"", b"")  # says which extra is missing, if it is
    return keys


def own() -> Catalogue:
    """The package's own."""
    return Catalogue(bundled_rows(), bundled_rates().rows)


def _used(kept: Mapping[str, Any], said: Catalogue) -> Catalogue | None:
    """The prices that were in use with the last good feed, as far as they can still be read."""
    try:
        if not said.rates.keys() <= kept["rates"].keys():
            return None
        rates = {name: check_rates(name, rows, "kept") for name, rows in kept["rates"].items()}
        offers = {}
        for name, metered in kept["metered"].items():
            key = tuple(name.split("\n"))
            if (row := said.rows.offers.get(key)) is not None:
                bare = {word: value for word, value in row.items() if word not in ("meters", "compute")}
                offers[key] = row if {**bare, **metered} == row else checked_offer({**bare, **metered}, "kept")
    except (ConfigurationError, KeyError, TypeError, AttributeError):
        return None
    return Catalogue(Rows({}, offers, {}), rates)
