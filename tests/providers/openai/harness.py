"""One purchase through a whole client, and what it asked the emulator: what tests of several providers start from."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aggregator import _build, _wire
from aggregator.artifact import Result
from aggregator.backends import provider_table
from aggregator.contract import HttpResponse
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.spend import Spend
from aggregator.tasks import Request
from aggregator.testing.emulator import Answer, Emulator, LeapingClock
from aggregator.testing.emulator.recorder import Recorded

STILL = Path(__file__).parents[2] / "data" / "still.png"
NOW = 1_795_262_400.0
"""2026-11-21, noon: after the first day of the rates."""


@dataclass
class Shop:
    """One provider behind an emulator, and a client that reaches nothing else."""

    provider: str
    directory: Path
    settings: dict[str, Any] = field(default_factory=dict)
    spent: Spend | None = None
    bought: int = 0
    emulator: Emulator = field(init=False)

    def __post_init__(self) -> None:
        self.emulator = Emulator(only=(self.provider,), seed=1, clock=LeapingClock(NOW), latency_s=5)

    async def buy(self, request: Request, *fates: str | Answer, model: str, max_usd: str = "9") -> Result:
        """Order it and wait; what becomes of it first is scripted."""
        self.emulator.script(self.provider, *fates)
        self.bought += 1
        home = self.directory / str(self.bought)
        async with (
            self.emulator.aggregator(home, self.provider, **self.settings) as agg,
            agg.project("trial") as project,
        ):
            job = await project.submit(request, model=model, max_usd=max_usd)
            try:
                return await job.result()
            finally:
                self.spent = await project.spend()

    @property
    def paid(self) -> Recorded:
        """The last request that was sent to buy something."""
        return [one for one in self.emulator.requests if one.method == "POST"][-1]

    @property
    def asked(self) -> list[str]:
        """Every request, as method and path."""
        return [f"{one.method} {one.path}" for one in self.emulator.requests]

    def is_signed(self) -> bool:
        """Whether the last purchase carried the key, as a bearer token."""
        return self.paid.headers["authorization"] == f"Bearer {self.emulator.keys[self.provider]}"


def parts(request: Recorded) -> list[tuple[str, str]]:
    """A form as pairs: a text as it is, a file as its type."""
    return [
        (name, part.mime_type or "file" if part.filename else part.text)
        for name, several in request.form.items()
        for part in several
    ]


def read_refusal(provider: str, answer: Answer) -> _wire.Submission:
    """What our table makes of one answer to a purchase."""
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    response = HttpResponse(answer.status, {"content-type": "application/json", **answer.headers}, body)
    return _wire.read_submission(provider_table(provider), {}, {}, response)


def said(answer: object, detail: str = "what is wrong") -> Answer:
    """One of a service's faults, as an answer."""
    return answer if isinstance(answer, Answer) else answer(detail)  # type: ignore[operator]


def written(provider: str, model: str | None, request: Request, **options: Any) -> Any:
    """The body that an offer writes for a request, inputs as addresses; without a model, that of the bare table."""
    table = provider_table(provider)
    if model is None:
        endpoint, names = table.tasks[request.task], {"endpoint": "some-model", "model": "some", "task": request.task}
    else:
        registry = Registry.load((), mappings=mappings_of({provider: table}))
        offers = [one for one in registry.offers(request.task) if (one.provider, one.model) == (provider, model)]
        endpoint = offers[0].mapping
        names = {"endpoint": offers[0].endpoint, "model": model, "task": request.task}
    return _build.build_body(
        table.spoken(endpoint.dialect), endpoint, request, names=names, media=lambda _name, media: media.url, **options
    )
