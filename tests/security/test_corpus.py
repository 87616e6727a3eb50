"""Everything in the corpus is blocked, and what is harmless is not."""

from dataclasses import replace

import pytest

from aggregator._addresses import is_public, refusal
from aggregator._http import SendError
from aggregator.errors import ResponseFormatError
from aggregator.runner import fetch
from aggregator.store import files
from aggregator.testing.memory import PNG
from tests.security.corpus import CASES, Case, blocked
from tests.security.range import HOST, PUBLIC, answer, opened, redirect

URL = f"https://{HOST}/a.png"


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.group}: {case.name}"[:80].encode("unicode_escape").decode()
)
def test_it_is_blocked(case: Case) -> None:
    assert blocked(case)


def test_what_gets_through_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    async def through() -> None:
        raise AssertionError("it was asked")

    assert not blocked(Case("addresses", "a hole", through))
    assert "NOT BLOCKED addresses: a hole (it was asked)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["v3.fal.media", "a.b", "xn--bcher-kva.example", "a_b.example.com", "8.8.8.8", "2606:4700::1111", "1.a2"]
)
def test_a_public_host_may_be_asked(host: str) -> None:
    assert refusal("https", host, None, userinfo=False) == ""
    assert refusal("https", host, 443, userinfo=False) == ""
    assert refusal("http", host, None, userinfo=False) != ""


def test_the_users_own_host_is_the_users_choice() -> None:
    for scheme, port in (("http", None), ("http", 8188), ("https", 9443)):
        assert refusal(scheme, "comfy", port, userinfo=False, own_host="comfy") == ""
        assert refusal(scheme, "127.0.0.1", port, userinfo=False, own_host="127.0.0.1") == ""
    assert refusal("http", "comfy", None, userinfo=True, own_host="comfy") != ""
    assert refusal("ftp", "comfy", None, userinfo=False, own_host="comfy") != ""
    assert refusal("http", "", None, userinfo=False) != ""


async def test_the_connection_goes_to_the_address_and_the_name_stays() -> None:
    async with opened() as it:
        it.replies.append(answer(PNG))
        assert (await it.ask(URL)).body == PNG
        assert (it.looked_up, it.dialled, it.sni) == ([HOST], [PUBLIC], [HOST])
        assert f"host: {HOST}\r\n".encode() in it.seen[0].lower()


async def test_an_address_that_does_not_answer_leaves_the_next_one() -> None:
    async with opened() as it:
        other = "2606:4700::1111"
        it.names[HOST] = [[other, "2606:4700::2222", PUBLIC]]
        it.dead = {other}
        it.replies.append(answer(PNG))
        assert (await it.ask(URL)).body == PNG
        assert it.dialled == [other, PUBLIC]
        it.dead = {other, "2606:4700::2222", PUBLIC}
        await it.transport.aclose()
        with pytest.raises(SendError) as caught:
            await it.ask(URL)
        assert caught.value.sent is False


async def test_a_file_behind_three_redirects_is_fetched() -> None:
    async with opened() as it:
        it.replies.extend(
            [redirect("/b"), redirect("https://c.example.com/d"), redirect("//d.example.org/e"), answer(PNG)]
        )
        stored = await it.download(URL)
        assert stored.size_bytes == len(PNG)
        assert set(it.dialled) == {PUBLIC}


async def test_the_users_own_server_serves_files_on_another_port() -> None:
    async with opened() as it:
        it.names["comfy"] = [["10.0.0.9"]]
        it.replies.append(redirect("http://comfy:9001/view"))
        it.replies.append(answer(PNG))
        stored = await it.download("http://comfy:8188/a.png", own_host="comfy")
        assert stored.size_bytes == len(PNG)
        assert it.looked_up == []


async def test_a_refusal_says_what_and_why_and_what_to_do_and_no_more() -> None:
    async with opened() as it:
        it.names[HOST] = [["10.0.0.7"]]
        for url, said in (
            (
                f"{URL}?sig=s3cret",
                "files.example.com is not asked: it leads to 10.0.0.7, which is not a public address",
            ),
            (f"http://{HOST}/a?sig=s3cret", "http://files.example.com is not asked: http is not https"),
            ("https://u:s3cret@example.com/", "https://example.com is not asked: it holds a user or a password"),
        ):
            with pytest.raises(SendError) as caught:
                await it.ask(url)
            assert str(caught.value).startswith(said)
            assert str(caught.value).endswith("[providers.<name>] base_url")
            assert "s3cret" not in str(caught.value)


async def test_a_unix_socket_is_not_connected_to() -> None:
    from aggregator._connections import _CheckedNetwork, system_resolver

    with pytest.raises(SendError) as caught:
        await _CheckedNetwork(system_resolver).connect_unix_socket("/var/run/docker.sock")
    assert caught.value.sent is False


async def test_the_systems_resolver_says_every_address_once() -> None:
    from aggregator._connections import system_resolver

    assert await system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
    assert await system_resolver("2130706433", 80) == ["127.0.0.1"]


async def test_an_embedded_application_serves_its_own_provider_only() -> None:
    from aggregator._http import HttpxTransport
    from aggregator.contract import HttpRequest

    async def app(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"inside"})  # type: ignore[operator]

    transport = HttpxTransport({"http://local.invalid": app})
    request = HttpRequest("GET", "http://local.invalid/files/1")
    assert (await transport.send(request)).body == b"inside"
    with pytest.raises(SendError, match="is not asked"):
        await transport.send(replace(request, trusted=False))


@pytest.mark.parametrize("uri", ["data:image/png;base64," + "A" * 4000, "data:image/png," + "A" * 9003])
async def test_a_data_uri_is_counted_before_it_is_decoded(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_text: str) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setitem(files.MAX_BYTES, "image", 2990)
    monkeypatch.setattr(fetch.base64, "b64decode", decode)
    monkeypatch.setattr(fetch, "unquote_to_bytes", decode)
    with pytest.raises(ResponseFormatError, match="longer than 2990 bytes"):
        [_ async for _ in fetch._inline(uri, "image")]
