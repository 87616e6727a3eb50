"""Quotes and costs: exact, estimated, unknown; by hand from the price pages."""

import decimal
import json
import pickle
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.contract import Meter, To
from aggregator.errors import PricingError
from aggregator.inputs import Media
from aggregator.pricing.price import quote
from aggregator.pricing.quote import Cost, Quote
from aggregator.pricing.settle import settled
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Limit
from aggregator.registry.load import Registry
from aggregator.tasks import (
    ImageToVideo,
    ImageUpscaling,
    Reference,
    TextToImage,
    TextToSpeech,
    TextToVideo,
)

DAY = date(2026, 11, 20)
SECOND = 'unit = "video_second"\nusd = "0.07"'
URL = "https://example.com/a.png"


def test_a_given_quantity_is_exact(offer, prices):
    table = prices(SECOND)
    found = quote(offer(), TextToVideo(prompt="x", duration_s=5), table, DAY)
    assert (found.low_usd, found.high_usd, found.basis, found.why) == (Decimal("0.35"), Decimal("0.35"), "exact", "")
    assert found.table == table.version
    assert found.as_of == date(2026, 1, 1)
    line = found.lines[0]
    assert (line.unit, line.low, line.high, line.rate_usd) == ("video_second", Decimal(5), Decimal(5), Decimal("0.07"))
    assert line.row == "p/e/video_second@2026-01-01"


def test_a_requests_float_counts_as_it_is_written(offer, prices):
    assert quote(offer(), TextToVideo(prompt="x", duration_s=0.1), prices(SECOND), DAY).high_usd == Decimal("0.007")


def test_the_callers_decimal_context_does_not_matter(offer, prices):
    table = prices('unit = "video_second"\nusd = "0.123456789"')
    with decimal.localcontext(decimal.Context(prec=3)):
        found = quote(offer(), TextToVideo(prompt="x", duration_s=7), table, DAY)
    assert found.high_usd == Decimal("0.864197523")


def test_what_is_left_out_counts_with_the_documented_default(offer, prices):
    found = quote(offer(defaults={"duration_s": 8}), TextToVideo(prompt="x"), prices(SECOND), DAY)
    assert (found.high_usd, found.basis) == (Decimal("0.56"), "exact")


@pytest.mark.parametrize("limit", [Limit(values=(4, 6, 8)), Limit(min=4, max=8)])
def test_without_a_default_everything_the_offer_takes_is_possible(offer, prices, limit):
    found = quote(offer(limits={"duration_s": limit}), TextToVideo(prompt="x"), prices(SECOND), DAY)
    assert (found.low_usd, found.high_usd, found.basis) == (Decimal("0.28"), Decimal("0.56"), "estimate")
    assert found.why == "4 to 8 video_second at 0.07 USD"


@pytest.mark.parametrize("limits", [{}, {"duration_s": Limit(min=4)}])
def test_without_default_and_limit_the_price_is_unknown(offer, prices, limits):
    found = quote(offer(limits=limits), TextToVideo(prompt="x"), prices(SECOND), DAY)
    assert (found.low_usd, found.high_usd, found.basis) == (None, None, "unknown")
    assert [(line.low, line.high, line.rate_usd) for line in found.lines] == [(None, None, Decimal("0.07"))]
    assert "duration_s is neither given nor documented" in found.why


def test_no_meter_and_no_rate_are_unknown_not_free(offer, prices):
    request = TextToVideo(prompt="x", duration_s=1)
    assert "has no meter" in quote(offer(meters=()), request, prices(SECOND), DAY).why
    assert quote(offer(), request, prices(SECOND), date(2025, 12, 31)).why == (
        "no rate for video_second of p:e on 2025-12-31"
    )


def test_one_unpriced_meter_makes_the_whole_unknown(offer, prices):
    meters = (Meter("video_second", "request.duration_s"), Meter("request", "1"))
    found = quote(offer(meters=meters), TextToVideo(prompt="x", duration_s=1), prices(SECOND), DAY)
    assert (found.high_usd, found.basis) == (None, "unknown")


def test_free_is_a_row(offer, prices):
    table = prices('unit = "request"\nusd = "0"\nnote = "free"')
    found = quote(offer("1", "request"), TextToVideo(prompt="x"), table, DAY)
    assert (found.high_usd, found.basis) == (Decimal(0), "exact")


def test_several_meters_add_up(offer, prices):
    meters = (Meter("video_second", "request.duration_s"), Meter("input_image", "request.references"))
    references = (Reference(image=URL), Reference(image=URL))
    table = prices(SECOND, 'unit = "input_image"\nusd = "0.01"')
    found = quote(offer(meters=meters), TextToVideo(prompt="x", duration_s=5, references=references), table, DAY)
    assert found.high_usd == Decimal("0.37")


