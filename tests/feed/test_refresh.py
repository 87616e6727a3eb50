"""Refreshing from a real web server on loopback, and from a file: what is taken, what is refused, what stays."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from aggregator import _observe
from aggregator._http import HttpxTransport
from aggregator.config import Config
from aggregator.errors import ConfigurationError, FeedError
from aggregator.registry import fetching
from aggregator.registry.bundle import MAX_BYTES
from aggregator.registry.feed import Feed, last_good
from tests.feed.publisher import NOW, OTHER, PUBLIC, TABLES, price, site


class Clock:
    """A real time that only moves when it is told to; whoever sleeps says for how long, and waits for `passes`."""

    def __init__(self):
        self.now_s = NOW.timestamp()
        self.slept = []
        self.passes = asyncio.Queue()

    def time(self):
        return self.now_s

    def monotonic(self):
        return self.now_s

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await self.passes.get()
        self.now_s += seconds


OPEN: list[HttpxTransport] = []


@pytest.fixture(autouse=True)
async def _closed():
    yield
    while OPEN:
        await OPEN.pop().aclose()


class Client:
    """What a feed exchanges, and how often."""

    def __init__(self, directory, where, *, key=PUBLIC, accept=()):
        self.directory, self.used, self.accept, self.clock = directory, [], accept, Clock()
        self.settings = Config.of({"registry": {"feed": str(where), "feed_key": key}}).registry
        self.transport = HttpxTransport()
        OPEN.append(self.transport)

    def feed(self):
        async def use(catalogue):
            self.used.append(catalogue)

        return Feed(
            self.settings,
            self.directory,
            tables=lambda: TABLES,
            accept=lambda: self.accept,
            use=use,
            transport=self.transport,
            clock=self.clock,
            rng=Random(1),
        )

    def last(self):
        return last_good(self.settings, self.directory, TABLES, self.accept)

    def usd(self, endpoint="cheap"):
        """What the last catalogue that was used says of a price."""
        return next(row["usd"] for row in self.used[-1].rates["memory"] if row["endpoint"] == endpoint)


@pytest.fixture
def told(monkeypatch):
    events = []
    monkeypatch.setattr(_observe, "emit", lambda event, **words: events.append((event, words)))
    return events


async def refused(feed, reason, match=None):
    with pytest.raises(FeedError, match=match) as error:
        await feed.refresh()
    assert error.value.reason == reason


async def test_a_newer_feed_is_used_and_says_what_is_new(tmp_path, publisher, told):
    async with site(body=publisher.bundle(lambda words: price(words, "cheap", "0.05")), etag='"a"') as web:
        client = Client(tmp_path, web.url)
        found = await client.feed().refresh()
    assert (found.changed, found.serial, found.issued_at) == (True, 1, NOW)
    assert (found.counts["rates"], found.counts["cards"]) == ((0, 1, 0), (0, 0, 0))
    assert (client.usd(), found.held) == ("0.05", ())
    assert [event for event, _ in told] == ["feed_refreshed"]
    assert "authorization" not in web.asked[0]


async def test_what_did_not_change_is_not_sent_again(tmp_path, publisher):
    async with site(body=publisher.bundle(), etag='"a"') as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()
        await feed.refresh()
        again = await feed.refresh()
        assert [one.get("if-none-match") for one in web.asked] == [None, '"a"']
        assert (again.changed, again.serial, again.counts, len(client.used)) == (False, 1, {}, 1)
        web.etag = '"b"'  # the same bundle under another tag
        assert not (await feed.refresh()).changed
        assert len(client.used) == 1


async def test_a_file_will_do(tmp_path, publisher):
    file = tmp_path / "feed.bundle"
    client = Client(tmp_path, file)
    feed = client.feed()
    await refused(feed, "unreachable", "cannot be read: No such file")
    file.write_bytes(publisher.bundle())
    assert (await feed.refresh()).changed
    assert not (await feed.refresh()).changed
    file.write_bytes(publisher.bundle(lambda words: price(words, "cheap", "0.05")))
    assert (await feed.refresh()).serial == 2


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [
        (lambda p: p.bundle()[:-1], "malformed"),
        (lambda p: p.bundle().replace(b"0.04", b"0.03"), "malformed"),
        (lambda p: p.bundle(private=OTHER), "signature"),
        (lambda p: p.bundle(serial=4), "rollback"),
        (lambda p: p.bundle(lambda words: price(words, "cheap", "0.05"), serial=5), "rollback"),
        (lambda p: p.bundle(expires_at=NOW, issued_at=NOW - timedelta(days=1), serial=6), "expired"),
        (lambda p: p.bundle(issued_at=NOW + timedelta(days=2), serial=6), "future"),
        (lambda p: p.bundle(serial=6).replace(b"feed 1", b"feed 2", 1), "newer"),
        (lambda p: p.bundle(lambda words: words["offers"]["text-to-image"][0].update(endpoint="../x")), "content"),
        (lambda p: p.bundle(lambda words: words["cards"].update({"x": {}})), "content"),
        (lambda _: b"<html>not here any more</html>", "malformed"),
        (lambda _: b"", "malformed"),
    ],
)
async def test_what_is_not_taken_leaves_the_last_good_one(tmp_path, publisher, told, bundle, reason):
    async with site(body=publisher.bundle(serial=5)) as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()
        await feed.refresh()
        good, kept = feed.good, client.last()
        publisher.serial = 6
        web.body = bundle(publisher)
        await refused(feed, reason)
        assert feed.good is good
        assert client.last() == kept
        assert len(client.used) == 1
        assert told[-1][0] == "feed_refused"
        assert told[-1][1]["reason"] == reason
        publisher.words["offers"]["text-to-image"][0]["endpoint"] = "cheap"
        publisher.words["cards"].pop("x", None)
        web.body = publisher.bundle(serial=99)
        assert (await feed.refresh()).serial == 99


async def test_an_answer_that_is_no_feed_is_refused(tmp_path, publisher):
    async with site(body=publisher.bundle()) as web:
        feed = Client(tmp_path, web.url).feed()
        web.status, web.headers = 302, {"location": "http://127.0.0.1:1/elsewhere"}
        await refused(feed, "unreachable", "redirect is not followed")
        assert len(web.asked) == 1
        web.status = 503
        await refused(feed, "unreachable", "HTTP 503")
        web.status = 304
        await refused(feed, "unreachable", "HTTP 304")
        web.status, web.headers = 200, {"content-encoding": "gzip"}
        await refused(feed, "unreachable", "compressed")
        web.headers, web.length = {}, len(web.body) + 10
        await refused(feed, "unreachable", "cannot be fetched")


async def test_nobody_there_is_said(tmp_path):
    async with site() as web:
        url = web.url
    await refused(Client(tmp_path, url).feed(), "unreachable", "cannot be fetched")


async def test_an_enormous_feed_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_BYTES", 2**20)
    async with site(body=bytes(8 * 2**20)) as web:
        await refused(Client(tmp_path, web.url).feed(), "too_large", "larger than")
        assert web.sent < 8 * 2**20
    file = tmp_path / "enormous"
    with file.open("wb") as out:
        out.truncate(MAX_BYTES * 100)
    await refused(Client(tmp_path, file).feed(), "too_large")


async def test_a_server_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "FETCH_S", 0.05)
    async with site(gate=asyncio.Event()) as web:
        await refused(Client(tmp_path, web.url).feed(), "unreachable", "not here after")


async def test_a_jump_is_held_back_and_said_and_can_be_accepted(tmp_path, publisher, told):
    async with site(body=publisher.bundle(lambda words: price(words, "cheap", "4")), etag='"a"') as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()
        found = await feed.refresh()
        assert [one.id for one in found.held] == ["memory/cheap/image@2025-01-01"]
        assert client.usd() == "0.04"
        assert [(event, words.get("row")) for event, words in told if event == "feed_held_back"] == [
            ("feed_held_back", "memory/cheap/image@2025-01-01")
        ]
        assert [one.id for one in (await feed.refresh()).held] == ["memory/cheap/image@2025-01-01"]
        client.accept = ("memory/cheap/*",)
        assert (await feed.refresh()).held == ()
        assert client.usd() == "4"


async def test_prices_may_go_a_long_way_in_small_steps_and_a_start_does_not_undo_it(tmp_path, publisher):
    async with site() as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()
        for usd in ("0.10", "0.25", "0.70", "70"):
            web.body = publisher.bundle(lambda words, usd=usd: price(words, "cheap", usd))
            await feed.refresh()
    assert client.usd() == "0.70"
    found = client.last()
    assert next(row["usd"] for row in found.catalogue.rates["memory"]) == "0.70"
    assert [one.id for one in found.held] == ["memory/cheap/image@2025-01-01"]
    assert found.head.serial == 4


async def test_concurrent_refreshes_ask_one_after_the_other(tmp_path, publisher):
    gate = asyncio.Event()
    async with site(body=publisher.bundle(), etag='"a"', gate=gate) as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()
        asking = [asyncio.create_task(feed.refresh()) for _ in range(5)]
        while not web.asked:
            await asyncio.sleep(0)
        assert len(web.asked) == 1
        gate.set()
        found = await asyncio.gather(*asking)
    assert sorted(one.changed for one in found) == [False, False, False, False, True]
    assert len(client.used) == 1


async def test_it_is_asked_for_again_and_again_with_jitter_and_sooner_after_a_failure(tmp_path, publisher):
    async with site(body=publisher.bundle(), etag='"a"') as web:
        client = Client(tmp_path, web.url)
        feed, clock = client.feed(), client.clock
        await feed.begin()

        async def slept(times):
            clock.passes.put_nowait(None)
            while len(clock.slept) <= times:
                await asyncio.sleep(0.001)

        await slept(1)
        assert clock.slept[0] == 0
        assert 3240 <= clock.slept[1] <= 3960
        web.status, web.etag = 500, ""
        for times in range(2, 12):
            await slept(times)
        waits = clock.slept[2:]
        for number, wait in enumerate(waits):
            assert 0.9 * min(3600, 60 * 2**number) <= wait <= 1.1 * min(3600, 60 * 2**number)
        assert len(set(waits)) == len(waits)
        web.status, web.etag = 200, '"a"'
        await slept(12)
        assert clock.slept[-1] >= 3240
        await feed.aclose()
        assert feed._task.cancelled()


async def test_a_start_within_the_time_to_live_waits_for_the_rest_of_it(tmp_path, publisher):
    async with site(body=publisher.bundle()) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
        client.clock.now_s += 3000
        feed = client.feed()
        await feed.begin()
        while not client.clock.slept:
            await asyncio.sleep(0)
        assert 540 <= client.clock.slept[0] <= 660
        await feed.aclose()
        assert len(web.asked) == 1


async def test_the_last_good_one_is_used_at_the_next_start_though_nobody_answers(tmp_path, publisher):
    async with site(body=publisher.bundle(lambda words: price(words, "cheap", "0.05"))) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
    again = Client(tmp_path, web.url)
    feed = again.feed()
    await feed.begin()
    await feed.aclose()
    assert (again.usd(), feed.good.head.serial) == ("0.05", 1)
    again.clock.now_s += timedelta(days=365).total_seconds()
    old = again.feed()
    await old.begin()
    await old.aclose()
    assert old.good is not None, "old is better than none"


async def test_the_last_good_one_is_verified_again(tmp_path, publisher, told):
    async with site(body=publisher.bundle()) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
    (file,) = (tmp_path / "feed").glob("*.bundle")
    data = file.read_bytes()
    for broken in (data[:-1], data.replace(b"0.04", b"0.01"), b"", data.replace(b'"serial":1', b'"serial":9')):
        file.write_bytes(broken)
        assert client.last() is None
        assert told[-1][0] == "feed_refused"
    file.write_bytes(data)
    assert client.last().head.serial == 1
    client.settings = Config.of({"registry": {"feed": web.url, "feed_key": "A" * 43 + "="}}).registry
    assert client.last() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"rates": 3}',
        '{"rates": {"memory": [{"usd": 1}]}, "metered": {}}',
        '{"rates": {}, "metered": {"a": 1}}',
    ],
)
async def test_lost_prices_are_held_against_the_packages_own(tmp_path, publisher, text):
    async with site(body=publisher.bundle(lambda words: price(words, "cheap", "4"))) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
    (file,) = (tmp_path / "feed").glob("*.json")
    file.write_text(text)
    assert [one.id for one in client.last().held] == ["memory/cheap/image@2025-01-01"]


async def test_a_process_that_dies_between_write_and_rename_loses_nothing(tmp_path, publisher, monkeypatch):
    """Each step of keeping a bundle, as if the process ended there."""

    class DeadError(BaseException):
        pass

    def die(*_):
        raise DeadError

    async with site(body=publisher.bundle()) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
        old = client.last()
        for step, name in enumerate(("replace", "replace", "open")):
            web.body = publisher.bundle(lambda words, n=step: price(words, "cheap", f"0.0{5 + n}"))
            feed = client.feed()
            with monkeypatch.context() as patch:
                patch.setattr(Path, "unlink", lambda *_, **__: None)  # nobody cleans up after the dead
                true, left = getattr(Path, name), iter([False] * (step % 2))
                patch.setattr(Path, name, lambda *a, t=true, i=left, **k: die() if next(i, True) else t(*a, **k))
                with pytest.raises(DeadError):
                    await feed.refresh()
            found = client.last()
            assert found is not None
            assert found.head.serial in (old.head.serial, publisher.serial)
            assert found.held == ()
            old = found
        await client.feed().refresh()
        assert client.last().head.serial == publisher.serial


async def test_a_full_disk_does_not_stop_a_good_feed(tmp_path, publisher, told, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    async with site(body=publisher.bundle(lambda words: price(words, "cheap", "0.05"))) as web:
        client = Client(tmp_path, web.url)
        monkeypatch.setattr(Path, "mkdir", full)
        assert (await client.feed().refresh()).changed
    assert client.usd() == "0.05"
    assert any(words.get("reason") == "not_kept" for _, words in told)


async def test_another_process_may_have_a_newer_one(tmp_path, publisher):
    """Whoever is slower does not put an older bundle on disk."""
    older, newer = publisher.bundle(), publisher.bundle(lambda words: price(words, "cheap", "0.05"))
    async with site(body=newer) as web:
        client = Client(tmp_path, web.url)
        await client.feed().refresh()
        web.body = older
        await client.feed().refresh()  # it began before the other one was done
    assert client.last().head.serial == 2


async def test_parts_of_processes_that_died_are_removed_in_time(tmp_path, publisher):
    import os

    (tmp_path / "feed").mkdir()
    old, young = tmp_path / "feed" / "x.bundle.1.part", tmp_path / "feed" / "x.bundle.2.part"
    for part in (old, young):
        part.touch()
    os.utime(old, (0, 0))
    async with site(body=publisher.bundle()) as web:
        await Client(tmp_path, web.url).feed().refresh()
    assert (old.exists(), young.exists()) == (False, True)


async def test_users_files_that_do_not_go_with_it_refuse_it(tmp_path, publisher):
    async with site(body=publisher.bundle()) as web:
        client = Client(tmp_path, web.url)
        feed = client.feed()

        async def use(_):
            raise ConfigurationError("offers/x.toml: unknown model 'y'")

        feed._use = use
        await refused(feed, "content", "does not go with your own files: offers/x.toml")
        assert feed.good is None
        assert client.last() is None


def test_without_the_extra_it_says_which(tmp_path, monkeypatch):
    import builtins

    true = builtins.__import__

    def missing(name, *rest, **more):
        if name.startswith("cryptography"):
            raise ImportError(name)
        return true(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigurationError, match=r"aggregator\[signing\]"):
        Client(tmp_path, "feed.bundle").feed()
