"""Calls back: delivers a webhook when its job has ended, again where it is not acknowledged, keeps what was said."""

import asyncio
import http.client
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aggregator.clock import SystemClock
from aggregator.testing.emulator.answers import HookDelivery
from aggregator.testing.emulator.desk import Desk
from aggregator.testing.emulator.jobs import Job

__all__ = ["Delivered", "deliver", "deliver_at_end"]

ATTEMPTS = 3
LOOK_S, MAX_LOOK_S = 0.002, 0.25
PAUSE_S = 0.02
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery, and what the receiver said to it."""

    provider: str
    job_id: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int
    """0: it was not reached."""
    answer: bytes = b""

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004


async def deliver_at_end(desk: Desk, job: Job, url: str, log: list[Delivered]) -> None:
    """Wait until the job has ended, then deliver."""
    while not job.is_over:  # the job may be canceled
        real = isinstance(desk.clock, SystemClock)  # any other may leap
        await asyncio.sleep(min(max(LOOK_S, job.change_s), MAX_LOOK_S) if real else LOOK_S)
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_S)
        if (await deliver(desk, job, url, log)).acknowledged:
            return


async def deliver(desk: Desk, job: Job, url: str, log: list[Delivered]) -> Delivered:
    """Deliver once."""
    assert desk.service.hook is not None
    said = desk.service.hook(job, url, desk.world)
    status, answer = await asyncio.to_thread(_post, url, said)
    log.append(Delivered(desk.service.name, job.id, url, dict(said.headers), said.body, status, answer))
    return log[-1]


def _post(url: str, said: HookDelivery) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        line.request(said.method, target, said.body, {"content-type": "application/json", **said.headers})
        answer = line.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        line.close()
