"""What becomes of a paid request, row by row: how often it is sent, and where the money is then."""

from itertools import pairwise
from typing import Any

import pytest

from aggregator import errors
from aggregator.testing.memory import Fault
from tests.runner.world import World

CENTS_4 = 40_000
ONE = {"memory:cheap": "0.04"}
KEYED = {"replaying:cheap": "0.04"}
NOTHING = {"held": 0, "settled": 0, "overrun": 0}
HELD = {"held": CENTS_4, "settled": 0, "overrun": 0}
PAID = {"held": 0, "settled": CENTS_4, "overrun": 0}


async def order(p: Any, **options: Any) -> Any:
    return await p.text_to_image("a fox", **{"key": "fox", **options})


def ends(world: World, cls: type[Exception], **options: Any) -> Any:
    """The error that an order ends with."""

    async def life(p: Any) -> Any:
        with pytest.raises(cls) as caught:
            await order(p, **options)
        return caught.value

    return world.run(life)


def state(world: World) -> list[str]:
    return [row["state"] for row in world.attempts()]


# -------------------------------------------------------------------------------------------------------- never sent


def test_what_never_left_is_sent_again(world: World) -> None:
    world.transport.script("submit", "never_arrives", "never_arrives", "never_arrives")
    result = world.run(order)
    assert world.transport.count("submit") == 4
    assert len(world.transport.book) == 1
    assert result.cost.amount_usd == result.quote.high_usd
    assert world.money() == PAID
    assert world.attempts()[0]["sends"] == 4


def test_what_never_leaves_is_sent_four_times_and_given_back(quick: Any) -> None:
    world = World(quick, offers=ONE)
    world.transport.script("submit", *["never_arrives"] * 9)
    error = ends(world, errors.UnavailableError)
    assert world.transport.count("submit") == 4
    assert (error.accepted, error.job_id is not None) == (False, True)
    assert (state(world), world.money()) == (["failed"], NOTHING)


# ---------------------------------------------------------------------------------------------------------- rejected


@pytest.mark.parametrize(
    ("fault", "cls"),
    [
        ("422", errors.InvalidRequestError),
        ("451", errors.ContentPolicyError),
        ("401", errors.AuthenticationError),
        ("402", errors.QuotaError),
        ("404", errors.InvalidRequestError),
    ],
)
def test_a_refusal_is_sent_once_and_given_back(quick: Any, fault: Fault, cls: type[errors.ProviderError]) -> None:
    world = World(quick, offers=ONE)
    world.transport.script("submit", fault)
    error = ends(world, cls)
    assert (error.accepted, error.provider, error.model, error.task) == (
        False,
        "memory",
        "memory-cheap",
        "text-to-image",
    )
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["refused"], NOTHING)


@pytest.mark.parametrize(("fault", "least_s"), [("429", 7.0), ("429_bare", 0.0)])
def test_a_rate_limit_is_waited_out(quick: Any, fault: Fault, least_s: float) -> None:
    world = World(quick, offers=ONE)
    world.transport.script("submit", fault, fault)
    world.run(order)
    assert world.transport.count("submit") == 3
    asked_at = [row["at"] for row in world.rows("event") if row["kind"] == "submitting"]
    assert all(later - sooner >= least_s * 1000 for sooner, later in pairwise(asked_at))
    assert world.money() == PAID


def test_a_rate_limit_that_stays_is_a_refusal_after_four_sends(quick: Any) -> None:
    world = World(quick, offers=ONE)
    world.transport.script("submit", *["429"] * 9)
    error = ends(world, errors.RateLimitError)
    assert error.retry_after_s == 7.0
    assert (world.transport.count("submit"), state(world), world.money()) == (4, ["refused"], NOTHING)


@pytest.mark.parametrize(("asked", "deadline_s"), [("900", 3600), ("30", 20)])
def test_nobody_waits_longer_than_sense_or_the_deadline(
    quick: Any, monkeypatch: pytest.MonkeyPatch, asked: str, deadline_s: float
) -> None:
    world = World(quick, offers=ONE)
    world.transport.script("submit", "429")
    send = world.transport.send

    async def later(*args: Any, **kwargs: Any) -> Any:
        answer = await send(*args, **kwargs)
        answer.headers.update({"retry-after": asked} if answer.status == 429 else {})
        return answer

    monkeypatch.setattr(type(world.transport), "send", lambda _self, *a, **k: later(*a, **k))
    error = ends(world, errors.RateLimitError, deadline_s=deadline_s)
    assert (error.accepted, error.retry_after_s) == (False, float(asked))
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["refused"], NOTHING)


def test_nothing_is_sent_after_the_deadline(quick: Any) -> None:
    """Four tries with pauses: the deadline strikes in one of them."""
    world = World(quick, offers=ONE)
    world.transport.latency_s = 3.0
    world.transport.script("submit", *["never_arrives"] * 9)
    error = ends(world, errors.ProviderError, deadline_s=4)
    assert error.accepted is False
    assert world.transport.count("submit") < 4
    assert (state(world), world.money()) == (["failed"], NOTHING)


