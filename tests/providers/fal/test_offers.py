"""Every body of every fal offer is what fal's own types take, for everything the offer says it takes."""

from datetime import date

import pytest

from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from tests.facts.validate import check_bodies, offers_of

DAY = date(2026, 11, 21)
OFFERS = offers_of("fal")
BLANKED = "has_nsfw_concepts[]"


def test_every_body_is_what_the_types_take():
    check_bodies("fal", offers=360)


def test_there_are_many_and_of_every_kind():
    assert len(OFFERS) >= 360
    assert len({offer.model for offer in OFFERS}) >= 190
    assert len({offer.task for offer in OFFERS}) == 15


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: f"{offer.endpoint}@{offer.task}")
def test_an_offer_is_priced_or_says_that_it_is_not(offer):
    prices = PriceTable.bundled()
    assert offer.mapping.meters
    unknown = [meter.unit for meter in offer.mapping.meters if not prices.rows_for(offer, meter.unit, DAY)]
    assert bool(unknown) == ("Unpriced" in offer.note)


def test_a_rate_is_of_an_offer():
    known = [offer for offer in Registry.bundled().all_offers() if offer.provider == "fal"]
    names = {name for offer in known for name in (offer.endpoint, offer.model)}
    assert {rate.name for rate in PriceTable.bundled().rates("fal")} <= names


def test_more_than_one_picture_is_never_ordered_by_accident():
    """Bodies that name a number of outputs name one: the meter counts one."""
    counted = [offer for offer in OFFERS if offer.task in ("text-to-image", "image-to-image")]
    assert all(offer.mapping.fixed.get(name, 1) == 1 for offer in counted for name in ("num_images", "max_images"))
    assert sum("num_images" in offer.mapping.fixed for offer in counted) > 20


def test_blanked_pictures_are_told_from_delivered_ones():
    paths = {offer.endpoint: offer.mapping.files.blocked for offer in OFFERS}
    for endpoint in ("fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/flux-pro/v1.1", "fal-ai/flux-2"):
        assert (paths[endpoint].path, paths[endpoint].values) == (BLANKED, (True,)), endpoint
    assert all(blocked is None or blocked.path == BLANKED for blocked in paths.values())
