"""Tools for tests of products that use aggregator, and of providers: an emulator of every provider, the compliance
suite, clocks, a pytest plugin. Loaded when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.testing.clock import VirtualClock
    from aggregator.testing.compliance import ProviderCompliance
    from aggregator.testing.emulator import Emulator, LeapingClock

__all__ = ["Emulator", "LeapingClock", "ProviderCompliance", "VirtualClock"]

_PLACES = {
    "Emulator": "aggregator.testing.emulator",
    "LeapingClock": "aggregator.testing.emulator",
    "ProviderCompliance": "aggregator.testing.compliance",
    "VirtualClock": "aggregator.testing.clock",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
