"""Budgets of projects: exact, for life, one within the other; and bounds of single calls."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.opening import STORE_NAME
from aggregator.store import sqlite
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import NOTHING, order, state
from tests.runner.world import World


def test_what_does_not_fit_is_refused_before_a_byte_is_sent(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        with pytest.raises(errors.BudgetExceededError, match="Nothing was sent") as caught:
            await order(p, key="second")
        error = caught.value
        assert (error.account, error.quote_usd, error.limit_usd) == ("project:film", Decimal("0.04"), Decimal("0.07"))
        assert (error.spent_usd, error.held_usd) == (Decimal("0.04"), Decimal(0))
        await p.set_budget("0.08")
        await order(p, key="second")

    world.run(life, budget_usd="0.07")
    assert (world.transport.count("submit"), state(world)) == (2, ["stored", "stored"])
    assert world.money()["settled"] == 80_000


def test_a_sub_project_spends_from_every_budget_above_it(world: World) -> None:
    async def life(p: Any) -> None:
        async with p.project("scene", budget_usd="0.50") as scene:
            for key in ("a", "b"):
                await order(scene, key=key)
            with pytest.raises(errors.BudgetExceededError) as caught:
                await order(scene, key="c")
            assert caught.value.account == "project:film"
        spend = await p.spend()
        assert (spend.settled_usd, spend.left_usd) == (Decimal("0.08"), Decimal("0.02"))
        assert spend.lines[0].jobs == 2

    world.run(life, budget_usd="0.10")


def test_a_project_that_is_there_opens_while_somebody_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)

    async def life(_: Any) -> None:
        with closing(sqlite3.connect(world.directory / "store" / STORE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with world.agg.project("film", budget_usd="100"):
                pass
            with pytest.raises(errors.ConfigurationError, match="budget of"):
                await world.agg.project("film", budget_usd="99").__aenter__()
            with pytest.raises(errors.StoreError, match="locked"):
                await world.agg.project("song").__aenter__()

    world.run(life)


def test_a_name_with_a_slash_is_below_the_project_it_names(world: World) -> None:
    async def life(_: Any) -> None:
        async with world.agg.project("film/scene") as scene:
            await order(scene)
            with pytest.raises(errors.BudgetExceededError) as caught:
                await order(scene, key="second")
            assert caught.value.account == "project:film"
        async with world.agg.project("new/deep/down"):
            pass

    world.run(life, budget_usd="0.05")
    parents = {row["id"]: row["parent"] for row in world.rows("account")}
    assert parents["project:new/deep/down"] == "project:new/deep"
    assert parents["project:new/deep"] == "project:new"
    assert parents["project:new"] == "organisation"


def test_the_organisation_has_a_budget_over_all_projects(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        with pytest.raises(errors.BudgetExceededError) as caught:
            await order(p, key="second")
        assert caught.value.account == "organisation"
        assert (await world.agg.spend()).settled_usd == Decimal("0.04")

    world.config["budget_usd"] = "0.05"
    world.run(life, budget_usd=None)
    assert len(world.transport.book) == 1


def test_a_budget_is_for_life_and_another_one_is_an_error(world: World) -> None:
    world.run(order, budget_usd="5")
    world.run(order, budget_usd="5.00")
    world.run(order, budget_usd=None)
    with pytest.raises(errors.ConfigurationError, match=r"\$5.00, not \$6.00.*set_budget"):
        world.run(order, budget_usd="6")


@pytest.mark.parametrize(
    "budget", ["0", 0, "-1", -5, 1.5, float("nan"), "NaN", "Infinity", "much", True, Decimal("-0.01")]
)
def test_a_budget_is_an_exact_amount_above_zero(world: World, budget: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="budget_usd="):
        world.run(order, budget_usd=budget)
    assert not world.transport.exchanges


async def test_a_budget_is_not_set_below_what_is_bound(world: World) -> None:
    async with world.client() as agg, agg.project("film", budget_usd="1") as p:
        world.transport.fates.append(Fate(service_s=0))
        await order(p)
        with pytest.raises(errors.ConfigurationError, match="too low"):
            await p.set_budget("0.03")
        await p.set_budget("0.04")


@pytest.mark.parametrize("name", ["", " ", "a b", "a/", "/a", "a//b", ".", "..", "a/../b", "a\n", "ü:x", "a:b"])
def test_what_is_no_name_for_a_project(world: World, name: str) -> None:
    async def life(_: Any) -> None:
        with pytest.raises(errors.ConfigurationError, match="no name for a project"):
            world.agg.project(name)

    world.run(life)


@pytest.mark.parametrize("name", ["a", "Trailer_2", "v1.2", "été", "a/b-c/d"])
def test_what_is_a_name_for_a_project(world: World, name: str) -> None:
    async def life(_: Any) -> None:
        async with world.agg.project(name) as p:
            assert p.account == f"project:{name}"

    world.run(life)


# -------------------------------------------------------------------------------------------------- bounds of one call


def test_max_usd_chooses_and_refuses_before_anything_is_sent(world: World) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.NoRouteError) as caught:
            await order(p, max_usd="0.039")
        assert "max_usd is 0.039" in caught.value.reasons["memory:cheap"]
        await order(p, max_usd="0.04")

    world.run(life)
    assert world.transport.count("submit") == 1


def test_what_has_no_price_is_refused_without_a_bound(quick: Any) -> None:
    world = World(quick, offers={"memory:dark": None})

    async def life(p: Any) -> None:
        with pytest.raises(errors.PriceUnknownError, match="max_usd"):
            await order(p)

    world.run(life)
    assert not world.transport.exchanges
    assert world.money() == NOTHING


def test_what_has_no_price_is_booked_at_the_bound_and_flagged(quick: Any) -> None:
    world = World(quick, offers={"memory:dark": None})

    async def life(p: Any) -> Any:
        result = await order(p, max_usd="0.30")
        return result, await p.spend()

    result, spend = world.run(life)
    assert (result.cost.unpriced, result.cost.source, result.cost.amount_usd) == (True, "reserved", Decimal("0.30"))
    assert (spend.unpriced_jobs, spend.settled_usd) == (1, Decimal("0.30"))
    assert "1 jobs unpriced" in str(spend) or "1 job unpriced" in str(spend)
    assert world.money()["settled"] == 300_000


def test_what_has_no_price_needs_room_for_the_bound(quick: Any) -> None:
    world = World(quick, offers={"memory:dark": None})

    async def life(p: Any) -> None:
        with pytest.raises(errors.BudgetExceededError):
            await order(p, max_usd="1.01")

    world.run(life, budget_usd="1")
    assert not world.transport.exchanges
