"""The words a rate may use beside a price and values: what is free, steps, a minimum, a range, an option."""

from datetime import date
from decimal import Decimal

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.contract import Meter
from aggregator.errors import ConfigurationError
from aggregator.inputs import Media
from aggregator.pricing.price import quote
from aggregator.pricing.ranges import Range
from aggregator.pricing.settle import settled
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Limit
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.tasks import ImageUpscaling, TextToImage, TextToVideo
from tests.pricing.conftest import DAY

PICTURE = Media(url="https://example.com/a.png", width=1000, height=1000)


def seconds(rate, *, offer, prices, duration_s=None, **values):
    table = prices(f'unit = "video_second"\nusd = "0.10"\n{rate}')
    return quote(offer(**values), TextToVideo(prompt="x", duration_s=duration_s), table, DAY)


@pytest.mark.parametrize(
    ("rate", "duration_s", "billed"),
    [
        ('free = "5"', 4, "0"),
        ('free = "5"', 7.5, "2.5"),
        ('step = "5"', 5, "5"),
        ('step = "5"', 5.1, "10"),
        ('minimum = "2"', 1, "2"),
        ('minimum = "2"', 3, "3"),
        ('free = "1"\nstep = "2"\nminimum = "3"', 1.5, "3"),
        ('free = "1"\nstep = "2"\nminimum = "3"', 6, "6"),
    ],
)
def test_units_are_billed_as_the_row_says(offer, prices, rate, duration_s, billed):
    found = seconds(rate, offer=offer, prices=prices, duration_s=duration_s)
    assert (found.high_usd, found.basis) == (Decimal(billed) / 10, "exact")
    assert found.lines[0].high == Decimal(billed)
    assert settled(found, {}, reserved_usd=Decimal(9)).amount_usd == found.high_usd


def test_an_open_amount_is_billed_at_both_its_ends(offer, prices):
    limits = {"duration_s": Limit(min=1, max=7)}
    found = seconds('step = "5"\nminimum = "5"', offer=offer, prices=prices, limits=limits)
    assert (found.low_usd, found.high_usd) == (Decimal("0.50"), Decimal("1.00"))


def test_a_price_may_be_a_range(offer, prices):
    found = seconds('usd_to = "0.25"', offer=offer, prices=prices, duration_s=4)
    assert (found.low_usd, found.high_usd, found.basis) == (Decimal("0.40"), Decimal("1.00"), "estimate")
    assert found.why == "4 video_second at 0.10 to 0.25 USD"
    assert settled(found, {}, reserved_usd=Decimal(9)).amount_usd == Decimal("1.00")


# --------------------------------------------------------------------------------------------------------------- ranges

STEPS = (
    'unit = "image"\nusd = "0.08"\nwhen = { megapixels = { up_to = 24 } }',
    'unit = "image"\nusd = "0.16"\nwhen = { megapixels = { above = 24, up_to = 48 } }',
)


@pytest.mark.parametrize(("factor", "usd"), [(2, "0.08"), (4.8, "0.08"), (4.9, "0.16"), (6.9, "0.16"), (7, None)])
def test_a_price_goes_by_steps_of_an_amount(offer, prices, factor, usd):
    one = offer("1", "image", "image-upscaling")
    found = quote(one, ImageUpscaling(image=PICTURE, factor=factor), prices(*STEPS), DAY)
    assert found.high_usd == (None if usd is None else Decimal(usd))


def test_bounds_across_a_step_cost_either(offer, prices):
    rows = [row.replace("megapixels", "duration_s").replace("image", "video") for row in STEPS]
    one = offer("1", "video", limits={"duration_s": Limit(min=10, max=40)})
    found = quote(one, TextToVideo(prompt="x"), prices(*rows), DAY)
    assert (found.low_usd, found.high_usd) == (Decimal("0.08"), Decimal("0.16"))
    further = offer("1", "video", limits={"duration_s": Limit(min=10, max=60)})
    assert quote(further, TextToVideo(prompt="x"), prices(*rows), DAY).basis == "unknown"


def test_an_amount_nobody_knows_may_be_any(offer, prices):
    one = offer("1", "image", "text-to-image")
    assert quote(one, TextToImage(prompt="x"), prices(*STEPS), DAY).basis == "unknown"
    whole = prices(*STEPS, 'unit = "image"\nusd = "0.32"\nwhen = { megapixels = { above = 48 } }')
    found = quote(one, TextToImage(prompt="x"), whole, DAY)
    assert (found.low_usd, found.high_usd) == (Decimal("0.08"), Decimal("0.32"))


def test_what_is_between_two_rows_has_no_price(offer, prices):
    one = offer("1", "video", limits={"duration_s": Limit(min=5, max=10)})
    table = prices(
        *(f'unit = "video"\nusd = "1"\nwhen = {{ duration_s = {{ {end} }} }}' for end in ("up_to = 6", "above = 9"))
    )
    assert quote(one, TextToVideo(prompt="x"), table, DAY).why == "no rate for video of p:e with duration_s=9"


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Range(None, Decimal(24)), Range(Decimal(24), None), False),
        (Range(None, Decimal(24)), Range(Decimal(23), None), True),
        (Range(Decimal(1), Decimal(3)), Range(Decimal(2), Decimal(9)), True),
        (Range(Decimal(1), None), Range(Decimal(9), None), True),
    ],
)
def test_ranges_that_share_an_amount(one, other, meet):
    assert one.meets(other) is other.meets(one) is meet


