"""Own servers first; what they cannot do soon enough goes to a seller, where policy and budget allow that."""

import asyncio

import pytest

from aggregator.config import Config
from aggregator.errors import ConfigurationError
from aggregator.testing.memory import Fate

from .rigs import ONE, TWO, rigs, world

OFFERS = {"memory:cheap": None, "referring:paid": "0.05"}
SELLER = "referring"


def overflowing(tmp_path, *, offers=OFFERS, max_usd="0.30", **policy):
    settings = {"order": "self-hosted", **policy}
    return world(tmp_path, ONE, offers=offers, own={"concurrency": 1}, policy={"prototype": settings}), max_usd


def bought(w):
    return [row["provider"] for row in w.attempts()]


def pictures(p, count, max_usd="0.30"):
    return asyncio.gather(*(p.text_to_image(f"cat {n}", key=f"k{n}", max_usd=max_usd) for n in range(count)))


def test_own_servers_come_first_though_a_seller_has_a_price(tmp_path):
    w, _ = overflowing(tmp_path)
    w.run(lambda p: pictures(p, 4))
    assert bought(w) == ["memory"] * 4  # waiting, not buying


def test_from_so_many_jobs_on_the_next_ones_go_to_a_seller(tmp_path):
    w, _ = overflowing(tmp_path, overflow_jobs=2)
    w.run(lambda p: pictures(p, 5))
    assert sorted(bought(w)) == ["memory"] * 2 + [SELLER] * 3
    assert w.money()["settled"] >= 150_000


def test_the_number_is_for_each_server(tmp_path):
    w = world(
        tmp_path,
        ONE,
        TWO,
        offers=OFFERS,
        own={"concurrency": 1},
        policy={"prototype": {"order": "self-hosted", "overflow_jobs": 2}},
    )
    w.run(lambda p: pictures(p, 6))
    assert sorted(bought(w)) == ["memory"] * 4 + [SELLER] * 2


def test_a_long_wait_overflows_by_what_jobs_took_here(tmp_path):
    w, _ = overflowing(tmp_path, overflow_wait_s=100.0)
    rigs(w).line.destiny = lambda: Fate(service_s=60.0)

    async def life(p):
        await p.text_to_image("first", key="first", max_usd="0.30")  # now it is known what one takes
        await pictures(p, 4)

    w.run(life)
    assert bought(w)[0] == "memory"
    assert sorted(bought(w)[1:]) == ["memory"] * 2 + [SELLER] * 2


def test_what_a_seller_costs_above_the_limit_waits(tmp_path):
    w, _ = overflowing(tmp_path, overflow_jobs=1)
    w.run(lambda p: pictures(p, 3, max_usd="0.045"))
    assert bought(w) == ["memory"] * 3


def test_a_busy_server_lets_go_where_the_policy_says_so(tmp_path):
    w, _ = overflowing(tmp_path, overflow_jobs=5)
    rigs(w).busy[ONE] = 429
    w.run(lambda p: p.text_to_image("a", key="a", max_usd="0.30"))
    assert [(row["provider"], row["state"]) for row in w.attempts()] == [("memory", "refused"), (SELLER, "stored")]


def test_only_own_servers_cannot_overflow():
    with pytest.raises(ConfigurationError, match="nothing can overflow"):
        Config.of({"policy": {"prototype": {"self_hosted": True, "overflow_jobs": 2}}})