RESOLUTIONS = (
    'unit = "video_second"\nusd = "0.40"\nwhen = { resolution = ["720p", "1080p"], audio = true }',
    'unit = "video_second"\nusd = "0.20"\nwhen = { resolution = ["720p", "1080p"], audio = false }',
    'unit = "video_second"\nusd = "0.60"\nwhen = { resolution = "4k", audio = true }',
)


def test_conditions_that_are_given_pick_one_row(offer, prices):
    request = TextToVideo(prompt="x", duration_s=1, resolution="1080p", audio=False)
    assert quote(offer(), request, prices(*RESOLUTIONS), DAY).high_usd == Decimal("0.20")


def test_a_condition_left_open_counts_with_every_value_it_can_have(offer, prices):
    request = TextToVideo(prompt="x", duration_s=1, resolution="720p")
    found = quote(offer(), request, prices(*RESOLUTIONS), DAY)
    assert (found.low_usd, found.high_usd, found.basis) == (Decimal("0.20"), Decimal("0.40"), "estimate")
    assert found.why == "1 video_second at 0.20 to 0.40 USD"
    assert found.lines[0].rate_usd == Decimal("0.40")
    limits = {"resolution": Limit(values=("720p", "4k"))}
    loud = TextToVideo(prompt="x", duration_s=1, audio=True)
    found = quote(offer(limits=limits), loud, prices(*RESOLUTIONS), DAY)
    assert (found.low_usd, found.high_usd) == (Decimal("0.40"), Decimal("0.60"))


def test_a_combination_without_a_row_is_unknown(offer, prices):
    silent = TextToVideo(prompt="x", duration_s=1, resolution="4k", audio=False)
    assert quote(offer(), silent, prices(*RESOLUTIONS), DAY).why == (
        "no rate for video_second of p:e with audio=False, resolution=4k"
    )
    anything = TextToVideo(prompt="x", duration_s=1, audio=True)  # a resolution that no row names is possible
    assert quote(offer(), anything, prices(*RESOLUTIONS), DAY).basis == "unknown"


def test_a_row_without_conditions_catches_the_rest(offer, prices):
    table = prices(*RESOLUTIONS, SECOND)
    anything = TextToVideo(prompt="x", duration_s=1, audio=True)
    found = quote(offer(), anything, table, DAY)
    assert (found.low_usd, found.high_usd) == (Decimal("0.07"), Decimal("0.60"))


def test_true_is_not_one(offer, prices):
    table = prices('unit = "request"\nusd = "1"\nwhen = { duration_s = 1 }')
    found = quote(offer("1", "request", defaults={"duration_s": True}), TextToVideo(prompt="x"), table, DAY)
    assert found.basis == "unknown"


def test_a_function_works_out_the_quantity(offer, prices):
    table = prices('unit = "compute_second"\nusd = "0.01"')
    seen = {}

    def bill(values):
        seen.update(values)
        return "1.5", "2"

    found = quote(
        offer(bill, "compute_second", defaults={"fps": 12}), TextToVideo(prompt="x", duration_s=2), table, DAY
    )
    assert (found.low_usd, found.high_usd, found.basis) == (Decimal("0.015"), Decimal("0.02"), "estimate")
    assert seen == {"prompt": "x", "duration_s": 2, "fps": 12, "model": "m"}


def test_a_function_that_cannot_tell_makes_it_unknown(offer, prices):
    table = prices('unit = "compute_second"\nusd = "0.01"')
    request = TextToVideo(prompt="x")
    assert quote(offer(lambda _: None, "compute_second"), request, table, DAY).basis == "unknown"
    missing = quote(offer(lambda values: (values["fps"], "1"), "compute_second"), request, table, DAY)
    assert missing.why == "the number of compute_seconds depends on 'fps', which is neither given nor documented"


@pytest.mark.parametrize("bounds", [(1.5, 2.0), ("2", "1"), ("-1", "1")])
def test_a_function_that_answers_nonsense_is_an_error(offer, prices, bounds):
    table = prices('unit = "compute_second"\nusd = "0.01"')
    with pytest.raises(PricingError):
        quote(offer(lambda _: bounds, "compute_second"), TextToVideo(prompt="x"), table, DAY)


# ----------------------------------------------------------------------------------------------- known and derived


