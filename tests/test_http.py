"""The transport and the downloads: limits, redirects, connections, and what certainly did not leave."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator import _http, errors
from aggregator._http import HttpxTransport, SendError, Timeouts, origin
from aggregator.contract import Body, HttpRequest
from tests.providers.fal.harness import Fal, running
from tests.providers.fal.server import PNG, Answer, FalServer

HERE = "127.0.0.1"
QUICK = Timeouts(connect_s=0.1, read_s=0.1, write_s=0.1)


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    async with running() as it:
        yield it


async def downloaded(fal: Fal, url: str) -> bytes:
    async with fal.engine.download(fal.backend, url) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, b"", {"location": location})


# ----------------------------------------------------------------------------------------------------------- origins


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example:443/a?b#c", "https://api.example"),
        ("http://api.example:80", "http://api.example"),
        ("https://api.example:80/", "https://api.example:80"),
        ("https://user:word@api.example/", "https://api.example"),
        ("https://api.example@evil.example/", "https://evil.example"),
        ("https://api.example.evil.example/", "https://api.example.evil.example"),
        ("https://api.example:0/", "https://api.example:0"),
        ("https://api.example:port/", ""),
        ("https://[::1", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


# ------------------------------------------------------------------------------------------------------------ answers


async def test_an_answer_longer_than_the_limit_is_refused(fal: Fal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "MAX_ANSWER_BYTES", 1000)
    for size, fits in ((1000, True), (1001, False)):
        fal.server.answers["file"].append(Answer(body=b"x" * size))
        request = HttpRequest("GET", f"{fal.server.cdn_url}/files/out.png", own_host=HERE)
        if fits:
            assert len((await fal.transport.send(request)).body) == size
        else:
            with pytest.raises(SendError, match="longer than 1000 bytes") as caught:
                await fal.transport.send(request)
            assert caught.value.sent is None


async def test_an_answer_to_a_submit_that_is_too_long_is_unknown(fal: Fal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "MAX_PAID_ANSWER_BYTES", 100)
    submission = await fal.submit()
    assert submission.outcome == "unknown"
    assert fal.server.book()["accepted"] == 1


@pytest.mark.parametrize("fault", ["drop", "truncate", "hang"])
async def test_what_breaks_after_sending_may_have_arrived(fault: str, fal: Fal) -> None:
    fal.server.answers["file"].append(Answer(body=b"abc", fault=fault))
    request = HttpRequest("GET", f"{fal.server.cdn_url}/files/out.png", own_host=HERE)
    with pytest.raises(SendError) as caught:
        await fal.transport.send(request, timeouts=QUICK)
    assert caught.value.sent is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://127.0.0.1:port/", "http://[", "nothing", "http://a\n.b/"])
async def test_an_address_that_is_none_never_leaves(url: str) -> None:
    transport = HttpxTransport()
    with pytest.raises(SendError) as caught:
        await transport.send(HttpRequest("GET", url))
    assert caught.value.sent is False
    await transport.aclose()


@pytest.mark.parametrize("json", [{"a": "\ud800"}, {"a": 0, "b": False}])
async def test_a_body_that_cannot_be_written_never_leaves(json: dict[str, object], fal: Fal) -> None:
    request = HttpRequest("POST", f"{fal.server.url}/a/b", own_host=HERE, json=json)  # type: ignore[arg-type]
    if "b" in json:
        await fal.transport.send(request)
        assert fal.server.seen[0].body == b'{"a":0,"b":false}'
    else:
        with pytest.raises(SendError) as caught:
            await fal.transport.send(request)
        assert caught.value.sent is False
        assert fal.server.seen == []


async def test_a_file_is_sent_piece_by_piece_with_its_length(fal: Fal, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(range(256)) * 4096)
    request = HttpRequest("POST", f"{fal.server.url}/a/b", own_host=HERE, content=Body(str(path), 2**20))
    await fal.transport.send(request)
    (seen,) = fal.server.seen
    assert seen.headers["content-length"] == str(2**20)
    assert "transfer-encoding" not in seen.headers
    assert seen.body == path.read_bytes()


async def test_a_file_that_has_shrunk_may_have_arrived(fal: Fal, tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(b"abc")
    request = HttpRequest("POST", f"{fal.server.url}/a/b", own_host=HERE, content=Body(str(path), 10))
    with pytest.raises(SendError) as caught:
        await fal.transport.send(request)
    assert caught.value.sent is None


async def test_nothing_of_the_environment_or_of_other_answers_goes_along(
    fal: Fal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    fal.server.answers["file"].append(Answer(body=b"x", headers={"set-cookie": "a=b"}))
    for _ in range(2):
        await fal.transport.send(HttpRequest("GET", f"{fal.server.url}/files/out.png", own_host=HERE))
    first, second = fal.server.seen
    assert "cookie" not in second.headers
    assert first.headers["user-agent"].startswith("aggregator/")
    assert first.headers["accept-encoding"] == "identity"
    assert first.connection == second.connection


async def test_many_requests_at_once_do_not_wait_for_each_other(fal: Fal) -> None:
    handles = [await fal.handle() for _ in range(3)]
    await asyncio.gather(*(fal.engine.poll(fal.backend, handle) for handle in handles * 40))
    assert len(fal.server.got("GET")) == 120


# ---------------------------------------------------------------------------------------------- downloads, redirects


async def test_a_file_of_the_providers_own_is_asked_for_with_the_credential(fal: Fal) -> None:
    assert await downloaded(fal, f"{fal.server.url}/files/out.png") == PNG
    assert await downloaded(fal, f"{fal.server.cdn_url}/files/out.png") == PNG
    own, cdn = fal.server.got("GET")
    assert own.headers["authorization"] == f"Key {fal.server.key}"
    assert "authorization" not in cdn.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_without_the_credential(status: int, fal: Fal) -> None:
    fal.server.answers["file"].extend([redirect("/files/a", status), redirect(f"{fal.server.url}/files/b", status)])
    assert await downloaded(fal, f"{fal.server.url}/files/out.png") == b""
    first, second, third = fal.server.got("GET")
    assert "authorization" in first.headers
    assert "authorization" not in second.headers
    assert "authorization" not in third.headers
    assert (second.path, third.path) == ("/files/a", "/files/b")


async def test_three_redirects_are_followed_and_a_fourth_is_not(fal: Fal) -> None:
    fal.server.answers["file"].extend([redirect("/files/out.png")] * 3)
    assert await downloaded(fal, f"{fal.server.cdn_url}/files/out.png") == PNG
    fal.server.answers["file"].extend([redirect("/files/out.png")] * 4)
    with pytest.raises(SendError, match="is not followed") as caught:
        await downloaded(fal, f"{fal.server.cdn_url}/files/out.png")
    assert caught.value.sent is False
    assert len(fal.server.got("GET")) == 8


@pytest.mark.parametrize(
    "location", ["", "ftp://127.0.0.1/x", "file:///etc/passwd", "data:,x", "http://[", "javascript:1"]
)
async def test_a_redirect_to_nowhere_is_not_followed(location: str, fal: Fal) -> None:
    fal.server.answers["file"].append(redirect(location))
    with pytest.raises(SendError, match="is not followed"):
        await downloaded(fal, f"{fal.server.cdn_url}/files/out.png")
    assert len(fal.server.got("GET")) == 1


def test_a_redirect_does_not_leave_https() -> None:
    from aggregator.engine import _target

    assert _target("https://a.example/x", "/y") == "https://a.example/y"
    assert _target("https://a.example/x", "https://b.example/y") == "https://b.example/y"
    assert _target("https://a.example/x", "http://a.example/x") == ""
    assert _target("HTTPS://a.example/x", "HTTP://a.example/x") == ""
    assert _target("https://a.example/x", "//b.example/y") == "https://b.example/y"
    assert _target("http://a.example/x", "https://a.example/x") == "https://a.example/x"


async def test_a_redirect_of_a_look_is_not_followed(fal: Fal) -> None:
    handle = await fal.handle(status=[redirect(f"{fal.server.cdn_url}/files/out.png")])
    with pytest.raises(errors.ProviderError) as caught:
        await fal.engine.poll(fal.backend, handle)
    assert caught.value.status_code == 302
    assert len(fal.server.got("GET")) == 1


async def test_a_broken_download_is_seen(fal: Fal) -> None:
    fal.server.answers["file"].append(Answer(body=b"abc", fault="truncate"))
    with pytest.raises(SendError) as caught:
        await downloaded(fal, f"{fal.server.cdn_url}/files/out.png")
    assert caught.value.sent is None


async def test_raw_bytes_are_handed_over_and_compression_is_left_visible(fal: Fal) -> None:
    fal.server.answers["file"].append(Answer(body=b"\x1f\x8bnot gzip", headers={"content-encoding": "gzip"}))
    async with fal.engine.download(fal.backend, f"{fal.server.cdn_url}/files/out.png") as stream:
        assert stream.headers["content-encoding"] == "gzip"
        assert [chunk async for chunk in stream.chunks] == [b"\x1f\x8bnot gzip"]


async def test_an_answer_with_a_broken_compression_may_have_arrived(fal: Fal) -> None:
    fal.server.script(submit=[Answer(body=b"\x1f\x8bnot gzip", headers={"content-encoding": "gzip"})])
    assert (await fal.submit()).outcome == "unknown"


async def test_two_servers_are_two_origins() -> None:
    with FalServer() as one, FalServer() as other:
        assert len({one.url, one.cdn_url, other.url, other.cdn_url}) == 4


async def test_an_application_is_reached_without_a_socket() -> None:
    async def app(scope: dict[str, object], _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": str(scope["path"]).encode()})  # type: ignore[operator]

    transport = HttpxTransport({"http://local.invalid": app})
    for fresh in (True, False):
        answer = await transport.send(HttpRequest("GET", "http://local.invalid/v1/x"), fresh=fresh)
        assert (answer.status, answer.body) == (200, b"/v1/x")
    await transport.aclose()


async def test_a_request_of_ours_is_not_changed_by_signing(fal: Fal) -> None:
    request = HttpRequest("GET", f"{fal.server.url}/files/out.png", {"x-a": "b"}, own_host=HERE)
    signed = await fal.engine._credentials.signed(fal.backend, request)
    assert request.headers == {"x-a": "b"}
    assert signed == replace(request, headers={"x-a": "b", "Authorization": f"Key {fal.server.key}"})
