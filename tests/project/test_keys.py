"""A key stands for one request of one project, for ever; waiting is not ordering."""

from typing import Any

import pytest

from aggregator import errors
from aggregator.tasks import TextToImage
from aggregator.testing.memory import PNG, Fate
from tests.runner.test_outcomes import PAID, order, state
from tests.runner.world import World


def test_the_same_key_gives_the_same_result_and_pays_once(world: World) -> None:
    first, second = world.run(order), world.run(order)
    assert (first.reused, second.reused) == (False, True)
    assert first.artifact == second.artifact
    assert first.cost == second.cost
    assert (len(world.transport.book), world.money()) == (1, PAID)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "a dog"},
        {"seed": 2},
        {"stage": "final"},
        {"model": "memory-cheap"},
        {"role": "shot"},
        {"provider_options": {"memory": {"extra": 1}}},
    ],
)
def test_a_key_belongs_to_one_request(world: World, other: dict[str, Any]) -> None:
    async def life(p: Any) -> None:
        await order(p)
        with pytest.raises(errors.KeyConflictError, match="another request") as caught:
            await p.text_to_image(**{"prompt": "a fox", "key": "fox", **other})
        assert caught.value.key == "fox"

    world.run(life)
    assert len(world.transport.book) == 1


@pytest.mark.parametrize("same", [{"max_usd": "9"}, {"wait_s": 500}, {"deadline_s": 77}, {"tags": {"a": "b"}}])
def test_how_it_is_waited_for_and_bounded_is_no_part_of_the_request(world: World, same: dict[str, Any]) -> None:
    async def life(p: Any) -> Any:
        await order(p)
        return await order(p, **same)

    assert world.run(life).reused


def test_a_key_belongs_to_its_project(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p)
        async with world.agg.project("spot", budget_usd="1") as other:
            await order(other)
        async with p.project("scene") as below:
            await order(below)

    world.run(life)
    assert len(world.transport.book) == 3


def test_without_a_key_every_call_is_an_order(world: World) -> None:
    async def life(p: Any) -> None:
        await order(p, key="a")
        for _ in range(2):
            await p.text_to_image("a fox")

    world.run(life)
    assert len(world.transport.book) == 3


def test_a_finished_result_survives_a_changed_default_model(world: World) -> None:
    first = world.run(order, roles={"text-to-image": "memory-cheap"})
    second = world.run(order, roles={"text-to-image": "memory-second"})
    assert (second.reused, second.model) == (True, first.model)
    fresh = world.run(lambda p: order(p, key="other"), roles={"text-to-image": "memory-second"})
    assert fresh.model == "memory-second"


def test_a_finished_result_survives_a_provider_that_is_not_configured_any_more(world: World) -> None:
    first = world.run(order)
    again = world.run(order, providers={"memory": {**world.config["providers"]["memory"], "enabled": False}})
    assert again.artifact == first.artifact


def test_inputs_count_by_content(world: World, tmp_path: Any) -> None:
    async def life(p: Any) -> None:
        (tmp_path / "a.png").write_bytes(PNG)
        first = await p.image_to_image(PNG, "at night", key="edit")
        again = await p.image_to_image(tmp_path / "a.png", "at night", key="edit")
        assert (first.reused, again.reused) == (False, True)
        with pytest.raises(errors.KeyConflictError):
            await p.image_to_image(PNG + b"x", "at night", key="edit")

    world.run(life)


def test_to_stop_waiting_leaves_the_job_running(world: World) -> None:
    world.transport.fates.append(Fate(service_s=100))

    async def life(p: Any) -> Any:
        began = world.clock.time()
        with pytest.raises(TimeoutError, match="it goes on"):
            await order(p, wait_s=10)
        assert world.clock.time() - began < 11
        return await order(p)

    assert world.run(life).cost.amount_usd is not None
    assert (world.transport.count("submit"), state(world)) == (1, ["stored"])


def test_submit_returns_at_once_and_the_job_is_found_again_by_its_id(world: World) -> None:
    world.transport.fates.append(Fate(service_s=100))

    async def leave(p: Any) -> Any:
        began = world.clock.time()
        job = await p.submit(TextToImage(prompt="a fox"), key="fox", tags={"scene": "1"})
        assert world.clock.time() == began
        return (await job.record()).as_json()

    record = world.run(leave)
    assert (record["state"], record["reserved_usd"], record["tags"]) == ("submitting", "0.040000", {"scene": "1"})

    async def another(_: Any) -> Any:
        job = world.agg.job(record["id"])
        await job.result()
        return await job.record()

    found = world.run(another)
    assert (found.state, found.settled_usd, found.reserved_usd) == ("stored", "0.040000", "0.000000")


def test_draining_waits_for_everything(world: World) -> None:
    async def life(p: Any) -> None:
        for n in range(3):
            await p.submit(TextToImage(prompt=f"shot {n}"), key=str(n))
        await world.agg.drain()
        assert not await world.agg.jobs(open_only=True)

    world.run(life)
    assert state(world) == ["stored"] * 3


def test_a_plan_sends_and_reserves_nothing(world: World) -> None:
    async def life(p: Any) -> Any:
        return await p.plan(TextToImage(prompt="a fox", seed=3))

    plan = world.run(life)
    assert plan.body == {"endpoint": "cheap", "prompt": "a fox", "seed": 3}
    assert plan.url == "http://memory.invalid/jobs"
    assert (world.transport.exchanges, world.rows("job"), world.money()["held"]) == ([], [], 0)


@pytest.mark.parametrize("key", ["", 5, None])
def test_a_key_is_a_name(world: World, key: Any) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.RequestError, match="key="):
            await order(p, key=key)

    world.run(life)


@pytest.mark.parametrize("name", ["wait_s", "deadline_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5"])
def test_a_time_is_above_zero(world: World, name: str, value: Any) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.RequestError, match=name):
            await order(p, **{name: value})

    world.run(life)
    assert not world.transport.exchanges


@pytest.mark.parametrize("verb", ["submit", "plan", "generate", "takes"])
def test_an_option_that_nobody_knows_is_refused_with_the_nearest(world: World, verb: str) -> None:
    """A bound that is misspelt is no bound."""

    async def life(p: Any) -> None:
        more = {"n": 2} if verb == "takes" else {}
        with pytest.raises(errors.RequestError, match="did you mean 'max_usd'"):
            await getattr(p, verb)(TextToImage(prompt="a fox"), **more, max_uds="0.01")

    world.run(life)
    assert not world.transport.exchanges


def test_a_parameter_that_nobody_knows_is_refused(world: World) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.RequestError, match="unknown parameter"):
            await p.text_to_image("a fox", colour="red")

    world.run(life)


@pytest.mark.parametrize("stage", ["finall", "hero"])
def test_a_stage_that_is_misspelt_is_refused_before_anything_is_sent(world: World, stage: str) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.RequestError, match="stage"):
            await order(p, stage=stage)

    world.run(life)
    assert not world.transport.exchanges


def test_a_project_that_is_not_open_orders_nothing(world: World) -> None:
    async def life(_: Any) -> None:
        with pytest.raises(errors.ConfigurationError, match="async with"):
            await world.agg.project("other").text_to_image("a fox")

    world.run(life)
