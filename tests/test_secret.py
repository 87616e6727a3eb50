"""A key shows itself nowhere but in the header: not in text, errors, tracebacks, events or spans, whoever echoes it."""

import base64
import copy
import json
import pickle
import traceback
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from aggregator.errors import ProviderError
from aggregator.secret import BLANK, Secret, SecretHeaders, scrub
from tests.providers.fal.harness import IMAGES, Fal, running
from tests.providers.fal.server import KEY, Answer

PARTS = KEY.split(":")
ENCODED = base64.b64encode(KEY.encode()).decode()


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    async with running() as it:
        yield it


def shows(text: str) -> bool:
    """Whether any form of the key, or a good piece of one, is in the text."""
    pieces = [part[:12] for part in (*PARTS, ENCODED)]
    return any(piece in text for piece in pieces)


# ------------------------------------------------------------------------------------------------------------ itself


def test_a_secret_shows_itself_in_no_text() -> None:
    secret = Secret(KEY)
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>80}", f"{secret:>80}", f"{[secret]}"):
        assert BLANK in text
        assert not shows(text)
    assert not shows("%s" % secret)  # noqa: UP031  an old logger's way
    assert secret.reveal() == KEY


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
def test_a_secret_is_not_written_or_copied(way: Any) -> None:
    with pytest.raises(TypeError) as caught:
        way(Secret(KEY))
    assert not shows(str(caught.value))


def test_the_account_tells_keys_apart_and_tells_nothing_of_them() -> None:
    assert Secret(KEY).account == Secret(KEY).account != Secret(KEY + "x").account
    assert len(Secret(KEY).account) == 16
    assert not shows(Secret(KEY).account)


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        PARTS[0],
        PARTS[1],
        quote(KEY, safe=""),
        ENCODED,
        f"Authorization: Key {KEY}",
        f"twice {KEY} and {KEY}",
    ],
)
def test_every_form_is_blanked(echo: str) -> None:
    text = scrub(f"you sent {echo}!", (Secret(KEY),))
    assert not shows(text)
    assert text.startswith("you sent ")
    assert text.endswith("!")


def test_a_key_with_odd_ends_or_slashes_is_blanked() -> None:
    assert "abcdef" not in scrub("b'Key abcdefgh\\n'", (Secret("abcdefgh\n"),))
    assert "abcdef" not in scrub(r"abcdef\/ghijkl", (Secret("abcdef/ghijkl"),))


def test_short_parts_do_not_blank_words() -> None:
    assert scrub("the id of it", (Secret("id:0123456789"),)) == "the id of it"


def test_headers_show_their_names_only() -> None:
    headers = SecretHeaders({"Authorization": f"Key {KEY}"})
    assert repr(headers) == "SecretHeaders(Authorization)"
    assert headers["Authorization"] == f"Key {KEY}"


# ----------------------------------------------------------------------------------- through everything that can echo


def written(error: BaseException) -> str:
    """Everything a logger may write of an error: text, attributes, pickle and traceback."""
    lines = traceback.format_exception(error)
    return "\n".join([str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error)), *lines])


def with_locals(error: BaseException) -> str:
    """The traceback with the local variables of every frame of ours; the test's own frame is left out."""
    assert error.__traceback__ is not None
    inside = error.__traceback__.tb_next
    return "".join(traceback.TracebackException(type(error), error, inside, capture_locals=True).format())


PADDED = "x" * 470 + f" {KEY}"  # the message is cut in the middle of the key
BODIES: list[Any] = [
    {"detail": f"bad key {KEY}"},
    {"detail": PADDED},
    {"detail": f"bad id {PARTS[0]}"},
    {"detail": [{"msg": f"bad {ENCODED}", "type": KEY}]},
    {"detail": "x", "error_type": KEY},
    f"<html>{KEY}</html>".encode(),
    {"status": KEY},
    {"status": "COMPLETED", "error": f"{PADDED}", "error_type": KEY},
    {"request_id": [KEY]},
]


@pytest.mark.parametrize("status", [200, 400, 401, 422, 500])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_an_answer_that_echoes_the_key_does_not_bring_it_into_an_error(
    status: int, body: Any, fal: Fal, capfd: pytest.CaptureFixture[str]
) -> None:
    echo = Answer(status, body, {"x-fal-request-id": KEY})
    handle = await fal.handle(status=[echo] * 6, result=[echo] * 6)
    reading = await fal.engine.poll(fal.backend, await fal.handle())
    found: list[BaseException] = []
    try:
        looked = await fal.engine.poll(fal.backend, handle)
        found += [looked.error] if looked.error else []
        assert looked.error is None or not shows(repr(looked))
    except ProviderError as error:
        found.append(error)
    try:
        await fal.engine.result(fal.backend, IMAGES, handle, reading)
    except ProviderError as error:
        found.append(error)
    fal.server.script(submit=[echo])
    submission = await fal.submit()
    assert submission.error is not None
    found.append(submission.error)
    assert len(found) >= 2
    for error in found:
        assert not shows(written(error)), error
    assert not shows(repr(submission))
    assert not shows("".join(capfd.readouterr()))


async def test_a_stream_that_echoes_the_key_does_not_either(fal: Fal) -> None:
    event = f"data: {json.dumps({'status': 'COMPLETED', 'error': PADDED})}\n\n".encode()
    handle = await fal.handle(stream=[Answer(body=event, headers={"content-type": "text/event-stream"})])
    readings = [one async for one in fal.engine.watch(fal.backend, handle)]
    assert len(readings) == 1
    assert not shows(repr(readings))


async def test_a_transport_that_breaks_does_not_show_the_headers(fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(fault="drop")] * 6)
    with pytest.raises(ProviderError) as looked:
        await fal.engine.poll(fal.backend, handle)
    fal.server.answers["file"].append(Answer(fault="drop"))
    with pytest.raises(Exception) as downloaded:
        async with fal.engine.download(fal.backend, f"{fal.server.url}/files/out.png"):
            pass
    assert fal.server.got("GET", "/files")[0].headers["authorization"] == f"Key {KEY}"
    for caught in (looked.value, downloaded.value):
        assert "request = " in with_locals(caught)
        assert not shows(with_locals(caught))


async def test_a_backend_and_what_it_signs_show_no_key(fal: Fal) -> None:
    assert not shows(repr(fal.backend))
    assert not shows(repr(await fal.submit()))
