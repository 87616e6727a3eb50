"""One seeded schedule: a keyed program, a stormy line, processes that die anywhere, and what must hold all the same."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator import ledger, opening
from aggregator.errors import AggregatorError
from aggregator.job import AttemptState
from aggregator.store import database, journal
from aggregator.store.database import Store
from aggregator.testing.memory import MemoryTransport, Order
from aggregator.testing.weather import destiny, weather
from tests.runner.world import World

ACCOUNT = "project:film"
MICRO = 1_000_000
OFFERS = {
    "memory": {"memory:cheap": "0.04", "memory:second": "0.05"},
    "replaying": {"replaying:cheap": "0.04", "replaying:second": "0.05"},
}


class Death(BaseException):
    """The process is no more."""


class BrokenPromiseError(AssertionError):
    """A promise was broken."""


class MortalStore(Store):
    """Dies before or after any transaction, and checks the money after each."""

    simulation: "Simulation"

    def _submit(self, run: Callable[[], Any]) -> Awaitable[Any]:
        simulation = self.simulation
        simulation.stores.add(self)

        def mortal() -> Any:
            simulation.tap("before a transaction")
            result = run()
            simulation.check_always(self)
            simulation.tap("after a transaction")
            return result

        return super()._submit(mortal)


class Simulation:
    """Everything is drawn from the seed."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.seed = seed
        rng = self.rng = Random(seed)
        self.provider = rng.choice(("memory", "memory", "replaying"))
        self.world = World(directory / str(seed), offers=OFFERS[self.provider], seed=seed)
        self.transport: MemoryTransport = self.world.transport
        self.transport.tap = self.tap
        self.transport.destiny = destiny(Random(rng.random()))
        self.storm = weather(Random(rng.random()), rng.choice((0.0, 0.1, 0.3, 0.5)))
        self.jobs = rng.randint(1, 4)
        self.deadline_s = rng.choice((40.0, 300.0, 3600.0))
        self.budget_usd = rng.choice(("0.09", "0.21", "10"))
        self.deaths = rng.randint(0, 3)
        self.fuse = -1
        self.dead = False
        self.owners: set[str] = set()
        self.stores: set[Store] = set()

    # ---------------------------------------------------------------------------------------------------------- lives

    def tap(self, _point: str) -> None:
        """A moment at which the process may die."""
        self.fuse -= 1
        if self.dead or self.fuse == 0:
            self.dead = True
            raise Death

    def play(self) -> None:
        """All lives but the last end somewhere; in the last one the sun shines."""
        for _ in range(self.deaths):
            self.transport.weather = self.storm
            self._live(self.rng.randint(1, 80), clients=self.rng.choice((1, 1, 2)))
            self.world.pass_time(self.rng.choice((0.0, 30.0, 600.0, 7200.0)))
        self.transport.weather = self.storm
        self._live(-1, clients=self.rng.choice((1, 1, 2)))
        self.transport.weather = lambda _kind: None
        self._live(-1, clients=1)
        self._live(-1, clients=1, resume=True)
        self.check_end()

    def _live(self, fuse: int, *, clients: int, resume: bool = False) -> None:
        self.fuse, self.dead = fuse, False
        alive: set[str] = set()

        async def client() -> None:
            agg = self.world.client()
            await agg.__aenter__()
            alive.add(agg.opened.runner._context.owner)
            p = agg.project("film", budget_usd=self.budget_usd)
            await p.__aenter__()
            await (agg.resume() if resume else self._program(p))
            if not self.dead:
                await agg.__aexit__(None, None, None)

        async def main() -> None:
            await asyncio.gather(*(client() for _ in range(clients)))

        try:
            self.world.virtual(main)
        except Death:
            self.owners |= alive
        finally:
            self.dead = False
            self.fuse = -1
            for store in self.stores:
                store.close()
            self.stores.clear()

    async def _program(self, p: Any) -> None:
        async def one(n: int) -> None:
            try:
                await p.text_to_image(f"shot {n}", key=f"k{n}", deadline_s=self.deadline_s)
            except AggregatorError as error:
                text = str(error).lower()
                if "try again" in text:
                    raise BrokenPromiseError(f"an error that asks for a second order: {error}") from error

        await asyncio.gather(*(one(n) for n in range(self.jobs)))

    # ------------------------------------------------------------------------------------------------------- promises

    def orders(self, attempt: str) -> list[Order]:
        return self.transport.accepted(attempt)

    def check_always(self, store: Store) -> None:
        """At every commit: what is charged is covered, and nothing is over the budget."""
        query = "SELECT held, settled, cap, overrun FROM account WHERE id = ?"
        row = store._connection.exec_driver_sql(query, (ACCOUNT,)).one_or_none()
        if row is None:
            return
        held, settled, cap, overrun = row
        now = self.world.clock.time()
        charged = sum(min(order.charged_usd(now), order.usd) for order in self.transport.book.values())
        if charged * MICRO > held + settled:
            raise BrokenPromiseError(f"{charged * MICRO} are charged, {held} held and {settled} settled")
        if held + settled > cap + overrun:
            raise BrokenPromiseError(f"{held} held and {settled} settled are above the budget of {cap}")

    def check_end(self) -> None:
        """When all is resolved: the books are the provider's invoice, and every job has come to its end."""
        state = AttemptState
        transfers = {row["id"]: row for row in self.world.rows("transfer")}
        good: dict[str, int] = {}
        now = self.world.clock.time()
        for row in self.world.rows("attempt"):
            orders = self.orders(row["id"])
            self._expect(len(orders) <= 1, f"{row['id']}: {len(orders)} jobs were bought")
            order = orders[0] if orders else None
            charged = int(order.charged_usd(now) * MICRO) if order else 0
            post, void = transfers.get(f"{row['id']}:post"), transfers.get(f"{row['id']}:void")
            if row["state"] in (state.STORED, state.LOST):
                self._expect(post is not None and post["amount"] == charged, f"{row['id']}: {charged} charged, {post}")
            elif row["state"] in (state.FAILED, state.REFUSED, state.CANCELED):
                booked = post["amount"] if post else 0 if void else charged
                self._expect(booked == charged, f"{row['id']}: {charged} charged, {booked} booked")
            else:
                self._expect(row["state"] == state.UNKNOWN, f"{row['id']} is left in {row['state']}")
                self._expect(post is None and void is None, f"{row['id']} is unknown, and its money resolved")
            if order is not None and order.state(now) == "succeeded":
                good[row["job"]] = good.get(row["job"], 0) + 1
        self._expect(all(count == 1 for count in good.values()), f"paid more than once for one key: {good}")
        self._check_files()
        self._check_books()

    def _check_files(self) -> None:
        stored = {row["job"] for row in self.world.rows("attempt") if row["state"] == "stored"}
        outputs = self.world.rows("output")
        self._expect(stored == {row["job"] for row in outputs}, "a stored job has no file")
        paths = {row["sha256"]: row["path"] for row in self.world.rows("artifact")}
        for row in outputs:
            file = self.world.directory / "store" / "artifacts" / paths[row["sha256"]]
            self._expect(hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"], f"{file} is something else")

    def _check_books(self) -> None:
        store = Store(self.world.directory / "store" / "store.sqlite", inline=True)
        try:
            for check in (ledger.verify, journal.verify_log):
                Store._begin(store, store._connection, check)
        finally:
            store.close()

    def _expect(self, holds: bool, why: str) -> None:
        if not holds:
            raise BrokenPromiseError(why)


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a client reads the same files every time: here it reads them once."""
    cached: dict[Any, Any] = {}

    def once(owner: Any, name: str, key: Callable[..., Any]) -> None:
        true = getattr(owner, name)

        def load(*args: Any, **kwargs: Any) -> Any:
            at = (true.__qualname__, key(*args))
            if at not in cached:
                cached[at] = true(*args, **kwargs)
            return cached[at]

        monkeypatch.setattr(owner, name, load)

    def provider(paths: Any) -> str:
        return next(Path(paths[0]).glob("offers/*")).name

    first: list[Any] = []
    create = database.create_engine

    def create_engine(url: str, **options: Any) -> Any:
        """Every engine compiles its statements anew: here they share the first one's."""
        engine = create(url, **options)
        first.append(engine)
        engine.dialect = engine.pool._dialect = first[0].dialect
        engine._compiled_cache = first[0]._compiled_cache
        return engine

    monkeypatch.setattr(database, "create_engine", create_engine)
    once(opening, "provider_tables", lambda config: tuple(config.providers))
    once(opening.Registry, "load", provider)
    once(opening.PriceTable, "load", provider)


def simulate(seed: int, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """Play one schedule; a broken promise says by which seed."""
    simulation = Simulation(seed, directory)
    store = type("Store", (MortalStore,), {"simulation": simulation})
    with monkeypatch.context() as patch:
        patch.setattr(opening, "Store", store)
        patch.setattr("aggregator.runner.runner.is_gone", lambda owner: owner in simulation.owners)
        try:
            simulation.play()
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    return simulation


__all__ = ["BrokenPromiseError", "Death", "Simulation", "prepare", "simulate"]