@pytest.mark.parametrize(
    ("request_", "megapixels"),
    [
        (TextToImage(prompt="x", size=(1000, 500)), "0.5"),
        (TextToImage(prompt="x"), "0.786432"),
        (TextToImage(prompt="x", aspect_ratio="16:9"), "0.589824"),
    ],
)
def test_megapixels_follow_from_what_is_sent(offer, prices, request_, megapixels):
    ratio = To("image_size", values={"16:9": {"width": 1024, "height": 576}})
    one = offer(
        "request.megapixels",
        "megapixel",
        "text-to-image",
        fields={"aspect_ratio": ratio},
        defaults={"size": [1024, 768]},
    )
    assert quote(one, request_, prices('unit = "megapixel"\nusd = "1"'), DAY).high_usd == Decimal(megapixels)


def test_a_default_size_is_not_read_beside_a_given_shape(offer, prices):
    one = offer("request.megapixels", "megapixel", "text-to-image", defaults={"size": [1024, 768]})
    found = quote(one, TextToImage(prompt="x", resolution="4k"), prices('unit = "megapixel"\nusd = "1"'), DAY)
    assert found.basis == "unknown"


def test_a_default_resolution_is_not_read_beside_a_given_size(offer, prices):
    one = offer("1", "image", "text-to-image", defaults={"resolution": "1k"})
    table = prices('unit = "image"\nusd = "1"\nwhen = { resolution = "1k" }', 'unit = "image"\nusd = "3"')
    assert quote(one, TextToImage(prompt="x"), table, DAY).high_usd == 1
    found = quote(one, TextToImage(prompt="x", size=(4096, 4096)), table, DAY)
    assert (found.low_usd, found.high_usd) == (1, 3)


def test_an_upscaling_is_priced_when_the_size_of_its_input_is_known(offer, prices):
    one = offer("request.megapixels", "megapixel", "image-upscaling", defaults={"factor": 2})
    table = prices('unit = "megapixel"\nusd = "0.03"')
    probed = Media(url=URL, width=1000, height=500)
    assert quote(one, ImageUpscaling(image=probed, factor=4), table, DAY).high_usd == Decimal("0.24")
    assert quote(one, ImageUpscaling(image=probed), table, DAY).high_usd == Decimal("0.06")
    assert quote(one, ImageUpscaling(image=URL), table, DAY).basis == "unknown"


def test_conditions_may_ask_for_what_follows(offer, prices):
    one = offer("1", "image", "text-to-image")
    table = prices('unit = "image"\nusd = "1"\nwhen = { width = 512 }', 'unit = "image"\nusd = "2"')
    assert quote(one, TextToImage(prompt="x", size=(512, 64)), table, DAY).high_usd == 1
    assert quote(one, TextToImage(prompt="x", size=(513, 64)), table, DAY).high_usd == 2


def test_speech_is_counted_in_characters(offer, prices):
    one = offer("request.kilo_characters", "kilo_character", "text-to-speech")
    assert quote(one, TextToSpeech(text="é" * 250), prices('unit = "kilo_character"\nusd = "0.10"'), DAY).high_usd == (
        Decimal("0.025")
    )


# ---------------------------------------------------------------------------------------- by hand, from the price pages


@pytest.mark.parametrize(
    ("endpoint", "request_", "low", "high"),
    [
        ("fal-ai/veo3.1", TextToVideo(prompt="x"), "3.20", "3.20"),  # 8 s, 720p, with sound: 8 × 0.40
        ("fal-ai/veo3.1", TextToVideo(prompt="x", duration_s=4, audio=False), "0.80", "0.80"),  # 4 × 0.20
        ("fal-ai/veo3.1", TextToVideo(prompt="x", duration_s=6, resolution="4k"), "3.60", "3.60"),  # 6 × 0.60
        ("fal-ai/veo3.1", TextToVideo(prompt="x", resolution="4k", audio=False), "3.20", "3.20"),  # 8 × 0.40
        ("fal-ai/veo3.1/image-to-video", ImageToVideo(image=URL, prompt="x", duration_s=4), "1.60", "1.60"),
        ("fal-ai/kling-video/v2.5-turbo/pro/text-to-video", TextToVideo(prompt="x"), "0.35", "0.35"),
        ("fal-ai/kling-video/v2.5-turbo/pro/image-to-video", ImageToVideo(image=URL, duration_s=10), "0.70", "0.70"),
        ("fal-ai/kling-video/v2.5-turbo/standard/image-to-video", ImageToVideo(image=URL), "0.21", "0.21"),
        ("minimax/h3/text-to-video", TextToVideo(prompt="x"), "0.65", "0.65"),  # 5 s, 2K: 5 × 0.13
        ("minimax/h3/text-to-video", TextToVideo(prompt="x", duration_s=15, resolution="480p"), "0.75", "0.75"),
        ("fal-ai/flux/schnell", TextToImage(prompt="x"), "0.002359296", "0.003"),  # 1024 × 768, perhaps rounded up
        ("fal-ai/flux/schnell", TextToImage(prompt="x", size=(2048, 1024)), "0.006291456", "0.009"),
        ("fal-ai/flux-pro/v1.1", TextToImage(prompt="x"), "0.04", "0.04"),
        ("fal-ai/nano-banana", TextToImage(prompt="x"), "0.0398", "0.0398"),
        ("fal-ai/clarity-upscaler", ImageUpscaling(image=Media(url=URL, width=512, height=512)), "0.03145728", "0.06"),
    ],
)
def test_worked_examples(endpoint, request_, low, high):
    offers = Registry.bundled().offers(request_.task)
    one = next(one for one in offers if one.endpoint == endpoint)
    found = quote(one, request_, PriceTable.bundled(), DAY)
    assert (found.low_usd, found.high_usd) == (Decimal(low), Decimal(high))


