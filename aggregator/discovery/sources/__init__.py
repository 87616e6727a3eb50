"""One file per source; each has a `SOURCE`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from aggregator.discovery.source import Source

__all__ = ["sources"]


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    found = [importlib.import_module(f"{__name__}.{name}").SOURCE for name in names]
    return MappingProxyType({source.name: source for source in found})
