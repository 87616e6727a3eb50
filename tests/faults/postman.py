"""Who calls back: deliveries to whichever client lives, once, twice, early, late, forged or not at all."""

import asyncio
import heapq
import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from aggregator.testing.memory import Order
from tests.faults.life import BrokenPromiseError, Death

MAX_TRIES = 5
AGAIN_S = 30.0
BELIEVED, REFUSED = 200, 401


class Postman:
    """Deliveries that are due, over all lives."""

    def __init__(self, rng: Random, time: Callable[[], float], struck: Callable[[str], None]) -> None:
        self._rng = rng
        self._time = time
        self._struck = struck
        self._due: list[tuple[float, int, Order, bool, int]] = []
        self._count = 0
        self.apps: list[Any] = []
        """The receivers of the clients that live."""

    def on_order(self, order: Order) -> None:
        """A job was taken: decide what will be said about it, and when."""
        if not order.callback:
            return
        rng, over = self._rng, order.at + order.fate.service_s
        roll = rng.random()
        if roll < 0.2:
            self._struck("webhook missing")
            return
        if roll < 0.35:
            self._struck("webhook early")
            self._put(order.at, order)
        if roll > 0.85:
            self._struck("webhook forged")
            self._put(rng.uniform(order.at, over), order, forged=True)
        late_s = rng.choice((0.0, 1.0, 3.0, 600.0))
        self._put(over + late_s, order)
        if late_s > 3.0:
            self._struck("webhook late")
        if rng.random() < 0.3:
            self._struck("webhook twice")
            self._put(over + late_s + rng.uniform(0, 60), order)

    def _put(self, at: float, order: Order, *, forged: bool = False, tries: int = 0) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, order, forged, tries))

    async def walk(self) -> None:
        """Deliver, as long as anyone lives."""
        while True:
            if self._due and self.apps and self._due[0][0] <= self._time():
                at, _, order, forged, tries = heapq.heappop(self._due)
                status = await self._deliver(self._rng.choice(self.apps), order, forged=forged)
                if forged and status == BELIEVED:
                    raise BrokenPromiseError(f"a forged delivery about {order.id} was believed")
                if status not in (BELIEVED, REFUSED) and tries < MAX_TRIES:
                    self._put(at + AGAIN_S, order, forged=forged, tries=tries + 1)
                continue
            await asyncio.sleep(max(0.05, min(5.0, self._due[0][0] - self._time())) if self._due else 5.0)

    async def _deliver(self, app: Any, order: Order, *, forged: bool) -> int:
        """One POST to the application that a product would mount."""
        path = order.callback.partition("/hooks")[2]
        if forged:
            head, _, token = path.rpartition(".")
            path = f"{head}.{token[::-1]}"
        body = json.dumps({"id": order.id, "status": "failed" if forged else order.state(self._time())}).encode()
        answers: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            answers.append(message.get("status", 0))

        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
        with suppress(Death):
            await app(scope, receive, send)
        return answers[0] if answers else 0
