"""A client of the library against the emulator: keys, addresses, money on both sides."""

import os
from decimal import Decimal

import pytest

from aggregator.errors import ContentPolicyError, QuotaError, UnavailableError
from aggregator.tasks import TextToVideo
from aggregator.testing.emulator import Emulator, LeapingClock

from .tiny import settings, tiny


@pytest.fixture
def emulator():
    with Emulator(services=(tiny(),), clock=LeapingClock(), latency_s=20) as opened:
        yield opened


async def test_a_film_is_made_paid_and_fetched(emulator: Emulator, quick) -> None:
    async with emulator.aggregator(quick, "tiny", **settings(quick)) as agg:
        assert emulator.keys["tiny"] not in os.environ.values()
        async with agg.project("film", budget_usd="1") as film:
            result = await film.text_to_video("a fox", duration_s=2)
        spend = await agg.spend()
    facts = result.artifacts[0].facts
    assert (facts.width, facts.height, facts.duration_s) == (320, 240, 2.0)
    assert spend.settled_usd == emulator.book.usd == Decimal("0.60")
    assert emulator.requests[0].method == "POST"
    assert {one.key_sent for one in emulator.requests} == {True}
    assert [one.key_sent for one in emulator.downloads] == [False]


@pytest.mark.parametrize(
    ("fate", "error", "accepted", "billed"),
    [
        ("no_credit", QuotaError, False, "0"),
        ("moderated_output", ContentPolicyError, True, "0"),
        ("drop_after", UnavailableError, None, "0.60"),
    ],
)
async def test_a_fate_is_what_the_client_says_it_is(emulator: Emulator, quick, fate, error, accepted, billed) -> None:
    emulator.script("tiny", fate)
    async with emulator.aggregator(quick, "tiny", **settings(quick)) as agg:
        async with agg.project("film", budget_usd="1") as film:
            with pytest.raises(error) as caught:
                await film.text_to_video("a fox", duration_s=2)
        emulator.clock.advance(60)
    assert caught.value.accepted is accepted
    assert emulator.book.usd == Decimal(billed)


async def test_nothing_else_is_reached_and_the_environment_is_left_alone(
    emulator: Emulator, quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAL_KEY", "a-real-one")
    monkeypatch.setenv("TINY_API_KEY", "mine")
    async with emulator.aggregator(quick, "tiny", **settings(quick)) as agg:
        async with agg.project("film") as film:
            plan = await film.plan(TextToVideo(prompt="a fox"))
        assert plan.offer.provider == "tiny"
        assert os.environ["TINY_API_KEY"] == "mine"


def test_a_table_of_the_package_gives_the_variable_and_the_end_of_the_address() -> None:
    with Emulator(services=(tiny("fal"),)) as emulator:
        url = emulator.url("fal")
        assert emulator.settings("fal") == {"base_url": url, "api_key_env": "FAL_KEY"}
        assert emulator.environ == {"FAL_KEY": emulator.keys["fal"]}
    with Emulator(services=(tiny("nobody", key=None),)) as emulator:
        assert emulator.settings("nobody") == {"base_url": emulator.url("nobody")}
        assert emulator.environ == {}
