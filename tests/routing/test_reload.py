"""Models that end and configurations that change while a client works: no call fails, and nothing is paid twice."""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from aggregator import Aggregator, _observe, errors
from aggregator.tasks import TextToImage
from tests.runner.world import World as Runs

HOUR_S = 3600.0
OFFERS = {"memory:old": "0.40", "memory:new": "0.50", "memory:draft": "0.01", "replaying:other": "0.60"}
HEROES = {"memory:old": "hero", "memory:new": "hero", "replaying:other": "hero"}


def day_of(world):
    return datetime.fromtimestamp(world.clock.time(), UTC).date()


def offer_file(world, pin):
    provider, _, endpoint = pin.partition(":")
    return world.directory / "registry" / "offers" / provider / f"{endpoint}.toml"


def ends(world, pin, day, *, successor=None):
    """Write into the offer's own file when it ends."""
    file = offer_file(world, pin)
    said = f"retires = {day}\ndeprecated = {day - timedelta(days=30)}\n"
    said += f'successor = "{successor}"\n' if successor else ""
    file.write_text(said + file.read_text())


def every(world, p, count, *, gap_s, stage="final", role="shot"):
    """Order one picture after the other without waiting for the one before; each says who made it."""

    async def work():
        jobs = []
        for number in range(count):
            order = p.text_to_image(f"take {number}", key=f"k{number}", stage=stage, role=role)
            jobs.append(asyncio.create_task(order))
            await world.clock.sleep(gap_s)
        return await asyncio.gather(*jobs)

    return work()


def request():
    return TextToImage(prompt="a fox")


def nothing_twice(world, results):
    """Every job was bought once, and what it cost was booked once."""
    assert Counter(world.transport.judged) == {}
    assert len(world.transport.book) == len(results) == world.transport.count("submit")
    assert {row["state"] for row in world.attempts()} == {"stored"}
    assert len(world.attempts()) == len(results)
    invoice = int(world.transport.charged_usd * 1_000_000)
    assert world.money() == {"held": 0, "settled": invoice, "overrun": 0}


# ------------------------------------------------------------------------------------------------------- at midnight


@pytest.mark.parametrize("target", ["memory-old", "memory:old"])
def test_a_hero_that_retires_at_midnight_is_followed_by_its_successor(quick, target):
    world = Runs(quick, offers=OFFERS, tiers=HEROES, roles={"shot": {"final": target}}, follow_successor=True)
    midnight = day_of(world) + timedelta(days=1)
    ends(world, "memory:old", midnight, successor="memory-new")
    world.clock._start = datetime(midnight.year, midnight.month, midnight.day, tzinfo=UTC).timestamp() - 30.5
    # A job takes 20 s: some are ordered before midnight and delivered after it.
    results = world.run(lambda p: every(world, p, 60, gap_s=1.0))
    assert [one.model for one in results] == ["memory-old"] * 31 + ["memory-new"] * 29
    nothing_twice(world, results)


def test_without_a_successor_another_of_the_task_serves_where_that_is_allowed(quick):
    roles = {"shot": {"final": "memory-old"}}
    world = Runs(quick, offers=OFFERS, tiers=HEROES, roles=roles, replace_retired=True)
    midnight = day_of(world) + timedelta(days=1)
    ends(world, "memory:old", midnight)
    world.clock._start = datetime(midnight.year, midnight.month, midnight.day, tzinfo=UTC).timestamp() - 2 * HOUR_S

    async def life(p):
        results = await every(world, p, 8, gap_s=HOUR_S / 2)
        return results, await p.plan(request(), stage="final", role="shot")

    results, plan = world.run(life)
    assert [one.model for one in results[:4]] == ["memory-old"] * 4
    assert {one.model for one in results[4:]} == {"memory-new"}  # a hero, the cheaper of two that nobody has read
    assert "memory-old is retired and has no successor: any other may serve" in plan.why
    nothing_twice(world, results)


def test_without_leave_a_retired_pin_fails_before_any_call_and_names_who_serves(quick):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    ends(world, "memory:old", day_of(world))
    said = "no successor is named; text-to-image is served by memory-draft, memory-new, replaying-other"
    with pytest.raises(errors.RetiredModelError, match=said):
        world.run(lambda p: p.text_to_image("a fox", model="memory:old"))
    assert world.transport.exchanges == []


def test_a_closest_equivalent_comes_before_anybody_else(quick):
    world = Runs(quick, offers=OFFERS, tiers=HEROES, replace_retired=True)
    ends(world, "memory:old", day_of(world))
    card = world.directory / "registry" / "models" / "memory-old.toml"
    said = 'status = "retired"\nsource = "s"\nequivalents = ["replaying-other"]\n'
    card.write_text(card.read_text() + said)
    made = world.run(lambda p: p.text_to_image("a fox", model="memory-old"))
    assert made.model == "replaying-other"


def test_a_deprecated_offer_says_so_on_the_plan_and_in_an_event(quick, told):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    ends(world, "memory:old", day_of(world) + timedelta(days=9), successor="memory-new")

    async def life(p):
        plan = await p.plan(request(), model="memory:old")
        return plan, await p.text_to_image("a fox", model="memory:old")

    plan, made = world.run(life)
    assert made.notes == ("deprecated: 9 days left; successor memory-new",)
    assert plan.chosen.notes[0] == "deprecated: 9 days left; successor memory-new"
    assert plan.chosen.days_left == 9
    (event,) = [fields for name, fields in told if name == "offer_deprecated"]
    assert event == {"offer": "memory:old", "days_left": 9, "successor": "memory-new"}


