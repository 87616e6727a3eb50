"""Whether each configured key works: asked of the provider with a call that costs nothing, where there is one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import SystemRandom
from typing import Literal

from aggregator.backend import Backend
from aggregator.backends import backends_of
from aggregator.cli.catalogue import Catalogue
from aggregator.config import Config
from aggregator.errors import AggregatorError
from aggregator.pricing.table import Rate

__all__ = ["Checked", "check_keys"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What one provider said of one key."""

    provider: str
    verdict: Literal["ok", "note", "broken"]
    said: str


def check_keys(config: Config, catalogue: Catalogue, environ: Mapping[str, str]) -> list[Checked]:
    """Ask every provider that is configured, all at once. Nothing is bought."""
    backends, _ = backends_of(config, catalogue.tables, environ)
    named = [backend for name, backend in sorted(backends.items()) if name != "local"]
    return asyncio.run(_all(named, catalogue))


async def _all(backends: Sequence[Backend], catalogue: Catalogue) -> list[Checked]:
    from aggregator._http import HttpxTransport
    from aggregator.clock import SystemClock
    from aggregator.engine import Engine

    transport = HttpxTransport()
    engine = Engine(transport=transport, clock=SystemClock(), rng=SystemRandom())

    async def one(backend: Backend) -> Checked:
        name = backend.provider.name
        if backend.provider.probe is None:
            return Checked(name, "note", _not_for_free(catalogue.prices.rates(name)))
        try:
            return Checked(name, "ok", await engine.probe(backend))
        except AggregatorError as error:
            return Checked(name, "broken", str(error))

    try:
        return list(await asyncio.gather(*(one(backend) for backend in backends)))
    finally:
        await transport.aclose()


def _not_for_free(rates: Sequence[Rate]) -> str:
    """What it would cost to find out."""
    paid = [rate for rate in rates if rate.usd > Decimal(0)]
    if not paid:
        return "no call of it is known to cost nothing, and no price of it either: not asked"
    least = min(paid, key=lambda rate: rate.usd)
    return f"no call of it is known to cost nothing: not asked; its lowest rate is {least.usd} USD per {least.unit}"
