"""A delivery that the emulator signs in the vendor's way is believed by its table, and a changed one is not."""

import asyncio
import time
import urllib.request
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

import pytest

from aggregator._http import HttpxTransport
from aggregator._paths import place
from aggregator.backends import provider_names, provider_table
from aggregator.contract import Provider, State, WebhookRequest
from aggregator.errors import WebhookError
from aggregator.testing.driving import backend_at, composed, drive, engine_over
from aggregator.testing.emulator import Emulator
from aggregator.testing.inputs import sample_files
from aggregator.webhooks import Notice, keys_request, verify
from tests.providers.record import one_per_task, richest, wants_refs

NOBODY = "http://127.0.0.1:9/hooks/secret-of-the-attempt?a=1"
"""Nobody listens there: what was delivered is in the emulator's log."""
PATIENCE_S = 5.0


def calling_back() -> list[tuple[str, str]]:
    """The providers, in each of their dialects, that are told an address with each order."""
    found = []
    for name in provider_names():
        provider = provider_table(name)
        for dialect in ("", *provider.dialects):
            webhook, ordered = provider.spoken(dialect).webhook, dialects_ordered(name)
            if webhook is not None and webhook.ask and dialect in ordered:
                found.append((name, dialect))
    return found


@cache
def dialects_ordered(name: str) -> set[str]:
    """The dialects in which an offer can be ordered, with a poll that ends the job."""
    provider = provider_table(name)
    offers = [one for one in one_per_task(provider) if not wants_refs(one)] if name != "local" else []
    return {one.mapping.dialect for one in offers if provider.spoken(one.mapping.dialect).poll is not None}


@dataclass
class Delivery:
    provider: Provider
    job_id: str
    request: WebhookRequest
    secrets: tuple[str, ...]
    jwks: bytes

    def verified(self, body: bytes | None = None) -> Notice:
        request = self.request if body is None else replace(self.request, body=body)
        return verify(self.provider, request, secrets=self.secrets, now=time.time(), jwks=self.jwks)


async def delivered(name: str, dialect: str) -> Delivery:
    provider = provider_table(name)
    offers = (one for one in one_per_task(provider) if not wants_refs(one))
    offer = next(one for one in offers if one.mapping.dialect == dialect)
    with Emulator(seed=1, only=(name,), latency_s=0.0) as emulator:
        backend = backend_at(provider, emulator.settings(name)["base_url"], emulator.keys[name])
        spoken = backend.provider.spoken(offer.mapping.dialect)
        assert spoken.webhook is not None
        request = richest(provider, offer, backend.account, {})
        order = composed(provider, offer, request, sample_files(), backend.account)
        place(order.body, spoken.webhook.ask, NOBODY)
        transport = HttpxTransport()
        driven = await drive(engine_over(transport), backend, order)
        await transport.aclose()
        assert driven.delivery is not None, driven.error
        until = time.monotonic() + PATIENCE_S
        while not emulator.deliveries and time.monotonic() < until:
            await asyncio.sleep(0.005)
        sent = emulator.deliveries[-1]
        keys = keys_request(spoken)
        jwks = b"" if keys is None else await asyncio.to_thread(fetched, keys.url)
        secret = str(emulator.desk(name).world.secret)
    parts = urlsplit(sent.url)
    headers = {key.lower(): value for key, value in sent.headers.items()}
    return Delivery(
        spoken,
        driven.submission.handle["id"],
        WebhookRequest("POST", parts.path, parts.query, headers, sent.body),
        (secret, emulator.keys[name]),
        jwks,
    )


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return answer.read()


@pytest.mark.parametrize(("name", "dialect"), calling_back())
async def test_a_delivery_is_believed_and_a_changed_one_is_not(name: str, dialect: str) -> None:
    delivery = await delivered(name, dialect)
    notice = delivery.verified()
    assert notice.job_id == delivery.job_id
    assert notice.reading is None or notice.reading.state is State.SUCCEEDED
    webhook = delivery.provider.webhook
    assert webhook is not None
    if webhook.algorithm == "none":
        assert notice.reading is None, "what nobody signed proves nothing"
        return
    if webhook.covers_body:
        with pytest.raises(WebhookError) as caught:
            delivery.verified(delivery.request.body.replace(b'"', b' "', 1))
        assert caught.value.reason == "signature"
    else:
        assert notice.reading is None
    delivery.secrets, delivery.jwks = ("whsec_b3RoZXI=",), b'{"keys": []}'
    with pytest.raises(WebhookError):
        delivery.verified()


def test_most_providers_of_clips_call_back() -> None:
    assert len(calling_back()) > 7
