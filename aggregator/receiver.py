"""Webhooks in: an ASGI application to mount in the product's own server, `POST /{provider}/{attempt}.{token}`.

Who calls has to prove it before anything is parsed: with the token of an address that we made, with the provider's
signature, or with both where the provider signs. Whatever is wrong is one empty 401. What is believed is written down
and answered at once; it settles nothing, but makes whoever follows the job ask the provider now.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aggregator import _observe, signing
from aggregator._published import PublishedKeys
from aggregator.backend import Backend
from aggregator.callbacks import tables
from aggregator.contract import Provider, Webhook, WebhookRequest
from aggregator.errors import ConfigurationError, WebhookError
from aggregator.job import AttemptState
from aggregator.runner import inbox
from aggregator.runner.inbox import Addressed
from aggregator.webhooks import MAX_BODY_BYTES, Notice, keys_request, verify

if TYPE_CHECKING:
    from aggregator.opening import Opened

__all__ = ["Receiver"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_WITHIN_S = 10.0
ANSWERED_WITHIN_S = 0.9
"""From the last byte of the body: a sender waits for a few seconds, and sends again."""
OK, NOT_BELIEVED, WRONG_METHOD, TOO_SLOW, TOO_LONG, NOT_NOW = 200, 401, 405, 408, 413, 503


class _GoneError(Exception):
    """The sender has hung up."""


class _TooLongError(Exception):
    """The body is longer than any delivery."""


@dataclass(frozen=True, slots=True)
class _Door:
    """What an address says before anything is read: whose it is, and the attempt whose token is right."""

    backend: Backend
    last: str = ""
    attempt_id: str | None = None

    @property
    def name(self) -> str:
        return self.backend.provider.name


class Receiver:
    """The application. `Aggregator.webhooks()` makes it."""

    def __init__(self, opened: "Opened") -> None:
        """Look up what proves each provider's deliveries.

        Raises:
            ConfigurationError: Nothing does, or what verifies them is not installed.

        """
        self._context = opened.context
        self._callbacks = opened.context.callbacks
        self._follow = opened.runner.follow
        self._keys = PublishedKeys(opened.transport, opened.clock)
        usable = {name: one for name, one in opened.planner.backends.items() if tables(one.provider)}
        self._served = {name: one for name, one in usable.items() if any(self._believed(one.provider))}
        if not self._served:
            raise ConfigurationError(
                "no delivery could be believed: write [webhooks] url and secret_env, and [providers.<name>] "
                "webhook_secret_env for a provider that signs with a secret of yours"
            )
        if any(hook.algorithm == "ed25519" for one in self._served.values() for hook in self._believed(one.provider)):
            signing.ed25519_public(bytes(32))  # says which package is missing, before anything is to be verified

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose deliveries are taken."""
        return tuple(sorted(self._served))

    def _believed(self, provider: Provider) -> list[Webhook]:
        """How a provider calls back, in each of its dialects, where there is something that proves it."""
        hooks = (table.webhook for table in tables(provider))
        return [hook for hook in hooks if hook is not None and self._callbacks.believes(provider.name, hook)]

    # ------------------------------------------------------------------------------------------------------------ ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            with suppress(_GoneError):
                await _send(send, *await self._answer(scope, receive))

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["method"] != "POST":
            return WRONG_METHOD, b""
        door = self._door(scope["path"].removeprefix(scope.get("root_path", "")))
        if door is None:
            _observe.emit("webhook_refused", provider="", reason="address")
            return NOT_BELIEVED, b""
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _read(scope, receive)
        except _TooLongError:
            return TOO_LONG, b""
        except TimeoutError:
            return TOO_SLOW, b""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                return OK, await self._taken(door, self._request(door, scope, body))
        except WebhookError as error:
            _observe.emit("webhook_refused", provider=door.name, reason=error.reason)
            return NOT_BELIEVED, b""
        except Exception as error:  # noqa: BLE001  whatever it is, the sender has to come again
            _observe.emit("webhook_not_taken", provider=door.name, error=type(error).__name__)
            return NOT_NOW, b""

    def _door(self, path: str) -> _Door | None:
        """What an address leads to. Without a token: to a provider whose signature alone proves all that is said."""
        name, _, last = path.removeprefix("/").partition("/")
        backend = self._served.get(name)
        if backend is None:
            return None
        if last:
            attempt_id = self._callbacks.attempt(name, last)
            return None if attempt_id is None else _Door(backend, last, attempt_id)
        return _Door(backend) if any(_proves_all(hook) for hook in self._believed(backend.provider)) else None

    def _request(self, door: _Door, scope: Scope, body: bytes) -> WebhookRequest:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        query = scope.get("query_string", b"").decode("latin-1")
        return WebhookRequest("POST", self._callbacks.path(door.name, door.last), query, headers, body)

    # ------------------------------------------------------------------------------------------------------- believing

    async def _taken(self, door: _Door, request: WebhookRequest) -> bytes:
        """Verify a delivery, write it down, wake who follows the job; returns what the answer's body must be.

        Raises:
            WebhookError: It is not to be believed.

        """
        of = await self._addressed(door)
        webhook, notice = await self._verified(door, of, request)
        if not notice.job_id:
            return notice.reply
        goes_on = notice.reading is not None and not notice.reading.state.is_terminal
        told = await self._context.store.transact(
            lambda c: inbox.keep(
                c,
                door.name,
                _name_of(door, webhook, request),
                attempt_id=door.attempt_id,
                remote_id=notice.job_id,
                handle=notice.handle,
                at=self._context.now(),
                news=not goes_on,
            )
        )
        if told is not None:
            _observe.emit("webhook_taken", provider=door.name, job=told.job)
            if told.state is AttemptState.UNKNOWN:
                self._follow(told.job)  # nobody does
            self._context.nudges.wake(told.job)
        return notice.reply

    async def _addressed(self, door: _Door) -> Addressed | None:
        attempt_id = door.attempt_id
        if attempt_id is None:
            return None
        of = await self._context.store.read(lambda c: inbox.addressed(c, attempt_id))
        if of is None:
            raise WebhookError("the address names no attempt of this store", reason="attempt", provider=door.name)
        return of

    async def _verified(self, door: _Door, of: Addressed | None, request: WebhookRequest) -> tuple[Webhook, Notice]:
        """What a delivery says, in the dialect the job was ordered in; in any one, where no address names the job."""
        provider = door.backend.provider
        spoken = tables(provider) if of is None else [provider.spoken(of.names.get("dialect", ""))]
        refused = WebhookError("the provider does not call back so", reason="address", provider=door.name)
        for table in spoken:
            webhook = table.webhook
            if webhook is None or not self._callbacks.believes(door.name, webhook):
                continue
            if of is None and not _proves_all(webhook):
                continue
            try:
                return webhook, await self._read(door, replace(door.backend, provider=table), of, request)
            except WebhookError as error:
                refused = error
        raise refused

    async def _read(self, door: _Door, backend: Backend, of: Addressed | None, request: WebhookRequest) -> Notice:
        """One delivery in one dialect; with newer keys, where those that were kept do not prove it."""
        now, names = self._context.clock.time(), None if of is None else of.names
        asked = keys_request(backend.provider)
        if asked is None:
            return verify(backend.provider, request, secrets=self._secrets(door, backend), now=now, names=names)
        asked = replace(asked, own_host=backend.own_host)
        jwks = await self._keys.read(asked)
        try:
            return verify(backend.provider, request, now=now, jwks=jwks, names=names)
        except WebhookError as error:
            newer = await self._keys.read(asked, newer_than=jwks)
            if error.reason not in ("signature", "algorithm") or newer == jwks:
                raise
        return verify(backend.provider, request, now=now, jwks=newer, names=names)

    def _secrets(self, door: _Door, backend: Backend) -> list[str]:
        webhook = backend.provider.webhook
        match webhook.key if webhook is not None else "":
            case "secret":
                return [secret.reveal() for secret in self._callbacks.given.get(door.name, ())]
            case "order" if door.attempt_id is not None:
                return self._callbacks.order_secrets(door.name, door.attempt_id)
            case "api_key" if backend.secret is not None:
                return [backend.secret.reveal()]
        return []


def _proves_all(webhook: Webhook) -> bool:
    """Whether a right signature means that the provider says this to us, and said all of it."""
    return webhook.algorithm == "hmac-sha256" and webhook.key == "secret" and webhook.covers_body


def _name_of(door: _Door, webhook: Webhook, request: WebhookRequest) -> str:
    """What is the same when a delivery comes again: its id where it has one, else its words."""
    told = request.headers.get(webhook.message_id, "")
    said = b"id:" + told.encode() if told else b"body:" + request.body
    return hashlib.sha256(f"{door.last}\n".encode() + said).hexdigest()


# ------------------------------------------------------------------------------------------------------------ the wire


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The whole body, as long as it is no longer than a delivery may be."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    if length.isdigit() and (len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES):
        raise _TooLongError
    found = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        found += message.get("body", b"")
        if len(found) > MAX_BODY_BYTES:
            raise _TooLongError
        more = message.get("more_body", False)
    return bytes(found)


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", b"application/json" if body.startswith(b"{") else b"text/plain"))
    if status == WRONG_METHOD:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    """Start and end with the server, for who runs it by itself."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
