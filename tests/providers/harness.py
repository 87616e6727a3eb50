"""One provider of the emulator, in front of our engine and of a whole client, and the usual questions about both."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from random import Random
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from aggregator import _build, _wire, errors
from aggregator._results import Delivery
from aggregator._http import HttpxTransport
from aggregator.artifact import Result
from aggregator.backends import provider_table
from aggregator.contract import HttpResponse, Provider, State, WebhookRequest
from aggregator.backend import Backend
from aggregator.engine import Engine
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.project import Project
from aggregator.registry.cards import Offer
from aggregator.secret import Secret
from aggregator.spend import Spend
from aggregator.tasks import TASKS, Request
from aggregator.testing.emulator import Answer, Emulator, LeapingClock, media
from aggregator.testing.emulator.catalogue import load_service
from aggregator.testing.emulator.recorder import Recorded
from tests.facts.validate import _facts as facts
from tests.facts.validate import offers_of, problems

STILL = Path(__file__).parents[1] / "data" / "still.png"
PNG = STILL.read_bytes()
DETAIL = "text is required"
NOVEMBER = 1_795_219_200.0
"""2026-11-21: after the first day of every rate."""
DAY = date(2026, 11, 21)


@dataclass
class Shop:
    """A provider and an engine that talks to it; a client too, from when it is first wanted. Nothing is shared."""

    emulator: Emulator
    provider: Provider
    engine: Engine
    backend: Backend
    clock: LeapingClock
    directory: Path
    usual: Sequence[Any] = ()
    """What `order` submits: a body, an endpoint, a task, and a dialect if it has one."""
    settings: dict[str, Any] = field(default_factory=dict)
    spent: Spend | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _project: Project | None = None

    @property
    def name(self) -> str:
        return self.provider.name

    def key(self) -> str:
        return self.emulator.keys[self.name]

    # ------------------------------------------------------------------------------------------------- by the engine

    async def submit(
        self, body: Mapping[str, Any], endpoint: str, task: str, dialect: str = "", **names: str
    ) -> _wire.Submission:
        known = {"model": "", "version": "", "endpoint": endpoint, "task": task, "dialect": dialect, **names}
        return await self.engine.submit(self.backend, dict(body), known)

    async def order(self, *fates: str | Answer) -> _wire.Submission:
        """Submit the usual order; what becomes of it is scripted."""
        self.emulator.script(self.name, *fates)
        return await self.submit(*self.usual)

    async def look(self, on: str, said: Any, *, of: _wire.Submission | None = None) -> _wire.Reading:
        """What is made of one answer to a look at the usual order, or at one that was made before."""
        submission = of or await self.order()
        self.answer_once(on, Answer(200, said))
        return await self.engine.poll(self.backend, submission.handle)

    async def end(self, submission: _wire.Submission) -> _wire.Reading:
        """Look until it is over."""
        assert submission.outcome == "accepted", submission.error
        reading = submission.reading
        while reading is None or not reading.state.is_terminal:
            await self.clock.sleep(0.01)
            reading = await self.engine.poll(self.backend, submission.handle)
        return reading

    async def result(self, submission: _wire.Submission) -> Delivery:
        """The files of a job, or what it failed with."""
        reading = await self.end(submission)
        if reading.error is not None:
            raise reading.error
        names = submission.handle
        endpoint = self.provider.endpoint(names["task"], names["dialect"])
        assert endpoint is not None
        delivery = await self.engine.result(self.backend, endpoint, names, reading)
        assert delivery is not None
        return delivery

    async def failure(self, submission: _wire.Submission) -> errors.ProviderError:
        """What a job fails with, wherever that is said."""
        try:
            await self.result(submission)
        except errors.ProviderError as error:
            return error
        raise AssertionError("it did not fail")

    async def cancel(self, submission: _wire.Submission) -> bool:
        return await self.engine.cancel(self.backend, submission.handle)

    def answer_once(self, on: str, answer: Answer) -> None:
        """Say this to the next request that matches."""
        self.emulator.disturb(self.name, answer, on=on)

    def delivery(self, job_id: str, *, path: str = "/hook") -> WebhookRequest:
        """What the provider would deliver of a job now."""
        desk = self.emulator.desk(self.name)
        assert desk.service.hook is not None
        said = desk.service.hook(desk.jobs[job_id], "", desk.world)
        headers = {name.lower(): value for name, value in said.headers.items()}
        return WebhookRequest("POST", path, "", headers, said.body)

    # -------------------------------------------------------------------------------------------------- by the client

    async def project(self) -> Project:
        """The project of a whole client that reaches this provider and nothing else."""
        if self._project is None:
            opening = self.emulator.aggregator(self.directory, self.name, **self.settings)
            client = await self._open.enter_async_context(opening)
            self._project = await self._open.enter_async_context(client.project("tests", budget_usd="1000"))
        return self._project

    async def bought(
        self, verb: str, *args: Any, fates: Sequence[str] = (), max_usd: str = "50", **options: Any
    ) -> tuple[list[Recorded], Any]:
        """Do one verb: what the provider was asked then, and what came of it."""
        self.emulator.script(self.name, *fates)
        project, before = await self.project(), len(self.emulator.requests)
        made = await getattr(project, verb)(*args, max_usd=max_usd, **options)
        return self.emulator.requests[before:], made

    async def buy(
        self, request: Any, *fates: str | Answer, model: str, max_usd: str | None = "9", **options: Any
    ) -> Result:
        """Order what a request says, and wait; `spent` is what the project has spent then."""
        self.emulator.script(self.name, *fates)
        project = await self.project()
        try:
            job = await project.submit(request, model=model, max_usd=max_usd, **options)
            return await job.result()
        finally:
            self.spent = await project.spend()

    async def make(self, request: Any, model: str, *fates: str, **options: Any) -> tuple[Result, Recorded]:
        """The same, and what was sent last."""
        return await self.buy(request, *fates, model=model, **options), self.emulator.requests[-1]

    @property
    def clip(self) -> Path:
        """A short sound on disk."""
        return sound(self.directory)

    @property
    def film(self) -> Path:
        """A short clip on disk."""
        return clip(self.directory, seconds=1, width=64, height=64)

    def of(self, offer: Offer, voice: str = "abc123") -> Request:
        """The plainest request that an offer of sound serves."""
        given = {
            "text-to-speech": lambda: {"text": "Good morning."},
            "speech-to-speech": lambda: {"audio": self.clip, "voice": voice},
            "text-to-sound": lambda: {"prompt": "a door", "duration_s": 1},
            "text-to-music": lambda: {"prompt": "a tune", "duration_s": 3},
            "video-to-audio": lambda: {"video": self.film},
        }
        return TASKS[offer.task](**given[offer.task]())

    # --------------------------------------------------------------------------------------------- what it was asked

    def ordered(self) -> list[Recorded]:
        """What was posted, in order."""
        return [one for one in self.emulator.requests if one.method == "POST"]

    @property
    def paid(self) -> Recorded:
        """What was posted last."""
        return self.ordered()[-1]

    @property
    def asked(self) -> list[str]:
        """Every request, as method and path."""
        return [f"{one.method} {one.path}" for one in self.emulator.requests]

    def is_signed(self) -> bool:
        """Whether the last purchase carried the key, as a bearer token."""
        return self.paid.headers["authorization"] == f"Bearer {self.key()}"

    # ------------------------------------------------------------------------------------------- the usual questions

    async def refused(self, fault: str | Answer, kind: type[Exception], outcome: str = "rejected") -> Any:
        """The usual order meets a fault: an error of this class, which knows whether it was taken."""
        submission = await self.order(fault)
        assert (submission.outcome, type(submission.error)) == (outcome, kind)
        assert submission.error is not None
        assert submission.error.accepted is (False if outcome == "rejected" else None)
        return submission.error

    async def fails(self, fate: str, kind: type[Exception]) -> Any:
        """The usual order is taken and ends badly: an error of this class."""
        error = await self.failure(await self.order(fate))
        assert (type(error), error.accepted) == (kind, True)
        return error

    async def is_canceled(self, submission: _wire.Submission) -> None:
        """It can be canceled, and shows it at once."""
        assert await self.cancel(submission) is True
        assert (await self.engine.poll(self.backend, submission.handle)).state is State.CANCELED

    async def is_booked(self, usd: str, verb: str, *args: Any, **options: Any) -> Any:
        """What is reported, what is settled and what the provider has in its book are one amount."""
        _, made = await self.bought(verb, *args, **options)
        assert made.cost.amount_usd == self.emulator.book.usd == Decimal(usd)
        return made

    async def refuses(self, request: Request, fault: str, kind: type[Exception], *, model: str) -> None:
        """A refusal: sent once, nothing bought, nothing held."""
        with pytest.raises(kind) as caught:
            await self.buy(request, fault, model=model)
        assert caught.value.accepted is False  # type: ignore[attr-defined]
        assert (len(self.emulator.requests), len(self.emulator.book), self.held) == (1, 0, 0)

    async def is_asked_again(self, request: Request, fault: str, *, model: str) -> None:
        """A full house: asked again, paid once."""
        await self.buy(request, fault, model=model)
        assert (len(self.emulator.requests), len(self.emulator.book)) == (2, 1)

    async def leaves_open(self, request: Request, fate: str, *, model: str) -> None:
        """Nobody knows whether it was bought: it is not sent again, and the money stays."""
        with pytest.raises(errors.UnavailableError) as caught:
            await self.buy(request, fate, model=model)
        assert caught.value.accepted is None
        assert len(self.emulator.requests) == 1
        assert self.held > 0

    async def cannot(self, request: Request, *, model: str) -> None:
        """What it cannot do is refused before anything is sent."""
        with pytest.raises((errors.NoRouteError, errors.RequestError)):
            await self.buy(request, model=model)
        assert self.emulator.requests == []

    @property
    def held(self) -> Decimal:
        assert self.spent is not None
        return self.spent.held_usd


@asynccontextmanager
async def opened(
    name: str, directory: Path = Path("nowhere"), *, order: Sequence[Any] = (), **settings: Any
) -> AsyncIterator[Shop]:
    """A provider and an engine that talks to it, in leaping time.

    Args:
        directory: Where a client keeps what it keeps, if one is wanted. settings: Of that client.

    """
    clock, transport = LeapingClock(NOVEMBER), HttpxTransport()
    with Emulator(seed=1, clock=clock, only=(name,)) as emulator:
        base = emulator.settings(name)["base_url"]
        table = provider_table(name)
        own = {"hosts": dict.fromkeys(table.hosts, base), "cdns": dict.fromkeys(table.cdns, base)}
        backend = Backend(replace(table, base_url=base, **own), Secret(emulator.keys[name]), own_host="127.0.0.1")
        engine = Engine(transport=transport, clock=clock, rng=Random(1))
        shop = Shop(emulator, backend.provider, engine, backend, clock, directory, order, settings)
        try:
            async with shop._open:
                yield shop
        finally:
            await transport.aclose()


# ---------------------------------------------------------------------------------------------- what a request says


def plain(one: Recorded) -> tuple[str, str, dict[str, str], Any]:
    """What a request says, without its headers."""
    return one.method, one.path, one.query, one.json


def parts(request: Recorded) -> list[tuple[str, str]]:
    """A form as pairs: a text as it is, a file as its type."""
    return [
        (name, part.mime_type or "file" if part.filename else part.text)
        for name, several in request.form.items()
        for part in several
    ]


def form(request: Recorded) -> dict[str, Any]:
    """The parts of a form by name: texts, and of files their type; several of one name as a list."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    found: dict[str, list[str]] = {}
    for part in BytesParser().parsebytes(head + request.body).get_payload():
        told = part.get_filename()
        value = f"a file, {part.get_content_type()}" if told else part.get_payload(decode=True).decode()
        found.setdefault(str(part.get_param("name", header="content-disposition")), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def shortened(value: Any) -> Any:
    """A body without the bytes of its inputs."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if not isinstance(value, str) or len(value) < 500:
        return value
    return value[:22] + "…" if value.startswith("data:") else "…"


def written(provider: str, model: str | None, request: Request, **options: Any) -> Any:
    """The body that an offer writes for a request, inputs as addresses; without a model, that of the bare table."""
    table = provider_table(provider)
    endpoint, names = table.tasks[request.task], {"endpoint": "some-model", "model": "some", "task": request.task}
    if model is not None:
        offer = next(one for one in offers_of(provider) if (one.task, one.model) == (request.task, model))
        endpoint, names = offer.mapping, {**names, "endpoint": offer.endpoint, "model": model}
    return _build.build_body(
        table.spoken(endpoint.dialect), endpoint, request, names=names, media=lambda _name, given: given.url, **options
    )


# ------------------------------------------------------------------------------------------- what answers are made of


def faults_of(name: str) -> dict[str, Answer]:
    """Every error the emulator knows of the provider, in the vendor's words."""
    made = load_service(name).faults.items()
    return {fault: said if isinstance(said, Answer) else said(DETAIL) for fault, said in made}


def refusal(provider: str, answer: Answer) -> _wire.Submission:
    """What our table makes of one answer to a purchase."""
    content = answer.content(lambda _s: None)
    assert isinstance(content, bytes)
    headers = {"content-type": answer.mime_type, **answer.headers}
    return _wire.read_submission(provider_table(provider), {}, {}, HttpResponse(answer.status, headers, content))


def is_refused(provider: str, answer: Answer, kind: type[Exception], code: str | None) -> None:
    """It was certainly not taken: an error of this class and code."""
    submission = refusal(provider, answer)
    assert submission.outcome == "rejected"
    assert type(submission.error) is kind
    assert (submission.error.code, submission.error.accepted) == (code, False)


def is_meant(provider: str, answer: Answer, kind: type[Exception], code: str | None) -> Any:
    """One of the vendor's errors is one of ours, with its code and HTTP status."""
    error = refusal(provider, answer).error
    assert error is not None
    assert (type(error), error.code, error.status_code) == (kind, code, answer.status)
    return error


# ------------------------------------------------------------------------------------------------- inputs and prices


@cache
def _rendered(mime: str, seconds: float, width: int, height: int) -> bytes:
    return media.render(
        mime, width=width, height=height, duration_s=seconds, fps=24, audio=False, rate_hz=24_000, channels=1, seed=1
    )


def clip(directory: Path, seconds: float = 2, *, width: int = 320, height: int = 180) -> Path:
    """A playable clip of 24 frames a second."""
    path = directory / "clip.mp4"
    path.write_bytes(_rendered("video/mp4", seconds, width, height))
    return path


def sound(directory: Path, seconds: float = 0.4) -> Path:
    path = directory / "sound.wav"
    path.write_bytes(_rendered("audio/wav", seconds, 0, 0))
    return path


@cache
def _prices() -> PriceTable:
    return PriceTable.bundled()


def price(provider: str, endpoint: str, request: Request) -> tuple[Decimal | None, Decimal | None]:
    """From what to what a request costs."""
    offer = next(one for one in offers_of(provider) if (one.endpoint, one.task) == (endpoint, request.task))
    found = quote(offer, request, _prices(), DAY)
    return found.low_usd, found.high_usd


# --------------------------------------------------------------------------------------- the emulator, beside our own


def wrong(provider: str, what: str, body: Any, *, kind: str = "answers") -> list[str]:
    """What the vendor's schema has against a body."""
    known = facts(provider)
    return problems(known[kind][what], body, {**known, **known[kind][what]})


def asker(emulator: Emulator, provider: str, headers: Mapping[str, str]) -> httpx.Client:
    """A bare client of the provider, beside ours."""
    return httpx.Client(
        base_url=emulator.url(provider), headers=dict(headers), verify=SSLContext(PROTOCOL_TLS_CLIENT), trust_env=False
    )


@contextmanager
def asking(name: str, headers: Mapping[str, str], *fates: str) -> Iterator[tuple[httpx.Client, Emulator]]:
    """A bare client of an emulator with this future; `{key}` in its headers is the key."""
    with Emulator(seed=1, clock=LeapingClock(NOVEMBER), only=(name,)) as emulator:
        emulator.script(name, *fates)
        told = {header: value.format(key=emulator.keys[name]) for header, value in headers.items()}
        with asker(emulator, name, told) as http:
            yield http, emulator


def free_calls_need_the_key(name: str, headers: Mapping[str, str]) -> None:
    """Every call that costs nothing is answered with the key, and refused with another."""
    table = provider_table(name)
    with asking(name, headers) as (http, emulator):
        for call in [*([table.probe] if table.probe else []), *table.free.values()]:
            for key, status in ((emulator.keys[name], 200), ("x", 401)):
                told = {header: value.format(key=key) for header, value in headers.items()}
                assert http.get(urlsplit(call.url).path, headers=told).status_code == status, call.url
        assert len(emulator.book) == 0
