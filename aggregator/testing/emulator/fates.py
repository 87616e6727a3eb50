"""What may become of a purchase: by name, from a script, or drawn from a seed."""

from collections import deque
from collections.abc import Mapping
from random import Random

from aggregator.testing.emulator.answers import Answer
from aggregator.testing.emulator.mischief import LOST
from aggregator.testing.emulator.service import Service

__all__ = ["BEFORE", "ENDINGS", "LATER", "Fate", "Fates"]

Fate = str | Answer
"""A name, with what the vendor calls it behind a colon if that matters (`failed:SAFETY`), or an answer that refuses."""

ENDINGS = ("failed", "moderated_output", "canceled")
"""The job is taken, and ends so."""
BEFORE = ("drop_before", "hang_before")
"""Nothing is taken, and nothing is said."""
LATER = (
    "slow",
    "expired",  # its files are gone
    "expired_once",  # the first address of a file is gone when it is asked for; another look brings a new one
    "late",  # it is not known yet, right after it was taken
    "backwards",  # it runs, then it waits again, then it runs
    "forgotten",  # it is not known any more, in the middle of the work
    "failed_billed",  # it fails, and is billed whatever is usual
    "overcharged",  # it costs twice what it should
)
"""The job is taken, and something is odd about it."""


class Fates:
    """The scripts of one service, used up in order, one a paid request; then the weather decides."""

    def __init__(self, service: Service, weather: Mapping[str, float], rng: Random) -> None:
        self._service = service
        self._rng = rng
        self._weather = {name: share for name, share in weather.items() if name in self.known}
        self._scripted: deque[Fate] = deque()

    @property
    def known(self) -> tuple[str, ...]:
        """Every name that can be scripted here: the service's own faults, and those that any service has."""
        return (*self._service.faults, *ENDINGS, *BEFORE, *LOST, *LATER, "succeeded")

    def script(self, *fates: Fate) -> None:
        """Say what becomes of the next purchases."""
        for fate in fates:
            if isinstance(fate, str) and fate.partition(":")[0] not in self.known:
                raise ValueError(f"{self._service.name} has no fate {fate!r}: one of {', '.join(self.known)}")
        self._scripted.extend(fates)

    def next(self) -> Fate:
        """What becomes of the purchase at hand."""
        if self._scripted:
            return self._scripted.popleft()
        drawn = self._rng.random()
        for name, share in self._weather.items():
            drawn -= share
            if drawn < 0:
                return name
        return "succeeded"
