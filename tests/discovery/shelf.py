"""Sources as they answer, from memory: what is asked for stands on the shelf, and everything that was asked is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from aggregator._http import DEFAULT_TIMEOUTS, Timeouts
from aggregator.backends import backends_of, provider_tables
from aggregator.config import Config
from aggregator.contract import HttpRequest, HttpResponse
from aggregator.discovery.found import Found
from aggregator.discovery.source import ask, backend_of
from aggregator.discovery.sources import sources
from aggregator.engine import Engine
from aggregator.testing.clock import VirtualClock

DAY = date(2026, 11, 22)
KEY = "sk-0123456789abcdef0123"


@dataclass
class Shelf:
    """A transport. An answer is a document, a text, or a status with a document."""

    answers: Mapping[str, Any]
    """By the URL without scheme; the longest beginning that fits is answered with."""
    asked: list[HttpRequest] = field(default_factory=list)

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        self.asked.append(request)
        url = request.url.partition("://")[2]
        name = max((one for one in self.answers if url.startswith(one)), key=len, default=None)
        status, body = 404, {"detail": "not found"}
        if name is not None:
            found = self.answers[name]
            status, body = found if isinstance(found, tuple) else (200, found)
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return HttpResponse(status, {"content-type": "application/json"}, raw, request.url)

    async def aclose(self) -> None:
        pass

    def engine(self) -> Engine:
        return Engine(transport=self, clock=VirtualClock(), rng=Random(1))  # type: ignore[arg-type]

    async def found(self, name: str, *wanted: str, everything: bool = True, **environ: str) -> Found:
        """What the source of this name finds on the shelf."""
        source = sources()[name]
        tables = provider_tables(Config.of())
        keys = environ or dict.fromkeys((name for table in tables.values() for name in table.auth.env), KEY)
        keys |= {"ARTIFICIAL_ANALYSIS_API_KEY": KEY, "AWS_BEARER_TOKEN_BEDROCK": KEY}
        backends, _ = backends_of(Config.of(), tables, keys)
        backend = backend_of(source, tables, backends, keys)
        return await ask(self.engine(), backend, source, today=DAY, wanted=wanted, everything=everything)
