"""Whatever is asked: the chosen offer satisfies everything, and so does every alternative."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.config import Config
from aggregator.errors import PricingError, RequestError, RoutingError
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Limit
from aggregator.registry.load import Registry
from aggregator.routing.fitting import serve
from aggregator.routing.limits import describe, fits, limit_of, nearest_value
from aggregator.routing.plan import Ask
from aggregator.routing.router import Router
from aggregator.routing.walk import Moment
from aggregator.tasks import TextToImage, TextToVideo
from aggregator.view import View

DAY = date(2026, 11, 20)
REGISTRY = Registry.bundled()
PRICES = PriceTable.bundled()


def view_of(config):
    return View(config, REGISTRY, PRICES, {"fal": None}, {"local": "off"})


requests = st.one_of(
    st.builds(
        TextToVideo,
        prompt=st.text(min_size=1, max_size=20),
        duration_s=st.none() | st.integers(1, 30),
        resolution=st.sampled_from([None, "480p", "720p", "1080p", "2k", "4k"]),
        aspect_ratio=st.sampled_from([None, "16:9", "1:1", "21:9"]),
        audio=st.sampled_from([None, True, False]),
        seed=st.none() | st.integers(0, 2**62),
    ),
    st.builds(
        TextToImage,
        prompt=st.text(min_size=1, max_size=20),
        size=st.none() | st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
        format=st.sampled_from([None, "png", "webp"]),
    ),
)
asks = st.builds(
    Ask,
    stage=st.sampled_from(["prototype", "final"]),
    max_usd=st.none() | st.decimals("0.001", 10, places=3),
    on_unsupported=st.sampled_from(["error", "adjust"]),
    exclude=st.frozensets(st.sampled_from([offer.id for offer in REGISTRY.all_offers()]), max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(request=requests, ask=asks, deny=st.sampled_from([(), ("kling*",), ("fal:minimax/*", "veo-3.1")]))
def test_who_serves_satisfies_every_constraint(request, ask, deny):
    config = Config.of({"routing": {"deny": list(deny)}})
    try:
        plan = Router(view_of(config)).route(request, ask, Moment(DAY), explain=True)
    except (RequestError, RoutingError, PricingError):
        return
    for item in (plan.chosen, *plan.alternatives):
        offer, served = item.offer, serve(request, item.adjustments)
        assert offer.provider == "fal"
        assert offer.task == request.task
        assert offer.id not in ask.exclude
        assert offer.stage(DAY) not in ("retired", "announced")
        assert not any(fnmatchcase(name, glob) for glob in deny for name in (offer.id, offer.model))
        assert ask.on_unsupported == "adjust" or not item.adjustments
        for name, value in served.values().items():
            assert name in offer.mapping.fields
            limit = limit_of(offer, name)
            assert limit is None or fits(limit, value)
        assert item.quote == quote(offer, served, PRICES, DAY)
        assert item.quote.high_usd is not None or ask.max_usd is not None
        assert item.quote.high_usd is None or ask.max_usd is None or item.quote.high_usd <= ask.max_usd
    assert plan.request == serve(request, plan.chosen.adjustments)
    known = {offer.id for offer in REGISTRY.offers(request.task)}
    seen = [item.offer.id for item in (plan.chosen, *plan.alternatives, *plan.excluded)]
    assert sorted(seen) == sorted(known)
    assert all(item.excluded for item in plan.excluded)


@given(
    limit=st.one_of(
        st.lists(st.integers(1, 60), min_size=1, max_size=5).map(lambda values: Limit(values=tuple(values))),
        st.tuples(st.integers(1, 30), st.integers(31, 60), st.sampled_from([None, 0.5, 1, 2])).map(
            lambda bounds: Limit(min=bounds[0], max=bounds[1], multiple_of=bounds[2])
        ),
    ),
    value=st.floats(0.1, 100, allow_nan=False),
)
def test_the_nearest_value_fits_and_is_the_value_itself_where_that_fits(limit, value):
    close = nearest_value(limit, value)
    assert fits(limit, close)
    assert not fits(limit, value) or close == value
    assert describe(limit)


@given(size=st.tuples(st.integers(1, 16000), st.integers(1, 16000)))
def test_the_nearest_size_fits(size):
    limit = Limit(min=64, max=4096, multiple_of=2, max_pixels=3686400)
    close = nearest_value(limit, size)
    assert close is not None
    assert fits(limit, tuple(close))


def test_equally_near_goes_up():
    assert nearest_value(Limit(values=(4, 6, 8)), 5) == 6
    assert nearest_value(Limit(values=("16:9", "9:16")), "1:1") == "16:9"
    assert nearest_value(Limit(values=("png", "jpeg")), "webp") is None
    assert nearest_value(Limit(values=([512, 512], [1024, 1024])), (900, 900)) == [1024, 1024]


def test_offers_of_other_tasks_are_not_even_built():
    rows = {"text-to-video": REGISTRY._offer_rows["text-to-video"], "lip-sync": [{"not": "looked at"}] * 1000}
    registry = Registry(REGISTRY._card_rows, rows)
    router = Router(replace(view_of(Config.of()), registry=registry))
    router.route(TextToVideo(prompt="x"), Ask(max_usd=Decimal(5)), Moment(DAY))
    assert set(registry._offers) == {"text-to-video"}
