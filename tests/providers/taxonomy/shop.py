"""One provider with its server in process, and whole clients that buy there: store, ledger, runner and all."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from aggregator import Aggregator, opening, owner
from aggregator.backends import _placed
from aggregator.config import Config
from aggregator.contract import Provider
from aggregator.engine import Engine
from aggregator.errors import AggregatorError
from aggregator.job import AttemptState
from aggregator.pricing.table import PriceTable
from aggregator.probing import Prober
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.store import database, migrations
from aggregator.store.files import FileStore
from aggregator.store.schema import SCHEMA_VERSION
from aggregator.tasks import ImageToImage
from aggregator.testing.clock import VirtualClock
from aggregator.testing.driving import backend_at, composed, drive, engine_over
from aggregator.testing.emulator import media
from aggregator.testing.emulator.wire import Heard, Reply
from aggregator.testing.inputs import sample, sample_files
from tests.faults.quick import QuickDatabase
from tests.faults.stage import run_quiet
from tests.providers.harness import NOVEMBER
from tests.providers.own import cards_of, own_offers
from tests.providers.record import one_per_task, richest, wants_refs
from tests.providers.taxonomy.line import BACKUP, STEPS, Line, doing
from tests.providers.taxonomy.rows import Row
from tests.providers.taxonomy.servers import Server, server
from tests.providers.taxonomy.shapes import EMBEDDED, Shape

SMALL = ImageToImage(image=sample("image"), prompt="a fox", size=(64, 64))
"""What the embedded backend really draws."""
KINDS = {".png": "image/png", ".mp4": "video/mp4", ".wav": "audio/wav"}
STARTED_S, LIFE_S, CUT_OFF_S = 30.0, 120.0, 5.0


@dataclass
class Outcome:
    """What has become of a purchase."""

    posts: int
    state: str
    money: str
    other: bool
    struck: int
    """How often the fault did."""
    said: str
    """The error that the caller saw, if one."""
    answered: str
    """What a cancel was answered with."""
    booked: int
    """Jobs that the provider has taken."""


@dataclass
class Shop:
    """One provider, and a client that reaches it and the backup."""

    name: str
    server: Server
    directory: Path
    clock: VirtualClock
    clients: int = 0

    @cached_property
    def tables(self) -> dict[str, Provider]:
        settings = Config.of({"providers": {self.name: self.settings}}).providers[self.name]
        return {self.name: _placed(self.name, settings), BACKUP.name: BACKUP}

    @cached_property
    def settings(self) -> dict[str, Any]:
        return self.server.settings

    @cached_property
    def offers(self) -> list[Offer]:
        """One for each task and dialect; those that go on from what was made come last."""
        offers = one_per_task(self.tables[self.name], own_offers(self.name))
        if self.name == EMBEDDED:  # one way for all of them: the one that also hands something over
            offers = [offer for offer in offers if offer.task == "image-to-image"]
        return sorted(offers, key=wants_refs)

    @property
    def registry(self) -> Registry:
        found = Registry.load([self.directory / "registry", *cards_of(self.name)], mappings=mappings_of(self.tables))
        for task, rows in found._offer_rows.items():
            found._offer_rows[task] = [row for row in rows if row["provider"] in self.tables]  # nobody else is asked
        return found

    @cached_property
    def prices(self) -> PriceTable:
        return PriceTable.load([self.directory / "registry", *cards_of(self.name)])

    def write(self) -> None:
        """Offers of the backup, of the same models."""
        for model in {offer.model for offer in self.offers}:
            tasks = sorted({one.task for one in self.offers if one.model == model})
            rows = "".join(f"[tasks.{task}]\n" for task in tasks)
            head = f'model = "{model}"\nendpoint = "{model}"\nchecked = 2026-01-01\nstatus = "deprecated"\n'
            _write(self.directory / "registry" / "offers" / BACKUP.name / f"{model}.toml", head + rows)

    def shapes(self) -> list[Shape]:
        """One for each path and dialect, with what went before where a request goes on from something."""
        table = self.tables[self.name]
        backend = backend_at(table, table.base_url, self.server.key)
        refs: dict[str, str] = {}
        found: dict[tuple[str, str], Shape] = {}
        for offer in self.offers:
            request = SMALL if self.name == EMBEDDED else richest(table, offer, backend.account, refs)
            order = composed(table, offer, request, sample_files(), backend.account)
            engine = engine_over(Line(self.later, self.server.desk), self.clock)
            driven = run_quiet(partial(drive, engine, backend, order, key=f"{offer.id} {offer.task}"))
            assert driven.delivery is not None, f"{offer.id} {offer.task}: {driven.error}"
            refs |= driven.delivery.refs
            self.server.keep()
            shape = Shape(f"{self.name} {offer.task} {offer.mapping.dialect}".strip(), offer, request, table)
            shape = replace(shape, table=table.spoken(offer.mapping.dialect))
            path = "flow" if shape.submit is None else shape.submit.url
            found.setdefault((path, offer.mapping.dialect), shape)
        return list(found.values())

    async def later(self, heard: Heard) -> Reply:
        """The same, some time later: by the next look whatever was ordered is done."""
        await self.clock.sleep(STARTED_S)
        return await self.server.answer(heard)

    def client(self, line: Line, shape: Shape) -> Aggregator:
        config = {
            "directory": str(self.directory),
            "allow_ephemeral": True,
            "providers": {self.name: self.settings, BACKUP.name: {"table": "tests.providers.taxonomy.line:BACKUP"}},
            "routing": {"allow": [shape.offer.id, BACKUP.name]},
        }
        self.clients += 1
        return Aggregator(config, clock=self.clock, rng=Random(self.clients), transport=line, inline_store=True)

    def play(self, shape: Shape, row: Row) -> Outcome:
        """One purchase that meets with one event, and what became of it once the sun shines again."""
        line = Line(self.server.answer, self.server.desk, row.kind, row.fault, row.times)
        before, at = self.server.taken, QuickDatabase()
        said, answered = "", ""
        self.server.begin(*((row.fault.spoiled,) if row.kind == "job" else ()))

        async def bought() -> None:
            nonlocal said, answered
            async with self.client(line, shape) as agg, agg.project("tests", budget_usd="100000") as project:
                job = await project.submit(
                    shape.request, model=shape.offer.model, key="k", max_usd="500", deadline_s=LIFE_S
                )
                if row.kind == "cancel":
                    await asyncio.sleep(0.5)
                    try:
                        answered = str(await job.cancel())
                    except AggregatorError as error:
                        answered = type(error).__name__
                try:
                    await job.result(wait_s=CUT_OFF_S if row.fault.what == "hangs" else None)
                except (AggregatorError, TimeoutError) as error:
                    said = f"{type(error).__name__}: {error}"

        async def resumed() -> None:
            async with self.client(line, shape) as agg:
                await agg.resume()

        with patch.object(database, "_database", lambda _at: at):
            run_quiet(bought)
            states = {one[0] for one in at.raw.execute("SELECT state FROM attempt")}
            if row.times and not all(AttemptState(one).is_final for one in states):
                line.clear()
                run_quiet(resumed)
        outcome = self._outcome(at, line, said, answered, self.server.taken - before)
        at.end()
        self.server.forget()
        return outcome

    def _outcome(self, at: QuickDatabase, line: Line, said: str, answered: str, booked: int) -> Outcome:
        attempts = at.raw.execute("SELECT id, provider, state FROM attempt ORDER BY n").fetchall()
        own = [one for one in attempts if one[1] == self.name]
        *absent, last = own
        assert all(one[2] == "failed" for one in absent), f"{len(own)} attempts at {self.name}"  # certainly not taken
        kinds = {row[0] for row in at.raw.execute("SELECT kind FROM transfer WHERE attempt = ?", (last[0],))}
        money = "settled" if "post" in kinds else "released" if "void" in kinds else "held"
        other = len(attempts) > len(own)
        return Outcome(line.asked["submit"], last[2], money, other, line.met, said, answered, booked)


@contextmanager
def shop(name: str) -> Iterator[Shop]:
    """A provider of the emulator, with everything that a client opens kept for the next one."""
    clock = VirtualClock(NOVEMBER)
    with tempfile.TemporaryDirectory() as at, ExitStack() as stack:
        found = Shop(name, stack.enter_context(server(name, Path(at), clock)), Path(at), clock)
        found.write()
        registry, prices, tables = found.registry, found.prices, found.tables
        QuickDatabase().end()  # its tables are made before the version is no longer asked for
        for patched in (
            patch.object(opening, "provider_tables", lambda _config: tables),
            patch.object(Registry, "load", lambda *_, **__: registry),
            patch.object(PriceTable, "load", lambda *_, **__: prices),
            patch.object(opening, "verify_log", lambda _connection: None),
            patch.object(opening, "unsafe_filesystem", lambda *_, **__: None),
            patch.object(migrations, "version", lambda _connection: SCHEMA_VERSION),
            patch.object(media, "render", _rendered),
            patch.dict("os.environ", {found.settings.get("api_key_env", "_"): found.server.key}),
            *(patch.object(owner, one, cache(getattr(owner, one))) for one in ("_boot", "_namespace", "_started")),
            *(patch.object(Engine, one, doing(getattr(Engine, one), step)) for one, step in STEPS.items()),
        ):
            stack.enter_context(patched)
        files = FileStore(found.directory, Prober(enabled=False))
        for sha256, path in sample_files().items():
            kept = files.path(sha256, KINDS[path.suffix])
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(path.read_bytes())
        yield found


_render = media.render


@cache
def _small(mime: str) -> bytes:
    return _render(mime, width=32, height=32, duration_s=0.2, fps=10, audio=False, rate_hz=8000, channels=1, seed=1)


def _rendered(mime: str, **_: Any) -> bytes:
    """The smallest file of its type: nobody looks inside."""
    return _small(mime)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
