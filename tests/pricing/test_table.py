"""The price table: which row counts on a day, and every way a rate file can be wrong."""

from datetime import date
from decimal import Decimal

import pytest

from aggregator.errors import ConfigurationError
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.units import units

DAY = date(2026, 11, 20)
OFFER = Offer(provider="p", endpoint="e", model="m", task="text-to-video", checked=DAY)


def rate(scope='endpoint = "e"', usd='"1"', starts="2026-01-01", unit="video_second", more=""):
    return f'[[rate]]\n{scope}\nunit = "{unit}"\nusd = {usd}\nfrom = {starts}\n{more}\n'


def table(tmp_path, *rates, name="p"):
    (tmp_path / "rates").mkdir(exist_ok=True)
    (tmp_path / "rates" / f"{name}.toml").write_text("\n".join(rates))
    return PriceTable.load([tmp_path])


def best(prices, day=DAY, offer=OFFER):
    return [str(row.usd) for row in prices.rows_for(offer, "video_second", day)]


def test_the_most_specific_row_wins_then_the_latest(tmp_path):
    prices = table(
        tmp_path,
        rate('endpoint = "*"', '"1"', "2026-06-01"),
        rate('model = "m"', '"2"', "2026-05-01"),
        rate('endpoint = "e"', '"3"', "2026-01-01"),
        rate('endpoint = "e"', '"4"', "2026-02-01"),
        rate('endpoint = "e"', '"5"', "2026-01-01", more='task = "text-to-video"'),
        rate('endpoint = "other"', '"9"'),
        rate('endpoint = "e"', '"9"', more='task = "image-to-video"'),
        rate('endpoint = "e"', '"9"', unit="request"),
    )
    assert best(prices) == ["5", "4", "3", "2", "1"]


def test_a_row_counts_from_its_day_on(tmp_path):
    prices = table(tmp_path, rate(usd='"1"', starts="2026-01-01"), rate(usd='"2"', starts="2026-11-20"))
    assert best(prices, date(2025, 12, 31)) == []
    assert best(prices, date(2026, 11, 19)) == ["1"]
    assert best(prices, date(2026, 11, 20)) == ["2", "1"]


def test_a_users_rows_replace_the_bundled_ones_for_the_same(tmp_path):
    veo = next(one for one in Registry.bundled().offers("text-to-video") if one.endpoint == "fal-ai/veo3.1")
    prices = table(tmp_path, rate('model = "veo-3.1"', '"0.11"'), name="fal")
    assert [str(row.usd) for row in prices.rows_for(veo, "video_second", DAY)] == ["0.11"]
    assert len(PriceTable.bundled().rows_for(veo, "video_second", DAY)) == 4
    assert prices.version != PriceTable.bundled().version
    schnell = next(one for one in Registry.bundled().offers("text-to-image") if one.endpoint == "fal-ai/flux/schnell")
    assert [str(row.usd) for row in prices.rows_for(schnell, "megapixel", DAY)] == ["0.003"]


def test_a_row_has_a_name_of_its_own(tmp_path):
    prices = table(
        tmp_path, rate(more='when = { resolution = ["720p", "1080p"], audio = true }\ntask = "text-to-video"')
    )
    assert prices.rates("p")[0].id == "p/e/video_second@2026-01-01?audio=True&resolution=720p|1080p&task=text-to-video"


def test_prices_are_exact(tmp_path):
    assert table(tmp_path, rate(usd='"0.0000001"')).rates("p")[0].usd == Decimal("0.0000001")


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ([rate(usd="0.40")], 'rate.0.usd: write dollars as a string, such as "0.40"'),
        ([rate(usd="1")], "rate.0.usd: write dollars as a string"),
        ([rate(usd='"free"')], "rate.0.usd: not a price"),
        ([rate(usd='"-1"')], "rate.0.usd: a price is from zero up"),
        ([rate(usd='"Infinity"')], "rate.0.usd: a price is from zero up"),
        ([rate(unit="second")], "rate.0: unknown unit 'second'; known: audio_second"),
        ([rate(starts='"2026-01-01"')], "rate.0.from"),
        ([rate(starts="2026-02-30")], "not valid TOML"),
        ([rate(scope="")], 'write one of endpoint = "…" or model = "…"'),
        ([rate(scope='endpoint = "e"\nmodel = "m"')], 'write one of endpoint = "…" or model = "…"'),
        ([rate(more='task = "text-to-vdeo"')], "unknown task 'text-to-vdeo'; nearest: text-to-video"),
        ([rate(more="untill = 1")], "rate.0: unknown key 'untill'"),
        ([rate(more="when = { audio = [] }")], "write a value, a list of values, or a range"),
        (["[[rates]]"], "unknown key 'rates'; did you mean 'rate'?"),
        (
            [rate(usd='"1"'), rate(usd='"2"')],
            "two equally specific rates on one date: p/e/video_second@2026-01-01 and p/e/video_second@2026-01-01",
        ),
        (
            [rate(more="when = { audio = true }"), rate(more='when = { resolution = "4k" }')],
            "p/e/video_second@2026-01-01?audio=True and p/e/video_second@2026-01-01?resolution=4k",
        ),
        (
            [rate(more='when = { resolution = ["720p", "4k"] }'), rate(more='when = { resolution = "4k" }')],
            "two equally specific rates",
        ),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(tmp_path, rates, reason):
    with pytest.raises(ConfigurationError) as caught:
        table(tmp_path, *rates)
    assert str(caught.value).startswith(f"{tmp_path}/rates/p.toml: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "rates",
    [
        [rate(), rate(starts="2026-01-02")],
        [rate(), rate('model = "m"')],
        [rate(), rate(more="when = { audio = true }")],
        [rate(more="when = { audio = true }"), rate(more="when = { audio = false }")],
        [rate(more='task = "text-to-video"'), rate(more='task = "image-to-video"')],
    ],
)
def test_rows_that_cannot_be_confused_are_allowed(tmp_path, rates):
    assert len(table(tmp_path, *rates).rates("p")) == 2


def test_every_bundled_rate_is_for_something_that_exists_and_has_a_source():
    registry, prices = Registry.bundled(), PriceTable.bundled()
    offers = registry.all_offers()
    for provider in {offer.provider for offer in offers}:
        own = [offer for offer in offers if offer.provider == provider]
        names = {offer.endpoint for offer in own} | {offer.model for offer in own} | {"*"}
        for row in prices.rates(provider):
            assert row.name in names, row.id
            assert row.source, row.id
            assert row.checked, row.id


def test_every_unit_says_what_it_is():
    assert units()["video_second"] == "one second of video delivered"
    assert all(text.startswith("one ") for text in units().values())
