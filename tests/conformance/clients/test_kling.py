"""Kling's callbacks, by the library that it recommends (standardwebhooks 1.1.0): what the emulator delivers is signed
as the library signs, and what we accept is what it accepts. For requests there is no official client.
"""

import json
from importlib import import_module
from typing import Any

import pytest

from aggregator.contract import WebhookRequest
from aggregator.providers.kling import PROVIDER
from aggregator.webhooks import verify
from tests.providers.harness import Shop, opened

standardwebhooks = import_module("standardwebhooks")

ORDERS = {
    "": ({"prompt": "a fox"}, "text-to-video/kling-3.0"),
    "v1/text2video": ({"model_name": "kling-v2-6", "prompt": "a fox"}, "kling-v2-6"),
}


async def delivered(shop: Shop, dialect: str) -> WebhookRequest:
    body, endpoint = ORDERS[dialect]
    taken = await shop.submit(body, endpoint, "text-to-video", dialect=dialect)
    await shop.end(taken)
    return shop.delivery(taken.handle["id"])


@pytest.mark.parametrize("dialect", ORDERS)
async def test_the_library_and_we_accept_what_the_emulator_delivers(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened("kling") as shop:
        request = await delivered(shop, dialect)
        secret, now = shop.emulator.desk("kling").world.secret, shop.clock.time()
        told = verify(PROVIDER.spoken(dialect), request, secrets=[secret], now=now)
        library: Any = standardwebhooks.Webhook(secret)
        monkeypatch.setattr(library, "_Webhook__verify_timestamp", lambda _stamp: _at(now))
        said = library.verify(request.body.decode(), request.headers)
    assert said == json.loads(request.body)
    assert told.job_id == str(said.get("id") or said.get("task_id"))


def _at(now: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(now), UTC)
