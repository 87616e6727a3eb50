"""The desks of one emulator, opened when they are first asked for, and what they share: files, book, clock, seed."""

import threading
from collections.abc import Callable, Mapping
from random import Random

from aggregator.clock import Clock
from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.book import Book
from aggregator.testing.emulator.catalogue import load_service, service_names
from aggregator.testing.emulator.desk import Desk, Pace
from aggregator.testing.emulator.files import Files
from aggregator.testing.emulator.jobs import Job
from aggregator.testing.emulator.service import Service

__all__ = ["Desks"]


class Desks:
    """Desks by the name of their provider."""

    def __init__(
        self,
        *,
        origins: Callable[[], tuple[str, str]],
        only: tuple[str, ...],
        services: tuple[Service, ...],
        seed: int,
        clock: Clock,
        pace: Pace,
        weather: Mapping[str, float],
        limits: bool,
        taken: Callable[[Desk, Job], None],
    ) -> None:
        self._given = {service.name: service for service in services}
        self._only = only
        self._origins = origins
        self._seed = seed
        self._clock = clock
        self._pace = pace
        self._weather = dict(weather)
        self._limits = limits
        self._taken = taken
        self._open: dict[str, Desk] = {}
        self._turn = threading.Lock()
        self.files = Files(lambda: origins()[1], Random(f"{seed}/files"))  # noqa: S311  names
        self.book = Book()
        for name in only:
            self._check(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that can be opened here."""
        return self._only or tuple(sorted({*service_names(), *self._given}))

    @property
    def opened(self) -> tuple[Desk, ...]:
        return tuple(self._open.values())

    def _check(self, name: str) -> None:
        if self._only and name not in self._only:
            raise ConfigurationError(f"this emulator serves {', '.join(self._only)} only, not {name!r}")
        if name not in self._given and name not in service_names():
            raise ConfigurationError(f"the emulator has no service {name!r}: one of {', '.join(service_names())}")

    def __getitem__(self, name: str) -> Desk:
        with self._turn:
            if name not in self._open:
                self._check(name)
                self._open[name] = Desk(
                    self._given.get(name) or load_service(name),
                    base=f"{self._origins()[0]}/{name}",
                    seed=self._seed,
                    clock=self._clock,
                    files=self.files,
                    book=self.book,
                    pace=self._pace,
                    weather=self._weather,
                    limits=self._limits,
                    taken=self._taken,
                )
            return self._open[name]
