"""Several servers as one offer: the least loaded gets the job, keeps it, and one that is down costs nothing."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from aggregator.config import Config
from aggregator.contract import Codes, kinds
from aggregator.errors import AggregatorError, ConfigurationError
from aggregator.testing.memory import PROVIDER, Fate

from .rigs import ONE, THREE, TWO, rigs, world

COG = replace(PROVIDER, never_accepted=frozenset({409, 503}), codes=Codes(("@status",), kinds(rate_limit="409")))
"""Says with these that it took nothing."""
BUSY = f"{__name__}:COG"


def pictures(p, count, **options):
    return asyncio.gather(*(p.text_to_image(f"cat {n}", key=f"k{n}", **options) for n in range(count)))


def accounts(w):
    return [row["account_ref"] for row in w.attempts()]


def test_jobs_are_spread_over_the_servers(tmp_path):
    w = world(tmp_path, ONE, TWO, THREE)
    w.run(lambda p: pictures(p, 6))
    assert Counter(rigs(w).orders) == {ONE: 2, TWO: 2, THREE: 2}
    assert Counter(accounts(w)) == {f"@{ONE}": 2, f"@{TWO}": 2, f"@{THREE}": 2}


def test_each_server_works_on_as_many_as_it_may(tmp_path):
    w = world(tmp_path, own={"concurrency": 1})
    most = {}
    line = rigs(w).line

    def count(_order):
        running = Counter(
            row["account_ref"] for row in w.attempts() if row["state"] in ("submitting", "submitted", "running")
        )
        for account, number in running.items():
            most[account] = max(most.get(account, 0), number)

    line.on_order = count
    w.run(lambda p: pictures(p, 6))
    assert most == {f"@{ONE}": 1, f"@{TWO}": 1}
    assert len(line.book) == 6


def test_a_job_that_waits_goes_where_room_is_first(tmp_path):
    w = world(tmp_path, own={"concurrency": 1})
    slow, quick = Fate(service_s=900.0), Fate(service_s=10.0)
    rigs(w).line.fates.extend([slow, quick, quick, quick])
    w.run(lambda p: pictures(p, 4))
    assert Counter(rigs(w).orders) == {ONE: 1, TWO: 3}  # one of them were placed at the first, and left it


def test_one_that_is_down_is_passed_over_and_rests(tmp_path):
    w = world(tmp_path)
    rigs(w).down.add(ONE)

    async def life(p):
        await pictures(p, 1)
        await pictures(p, 3, stage="prototype")

    w.run(life)
    assert rigs(w).refused == [ONE]  # asked once, then left alone
    assert set(rigs(w).orders) == {TWO}
    assert len(rigs(w).line.book) == 3
    assert w.money() == {"held": 0, "settled": 120_000, "overrun": 0}


def test_it_is_asked_again_after_its_rest(tmp_path):
    w = world(tmp_path)
    rigs(w).down.add(ONE)

    async def life(p):
        await p.text_to_image("a", key="a")
        rigs(w).down.clear()
        await asyncio.sleep(31)
        await p.text_to_image("b", key="b")

    w.run(life)
    assert rigs(w).orders == [TWO, ONE]


def test_nothing_is_bought_where_all_are_down(tmp_path):
    w = world(tmp_path)
    rigs(w).down |= {ONE, TWO}
    with pytest.raises(AggregatorError):
        w.run(lambda p: p.text_to_image("a", key="a"))
    assert {ONE, TWO} == set(rigs(w).refused)
    assert w.money() == {"held": 0, "settled": 0, "overrun": 0}


@pytest.mark.parametrize("status", [409, 429, 503])
def test_one_that_is_busy_sends_the_job_on(tmp_path, status):
    w = world(tmp_path, table=BUSY)
    rigs(w).busy[ONE] = status
    w.run(lambda p: p.text_to_image("a", key="a"))
    assert (rigs(w).refused, rigs(w).orders) == ([ONE], [TWO])
    assert [row["sends"] for row in w.attempts()] == [2]


@pytest.mark.parametrize("status", [409, 429, 503])
def test_where_all_are_busy_it_waits_and_is_bought_once(tmp_path, status):
    w = world(tmp_path, ONE, table=BUSY)
    rigs(w).busy[ONE] = status

    async def life(p):
        job = asyncio.create_task(p.text_to_image("a", key="a"))
        await asyncio.sleep(300)
        rigs(w).busy.clear()
        return await job

    w.run(life)
    assert len(rigs(w).line.book) == 1
    assert 5 < len(rigs(w).refused) < 40  # longer and longer
    assert len(w.attempts()) == 1


def test_a_503_that_may_have_been_taken_is_not_sent_on(tmp_path):
    w = world(tmp_path)
    rigs(w).busy[ONE] = 503
    with pytest.raises(AggregatorError):
        w.run(lambda p: p.text_to_image("a", key="a", deadline_s=60))
    assert rigs(w).orders == []
    assert w.attempts()[0]["state"] == "unknown"


def test_another_process_follows_the_job_where_it_is(tmp_path):
    w = world(tmp_path)
    rigs(w).line.fates.extend([Fate(service_s=500.0)] * 2)

    async def ordered(p):
        with pytest.raises(TimeoutError):
            await p.text_to_image("a", key="a", wait_s=5)
        with pytest.raises(TimeoutError):
            await p.text_to_image("b", key="b", wait_s=5)

    w.run(ordered)
    assert rigs(w).orders == [ONE, TWO]
    rigs(w).followed.clear()
    w.run(lambda p: p.text_to_image("b", key="b"))
    assert TWO in rigs(w).followed
    assert rigs(w).orders == [ONE, TWO]


def test_an_address_that_is_gone_from_the_configuration_is_named(tmp_path):
    w = world(tmp_path)
    rigs(w).line.fates.extend([Fate(service_s=500.0)] * 2)

    async def ordered(p):
        with pytest.raises(TimeoutError):
            await p.text_to_image("a", key="a", wait_s=5)

    w.run(ordered)
    w.config["providers"]["memory"]["base_urls"] = [TWO, THREE]
    with pytest.raises(ConfigurationError, match=f"at {ONE}: name it in \\[providers.memory\\] base_urls"):
        w.run(lambda p: p.text_to_image("a", key="a"))


@pytest.mark.parametrize(
    ("words", "said"),
    [({"base_url": ONE, "base_urls": [TWO]}, "base_url for one"), ({"base_urls": [ONE, ONE]}, "stands there twice")],
)
def test_addresses_are_said_once(words, said):
    with pytest.raises(ConfigurationError, match=said):
        Config.of({"providers": {"comfyui": words}})
