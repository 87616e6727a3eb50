"""What the application answers: who is believed, who is not, and what a sender learns from it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import receiver as module
from aggregator.errors import ConfigurationError, StoreError
from aggregator.testing.memory import Fate
from aggregator.webhooks import MAX_BODY_BYTES
from tests.webhooks.asgi import Body, call, standard
from tests.webhooks.world import SIGNED_WITH, HookWorld

Hooks = Callable[..., HookWorld]
Test = Callable[[HookWorld, Any], Awaitable[None]]
OTHER = "whsec_YW5vdGhlci1zZWNyZXQtYWx0b2dldGhlcg=="


def waiting(world: HookWorld, then: Test) -> None:
    """Run `then` while each provider has a job that goes on."""
    world.transport.destiny = lambda: Fate(service_s=1e6)

    async def life(p: Any) -> None:
        orders = [
            asyncio.create_task(p.text_to_image("a lighthouse", key=name, model=f"{name}:cheap", deadline_s=1e7))
            for name in world.names
        ]
        while len(world.transport.book) < len(orders):
            await world.clock.sleep(0.01)
        await world.clock.sleep(30)
        await then(world, p)

    world.run(life)


def order_of(world: HookWorld, name: str) -> Any:
    return next(order for order in world.transport.book.values() if order.provider == name)


def path_of(order: Any) -> str:
    return urlsplit(order.callback).path.removeprefix("/hooks")


# ------------------------------------------------------------------------------------------------------------ forgeries


def test_a_forgery_is_an_empty_401_and_leaves_no_trace(hooks: Hooks) -> None:
    world = hooks("calling", "signing", "telling")

    async def then(world: HookWorld, p: Any) -> None:
        now = world.clock.time()
        calling, signing, telling = (order_of(world, name) for name in world.names)
        body = json.dumps({"id": signing.id, "status": "succeeded"}).encode()
        right = standard(SIGNED_WITH, "m", now, body)
        token = path_of(signing).rpartition(".")[2]
        forged = {
            "no signature": (path_of(signing), body, {}),
            "another secret": (path_of(signing), body, standard(OTHER, "m", now, body)),
            "another body": (path_of(signing), body + b" ", right),
            "right signature, no token": ("/signing", body.replace(b"signing", b"telling"), right),
            "right signature, another's token": (f"/signing/{calling.attempt}.{token}", body, right),
            "right signature, token of another provider": (path_of(calling).replace("calling", "signing"), body, right),
            "right signature, no token at all": (f"/signing/{signing.attempt}", body, right),
            "right signature, cut token": (path_of(signing)[:-1], body, right),
            "no token where nothing is signed": (f"/calling/{calling.attempt}", body, {}),
            "no attempt where nothing is signed": ("/calling", body, {}),
            "no attempt where the secret is the order's": ("/telling", body, {}),
            "secret of another order": (
                path_of(telling),
                body,
                {"x-signature": world.signed(telling, body, now, "m")["x-signature"].translate({48: 49})},
            ),
            "a provider that is not served": ("/nobody/x", body, right),
            "nothing": ("/", body, right),
            "more": (f"{path_of(signing)}/more", body, right),
            "an old delivery": (path_of(signing), body, standard(SIGNED_WITH, "m", now - 301, body)),
            "one of the future": (path_of(signing), body, standard(SIGNED_WITH, "m", now + 301, body)),
        }
        before = world.transport.count("poll")
        for what, (path, said, headers) in forged.items():
            answer = await call(world.receiver, path, said, headers)
            assert answer is not None
            assert (answer.status, answer.body) == (401, b""), what
            assert set(answer.headers) == {"content-length"}, what
        assert world.inbox() == []
        await world.clock.sleep(1)
        assert world.transport.count("poll") - before <= 1
        for late in (-299, 299):
            headers = standard(SIGNED_WITH, f"m{late}", int(world.clock.time()) + late, body)
            answer = await call(world.receiver, path_of(signing), body, headers)
            assert answer is not None
            assert answer.status == 200, "within five minutes, both ways"

    waiting(world, then)


def test_an_attempt_of_another_store_is_not_known_here(hooks: Hooks) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        elsewhere = world.agg.opened.context.callbacks.address("calling", "019c0ffee00abcdef0123.1")
        assert (await world.deliver(world.order(), url=elsewhere)).status == 401
        assert (await world.deliver(world.order())).status == 200
        assert len(world.inbox()) == 1

    waiting(world, then)


def test_a_job_of_another_project_is_told_by_its_own_address(hooks: Hooks) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        async with world.agg.project("another", budget_usd="1") as other:
            task = asyncio.create_task(other.text_to_image("a lighthouse"))
            while len(world.transport.book) < 2:
                await world.clock.sleep(0.01)
            await world.clock.sleep(30)
            theirs, ours = world.order(1), world.order(0)
            theirs.fate = Fate(service_s=0)
            # What the body says is somebody else's job: the address counts, and the look.
            body = json.dumps({"id": ours.id, "status": "succeeded"}).encode()
            assert (await world.deliver(theirs, body=body)).status == 200
            await asyncio.wait_for(task, 5)
            assert world.attempts()[0]["state"] == "submitted"
            assert [row["attempt"] for row in world.inbox()] == [theirs.attempt]

    waiting(world, then)


# ---------------------------------------------------------------------------------------------------------- malformed


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", ""])
def test_only_post_is_a_delivery(hooks: Hooks, method: str) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        answer = await call(world.receiver, path_of(world.order()), b"{}", method=method)
        assert answer is not None
        assert (answer.status, answer.body, answer.headers.get("allow")) == (405, b"", "POST")

    waiting(world, then)


BODIES = [b"", b"null", b"[]", b"3", b"{", b"\xff\xfe", b"[" * 200_000, b"{}", b'{"id": {}}', b'{"id": ".."}', b'"id"']


@pytest.mark.parametrize("name", ["calling", "signing"])
def test_a_body_that_says_nothing_is_a_401_even_if_it_is_signed(hooks: Hooks, name: str) -> None:
    world = hooks(name)

    async def then(world: HookWorld, p: Any) -> None:
        for n, body in enumerate([*BODIES, b'{"id": "\\ud800"}', b'{"id": 1e999}' * 2]):
            answer = await world.deliver(world.order(), body=body, msg_id=f"m{n}")
            assert (answer.status, answer.body) == (401, b""), body[:20]
        assert world.inbox() == []

    waiting(world, then)


def test_nothing_that_is_sent_gets_another_answer(hooks: Hooks) -> None:
    """Any bytes, any headers, at any address: 401, 405, 413, or, if it is right, 200. Never an exception."""
    world = hooks("calling", "signing")
    names = st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "content-length", "date"])
    values = st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"v1,", b"v1,AAAA", b"v1a,x v1,=", b"1767225600", b"-1", b"1e9", b"99999999999", b"\xff"]),
    )
    headers = st.lists(st.tuples(st.one_of(names.map(str.encode), st.binary(max_size=12)), values), max_size=6)

    async def then(world: HookWorld, p: Any) -> None:
        loop, paths = asyncio.get_running_loop(), [path_of(order) for order in world.transport.book.values()]
        seen: set[int] = set()

        @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            path=st.one_of(st.sampled_from([*paths, "/signing", "/calling", "", "//"]), st.text(max_size=30)),
            body=st.one_of(st.binary(max_size=200), st.sampled_from(BODIES), st.text(max_size=50).map(str.encode)),
            headers=headers,
            method=st.sampled_from(["POST", "POST", "POST", "GET", "X"]),
        )
        def one(path: str, body: bytes, headers: list[tuple[bytes, bytes]], method: str) -> None:
            answering = call(world.receiver, path, body, headers, method=method)
            # No task: each step is done here, since the store is inline and nothing waits.
            answer = _driven(answering)
            seen.add(answer.status)
            assert answer.status in (200, 401, 405, 413)
            assert answer.status == 200 or answer.body == b""

        assert loop.is_running()
        one()
        assert {401, 405} <= seen

    waiting(world, then)


def _driven(answering: Any) -> Any:
    """Run a coroutine that waits for nothing real, from within a running loop."""
    try:
        while True:
            answering.send(None)
    except StopIteration as end:
        return end.value


# ------------------------------------------------------------------------------------------------------- long and slow


def test_a_body_that_is_too_long_is_not_read_to_its_end(hooks: Hooks) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        path = path_of(world.order())
        said = Body([b"x" * 2**16] * 64)
        answer = await call(world.receiver, path, said)
        assert answer is not None
        assert answer.status == 413
        assert said.read <= MAX_BODY_BYTES + 2**16
        for length in (str(MAX_BODY_BYTES + 1), "9" * 5000):
            announced = Body([b"x"] * 3)
            answer = await call(world.receiver, path, announced, {"content-length": length})
            assert answer is not None
            assert (answer.status, announced.read) == (413, 0)
        for wrong in ("/calling/wrong.token", "/calling"):
            unread = Body([b"x"] * 3)
            answer = await call(world.receiver, wrong, unread)
            assert answer is not None
            assert (answer.status, unread.read) == (401, 0), "without a token nothing is read"

    waiting(world, then)


def test_a_body_that_does_not_come_ends_by_time_and_a_sender_that_hangs_up_gets_no_answer(hooks: Hooks) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        path, began = path_of(world.order()), world.clock.time()
        answer = await call(world.receiver, path, Body([b"{"], ends="never"))
        assert answer is not None
        assert answer.status == 408
        assert world.clock.time() - began == pytest.approx(module.BODY_WITHIN_S, abs=0.1)
        assert await call(world.receiver, path, Body([b"{"], ends="hangs up")) is None
        assert world.inbox() == []

    waiting(world, then)


@pytest.mark.parametrize("error", [StoreError("locked"), RuntimeError("a defect"), TimeoutError()])
def test_a_store_that_cannot_write_lets_the_sender_come_again(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        def broken(*_args: Any, **_more: Any) -> Any:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr("aggregator.runner.inbox.keep", broken)
            answer = await world.deliver(world.order())
            assert (answer.status, answer.body) == (503, b"")
        assert (await world.deliver(world.order())).status == 200

    waiting(world, then)


def test_a_store_that_is_busy_for_long_is_not_waited_for(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        async def busy(_work: Any) -> Any:
            await asyncio.sleep(30)

        began = world.clock.time()
        with monkeypatch.context() as patched:
            patched.setattr(type(world.agg.opened.store), "transact", lambda _self, work: busy(work))
            assert (await world.deliver(world.order())).status == 503
        assert world.clock.time() - began < 1

    waiting(world, then)


# ------------------------------------------------------------------------------------------------------------- secrets


def test_two_secrets_are_valid_while_one_replaces_the_other(hooks: Hooks, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("PROVIDER_HOOKS", f"{OTHER} {SIGNED_WITH}")
    world = hooks("signing")

    async def then(world: HookWorld, p: Any) -> None:
        order, now = world.order(), world.clock.time()
        body = json.dumps({"id": order.id, "status": "succeeded"}).encode()
        for n, secret in enumerate((OTHER, SIGNED_WITH)):
            answer = await world.deliver(order, body=body, headers=standard(secret, f"m{n}", now, body))
            assert answer.status == 200
        assert len(world.inbox()) == 2

    waiting(world, then)


def test_a_secret_that_was_replaced_signs_nothing_any_more(hooks: Hooks, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("PROVIDER_HOOKS", OTHER)
    world = hooks("signing")

    async def then(world: HookWorld, p: Any) -> None:
        assert (await world.deliver(world.order())).status == 401

    waiting(world, then)


def test_a_question_is_answered_and_not_kept(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.testing import memory, memory_tables

    assert memory_tables.CALLING.webhook is not None
    asking = replace(memory.CALLING, webhook=replace(memory_tables.CALLING.webhook, challenge="challenge"))
    monkeypatch.setattr(memory, "CALLING", asking)
    world = hooks("calling")

    async def then(world: HookWorld, p: Any) -> None:
        answer = await world.deliver(world.order(), body=b'{"challenge": "c1", "x": 2}')
        assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "c1"})
        assert answer.headers["content-type"] == "application/json"
        wrong = await call(world.receiver, "/calling", b'{"challenge": "c1"}')
        assert wrong is not None
        assert (wrong.status, wrong.body) == (401, b"")
        assert world.inbox() == []

    waiting(world, then)


def test_it_serves_whom_it_can_believe_and_no_other(hooks: Hooks, environ: pytest.MonkeyPatch) -> None:
    world = hooks("calling", "signing")
    world.config["providers"]["signing"].pop("webhook_secret_env")  # type: ignore[index]

    async def life(_p: Any) -> None:
        assert world.receiver.providers == ("calling",)
        answer = await call(world.receiver, "/signing", b"{}")
        assert answer is not None
        assert answer.status == 401

    world.run(life)


def test_with_nothing_to_prove_a_delivery_it_does_not_start(hooks: Hooks) -> None:
    world = hooks("signing")
    world.config["providers"]["signing"].pop("webhook_secret_env")  # type: ignore[index]

    async def life(p: Any) -> None:
        with pytest.raises(ConfigurationError, match="webhook_secret_env"):
            world.agg.webhooks()
        task = asyncio.create_task(p.text_to_image("a lighthouse"))
        await task
        assert world.order().callback == "", "it is not asked to call either"

    world.run(life)


def test_with_a_variable_that_is_not_set_nothing_starts(hooks: Hooks, environ: pytest.MonkeyPatch) -> None:
    for variable in ("HOOKS", "PROVIDER_HOOKS"):
        with environ.context() as patched:
            patched.delenv(variable)
            world = hooks("signing")
            with pytest.raises(ConfigurationError, match=f"{variable}, which is not set"):
                world.run(lambda p: asyncio.sleep(0))


# ------------------------------------------------------------------------------------------------------------- the rest


def test_it_may_be_mounted_below_a_path_and_run_alone(hooks: Hooks) -> None:
    async def then(world: HookWorld, p: Any) -> None:
        order = world.order()
        body = json.dumps({"id": order.id, "status": "succeeded"}).encode()
        answer = await call(world.receiver, f"/api/hooks{path_of(order)}", body, root_path="/api/hooks")
        assert answer is not None
        assert answer.status == 200
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await world.receiver({"type": "lifespan"}, receive, send)
        await world.receiver({"type": "websocket"}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]

    waiting(hooks("calling"), then)
