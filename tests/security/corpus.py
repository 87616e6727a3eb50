"""What may not get through: addresses, redirects, names that change, bombs, bodies without end, names of files.

`python -m tests.security.corpus` tries all of it on real sockets and says how much was blocked. Forged, replayed and
malformed deliveries are in `tests/webhooks`.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

from aggregator import _http
from aggregator._addresses import is_public
from aggregator._http import SendError
from aggregator.errors import AggregatorError
from aggregator.store import files
from aggregator.testing.memory import PNG
from tests.security.bodies import BROKEN, CODINGS, ENDLESS, HUGE, NAMES, WRONG, compressed, drips, drips_a_head
from tests.security.range import HOST, KEY, PUBLIC, Range, Reply, Ticking, answer, opened, redirect
from tests.security.spellings import ADDRESSES, HOSTS, SCHEMES

__all__ = ["CASES", "Case", "blocked"]

URL = f"https://{HOST}/a.png"


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt; `run` raises `AssertionError` where it was not blocked."""

    group: str
    name: str
    run: Callable[[], Awaitable[None]]


# ------------------------------------------------------------------------------------------------------- addresses


async def _address(address: str) -> None:
    """As a literal, and as what a name leads to, alone and among public ones."""
    assert not is_public(address)
    for answers in ([address], [PUBLIC] * 5 + [address]):
        async with opened() as it:
            it.names[HOST] = [answers]
            await _never_sent(it, URL)
            assert it.looked_up == [HOST]


async def _never_sent(it: Range, url: str) -> None:
    """Refused before a socket is opened, whoever asks."""
    for ask in (it.ask, it.download):
        try:
            await ask(url)
        except SendError as error:
            assert error.sent is False, error  # noqa: PT017 - it is raised, or the next line says so
        except AggregatorError:
            pass
        else:
            raise AssertionError(f"{url} was asked")
        assert it.dialled == []
        it.looked_up[1:] = []


async def _url(url: str) -> None:
    async with opened() as it:
        await _never_sent(it, url)
        assert it.left == []


async def _not_ours(url: str) -> None:
    """A host that the user configured opens no door to another one."""
    async with opened() as it:
        it.names["localhost"] = [["127.0.0.1"]]
        for ask in (it.ask, it.download):
            try:
                await ask(url, own_host="127.0.0.1")
            except (SendError, AggregatorError):
                continue
            raise AssertionError(f"{url} was asked")
        assert it.dialled == []


# ------------------------------------------------------------------------------------------- redirects and rebinding


async def _redirected(*locations: str, allowed: int = 1) -> None:
    """Followed to no place that is refused; the key goes nowhere."""
    async with opened() as it:
        it.names |= {"inside.example.com": [["10.0.0.7"]], "mixed.example.com": [[PUBLIC, "127.0.0.1"]]}
        it.replies.extend(redirect(one) for one in locations)
        await _refused(it.download(URL))
        assert len(it.seen) == allowed
        assert set(it.dialled) <= {PUBLIC}
        assert it.left == []
        assert not any(KEY.encode() in head for head in it.seen)


async def _refused(asked: Awaitable[object]) -> Exception:
    try:
        await asked
    except (SendError, AggregatorError) as error:
        return error
    raise AssertionError("it was taken")


async def _rebound() -> None:
    """Looked up once for a request; what a name means later is looked up and judged anew."""
    async with opened() as it:
        it.names[HOST] = [[PUBLIC], ["127.0.0.1"]]
        it.replies.append(answer(PNG))
        await it.download(URL)
        assert (it.looked_up, it.dialled, it.sni) == ([HOST], [PUBLIC], [HOST])
        assert f"host: {HOST}".encode() in it.seen[0].lower()
        await _refused(it.download(URL))
        assert (it.looked_up, it.dialled) == ([HOST, HOST], [PUBLIC])


