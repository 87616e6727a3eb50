"""The wire for every provider: one driver for calls, uploads, polls, streams, results, cancels and downloads.

What to send and what an answer means are pure (`aggregator._wire`); this file moves the bytes. Time-outs, retries,
limits, redaction, tracing and origin checks live here, once. Clock, randomness and transport are arguments. It knows
nothing of money or of what was sent before: it sends a paid request once and reports one of four outcomes.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import urljoin

from aggregator import _build, _wire
from aggregator._http import SendError, Stream, Timeouts, Transport, origin
from aggregator._limits import Limits
from aggregator._retry import retrying
from aggregator._wire import Delivery, Reading, Submission
from aggregator.clock import Clock
from aggregator.contract import Call, Endpoint, Flow, HttpRequest, HttpResponse, Json, Provider, UploadSource
from aggregator.errors import InvalidRequestError, ProviderError, ResponseFormatError, UnavailableError
from aggregator.secret import Secret, SecretHeaders, scrub

__all__ = ["Backend", "Engine", "Submission"]

PAID_TIMEOUTS = Timeouts(connect_s=10.0, read_s=120.0, write_s=60.0)
"""A read time-out on a paid request makes an unknown outcome: it is long on purpose."""
STREAM_TIMEOUTS = Timeouts(connect_s=10.0, read_s=90.0, write_s=60.0)
READ_ATTEMPTS = 6
MAX_REDIRECTS = 3
MAX_EVENT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Backend:
    """A provider as it is configured here: its table, its credential, its limits."""

    provider: Provider
    secret: Secret | None = None
    concurrency: int | None = None
    requests_per_second: float | None = None

    @property
    def account(self) -> str:
        return self.secret.account if self.secret else ""

    @property
    def origins(self) -> frozenset[str]:
        """Where the credential may go."""
        return frozenset(origin(url) for url in (self.provider.base_url, *self.provider.hosts.values()))


class Engine:
    """Drives the tables of every backend over one transport."""

    def __init__(self, *, transport: Transport, clock: Clock, rng: Random, limits: Limits | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._limits = limits or Limits()

    # ------------------------------------------------------------------------------------------------ one exchange

    async def _send(
        self, backend: Backend, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts | None = None
    ) -> HttpResponse:
        request = self._signed(backend, request)
        if not fresh:  # a paid request has waited in `ready`, before its intent was written down
            await self.ready(backend)
        return await self._transport.send(request, fresh=fresh, timeouts=timeouts or Timeouts())

    async def ready(self, backend: Backend) -> None:
        """Wait for room for one more request to this provider."""
        await self._limits.request(backend.provider.name, backend.account, backend.requests_per_second)

    def place(self, backend: Backend) -> AbstractAsyncContextManager[None]:
        """A place for one job in flight at this provider."""
        return self._limits.job(backend.provider.name, backend.account, backend.concurrency)

    def _signed(self, backend: Backend, request: HttpRequest) -> HttpRequest:
        """Add the credential, to the provider's own origins and to no other."""
        if not request.trusted:
            return request
        if origin(request.url) not in backend.origins:
            raise ResponseFormatError(
                f"{backend.provider.name} named {origin(request.url)}, which is not one of its own addresses: "
                "the credential is not sent there",
                provider=backend.provider.name,
                accepted=None,
            )
        if backend.secret is None:
            return request
        auth = backend.provider.auth
        return replace(
            request,
            headers=SecretHeaders({**request.headers, auth.header: auth.template.format(key=backend.secret.reveal())}),
        )

    async def _ask(
        self,
        backend: Backend,
        request: HttpRequest,
        *,
        doing: str,
        final: Callable[[HttpResponse], bool] | None = None,
        json_wanted: bool = False,
    ) -> HttpResponse:
        """Send what is safe to repeat, until there is an answer that means something: 2xx, or one that `final`
        accepts.
        """

        async def once() -> HttpResponse:
            try:
                response = await self._send(backend, request)
            except SendError as error:
                raise self._unreachable(backend, error, doing, accepted=True) from None
            if response.status // 100 == 2:  # noqa: PLR2004
                if json_wanted:
                    _wire.parse(response)
                return response
            if final is not None and final(response):
                return response
            raise self._error(backend, response, accepted=True, doing=doing)

        try:
            return await retrying(once, safe=_safe, attempts=READ_ATTEMPTS, clock=self._clock, rng=self._rng)
        except ValueError:
            raise ResponseFormatError(
                f"{backend.provider.name}, {doing}: an answer that is not JSON",
                provider=backend.provider.name,
                accepted=True,
            ) from None

    def _unreachable(self, backend: Backend, error: SendError, doing: str, *, accepted: bool | None) -> ProviderError:
        return UnavailableError(
            scrub(f"{backend.provider.name}, {doing}: no answer ({error})", _secrets(backend)),
            provider=backend.provider.name,
            accepted=accepted,
        )

    def _error(
        self, backend: Backend, response: HttpResponse, *, accepted: bool | None, doing: str, of_job: bool = False
    ) -> ProviderError:
        return _wire.error_of(
            backend.provider, _scrubbed(backend, response), accepted=accepted, doing=doing, of_job=of_job
        )

    # ---------------------------------------------------------------------------------------------- the paid request

    async def submit(
        self, backend: Backend, body: Json, names: Mapping[str, str], *, idempotency_key: str | None = None
    ) -> Submission:
        """Send the paid request once, on a connection of its own, and say what became of it. Never raises for an
        answer.
        """
        provider = backend.provider
        request = _build.call_request(provider, provider.submit, names, body)
        if idempotency_key and provider.idempotency_header:
            request = replace(request, headers={**request.headers, provider.idempotency_header: idempotency_key})
        try:
            response = await self._send(backend, request, fresh=True, timeouts=PAID_TIMEOUTS)
        except SendError as error:
            if error.sent is False:
                return Submission(
                    "never_sent", {}, error=self._unreachable(backend, error, "submitting", accepted=False)
                )
            return Submission("unknown", {}, error=self._unreachable(backend, error, "submitting", accepted=None))
        submission = _wire.read_submission(provider, names, response)
        if submission.error is not None or (submission.reading is not None and submission.reading.error is not None):
            return _wire.read_submission(provider, names, _scrubbed(backend, response))
        return submission

    # ---------------------------------------------------------------------------------------- looking, free of charge

    async def poll(self, backend: Backend, handle: Mapping[str, str]) -> Reading:
        """Look once at a job."""
        assert backend.provider.poll is not None
        return self._read(backend, await self._call(backend, backend.provider.poll, handle, "polling"))

    async def watch(self, backend: Backend, handle: Mapping[str, str]) -> AsyncIterator[Reading]:
        """Readings as the provider pushes them; ends when the stream does, whatever the job's state."""
        assert backend.provider.stream is not None
        request = _build.call_request(backend.provider, backend.provider.stream, handle)
        request = self._signed(backend, replace(request, headers={"accept": "text/event-stream"}))
        try:
            async with self._transport.stream(request, timeouts=STREAM_TIMEOUTS) as stream:
                if stream.status // 100 != 2:  # noqa: PLR2004
                    return
                async for data in _events(stream):
                    reading = self._read(backend, HttpResponse(stream.status, {}, data.encode()))
                    yield reading
                    if reading.state.is_terminal:
                        return
        except (SendError, ValueError):
            return  # the caller polls instead

    async def result(
        self, backend: Backend, endpoint: Endpoint, handle: Mapping[str, str], reading: Reading
    ) -> Delivery:
        """The answer of a job whose state is succeeded.

        Raises:
            JobFailedError, ContentPolicyError: The result says that it failed after all.

        """
        provider = backend.provider
        if provider.result is None:
            return _wire.read_result(provider, endpoint, reading.body)

        def is_final(response: HttpResponse) -> bool:
            return _wire.code_of(provider, _wire.parse_or_none(response))[1] is not None

        doing = "fetching the result"
        request = _build.call_request(provider, provider.result, handle)
        response = await self._ask(backend, request, doing=doing, final=is_final, json_wanted=True)
        if response.status // 100 != 2:  # noqa: PLR2004
            raise self._error(backend, response, accepted=True, doing=doing, of_job=True)
        return _wire.read_result(provider, endpoint, _wire.parse(response))

    async def cancel(self, backend: Backend, handle: Mapping[str, str]) -> bool:
        """Ask the provider to stop; whether it did shows at the next poll. `False`: it cannot, or it is too late."""
        if backend.provider.cancel is None:
            return False
        request = _build.call_request(backend.provider, backend.provider.cancel, handle)

        def too_late(response: HttpResponse) -> bool:
            return response.status in (400, 404, 409)

        response = await self._ask(backend, request, doing="canceling", final=too_late)
        return response.status // 100 == 2  # noqa: PLR2004

    async def probe(self, backend: Backend) -> str:
        """Ask the call that costs nothing whether the key works; returns the HTTP status in words, or raises."""
        assert backend.provider.probe is not None
        await self._ask(
            backend, _build.call_request(backend.provider, backend.provider.probe, {}), doing="checking the key"
        )
        return "the key works"

    async def _call(self, backend: Backend, call: Call, handle: Mapping[str, str], doing: str) -> HttpResponse:
        request = _build.call_request(backend.provider, call, handle)
        return await self._ask(backend, request, doing=doing, json_wanted=True)

    def _read(self, backend: Backend, response: HttpResponse) -> Reading:
        """Read a status; what it says of an error is read again with every secret blanked."""
        try:
            reading = _wire.read_status(backend.provider, _wire.parse(response))
            if reading.error is None:
                return reading
        except ResponseFormatError:
            pass
        return _wire.read_status(backend.provider, _wire.parse(_scrubbed(backend, response)))

    # ------------------------------------------------------------------------------------------------ moving files

    async def upload(self, backend: Backend, source: UploadSource) -> str:
        """Hand a local input to the provider, its own way; returns what stands for it in the body."""
        provider = backend.provider
        if provider.upload is None:
            return await asyncio.to_thread(_data_uri, provider, source)
        flow: Flow = provider.upload(source)
        try:
            request = next(flow)
            while True:
                request = replace(request, url=_build.fill(request.url, {**provider.cdns, **provider.hosts}))
                if request.url.startswith("/"):
                    request = replace(request, url=provider.base_url.rstrip("/") + request.url)
                answer = await self._ask(backend, request, doing="uploading an input")
                try:
                    request = flow.send(answer)
                except (LookupError, TypeError, ValueError):
                    raise ResponseFormatError(
                        f"{provider.name}, uploading an input: an answer of another form", provider=provider.name
                    ) from None
        except StopIteration as end:
            return str(end.value)
        except ProviderError as error:
            error.accepted = False  # nothing paid has been asked for yet
            raise
        finally:
            flow.close()

    @asynccontextmanager
    async def download(
        self, backend: Backend, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Stream, None]:
        """Open an output file. The credential goes along only to the provider's own origins; redirects never carry
        it.
        """
        request = HttpRequest("GET", url, headers or {}, trusted=origin(url) in backend.origins)
        async with self._hop(backend, request, MAX_REDIRECTS) as stream:
            yield stream

    @asynccontextmanager
    async def _hop(self, backend: Backend, request: HttpRequest, hops: int) -> AsyncGenerator[Stream, None]:
        async with self._transport.stream(self._signed(backend, request)) as stream:
            if stream.status not in (301, 302, 303, 307, 308):
                yield stream
                return
            target = _target(request.url, stream.headers.get("location", ""))
        if hops == 0 or not target:
            raise SendError(f"a redirect to {origin(target) or 'nowhere'} is not followed", sent=False)
        async with self._hop(backend, replace(request, url=target, trusted=False), hops - 1) as stream:
            yield stream


