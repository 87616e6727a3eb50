"""The paid request and the free ones: what is sent how often, and what is made of every way they can end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from aggregator import engine as engine_module
from aggregator import errors
from aggregator._http import SendError, Timeouts
from aggregator.backend import Backend
from aggregator.contract import Call, Codes, HttpRequest, Refusal, State
from aggregator.engine import Engine
from aggregator.errors import ProviderError
from tests.providers.fal.harness import Fal, running
from tests.providers.fal.server import Answer

QUICK = Timeouts(connect_s=0.15, read_s=0.15, write_s=0.15)
TAKEN = {"request_id": "r-1", "status_url": "http://x/s", "response_url": "http://x/r", "cancel_url": "http://x/c"}


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    async with running() as it:
        yield it


# ------------------------------------------------------------------------------------------ never sent: nothing left


async def never_sent(fal: Fal, url: str) -> ProviderError:
    backend = replace(fal.backend, provider=replace(fal.backend.provider, base_url=url))
    submission = await fal.engine.submit(backend, {"prompt": "a fox"}, {"endpoint": "a/b"})
    assert submission.outcome == "never_sent"
    assert submission.handle == {}
    assert type(submission.error) is errors.UnavailableError
    assert submission.error.accepted is False
    return submission.error


async def test_a_refused_connection_is_never_sent(fal: Fal) -> None:
    with socket.socket() as bound:  # bound, and not listening
        bound.bind(("127.0.0.1", 0))
        error = await never_sent(fal, f"http://127.0.0.1:{bound.getsockname()[1]}")
    assert "ConnectError" in str(error)


async def test_a_name_that_does_not_resolve_is_never_sent(fal: Fal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fails)
    await never_sent(fal, "http://nowhere.invalid")


async def test_a_name_that_cannot_exist_is_never_sent(fal: Fal) -> None:
    await never_sent(fal, f"http://{'a' * 70}.invalid")


async def test_a_connection_that_is_not_answered_is_never_sent(fal: Fal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "PAID_TIMEOUTS", QUICK)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # a queue of one place, which is taken
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        error = await never_sent(fal, f"http://127.0.0.1:{full.getsockname()[1]}")
    assert "ConnectTimeout" in str(error)


@pytest.mark.parametrize("key", ["key-with\nnewline-in-it", "key-with-ümlaut-in-it"])
async def test_a_key_that_http_cannot_carry_is_never_sent_and_not_shown(key: str, fal: Fal) -> None:
    backend = replace(fal.backend, secret=type(fal.backend.secret)(key))
    submission = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
    assert submission.outcome == "never_sent"
    assert submission.error is not None
    assert "with" not in str(submission.error)
    assert fal.server.seen == []


# -------------------------------------------------------------------------------------- unknown: it may have been taken


@pytest.mark.parametrize(
    "answer",
    [
        Answer(fault="drop", taken=True),
        Answer(fault="drop", taken=False),
        Answer(fault="hang", taken=True),
        Answer(body=TAKEN, fault="truncate"),
        Answer(body=b'{"request_id": "r-1", "stat'),
        Answer(body=b"<html>all is well</html>"),
        Answer(body=b"[" * 100_000),
        Answer(body=b""),
        Answer(body={}),
        Answer(body=[TAKEN]),
        Answer(body={**TAKEN, "request_id": ""}),
        Answer(body={**TAKEN, "request_id": ".."}),
        Answer(body={**TAKEN, "request_id": None}),
        Answer(body={**TAKEN, "request_id": {"id": 1}}),
        *[Answer(status, {"detail": "?"}) for status in (204, 301, 307, 408, 409, 425, 499, 500, 502, 503, 504, 529)],
    ],
    ids=lambda answer: f"{answer.status}-{answer.fault or str(answer.body)[:24]}",
)
async def test_an_ambiguous_submit_is_unknown_and_sent_once(
    answer: Answer, fal: Fal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "PAID_TIMEOUTS", QUICK)
    fal.server.script(submit=[answer])
    submission = await fal.submit()
    assert submission.outcome == "unknown"
    assert submission.handle == {}
    assert isinstance(submission.error, ProviderError)
    assert submission.error.accepted is None
    assert not isinstance(submission.error, errors.JobFailedError)
    assert "again" not in str(submission.error)
    assert len(fal.server.submits) == 1
    assert fal.clock.slept == []


# ------------------------------------------------------------------------------------------ rejected: a definite no


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (402, errors.QuotaError),
        (403, errors.AuthenticationError),
        (404, errors.InvalidRequestError),
        (405, errors.InvalidRequestError),
        (413, errors.InvalidRequestError),
        (415, errors.InvalidRequestError),
        (422, errors.InvalidRequestError),
        (429, errors.RateLimitError),
        (451, errors.ContentPolicyError),
    ],
)
async def test_a_definite_no_is_rejected_and_sent_once(status: int, expected: type[ProviderError], fal: Fal) -> None:
    fal.server.script(submit=[Answer(status, {"detail": "no fox today"})])
    submission = await fal.submit()
    assert submission.outcome == "rejected"
    assert type(submission.error) is expected
    assert (submission.error.accepted, submission.error.status_code) == (False, status)
    assert submission.error.request_id == "gateway-1"
    assert "no fox today" in str(submission.error)
    assert len(fal.server.submits) == 1
    assert fal.server.book()["accepted"] == 0


async def test_a_503_is_a_no_only_where_the_provider_says_so(fal: Fal) -> None:
    backend = replace(fal.backend, provider=replace(fal.backend.provider, never_accepted=frozenset({503})))
    fal.server.script(submit=[Answer(503, {})])
    submission = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
    assert (submission.outcome, submission.error and submission.error.accepted) == ("rejected", False)


@pytest.mark.parametrize(
    ("code", "outcome", "accepted"),
    [(1008, "rejected", False), (1026, "rejected", False), (1001, "unknown", None), (4711, "unknown", None)],
)
async def test_an_error_that_rides_on_200_is_rejected_if_its_code_says_so(
    code: int, outcome: str, accepted: bool | None, fal: Fal
) -> None:
    codes = Codes(("code",), {"1008": "quota", "1026": "content_policy", "1001": "unavailable"})
    provider = replace(fal.backend.provider, refusal=Refusal("code", (0, None)), codes=codes)
    fal.server.script(submit=[Answer(200, {"code": code, "message": "?", **TAKEN}, taken=False)])
    submission = await fal.engine.submit(replace(fal.backend, provider=provider), {}, {"endpoint": "a/b"})
    assert (submission.outcome, submission.error and submission.error.accepted) == (outcome, accepted)


# ------------------------------------------------------------------------------------------------------------ accepted


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_an_accepted_submit_carries_its_handle(status: int, fal: Fal) -> None:
    fal.server.script(submit=[Answer(status, TAKEN)])
    submission = await fal.submit({"prompt": "a fox", "seed": 0, "audio": False})
    assert submission.outcome == "accepted"
    assert submission.error is None
    assert submission.handle["id"] == "r-1"
    assert [one.json for one in fal.server.submits] == [{"prompt": "a fox", "seed": 0, "audio": False}]


async def test_an_idempotency_key_goes_where_the_provider_wants_it(fal: Fal) -> None:
    with_keys = replace(fal.backend.provider, idempotency="replay", idempotency_header="Idempotency-Key")
    for provider in (fal.backend.provider, with_keys):
        await fal.engine.submit(
            replace(fal.backend, provider=provider), {}, {"endpoint": "a/b"}, idempotency_key="attempt-1"
        )
    assert [one.headers.get("idempotency-key") for one in fal.server.submits] == [None, "attempt-1"]


async def test_without_a_poll_the_answer_is_the_reading(fal: Fal) -> None:
    provider = replace(fal.backend.provider, poll=None, submit=Call("POST", "/{endpoint}"))
    backend = replace(fal.backend, provider=provider)
    fal.server.script(submit=[Answer(200, {"status": "COMPLETED"})])
    fal.server.script(submit=[Answer(200, {"status": "WHAT"})])
    done = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
    odd = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
    assert (done.outcome, done.reading and done.reading.state) == ("accepted", State.SUCCEEDED)
    assert (odd.outcome, odd.error and odd.error.accepted) == ("unknown", None)


# ----------------------------------------------------------------------------------------------- fresh connections


async def test_every_paid_request_has_a_connection_of_its_own(fal: Fal) -> None:
    handle = (await fal.submit()).handle
    await fal.engine.poll(fal.backend, handle)
    await fal.submit()
    await fal.engine.poll(fal.backend, handle)
    paid = [one.connection for one in fal.server.submits]
    looks = [one.connection for one in fal.server.got("GET")]
    assert len(set(paid)) == 2
    assert len(set(looks)) == 1  # those are kept alive
    assert not set(paid) & set(looks)


async def test_a_server_that_closes_idle_connections_makes_no_submit_ambiguous(fal: Fal) -> None:
    fal.server.close_idle = True
    outcomes = [(await fal.submit()).outcome for _ in range(20)]
    assert outcomes == ["accepted"] * 20
    assert fal.server.book()["accepted"] == 20
    assert len(fal.server.submits) == 20


# ------------------------------------------------------------------------------------------------ what may be repeated


@pytest.mark.parametrize(
    "answer",
    [
        Answer(fault="drop"),
        Answer(body={"status": "COMPLETED"}, fault="truncate"),
        Answer(body=b'{"status": "COMP'),
        Answer(408, {}),
        Answer(429, {}),
        Answer(500, b"oops"),
        Answer(502, {}),
        Answer(503, {}),
        Answer(504, {}),
    ],
    ids=lambda answer: f"{answer.status}-{answer.fault or answer.body}",
)
async def test_a_look_is_repeated_until_it_is_answered(answer: Answer, fal: Fal) -> None:
    handle = await fal.handle(status=[answer] * 5)
    assert (await fal.engine.poll(fal.backend, handle)).state is State.SUCCEEDED
    assert len(fal.server.got("GET")) == 6
    assert len(fal.clock.slept) == 5
    assert all(0 <= slept <= 0.5 * 2**turn for turn, slept in enumerate(fal.clock.slept))
    assert len(fal.server.submits) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(503, {}), errors.UnavailableError),
        (Answer(429, {}), errors.RateLimitError),
        (Answer(fault="drop"), errors.UnavailableError),
        (Answer(body=b"{"), errors.ResponseFormatError),
    ],
)
async def test_looking_ends(answer: Answer, expected: type[ProviderError], fal: Fal) -> None:
    handle = await fal.handle(status=[answer] * 6)
    with pytest.raises(expected) as caught:
        await fal.engine.poll(fal.backend, handle)
    assert type(caught.value) is expected
    assert caught.value.accepted is True
    assert len(fal.server.got("GET")) == 6


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_a_no_to_a_look_is_not_repeated(status: int, fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(status, {})] * 2)
    with pytest.raises(ProviderError) as caught:
        await fal.engine.poll(fal.backend, handle)
    assert (caught.value.accepted, caught.value.status_code) == (True, status)
    assert len(fal.server.got("GET")) == 1


async def test_the_wait_the_server_asks_for_is_kept(fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(429, {}, {"retry-after": "17"}), Answer(503, {}, {"retry-after": "3.5"})])
    await fal.engine.poll(fal.backend, handle)
    assert fal.clock.slept == [17.0, 3.5]


@pytest.mark.parametrize("value", ["inf", "nan", "-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_wait_that_is_no_number_of_seconds_is_ours(value: str, fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(429, {}, {"retry-after": value})])
    await fal.engine.poll(fal.backend, handle)
    assert len(fal.clock.slept) == 1
    assert 0 <= fal.clock.slept[0] <= 0.5


async def test_a_wait_of_hours_is_left_to_the_caller(fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(429, {}, {"retry-after": "7200"})])
    with pytest.raises(errors.RateLimitError) as caught:
        await fal.engine.poll(fal.backend, handle)
    assert caught.value.retry_after_s == 7200.0
    assert fal.clock.slept == []


# -------------------------------------------------------------------------------------- addresses a provider may name


@pytest.mark.parametrize(
    "address", ["http://[", "http://127.0.0.1:port/", "//evil.example/x", "evil.example", "ftp://127.0.0.1/x", "@evil/"]
)
async def test_an_address_that_is_none_of_ours_gets_nothing(address: str, fal: Fal) -> None:
    fal.server.script(submit=[Answer(body={**TAKEN, "status_url": address})])
    submission = await fal.submit()
    if submission.outcome == "accepted":
        with pytest.raises(errors.ResponseFormatError):
            await fal.engine.poll(fal.backend, submission.handle)
    else:
        assert submission.outcome == "unknown"
    assert fal.server.got("GET") == []


async def test_a_hostile_id_cannot_change_the_path(fal: Fal) -> None:
    provider = replace(
        fal.backend.provider, submit=Call("POST", "/{endpoint}", {"id": "id"}), poll=Call("GET", "/jobs/{id}")
    )
    backend = replace(fal.backend, provider=provider)
    for hostile in ("../x?y", "http://a/../../admin?all=1", "a#b", "a b\r\nx: y", "%2e%2e"):
        fal.server.script(submit=[Answer(body={"id": hostile})])
        submission = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
        with pytest.raises(ProviderError):  # our server knows no such address
            await fal.engine.poll(backend, submission.handle)
    for one in fal.server.got("GET"):
        assert one.path.startswith("/jobs/")
        assert one.path.count("/") == 2
        assert one.query == {}


async def test_a_wrong_table_is_found_before_anything_is_sent(fal: Fal) -> None:
    with pytest.raises(errors.ResponseFormatError, match="status_url"):
        await fal.engine.poll(fal.backend, {})
    with pytest.raises(errors.ResponseFormatError, match="endpoint"):
        await fal.engine.submit(fal.backend, {}, {})
    assert fal.server.seen == []


async def test_the_engine_needs_no_network_of_its_own(fal: Fal) -> None:
    class Dead:
        async def send(self, request: HttpRequest, **_: Any) -> Any:
            assert request.headers["Authorization"] == f"Key {fal.server.key}"
            raise SendError("the cable is out", sent=False)

    engine = Engine(transport=Dead(), clock=fal.clock, rng=Random(0))  # type: ignore[arg-type]
    submission = await engine.submit(Backend(fal.backend.provider, fal.backend.secret), {}, {"endpoint": "a/b"})
    assert submission.outcome == "never_sent"
    assert "the cable is out" in str(submission.error)
