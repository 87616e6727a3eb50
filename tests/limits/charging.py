"""The memory provider, saying in dollars what it charged."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from aggregator.contract import Charge
from aggregator.testing import memory


@contextmanager
def charging(world: Any, usd: str) -> Iterator[None]:
    """Its answers carry the amount, and its table says where."""
    true_send = world.transport.send

    class Transport:
        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        async def send(self, request: Any, **more: Any) -> Any:
            answer = await true_send(request, **more)
            body = json.loads(answer.body)
            return replace(answer, body=json.dumps({**body, "usd": usd}).encode())

    inner, world.transport = world.transport, Transport()
    with patch.object(memory, "PROVIDER", replace(memory.PROVIDER, charge=Charge("usd", "1"))):
        yield
    world.transport = inner
