"""What is locked, what counts as moved, and that nothing is ordered that has."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aggregator import Aggregator
from aggregator.errors import LockError, RequestError
from aggregator.lock import Entry, Key, Lock
from aggregator.locking import Change, keys, moved, resolve
from aggregator.tasks import ImageToImage, TextToImage
from tests.runner.world import World

OFFERS = {"memory:cheap": "0.04", "memory:second": "0.05", "memory:fine": "0.20"}
TIERS = {"memory:fine": "hero"}
SETTINGS = {"roles": {"poster": {"final": "memory-second"}}}


@pytest.fixture
def world(quick: Path) -> World:
    """Two workhorses and a hero, and a role."""
    made = World(quick, offers=OFFERS, tiers=TIERS, **SETTINGS)
    made.config["lock"] = str(quick / "aggregator.lock")
    return made


def locked(world: World, **changes: Any) -> Lock:
    """The lock of the world as it is, written."""

    async def life(_p: Any) -> Lock:
        view = world.agg.opened.planner.view
        return resolve(view, world.clock, day(world))[0]

    lock = world.run(life, **changes)
    Path(str(world.config["lock"])).write_text(lock.text)
    return lock


def day(world: World) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(world.clock.time(), UTC).date()


def file_of(world: World, kind: str) -> Path:
    """The registry's file of offers, or of rates."""
    [found] = (world.directory / "registry").rglob({"offer": "memory/cheap.toml", "rate": "rates/memory.toml"}[kind])
    return found


def edited(world: World, kind: str, old: str, new: str) -> None:
    path = file_of(world, kind)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(world: World, **changes: Any) -> LockError:
    """What opening says."""

    async def life(_p: Any) -> None:
        pytest.fail("it was opened")

    with pytest.raises(LockError) as caught:
        world.run(life, frozen=True, **changes)
    return caught.value


async def order(p: Any, **options: Any) -> str:
    return (await p.generate(TextToImage(prompt="a fox"), **options)).lineage.offer  # type: ignore[no-any-return]


# -------------------------------------------------------------------------------------------------------- what is in it


def test_each_task_and_stage_is_locked_and_each_role_where_it_can_be(world: World) -> None:
    lock = locked(world)
    found = {str(key): entry.offer for key, entry in lock.entries.items()}
    assert {key: offer for key, offer in found.items() if key.startswith("text-to-image")} == {
        "text-to-image prototype": "memory:cheap",
        "text-to-image final": "memory:fine",
        "text-to-image prototype poster": "memory:cheap",
        "text-to-image final poster": "memory:second",
    }
    entry = lock.entries[Key("text-to-image", "prototype")]
    assert (entry.model, entry.high_usd, list(entry.rates.values())) == ("memory-cheap", "0.04", ["0.04"])
    assert set(entry.takes) == {"prompt", "seed"}


def test_the_file_is_the_same_every_time_and_reads_back(world: World) -> None:
    first, second = locked(world), locked(world)
    assert first.text == second.text
    path = Path(str(world.config["lock"]))
    assert Lock.read(path) == first
    assert list(json.loads(first.text)["locked"]) == sorted(json.loads(first.text)["locked"])


def test_it_says_nothing_of_where_and_with_which_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-very-secret")
    providers: Any = world.config["providers"]
    providers["memory"] |= {"base_url": "http://127.0.0.1:8123", "api_key_env": "A_KEY"}
    text = locked(world).text
    for word in ("127.0.0.1", "memory.invalid", "http", "A_KEY", "secret", str(world.directory)):
        assert word not in text


# ----------------------------------------------------------------------------------------------------------- what moves


def test_nothing_has_moved(world: World) -> None:
    locked(world)
    assert world.run(order, frozen=True) == "memory:cheap"


MOVES: list[tuple[str, Callable[[World], None], str]] = [
    (
        "a rate",
        lambda w: edited(w, "rate", 'usd = "0.04"', 'usd = "0.03"'),
        "rate memory/cheap/image@2025-01-01: 0.04 → 0.03",
    ),
    (
        "a limit",
        lambda w: edited(w, "offer", "checked", "limits = { seed = { max = 9 } }\nchecked"),
        "parameter seed: any → max 9",
    ),
    (
        "a parameter",
        lambda w: edited(w, "offer", "checked", "fields = { seed = false }\nchecked"),
        "parameter seed: any → gone",
    ),
    (
        "the mapping",
        lambda w: edited(w, "offer", "checked", 'fixed = { "style" = "plain" }\nchecked'),
        "how memory:cheap is asked has changed",
    ),
    (
        "its life",
        lambda w: edited(w, "offer", "checked", "retires = 2025-12-31\nchecked"),
        "memory:cheap is retired since 2025-12-31",
    ),
]


@pytest.mark.parametrize(("change", "said"), [move[1:] for move in MOVES], ids=[move[0] for move in MOVES])
def test_what_has_moved_is_refused_at_opening_and_named(
    world: World, change: Callable[[World], None], said: str
) -> None:
    locked(world)
    change(world)
    error = refused(world)
    assert any(line.startswith("text-to-image prototype: ") and said in line for line in error.moved), error.moved
    assert not any(line.startswith("text-to-image final: ") for line in error.moved)
    assert "aggregator lock --upgrade" in str(error)


def test_an_offer_that_is_gone(world: World) -> None:
    locked(world)
    file_of(world, "offer").unlink()
    assert "text-to-image prototype: memory:cheap is not in the registry any more" in refused(world).moved