def _target(url: str, location: str) -> str:
    """Where a redirect leads; empty where it may not lead: to no http address, or from https to plain http."""
    try:
        target = urljoin(url, location) if location else ""
    except ValueError:
        return ""
    allowed = ("https",) if url.lower().startswith("https:") else ("http", "https")
    return target if origin(target).partition(":")[0] in allowed else ""


def _safe(error: BaseException) -> float | None:
    """Whether a call that costs nothing may be repeated, and after how long. `ValueError`: broken JSON on 2xx."""
    if isinstance(error, ValueError):
        return 0.0
    if isinstance(error, ProviderError) and error.retryable:
        return error.retry_after_s or 0.0
    return None


def _secrets(backend: Backend) -> tuple[Secret, ...]:
    return (backend.secret,) if backend.secret else ()


def _scrubbed(backend: Backend, response: HttpResponse) -> HttpResponse:
    """The answer without our secrets, in whatever it echoes: errors are made from this one."""
    secrets = _secrets(backend)
    if not secrets:
        return response
    return replace(
        response,
        headers={name: scrub(value, secrets) for name, value in response.headers.items()},
        body=scrub(response.body.decode(errors="replace"), secrets).encode(),
    )


def _data_uri(provider: Provider, source: UploadSource) -> str:
    if source.size_bytes > provider.max_inline_bytes:
        raise InvalidRequestError(
            f"{provider.name} takes inputs inside the request, up to {provider.max_inline_bytes} bytes; this one has "
            f"{source.size_bytes}. Make it smaller, or give an address; nothing was ordered",
            provider=provider.name,
            accepted=False,
        )
    raw = Path(source.path).read_bytes()
    return f"data:{source.mime_type};base64,{base64.b64encode(raw).decode()}"


async def _events(stream: Stream) -> AsyncIterator[str]:
    """The data of server-sent events, each joined from its `data:` lines (WHATWG HTML, section 9.2)."""
    buffer, data = b"", list[str]()
    async for chunk in stream.chunks:
        *lines, buffer = (buffer + chunk).split(b"\n")
        if len(buffer) > MAX_EVENT_BYTES or sum(len(line) for line in data) > MAX_EVENT_BYTES:
            raise SendError(f"an event longer than {MAX_EVENT_BYTES} bytes", sent=None)
        for raw in lines:
            line = raw.rstrip(b"\r").decode(errors="replace")
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data = []
