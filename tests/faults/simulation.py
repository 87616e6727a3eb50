"""One seeded schedule: a keyed program, a stormy line, processes that die anywhere, and what must hold all the same."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator import Aggregator, opening
from aggregator.errors import AggregatorError, RequestError
from aggregator.runner import inbox, room, runner
from aggregator.store import database, files, limits
from aggregator.store.sqlite import SQLite
from aggregator.testing.clock import VirtualClock
from aggregator.testing.memory import CALLING, LISTING, Fault, Kind, MemoryTransport
from aggregator.testing.weather import destiny, weather
from tests.faults import promises
from tests.faults.life import BrokenPromiseError, Death, Disk, Life, MortalStore
from tests.faults.postman import Postman
from tests.faults.program import Program
from tests.faults.quick import QuickDatabase
from tests.faults.servers import Outage, TwoServers
from tests.faults.stage import OFFERED, PRICES, TABLES, configuration, prepare, run_quiet

TWO_SERVERS = 9
"""The last figure of the seeds whose provider has two servers; one of them is out of reach for a while."""
HOUR_S, DAY_S = 3600.0, 86_400.0
PAUSES_S = (0.0, 0.0, 30.0, 30.0, 600.0, 600.0, 7200.0, 7200.0, 5 * DAY_S)
"""How long nobody lives: sometimes longer than a provider knows its jobs."""
ROUNDS = 3
"""How often a person looks: what is adopted may be found to have ended in nobody knows what."""
SHOWN = {
    "account": ("id", "cap", "held", "settled", "overrun"),
    "transfer": ("id", "debit", "amount", "source"),
    "attempt": ("id", "state", "sends", "maybe_sent", "remote_id", "found_by", "error"),
}
"""What is shown of a table at the end of a history."""
Doing = Callable[[Aggregator], Awaitable[Any]]
LOOK_S = 60.0
"""How often is looked at what another client does: half of a simulation would be that."""
CURRENT: ContextVar[Life | None] = ContextVar("current", default=None)


class Simulation:
    """Everything is drawn from the seed."""

    def __init__(self, seed: int, directory: Path, *, on_disk: bool = False, trace: bool = False) -> None:
        self.seed = seed
        self.on_disk = on_disk
        self.traced: list[str] | None = [] if trace else None
        rng = self.rng = Random(seed)
        self.provider = rng.choice(sorted(TABLES))
        self.directory = directory / str(seed)
        self.server, self.clock = VirtualClock(), VirtualClock()
        self.servers = 2 if seed % 10 == TWO_SERVERS else 1
        self.transport = MemoryTransport(self.server)
        if self.servers > 1:
            outage = Outage.drawn(Random(f"{seed}/servers"), self.provider, self.server.time())
            self.transport = TwoServers(self.server, outage=outage)
        self.transport.destiny = destiny(Random(rng.random()), whims=rng.choice((0.0, 0.1, 0.3)))
        self.storm = weather(Random(rng.random()), rng.choice((0.0, 0.2, 0.3, 0.4, 0.5)))
        self.day = rng.randrange(len(OFFERED))
        self.transport.usd = {endpoint: Decimal(usd) for endpoint, usd in PRICES.items()}
        self.program = Program(rng, alike=0.7 if self.provider == LISTING.name else 0.1)
        self.organisation_usd = rng.choice((None, None, "0.30", "0.08"))
        self.deaths_planned = rng.choice((0, 1, 1, 1, 2, 3))
        self.store_storm = rng.choice((0.0, 0.0, 0.0, 0.03))
        self.disk_storm = rng.choice((0.0, 0.0, 0.0, 0.05))
        self.jumpy = rng.random() < 0.05
        self.recovery_s = promises.RECOVERY_S + (2 * HOUR_S if self.jumpy else 0.0)
        self.postman = Postman(Random(rng.random()), self.server.time, self.struck)
        self.transport.on_order = self.postman.on_order
        self.clients = 0
        self.deaths = 0
        self.faults: Counter[str] = Counter()
        self.gone: set[str] = set()
        self.lives: list[Life] = []
        self.began = 0.0
        """When the last life did."""
        self._noted = 0
        self._quick: QuickDatabase | None = None
        self._raw: sqlite3.Connection | None = None

    # ---------------------------------------------------------------------------------------------------------- lives

    def play(self) -> None:
        """All lives but the last end somewhere; in the last ones the sun shines."""
        rng = self.rng
        for _ in range(self.deaths_planned):
            clients = rng.choice((1, 1, 2))
            fuses = [rng.randint(1, 60) for _ in range(clients)]
            if clients == 2 and rng.random() < 0.5:
                fuses[1] = -1
            self.live(fuses, storm=True)
            self.pass_time(rng.choice(PAUSES_S))
        self.live([-1] * rng.choice((1, 1, 2)), storm=True)
        self.live([-1], storm=False)
        if promises.unfinished(self):
            self.live([-1], storm=False, doing=Aggregator.resume)
        promises.check_end(self)
        if promises.unknown(self):
            self.pass_time(rng.choice((DAY_S, 5 * DAY_S)))
            self.live([-1], storm=False, doing=self._operate)
            promises.check_end(self)
            promises.check_resolved(self)

    async def _operate(self, agg: Aggregator) -> None:
        """What is still unknown after a day, a person looks up in the provider's own book."""
        for _ in range(ROUNDS):
            await agg.resume()
            for of in await agg.unknown():
                with suppress(RequestError):  # somebody else has found out meanwhile
                    await self._resolve(agg, of)
            await agg.drain()

    async def _resolve(self, agg: Aggregator, of: Any) -> None:
        order = next(iter(self.transport.accepted(of.id)), None)
        if order is not None and of.remote_id is None and self.rng.random() < 0.5:
            with suppress(RequestError):  # it is forgotten there, or another attempt has it
                await agg.adopt_unknown(of.id, order.id)
                return
        charged = order.charged_usd(self.server.time()) if order is not None else Decimal(0)
        await agg.settle_unknown(of.id, charged_usd=charged)

    def live(self, fuses: list[int], *, storm: bool, doing: Doing | None = None) -> None:
        self.transport.weather = self._weather(self.storm if storm else lambda _kind: None)
        if isinstance(self.transport, TwoServers) and not storm:
            self.transport.outage = Outage()
        self.lives = [
            Life(
                self,
                self.rng,
                fuse,
                store_storm=self.store_storm if storm else 0.0,
                disk_storm=self.disk_storm if storm else 0.0,
            )
            for fuse in fuses
        ]
        said = f", {doing.__name__.strip('_')}" if doing else ""
        self.note(None, f"{len(fuses)} clients, {'storm' if storm else 'sun'}{said}")

        async def main() -> None:
            walk = asyncio.create_task(self.postman.walk()) if self.provider == CALLING.name else None
            ends = await asyncio.gather(
                *(self._client(life, storm=storm, doing=doing) for life in self.lives), return_exceptions=True
            )
            self._ended = self.server.time()
            if walk is not None:
                if walk.done():
                    walk.result()
                walk.cancel()
                self.postman.apps.clear()
            for end in ends:
                if isinstance(end, BaseException) and not isinstance(end, Death):
                    raise end

        began = self.began = self._ended = self.server.time()
        try:
            run_quiet(main)
        finally:
            self.pass_time(self._ended - began)
            for life in self.lives:
                self.deaths += life.dead
                if life.dead and life.owner and self.rng.random() < 0.9:
                    self.gone.add(life.owner)  # the others died on another machine: their leases have to end
                for store in life.stores:
                    store.close()
        promises.check_time(self, self._ended - began)

    async def _client(self, life: Life, *, storm: bool, doing: Doing | None) -> None:
        CURRENT.set(life)
        agg = self._aggregator(life)
        try:
            await agg.__aenter__()
            life.owner = agg.opened.runner._context.owner
            if self.provider == CALLING.name:
                self.postman.apps.append(agg.webhooks())
            await (doing(agg) if doing else self._program(agg, life, storm=storm))
        except AggregatorError as error:
            promises.check_error(error)
        if not life.dead:
            with suppress(AggregatorError):
                await agg.__aexit__(None, None, None)

    async def _program(self, agg: Aggregator, life: Life, *, storm: bool) -> None:
        if self.jumpy and storm:
            jump_s = self.rng.choice((-HOUR_S, HOUR_S))
            asyncio.get_running_loop().call_later(self.rng.uniform(0, 60), self._jump, jump_s)
        if not storm or self.rng.random() < 0.85:
            await self.program.run(agg)
            return
        task = asyncio.create_task(self.program.run(agg))
        await asyncio.wait({task}, timeout=self.rng.uniform(0, 60))
        task.cancel()  # Ctrl-C
        self.note(life, "gives up")
        with suppress(asyncio.CancelledError):
            await task

    def _aggregator(self, life: Life) -> Aggregator:
        self.clients += 1
        self.dawn()
        config = configuration(self.provider, self.day, self.organisation_usd, self.servers)
        return Aggregator(
            config.model_copy(update={"directory": self.directory}),
            clock=self.clock,
            rng=Random(f"{self.seed}/{self.clients}"),
            transport=replace(self.transport, tap=life.tap),
            inline_store=True,
        )

    def dawn(self) -> None:
        """Sometimes the next client finds other offers."""
        if self.rng.random() < 0.2:
            self.day = self.rng.randrange(len(OFFERED))

    def _jump(self, seconds: float) -> None:
        self.struck("jump")
        self.note(None, f"the clock jumps by {seconds:g} s")
        self.clock._start += seconds

    def pass_time(self, seconds: float) -> None:
        """Let time pass while no client lives."""
        self.clock._start += seconds
        self.server._start += seconds

    # ------------------------------------------------------------------------------------------------------ the store

    @contextmanager
    def staged(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Everything a client opens is this schedule's."""
        with patch.context() as here:
            here.setattr(opening, "Store", self.store)
            here.setattr(database, "_database", self.database)
            for module, name in ((runner, "WATCH_INTERVAL_S"), (inbox, "WATCH_INTERVAL_S"), (room, "LOOK_S")):
                here.setattr(module, name, LOOK_S)
            for module in (runner, limits):
                here.setattr(module, "is_gone", self.gone.__contains__)
            here.setattr(files, "os", Disk(CURRENT.get))
            yield

    def store(self, path: Path, **_: Any) -> MortalStore:
        """What `opening` opens for the client whose turn it is."""
        life = CURRENT.get()
        assert life is not None
        store = MortalStore(path, inline=True)
        store.life = life
        life.stores.append(store)
        return store

    def database(self, path: Path) -> Any:
        """What a store is on."""
        if self.on_disk:
            return SQLite(path)
        if self._quick is None:
            self._quick = QuickDatabase()
        return self._quick

    @property
    def raw(self) -> sqlite3.Connection:
        """The database, past everything."""
        if self._quick is not None:
            return self._quick.raw
        if self._raw is None:
            self._raw = sqlite3.connect(self.directory / opening.STORE_NAME, isolation_level=None)
        return self._raw

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in one table, as it is written."""
        cursor = self.raw.execute(f"SELECT * FROM {table} ORDER BY rowid")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()
        if self._quick is not None:
            self._quick.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    # -------------------------------------------------------------------------------------------------------- watching

    def check_always(self, connection: Any) -> None:
        if self.traced is not None:
            self._note_moves(connection)
        promises.check_always(self, connection)

    def struck(self, fault: str) -> None:
        self.faults[fault] += 1

    # --------------------------------------------------------------------------------------------------------- tracing

    def note(self, life: Life | None, text: str) -> None:
        """A line of the history, for whoever reads it."""
        if self.traced is not None:
            who = f"client {self.lives.index(life) + 1}" if life in self.lives else "-"
            self.traced.append(f"{self.server.time() - VirtualClock.START:10.2f} s  {who:9} {text}")

    def _weather(self, drawn: Callable[[Kind], Fault | None]) -> Callable[[Kind], Fault | None]:
        if self.traced is None:
            return drawn

        def noted(kind: Kind) -> Fault | None:
            fault = drawn(kind)
            self.note(CURRENT.get(), f"  {kind}{f': {fault}' if fault else ''}")
            return fault

        return noted

    def _note_moves(self, connection: Any) -> None:
        moves = connection.exec_driver_sql("SELECT seq, attempt, kind, data FROM event WHERE seq > ?", (self._noted,))
        for seq, attempt, kind, data in moves.all():
            self._noted = seq
            self.note(CURRENT.get(), f"{attempt} {kind} {data if data != '{}' else ''}")

    def history(self) -> str:
        """What happened, and what is written in the end."""
        lines = [f"seed {self.seed}: {self.provider}, {self.program.words}", *(self.traced or [])]
        for table in ("account", "transfer", "attempt"):
            shown = ({name: row[name] for name in SHOWN[table] if row[name] is not None} for row in self.rows(table))
            lines += [f"{table}: {row}" for row in shown]
        lines += [f"taken: {order}" for order in self.transport.book.values()]
        return "\n".join(lines)


def simulate(
    seed: int, directory: Path, patch: pytest.MonkeyPatch, *, on_disk: bool = False, made: Simulation | None = None
) -> Simulation:
    """Play one schedule; a broken promise says by which seed."""
    simulation = made or Simulation(seed, directory, on_disk=on_disk)
    with simulation.staged(patch):
        try:
            simulation.play()
        except Exception as error:
            error.add_note(f"seed {seed}{' on disk' if on_disk else ''}: python -m tests.faults.run --seed {seed}")
            if made is None:
                simulation.close()
            raise
        finally:
            simulation.faults.update(str(fault) for _, _, fault in simulation.transport.exchanges if fault)
    return simulation


__all__ = ["BrokenPromiseError", "Death", "Simulation", "prepare", "simulate"]
