"""Finding out about a request whose answer never came: by what each provider declares, and never by guessing."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import HttpResponse
from aggregator.runner import reconcile
from aggregator.runner.context import SEND_LEASE_S
from aggregator.store import journal
from aggregator.tasks import TextToImage
from aggregator.testing import memory
from aggregator.testing.clock import VirtualClock
from aggregator.testing.memory import Fate, Fault
from aggregator.testing.memory_tables import KEPT_S, KEY_TTL_S, LISTED_WITHIN_S
from tests.runner.test_outcomes import HELD, NOTHING, PAID, ends, order, state
from tests.runner.world import World

READ_S = memory.PROVIDER.submit.read_s  # type: ignore[union-attr]
FOX = TextToImage(prompt="a fox")
AMBIGUOUS: tuple[Fault, ...] = ("drop_after", "hang_after", "truncated", "no_id", "500_after", "504_after", "408_after")


def world_of(quick: Any, provider: str, **settings: Any) -> World:
    return World(quick / provider, offers={f"{provider}:cheap": "0.04"}, **settings)


def found_by(world: World) -> list[str | None]:
    return [row["found_by"] for row in world.attempts()]


def leave_in_the_middle(world: World) -> None:
    """Die with the paid request on its way: the provider has it, and no answer was written down."""
    world.transport.latency_s = 100.0

    async def life(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await world.clock.sleep(150)  # the request is there, its answer is not

    world.run(life)
    world.transport.latency_s = 0.05
    assert state(world) == ["submitting"]


# ------------------------------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize("handed", [False, True])
def test_the_attempts_id_goes_along_in_the_body_whether_something_was_uploaded_first(quick: Any, handed: bool) -> None:
    world = world_of(quick, "referring")
    sent: list[Any] = []
    taken = type(world.transport)._taken

    async def life(p: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                type(world.transport), "_taken", lambda self, request: sent.append(request.json) or taken(self, request)
            )
            await (p.image_to_image(memory.PNG, "at night", key="n") if handed else order(p))

    world.run(life)
    [row] = world.attempts()
    assert [body["reference"] for body in sent] == [row["id"]]
    assert row["first_sent_at"] == row["last_sent_at"] is not None


def test_an_option_may_not_stand_where_the_attempts_id_goes(quick: Any) -> None:
    world = world_of(quick, "referring")
    options = {"provider_options": {"referring": {"reference": "mine"}}}
    assert "reference" in str(ends(world, errors.RequestError, **options))
    assert world.transport.count("submit") == 0


# ------------------------------------------------------------------------------------------------- the key once more


def test_a_key_in_flight_is_waited_for_and_asked_again(quick: Any) -> None:
    world = world_of(quick, "replaying")
    world.transport.script("submit", "drop_after", *["409"] * 8)
    world.run(order)
    assert (len(world.transport.book), world.transport.count("submit")) == (1, 10)
    assert (found_by(world), world.money()) == (["replay"], PAID)
    assert world.attempts()[0]["sends"] == 10


def test_a_key_that_stays_in_flight_is_unknown_in_the_end(quick: Any) -> None:
    world = world_of(quick, "replaying")
    world.transport.script("submit", "drop_after", *["409"] * 999)
    began = world.clock.time()
    ends(world, errors.UnavailableError)
    assert reconcile.IN_FLIGHT_S <= world.clock.time() - began < reconcile.IN_FLIGHT_S + 60
    assert (state(world), world.money()) == (["unknown"], HELD)


@pytest.mark.parametrize("passed_s", [KEY_TTL_S * 0.5, KEY_TTL_S * 1.5, -3600.0])
def test_a_key_is_not_sent_again_when_its_time_may_be_over(quick: Any, passed_s: float) -> None:
    """The provider forgets it after an hour, and clocks may be an hour apart: the same bytes might buy another job."""
    world = world_of(quick, "expiring")
    world.transport.script("submit", *["drop_after"] * 5)
    ends(world, errors.UnavailableError)
    sent = world.transport.count("submit")
    world.pass_time(passed_s)
    ends(world, errors.UnavailableError)
    assert (world.transport.count("submit"), len(world.transport.book)) == (sent, 1)
    assert (state(world), world.money()) == (["unknown"], HELD)


def test_a_key_is_sent_again_by_its_sender_within_its_time(quick: Any) -> None:
    world = world_of(quick, "expiring")
    world.transport.script("submit", "drop_after", *["409"] * 6)
    world.run(order)
    assert (len(world.transport.book), state(world), found_by(world)) == (1, ["stored"], ["replay"])


def test_a_key_that_lives_for_a_day_is_sent_again_by_another_process(
    quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "EXPIRING", replace(memory.EXPIRING, idempotency_ttl_s=86_400.0))
    monkeypatch.setattr(memory, "KEY_TTL_S", 86_400.0)
    world = world_of(quick, "expiring")
    world.transport.script("submit", *["drop_after"] * 5)
    ends(world, errors.UnavailableError)
    world.pass_time(22 * 3600)
    world.run(order)
    assert (len(world.transport.book), state(world), found_by(world)) == (1, ["stored"], ["replay"])


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_a_key_that_is_refused_has_bought_and_its_job_is_looked_up(quick: Any, fault: Fault) -> None:
    world = world_of(quick, "rejecting")
    world.transport.script("submit", fault)
    world.run(order)
    assert (len(world.transport.book), world.transport.count("submit")) == (1, 2)
    assert (state(world), found_by(world), world.money()) == (["stored"], ["lookup"], PAID)


def test_a_key_that_nobody_had_seen_buys_with_the_second_send(quick: Any) -> None:
    world = world_of(quick, "rejecting")
    world.transport.script("submit", "drop_before")
    world.run(order)
    assert (len(world.transport.book), found_by(world), world.money()) == (1, ["replay"], PAID)


def test_a_key_that_is_taken_with_a_job_that_is_not_to_be_found_was_accepted(quick: Any) -> None:
    world = world_of(quick, "rejecting")
    world.transport.fates.append(Fate(appears_after_s=1e6))
    world.transport.script("submit", "drop_after")
    error = ends(world, errors.UnavailableError)
    assert error.accepted is True
    assert "was accepted" in str(error)
    assert (len(world.transport.book), state(world), world.money()) == (1, ["unknown"], HELD)


def test_a_422_after_a_limit_was_hit_may_speak_of_the_key(quick: Any) -> None:
    """The first send was refused for its rate; if its key was kept all the same, the job may be there."""
    world = world_of(quick, "replaying")
    world.transport.script("submit", "429", "422", *["422"] * 4)
    assert ends(world, errors.InvalidRequestError).accepted is None
    assert (state(world), world.money()) == (["unknown"], HELD)


# ----------------------------------------------------------------------------------------------------- by its own id


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_a_job_is_found_by_the_attempts_own_id(quick: Any, fault: Fault) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", fault)
    world.run(order)
    assert (len(world.transport.book), world.transport.count("submit")) == (1, 1)
    assert (state(world), found_by(world), world.money()) == (["stored"], ["lookup"], PAID)


def test_a_job_that_appears_late_is_waited_for(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.fates.append(Fate(appears_after_s=LISTED_WITHIN_S - 5))
    world.transport.script("submit", "drop_after")
    world.run(order)
    assert (len(world.transport.book), found_by(world)) == (1, ["lookup"])


def test_what_is_certainly_not_there_is_given_back_and_bought_by_a_new_attempt(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", "drop_before")
    began = world.clock.time()
    result = world.run(order)
    assert world.clock.time() - began > LISTED_WITHIN_S + READ_S  # it may have been on its way that long
    assert (state(world), found_by(world)) == (["failed", "stored"], ["absent", None])
    assert (world.money(), [row["n"] for row in world.attempts()]) == (PAID, [1, 2])
    assert [len(world.transport.accepted(row["id"])) for row in world.attempts()] == [0, 1]
    assert not result.reused


def test_a_list_that_does_not_go_back_so_far_proves_nothing(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.fates.append(Fate(forgets_after_s=KEPT_S))
    world.transport.script("submit", "drop_after")
    world.transport.script("lookup", *["401"] * 60)  # while it would have been found, nothing could be asked
    ends(world, errors.UnavailableError)
    world.transport.faults.clear()
    world.pass_time(KEPT_S + 60)
    ends(world, errors.UnavailableError)
    assert (len(world.transport.book), state(world), world.money()) == (1, ["unknown"], HELD)


def test_what_is_never_there_is_bought_three_times_at_most(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", *["drop_before"] * 9)
    error = ends(world, errors.RoutesExhaustedError)
    assert [item.accepted for item in error.errors] == [False] * 3
    assert (world.transport.count("submit"), world.money()) == (3, NOTHING)


def test_absence_that_shows_after_the_deadline_gives_back_and_buys_nothing_by_itself(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", "drop_before")
    assert ends(world, errors.UnavailableError, deadline_s=LISTED_WITHIN_S / 2).accepted is None
    assert (state(world), world.money()) == (["unknown"], HELD)
    world.pass_time(LISTED_WITHIN_S)  # clocks may differ by more than that
    assert ends(world, errors.UnavailableError).accepted is None
    world.pass_time(reconcile.CERTAINLY_S + 600)
    assert ends(world, errors.UnavailableError).accepted is False
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["failed"], NOTHING)
    world.run(order)
    assert (state(world), world.money()) == (["failed", "stored"], PAID)


def test_a_lookup_that_fails_proves_nothing(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", "drop_before")
    world.transport.weather = lambda kind: "500_before" if kind == "lookup" else None
    assert ends(world, errors.UnavailableError).accepted is None
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["unknown"], HELD)


def test_what_could_not_be_looked_up_is_looked_up_by_the_next_process_in_one_look(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", "drop_after")
    world.transport.weather = lambda kind: "500_before" if kind == "lookup" else None
    ends(world, errors.UnavailableError)
    world.transport.weather = lambda _kind: None
    before = world.transport.count("lookup")
    world.run(order)
    assert world.transport.count("lookup") == before + 1
    assert (world.transport.count("submit"), state(world), found_by(world)) == (1, ["stored"], ["lookup"])


def test_a_later_look_that_finds_nothing_changes_nothing_and_ends_at_once(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.fates.append(Fate(appears_after_s=1e9))
    world.transport.script("submit", "drop_after")
    world.transport.weather = lambda kind: "500_before" if kind == "lookup" else None
    first = ends(world, errors.UnavailableError)
    written, began = world.rows("event"), world.clock.time()
    again = ends(world, errors.UnavailableError)
    assert str(again) == str(first)
    assert world.rows("event") == written
    assert world.clock.time() - began < 60
    assert world.attempts()[0]["lease_owner"] is None


def test_a_process_that_died_while_sending_leaves_a_job_that_is_found(quick: Any) -> None:
    world = world_of(quick, "referring")
    leave_in_the_middle(world)
    world.run(order)
    assert (world.transport.count("submit"), state(world), found_by(world)) == (1, ["stored"], ["lookup"])


def test_while_the_sender_may_live_an_empty_list_proves_nothing(quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs before its first byte, and another one: the second may buy only when the first cannot."""
    world = world_of(quick, "referring")
    send = type(world.transport).send
    first: list[Any] = []

    async def hangs(self: Any, request: Any, **options: Any) -> HttpResponse:
        if request.method == "POST" and not first:
            first.append(request)
            await asyncio.sleep(10 * SEND_LEASE_S)
        return await send(self, request, **options)

    monkeypatch.setattr(type(world.transport), "send", hangs)

    async def main() -> Any:
        async with world.client() as one, one.project("film", budget_usd="5") as p:
            job = await p.submit(FOX, key="fox", deadline_s=3 * 3600)
            task = asyncio.create_task(job.result())
            await world.clock.sleep(5)
            world.clock._start += 3600  # the second client's machine is an hour ahead
            async with world.client() as two, two.project("film") as q:
                began = world.clock.monotonic()
                found = asyncio.create_task(order(q))
                await world.clock.sleep(200)
                assert len(world.transport.book) == 0, "bought while the first may still send"
                first, second = await asyncio.gather(task, found)
                return first.artifact == second.artifact, world.clock.monotonic() - began

    same, took_s = world.virtual(main)
    assert same
    assert (len(world.transport.book), state(world)) == (1, ["failed", "stored"])
    assert took_s < SEND_LEASE_S + 2 * LISTED_WITHIN_S


