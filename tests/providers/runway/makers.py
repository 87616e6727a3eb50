"""What the tests of these video and picture makers share: clips to send, answers to hold against a schema, prices."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.tasks import Request
from aggregator.testing.emulator import Emulator, media
from tests.facts.validate import _facts as facts
from tests.facts.validate import facts_of, offers_of, problems

DAY = date(2026, 11, 21)


def clip(directory: Path, seconds: float = 2) -> Path:
    """A playable clip of 320×180 at 24 frames a second."""
    path = directory / "clip.mp4"
    content = media.render(
        "video/mp4", width=320, height=180, duration_s=seconds, fps=24, audio=False, rate_hz=24_000, channels=1, seed=1
    )
    path.write_bytes(content)
    return path


def sound(directory: Path) -> Path:
    path = directory / "sound.wav"
    content = media.render(
        "audio/wav", width=0, height=0, duration_s=2, fps=24, audio=True, rate_hz=24_000, channels=1, seed=1
    )
    path.write_bytes(content)
    return path


def price(provider: str, endpoint: str, request: Request) -> tuple[Decimal | None, Decimal | None]:
    """From what to what a request costs."""
    offer = next(one for one in offers_of(provider) if (one.endpoint, one.task) == (endpoint, request.task))
    found = quote(offer, request, PriceTable.bundled(), DAY)
    return found.low_usd, found.high_usd


def wrong(provider: str, what: str, body: Any, *, kind: str = "answers") -> list[str]:
    """What the vendor's schema has against a body."""
    known = facts(provider)
    return problems(known[kind][what], body, {**known, **known[kind][what]})


def asker(emulator: Emulator, provider: str, headers: Mapping[str, str]) -> httpx.Client:
    """A bare client of the provider, beside ours."""
    return httpx.Client(base_url=emulator.url(provider), headers=dict(headers))


__all__ = ["DAY", "asker", "clip", "facts_of", "price", "sound", "wrong"]
