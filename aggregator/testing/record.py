"""Writes a provider's recording: its purchases, had with the emulator, each way that they can end.

`python -m aggregator.testing.record acme:PROVIDER --service acme_service:SERVICE --registry ./acme-registry
--request '{"task": "text-to-video", "prompt": "a fox"}' --out recording.json`

What it writes is to be looked through before it is kept: from then on `ProviderCompliance` holds the table to it.
"""

import argparse
import asyncio
import importlib
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aggregator._http import HttpxTransport
from aggregator.contract import Provider
from aggregator.errors import AggregatorError, ConfigurationError
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.tasks import Request, request_from_json
from aggregator.testing.driving import Frozen, backend_at, composed, drive, ends_of, engine_over
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.emulator.fates import BEFORE, LATER
from aggregator.testing.emulator.mischief import LOST
from aggregator.testing.inputs import sample_files
from aggregator.testing.pins import pins_of
from aggregator.testing.recording import Keeper, Recording

__all__ = ["Recorder"]

SAME_ADDRESS = "http://emulator.invalid"
NOT_RECORDED = (*BEFORE, *LOST, *LATER, "succeeded")
"""Transport faults are the same for everybody; the suite makes them itself."""


class Recorder:
    """Has purchases at one emulated provider, and keeps every exchange."""

    def __init__(self, provider: Provider, emulator: Emulator) -> None:
        self.provider = provider
        self._emulator = emulator
        self._base = emulator.url(provider.name) + urlsplit(provider.base_url).path.rstrip("/")
        self._key = emulator.keys[provider.name]
        self.cases: list[dict[str, Any]] = []

    @property
    def account(self) -> str:
        """Whose purchases they are: what an earlier output is known by."""
        return backend_at(self.provider, self._base, self._key).account

    def had(self, offer: Offer, request: Request, name: str = "") -> dict[str, Any]:
        """One purchase; returns how it was written down."""
        self.cases.append(asyncio.run(self._had(offer, request, name or offer.task)))
        return self.cases[-1]

    def every_fate(self, offer: Offer, request: Request) -> None:
        """The same purchase once for each way the provider can answer it."""
        for fate in self._emulator.fates(self.provider.name):
            if fate not in NOT_RECORDED:
                self._emulator.script(self.provider.name, fate)
                self.had(offer, request, f"{offer.task}: {fate}")

    async def _had(self, offer: Offer, request: Request, name: str) -> dict[str, Any]:
        said = f"{name} [{offer.mapping.dialect}]" if offer.mapping.dialect else name
        keeper = Keeper(HttpxTransport())
        backend = backend_at(self.provider, self._base, self._key)
        try:
            order = composed(self.provider, offer, request, sample_files(), backend.account)
            driven = await drive(engine_over(keeper), backend, order, key=said)
            once = [one.as_json() for one in keeper.exchanges]
            if self.provider.idempotency != "none" and driven.delivery is not None:
                await drive(engine_over(keeper), backend, order, key=said)
        finally:
            await keeper.aclose()
        again = [one.as_json() for one in keeper.exchanges[len(once) :]]
        return {
            **({"again": again} if again else {}),
            "name": said,
            "offer": offer.id,
            "task": offer.task,
            "dialect": offer.mapping.dialect,
            "request": request.as_json(),
            "exchanges": once,
            "ends": ends_of(driven, order),
        }

    def recording(self) -> Recording:
        """All of it, at an address that is the same in every run."""
        about = f"the emulator, which answers as {self.provider.docs} says (read {self.provider.checked})"
        cases = sorted(self.cases, key=lambda one: str(one["name"]))
        whole = Recording(about, self._base, self._key, pins_of(self.provider), cases)
        address = r"http(:|%3A)(//|%2F%2F)127\.0\.0\.1(:|%3A)\d+"
        return Recording(**json.loads(re.sub(address, SAME_ADDRESS, json.dumps(vars(whole)))))


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{place}: write module:NAME ({error})") from None


def _offer(registry: Registry, provider: Provider, request: Request) -> Offer:
    own = [offer for offer in registry.offers(request.task) if offer.provider == provider.name]
    if not own:
        raise ConfigurationError(f"{provider.name} has no offer for {request.task} in the directories of --registry")
    return own[0]


def _purchases(recorder: Recorder, registry: Registry, requests: Iterable[Request]) -> None:
    first: tuple[Offer, Request] | None = None
    for request in requests:
        offer = _offer(registry, recorder.provider, request)
        recorder.had(offer, request)
        first = first or (offer, request)
    if first is not None:
        recorder.every_fate(*first)


def main(words: Sequence[str] | None = None) -> int:
    """Record one provider by the arguments; 1 if it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m aggregator.testing.record", description=__doc__)
    parser.add_argument("provider", help="where the table is: module:PROVIDER")
    parser.add_argument("--service", required=True, help="where its emulation is: module:SERVICE")
    parser.add_argument("--registry", action="append", default=[], type=Path, help="a directory with its offers")
    parser.add_argument("--request", action="append", default=[], help="a request as JSON, with its task")
    parser.add_argument("--out", required=True, type=Path, help="the file to write")
    given = parser.parse_args(words)
    sys.path.insert(0, str(Path.cwd()))  # as with python -c: what lies here is meant
    try:
        provider = _named(given.provider)
        registry = Registry.load(given.registry, mappings=mappings_of({provider.name: provider}))
        service = _named(given.service)
        clock = LeapingClock(Frozen.now_s)
        with Emulator(seed=1, services=(service,), latency_s=0.0, clock=clock) as emulator:
            recorder = Recorder(provider, emulator)
            _purchases(recorder, registry, [request_from_json(json.loads(text)) for text in given.request])
        recording = recorder.recording()
    except (AggregatorError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    recording.write(given.out)
    for case in recording.cases:
        print(f"{case['name']:40} {case['ends'].get('error') or 'a file'}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
