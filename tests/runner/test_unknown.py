"""What a person says of an attempt that nobody could find out about: adopted, charged, not charged; each final."""

import json
from typing import Any

import pytest

from aggregator import errors
from aggregator.runner import resolve
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import CENTS_4, HELD, NOTHING, ONE, PAID, ends, order, state
from tests.runner.world import World


@pytest.fixture
def lost(quick: Any) -> World:
    """A world with one attempt that was taken, and nobody knows it."""
    world = World(quick, offers=ONE)
    world.transport.script("submit", "drop_after")
    assert ends(world, errors.UnavailableError).accepted is None
    assert (state(world), world.money()) == (["unknown"], HELD)
    return world


def says(world: World, work: Any, **changes: Any) -> Any:
    """What the client answers."""

    async def life(_: Any) -> Any:
        return await work(world.agg)

    return world.run(life, **changes)


def attempt_of(world: World) -> str:
    return str(world.attempts()[0]["id"])


def test_every_unknown_attempt_is_listed_with_where_to_look(lost: World) -> None:
    [found] = says(lost, lambda agg: agg.unknown())
    assert (found.id, found.offer, found.key, found.reserved_usd) == (
        attempt_of(lost),
        "memory:cheap",
        "fox",
        "0.040000",
    )
    assert (found.sent_at.timestamp(), found.remote_id) == (lost.clock.START, None)
    assert "2026-01-01 00:00:00 UTC" in found.where
    assert "README.md" in found.where  # the documentation that its table names
    assert "may have been accepted and charged" in found.error
    assert says(lost, lambda agg: agg.unknown(project="film")) == [found]
    assert says(lost, lambda agg: agg.unknown(project="other")) == []
    json.dumps(found.as_json())


def test_the_error_and_the_record_say_what_to_do_and_what_is_known(lost: World) -> None:
    error = ends(lost, errors.UnavailableError)
    assert "aggregator unknown list" in str(error)
    [record] = says(lost, lambda agg: agg.jobs())
    assert (record.sends, record.found_by, record.finished_at) == (1, None, None)
    assert record.first_sent_at.timestamp() == lost.clock.START


async def adopted(agg: Any, *args: Any, **kwargs: Any) -> Any:
    return await (await agg.adopt_unknown(*args, **kwargs)).result()


def test_a_job_that_a_person_found_is_followed_to_its_end(lost: World) -> None:
    result = says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-1"))
    assert result.cost.amount_usd is not None
    assert (state(lost), lost.money(), lost.transport.count("submit")) == (["stored"], PAID, 1)
    assert lost.attempts()[0]["found_by"] == "operator"
    [record] = says(lost, lambda agg: agg.jobs())
    assert (record.found_by, record.finished_at is not None) == ("operator", True)
    assert lost.run(order).reused


def test_an_id_that_the_provider_does_not_know_changes_nothing(lost: World) -> None:
    with pytest.raises(errors.RequestError, match=r"knows no job memory-77.*stays unknown"):
        says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-77"))
    assert (state(lost), lost.money()) == (["unknown"], HELD)


def test_an_id_that_another_attempt_has_changes_nothing(lost: World) -> None:
    async def life(p: Any) -> None:
        await order(p, key="other")
        with pytest.raises(errors.RequestError, match="belongs to another attempt"):
            await lost.agg.adopt_unknown(attempt_of(lost), "memory-2")

    lost.run(life)
    assert state(lost) == ["unknown", "stored"]


def test_a_provider_that_cannot_be_asked_now_changes_nothing(lost: World) -> None:
    lost.transport.script("poll", "401")
    with pytest.raises(errors.AuthenticationError):
        says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-1"))
    assert (state(lost), lost.money()) == (["unknown"], HELD)


def test_what_a_call_needs_beside_the_id_is_asked_for(lost: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from aggregator.contract import Call
    from aggregator.testing import memory

    asked = replace(memory.PROVIDER, poll=Call("GET", "/{place}/{id}"))
    monkeypatch.setattr(memory, "PROVIDER", asked)
    with pytest.raises(errors.RequestError, match="its place must be given"):
        says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-1"))
    says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-1", also={"place": "jobs"}))
    assert state(lost) == ["stored"]


def test_a_provider_without_a_poll_cannot_be_asked(lost: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from aggregator.testing import memory

    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, poll=None))
    with pytest.raises(errors.RequestError, match="cannot be asked about a job"):
        says(lost, lambda agg: adopted(agg, attempt_of(lost), "memory-1"))


def test_what_was_charged_is_booked_and_the_key_buys_nothing_more(lost: World) -> None:
    record = says(lost, lambda agg: agg.settle_unknown(attempt_of(lost), charged_usd="0.05"))
    assert (record.state, record.settled_usd, record.found_by) == ("lost", "0.050000", "operator")
    assert lost.money() == {"held": 0, "settled": 50_000, "overrun": 10_000}
    [post] = [row for row in lost.rows("transfer") if row["kind"] == "post"]
    assert (post["source"], post["amount"]) == ("operator", 50_000)
    error = ends(lost, errors.ArtifactLostError)
    assert (error.accepted, "not made again" in str(error)) == (True, True)
    assert lost.transport.count("submit") == 1
    assert "an operator found" in next(row for row in lost.rows("event") if row["kind"] == "lost")["data"]


@pytest.mark.parametrize("nothing", ["0", 0, "0.00"])
def test_what_was_not_charged_is_given_back_and_the_key_may_buy(lost: World, nothing: Any) -> None:
    lost.transport.book.clear()
    record = says(lost, lambda agg: agg.settle_unknown(attempt_of(lost), charged_usd=nothing))
    assert (record.state, record.settled_usd, lost.money()) == ("failed", None, NOTHING)
    lost.run(order)
    assert (state(lost), lost.money()) == (["failed", "stored"], PAID)


