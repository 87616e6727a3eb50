"""An emulator with the tiny provider, and a way to talk to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from aggregator.testing.emulator import Emulator, LeapingClock

from .tiny import tiny


@dataclass
class Tiny:
    """One emulator of one provider."""

    emulator: Emulator
    http: httpx.Client
    clock: LeapingClock

    def make(self, **body: Any) -> httpx.Response:
        return self.http.post("v1/videos", json={"prompt": "a fox", **body})

    def video(self, answer: httpx.Response) -> dict[str, Any]:
        """The page of a job that was made."""
        return self.http.get(f"v1/videos/{answer.json()['id']}").json()

    def ended(self, answer: httpx.Response) -> dict[str, Any]:
        self.clock.advance(60)
        return self.video(answer)


@pytest.fixture
def it() -> Iterator[Tiny]:
    clock = LeapingClock()
    with Emulator(services=(tiny(),), seed=1, clock=clock, latency_s=10) as emulator:
        key = {"authorization": f"Bearer {emulator.keys['tiny']}"}
        with httpx.Client(base_url=emulator.url("tiny"), headers=key, verify=False) as http:
            yield Tiny(emulator, http, clock)