# ------------------------------------------------------------------------------------------ among the jobs of that time


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_the_only_job_of_that_time_and_contents_is_adopted(quick: Any, fault: Fault) -> None:
    world = world_of(quick, "listing")

    async def life(p: Any) -> None:
        await order(p, key="before")  # the same contents, but it belongs to another attempt
        world.transport.script("submit", fault)
        await p.text_to_image("a fox", key="fox")

    world.run(life)
    assert (state(world), found_by(world)) == (["stored", "stored"], [None, "lookup"])
    assert len(world.transport.book) == 2


def test_several_jobs_that_it_could_be_are_none(quick: Any) -> None:
    world = world_of(quick, "listing")
    twin = type(world.transport)._taken

    def twice(self: Any, request: Any) -> Any:
        twin(self, request)
        return twin(self, request)

    world.transport.script("submit", "drop_after")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.transport), "_taken", twice)
        assert ends(world, errors.UnavailableError).accepted is None
    assert (state(world), world.money()) == (["unknown"], HELD)


def test_of_two_alike_that_are_open_none_takes_the_one_job(quick: Any) -> None:
    """One was taken and one was not; which of them is which cannot be told."""
    world = world_of(quick, "listing")
    world.transport.script("submit", "drop_after", "drop_before")

    async def life(p: Any) -> Any:
        return await asyncio.gather(order(p, key="a"), order(p, key="b"), return_exceptions=True)

    ended = world.run(life)
    assert [error.accepted for error in ended] == [None, None]
    assert (state(world), len(world.transport.book)) == (["unknown", "unknown"], 1)


