"""Where the corpus is tried: the real transport, engine and store, names of our choosing, and a server on loopback.

Whatever address is dialled is written down, and the line leads to the one server here. It speaks TLS as every name of
the corpus, so that nothing has to be switched off.
"""

import asyncio
import ipaddress
import ssl
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aggregator import _http, _watchdog, engine
from aggregator._http import DEFAULT_TIMEOUTS, HttpxTransport, Stream, Timeouts
from aggregator._results import RemoteFile
from aggregator.backend import Backend
from aggregator.contract import HttpRequest, HttpResponse
from aggregator.engine import Engine
from aggregator.probing import Prober
from aggregator.providers.fal import PROVIDER
from aggregator.runner import fetch
from aggregator.secret import Secret
from aggregator.store.files import FileStore, StoredFile

PUBLIC = "93.184.215.14"
HOST = "files.example.com"
KEY = "corpus-key-3f9d2b7c51a8e640"

Reply = bytes | Callable[[], AsyncGenerator[bytes, None]]


class Ticking:
    """A clock that is a step further whenever somebody looks, and that waits for nothing."""

    def __init__(self, step_s: float) -> None:
        self._now, self._step_s = 0.0, step_s

    def time(self) -> float:
        return 1_780_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        self._now += self._step_s
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await asyncio.sleep(0)


class Impatient(HttpxTransport):
    """Waits for a third of a second where others wait for a minute."""

    timeouts = Timeouts(connect_s=1.0, read_s=0.3, write_s=0.3, whole_s=2.0)

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        del timeouts
        return await super().send(request, fresh=fresh, timeouts=self.timeouts)

    def stream(
        self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> AbstractAsyncContextManager[Stream]:
        del timeouts
        return super().stream(request, timeouts=self.timeouts)


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """The bytes of an answer, with the length that it says or another one."""
    said = "" if length == -1 else f"content-length: {len(body) if length is None else length}\r\n"
    lines = "".join(one + "\r\n" for one in headers)
    return f"HTTP/1.1 {status}\r\n{said}{lines}\r\n".encode("latin-1") + body


def redirect(location: str) -> bytes:
    return answer(b"", f"location: {location}", status="302 Found")


@dataclass
class Range:
    """One case's world."""

    transport: "Impatient"
    store: FileStore
    directory: Path
    replies: deque[Reply] = field(default_factory=deque)
    """What the server says next; afterwards, an empty answer."""
    names: dict[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    """By name, what successive look-ups say; the last one stays. Every other name is public."""
    looked_up: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    """Addresses at which nobody listens."""
    seen: list[bytes] = field(default_factory=list)
    """The heads of what arrived."""
    sni: list[str | None] = field(default_factory=list)
    serving: list[asyncio.Task[None]] = field(default_factory=list)
    clock: Ticking = field(default_factory=lambda: Ticking(0.001))

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        del port
        said = self.names.get(host, [[host if _is_literal(host) else PUBLIC]])
        self.looked_up.append(host)
        found = said[min(self.looked_up.count(host), len(said)) - 1]
        if not found:
            raise OSError("no such name")
        return found

    async def download(self, url: str, *, own_host: str = "", family: str = "image") -> StoredFile:
        """As the runner fetches a result."""
        driver = Engine(transport=self.transport, clock=self.clock, rng=Random(1))
        backend = Backend(PROVIDER, Secret(KEY), own_host=own_host)
        context: Any = SimpleNamespace(engine=driver, files=self.store)
        with patch.object(engine, "DEFAULT_TIMEOUTS", self.transport.timeouts):
            return await fetch._from_provider(context, backend, RemoteFile(url, f"{family}/*"), family, is_there=False)

    async def ask(self, url: str, *, own_host: str = "") -> HttpResponse:
        """As the engine asks for an answer."""
        request = HttpRequest("GET", url, own_host=own_host)
        return await _watchdog.exchange(self.transport, request, self.transport.timeouts)

    @property
    def left(self) -> list[str]:
        """Every file there is now."""
        return [str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file()]


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def opened() -> AsyncIterator[Range]:
    """A server, a transport that reaches nothing else, and a store of its own."""
    with tempfile.TemporaryDirectory(prefix="aggregator-corpus-") as directory:
        there: list[Range] = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            return await there[0].resolve(host, port)

        transport = Impatient(resolver=resolve)
        it = Range(transport, FileStore(Path(directory), Prober(enabled=False)), Path(directory))
        there.append(it)
        secure, client = _contexts()
        secure.sni_callback = lambda _socket, name, _context: it.sni.append(name)
        tls = await asyncio.start_server(lambda r, w: _serve(it, r, w), "127.0.0.1", 0, ssl=secure)
        plain = await asyncio.start_server(lambda r, w: _serve(it, r, w), "127.0.0.1", 0)
        ports = {True: tls.sockets[0].getsockname()[1], False: plain.sockets[0].getsockname()[1]}
        connect = httpcore.AnyIOBackend.connect_tcp

        async def dial(self: Any, host: str, port: int, *given: Any, **more: Any) -> Any:
            it.dialled.append(host)
            if host in it.dead:
                raise httpcore.ConnectError("nobody listens")
            return await connect(self, "127.0.0.1", ports[port == 443], *given, **more)

        with patch.object(httpcore.AnyIOBackend, "connect_tcp", dial), patch.object(_http, "_tls", lambda: client):
            yield it
            await transport.aclose()
        for server in (tls, plain):
            server.close()
        for task in it.serving:
            task.cancel()
        await asyncio.gather(*it.serving, return_exceptions=True)


async def _serve(it: Range, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    task = asyncio.current_task()
    assert task is not None
    it.serving.append(task)
    try:
        while True:
            it.seen.append(await reader.readuntil(b"\r\n\r\n"))
            reply = it.replies.popleft() if it.replies else answer()
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                async with aclosing(reply()) as pieces:
                    async for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
            if not (isinstance(reply, bytes) and b"content-length: 0\r\n" in reply):
                break
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
        pass
    finally:
        writer.transport.abort()


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for every name of the corpus, and a client that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "corpus")])
    now = datetime.now(UTC)
    names = [x509.DNSName(one) for one in ("*.example.com", "*.example.org")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + private)
        file.flush()
        server.load_cert_chain(file.name)
    return server, ssl.create_default_context(cadata=pem.decode())
