"""Published keys: fetched from one address, kept for a day, fetched again at most once a minute."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from aggregator._http import SendError, Stream
from aggregator._published import MAX_BYTES, PublishedKeys
from aggregator.contract import HttpRequest
from aggregator.errors import UnavailableError
from aggregator.signing import ed25519_jwks, ed25519_public, ed25519_sign
from aggregator.testing.clock import VirtualClock, run_virtual
from aggregator.testing.memory import MemoryTransport
from tests.webhooks.asgi import call
from tests.webhooks.test_receiver import order_of, path_of, waiting
from tests.webhooks.world import HookWorld

FIRST, SECOND = bytes([1] * 32), bytes([2] * 32)
HOUR_S, DAY_S = 3_600, 86_400
ASKED = HttpRequest("GET", "https://keys.example/jwks.json", {}, trusted=False)


def document(*private: bytes) -> bytes:
    return ed25519_jwks({str(n): ed25519_public(key) for n, key in enumerate(private)})


class Publisher:
    """Serves a document; counts how often it was asked, and what it was asked with."""

    def __init__(self, *private: bytes) -> None:
        self.answer: bytes | int | Exception = document(*private)
        self.asked: list[HttpRequest] = []
        self.slow_s = 0.0

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Any = None) -> AsyncIterator[Stream]:
        self.asked.append(request)
        await asyncio.sleep(self.slow_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        status, body = (self.answer, b"") if isinstance(self.answer, int) else (200, self.answer)

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(body), 1000):
                yield body[at : at + 1000]

        yield Stream(status, {}, chunks())


def kept(life: Callable[[PublishedKeys, Publisher, VirtualClock], Any]) -> None:
    async def main() -> None:
        clock, publisher = VirtualClock(), Publisher(FIRST)
        await life(PublishedKeys(publisher, clock), publisher, clock)  # type: ignore[arg-type]

    run_virtual(main)


def test_they_are_fetched_once_a_day() -> None:
    async def life(keys: PublishedKeys, publisher: Publisher, clock: VirtualClock) -> None:
        for _ in range(24):
            assert await keys.read(ASKED) == document(FIRST)
            await clock.sleep(HOUR_S - 1)
        assert len(publisher.asked) == 1
        await clock.sleep(60)
        publisher.answer = document(SECOND)
        assert await keys.read(ASKED) == document(SECOND)
        assert len(publisher.asked) == 2

    kept(life)


def test_a_key_that_is_not_among_them_fetches_them_again_once_a_minute() -> None:
    async def life(keys: PublishedKeys, publisher: Publisher, clock: VirtualClock) -> None:
        first = await keys.read(ASKED)
        publisher.answer = document(FIRST, SECOND)
        assert await keys.read(ASKED, newer_than=first) == first, "they were fetched just now"
        await clock.sleep(61)
        for _ in range(50):
            assert await keys.read(ASKED, newer_than=first) == document(FIRST, SECOND)
        assert len(publisher.asked) == 2
        newest = await keys.read(ASKED)
        for _ in range(50):
            assert await keys.read(ASKED, newer_than=newest) == newest
            await clock.sleep(1)
        assert len(publisher.asked) == 2
        await clock.sleep(61)
        assert await keys.read(ASKED, newer_than=newest) == newest
        assert len(publisher.asked) == 3

    kept(life)


@pytest.mark.parametrize(
    "answer",
    [
        404,
        302,
        SendError("no route", sent=False),
        b"",
        b"<html>",
        b'{"keys": []}',
        b'{"keys": [{"crv": "Ed25519", "x": "!"}]}',
        b'{"keys": 3}',
        b"[" * 50_000,
        document(FIRST) + b" " * MAX_BYTES,
    ],
)
def test_what_is_no_set_of_keys_replaces_none(answer: Any) -> None:
    async def life(keys: PublishedKeys, publisher: Publisher, clock: VirtualClock) -> None:
        good, publisher.answer = publisher.answer, answer
        with pytest.raises(UnavailableError, match="keys"):
            await keys.read(ASKED)
        with pytest.raises(UnavailableError):
            await keys.read(ASKED)
        assert len(publisher.asked) == 1, "not again within the minute"
        await clock.sleep(61)
        publisher.answer = good
        assert await keys.read(ASKED) == good
        publisher.answer = answer
        await clock.sleep(DAY_S + 1)
        assert await keys.read(ASKED) == good, "the last good ones are believed for one more day"
        await clock.sleep(DAY_S)
        with pytest.raises(UnavailableError):
            await keys.read(ASKED)

    kept(life)


# ------------------------------------------------------------------------------------------------------ in the receiver


def signed(order: Any, private: bytes, now: float, body: bytes) -> dict[str, str]:
    lines = (order.id, "user", str(int(now)))
    message = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    names = ("request-id", "user-id", "timestamp")
    told = {f"x-keyed-{name}": value for name, value in zip(names, lines, strict=True)}
    return {**told, "x-keyed-signature": ed25519_sign(private, message).hex()}


def test_a_new_key_is_believed_as_soon_as_it_is_published(
    hooks: Callable[..., HookWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(FIRST)
    files = MemoryTransport.stream

    def stream(self: MemoryTransport, request: HttpRequest, **more: Any) -> Any:
        published = urlsplit(request.url).path == "/jwks.json"
        return publisher.stream(request) if published else files(self, request, **more)

    monkeypatch.setattr(MemoryTransport, "stream", stream)
    world = hooks("keyed")

    async def then(world: HookWorld, p: Any) -> None:
        order = order_of(world, "keyed")

        async def told(private: bytes, n: int, path: str = "") -> int:
            body = json.dumps({"id": order.id, "status": "succeeded", "n": n}).encode()
            headers = signed(order, private, world.clock.time(), body)
            answer = await call(world.receiver, path or path_of(order), body, headers)
            assert answer is not None
            return answer.status

        assert await told(FIRST, 1) == 200
        assert await told(SECOND, 2) == 401
        await world.clock.sleep(61)
        assert await told(SECOND, 3) == 401
        publisher.answer = document(SECOND)
        await world.clock.sleep(61)
        assert await told(SECOND, 4) == 200
        assert await told(FIRST, 5) == 401, "it is not published any more"
        assert await told(SECOND, 6, path="/keyed") == 401, "it signs for all its customers: the address is needed too"
        asked = len(publisher.asked)
        for n in range(20):
            assert await told(bytes([9] * 32), 10 + n, path=f"/keyed/{order.attempt}.forged") == 401
        assert len(publisher.asked) == asked, "who has no token makes nobody fetch anything"
        assert {one.url for one in publisher.asked} == {"http://keyed.invalid/jwks.json"}
        assert not any(one.trusted for one in publisher.asked)

    waiting(world, then)


def test_without_keys_the_sender_comes_again(hooks: Callable[..., HookWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher()
    publisher.answer = 500
    monkeypatch.setattr(MemoryTransport, "stream", lambda _self, request, **_more: publisher.stream(request))
    world = hooks("keyed")

    async def then(world: HookWorld, p: Any) -> None:
        order = order_of(world, "keyed")
        body = json.dumps({"id": order.id, "status": "succeeded"}).encode()
        headers = signed(order, FIRST, world.clock.time(), body)
        answer = await call(world.receiver, path_of(order), body, headers)
        assert answer is not None
        assert (answer.status, answer.body) == (503, b"")
        assert world.inbox() == []

    waiting(world, then)


def test_a_sender_does_not_wait_for_keys_that_come_slowly(
    hooks: Callable[..., HookWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(FIRST)
    publisher.slow_s = 3
    monkeypatch.setattr(MemoryTransport, "stream", lambda _self, request, **_more: publisher.stream(request))
    world = hooks("keyed")

    async def then(world: HookWorld, p: Any) -> None:
        order, began = order_of(world, "keyed"), world.clock.time()
        body = json.dumps({"id": order.id, "status": "succeeded"}).encode()
        headers = signed(order, FIRST, began, body)
        several = [call(world.receiver, path_of(order), body, headers) for _ in range(5)]
        assert [answer and answer.status for answer in await asyncio.gather(*several)] == [503] * 5
        assert world.clock.time() - began < 1
        await world.clock.sleep(3)
        answer = await call(world.receiver, path_of(order), body, headers)
        assert answer is not None
        assert answer.status == 200
        assert len(publisher.asked) == 1

    waiting(world, then)
