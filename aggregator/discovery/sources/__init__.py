"""One file per source; each has a `SOURCE`. What machines could read and is not read here, and why:

- genai-prices (pydantic/genai-prices@47df840): prices of tokens only; of a picture, a second or a character none.
- Kling's prices (kling.ai/llms.txt): its table is public, its text was not seen whole; `kling` reads the ids.
- Venice's prices: a reseller's, who is no provider of ours, so nothing is booked by them; `venice` is a sign of life.
- Google's page of deprecations: a page for people; its form as Markdown was not seen.
- Artificial Analysis' music boards (`media/music/…/models/free`): of another form, no answer of which was seen.
- Runway (`/v1/organization`), Luma (`/credits`): concurrency and balance of an account; neither models nor prices.
- Ideogram's `dry_run` and Topaz' estimates: the price of one order, to be asked with that order.
- xAI's, BFL's and others' charges: in the answer to an order, and settled there.
- Krea's `Deprecation` and `Sunset` headers: on calls to a provider that has no table here.
"""

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
