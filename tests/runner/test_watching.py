"""Between the acceptance and the end: patience, deadlines, odd words, lost keys, and evidence that comes late."""

from typing import Any

import pytest

from aggregator import _observe, errors
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import CENTS_4, HELD, NOTHING, ONE, PAID, ends, order, state
from tests.runner.world import World


@pytest.fixture
def one(quick: Any) -> World:
    return World(quick, offers=ONE)


def resume(world: World) -> Any:
    async def life(_: Any) -> Any:
        return await world.agg.resume()

    return world.run(life)


def test_the_deadline_ends_the_waiting_and_holds_the_money(one: World) -> None:
    one.transport.fates.append(Fate(service_s=100))
    began = one.clock.time()
    error = ends(one, errors.JobTimeoutError, deadline_s=40)
    assert error.accepted is True
    assert 40 <= one.clock.time() - began < 45
    assert "try again" not in str(error).lower()
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["unknown"], HELD)


def test_evidence_that_comes_late_settles(one: World) -> None:
    one.transport.fates.append(Fate(service_s=100))
    first = ends(one, errors.JobTimeoutError, deadline_s=40)
    again = ends(one, errors.JobTimeoutError)
    assert str(again) == str(first)
    one.pass_time(100)
    assert list(resume(one).values()) == ["stored"]
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)
    assert one.run(order).reused


@pytest.mark.parametrize(
    ("end", "money"), [("failed_free", NOTHING), ("failed_billed", PAID), ("failed_unclear", HELD)]
)
def test_evidence_of_a_failure_that_comes_late_follows_the_billing_rule(one: World, end: Any, money: Any) -> None:
    one.transport.fates.append(Fate(service_s=100, end=end))
    ends(one, errors.JobTimeoutError, deadline_s=40)
    one.pass_time(100)
    [error] = resume(one).values()
    assert isinstance(error, errors.JobFailedError)
    assert (state(one), one.money()) == (["failed"], money)


def test_a_process_that_comes_after_the_deadline_looks_before_it_gives_up(one: World) -> None:
    one.transport.fates.append(Fate(service_s=30))

    async def leave(p: Any) -> None:
        with pytest.raises(TimeoutError):
            await order(p, wait_s=5, deadline_s=60)

    one.run(leave)
    one.pass_time(3600)
    assert one.run(order).cost.amount_usd is not None
    assert (state(one), one.money()) == (["stored"], PAID)


def test_a_word_that_is_not_in_the_table_is_waited_through(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    monkeypatch.setattr(_observe, "measure", lambda name, *_: counted.append(name))
    one.transport.script("poll", "odd_word", "odd_word", "odd_word")
    one.run(order)
    assert counted.count("aggregator.unknown_status_words") == 3
    assert (state(one), one.money()) == (["stored"], PAID)


def test_nothing_but_odd_words_ends_at_the_deadline_as_unknown(one: World) -> None:
    one.transport.weather = lambda kind: "odd_word" if kind == "poll" else None
    error = ends(one, errors.JobTimeoutError, deadline_s=120)
    assert error.accepted is True
    assert (state(one), one.money()) == (["unknown"], HELD)


def test_a_job_that_its_provider_does_not_know_yet_is_given_time(one: World) -> None:
    one.transport.script("poll", "404", "404", "404")
    one.run(order)
    assert (state(one), one.money()) == (["stored"], PAID)


def test_a_job_that_its_provider_has_forgotten_is_unknown(one: World) -> None:
    one.transport.fates.append(Fate(service_s=600, forgets_after_s=90))
    began = one.clock.time()
    error = ends(one, errors.InvalidRequestError)
    assert (error.accepted, error.status_code) == (True, 404)
    assert one.clock.time() - began < 150
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["unknown"], HELD)


def test_a_key_that_is_refused_while_polling_leaves_the_job_to_be_resumed(one: World) -> None:
    one.transport.script("poll", None, "401")
    error = ends(one, errors.AuthenticationError)
    assert error.accepted is True
    assert (state(one), one.money()) == (["submitted"], HELD)
    one.run(order)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


@pytest.mark.parametrize("fault", ["401", "no_url"])
def test_what_cannot_be_asked_or_read_until_the_deadline_is_unknown(one: World, fault: Any) -> None:
    one.transport.script("poll", *[fault] * 99)
    ends(one, errors.ProviderError)
    assert state(one) == ["submitted"]
    one.pass_time(86_400)
    error = ends(one, errors.ProviderError)
    assert (error.accepted, state(one), one.money()) == (True, ["unknown"], HELD)
    one.transport.faults.clear()
    one.run(order)  # late evidence counts
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_an_outage_while_polling_is_no_news(one: World) -> None:
    one.transport.fates.append(Fate(service_s=900))
    one.transport.script("poll", *["never_arrives", "drop_before", "500_before", "429", "truncated"] * 6)
    one.run(order)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


