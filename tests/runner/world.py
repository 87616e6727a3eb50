"""A client in a simulated world: the memory provider at the other end, virtual time, a store that outlives clients."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from aggregator import Aggregator
from aggregator.testing.clock import VirtualClock, run_virtual
from aggregator.testing.memory import MemoryTransport, registry

T = TypeVar("T")
OFFERS: Mapping[str, str | None] = {"memory:cheap": "0.04", "memory:second": "0.05"}
TABLES = {
    "memory": "PROVIDER",
    **{name: name.upper() for name in ("replaying", "expiring", "rejecting", "referring", "listing", "calling")},
}
"""The table of `aggregator.testing.memory` for each provider's name."""


class World:
    """Everything that stays when a client ends."""

    def __init__(
        self,
        directory: Path,
        *,
        offers: Mapping[str, str | None] = OFFERS,
        tiers: Mapping[str, str] | None = None,
        seed: int = 1,
        **settings: Any,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.offers = dict(offers)
        self.seed = seed
        self.clients = 0
        self.clock = VirtualClock()
        self.transport = MemoryTransport(self.clock)
        self.news: list[Any] = []
        paths = [str(registry(directory / "registry", self.offers, tiers=tiers))]
        self.config = {
            "directory": str(directory / "store"),
            "allow_ephemeral": True,
            "providers": {name: {"table": table} for name, table in self._tables().items()},
            "routing": {"allow": sorted(self._tables())},
            "registry": {"paths": paths},
            **settings,
        }
        for offer, usd in self.offers.items():
            self.price(offer, usd or "0.07")

    def _tables(self) -> dict[str, str]:
        names = {offer.partition(":")[0] for offer in self.offers}
        return {name: f"aggregator.testing.memory:{TABLES[name]}" for name in sorted(names)}

    def price(self, offer: str, usd: str) -> None:
        """What the provider really bills for one picture."""
        self.transport.usd = {**self.transport.usd, offer.partition(":")[2]: Decimal(usd)}

    def client(self, **changes: Any) -> Aggregator:
        """A new client on the one store."""
        self.clients += 1
        return Aggregator(
            {**self.config, **changes},
            clock=self.clock,
            rng=Random(f"{self.seed}/{self.clients}"),
            transport=self.transport,
            inline_store=True,
            on_progress=self.news.append,
        )

    def run(self, life: Callable[[Any], Awaitable[T]], *, budget_usd: str | None = "100", **changes: Any) -> T:
        """Open a client and the project `film`, live, and close them; time goes on where it stopped."""

        async def main() -> T:
            async with self.client(**changes) as agg, agg.project("film", budget_usd=budget_usd) as p:
                self.agg = agg
                return await life(p)

        return self.virtual(main)

    def virtual(self, main: Callable[[], Any]) -> Any:
        """Run `main` in virtual time, from where the last one stopped."""

        async def timed() -> Any:
            try:
                return await main()
            finally:
                self._ended = self.clock.time()

        try:
            return run_virtual(timed)
        finally:
            self.pass_time(self._ended - self.clock.time())

    def pass_time(self, seconds: float) -> None:
        """Let time pass while no client lives."""
        self.clock._start += seconds

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in one table of the store, as it is on disk."""
        with sqlite3.connect(self.directory / "store" / "store.sqlite") as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]
        connection.close()
        return found

    def attempts(self) -> list[dict[str, Any]]:
        found = self.rows("attempt")
        return [{**row, "error": json.loads(row["error"]) if row["error"] else None} for row in found]

    def money(self, account: str = "project:film") -> dict[str, int]:
        """What an account holds, in micro-dollars."""
        row = next(row for row in self.rows("account") if row["id"] == account)
        return {name: row[name] for name in ("held", "settled", "overrun")}