def test_what_has_no_published_price_stays_unknown():
    kokoro = next(one for one in Registry.bundled().offers("text-to-speech") if one.provider == "fal")
    found = quote(kokoro, TextToSpeech(text="hello"), PriceTable.bundled(), DAY)
    assert (found.high_usd, found.basis) == (None, "unknown")


# -------------------------------------------------------------------------------------------------------------- costs


RESERVED = Decimal(9)


def test_what_the_provider_counted_wins(offer, prices):
    quoted = quote(offer(), TextToVideo(prompt="x", duration_s=5), prices(SECOND), DAY)
    found = settled(quoted, {"video_second": Decimal("4.5")}, reserved_usd=RESERVED)
    assert (found.amount_usd, found.source) == (Decimal("0.315"), "reported")
    assert found.lines[0].high == Decimal("4.5")


def test_without_a_count_what_was_reserved_is_charged(offer, prices):
    one = offer(limits={"duration_s": Limit(values=(4, 8))})
    quoted = quote(one, TextToVideo(prompt="x"), prices(SECOND), DAY)
    found = settled(quoted, {}, reserved_usd=RESERVED)
    assert (found.amount_usd, found.source) == (Decimal("0.56"), "computed")


def test_a_count_of_one_meter_only_is_still_computed(offer, prices):
    meters = (Meter("video_second", "request.duration_s"), Meter("request", "1"))
    table = prices(SECOND, 'unit = "request"\nusd = "1"')
    quoted = quote(offer(meters=meters), TextToVideo(prompt="x", duration_s=5), table, DAY)
    found = settled(quoted, {"video_second": Decimal(1)}, reserved_usd=RESERVED)
    assert (found.amount_usd, found.source) == (Decimal("1.07"), "computed")


def test_an_unpriced_job_is_booked_at_all_that_was_reserved_and_says_so(offer, prices):
    quoted = quote(offer(), TextToVideo(prompt="x"), prices(SECOND), DAY)
    found = settled(quoted, {}, reserved_usd=RESERVED)
    assert (found.amount_usd, found.source, found.unpriced, found.lines) == (RESERVED, "reserved", True, ())


def test_quotes_and_costs_can_be_kept(offer, prices):
    quoted = quote(offer(), TextToVideo(prompt="x", duration_s=5), prices(SECOND), DAY)
    charged = settled(quoted, {}, reserved_usd=RESERVED)
    assert pickle.loads(pickle.dumps(quoted)) == quoted
    assert quoted.as_json()["high_usd"] == "0.35"
    assert Quote.from_json(json.loads(json.dumps(quoted.as_json()))) == quoted
    assert Cost.from_json(json.loads(json.dumps(charged.as_json()))) == charged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    duration=st.none() | st.integers(1, 1000).map(lambda tenths: tenths / 10),
    resolution=st.sampled_from([None, "720p", "1080p", "4k"]),
    audio=st.sampled_from([None, True, False]),
    data=st.data(),
)
def test_low_is_never_above_high_and_a_cost_stays_within_its_quote(duration, resolution, audio, data):
    veo = next(one for one in Registry.bundled().offers("text-to-video") if one.endpoint == "fal-ai/veo3.1")
    kept = data.draw(st.sets(st.sampled_from(sorted(veo.defaults))))
    one = type(veo)(
        **{name: getattr(veo, name) for name in veo.__slots__} | {"defaults": {key: veo.defaults[key] for key in kept}}
    )
    request = TextToVideo(prompt="x", duration_s=duration, resolution=resolution, audio=audio)
    table = PriceTable.bundled()
    found = quote(one, request, table, DAY)
    assert found.low_usd <= found.high_usd
    assert (found.basis == "exact") == (found.low_usd == found.high_usd)
    count = data.draw(st.none() | st.decimals(found.lines[0].low, found.lines[0].high, places=6))
    charged = settled(found, {} if count is None else {"video_second": count}, reserved_usd=RESERVED)
    assert 0 <= charged.amount_usd <= found.high_usd