@pytest.fixture
def told(monkeypatch):
    """Every event, with its fields."""
    found = []
    monkeypatch.setattr(_observe, "emit", lambda event, **fields: found.append((event, fields)))
    return found


# ------------------------------------------------------------------------------------------- aggregator.toml, edited


class File:
    """`aggregator.toml` of a world."""

    def __init__(self, world):
        self.path = world.directory / "aggregator.toml"
        tables = world.config["providers"].items()
        providers = "".join(f'[providers.{name}]\ntable = "{of["table"]}"\n' for name, of in tables)
        self.write(
            f'directory = "store"\nallow_ephemeral = true\n{providers}'
            '[routing]\nallow = ["memory", "replaying"]\n[registry]\npaths = ["registry"]\n'
            '[roles]\nshot = "memory-old"\n[policy]\nreview = "workhorse"\n'
        )

    def write(self, text):
        self.path.write_text(text)

    def edit(self, old, new):
        changed = re.sub(old, new, self.path.read_text())
        assert changed != self.path.read_text()
        self.write(changed)


def working(world, life):
    """A client that reads the file, in virtual time."""

    async def main():
        settings = {"clock": world.clock, "rng": Random(1), "transport": world.transport}
        async with (
            Aggregator(world.directory / "aggregator.toml", inline_store=True, **settings) as agg,
            agg.project("film", budget_usd="100") as p,
        ):
            return await life(agg, p)

    return world.virtual(main)


@pytest.mark.parametrize(
    ("edit", "before", "after", "asked"),
    [
        # The model behind a role.
        (('shot = "memory-old"', 'shot = "memory-new"'), "memory-old", "memory-new", {"role": "shot"}),
        # A stage's tier: another kind of model, no name in the code.
        (('review = "workhorse"', 'review = "hero"'), "memory-draft", "memory-old", {"stage": "review"}),
        # A whole provider goes, with its configuration.
        (
            (r'\[providers.memory\]\ntable = ".*"\n', ""),
            "memory-draft",
            "replaying-other",
            {"stage": "review"},
        ),
    ],
)
def test_an_edit_counts_from_the_reload_on_while_work_goes_on(quick, edit, before, after, asked):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    file = File(world)

    async def life(agg, p):
        work = asyncio.create_task(every(world, p, 40, gap_s=1.0, **{"stage": "prototype", "role": None, **asked}))
        await world.clock.sleep(19.5)
        file.edit(*edit)
        await world.clock.sleep(1.0)  # written, and not read yet
        before_it = len(world.transport.book)
        assert agg.opened.planner.config.policy["review"].tier == "workhorse"
        await agg.reload()
        return await work, before_it

    results, before_it = working(world, life)
    assert [one.model for one in results] == [before] * before_it + [after] * (40 - before_it)
    assert before_it == 21
    nothing_twice(world, results)


def test_a_directory_of_offers_is_read_again(quick):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    File(world)

    async def life(agg, p):
        first = await p.text_to_image("a fox", role="shot")
        ends(world, "memory:old", day_of(world), successor="memory-new")
        reloaded = await agg.reload()
        assert reloaded.providers == ("memory", "replaying")
        with pytest.raises(errors.RetiredModelError):
            await p.text_to_image("a fox", role="shot")
        return first

    assert working(world, life).model == "memory-old"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('shot = "memory-old"', "shot = 3", r"roles.shot: write a model"),
        ("allow_ephemeral = true", "allow_ephemeral = maybe", "not valid TOML"),
        ('directory = "store"', 'directory = "elsewhere"', "directory has changed: a running client keeps its store"),
        ('"registry"', '"nowhere"', "nowhere: no such directory"),
    ],
)
def test_a_mistake_is_said_and_what_was_in_use_stays(quick, old, new, said):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    file = File(world)

    async def life(agg, p):
        view = agg.opened.planner.view
        file.edit(old, new)
        with pytest.raises(errors.ConfigurationError, match=said):
            await agg.reload()
        assert agg.opened.planner.view is view
        file.edit(new, old)
        await agg.reload()
        return await p.text_to_image("a fox", role="shot")

    assert working(world, life).model == "memory-old"


def test_what_has_to_wait_for_the_next_opening_is_named(quick):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    file = File(world)

    async def life(agg, _p):
        file.edit("allow_ephemeral = true", "allow_ephemeral = true\nwarn_at = [50]")
        return await agg.reload()

    assert working(world, life).as_json() == {
        "offers": working(world, lambda agg, _p: counted(agg)),
        "providers": ["memory", "replaying"],
        "at_next_opening": ["warn_at"],
    }


async def counted(agg):
    return len(agg.opened.planner.registry.all_offers())


def test_a_key_that_changes_counts_for_what_is_ordered_after(quick, monkeypatch):
    world = Runs(quick, offers=OFFERS, tiers=HEROES)
    File(world)
    tables = world.config["providers"]

    async def life(agg, p):
        planner = agg.opened.planner
        job = await p.submit(request(), role="shot")
        ordered_from = planner.backends["memory"]
        monkeypatch.setenv("MEMORY_KEY", "another")
        keyed = {**tables, "memory": {**tables["memory"], "api_key_env": "MEMORY_KEY"}}
        await agg.reload({**world.config, "providers": keyed, "roles": {"shot": "memory-old"}})
        assert planner.backends["memory"].account != ordered_from.account
        assert planner.backend("memory", ordered_from.account) is ordered_from
        await agg.reload({**world.config, "providers": {"replaying": tables["replaying"]}})
        assert "memory" not in planner.backends
        return await job.result()

    assert working(world, life).model == "memory-old"
