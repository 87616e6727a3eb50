"""What the package's own registry holds: how much there is, and that every fact of it has a source and a day."""

import csv
from datetime import date
from pathlib import Path

import pytest

import aggregator.registry
from aggregator.registry.load import Registry

BUNDLED = Registry.bundled()
OFFERS = BUNDLED.all_offers()
HERE = Path(aggregator.registry.__file__).parent


def test_there_are_at_least_six_hundred_offers_of_three_hundred_models():
    orderable = [offer for offer in OFFERS if not offer.unmapped and offer.status != "retired"]
    assert len(OFFERS) >= 1000
    assert len({offer.id for offer in orderable}) >= 600
    assert len({offer.model for offer in orderable}) >= 300
    assert len(BUNDLED.cards) >= 390


def test_every_offer_has_a_source_and_a_day():
    for offer in OFFERS:
        assert offer.source.strip(), offer.id
        assert date(2025, 1, 1) < offer.checked <= date(2026, 11, 21), offer.id
        assert not offer.unmapped or offer.unmapped.strip(), offer.id


@pytest.mark.parametrize("card", BUNDLED.cards.values(), ids=lambda card: card.id)
def test_every_card_has_a_family_a_source_and_a_day(card):
    assert card.family
    assert card.title
    assert card.source
    assert card.checked
    assert all(host.source for host in card.hosts)
    assert all((one.source and one.license and "/" in one.repository) or one.note for one in card.weights)


def test_every_model_is_offered_hosted_or_to_be_had_as_weights():
    offered = {offer.model for offer in OFFERS}
    nowhere = [
        card.id
        for card in BUNDLED.cards.values()
        if card.id not in offered and not card.hosts and not card.weights and card.status == "active"
    ]
    assert nowhere == []


def test_weights_keep_their_licence_and_where_they_are():
    weights = {card.id: card.weights for card in BUNDLED.cards.values() if card.weights}
    assert len(weights) >= 45
    assert weights["flux-2-dev"][0].repository == "black-forest-labs/FLUX.2-dev"
    assert weights["flux-2-dev"][0].license == "FLUX.2-dev Non-Commercial"


def test_all_that_the_boards_said_is_there():
    boards = BUNDLED.boards
    assert sum(len(board.readings) + len(board.claims) for board in boards.values()) >= 1306
    for board in boards.values():
        assert all(reading.source and reading.confidence for reading in board.readings), board.id
        assert all(not reading.model or reading.model in BUNDLED.cards for reading in board.readings), board.id
    arena = boards["lmarena/text-to-video"]
    assert min(reading.as_of for reading in arena.readings) == date(2026, 3, 19)
    first = {reading.name: reading for reading in arena.readings if reading.as_of == date(2026, 3, 19)}
    assert (first["veo-3.1-audio-1080p"].model, first["veo-3.1-audio-1080p"].score) == ("veo-3.1", 1381)
    assert sum(reading.confidence == "preliminary" for board in boards.values() for reading in board.readings) >= 40


def test_a_name_that_is_no_card_of_ours_stays_without_a_model():
    names = {reading.name: reading.model for board in BUNDLED.boards.values() for reading in board.readings}
    assert names["uni-1.1"] == ""
    assert sum(not model for model in names.values()) >= 40


def test_a_boards_file_is_in_order_of_day():
    for file in sorted((HERE / "boards").rglob("*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            days = [row["as_of"] for row in csv.DictReader(lines)]
        assert days == sorted(days), file


def test_an_active_model_may_have_other_names():
    clarity = BUNDLED.card("clarity")
    assert (clarity.status, clarity.aliases) == ("active", ("clarity-upscaler",))
