"""The wire for every provider: one driver for calls, uploads, polls, streams, results, cancels and downloads.

What to send and what an answer means are pure (`aggregator._wire`); this file moves the bytes. Time-outs, retries,
limits, redaction, tracing and origin checks live here, once. Clock, randomness and transport are arguments. It knows
nothing of money or of what was sent before: it sends a paid request once and reports one of four outcomes.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal, TypeVar, cast
from urllib.parse import urljoin

from pydantic import JsonValue

from aggregator import _build, _lookup, _sockets, _watchdog, _wire
from aggregator._credentials import Credentials
from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts, Transport, origin
from aggregator._limits import Limits
from aggregator._lookup import Listed, Sought
from aggregator._pace import paced
from aggregator._results import Delivery, read_result
from aggregator._retry import MAX_ASKED_S, Quota, retrying
from aggregator._wire import Reading, Submission
from aggregator.backend import Backend
from aggregator.clock import Clock
from aggregator.contract import (
    AskFlow,
    Call,
    Endpoint,
    Follow,
    HttpRequest,
    HttpResponse,
    Json,
    Order,
    Paid,
    Provider,
    Socket,
    State,
    SubmitFlow,
    UploadSource,
)
from aggregator.errors import (
    AggregatorError,
    ProviderError,
    RateLimitError,
    ResponseFormatError,
    UnavailableError,
)
from aggregator.secret import scrub

__all__ = ["Engine", "Submission"]

PAID_TIMEOUTS = Timeouts(connect_s=10.0, read_s=600.0, write_s=60.0, whole_s=740.0)
"""The most for a paid request; its call says how long its answer is waited for (`Call.read_s`). A time-out there makes
an unknown outcome. All of it is over before the lease is that it is sent under.
"""
NOT_FOUND = 404
NO_SUCH = (404, 405)
"""Answers that a question of several exchanges is shown: there is no such thing, or no such way to ask for it."""
T = TypeVar("T")
S = TypeVar("S")
STREAM_TIMEOUTS = Timeouts(connect_s=10.0, read_s=90.0, write_s=60.0)
READ_ATTEMPTS = 6
MAX_REDIRECTS = 3
MAX_EVENT_BYTES = 2**20


class Engine:
    """Drives the tables of every backend over one transport."""

    def __init__(self, *, transport: Transport, clock: Clock, rng: Random, limits: Limits | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self.limits = limits or Limits(clock)
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._credentials = Credentials(clock, partial(self._driven, doing="exchanging the key for a token"))

    # ------------------------------------------------------------------------------------------------ one exchange

    async def _send(self, backend: Backend, request: HttpRequest) -> HttpResponse:
        """Send what costs nothing; a token that is refused is exchanged for another one, once."""
        for again in (True, False):
            signed = await self._credentials.signed(backend, request)
            await self.ready(backend)
            response = await _watchdog.exchange(self._transport, signed, DEFAULT_TIMEOUTS)
            if not (self._credentials.forgotten(backend, request, response) and again):
                break
        return response

    async def ready(self, backend: Backend) -> None:
        """Wait for room for one more request to this provider."""
        await self.limits.request((backend.provider.name, backend.account), backend.requests_per_second)

    def quota(self, backend: Backend) -> Quota:
        """How many repeats of what costs nothing the account has left."""
        return self._quotas.setdefault((backend.provider.name, backend.account), Quota())

    async def _free(
        self, backend: Backend, request: HttpRequest, names: Mapping[str, str] | None = None, *, doing: str
    ) -> HttpResponse:
        """One exchange of a flow that costs nothing; a refusal that rides on HTTP 200 is one."""
        request = _build.resolved(backend.provider, request, names, nonce=self._nonce())
        answer = await self._ask(backend, request, doing=doing)
        if request.trusted and _wire.is_json(answer) and _wire.refused(backend.provider, _wire.parse_or_none(answer)):
            raise self._error(backend, answer, accepted=False, doing=doing)
        return answer

    async def _driven(
        self,
        backend: Backend,
        flow: Generator[HttpRequest, HttpResponse, T],
        names: Mapping[str, str] | None = None,
        *,
        doing: str,
    ) -> T:
        """Run a flow of free requests to its end.

        Raises:
            ProviderError: With `accepted` false: nothing paid has been asked for yet.

        """
        try:
            request = next(flow)
            while True:
                answer = await self._free(backend, request, names, doing=doing)
                request = self._next(backend, partial(flow.send, answer), doing)
        except StopIteration as end:
            return cast("T", end.value)
        except ProviderError as error:
            error.accepted = False
            raise
        finally:
            flow.close()

    async def _question(
        self,
        backend: Backend,
        question: Call | AskFlow,
        names: Mapping[str, str],
        *,
        doing: str,
        final: Callable[[HttpResponse], bool],
        json_wanted: bool = False,
        attempts: int = READ_ATTEMPTS,
    ) -> HttpResponse:
        """The answer to what costs nothing: one call's, or what several make of theirs."""
        if isinstance(question, Call):
            request = _build.call_request(backend.provider, question, names, nonce=self._nonce())
            return await self._ask(
                backend, request, doing=doing, final=final, json_wanted=json_wanted, attempts=attempts
            )

        def shown(response: HttpResponse) -> bool:
            return response.status in NO_SUCH or final(response)

        flow = question(names)
        try:
            request = next(flow)
            while True:
                request = _build.resolved(backend.provider, request, names, nonce=self._nonce())
                answer = await self._ask(
                    backend, request, doing=doing, final=shown, json_wanted=json_wanted, attempts=attempts
                )
                request = self._next(backend, partial(flow.send, answer), doing)
        except StopIteration as end:
            answer = cast("HttpResponse", end.value)
            if answer.status // 100 == 2 or final(answer):  # noqa: PLR2004
                return answer
            raise self._error(backend, answer, accepted=True, doing=doing) from None
        finally:
            flow.close()

    @staticmethod
    def _next(backend: Backend, step: Callable[[], S], doing: str) -> S:
        """One step of a flow; what it cannot read is an answer of another form."""
        try:
            return step()
        except (LookupError, TypeError, ValueError):
            raise ResponseFormatError(
                f"{backend.provider.name}, {doing}: an answer of another form", provider=backend.provider.name
            ) from None

    def _nonce(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    async def _ask(
        self,
        backend: Backend,
        request: HttpRequest,
        *,
        doing: str,
        final: Callable[[HttpResponse], bool] | None = None,
        json_wanted: bool = False,
        attempts: int = READ_ATTEMPTS,
    ) -> HttpResponse:
        """Send what is safe to repeat, until there is an answer that means something: 2xx, or one that `final`
        accepts.
        """

        async def once() -> HttpResponse:
            try:
                response = await self._send(backend, request)
            except SendError as error:
                raise self._unreachable(backend, error, doing, accepted=True) from None
            except ProviderError as error:  # there is no token: that says nothing of a job
                error.accepted = True
                raise
            if response.status // 100 == 2:  # noqa: PLR2004
                if json_wanted and _wire.is_json(response):
                    _wire.parse(response)
                return response
            if final is not None and final(response):
                return response
            refusal = self._error(backend, response, accepted=True, doing=doing)
            asked_s = refusal.retry_after_s or 0.0
            if isinstance(refusal, RateLimitError) and 0 < asked_s <= MAX_ASKED_S:
                await self.limits.freeze((backend.provider.name, backend.account), asked_s)
            raise refusal

        try:
            quota = self.quota(backend)
            return await retrying(once, safe=_safe, attempts=attempts, quota=quota, clock=self._clock, rng=self._rng)
        except ValueError:
            raise ResponseFormatError(
                f"{backend.provider.name}, {doing}: an answer that is not JSON",
                provider=backend.provider.name,
                accepted=True,
            ) from None

    def _unreachable(self, backend: Backend, error: SendError, doing: str, *, accepted: bool | None) -> ProviderError:
        unreachable = UnavailableError(
            scrub(f"{backend.provider.name}, {doing}: no answer ({error})", self._credentials.secrets_of(backend)),
            provider=backend.provider.name,
            accepted=accepted,
        )
        unreachable.timed_out = error.timed_out
        return unreachable

    def _error(
        self, backend: Backend, response: HttpResponse, *, accepted: bool | None, doing: str, of_job: bool = False
    ) -> ProviderError:
        return _wire.error_of(
            backend.provider,
            self._credentials.scrubbed(backend, response),
            accepted=accepted,
            doing=doing,
            of_job=of_job,
        )

    # ---------------------------------------------------------------------------------------------- the paid request

    async def submit(
        self,
        backend: Backend,
        body: Json,
        names: Mapping[str, str],
        *,
        idempotency_key: str | None = None,
        inputs: Mapping[str, UploadSource] | None = None,
        paying: Callable[[Mapping[str, str]], Awaitable[None]] | None = None,
    ) -> Submission:
        """Send the paid request once, on a connection of its own, and say what became of it. Never raises for an
        answer.

        Args:
            inputs: The local inputs that are sent with it, by their text in the body.
            paying: Awaited right before the paid request of several leaves, with what is known of the job by then.

        """
        backend = backend.speaking(names)
        provider = backend.provider
        endpoint = provider.endpoint(names.get("task", ""), names.get("dialect", "")) or Endpoint()
        call = backend.ordering(names)
        if not isinstance(call, Call):
            return await self._purchase(backend, call, Order(body, names, inputs or {}), idempotency_key, paying)
        parts_of = (inputs or {}) if endpoint.encoding == "multipart" else None
        request = _build.call_request(provider, call, names, body, nonce=self._nonce(), parts_of=parts_of)
        request = _keyed(provider, request, idempotency_key)
        submission, answer = await self._pay(backend, request, call, names)
        if submission.outcome == "rejected" and answer is not None and answer.status // 100 == 2:  # noqa: PLR2004
            await self._stop_the_rest(backend, call, names, answer)
        return submission

    async def _stop_the_rest(
        self, backend: Backend, call: Call, names: Mapping[str, str], answer: HttpResponse
    ) -> None:
        """Cancel what is made of an order that was refused in part; that it is refused stands, whatever comes of it."""
        refusal = backend.provider.refusal
        if refusal is not None and refusal.cancels:
            with suppress(ProviderError):
                captured = _wire.capture(backend.provider, call.capture, _wire.parse_or_none(answer))
                await self.cancel(backend, {**names, **captured})

    async def _pay(
        self, backend: Backend, request: HttpRequest, call: Call, names: Mapping[str, str]
    ) -> tuple[Submission, HttpResponse | None]:
        """The paid exchange itself, and the answer where there is one."""
        try:
            request = await self._credentials.signed(backend, request)
        except ProviderError as error:
            error.accepted = False
            return Submission("never_sent", {}, error=error), None
        timeouts = replace(PAID_TIMEOUTS, read_s=min(call.read_s, PAID_TIMEOUTS.read_s))
        try:
            response = await _watchdog.exchange(self._transport, request, timeouts, fresh=True)
        except SendError as error:
            outcome: Literal["never_sent", "unknown"] = "never_sent" if error.sent is False else "unknown"
            accepted = False if error.sent is False else None
            return Submission(
                outcome, {}, error=self._unreachable(backend, error, "submitting", accepted=accepted)
            ), None
        except OSError as error:  # the file that is sent with it broke off
            cut = SendError(type(error).__name__, sent=None)
            return Submission("unknown", {}, error=self._unreachable(backend, cut, "submitting", accepted=None)), None
        self._credentials.forgotten(backend, request, response)
        submission = _wire.read_submission(backend.provider, call.capture, names, response)
        if submission.error is not None or (submission.reading is not None and submission.reading.error is not None):
            response = self._credentials.scrubbed(backend, response)
            submission = _wire.read_submission(backend.provider, call.capture, names, response)
        return submission, response

    async def _purchase(
        self,
        backend: Backend,
        flow_of: SubmitFlow,
        order: Order,
        idempotency_key: str | None,
        paying: Callable[[Mapping[str, str]], Awaitable[None]] | None,
    ) -> Submission:
        """A purchase of several exchanges, of which one is paid. What follows that one buys nothing: where it fails,
        the job was taken, and its state tells the rest.
        """
        flow = flow_of(order)
        doing = "submitting"
        handle: dict[str, str] | None = None
        """What is known of the job, once it is paid."""
        reading: Reading | None = None
        try:
            step = next(flow)
            while True:
                if isinstance(step, Paid):
                    request = _build.resolved(backend.provider, step.request, order.names, nonce=self._nonce())
                    request = _keyed(backend.provider, request, idempotency_key)
                    if paying is not None:
                        await paying({**order.names, **step.handle})
                    submission, answer = await self._pay(backend, request, Call(request.method, request.url), {})
                    if submission.outcome != "accepted" or answer is None:
                        return submission
                    handle, reading = {**order.names, **submission.handle, **step.handle}, submission.reading
                    doing = "handing over what was ordered"
                else:
                    answer = await self._free(backend, step, order.names, doing=doing)
                step = self._next(backend, partial(flow.send, answer), doing)
        except StopIteration as end:
            return Submission("accepted", {**order.names, **(handle or {}), **end.value}, reading)
        except Exception as error:  # noqa: BLE001 - whatever breaks, what was paid is not forgotten
            if handle is not None:
                return Submission("accepted", handle, reading)
            return Submission("never_sent", {}, error=_before_paid(backend, error))
        finally:
            flow.close()

    # ---------------------------------------------------------------------------------------- looking, free of charge

    async def poll(self, backend: Backend, handle: Mapping[str, str]) -> Reading:
        """Look once at a job."""
        backend = backend.speaking(handle)
        provider = backend.provider
        assert provider.poll is not None

        def says(response: HttpResponse) -> bool:
            failed = response.status // 100 in (4, 5)
            return provider.believes_body and failed and _wire.has_word(provider, _wire.parse_or_none(response))

        response = await self._question(backend, provider.poll, handle, doing="polling", final=says, json_wanted=True)
        return self._read(backend, response)

    async def lookup(self, backend: Backend, sought: Sought) -> Listed | None:
        """Look once for a job whose answer never came; `None`: the answer does not tell.

        Raises:
            ProviderError: There is no answer, which says nothing of the job.

        """
        backend = backend.speaking(sought.names)
        lookup = backend.provider.lookup
        assert lookup is not None
        names = {**sought.names, "attempt": sought.attempt, "since_s": str(int(sought.since_s))}
        doing = "looking for an order"

        def none_there(response: HttpResponse) -> bool:
            return response.status == NOT_FOUND and not lookup.jobs

        answer = await self._question(backend, lookup.call, names, doing=doing, final=none_there, json_wanted=True)
        if _wire.refused(backend.provider, _wire.parse_or_none(answer)) and not none_there(answer):
            raise self._error(backend, answer, accepted=None, doing=doing)
        return _lookup.read(backend.provider, lookup, sought, answer)

    async def watch(self, backend: Backend, handle: Mapping[str, str]) -> AsyncIterator[Reading]:
        """Readings as the provider pushes them; ends when the stream does, whatever the job's state."""
        backend = backend.speaking(handle)
        stream = backend.provider.stream
        assert stream is not None
        if isinstance(stream, Socket):
            async with aclosing(self._over_socket(backend, stream, handle)) as telling:
                async for told in telling:
                    yield told
            return
        request = _build.call_request(backend.provider, stream, handle, nonce=self._nonce())
        request = replace(request, headers={**request.headers, "accept": "text/event-stream"})
        request = await self._credentials.signed(backend, request)
        try:
            async with _watchdog.streamed(self._transport, request, STREAM_TIMEOUTS) as answer:
                if answer.status // 100 != 2:  # noqa: PLR2004
                    return
                said, reading = "", None
                async for data in _events(answer):
                    if reading is None or data != said:  # most of them say the same again
                        said, reading = data, self._read(backend, HttpResponse(answer.status, {}, data.encode()))
                    yield reading
                    if reading.state.is_terminal:
                        return
        except (SendError, ValueError):
            return  # the caller polls instead

    async def _over_socket(
        self, backend: Backend, socket: Socket, handle: Mapping[str, str]
    ) -> AsyncGenerator[Reading, None]:
        """What a websocket tells of a job, beside what a look shows: at the beginning, where it says that there is
        something to see, and after every silence. It tells nothing twice: what was missed is looked for.
        """
        request = await self._credentials.signed(
            backend, _build.call_request(backend.provider, Call("GET", socket.url), handle)
        )
        reading, done = None, None
        async with aclosing(_sockets.messages(request)) as messages:
            async for message in messages:
                if isinstance(message, bytes):
                    if socket.preview is not None and (picture := socket.preview(message)) is not None:
                        yield Reading(State.RUNNING, progress=done, preview=picture)
                    continue
                said = None if message is None else socket.read(message, handle)
                if reading is None or message is None or said is True:
                    reading = await self.poll(backend, handle)
                    yield reading
                    if reading.state.is_terminal:
                        return
                elif said is not None:
                    done = float(said)
                    yield Reading(State.RUNNING, progress=done)

    async def result(
        self, backend: Backend, endpoint: Endpoint, handle: Mapping[str, str], reading: Reading
    ) -> Delivery | None:
        """The answer of a job whose state is succeeded; `None` where what must be waited for next is not there yet.

        Raises:
            JobFailedError, ContentPolicyError: The result says that it failed after all.

        """
        try:
            return await self._delivery(backend.speaking(handle), endpoint, dict(handle), reading)
        except ProviderError as error:
            error.message = scrub(error.message, self._credentials.secrets_of(backend))
            error.args = (error.message,)
            raise

    async def _delivery(
        self, backend: Backend, endpoint: Endpoint, names: dict[str, str], reading: Reading
    ) -> Delivery | None:
        body, content = reading.body, reading.content
        for stage in backend.provider.follow:
            names |= _wire.capture(backend.provider, stage.needs, body)
            response = await self._follow(backend, stage, names)
            body, content = _wire.parse_or_none(response), b"" if _wire.is_json(response) else response.body
            if stage.status is not None:
                now = _wire.read_status(backend.provider, body, stage.status)
                if now.error is not None:
                    raise now.error
                if now.state is not State.SUCCEEDED:
                    return None
        delivery = read_result(backend.provider, endpoint, body, names, content)
        if delivery.charged_usd is None and reading.charged_usd is not None:
            delivery = replace(delivery, charged_usd=reading.charged_usd)
        return delivery

    async def _follow(self, backend: Backend, stage: Follow, names: Mapping[str, str]) -> HttpResponse:
        provider = backend.provider

        def is_final(response: HttpResponse) -> bool:
            return _wire.code_of(provider, _wire.parse_or_none(response))[1] is not None

        doing = "fetching the result"
        request = _build.call_request(provider, stage.call, names, nonce=self._nonce())
        response = await self._ask(backend, request, doing=doing, final=is_final, json_wanted=True)
        if response.status // 100 != 2:  # noqa: PLR2004
            raise self._error(backend, response, accepted=True, doing=doing, of_job=True)
        if _wire.is_json(response) and _wire.refused(provider, _wire.parse_or_none(response)):
            raise self._error(backend, response, accepted=True, doing=doing, of_job=True)
        return response

    async def cancel(self, backend: Backend, handle: Mapping[str, str]) -> bool:
        """Ask the provider once to stop; whether it did shows at the next poll. `False`: it cannot, or is too late."""
        backend = backend.speaking(handle)
        if backend.provider.cancel is None:
            return False

        def too_late(response: HttpResponse) -> bool:
            return response.status in (400, 404, 409)

        response = await self._question(
            backend, backend.provider.cancel, handle, doing="canceling", final=too_late, attempts=1
        )
        return response.status // 100 == 2  # noqa: PLR2004

    async def probe(self, backend: Backend) -> str:
        """Ask the call that costs nothing whether the key works; returns the HTTP status in words, or raises."""
        assert backend.provider.probe is not None
        await self.ask(backend, backend.provider.probe, {}, doing="checking the key")
        return "the key works"

    async def ask(self, backend: Backend, call: Call, names: Mapping[str, str], *, doing: str) -> JsonValue:
        """One of the provider's calls that cost nothing: its answer as JSON."""
        return _wire.parse_or_none(await self.answer(backend, call, names, doing=doing))

    async def answer(self, backend: Backend, call: Call, names: Mapping[str, str], *, doing: str) -> HttpResponse:
        """One of the provider's calls that cost nothing: its answer as it came."""
        request = _build.call_request(backend.provider, call, names, nonce=self._nonce())
        answer = await self._ask(backend, request, doing=doing)
        if _wire.is_json(answer) and _wire.refused(backend.provider, _wire.parse_or_none(answer)):
            raise self._error(backend, answer, accepted=True, doing=doing)
        return answer

    async def refusal(self, backend: Backend, names: Mapping[str, str]) -> HttpResponse:
        """What an endpoint says to an order that cannot be taken (`Provider.refused`), asked once.

        Raises:
            ProviderError: It could not be asked: no answer, or one that says nothing of the endpoint.

        """
        backend = backend.speaking(names)
        call = backend.ordering(names)
        assert backend.provider.refused is not None
        assert isinstance(call, Call)
        request = _build.call_request(backend.provider, replace(call, body=None), names, nonce=self._nonce())
        request = replace(request, json=backend.provider.refused)
        final = (400, 404, 410, 422)
        return await self._ask(
            backend, request, doing="probing", final=lambda answer: answer.status in final, attempts=1
        )

    def _read(self, backend: Backend, response: HttpResponse) -> Reading:
        """Read a status; what it says of an error is read again with every secret blanked."""
        try:
            reading = _wire.read_poll(backend.provider, response)
            if reading.error is None:
                return reading
        except ProviderError:
            pass
        return _wire.read_poll(backend.provider, self._credentials.scrubbed(backend, response))

    # ------------------------------------------------------------------------------------------------ moving files

    async def upload(self, backend: Backend, source: UploadSource, names: Mapping[str, str] | None = None) -> str:
        """Hand a local input to the provider, its own way; returns what stands for it in the body."""
        backend = backend.speaking(names or {})
        assert backend.provider.upload is not None
        return str(await self._driven(backend, backend.provider.upload(source), names, doing="uploading an input"))

    @staticmethod
    async def inline(source: UploadSource) -> str:
        """A local input as base64, for the body of a request."""
        raw = await asyncio.to_thread(Path(source.path).read_bytes)
        return base64.b64encode(raw).decode()

    @asynccontextmanager
    async def download(
        self, backend: Backend, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Stream, None]:
        """Open an output file. The credential goes along only to the provider's own origins; redirects never carry
        it.
        """
        request = HttpRequest("GET", url, headers or {}, trusted=backend.trusts(url))
        async with self._hop(backend, request, MAX_REDIRECTS) as stream:
            yield replace(stream, chunks=paced(stream.chunks, self._clock))

    @asynccontextmanager
    async def _hop(self, backend: Backend, request: HttpRequest, hops: int) -> AsyncGenerator[Stream, None]:
        async with _watchdog.streamed(
            self._transport, await self._credentials.signed(backend, request), DEFAULT_TIMEOUTS
        ) as stream:
            if stream.status not in (301, 302, 303, 307, 308):
                yield stream
                return
            target = _target(request.url, stream.headers.get("location", ""))
        if hops == 0 or not target:
            raise SendError(f"a redirect to {origin(target) or 'nowhere'} is not followed", sent=False)
        async with self._hop(backend, replace(request, url=target, trusted=False), hops - 1) as stream:
            yield stream


def _before_paid(backend: Backend, error: Exception) -> ProviderError:
    """What broke before anything was paid, as an error of a provider."""
    if not isinstance(error, ProviderError):
        said = str(error) if isinstance(error, AggregatorError) else type(error).__name__
        error = ResponseFormatError(
            f"{backend.provider.name} was not asked: the purchase broke off before it ({said})",
            provider=backend.provider.name,
        )
    error.accepted = False
    return error


def _keyed(provider: Provider, request: HttpRequest, idempotency_key: str | None) -> HttpRequest:
    """The paid request with the key by which the provider knows it again."""
    if not idempotency_key or not provider.idempotency_header:
        return request
    return replace(request, headers={**request.headers, provider.idempotency_header: idempotency_key})


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
