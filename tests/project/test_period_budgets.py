"""Budgets for periods, credits, thresholds and metrics, as a user of the library meets them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import structlog
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from aggregator import errors, ledger
from tests.runner.test_outcomes import order
from tests.runner.world import World

DAY_S = 86_400.0


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured
    structlog.reset_defaults()


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    meter = provider.get_meter("aggregator")
    monkeypatch.setattr(metrics, "get_meter", lambda name: meter)
    yield reader
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """The attributes and the value of every series, by metric."""
    data = reader.get_metrics_data()
    assert data is not None
    found = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        if metric.name.startswith(
            ("aggregator.spend", "aggregator.reserved", "aggregator.budget", "aggregator.credits")
        ):
            found[metric.name] = [
                (dict(point.attributes or {}), round(Decimal(point.value), 6))  # type: ignore[union-attr]
                for point in metric.data.data_points
            ]
    return found


def test_a_project_has_a_budget_for_each_day(world: World) -> None:
    async def life(p: Any) -> None:
        async with world.agg.project("spot", budget_usd={"total": "1", "day": "0.05"}) as spot:
            await order(spot)
            with pytest.raises(errors.BudgetExceededError, match="Nothing was sent") as caught:
                await order(spot, key="second")
            assert caught.value.account == "project:spot"
            assert caught.value.period == f"day {datetime.fromtimestamp(world.clock.time(), UTC):%Y-%m-%d}"
            total, day = (await spot.spend()).budgets
            assert (total.left, day.left) == (Decimal("0.96"), Decimal("0.01"))
            assert day.until == caught.value.until
            await spot.set_budget({"day": "0.09"})
            await order(spot, key="second")
        async with world.agg.project("spot", budget_usd={"day": "0.09"}):
            pass
        with pytest.raises(errors.ConfigurationError, match=r"\$0.09 a day, not \$0.05"):
            async with world.agg.project("spot", budget_usd={"day": "0.05"}):
                pass

    world.run(life)
    world.pass_time(DAY_S)

    async def next_day(_: Any) -> None:
        async with world.agg.project("spot") as spot:
            await order(spot, key="third")

    world.run(next_day)
    assert world.transport.count("submit") == 3


@pytest.mark.parametrize("budget", [{"year": "1"}, {"month": 1.5}, {"month": "0"}, {"total": "x"}])
def test_what_is_no_budget_is_refused_with_its_name(world: World, budget: Any) -> None:
    async def life(_: Any) -> None:
        raise AssertionError

    with pytest.raises(errors.ConfigurationError, match="budget_usd"):
        world.run(life, budget_usd=budget)


def test_the_organisation_has_a_budget_for_each_month(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        with pytest.raises(errors.BudgetExceededError) as caught:
            await order(p, key="second")
        assert (caught.value.account, (caught.value.period or "")[:5]) == ("organisation", "month")
        (film, organisation) = sorted(await world.agg.budgets(), key=lambda one: one.account)
        assert (film.account, film.period, organisation.period) == ("film", "total", "month")

    world.config["budget_usd"] = {"month": "0.05"}
    world.run(life)


def test_credits_of_a_provider_are_counted_and_bounded(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        with pytest.raises(errors.BudgetExceededError, match="1 credits is left of 5 credits"):
            await order(p, key="second")
        (credit,) = (await world.agg.spend()).credits
        assert (credit.provider, credit.settled) == ("memory", 4)

    world.config["providers"]["memory"]["credits"] = {"usd": "0.01", "budget": "5"}
    world.run(life)
    world.config["providers"]["memory"]["credits"]["usd"] = "0.02"
    world.config["providers"]["memory"]["credits"]["budget"] = "6"

    async def dearer(p: Any) -> None:
        await order(p, key="second")

    world.run(dearer)
    assert world.money("credits:memory") == {"held": 0, "settled": 6_000_000, "overrun": 0}


def test_a_threshold_is_told_once_and_written_down(world: World, events: list[Any]) -> None:
    async def life(p: Any) -> None:
        for key in "abc":
            await order(p, key=key)

    world.config["warn_at"] = [50]
    world.run(life, budget_usd="0.12")
    told = [event for event in events if event["event"] == "budget_threshold"]
    assert [(one["account"], one["percent"], one["cap"], one["log_level"]) for one in told] == [
        ("project:film", 50, 120_000, "warning")
    ]
    (row,) = [row for row in world.rows("event") if row["kind"] == "budget_threshold"]
    assert row["attempt"] == world.attempts()[1]["id"]
    assert json.loads(row["data"]) == {
        "account": "project:film",
        "period": None,
        "percent": 50,
        "cap": 120_000,
        "held": 40_000,
        "settled": 40_000,
    }


def test_a_refusal_tells_no_threshold(world: World, events: list[Any]) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.BudgetExceededError):
            await order(p)

    world.run(life, budget_usd="0.03")
    assert [event for event in events if event["event"] == "budget_threshold"] == []


def test_what_is_spent_and_reserved_is_measured(world: World, reader: InMemoryMetricReader) -> None:
    world.run(order, budget_usd={"total": "1", "month": "0.50"})  # type: ignore[arg-type]
    found = points(reader)
    ((given, spent),) = found["aggregator.spend"]
    assert spent == Decimal("0.04")
    assert {name: given[name] for name in ("aggregator.project", "gen_ai.provider.name", "aggregator.task")} == {
        "aggregator.project": "film",
        "gen_ai.provider.name": "memory",
        "aggregator.task": "text-to-image",
    }
    assert given["gen_ai.request.model"]
    assert [value for _, value in found["aggregator.reserved"]] == [0]
    by_period = {given["aggregator.period"]: value for given, value in found["aggregator.budget.spent"]}
    assert by_period == {"total": Decimal("0.04"), "month": Decimal("0.04")}
    assert {value for _, value in found["aggregator.budget.limit"]} == {Decimal(1), Decimal("0.5")}
    assert {value for _, value in found["aggregator.budget.reserved"]} == {Decimal(0)}


def test_what_is_given_back_leaves_the_measurements(world: World, reader: InMemoryMetricReader) -> None:
    async def life(p: Any) -> None:
        world.transport.script("submit", *["never_arrives"] * 9)
        with pytest.raises(errors.RoutingError):
            await order(p)

    world.run(life)
    found = points(reader)
    assert "aggregator.spend" not in found
    left = {given["gen_ai.request.model"]: value for given, value in found["aggregator.reserved"]}
    assert left == {"memory-cheap": 0, "memory-second": 0}


def test_spend_is_asked_by_anything(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p, key="a", tags={"team": "film"})
        await order(p, key="b")
        (line,) = (await p.spend(by="task")).lines
        assert (line.group, line.jobs) == ({"task": "text-to-image"}, 2)
        lines = (await world.agg.spend(by=("project", "tag"))).lines
        assert [(line.group["tag"], line.settled_usd) for line in lines if line.group["tag"]] == [
            ("team=film", Decimal("0.04"))
        ]
        assert (await p.spend(tags={"team": "film"})).settled_usd == Decimal("0.04")
        with pytest.raises(errors.RequestError, match="spend by 'colour': there are project, provider"):
            await p.spend(by="colour")

    world.run(life)


def test_what_an_invoice_says_is_what_a_job_cost(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        (job,) = await world.agg.jobs()
        assert job.settled_usd == "0.040000"
        of = f"{job.id}.1"
        await world.agg.opened.store.transact(
            lambda c: ledger.adjust(c, of, 30_000, source="invoice", basis={"invoice": "R-7"}, at=0)
        )
        (job,) = await world.agg.jobs()
        assert (job.settled_usd, job.reserved_usd) == ("0.030000", "0.000000")
        assert (await p.spend()).settled_usd == Decimal("0.03")

    world.run(life)
