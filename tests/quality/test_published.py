"""The rows of the published table (2026-11-20) that follow from no reading of a board: lives, releases, ids and prices.

Beside `test_churn`, which measures the turnover of the boards anew. What the package's own cards, offers and rates say
is counted here again; where a row rests on counts of files that are not in the package (daily copies of whole boards,
fal's lists of types, two price files' histories), the counts stand here with their source, and only what was made of
them is reckoned again: `NOT COUNTED AGAIN`. When a row says something else, freshness.toml is to be looked at.
"""

from datetime import date
from itertools import pairwise
from statistics import median, quantiles

import pytest

from aggregator.registry.cards import Offer
from aggregator.registry.churn import Turnover
from aggregator.registry.freshness import freshness
from aggregator.registry.load import Registry

DAY = date(2026, 11, 20)
A_DAY = 1.0
MONTHS_ONLY = 15
"""Days by which a gap may differ where one of its dates is known to the month."""

FLAGSHIPS = {  # family: the models that were its best in turn, and the days between them as published
    "seedance": (
        ("seedance-1.0-pro", "seedance-1.0-pro-fast", "seedance-1.5-pro", "seedance-2.0", "seedance-2.5"),
        (135, 53, 119, 115),
    ),
    "veo, omni": (
        ("veo-2", "veo-3", "veo-3.1", "gemini-omni-flash", "gemini-omni-1.1-flash"),
        (169, 148, 258, 58),
    ),
    "gpt-image": (
        ("gpt-image-1", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-sunburst", "gpt-image-2.6-sunburst"),
        (236, 126, 140, 57),
    ),
    "flux": (
        ("flux-1-dev", "flux-1.1-pro", "flux-1-kontext-pro", "flux-2-pro", "flux-3-video"),
        (62, 239, 180, 252),
    ),
    "seedream": (("seedream-4.0", "seedream-4.5", "seedream-5.0-lite", "seedream-5.0-pro"), (85, 72, 146)),
    "nano-banana": (
        ("gemini-2.5-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-image", "gemini-3.1-flash-lite-image"),
        (86, 98, 124),
    ),
    "kling, months": (
        ("kling-1.0", "kling-1.6", "kling-2.0-master", "kling-2.1", "kling-2.5-turbo"),
        (192, 121, 30, 131),
    ),
    "kling": (("kling-2.5-turbo", "kling-2.6", "kling-3.0", "kling-3.0-turbo", "kling-4.0"), (71, 64, 132, 129)),
    "wan": (("wan-2.2-a14b", "wan-2.5", "wan-2.6"), (58, 83)),
    "ltx": (("ltx-video-13b-0.9.8", "ltx-2-pro", "ltx-2.3-pro", "ltx-2.5-pro"), (99, 133, 160)),
}
GAPS_WITHOUT_DATES = (165, 68, 165, 72, 65, 129)
"""NOT COUNTED AGAIN: later gaps of wan, earlier ones of ltx, both of grok's pictures; our cards lack their dates.
The page names ten families of twelve, 41 gaps of 44.
"""
PREVIEWS = {  # the five that had ended, and how long they lived
    "gemini-omni-flash-preview": 92,
    "gemini-3.1-flash-image-preview": 119,
    "gemini-2.5-flash-image-preview": 142,
    "gemini-3-pro-image-preview": 217,
    "veo-3.1-generate-preview": 372,
}
MAKERS_OWN = ("gemini", "kling", "ltx", "openai", "xai")
RELEASED_AS_PREVIEW = "gemini-3.1-flash-image"
"""Our card has the day of its preview; as a released model it lived 154 days (2026-05-28 to 2026-10-29)."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.bundled()


def gaps(registry: Registry, models: tuple[str, ...]) -> list[int]:
    days = [registry.card(model).released for model in models]
    return [(later - earlier).days for earlier, later in pairwise(day for day in days if day is not None)]


@pytest.mark.parametrize("family", FLAGSHIPS)
def test_the_days_between_flagships_are_those_of_our_cards(registry: Registry, family: str) -> None:
    models, published = FLAGSHIPS[family]
    found = gaps(registry, models)
    assert len(found) == len(published)
    assert found == pytest.approx(published, abs=MONTHS_ONLY if "months" in family else 0)


def test_a_new_flagship_comes_every_four_months(registry: Registry) -> None:
    """125 days, published of 44 gaps; 58 to 252 is what is usual of them."""
    own = [gap for models, _ in FLAGSHIPS.values() for gap in gaps(registry, models)]
    assert len(own) == 35
    every = [*own, *GAPS_WITHOUT_DATES]
    assert median(every) == pytest.approx(125, abs=4)
    low, *_, high = quantiles(every, n=20)
    assert (low, high) == (pytest.approx(58, abs=10), pytest.approx(252, abs=10))


def ended(registry: Registry) -> dict[str, Offer]:
    return {
        offer.endpoint: offer
        for offer in registry.all_offers()
        if offer.provider in MAKERS_OWN and offer.retires is not None and offer.retires <= DAY
    }


def life(registry: Registry, offer: Offer) -> int:
    began = offer.released or registry.card(offer.model).released
    assert began is not None
    assert offer.retires is not None
    return (offer.retires - began).days


def test_how_long_a_preview_lives(registry: Registry) -> None:
    """Median 142 days, 92 to 372, of five; `freshness.toml` takes one for dead after 90 days without a look."""
    offers = ended(registry)
    lives = {endpoint: life(registry, offers[endpoint]) for endpoint in PREVIEWS}
    assert lives == PREVIEWS
    assert (min(lives.values()), median(lives.values()), max(lives.values())) == (92, 142, 372)
    dead = freshness().facts["preview"].dead
    assert dead is not None
    assert dead <= min(lives.values())


def test_how_long_a_released_model_lives(registry: Registry) -> None:
    """Published: median 437 days, 154 to 1,157, of fourteen it does not name; the longest is none of ours. Ours are the
    makers' own that have ended and whose day of release is known, without their previews.
    """
    own = [offer for name, offer in ended(registry).items() if "preview" not in name]
    dated = {offer.model: offer for offer in own if offer.released or registry.card(offer.model).released}
    lives = {model: life(registry, offer) for model, offer in dated.items() if model != RELEASED_AS_PREVIEW}
    assert len(lives) >= 14
    assert median(lives.values()) == pytest.approx(437, rel=0.1)
    assert min(lives.values()) >= 154
    assert max(lives.values()) <= 1157


# ------------------------------------------------------------------------------ NOT COUNTED AGAIN: reckoned from counts


@pytest.mark.parametrize(
    ("exits", "half_life", "low", "high"),
    [(8, 135, 69, 314), (18, 60, 38, 101), (22, 49, 32, 78)],
    ids=["video", "pictures", "image edit"],
)
def test_a_place_among_the_top_ten(exits: int, half_life: int, low: int, high: int) -> None:
    """Exits of each board in 156 days, counted in daily copies of whole boards (github
    aabao325/arena-ai-leaderboards@2ca3d6c). The readings kept here have ten lines of most days: too few (`test_churn`).
    """
    found = Turnover(10, 1560, exits)
    assert found.half_life_days == pytest.approx(half_life, abs=A_DAY)
    assert found.range_days == pytest.approx((low, high), abs=1.5)


def test_how_long_a_hosted_id_stays() -> None:
    """About 590 days: fal's lists of types named 1,207 ids on 2026-04-07 and 156 of them no more on 2026-08-02. Of ids
    that were older, 1,500 is published; the fourteen lists that it was counted in are not here.
    """
    days, named, gone = (date(2026, 8, 2) - date(2026, 4, 7)).days, 1207, 156
    found = Turnover(1, days * (named - gone // 2), gone)
    assert found.half_life_days == pytest.approx(590, abs=5)


@pytest.mark.parametrize(
    ("row_days", "changes", "published"),
    [(77_087, 48, 1_100), (106_494, 36, 2_000)],
    ids=["Comfy-Org's table of prices, 2026-04-05 to 2026-08-18", "litellm's price file, 2025-09 to 2026-11-20"],
)
def test_how_long_a_price_stays(row_days: int, changes: int, published: int) -> None:
    """A stale price is far younger than that: when one changes it is by a factor of 1.2 to 12."""
    half_life = Turnover(1, row_days, changes).half_life_days
    assert half_life == pytest.approx(published, rel=0.03)
    assert half_life is not None
    assert freshness().facts["price"].stale < half_life / 10
