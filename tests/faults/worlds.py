"""Worlds, one after the other, and the processes that are forked into them to be killed: each world has empty stores
and an empty book of the shop.

Whoever forks has loaded everything, so that a life begins at once, and runs no threads of its own, so that a fork is a
whole copy; the servers that the children buy from are a process beside it.
"""

import asyncio
import gc
import json
import os
import select
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from aggregator import backends, opening, probing
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.rows import Rows
from aggregator.registry.schema import read_directory
from aggregator.runner import runner
from aggregator.secret import Secret
from aggregator.store.database import Store
from tests.faults.points import Plant, plant
from tests.faults.shop import TABLES, TASKS, FastClock, Shop
from tests.ledger.books import Books

__all__ = ["Life", "Worlds"]

URL_ENV = "AGGREGATOR_TEST_STORE"
LONGEST_S = 60.0
"""No life takes longer, or something waits for ever."""


@dataclass(frozen=True)
class Life:
    """What is left of one."""

    killed: bool
    said: dict[str, Any] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)


@dataclass
class _Born:
    child: Any
    pid: int
    reader: int
    parts: list[bytes] = field(default_factory=list)
    life: Life | None = None


class Worlds(ABC):
    """What all children of a process share. A cell says on which database (`database`) and at which kind of provider
    (`keys`) a world is; a child says where it is killed (`kill_at`): at a point by its number or name, or after so many
    seconds.
    """

    plants: tuple[Plant, ...] = ()
    """What else is counted, beside what `points` knows."""

    def __init__(self, directory: Path, usd: Mapping[str, Decimal], postgres_url: str | None) -> None:
        """`usd`: what the shop takes, by endpoint. `postgres_url`: an empty database, for cells on PostgreSQL."""
        self.clock = FastClock(time.time())
        self.directory = directory
        self.shop = Shop(self.clock, usd)
        self.world = ""
        self._url = postgres_url
        self._worlds = 0
        if postgres_url:
            os.environ[URL_ENV] = postgres_url
        _read_once()

    @cached_property
    def _postgres(self) -> Books:
        assert self._url is not None
        return Books(Secret(self._url))

    # ----------------------------------------------------------------------------------------------------- the world

    def new_world(self, cell: Any) -> None:
        """An empty store and an empty book; the last one's files are gone."""
        if self.world:
            shutil.rmtree(self.home, ignore_errors=True)
        self._worlds += 1
        self.world = f"w{os.getpid()}-{self._worlds}"
        self.home.mkdir(parents=True)
        if cell.database == "postgresql":
            self._postgres.empty()

    @property
    def home(self) -> Path:
        return self.directory / self.world

    def at(self, _cell: Any, _child: Any = None) -> Path:
        """The directory of a child."""
        return self.home

    def store(self, cell: Any) -> AbstractContextManager[Store]:
        """The store of this world, to look at."""
        if cell.database == "postgresql":
            return nullcontext(self._postgres.store)
        return closing(Store(self.at(cell) / opening.STORE_NAME, inline=True))

    @abstractmethod
    def market(self, cell: Any) -> Path:
        """The registry of what is to be had there."""

    def settings(self, cell: Any, child: Any = None) -> dict[str, Any]:
        """The configuration of a child."""
        table = TABLES[cell.keys]
        return {
            "directory": str(self.at(cell, child)),
            "allow_ephemeral": True,
            "providers": {
                table.name: {
                    "table": f"tests.faults.shop:{table.name.upper()}",
                    "base_url": self.shop.url(self.world, table.name),
                }
            },
            "routing": {"allow": [table.name]},
            "registry": {"paths": [str(self.market(cell))]},
            **({"store": {"url_env": URL_ENV}} if cell.database == "postgresql" else {}),
        }

    # ------------------------------------------------------------------------------------------------------- children

    @abstractmethod
    async def _work(self, cell: Any, child: Any) -> dict[str, Any]:
        """One life; what it says at its end."""

    def _ready(self, child: Any) -> None:  # noqa: B027 - not every world has something to get ready
        """What is otherwise in this child, before it begins."""

    def _died(self, child: Any) -> None:  # noqa: B027 - not every world counts them
        """One was killed."""

    def live(self, cell: Any, *children: Any) -> list[Life]:
        """Children of one world, side by side, to their ends."""
        began_s = time.monotonic()
        born = [self._bear(cell, child) for child in children]
        while waiting := [one for one in born if one.life is None]:
            now_s = time.monotonic() - began_s
            for one in waiting:
                at = one.child.kill_at
                if now_s > LONGEST_S or (isinstance(at, float) and now_s >= at):
                    os.kill(one.pid, signal.SIGKILL)
            for reader in select.select([one.reader for one in waiting], [], [], 0.01)[0]:
                self._hear(next(one for one in waiting if one.reader == reader), late=now_s > LONGEST_S)
        return [one.life for one in born if one.life is not None]

    def _hear(self, one: _Born, *, late: bool) -> None:
        part = os.read(one.reader, 2**16)
        one.parts.append(part)
        if part:
            return
        os.close(one.reader)
        os.waitpid(one.pid, 0)
        said = b"".join(one.parts)
        if said:
            one.life = Life(killed=False, **json.loads(said))
        elif late:
            one.life = Life(killed=True, said={"broke": f"it did not end within {LONGEST_S:g} s"})
        else:
            one.life = Life(killed=True)
            self._died(one.child)

    def _bear(self, cell: Any, child: Any) -> _Born:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writer)
            return _Born(child, pid, reader)
        try:
            os.close(reader)
            gc.disable()  # a collection would copy what is shared with the parent
            points = plant(None if isinstance(child.kill_at, float) else child.kill_at, *self.plants)
            self._ready(child)
            said = asyncio.run(self._work(cell, child))
            os.write(writer, json.dumps({"said": said, "points": points}).encode())
        except BaseException as error:  # noqa: BLE001  it is told to the parent
            os.write(writer, json.dumps({"said": {"broke": f"{type(error).__name__}: {error}"}}).encode())
        finally:
            os._exit(0)


def _read_once() -> None:
    """Read once what every client reads, without the package's own offers; start no children of children."""

    @cache
    def rows(path: Path) -> Rows:
        return read_directory(path)

    def registry(paths: Sequence[Path], *, mappings: Any) -> Registry:
        found = rows(paths[0])
        offers = {task: [row for row in found.offers.values() if row["task"] == task] for task in TASKS}
        return Registry(found.cards, offers, mappings=mappings)

    @cache
    def price_table(path: Path) -> PriceTable:
        return PriceTable([read_rates(path / "rates")])

    Registry.load = registry  # type: ignore[method-assign, assignment]
    PriceTable.load = lambda paths, **_: price_table(paths[0])  # type: ignore[method-assign, assignment]
    opening.provider_tables = lambda config: {  # type: ignore[assignment]
        name: backends._placed(name, settings) for name, settings in config.providers.items()
    }
    probing.find_spec = lambda _name: None  # type: ignore[assignment]
    runner.WATCH_INTERVAL_S = 0.2
