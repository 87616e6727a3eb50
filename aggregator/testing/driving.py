"""One request at one offer, from its body to its files, over whatever transport: for recordings and for compliance.

No store, no money, no router: the engine alone, driven as the runner drives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

from aggregator import _build
from aggregator._http import Transport
from aggregator._results import Delivery
from aggregator._wire import Reading, Submission
from aggregator.backend import Backend
from aggregator.clock import Clock
from aggregator.contract import Dialect, Endpoint, Json, Provider, State
from aggregator.engine import Engine
from aggregator.errors import ProviderError
from aggregator.handing import way
from aggregator.inputs import Media
from aggregator.planning import label, placeholder, write_inputs
from aggregator.registry.cards import Offer
from aggregator.runner.faults import Source
from aggregator.secret import Secret
from aggregator.tasks import Request

__all__ = ["Composed", "Driven", "Frozen", "backend_at", "composed", "drive", "ends_of", "engine_over"]

MAX_LOOKS = 60


@dataclass
class Frozen:
    """A clock that only sleeping moves: what is signed with the time is the same in every run."""

    now_s: float = 1_795_000_000.0

    def time(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Composed:
    """A request as it will be sent: names for templates, body, local inputs by their text in it."""

    endpoint: Endpoint
    names: dict[str, str]
    body: Json
    inputs: dict[str, tuple[str, Source]] = field(default_factory=dict)


@dataclass
class Driven:
    """How it went."""

    submission: Submission
    readings: list[Reading] = field(default_factory=list)
    delivery: Delivery | None = None
    error: ProviderError | None = None


def engine_over(transport: Transport, clock: Clock | None = None) -> Engine:
    """An engine whose chance and time are the same in every run."""
    return Engine(transport=transport, clock=clock or Frozen(), rng=Random(7))  # noqa: S311 - the same in every run is what is wanted


def composed(
    provider: Provider, offer: Offer, request: Request, files: Mapping[str, Path], account: str = ""
) -> Composed:
    """The body of a request at an offer.

    Args:
        files: Where local inputs are, by hash.

    Raises:
        RequestError, CannotHandOver: The offer does not take it.

    """
    spoken = provider.spoken(offer.mapping.dialect)
    names = {
        "model": offer.model,
        "endpoint": offer.endpoint,
        "version": offer.version or "",
        "task": offer.task,
        "dialect": offer.mapping.dialect,
    }
    inputs: dict[str, tuple[str, Source]] = {}

    def stands_for(name: str, media: Media) -> JsonValue:
        form = way(spoken, offer.mapping, name, media, account=account, now_s=0)
        if form in ("upload", "data", "part") and media.sha256 and media.mime_type:
            path = files[media.sha256]
            inputs[label(media, form)] = (form, Source(media.sha256, media.mime_type, path.stat().st_size, str(path)))
        return placeholder(media, form)

    body = _build.build_body(spoken, offer.mapping, request, names=names, media=stands_for)
    return Composed(offer.mapping, names, body, inputs)


async def drive(engine: Engine, backend: Backend, order: Composed, *, key: str = "attempt-1") -> Driven:
    """Hand inputs over, order, look until it is over, and read the result. Never raises for what a provider says.

    Args:
        key: The idempotency key, for a provider that has them: the same one buys the same thing.

    """
    given: dict[str, str] = {}
    try:
        for text, (form, source) in order.inputs.items():
            if form == "upload":
                given[text] = await engine.upload(backend, source, order.names)
            elif form == "data":
                given[text] = await engine.inline(source)
    except ProviderError as error:
        return Driven(Submission("never_sent", {}, error=error), error=error)
    body: Any = _build.marked(backend.speaking(order.names).provider, write_inputs(order.body, given), key)
    parts = {text: source for text, (form, source) in order.inputs.items() if form == "part"}
    submission = await engine.submit(backend, body, order.names, inputs=parts, idempotency_key=key)
    driven = Driven(submission, error=submission.error)
    if submission.outcome == "accepted":
        await _followed(engine, backend, order.endpoint, driven)
    return driven


async def _followed(engine: Engine, backend: Backend, endpoint: Endpoint, driven: Driven) -> None:
    handle, reading = driven.submission.handle, driven.submission.reading
    try:
        for _ in range(MAX_LOOKS):
            if reading is None:
                reading = await engine.poll(backend, handle)
            driven.readings.append(reading)
            if reading.error is not None:
                driven.error = reading.error
                return
            if reading.state is State.SUCCEEDED:
                driven.delivery = await engine.result(backend, endpoint, handle, reading)
                if driven.delivery is not None:
                    return
            reading = None
    except ProviderError as error:
        driven.error = error


def backend_at(provider: Provider, base_url: str, key: str) -> Backend:
    """The backend at one address that speaks for all of the provider's."""
    hosts, cdns = dict.fromkeys(provider.hosts, base_url), dict.fromkeys(provider.cdns, base_url)
    placed = replace(provider, base_url=base_url, hosts=hosts, cdns=cdns)
    for name, words in provider.dialects.items():
        if "base_url" in words:
            placed = replace(placed, dialects={**placed.dialects, name: Dialect(**{**words, "base_url": base_url})})
    own_host = urlsplit(base_url).hostname or ""
    return Backend(placed, Secret(key) if provider.auth.env else None, own_host=own_host)


def ends_of(driven: Driven, order: Composed) -> dict[str, Any]:
    """How a purchase ended, as it is written down."""
    if driven.delivery is not None:
        names = set(order.endpoint.facts)
        return {
            "outcome": driven.submission.outcome,
            "states": _without_repeats([reading.state.value for reading in driven.readings]),
            "files": [[file.url[:120], file.mime_type] for file in driven.delivery.files],
            "facts": {name: value for name, value in driven.delivery.facts.items() if name in names},
            "reported": {unit: str(amount) for unit, amount in driven.delivery.reported.items()},
            "charged_usd": None if driven.delivery.charged_usd is None else str(driven.delivery.charged_usd),
            "refs": dict(driven.delivery.refs),
        }
    error = driven.error
    return {
        "outcome": driven.submission.outcome,
        "error": None if error is None else type(error).__name__,
        "accepted": None if error is None else error.accepted,
        "code": None if error is None else error.code,
    }


def _without_repeats(words: list[str]) -> list[str]:
    return [word for index, word in enumerate(words) if index == 0 or words[index - 1] != word]