def test_each_is_final(lost: World) -> None:
    said = attempt_of(lost)
    says(lost, lambda agg: agg.settle_unknown(said, charged_usd="0"))
    for work in (
        lambda agg: agg.settle_unknown(said, charged_usd="0.04"),
        lambda agg: agg.settle_unknown(said, charged_usd="0"),
        lambda agg: agg.adopt_unknown(said, "memory-1"),
    ):
        with pytest.raises(errors.RequestError, match="is failed, not unknown: nothing was changed"):
            says(lost, work)
    assert lost.money() == NOTHING


@pytest.mark.parametrize("amount", ["-1", "much", "", 0.04, "nan"])
def test_what_is_no_amount_is_refused(lost: World, amount: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="charged_usd"):
        says(lost, lambda agg: agg.settle_unknown(attempt_of(lost), charged_usd=amount))
    assert (state(lost), lost.money()) == (["unknown"], HELD)


def test_whoever_says_it_second_is_told_so(lost: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback tells where the job is while a person types."""
    read = resolve._unknown

    async def overtaken(context: Any, attempt_id: str) -> Any:
        of = await read(context, attempt_id)
        await context.let_go(of)  # the row has changed since it was read
        return of

    monkeypatch.setattr(resolve, "_unknown", overtaken)
    for work in (
        lambda agg: agg.settle_unknown(attempt_of(lost), charged_usd="0.04"),
        lambda agg: agg.settle_unknown(attempt_of(lost), charged_usd="0"),
    ):
        with pytest.raises(errors.RequestError, match="at this very moment"):
            says(lost, work)
    assert (state(lost), lost.money()) == (["unknown"], HELD)


def test_an_attempt_that_is_not_there_is_said_so(lost: World) -> None:
    with pytest.raises(errors.RequestError, match=r"there is no attempt nobody\.1"):
        says(lost, lambda agg: agg.settle_unknown("nobody.1", charged_usd="0"))


def test_a_job_whose_name_is_known_is_polled_not_adopted(quick: Any) -> None:
    world = World(quick, offers=ONE)
    world.transport.fates.append(Fate(service_s=1e6))
    ends(world, errors.JobTimeoutError, deadline_s=60)
    [found] = says(world, lambda agg: agg.unknown())
    assert (found.remote_id, "the job memory-1" in found.where) == ("memory-1", True)
    with pytest.raises(errors.RequestError, match="is job memory-1 already"):
        says(world, lambda agg: agg.adopt_unknown(attempt_of(world), "memory-2"))


# ------------------------------------------------------------------------------------------------- nobody says anything


def resumed(world: World, **changes: Any) -> Any:
    return says(world, lambda agg: agg.resume(), **changes)


def test_by_default_money_stays_reserved_for_ever(lost: World) -> None:
    lost.pass_time(400 * 86_400)
    resumed(lost)
    assert (state(lost), lost.money()) == (["unknown"], HELD)


def test_where_it_is_configured_it_is_booked_at_its_quote_after_its_horizon(lost: World) -> None:
    lost.pass_time(resolve.HORIZON_S - 3600)
    resumed(lost, settle_unknown="assume_charged")
    assert (state(lost), lost.money()) == (["unknown"], HELD)
    lost.pass_time(2 * 3600)
    [error] = resumed(lost, settle_unknown="assume_charged").values()
    assert isinstance(error, errors.ArtifactLostError)
    assert (state(lost), lost.money()) == (["lost"], PAID)
    [post] = [row for row in lost.rows("transfer") if row["kind"] == "post"]
    assert (post["source"], post["amount"]) == ("reserved", CENTS_4)
    assert lost.attempts()[0]["found_by"] == "horizon"


def test_a_result_that_lives_longer_is_waited_for(lost: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from aggregator.testing import memory

    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, result_ttl_s=30 * 86_400.0))
    lost.pass_time(20 * 86_400)
    resumed(lost, settle_unknown="assume_charged")
    assert state(lost) == ["unknown"]


# ----------------------------------------------------------------------------------------------------------- afterwards


def test_what_turns_out_later_is_a_correction_in_the_books(lost: World) -> None:
    said = attempt_of(lost)
    says(lost, lambda agg: agg.settle_unknown(said, charged_usd="0"))
    for cents, figure in ((CENTS_4, "0.04"), (CENTS_4 // 2, "0.02"), (0, "0")):
        record = says(lost, lambda agg, figure=figure: agg.correct_charge(said, charged_usd=figure, source="invoice"))
        assert (lost.money()["settled"], lost.money()["held"]) == (cents, 0)
        assert record.state == "failed"
    assert [row["source"] for row in lost.rows("transfer") if row["kind"] == "adjust"] == ["invoice"] * 3
    assert [row["kind"] for row in lost.rows("event")].count("corrected") == 3


@pytest.mark.parametrize(("figure", "money"), [("0.04", PAID), ("0", NOTHING)])
def test_what_stays_reserved_after_a_failure_is_settled_by_a_person(quick: Any, figure: str, money: Any) -> None:
    world = World(quick, offers=ONE)
    world.transport.fates.append(Fate(end="failed_unclear"))
    error = ends(world, errors.JobFailedError)
    assert f"aggregator correct {attempt_of(world)} USD" in str(error)
    assert world.money() == HELD
    says(world, lambda agg: agg.correct_charge(attempt_of(world), charged_usd=figure))
    assert (state(world), world.money()) == (["failed"], money)


def test_what_has_not_ended_is_not_corrected(lost: World) -> None:
    with pytest.raises(errors.RequestError, match="is unknown"):
        says(lost, lambda agg: agg.correct_charge(attempt_of(lost), charged_usd="1"))
    assert lost.money() == HELD
