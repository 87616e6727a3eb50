"""A process that has loaded everything and forks children that run a workflow: real processes, quickly made."""

import asyncio
import gc
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from aggregator.runner import runner
from aggregator.runner.submit import submit
from tests.faults.shop import TABLES, market
from tests.faults.workflows import WORKFLOWS, program
from tests.faults.worlds import Life, Worlds

__all__ = ["Cell", "Child", "Life", "Nursery"]


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


class Nursery(Worlds):
    """Children, their servers and their stores; one run of a cell after the other."""

    def __init__(self, directory: Path, workflows: Iterable[str], postgres_url: str | None = None) -> None:
        usd = {endpoint: Decimal(offer.usd) for one in WORKFLOWS.values() for endpoint, offer in one.offers.items()}
        super().__init__(directory, usd, postgres_url)
        self._warm_up(workflows)

    def _warm_up(self, workflows: Iterable[str]) -> None:
        """Import and read whatever a child would, by being one."""
        for workflow, keys in product(workflows, TABLES):
            cell = Cell(workflow, "postgresql" if self._url and keys == "none" else "sqlite", keys)
            self.new_world(cell)
            asyncio.run(self._work(cell, Child()))
        gc.collect()
        gc.freeze()

    @cache  # noqa: B019  there is one nursery in a process
    def market(self, cell: Cell) -> Path:
        name = TABLES[cell.keys].name
        return market(self.directory / "markets" / cell.workflow / name, name, WORKFLOWS[cell.workflow].offers)

    async def _work(self, cell: Cell, child: Child) -> dict[str, Any]:
        return await program(cell.workflow, self.settings(cell), self.clock, resume=child.resume)

    def _ready(self, child: Child) -> None:
        if child.naive:
            runner.reconcile = partial(submit, intended=True)  # type: ignore[assignment]