def test_a_clock_that_jumps_between_two_alike_gives_neither_the_others_job(quick: Any) -> None:
    """One never arrived. By our clock the other left an hour before it; by the provider's, a second after."""
    world = world_of(quick, "listing")
    world.transport.clock = VirtualClock()  # which is right all the time
    world.transport.script("submit", "drop_before", "drop_after")

    async def life(p: Any) -> Any:
        first = asyncio.create_task(order(p, key="a"))
        await world.clock.sleep(1)
        world.pass_time(-3600)
        return await asyncio.gather(first, order(p, key="b"), return_exceptions=True)

    ended = world.run(life)
    assert [error.accepted for error in ended] == [None, None]
    assert (state(world), len(world.transport.book)) == (["unknown", "unknown"], 1)


def test_a_job_with_other_contents_is_not_it(quick: Any) -> None:
    world = world_of(quick, "listing")
    world.transport.script("submit", "drop_before")

    async def life(p: Any) -> Any:
        first = asyncio.create_task(order(p))
        await world.clock.sleep(1)
        await p.text_to_image("a hen", key="hen")
        return await first

    world.run(life)
    assert state(world) == ["failed", "stored", "stored"]
    assert sorted(job.prompt for job in world.transport.book.values()) == ["a fox", "a hen"]


