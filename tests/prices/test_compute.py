"""Own GPUs: seconds and an hour's price make a quote; and when they beat a seller."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import Config
from aggregator.contract import Endpoint, Meter
from aggregator.pricing.compute import BreakEven, Finished, gpu_layers, measured, per_gpu_second
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Compute, Offer
from aggregator.tasks import TextToVideo

from .conftest import TODAY

COMPUTE = Compute("H100 80 GB", "request.duration_s", Decimal(8), Decimal(12), "model page")
REQUEST = TextToVideo(prompt="a", duration_s=5)


def own(compute: Compute | None = COMPUTE) -> Offer:
    meter = Meter("gpu_second", lambda _values: None, reported="seconds")
    mapping = Endpoint(meters=(meter,))
    return Offer(
        provider="rig", endpoint="wan", model="m", task="text-to-video", checked=TODAY, mapping=mapping, compute=compute
    )


def table(usd: str | None = "1.80") -> PriceTable:
    config = Config.of({"providers": {"rig": {"usd_per_gpu_hour": usd} if usd else {}}})
    return PriceTable.load([], more=gpu_layers(config, TODAY))


def test_a_quote_is_seconds_times_your_rate_as_an_interval():
    price = quote(own(), REQUEST, table(), TODAY)
    assert (price.low_usd, price.high_usd, price.basis) == (Decimal("0.0200"), Decimal("0.0300"), "estimate")
    assert price.as_of == TODAY
    (line,) = price.lines
    assert (line.unit, line.low, line.high, line.rate_usd) == ("gpu_second", 40, 60, Decimal("0.0005"))


def test_what_is_not_known_is_said():
    assert "no rate for gpu_second" in quote(own(), REQUEST, table(None), TODAY).why
    assert quote(own(None), REQUEST, table(), TODAY).basis == "unknown"
    assert quote(own(), TextToVideo(prompt="a"), table(), TODAY).basis == "unknown"
    by_the_job = replace(COMPUTE, per="1")
    assert quote(own(by_the_job), TextToVideo(prompt="a"), table(), TODAY).high_usd == Decimal("0.0060")


def test_what_jobs_took_counts_before_what_is_stated():
    row = REQUEST.as_json()
    jobs = [Finished("rig:wan", row, Decimal(seconds)) for seconds in (20, 25, 25, 25, 30)]
    assert measured([own()], jobs[:4]) == {}
    found = measured([own()], jobs)
    assert found["rig:wan"].source == "5 finished jobs of ours"
    assert (found["rig:wan"].low_s, found["rig:wan"].high_s) == (Decimal("4.400"), Decimal("5.600"))
    price = quote(own(), REQUEST, table().with_measured(found), TODAY)
    assert price.high_usd == Decimal("0.0140")


def test_a_second_is_never_too_cheap():
    assert per_gpu_second(Decimal("3.60")) == Decimal("0.001")
    assert per_gpu_second(Decimal(1)) * 3600 >= 1


@pytest.mark.parametrize("value", ["0", "-1", 1.99, "many"])
def test_an_hours_price_is_an_exact_amount(value):
    with pytest.raises(Exception, match="usd_per_gpu_hour"):
        Config.of({"providers": {"rig": {"usd_per_gpu_hour": value}}})


# ----------------------------------------------------------------------------------------------------------- break-even


def numbers(seconds="60", hour="2", seller=("0.10", "0.10"), utilisation="0.5") -> BreakEven:
    ends = Decimal(seller[0]), Decimal(seller[1])
    return BreakEven((Decimal(seconds) / 2, Decimal(seconds)), Decimal(hour), Decimal(utilisation), ends)


def test_from_which_volume_own_gpus_win():
    found = numbers()
    assert (found.gpus, found.jobs, found.usd_a_day) == (1, 720, Decimal(48))
    assert found.first_win == 481
    assert (found.at(480).wins, found.at(481).wins) == (False, True)
    assert (found.at(721).gpus, found.at(721).wins) == (2, False)  # a second GPU, nearly idle
    assert found.wins_from(Decimal("0.10")) == 961


def test_never_is_said():
    dear = numbers(seconds="600")
    assert (dear.first_win, dear.wins_from(Decimal("0.10"))) == (None, None)
    slow = numbers(seconds="90000")  # more than a day of a GPU that is busy half of it: three at once
    assert (slow.gpus, slow.jobs, slow.busy_usd, slow.first_win) == (3, 1, Decimal(144), None)
    assert (slow.at(10).gpus, slow.at(10).wins) == (30, False)


def test_an_interval_leaves_it_open_where_it_is():
    found = numbers(seller=("0.05", "0.10"))
    assert (found.first_win, found.at(600).wins) == (481, None)
    assert found.at(400).wins is False


@given(
    seconds=st.integers(1, 5_000),
    hour=st.decimals("0.10", "20", places=2),
    price=st.decimals("0.001", "2", places=3),
    share=st.decimals("0.05", "1", places=2),
)
def test_what_is_said_is_what_counting_says(seconds, hour, price, share):
    found = BreakEven((Decimal(seconds), Decimal(seconds)), hour, share, (price, price))
    always, first = found.wins_from(price), found.first_win
    if always is None:
        assert not any(found.at(jobs).wins for jobs in (1, 10, found.jobs, 100_000))
        return
    assert first is not None
    assert first <= always
    assert found.at(first).wins
    assert first == 1 or not found.at(first - 1).wins
    assert all(found.at(jobs).wins for jobs in range(always, always + 50))
    assert always == 1 or not found.at(always - 1).wins


def test_days_worth_showing_are_round_and_hold_the_turn():
    shown = [volume.jobs_a_day for volume in numbers().volumes()]
    assert shown == sorted(shown)
    assert 481 in shown
    assert shown[0] == 48
    assert numbers().as_json()["wins_from_jobs_a_day"] == {"at_most": 961, "at_least": 961}


def test_the_day_is_no_part_of_the_tables_version():
    config = Config.of({"providers": {"rig": {"usd_per_gpu_hour": "2"}}})
    versions = {PriceTable.load([], more=gpu_layers(config, day)).version for day in (TODAY, date(2027, 1, 1))}
    assert len(versions) == 1
    assert versions != {PriceTable.bundled().version}