def test_ranges_that_meet_are_two_prices_for_one_thing(prices):
    with pytest.raises(ConfigurationError, match=r"two equally specific rates .*megapixels=\.\.24"):
        prices(STEPS[0], STEPS[1].replace("above = 24", "above = 20"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("when = { duration_s = {} }", "a range has above, up_to or both"),
        ("when = { duration_s = { from = 1 } }", "a range has above, up_to or both"),
        ("when = { duration_s = { above = 5, up_to = 5 } }", "above must be below its up_to"),
        ('when = { resoluton = "4k" }', "nothing is called 'resoluton'; nearest: resolution"),
        ('when = { resolution = "given" }', "for the provider's own options"),
        ('task = "text-to-image"\nwhen = { duration_s = 5 }', "nothing is called 'duration_s'"),
        ('step = "0"', "write a number of units above zero"),
        ("free = 5", 'as a string, such as "5"'),
        ('usd_to = "0.05"', "usd_to must be above usd"),
    ],
)
def test_a_wrong_word_is_refused(prices, row, reason):
    with pytest.raises(ConfigurationError, match=reason):
        prices(f'unit = "video_second"\nusd = "0.10"\n{row}')


# -------------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "usd"),
    [(None, "0.21"), ({"quality": "high"}, "0.21"), ({"quality": "low"}, "0.006"), ({"quality": "new"}, None)],
)
def test_a_price_may_hang_on_the_providers_own_option(offer, prices, options, usd):
    table = prices(
        'unit = "image"\nusd = "0.21"\nwhen = { "option.quality" = ["default", "high"] }',
        'unit = "image"\nusd = "0.006"\nwhen = { "option.quality" = "low" }',
    )
    found = quote(offer("1", "image", "text-to-image"), TextToImage(prompt="x"), table, DAY, options)
    assert found.high_usd == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize(
    ("options", "usd"),
    [(None, "0.70"), ({}, "0.70"), ({"voice_list": [{"voice_id": "a"}]}, "0.84"), ({"voice_list": "given"}, "0.84")],
)
def test_a_price_may_hang_on_an_option_that_is_given_at_all(offer, prices, options, usd):
    table = prices(
        'unit = "video"\nusd = "0.70"', 'unit = "video"\nusd = "0.84"\nwhen = { "option.voice_list" = "given" }'
    )
    found = quote(offer("1", "video"), TextToVideo(prompt="x"), table, DAY, options)
    assert (found.high_usd, found.basis) == (Decimal(usd), "exact")


def test_given_and_a_value_are_two_prices_for_one_thing(prices):
    row = 'unit = "video"\nusd = "1"\nwhen = {{ "option.voice" = "{}" }}'
    prices(row.format("given"), row.format("default"))
    with pytest.raises(ConfigurationError, match="two equally specific rates"):
        prices(row.format("given"), row.format("low"))


def test_an_option_that_is_true_is_not_one(offer, prices):
    table = prices(
        'unit = "image"\nusd = "2"\nwhen = { "option.fast" = true }',
        'unit = "image"\nusd = "1"\nwhen = { "option.fast" = 1 }',
    )
    one = offer("1", "image", "text-to-image")
    found = [quote(one, TextToImage(prompt="x"), table, DAY, {"fast": value}).high_usd for value in (True, 1, True)]
    assert found == [2, 1, 2]


# ------------------------------------------------------------------------------------------------------ what is kept


def test_the_same_words_get_the_same_rows_and_other_days_others(offer, prices):
    table = prices(
        'unit = "video_second"\nusd = "0.10"\nwhen = { audio = true }', 'unit = "video_second"\nusd = "0.05"'
    )
    one = offer()
    for audio, usd in ((True, "0.5"), (None, "0.5"), (False, "0.25"), (True, "0.5")):
        request = TextToVideo(prompt="x", duration_s=5, audio=audio)
        assert quote(one, request, table, DAY).high_usd == Decimal(usd)
    assert quote(one, TextToVideo(prompt="x", duration_s=5), table, date(2025, 1, 1)).basis == "unknown"
    longer = offer(meters=(Meter("video_second", "2"),))
    assert quote(longer, TextToVideo(prompt="x", audio=False), table, DAY).high_usd == Decimal("0.10")


def test_what_a_provider_counts_is_never_billed_otherwise():
    """A settlement multiplies what the provider counted by the rate: a row with steps or free units would be wrong."""
    tables = {name: provider_table(name) for name in provider_names()}
    prices = PriceTable.bundled()
    for one in Registry.bundled(mappings=mappings_of(tables)).all_offers():
        for meter in one.mapping.meters:
            if meter.reported is not None:
                for row in prices.rates(one.provider):
                    plain = not row.free and row.step is None and not row.minimum
                    assert plain or row.unit != meter.unit or row.name not in (one.endpoint, one.model), row.id
