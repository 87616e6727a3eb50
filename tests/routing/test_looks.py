"""A project stays with the model it used last, and a share of its jobs goes to a model on trial, through a client."""

import pytest

from aggregator import errors
from aggregator.tasks import TextToImage
from tests.runner.world import World

OFFERS = {"memory:cheap": "0.04", "memory:dear": "0.09", "memory:new": "0.50"}


def order(p, key, **options):
    return p.text_to_image("a fox", key=key, **options)


def test_a_film_keeps_its_look_over_clients_and_another_film_has_its_own(quick):
    policy = {"prototype": {"tier": "workhorse", "sticky": True}}
    world = World(quick, offers=OFFERS, policy=policy)

    async def first(p):
        begun = await order(p, "a")
        await order(p, "b", model="memory-dear", role="hero")
        return begun

    async def later(p):
        return [
            (await order(p, "c")).model,
            (await order(p, "d", role="hero")).model,
            (await p.plan(TextToImage(prompt="x"), role="hero")).chosen.notes[0],
            (await order(p, "e", role="extra")).model,
        ]

    assert world.run(first).model == "memory-cheap"
    look = "it is what the project used last here"
    assert world.run(later) == ["memory-cheap", "memory-dear", look, "memory-cheap"]
    assert world.run(later, policy={})[0] == "memory-cheap"

    async def elsewhere(_p):
        async with world.agg.project("other") as other:
            return (await order(other, "a", role="hero")).model

    assert world.run(elsewhere) == "memory-cheap"


def test_what_came_to_nothing_gives_no_look(quick):
    world = World(quick, offers=OFFERS, policy={"prototype": {"sticky": True}})
    world.transport.script("submit", "400")

    async def life(p):
        with pytest.raises(errors.InvalidRequestError):
            await order(p, "a", model="memory-dear")
        return (await order(p, "b")).model

    assert world.run(life) == "memory-cheap"


def test_the_share_on_trial_is_drawn_by_the_jobs_key(quick):
    policy = {"prototype": {"canary": {"model": "memory-new", "share": 0.4}}}
    world = World(quick, offers=OFFERS, policy=policy)

    async def life(p):
        return {key: (await order(p, key)).model for key in map(str, range(20))}

    made = world.run(life)
    on_trial = [key for key, model in made.items() if model == "memory-new"]
    assert 3 < len(on_trial) < 14
    assert set(made.values()) == {"memory-new", "memory-cheap"}
    assert World(quick.parent / f"{quick.name}-again", offers=OFFERS, policy=policy).run(life) == made


def test_jobs_without_a_key_are_drawn_by_what_they_ask(quick):
    policy = {"prototype": {"canary": {"model": "memory-new", "share": 0.4}}}
    world = World(quick, offers=OFFERS, policy=policy)

    async def life(p):
        plans = [await p.plan(TextToImage(prompt=f"fox {n}")) for n in range(20)]
        again = [await p.plan(TextToImage(prompt=f"fox {n}")) for n in range(20)]
        return [plan.offer.id for plan in plans], [plan.offer.id for plan in again]

    first, again = world.run(life)
    assert first == again
    assert set(first) == {"memory:new", "memory:cheap"}


def test_a_fallback_never_goes_to_the_model_on_trial(quick):
    policy = {"prototype": {"canary": {"model": "memory-new", "share": 0.01}}}
    offers = {"memory:cheap": "0.04", "replaying:second": "0.05", "memory:new": "0.01"}
    world = World(quick, offers=offers, policy=policy)
    world.transport.script("submit", *["never_arrives"] * 4)

    async def life(p):
        return (await order(p, "a")).lineage.offer

    assert world.run(life) == "replaying:second"
