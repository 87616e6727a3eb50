"""`Emulator`: one loopback server that speaks every provider, in a thread of its own."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aggregator.clock import Clock, SystemClock
from aggregator.testing.emulator import control, wiring
from aggregator.testing.emulator.answers import Answer
from aggregator.testing.emulator.book import Book
from aggregator.testing.emulator.desk import Desk, Pace
from aggregator.testing.emulator.desks import Desks
from aggregator.testing.emulator.fates import Fate
from aggregator.testing.emulator.front import Front
from aggregator.testing.emulator.hooks import Delivered, deliver, deliver_at_end
from aggregator.testing.emulator.jobs import Job
from aggregator.testing.emulator.recorder import Recorded
from aggregator.testing.emulator.service import Service
from aggregator.testing.emulator.serving import Serving
from aggregator.testing.emulator.wire import Heard, Reply

if TYPE_CHECKING:
    from aggregator.client import Aggregator

__all__ = ["Emulator"]


class Emulator:
    """Every provider on one loopback address. `with Emulator() as emulator: …`; it starts when it is first needed.

    It keeps a book of what it took (`book`), of what it was asked (`requests`), of which files were fetched
    (`downloads`) and of what it delivered (`deliveries`).
    """

    def __init__(
        self,
        *,
        only: tuple[str, ...] = (),
        services: tuple[Service, ...] = (),
        seed: int = 0,
        weather: Mapping[str, float] | None = None,
        latency_s: float = 0.02,
        slow_s: float = 1.0,
        clock: Clock | None = None,
        limits: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        on_request: Callable[[Recorded], None] | None = None,
    ) -> None:
        """Say what it is like.

        Args:
            only: The providers it serves; empty for all. services: Of your own, beside those that are found. seed:
            Decides keys, ids, tints and the weather. weather: Fates by name, each with the share of all purchases that
            it befalls. latency_s: How long a job is queued, and then runs; slow_s: the same, for a slow one. clock:
            What that time is measured by. limits: Enforce the rates and the concurrency that services declare.
            on_request: Called on the server's thread with each request, after its answer was chosen.

        """
        self.clock = clock or SystemClock()
        pace = Pace(latency_s, slow_s)
        self._serving = Serving(self._answer, host, port)
        self._desks = Desks(
            origins=self._serving.start,
            only=only,
            services=services,
            seed=seed,
            clock=self.clock,
            pace=pace,
            weather=weather or {},
            limits=limits,
            taken=self._hook,
        )
        self._front = Front(
            self._desks,
            self.clock,
            pace,
            control=lambda heard: control.answer(self, heard),
            heard=on_request or (lambda _one: None),
        )
        self.keys: Mapping[str, str] = wiring.Keys(self._desks)
        """The key that each provider accepts; it is made up, and buys nothing anywhere."""
        self.deliveries: list[Delivered] = []

    # --------------------------------------------------------------------------------------------------- for the tests

    @property
    def origin(self) -> str:
        """The address of the server; it starts if it does not run yet. Files have another: they are a CDN's."""
        return self._serving.start()[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The providers it serves."""
        return self._desks.names

    def url(self, provider: str) -> str:
        """Where a provider lives."""
        return self.desk(provider).base

    def desk(self, provider: str) -> Desk:
        """What a provider knows: its jobs, its key, its webhook secret (`desk(…).world.secret`)."""
        return self._desks[provider]

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables with the keys of the providers that have been asked for."""
        return wiring.environ(self._desks.opened)

    @property
    def requests(self) -> list[Recorded]:
        """What providers were asked, in order."""
        return self._front.requests

    @property
    def downloads(self) -> list[Recorded]:
        """Which files were asked for, in order."""
        return self._front.downloads

    @property
    def book(self) -> Book:
        """What was taken, and what it is billed with."""
        return self._desks.book

    @property
    def errors(self) -> list[str]:
        """Defects of services: tracebacks of what their handlers raised. Leaving `with` raises them."""
        return self._front.errors

    def script(self, provider: str, *fates: Fate) -> None:
        """Say what becomes of a provider's next purchases, one after the other; `fates` names them all."""
        self.desk(provider).fates.script(*fates)

    def fates(self, provider: str) -> tuple[str, ...]:
        """Every fate that can be scripted for a provider."""
        return self.desk(provider).fates.known

    def disturb(self, provider: str, *faults: str | Answer, on: str = "*") -> None:
        """Let something go wrong with the next requests that match `on` (`GET /v1/tasks/*`), bought with or not.

        `drop_before`, `hang_before`, anything that may become of an answer (`mischief.LOST`), one of the provider's own
        faults, or an answer. Files are matched by `GET /files/*`.
        """
        self._front.disturbances.extend((provider, on, fault) for fault in faults)

    def deliver_again(self, provider: str, job_id: str, url: str = "") -> Delivered:
        """Deliver a job's webhook now, once more, as vendors do."""
        desk = self.desk(provider)
        job = desk.jobs[job_id]
        again = deliver(desk, job, url or job.extra["hook"], self.deliveries)
        return self._serving.run(again)

    def settings(self, provider: str) -> dict[str, Any]:
        """The table `[providers.<name>]` that leads a client here."""
        return wiring.settings(self.desk(provider))

    @asynccontextmanager
    async def aggregator(self, directory: Path, *providers: str, **settings: Any) -> AsyncGenerator["Aggregator", None]:
        """An open client that reaches these providers here, and nothing else anywhere.

        Args:
            settings: Further top-level keys of `aggregator.toml`, or arguments of `Aggregator`.

        """
        desks = [self.desk(name) for name in providers or self.names]
        async with wiring.client(desks, directory, self.clock, settings) as opened:
            yield opened

    # ------------------------------------------------------------------------------------------------------- its life

    def start(self) -> Self:
        """Listen; done by whatever needs it.

        Raises:
            OSError: The port is taken.

        """
        self._serving.start()
        return self

    def close(self) -> None:
        """Stop listening; what was recorded stays."""
        self._serving.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self.errors and error is None:
            raise RuntimeError(f"a service of the emulator is defective:\n{self.errors[0]}")

    async def _answer(self, heard: Heard) -> Reply:
        return await self._front.answer(heard)

    def _hook(self, desk: Desk, job: Job) -> None:
        """Deliver to the address that was given with a job, once it has ended."""
        url = job.extra.get("hook")
        if url and desk.service.hook is not None:
            self._serving.begin(deliver_at_end(desk, job, url, self.deliveries))