# ----------------------------------------------------------------------------------------------------------- unknown


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncated", "no_id", "500_before", "500_after"])
def test_what_nobody_knows_is_sent_once_and_stays_reserved(world: World, fault: Fault) -> None:
    world.transport.script("submit", fault)
    first = ends(world, errors.ProviderError)
    again = ends(world, errors.ProviderError)
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["unknown"], HELD)
    for error in (first, again):
        assert error.accepted is None
        assert "may have been accepted and charged" in str(error)
        assert "try again" not in str(error).lower()
        assert "stays reserved" in str(error)
        assert error.job_id == world.attempts()[0]["job"]
    assert type(again) is type(first)
    assert str(again) == str(first)


def test_an_unknown_job_is_reported_by_resume_and_stays_as_it_is(world: World) -> None:
    world.transport.script("submit", "drop_after")
    ends(world, errors.UnavailableError)

    async def life(_: Any) -> Any:
        return await world.agg.resume()

    for _ in range(2):
        [(job, error)] = world.run(life).items()
        assert (job, error.accepted) == (world.attempts()[0]["job"], None)
        world.pass_time(30 * 86_400)
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["unknown"], HELD)


def test_the_answer_that_names_another_job_is_unknown(quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that takes two orders for one: nobody can say whose the job is."""
    world = World(quick, offers=ONE)
    answer = type(world.transport)._answer

    def same(self: Any, kind: Any, *args: Any) -> Any:
        status, body = answer(self, kind, *args)
        return status, {**body, "id": "memory-1"} if kind == "submit" else body

    monkeypatch.setattr(type(world.transport), "_answer", same)

    async def life(p: Any) -> Any:
        await order(p)
        with pytest.raises(errors.ResponseFormatError, match="id of another job") as caught:
            await order(p, key="second")
        return caught.value

    assert world.run(life).accepted is None
    assert (state(world), world.money()) == (
        ["stored", "unknown"],
        {"held": CENTS_4, "settled": CENTS_4, "overrun": 0},
    )


# ----------------------------------------------------------------------------------- a provider that replays its keys


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncated", "no_id", "500_before", "500_after"])
def test_a_key_that_is_replayed_finds_out_and_buys_one_job(quick: Any, fault: Fault) -> None:
    world = World(quick, offers=KEYED)
    world.transport.script("submit", fault)
    world.run(order)
    assert (len(world.transport.book), world.transport.count("submit")) == (1, 2)
    assert (state(world), world.money()) == (["stored"], PAID)
    assert "reconciling" in [row["kind"] for row in world.rows("event")]


@pytest.mark.parametrize("fault", ["401", "402", "404", "429", "429_bare"])
def test_a_no_to_the_replay_says_nothing_of_the_first_send(quick: Any, fault: Fault) -> None:
    world = World(quick, offers=KEYED)
    world.transport.script("submit", "drop_after", *[fault] * 4)
    error = ends(world, errors.ProviderError)
    assert error.accepted is None
    assert (len(world.transport.book), state(world), world.money()) == (1, ["unknown"], HELD)


def test_a_422_to_the_replay_may_speak_of_the_key(quick: Any) -> None:
    world = World(quick, offers=KEYED)
    world.transport.script("submit", "drop_before", "422")
    assert ends(world, errors.UnavailableError).accepted is None
    assert (world.transport.count("submit"), state(world), world.money()) == (2, ["unknown"], HELD)


@pytest.mark.parametrize("fault", ["400", "451"])
def test_a_no_to_the_very_bytes_counts_when_nothing_sent_before_can_still_arrive(quick: Any, fault: Fault) -> None:
    world = World(quick, offers=KEYED)
    began_s = world.clock.time()
    world.transport.script("submit", "drop_before", fault, fault)
    error = ends(world, errors.ProviderError)
    assert error.accepted is False
    assert world.transport.count("submit") == 3
    assert world.clock.time() - began_s > 30
    assert (len(world.transport.book), state(world), world.money()) == (0, ["refused"], NOTHING)


def test_what_was_sent_first_may_be_judged_otherwise_when_it_arrives(quick: Any) -> None:
    world = World(quick, offers=KEYED)
    world.transport.script("submit", "drop_before", "451")  # the third answer is that of the first, which has arrived
    assert not world.run(order).reused
    assert (len(world.transport.book), state(world), world.money()) == (1, ["stored"], PAID)


def test_what_a_replay_could_not_find_out_is_asked_again_by_the_next_process(quick: Any) -> None:
    world = World(quick, offers=KEYED)
    world.transport.script("submit", *["drop_after"] * 5)
    error = ends(world, errors.UnavailableError)
    assert "aggregator resume" in str(error)
    assert (state(world), world.money()) == (["unknown"], HELD)
    assert not world.run(order).reused
    assert (len(world.transport.book), state(world), world.money()) == (1, ["stored"], PAID)


def test_after_a_replay_found_the_job_a_free_failure_is_given_back(quick: Any) -> None:
    from aggregator.testing.memory import Fate

    world = World(quick, offers=KEYED)
    world.transport.fates.append(Fate(end="failed_free"))
    world.transport.script("submit", "drop_after")
    error = ends(world, errors.JobFailedError)
    assert error.accepted is True
    assert (state(world), world.money()) == (["failed"], NOTHING)