def test_an_edit_of_the_configuration_moves_what_it_decides(world: World) -> None:
    locked(world)
    error = refused(world, roles={"poster": {"final": "memory-cheap"}})
    assert [line.partition(":")[0] for line in error.moved if line.startswith("text")] == ["text-to-image final poster"]
    assert "the configuration says something else of it ([roles] poster" in error.moved[0]


def test_what_came_anew_moves_nothing_and_is_not_used(world: World, quick: Path) -> None:
    locked(world)
    cheaper = World(quick / "more", offers={**OFFERS, "memory:bargain": "0.01"}, tiers=TIERS)
    world.config["registry"] = cheaper.config["registry"]
    assert world.run(order) == "memory:bargain"
    assert world.run(order, frozen=True) == "memory:cheap"


def test_versions_alone_are_no_drift(world: World) -> None:
    lock = locked(world)
    other = Lock(lock.entries, "9.9", "0" * 12, "0" * 12)
    Path(str(world.config["lock"])).write_text(other.text)
    assert world.run(order, frozen=True) == "memory:cheap"


# -------------------------------------------------------------------------------------------------------- while it runs


def test_a_view_that_comes_while_it_runs_is_held_to_the_lock_too(world: World) -> None:
    locked(world)

    async def life(p: Any) -> tuple[str, LockError, str]:
        before = await order(p)
        planner = world.agg.opened.planner
        edited(world, "rate", 'usd = "0.04"', 'usd = "0.03"')
        async with Aggregator(
            {**world.config, "directory": str(world.directory / "other")}, inline_store=True
        ) as other:
            planner.swap(other.opened.planner.view)
        with pytest.raises(LockError) as caught:
            await order(p)
        return before, caught.value, await order(p, stage="final")

    before, error, final = world.run(life, frozen=True)
    assert (before, final) == ("memory:cheap", "memory:fine")  # what has not moved goes on
    assert error.moved == ("text-to-image prototype: rate memory/cheap/image@2025-01-01: 0.04 → 0.03",)


def test_an_offer_that_retires_while_it_runs_is_refused_from_that_day_on(world: World) -> None:
    edited(world, "offer", "checked", "retires = 2026-01-02\nchecked")
    locked(world)

    async def life(p: Any) -> LockError:
        await order(p)
        await world.clock.sleep(86_400)
        with pytest.raises(LockError) as caught:
            await order(p)
        return caught.value

    assert world.run(life, frozen=True).moved == ("text-to-image prototype: memory:cheap is retired since 2026-01-02",)


def test_nobody_stands_in_for_what_is_locked(world: World) -> None:
    locked(world)
    world.transport.script("submit", *["never_arrives"] * 4)

    async def life(p: Any) -> None:
        with pytest.raises(Exception, match="memory"):
            await order(p)

    world.run(life, frozen=True)
    assert [row["endpoint"] for row in world.attempts()] == ["cheap"]


def test_a_model_that_the_call_names_is_the_calls_own_business(world: World) -> None:
    locked(world)
    assert world.run(lambda p: order(p, model="memory:second"), frozen=True) == "memory:second"


def test_what_is_not_locked_is_refused(world: World) -> None:
    lock = locked(world)
    kept = {key: entry for key, entry in lock.entries.items() if key.stage == "prototype"}
    Path(str(world.config["lock"])).write_text(Lock(kept, "1", "2", "3").text)

    async def life(p: Any) -> None:
        with pytest.raises(LockError, match=r"says nothing of text-to-image final, .* `aggregator lock` adds it"):
            await order(p, stage="final")
        with pytest.raises(RequestError):
            await p.plan(TextToImage(prompt="x"), stage="no-such-stage", model="memory:cheap")

    world.run(life, frozen=True)


# ------------------------------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file: `aggregator lock` writes it"),
        ("{", "not a lock"),
        ("[]", "this must be a table"),
        ('{"format": 2}', "a later version of aggregator"),
        (
            '{"format": 1, "aggregator": "1", "registry": "r", "prices": "p", "locked": {"text-to-image": {}}}',
            "locked.text-to-image",
        ),
        ('{"format": 1, "aggregator": "1", "registry": "r", "prices": "p", "lokked": {}}', "did you mean 'locked'"),
    ],
)
def test_what_is_no_lock_is_refused_with_its_file(world: World, text: str | None, said: str) -> None:
    path = Path(str(world.config["lock"]))
    if text is not None:
        path.write_text(text)
    error = refused(world)
    assert str(path) in str(error)
    assert said in str(error)


def test_a_change_names_what_is_lost_gained_and_limited(world: World) -> None:
    lock = locked(world)
    entry = lock.entries[Key("text-to-image", "prototype")]
    other = Entry(**{**entry.model_dump(), "takes": {"prompt": "any", "size": "any", "seed": "max 9"}})

    async def life(_p: Any) -> Change:
        return Change.of(world.agg.opened.planner.view, Key("text-to-image", "prototype"), entry, other, day(world))

    change = world.run(life)
    assert (change.lost, change.gained, change.limits) == ((), ("size",), (("seed", "any", "max 9"),))
    assert change.as_json()["quality"] == {"before": None, "after": None}


def test_keys_are_what_calls_can_ask_for(world: World) -> None:
    async def life(_p: Any) -> set[Key]:
        view = world.agg.opened.planner.view
        entry = resolve(view, world.clock, day(world))[0].entries[Key("image-to-image", "final")]
        assert moved(view, Key("image-to-image", "final"), entry, day(world)) == []
        return set(keys(view))

    found = world.run(life)
    assert {Key("text-to-image", "final", "poster"), Key("image-to-image", "final")} <= found
    assert not any(key.role == "poster" and key.task == "text-to-video" for key in found)
    assert ImageToImage.task in {key.task for key in found}