# ---------------------------------------------------------------------------------------------------------- races, ends


def test_evidence_of_another_process_counts_and_nothing_is_bought_twice(quick: Any) -> None:
    """Two clients with one key, both looking for the same unknown job."""
    world = world_of(quick, "referring")
    world.transport.fates.append(Fate(appears_after_s=60))
    world.transport.script("submit", "drop_after")
    world.transport.weather = lambda kind: "500_before" if kind == "lookup" else None
    ends(world, errors.UnavailableError)
    world.transport.weather = lambda _kind: None
    world.pass_time(60)

    async def main() -> Any:
        async def one() -> Any:
            async with world.client() as agg, agg.project("film", budget_usd="100") as p:
                return await order(p)

        return await asyncio.gather(one(), one())

    first, second = world.virtual(main)
    assert first.artifact.sha256 == second.artifact.sha256
    assert (len(world.transport.book), world.transport.count("submit"), world.money()) == (1, 1, PAID)


def test_what_is_taken_after_all_is_written_down_for_the_books(quick: Any) -> None:
    """Absence was proven wrongly: the answer that comes then is not silently dropped."""
    world = world_of(quick, "memory")

    async def main() -> None:
        async with world.client() as agg, agg.project("film", budget_usd="1") as p:
            from aggregator.job import AttemptState
            from aggregator.runner import submit

            world.transport.latency_s = 50.0
            job = await p.submit(FOX, key="fox")
            await world.clock.sleep(1)
            context = agg.opened.runner._context
            of = await context.load(job.id)
            await submit.not_taken(context, of, errors.UnavailableError("no"), AttemptState.FAILED)
            await world.clock.sleep(200)

    world.virtual(main)
    said = [row for row in world.rows("event") if row["kind"] == "accepted_too_late"]
    assert [row["data"] for row in said] == ['{"remote_id":"memory-1"}']
    assert (state(world), world.money()) == (["failed"], NOTHING)


