"""What the store here knows of offers: bills, times and verdicts; read without making, leading on or changing it."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aggregator.clock import SystemClock
from aggregator.config import Config
from aggregator.pricing.compute import Finished
from aggregator.pricing.ratio import Bill, Ratio, ratios
from aggregator.routing.outcomes import Outcomes, Track
from aggregator.secret import Secret
from aggregator.verdicts import Verdict

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What own jobs say. Empty where there is no store yet, or an older one that no client has led on."""

    bills: Sequence[Bill] = ()
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    """By offer."""
    finished: Sequence[Finished] = ()
    """Jobs on own GPUs."""
    outcomes: Outcomes | None = None
    verdicts: Sequence[Verdict] = ()

    def speed(self, offer: str) -> Track | None:
        return None if self.outcomes is None else self.outcomes.track(offer)

    @classmethod
    def of(cls, config: Config, computed: Sequence[str] = ()) -> "Evidence":
        """Read it.

        Args:
            computed: The offers that are priced by GPU-seconds.

        """
        from aggregator.opening import STORE_NAME
        from aggregator.store.database import look
        from aggregator.store.schema import SCHEMA_VERSION

        url = config.store.url(os.environ)
        file = config.directory.expanduser().absolute() / STORE_NAME
        if url is None and not file.is_file():
            return cls()
        at = url or file
        return asyncio.run(_read(at, computed)) if look(at).version == SCHEMA_VERSION else cls()


async def _read(at: Path | Secret, computed: Sequence[str]) -> Evidence:
    from aggregator.store.bills import bills, finished
    from aggregator.store.database import Store
    from aggregator.store.outcomes import recent
    from aggregator.store.verdicts import read as verdicts

    now = int(time.time() * 1000)
    store = Store(at)
    try:
        known = await store.read(bills)
        return Evidence(
            bills=known,
            ratios=ratios(known, now),
            finished=await store.read(lambda c: finished(c, computed)),
            verdicts=await store.read(verdicts),
            outcomes=Outcomes(SystemClock(), await store.read(lambda c: recent(c, now))),
        )
    finally:
        store.close()
