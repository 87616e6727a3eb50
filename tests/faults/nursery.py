"""A process that has loaded everything and forks children: real processes to be killed, quickly made.

It runs no threads of its own, so that a fork is a whole copy; the servers that its children buy from are a process
beside it.
"""

import asyncio
import gc
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any

from aggregator import backends, opening, probing
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.rows import Rows
from aggregator.registry.schema import read_directory
from aggregator.runner import runner
from aggregator.runner.submit import submit
from aggregator.secret import Secret
from aggregator.store.database import Store
from tests.faults.points import plant
from tests.faults.shop import TABLES, TASKS, FastClock, Shop, market
from tests.faults.workflows import WORKFLOWS, program
from tests.ledger.books import Books

__all__ = ["Cell", "Child", "Life", "Nursery"]

URL_ENV = "AGGREGATOR_TEST_STORE"
LONGEST_S = 60.0
"""No life takes longer, or something waits for ever."""


@dataclass(frozen=True)
class Cell:
    """What is run on what, at which provider."""

    workflow: str
    database: str
    keys: str

    def __str__(self) -> str:
        return f"{self.workflow}, {self.database}, {self.keys}"


@dataclass(frozen=True)
class Child:
    """How one process lives."""

    kill_at: int | str | float | None = None
    """The number of a point, or its name; or how many seconds after it was born."""
    resume: bool = False
    """Finish what was begun, without the script."""
    naive: bool = False
    """Send again whatever has no answer: what a client does that keeps no books."""


@dataclass(frozen=True)
class Life:
    """What is left of one."""

    killed: bool
    said: dict[str, Any] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)


class Nursery:
    """Children, their servers and their stores; one run of a cell after the other."""

    def __init__(self, directory: Path, workflows: Iterable[str], postgres_url: str | None = None) -> None:
        """`postgres_url`: an empty database, for cells on PostgreSQL."""
        self.clock = FastClock(time.time())
        self.directory = directory
        usd = {endpoint: Decimal(offer.usd) for one in WORKFLOWS.values() for endpoint, offer in one.offers.items()}
        self.shop = Shop(self.clock, usd)
        self._url = postgres_url
        self._worlds = 0
        self.world = ""
        if postgres_url:
            os.environ[URL_ENV] = postgres_url
        _read_once()
        self._warm_up(workflows)

    def _warm_up(self, workflows: Iterable[str]) -> None:
        """Import and read whatever a child would, by being one."""
        for workflow, keys in product(workflows, TABLES):
            cell = Cell(workflow, "postgresql" if self._url and keys == "none" else "sqlite", keys)
            self.new_world(cell)
            asyncio.run(program(workflow, self._settings(cell), self.clock, resume=False))
        gc.collect()
        gc.freeze()

    @cached_property
    def _postgres(self) -> Books:
        assert self._url is not None
        return Books(Secret(self._url))

    # ----------------------------------------------------------------------------------------------------- the world

    def new_world(self, cell: Cell) -> None:
        """An empty store and an empty book; the last one's files are gone."""
        if self.world:
            shutil.rmtree(self.home, ignore_errors=True)
        self._worlds += 1
        self.world = f"w{self._worlds}"
        if cell.database == "postgresql":
            self._postgres.empty()

    @property
    def home(self) -> Path:
        return self.directory / self.world

    def store(self, cell: Cell) -> AbstractContextManager[Store]:
        """The store of this world, to look at."""
        if cell.database == "postgresql":
            return nullcontext(self._postgres.store)
        return closing(Store(self.home / opening.STORE_NAME, inline=True))

    def _settings(self, cell: Cell) -> dict[str, Any]:
        table = TABLES[cell.keys]
        settings: dict[str, Any] = {
            "directory": str(self.home),
            "allow_ephemeral": True,
            "providers": {
                table.name: {
                    "table": f"tests.faults.shop:{table.name.upper()}",
                    "base_url": self.shop.url(self.world, table.name),
                }
            },
            "routing": {"allow": [table.name]},
            "registry": {"paths": [str(self._market(cell.workflow, table.name))]},
        }
        if cell.database == "postgresql":
            settings["store"] = {"url_env": URL_ENV}
        return settings

    @cache  # noqa: B019  there is one nursery in a process
    def _market(self, workflow: str, provider: str) -> Path:
        return market(self.directory / "markets" / workflow / provider, provider, WORKFLOWS[workflow].offers)

    # ------------------------------------------------------------------------------------------------------- children

    def live(self, cell: Cell, *children: Child) -> list[Life]:
        """Children of one world, side by side, to their ends."""
        born = [(*self._bear(cell, child), child.kill_at) for child in children]
        return [_end(pid, reader, at if isinstance(at, float) else None) for pid, reader, at in born]

    def _bear(self, cell: Cell, child: Child) -> tuple[int, int]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writer)
            return pid, reader
        try:
            os.close(reader)
            gc.disable()  # a collection would copy what is shared with the parent
            points = plant(None if isinstance(child.kill_at, float) else child.kill_at)
            if child.naive:
                runner.reconcile = partial(submit, intended=True)  # type: ignore[assignment]
            said = asyncio.run(program(cell.workflow, self._settings(cell), self.clock, resume=child.resume))
            os.write(writer, json.dumps({"said": said, "points": points}).encode())
        except BaseException as error:  # noqa: BLE001  it is told to the parent
            os.write(writer, json.dumps({"said": {"broke": f"{type(error).__name__}: {error}"}}).encode())
        finally:
            os._exit(0)


def _end(pid: int, reader: int, kill_after_s: float | None) -> Life:
    if kill_after_s is not None and not select.select([reader], [], [], kill_after_s)[0]:
        os.kill(pid, signal.SIGKILL)
    until_s = time.monotonic() + LONGEST_S
    parts: list[bytes] = []
    while True:
        if not select.select([reader], [], [], max(0.0, until_s - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)
            parts = [json.dumps({"said": {"broke": f"it did not end within {LONGEST_S:g} s"}}).encode()]
            break
        part = os.read(reader, 2**16)
        if not part:
            break
        parts.append(part)
    os.close(reader)
    os.waitpid(pid, 0)
    return Life(killed=True) if not parts else Life(killed=False, **json.loads(b"".join(parts)))


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