def test_older_journals_have_no_times_and_prove_nothing(quick: Any) -> None:
    world = world_of(quick, "referring")
    leave_in_the_middle(world)
    world.transport.book.clear()

    async def forget(agg: Any) -> None:
        from sqlalchemy import update

        from aggregator.store.schema import attempt

        without = update(attempt).values(first_sent_at=None, last_sent_at=None)
        await agg.opened.store.transact(lambda c: c.execute(without))

    async def life(_: Any) -> None:
        await forget(world.agg)

    world.run(life)
    assert ends(world, errors.UnavailableError).accepted is None
    assert (world.transport.count("submit"), state(world)) == (1, ["unknown"])


async def test_a_lease_is_kept_without_a_new_version_and_only_by_its_holder(quick: Any) -> None:
    world = world_of(quick, "memory")
    async with world.client() as agg, agg.project("film") as p:
        job = await p.submit(FOX, key="fox")
        context = agg.opened.runner._context
        of = await context.load(job.id)
        mine = {"lease_owner": context.owner, "lease_until": 5}
        assert await context.store.transact(lambda c: journal.keep(c, of.id, **mine))
        assert (await context.load(job.id)).lease_until == 5
        assert (await context.load(job.id)).version == of.version
        assert not await context.store.transact(lambda c: journal.keep(c, of.id, lease_owner="other", lease_until=9))
        assert (await context.load(job.id)).lease_until == 5


def test_the_watch_of_an_unknown_job_needs_its_provider(quick: Any) -> None:
    world = world_of(quick, "referring")
    world.transport.script("submit", "drop_after")
    world.transport.weather = lambda kind: "500_before" if kind == "lookup" else None
    ends(world, errors.UnavailableError)
    world.transport.weather = lambda _kind: None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "REFERRING", replace(memory.REFERRING, lookup=None))
        assert ends(world, errors.UnavailableError).accepted is None
    world.run(order)
    assert (state(world), len(world.transport.book)) == (["stored"], 1)