async def _rebound_by_redirect() -> None:
    async with opened() as it:
        it.names[HOST] = [[PUBLIC], ["169.254.169.254"]]
        away = answer(b"", "location: https://other.example.com/b", "connection: close", status="302 Found")
        it.replies.extend([away, redirect(URL)])
        error = await _refused(it.download(URL))
        assert "leads to 169.254.169.254" in str(error)
        assert (it.looked_up, it.dialled) == ([HOST, "other.example.com", HOST], [PUBLIC, PUBLIC])


async def _resolver(*answers: str) -> None:
    async with opened() as it:
        it.names[HOST] = [list(answers)]
        await _never_sent(it, URL)


async def _resolver_hangs() -> None:
    async with opened() as it:

        async def hangs(_host: str, _port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

        with patch.object(type(it), "resolve", lambda _self, host, port: hangs(host, port)):
            error = await _refused(it.ask(URL))
        assert isinstance(error, SendError)
        assert error.sent is False


async def _wrong_name() -> None:
    """The certificate is held against the name, though the connection goes to an address."""
    async with opened() as it:
        error = await _refused(it.ask("https://files.example.net/a.png"))
        assert isinstance(error, SendError)
        assert (error.sent, it.seen) == (False, [])


async def _borrowed() -> None:
    """What was connected to for the user's own host serves no request that may not go there."""
    async with opened() as it:
        it.names["inside.example.com"] = [["10.0.0.7"]]
        url = "https://inside.example.com/a.png"
        await it.ask(url, own_host="inside.example.com")
        await it.ask(url, own_host="inside.example.com")
        assert len(it.dialled) == 1
        await _never_sent_again(it, url)


async def _never_sent_again(it: Range, url: str) -> None:
    before = len(it.seen)
    await _refused(it.ask(url))
    assert len(it.seen) == before


# ------------------------------------------------------------------------------------------------- answers and files


async def _body(*replies: Reply, family: str = "image", file_only: bool = False) -> None:
    """Neither an answer nor a file; nothing is left on disk and memory stays small."""
    with _small_limits():
        async with opened() as it:
            it.replies.extend(replies)
            await _refused(_in_time(it.download(URL, family=family)))
            assert it.left == []
        if not file_only:
            async with opened() as it:
                it.replies.extend(replies)
                await _refused(_in_time(it.ask(URL)))


async def _in_time(asked: Awaitable[object]) -> object:
    async with asyncio.timeout(20):
        return await asked


@contextmanager
def _small_limits() -> Iterator[None]:
    """So that what has no end is cut off soon."""
    small = {"image": 2**20, "audio": 2**20, "video": 2**20}
    with patch.dict(files.MAX_BYTES, small), patch.object(_http, "MAX_ANSWER_BYTES", 2**20):
        yield


async def _slow_file() -> None:
    """Four bytes every ten seconds keep every time-out from firing."""
    async with opened() as it:
        it.clock = Ticking(10.0)
        it.replies.append(drips)
        error = await _refused(_in_time(it.download(URL)))
        assert "slower than" in str(error), error
        assert it.left == []


async def _slow_answer() -> None:
    for reply in (drips, drips_a_head):
        async with opened() as it:
            it.transport.timeouts = _http.Timeouts(1.0, 0.3, 0.3, whole_s=0.2)
            it.replies.append(reply)
            error = await _refused(_in_time(it.ask(URL)))
            assert "did not end within" in str(error), error


async def _named(name: str) -> None:
    """What a provider calls a file is not where it is written."""
    async with opened() as it:
        header = f'content-disposition: attachment; filename="{name}"'.replace("\0", "%00")
        it.replies.append(answer(PNG, header.encode().decode("latin-1"), "x-name: evil"))
        stored = await it.download(f"https://{HOST}/{name.replace(chr(0), '%00')}")
        assert it.left == [f"artifacts/{stored.sha256[:2]}/{stored.sha256}.png"]


# ----------------------------------------------------------------------------------------------------------- the list


def _cases() -> Iterator[Case]:
    for kind, addresses in ADDRESSES.items():
        for address in addresses.split():
            yield Case("addresses", f"{kind}: {address}", partial(_address, address))
    for kind, hosts in HOSTS.items():
        for host in hosts.split(" "):
            yield Case("spellings", f"{kind}: {host!r}", partial(_url, f"https://{host}/a.png"))
    for url in SCHEMES:
        yield Case("schemes", repr(url), partial(_url, url))
    for url in (
        "http://localhost/",
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "http://u:p@127.0.0.1/",
        "ftp://127.0.0.1/",
    ):
        yield Case("beside the user's own host", url, partial(_not_ours, url))
    yield from _ways()
    yield from _bodies()


def _ways() -> Iterator[Case]:
    targets = (
        *(
            f"https://{host}/"
            for kind in ("decimal", "octal", "hexadecimal", "dotted", "ipv6")
            for host in HOSTS[kind].split()
        ),
        *SCHEMES[:14],
        "http://169.254.169.254/latest/meta-data/iam/",
        "https://inside.example.com/",
        "https://mixed.example.com/",
        "https://user:word@files.example.com/",
        "//169.254.169.254/",
        "https://files.example.com:8443/",
        "data:image/png;base64,AAAA",
    )
    for target in targets:
        if target and not target.startswith(("//files", "/etc")):  # those are the same host's own
            yield Case("redirects", target, partial(_redirected, target))
            yield Case(
                "redirects",
                f"at last {target}",
                partial(_redirected, "/b", "https://c.example.com/", target, allowed=3),
            )
    yield Case("redirects", "a loop", partial(_redirected, *[URL] * 9, allowed=4))
    yield Case("redirects", "a loop of two", partial(_redirected, *["/b", URL] * 5, allowed=4))
    yield Case("redirects", "too many", partial(_redirected, *(f"/{n}" for n in range(9)), allowed=4))
    yield Case("redirects", "to nowhere", partial(_redirected, ""))
    yield Case("names", "first public, then private", _rebound)
    yield Case("names", "private after a redirect back", _rebound_by_redirect)
    yield Case("names", "no address", partial(_resolver))
    yield Case(
        "names", "a thousand addresses", partial(_resolver, *(f"93.184.{n // 250}.{n % 250}" for n in range(1000)))
    )
    yield Case("names", "no answer", _resolver_hangs)
    yield Case("names", "a certificate for another name", _wrong_name)
    yield Case("names", "a connection of the user's own host", _borrowed)


def _bodies() -> Iterator[Case]:
    for coding in CODINGS:
        reply = answer(compressed(coding), f"content-encoding: {coding}")
        yield Case("compressed", coding, partial(_body, reply))
    for name, raw in HUGE.items():
        yield Case("pictures", name, partial(_body, answer(raw), file_only=True))
    for name, raw in WRONG.items():
        yield Case("wrong types", name, partial(_body, answer(raw), file_only=True))
    yield Case("wrong types", "a picture for a clip", partial(_body, answer(PNG), family="video", file_only=True))
    for name, reply in BROKEN.items():
        yield Case("broken answers", name, partial(_body, reply))
    for name, reply in ENDLESS.items():
        yield Case("without end", name, partial(_body, reply))
    yield Case("without end", "a file that drips", _slow_file)
    yield Case("without end", "an answer that drips", _slow_answer)
    for name in NAMES:
        yield Case("names of files", repr(name[:40]), partial(_named, name))


CASES = tuple(_cases())


def blocked(case: Case) -> bool:
    """Try one; says on stderr why it got through, if it did."""
    try:
        asyncio.run(case.run())
    except AssertionError as error:
        print(f"NOT BLOCKED {case.group}: {case.name} ({error})", file=sys.stderr)  # noqa: T201
        return False
    return True


def main() -> int:
    began = time.monotonic()
    results = [(case.group, blocked(case)) for case in CASES]
    total, held = Counter(group for group, _ in results), Counter(group for group, ok in results if ok)
    for group in total:
        print(f"{group:28}{held[group]:5} of {total[group]}")  # noqa: T201
    whole = f"{held.total()} of {total.total()} blocked"
    print(f"{whole}, in {time.monotonic() - began:.1f} s")  # noqa: T201
    return 0 if held == total else 1


if __name__ == "__main__":
    sys.exit(main())
