"""What a client knows at one moment: configuration, registry, prices, which providers can be used. Nothing changes it;
a reload, a feed or a refresh makes another one, and the planner takes that instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aggregator.backend import Backend
from aggregator.config import Config
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.quality import Quality
from aggregator.verdicts import Verdict

__all__ = ["View"]


@dataclass(frozen=True)
class View:
    """All that a plan is made from, but for what changes by itself: health, pauses, the day."""

    config: Config
    registry: Registry
    prices: PriceTable
    backends: Mapping[str, Backend] = field(default_factory=dict)
    """The providers that can be used."""
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Why the others cannot."""
    verdicts: Sequence[Verdict] = ()
    """What was said of outputs in this store."""

    @cached_property
    def quality(self) -> Quality:
        """How the models stand: by the boards, and by what was said here."""
        return Quality(self.registry, self.verdicts)

    @property
    def usable(self) -> dict[str, str | None]:
        """Provider to `None`, or to why it cannot be used here."""
        return {**self.unusable, **dict.fromkeys(self.backends)}
