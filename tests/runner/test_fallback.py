"""Another offer is asked only when the first certainly bought and judged nothing."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import ends, order, state
from tests.runner.world import World


def endpoints(world: World) -> list[str]:
    return [row["endpoint"] for row in world.attempts()]


@pytest.mark.parametrize("faults", [["never_arrives"] * 4, ["429"] * 4, ["404"]])
def test_the_next_offer_of_the_tier_is_asked_with_a_reservation_of_its_own(world: World, faults: Any) -> None:
    world.transport.script("submit", *faults)
    result = world.run(order)
    assert endpoints(world) == ["cheap", "second"]
    assert result.lineage.offer == "memory:second"
    assert world.money() == {"held": 0, "settled": 50_000, "overrun": 0}
    kinds = [(row["attempt"][-1], row["kind"], row["amount"]) for row in world.rows("transfer")]
    assert kinds == [("1", "pending", 40_000), ("1", "void", 40_000), ("2", "pending", 50_000), ("2", "post", 50_000)]


@pytest.mark.parametrize("fault", ["422", "451", "drop_after", "500_before", "truncated", "no_id"])
def test_nobody_else_is_asked_after_a_judgement_or_an_ambiguous_send(world: World, fault: Any) -> None:
    world.transport.script("submit", fault)
    ends(world, errors.ProviderError)
    assert (endpoints(world), world.transport.count("submit")) == (["cheap"], 1)


@pytest.mark.parametrize("fault", ["401", "402"])
def test_an_account_that_is_refused_is_not_asked_for_another_model_but_another_account_is(
    quick: Any, fault: Any
) -> None:
    offers = {"memory:cheap": "0.04", "memory:second": "0.05", "replaying:third": "0.06"}
    world = World(quick, offers=offers)
    world.transport.script("submit", fault)
    assert world.run(order).lineage.offer == "replaying:third"
    assert endpoints(world) == ["cheap", "third"]


def test_where_only_that_account_is_left_the_error_says_who_was_not_asked(world: World) -> None:
    world.transport.script("submit", "402")
    error = ends(world, errors.QuotaError)
    assert "Not asked: memory:second rests for another 30 s: the account is refused (HTTP 402)" in str(error)
    assert endpoints(world) == ["cheap"]


def test_a_job_that_failed_for_nothing_goes_to_the_next_offer(world: World) -> None:
    world.transport.fates.append(Fate(end="failed_free"))
    assert world.run(order).lineage.offer == "memory:second"
    assert world.money() == {"held": 0, "settled": 50_000, "overrun": 0}


def test_a_key_that_is_asked_for_again_may_fall_over_again(world: World) -> None:
    for _ in range(2):
        world.transport.fates.extend([Fate(end="failed_free")] * 2)
        ends(world, errors.AggregatorError)
    world.transport.fates.append(Fate(end="failed_free"))
    assert world.run(order).lineage.offer == "memory:second"
    assert endpoints(world) == ["cheap", "second"] * 3


@pytest.mark.parametrize("end", ["failed_billed", "failed_unclear", "moderated", "canceled"])
def test_nobody_else_is_asked_after_a_job_was_taken_that_cost_or_was_judged(world: World, end: Any) -> None:
    world.transport.fates.append(Fate(end=end))
    ends(world, errors.ProviderError)
    assert endpoints(world) == ["cheap"]


def test_a_time_out_never_falls_over(world: World) -> None:
    world.transport.fates.append(Fate(service_s=10_000))
    ends(world, errors.JobTimeoutError, deadline_s=30)
    assert endpoints(world) == ["cheap"]


def test_when_everybody_refuses_all_of_them_are_named(world: World) -> None:
    world.transport.script("submit", "404", *["429"] * 4)
    error = ends(world, errors.RoutesExhaustedError)
    assert [type(item) for item in error.errors] == [errors.InvalidRequestError, errors.RateLimitError]
    assert all(item.accepted is False for item in error.errors)
    assert (state(world), world.money()["held"]) == (["refused", "refused"], 0)


def test_a_dearer_tier_does_not_stand_in(quick: Any) -> None:
    offers = {"memory:cheap": "0.04", "memory:grand": "0.50"}
    world = World(quick, offers=offers, tiers={"memory:grand": "hero"})
    world.transport.script("submit", "404")
    ends(world, errors.InvalidRequestError)
    assert endpoints(world) == ["cheap"]


def test_a_pinned_offer_is_not_exchanged(world: World) -> None:
    world.transport.script("submit", "404")
    ends(world, errors.InvalidRequestError, model="memory:cheap")
    assert endpoints(world) == ["cheap"]


def test_max_usd_bounds_the_next_offer_too(world: World) -> None:
    world.transport.script("submit", "404")
    ends(world, errors.InvalidRequestError, max_usd="0.04")
    assert endpoints(world) == ["cheap"]


def test_at_most_three_offers_are_asked(quick: Any) -> None:
    world = World(quick, offers={f"memory:o{n}": f"0.0{n}" for n in range(1, 6)})
    world.transport.script("submit", *["404"] * 9)
    error = ends(world, errors.RoutesExhaustedError)
    assert (len(error.errors), endpoints(world)) == (3, ["o1", "o2", "o3"])


def test_the_next_offer_needs_room_in_the_budget(world: World) -> None:
    world.transport.script("submit", "404")

    async def life(p: Any) -> None:
        with pytest.raises(errors.BudgetExceededError):
            await order(p)

    world.run(life, budget_usd="0.045")
    assert (endpoints(world), world.money()["held"]) == (["cheap"], 0)


def test_after_a_crash_between_two_offers_the_key_starts_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.runner.runner import Runner

    async def dies(*_: Any) -> bool:
        raise KeyboardInterrupt

    async def life(p: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Runner, "_next_offer", dies)
            await order(p)

    world.transport.script("submit", "402")
    with pytest.raises(KeyboardInterrupt):
        world.run(life)
    assert world.run(order).lineage.offer == "memory:cheap"
    assert (endpoints(world), state(world)) == (["cheap", "cheap"], ["refused", "stored"])
