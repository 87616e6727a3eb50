"""Which services there are: the package's own, and those that other packages bring. Each is imported when asked for."""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.service import Service

__all__ = ["ENTRY_POINTS", "load_service", "service_names"]

ENTRY_POINTS = "aggregator.emulator_services"
"""Packages add a service under this entry point group: name = "module:SERVICE"."""


@cache
def _brought() -> dict[str, str]:
    """What other packages bring: looking through all that is installed takes a while."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def service_names() -> tuple[str, ...]:
    """Every service there is, by the name of its provider."""
    own = (module.name for module in pkgutil.iter_modules([str(Path(__file__).with_name("services"))]))
    return tuple(sorted({*own, *_brought()}))


def load_service(name: str) -> Service:
    """Import one service, of a name that there is.

    Raises:
        ConfigurationError: The file holds none of that name.

    """
    place = _brought().get(name, f"aggregator.testing.emulator.services.{name}:SERVICE")
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute or "SERVICE", None)
    if not isinstance(found, Service) or found.name != name:
        raise ConfigurationError(f"{place}: there is no Service of the name {name!r}")
    return found
