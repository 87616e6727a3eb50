"""Amounts and prices come back unchanged when they go from one unit to another and back."""

from decimal import ROUND_CEILING, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.contract import Meter
from aggregator.inputs import Media
from aggregator.pricing.known import DERIVED
from aggregator.pricing.money import dollars, from_micro_usd, micro_usd
from aggregator.pricing.price import quote
from aggregator.tasks import TextToMusic, TextToSpeech
from tests.pricing.conftest import DAY

EDGE = st.integers(1, 16_384)
LENGTH = st.decimals(min_value="0.01", max_value=3600, places=2)
TABLE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def one(name, values):
    low, high = DERIVED[name](values)
    assert low == high
    return low


@given(st.text(min_size=1, max_size=300))
def test_characters_and_thousands_of_them(text):
    assert one("kilo_characters", {"text": text}) * 1000 == one("characters", {"text": text}) == len(text)


@given(EDGE, EDGE)
def test_pixels_and_millions_of_them(width, height):
    assert one("megapixels", {"size": (width, height)}) * 10**6 == width * height
    still = Media(url="https://example.com/a.png", width=width, height=height)
    assert one("input_megapixels", {"image": still}) * 10**6 == width * height
    sides = [one(name, {"size": (width, height)}) for name in ("width", "height")]
    assert sides == [width, height]
    exactly, rounded = DERIVED["megapixels_rounded"]({"size": (width, height)})
    assert rounded == exactly.to_integral_value(rounding=ROUND_CEILING)


@given(LENGTH, st.sampled_from([12, 23.976, 24, 25, 29.97, 30, 59.94, 60]))
def test_seconds_and_frames(length, fps):
    clip = Media(url="https://example.com/a.mp4", duration_s=float(length), fps=fps)
    fewest, most = DERIVED["input_frames"]({"video": clip})
    assert fewest <= length * Decimal(str(fps)) <= most <= fewest + 1
    assert one("input_video_seconds", {"video": clip}) == length


@given(st.decimals(min_value=0, max_value=10**6, places=6))
def test_dollars_in_words_and_in_millionths(amount):
    assert Decimal(dollars(amount)[1:]) == amount
    assert from_micro_usd(micro_usd(amount, "settle")) == from_micro_usd(micro_usd(amount, "reserve")) == amount


@TABLE
@given(st.integers(1, 3000), st.decimals(min_value="0.000001", max_value="0.001", places=6))
def test_a_price_for_a_character_is_a_thousandth_of_one_for_a_thousand(offer, prices, length, usd):
    meters = [("character", "request.characters", usd), ("kilo_character", "request.kilo_characters", usd * 1000)]
    found = {
        quote(
            offer(quantity, unit, "text-to-speech"),
            TextToSpeech(text="a" * length),
            prices(f'unit = "{unit}"\nusd = "{price:f}"'),
            DAY,
        ).high_usd
        for unit, quantity, price in meters
    }
    assert found == {usd * length}


@TABLE
@given(st.integers(1, 3600), st.decimals(min_value="0.01", max_value=5, places=2))
def test_a_price_for_a_minute_written_for_a_second_is_right_to_the_millionth(offer, prices, seconds, a_minute):
    """`audio_second` is what a minute's price is written in: twelve digits, rounded up."""
    usd = (a_minute / 60).quantize(Decimal("1e-12"), rounding=ROUND_CEILING)
    table = prices(f'unit = "audio_second"\nusd = "{usd:f}"')
    one_offer = offer(meters=(Meter("audio_second", "request.duration_s"),), task="text-to-music")
    found = quote(one_offer, TextToMusic(prompt="a", duration_s=seconds), table, DAY)
    exactly = a_minute * seconds / 60
    assert exactly <= found.high_usd < exactly + Decimal("1e-6")
    assert micro_usd(found.high_usd, "settle") - micro_usd(exactly, "settle") in (0, 1)


@TABLE
@given(st.integers(0, 10_000), st.integers(1, 500))
def test_a_credit_is_so_many_dollars(offer, prices, credits_, to_a_dollar):
    usd = (1 / Decimal(to_a_dollar)).quantize(Decimal("1e-12"), rounding=ROUND_CEILING)
    one_offer = offer(str(credits_), "credit")
    found = quote(one_offer, TextToSpeech(text="a"), prices(f'unit = "credit"\nusd = "{usd:f}"'), DAY)
    assert round(found.high_usd * to_a_dollar) == credits_
