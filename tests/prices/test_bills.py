"""What the store says of own jobs: their bills, how long they took, and what planning makes of that."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from aggregator.store import bills
from tests.runner.test_outcomes import order
from tests.runner.world import World

CHEAP = {"memory:cheap": "0.04"}


async def five(p: Any) -> None:
    for key in "abcde":
        await order(p, key=key)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, quick: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    if request.param == "sqlite":
        return World(quick, offers=CHEAP)
    monkeypatch.setenv("STORE_URL", request.getfixturevalue("postgres_url"))
    return World(quick, offers=CHEAP, store={"url_env": "STORE_URL"})


def test_bills_and_times_are_read_from_both_databases(world: World) -> None:
    def read(work: Any) -> Any:
        return world.run(lambda _p: world.agg.opened.store.read(work))

    world.run(five)
    found = read(bills.bills)
    assert [(one.offer, one.billed_usd, one.ratio) for one in found] == [("memory:cheap", Decimal("0.04"), 1)] * 5
    assert len(read(lambda c: bills.bills(c, offer="memory:cheap"))) == 5
    assert read(lambda c: bills.bills(c, offer="memory:other")) == []
    done = read(lambda c: bills.finished(c, ["memory:cheap", "memory:cheap"]))
    assert len(done) == 5
    assert all(one.gpu_seconds > 0 and one.request["task"] == "text-to-image" for one in done)


def test_five_jobs_on_own_gpus_make_the_next_quote_and_a_swapped_view_keeps_it(quick: Any) -> None:
    world = World(quick, offers=CHEAP)
    world.config["providers"]["memory"]["usd_per_gpu_hour"] = "3600"  # a dollar a second
    file = quick / "registry/offers/memory/cheap.toml"
    stated = 'compute = { gpu = "A10", per = "1", seconds = ["500", "900"], source = "a page" }'
    meters = 'meters = [{ unit = "gpu_second", quantity = "1" }]'
    file.write_text(f"{meters}\n{stated}\n{file.read_text()}")

    async def quoted(p: Any) -> tuple[Any, Any]:
        request = (await order(p, key="a")).lineage.request
        first = (await p.plan(request)).quote
        planner = world.agg.opened.planner
        planner.swap(replace(planner.view, prices=planner.view.prices.with_measured({})))
        return first, (await p.plan(request)).quote

    before, _ = world.run(quoted, budget_usd="100000")
    assert (before.low_usd, before.high_usd, before.basis) == (Decimal(500), Decimal(900), "estimate")
    world.run(five, budget_usd="100000")
    after, swapped = world.run(quoted, budget_usd="100000")
    assert 0 < after.low_usd <= after.high_usd < 500
    assert swapped.high_usd == after.high_usd