@pytest.mark.parametrize(
    ("end", "cls", "money"),
    [
        ("failed_free", errors.JobFailedError, NOTHING),
        ("failed_billed", errors.JobFailedError, PAID),
        ("failed_unclear", errors.JobFailedError, HELD),
        ("moderated", errors.ContentPolicyError, HELD),
        ("canceled", errors.JobCanceledError, HELD),
    ],
)
def test_a_failure_is_billed_by_the_providers_own_rule(
    one: World, end: Any, cls: type[errors.ProviderError], money: Any
) -> None:
    one.transport.fates.append(Fate(end=end))
    error = ends(one, cls)
    assert error.accepted is True
    assert ("stay reserved" in str(error)) == (money == HELD)
    assert state(one) == ["canceled" if end == "canceled" else "failed"]
    assert (one.transport.count("submit"), one.money()) == (1, money)


def test_after_a_failure_the_same_key_buys_once_more_with_time_of_its_own(one: World) -> None:
    one.transport.fates.append(Fate(end="failed_free"))
    ends(one, errors.JobFailedError, deadline_s=600)
    one.pass_time(86_400)
    result = one.run(order)
    assert not result.reused
    assert (one.transport.count("submit"), state(one), one.money()) == (2, ["failed", "stored"], PAID)


def test_canceling_asks_the_provider_and_tells_what_came_of_it(one: World) -> None:
    async def life(p: Any) -> None:
        from aggregator.tasks import TextToImage

        job = await p.submit(TextToImage(prompt="a fox"), key="fox")
        await one.clock.sleep(3)
        assert await job.cancel()
        with pytest.raises(errors.JobCanceledError):
            await job.result()
        assert not await job.cancel()

    one.run(life)
    assert (state(one), one.money()) == (["canceled"], HELD)
    assert one.transport.charged_usd == 0


def test_a_bill_above_the_quote_is_booked_in_full_and_counted(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, Any]] = []
    monkeypatch.setattr(_observe, "emit", lambda event, **fields: said.append((event, fields)))
    one.transport.fates.append(Fate(images="3"))
    result = one.run(order)
    assert (str(result.cost.amount_usd), result.cost.source) == ("0.12", "reported")
    assert one.money() == {"held": 0, "settled": 3 * CENTS_4, "overrun": 2 * CENTS_4}
    assert [fields["over_micro_usd"] for event, fields in said if event == "bill_above_quote"] == [2 * CENTS_4]


def test_a_callback_that_breaks_breaks_no_job(one: World) -> None:
    from aggregator import Aggregator

    def broken(_: Any) -> None:
        raise ZeroDivisionError

    async def main() -> Any:
        client = Aggregator(one.config, clock=one.clock, transport=one.transport, inline_store=True, on_progress=broken)
        async with client as agg, agg.project("film", budget_usd="1") as p:
            return await order(p)

    assert one.virtual(main).cost.amount_usd is not None
    assert (state(one), one.money()) == (["stored"], PAID)


def test_a_cancel_that_is_refused_for_a_while_is_repeated_only_while_the_job_goes_on(one: World) -> None:
    """Some providers delete what is canceled too late: a result that is paid for."""
    one.transport.fates.append(Fate(service_s=5))
    one.transport.script("cancel", "429")  # wait seven seconds: by then it is done

    async def life(p: Any) -> None:
        from aggregator.tasks import TextToImage

        job = await p.submit(TextToImage(prompt="a fox"), key="fox")
        await one.clock.sleep(1)
        assert not await job.cancel()
        await job.result()

    one.run(life)
    assert (one.transport.count("cancel"), state(one), one.money()) == (1, ["stored"], PAID)


def test_a_cancel_that_is_refused_for_a_while_is_repeated(one: World) -> None:
    one.transport.fates.append(Fate(service_s=100))
    one.transport.script("cancel", "429", "drop_before")

    async def life(p: Any) -> None:
        from aggregator.tasks import TextToImage

        job = await p.submit(TextToImage(prompt="a fox"), key="fox")
        await one.clock.sleep(1)
        assert await job.cancel()
        with pytest.raises(errors.JobCanceledError):
            await job.result()

    one.run(life)
    assert (one.transport.count("cancel"), state(one)) == (3, ["canceled"])
