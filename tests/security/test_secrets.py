"""A traceback with the local variables of every frame shows no key: not of a paid call that fails, nor of one that is
given up.
"""

import asyncio
import base64
import copy
import json
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import asdict, replace
from typing import Any

import pytest

from aggregator._http import SendError
from aggregator.contract import Auth, HttpRequest, HttpResponse
from aggregator.errors import ProviderError
from aggregator.secret import BLANK, Secret, SecretHeaders, echoes, scrub
from tests.providers.fal.harness import Fal, running
from tests.providers.fal.server import KEY, Answer


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    async with running() as it:
        yield it


def told(error: BaseException) -> str:
    """All that a reporter of crashes can find: every frame but the test's own, with its variables, down every cause and
    every context, whether it is shown or not.
    """
    seen: list[str] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame.f_code.co_filename != __file__:
                seen += [frame.f_code.co_name, *map(repr, frame.f_locals.values())]
        seen += [repr(one), repr(vars(one))]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(seen)


def shows(text: str) -> list[str]:
    return [form for form in echoes(KEY) if form in text]


@pytest.mark.parametrize("fault", ["drop", "truncate"])
async def test_a_paid_call_that_breaks(fault: str, fal: Fal) -> None:
    fal.server.script(submit=[Answer(fault=fault)])
    submission = await fal.submit()
    assert submission.outcome == "unknown"
    assert submission.error is not None
    assert f"Key {KEY}" == fal.server.seen[0].headers["authorization"]
    assert not shows(told(submission.error) + repr(submission))


@pytest.mark.parametrize("wait", ["cancel", "timeout"])
async def test_a_paid_call_that_is_given_up(wait: str, fal: Fal) -> None:
    fal.server.script(submit=[Answer(fault="hang")])
    task = asyncio.create_task(fal.submit())
    while not fal.server.seen:
        await asyncio.sleep(0)
    if wait == "cancel":
        task.cancel()
    with pytest.raises((asyncio.CancelledError, TimeoutError)) as caught:
        await asyncio.wait_for(task, 0.01)
    text = told(caught.value)
    assert "exchange" in text  # it was deep inside
    assert not shows(text)


async def test_a_call_that_is_given_up_while_its_answer_arrives(fal: Fal) -> None:
    fal.server.answers["file"].append(Answer(body=b"abc", fault="hang"))

    async def read() -> None:
        async with fal.engine.download(fal.backend, f"{fal.server.url}/files/out.png") as stream:
            async for _ in stream.chunks:
                pass

    task = asyncio.create_task(read())
    while not fal.server.seen:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert not shows(told(caught.value))


async def test_a_key_that_cannot_be_exchanged(fal: Fal) -> None:
    def exchange(key: str, _now: float) -> Generator[HttpRequest, HttpResponse, tuple[str, float]]:
        answer = yield HttpRequest("POST", f"{fal.server.cdn_url}/token", json={"assertion": key}, trusted=False)
        return answer.body.decode(), 0.0

    table = replace(fal.backend.provider, auth=Auth(env=("FAL_KEY",), token=exchange))
    submission = await fal.engine.submit(replace(fal.backend, provider=table), {}, {"endpoint": "a/b"})
    assert submission.outcome == "never_sent"
    assert isinstance(submission.error, ProviderError)
    text = told(submission.error)
    assert "_driven" in text
    assert not shows(text)


async def test_a_header_that_cannot_be_written(fal: Fal) -> None:
    backend = replace(fal.backend, secret=Secret(f"{KEY}\n"))
    submission = await fal.engine.submit(backend, {}, {"endpoint": "a/b"})
    assert submission.outcome == "never_sent"
    assert submission.error is not None
    assert not shows(told(submission.error))


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_headers_with_a_key_are_not_copied(way: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        way(SecretHeaders({"authorization": KEY}))


def test_a_request_and_an_answer_show_no_key_and_no_signed_address() -> None:
    request = HttpRequest(
        "PUT", f"https://cdn.example.com/a.png?X-Amz-Signature={KEY}", SecretHeaders({"a": KEY}), json={"key": KEY}
    )
    assert repr(request) == "<HttpRequest PUT https://cdn.example.com/a.png>"
    assert not shows(repr([request, HttpResponse(200, {"a": KEY}, KEY.encode())]))
    assert not shows(repr(asdict(replace(request, url="", json=None))))


@pytest.mark.parametrize("before", ["", "u:", "us:", "user:"])
@pytest.mark.parametrize("after", ["", ":", ":x", "\n"])
def test_a_key_in_base64_is_blanked_wherever_it_begins(before: str, after: str) -> None:
    key = "sk-Abc>>>ghi???0123456789"
    for coded in (base64.b64encode, base64.urlsafe_b64encode):
        text = coded(f"{before}{key}{after}".encode()).decode()
        blanked = scrub(text, (Secret(key),))
        assert BLANK in blanked
        assert len(blanked) - len(BLANK) <= 12


def test_a_key_in_hexadecimal_and_in_json_is_blanked() -> None:
    key = 'ke"y\\with/odd"signs'
    for text in (key.encode().hex(), json.dumps(key), json.dumps({"a": key})):
        assert BLANK in scrub(text, (Secret(key),))


async def test_an_address_that_cannot_be_read_is_not_repeated(fal: Fal) -> None:
    with pytest.raises(SendError) as caught:
        await fal.transport.send(HttpRequest("GET", f"https://files.example.com:{KEY}/"))
    assert not shows(str(caught.value))
