"""Asking for what is retired, or was never to be had: the answer names the day, the successor and what works."""

import io
from datetime import date

import pytest
from rich.console import Console

from aggregator.cli.catalogue import Catalogue, gone_rows, offer_rows
from aggregator.cli.catalogue_view import draw_models
from aggregator.config import Config
from aggregator.errors import NoRouteError, RequestError, RetiredModelError, UnknownModelError
from aggregator.registry.load import Registry
from aggregator.routing.plan import Ask
from aggregator.routing.target import target_of
from aggregator.tasks import ImageToVideo, TextToImage, TextToMusic, TextToSpeech, TextToVideo

DAY = date(2026, 11, 21)
BUNDLED = Registry.bundled()
VIDEO = TextToVideo(prompt="x")
IMAGE = TextToImage(prompt="x")


def ask(model, request=VIDEO, registry=BUNDLED, day=DAY, **config):
    return target_of(registry, Config.of(config), request, Ask(model=model), day)


@pytest.mark.parametrize("name", ["sora-2", "sora", "sora-2-2025-10-06", "openai:sora-2", "anywhere:sora-2"])
def test_a_retired_model_by_any_of_its_names(name):
    with pytest.raises(RetiredModelError) as caught:
        ask(name)
    assert caught.value.successor is None
    text = str(caught.value)
    assert text.startswith(f"{name} is retired since 2026-09-24")
    assert "no successor is named; for text-to-video there is " in text
    assert "veo-3.1" in text


def test_only_what_serves_the_asked_task_is_named():
    with pytest.raises(RetiredModelError) as caught:
        ask("sora-2", TextToSpeech(text="x"))
    assert "veo-3.1" not in str(caught.value)
    assert "text-to-speech is served by " in str(caught.value)


def test_a_successor_comes_first_and_can_be_followed():
    with pytest.raises(RetiredModelError) as caught:
        ask("gpt-image-1", IMAGE)
    assert caught.value.successor == "gpt-image-2.5-sunburst"
    assert "since 2026-10-23: use its successor 'gpt-image-2.5-sunburst'" in str(caught.value)
    assert "for text-to-image there is also gpt-image-2, " in str(caught.value)
    followed = ask("gpt-image-1", IMAGE, follow_successor=True)
    assert followed.model == "gpt-image-2.5-sunburst"
    assert followed.notes == ("gpt-image-1 is retired: its successor gpt-image-2.5-sunburst serves",)


def test_one_pinned_offer_ends_on_its_own_day():
    with pytest.raises(RetiredModelError) as caught:
        ask("fal:fal-ai/sora-2/text-to-video")
    assert "since 2026-08-02" in str(caught.value)
    with pytest.raises(RetiredModelError) as caught:
        ask("gemini:veo-3.1-generate-preview")
    assert "since 2026-10-22: use its successor 'gemini-omni-1.1-flash'" in str(caught.value)
    assert ask("veo-3.1").model == "veo-3.1"


@pytest.mark.parametrize("name", ["suno", "suno-v5", "udio", "aiva", "suno:suno"])
def test_what_was_never_to_be_had(name):
    with pytest.raises(NoRouteError, match="API") as caught:
        ask(name, TextToMusic(prompt="x"))
    assert str(caught.value).startswith(f"{name}: ")
    assert "for text-to-music there is " in str(caught.value)


def test_pika_is_served_by_fal():
    with pytest.raises(NoRouteError, match=r"for text-to-video there is pika-2\.2"):
        ask("pika")
    assert ask("pika-2.2").model == "pika-2.2"


def test_midjourney_under_an_unknown_name_is_at_least_near():
    with pytest.raises(NoRouteError, match="Midjourney has no official API"):
        ask("midjourney", IMAGE)
    with pytest.raises(UnknownModelError, match="did you mean midjourney"):
        ask("midjourney-v6", IMAGE)


def test_a_pin_of_a_living_offer_for_another_task_is_no_retirement():
    with pytest.raises(RequestError, match=r"serves text-to-video, not image-to-video"):
        ask("fal:fal-ai/veo3.1", ImageToVideo(image="https://example.com/a.png"))


def test_a_users_own_offer_of_a_retired_model_serves():
    row = {"provider": "p", "endpoint": "e", "model": "sora-2", "task": "text-to-video", "checked": "2026-11-20"}
    registry = Registry(BUNDLED._card_rows, {"text-to-video": [row]})
    assert ask("sora-2", registry=registry).model == "sora-2"


def test_a_day_that_is_to_come_does_not_count_yet():
    assert BUNDLED.card("sora-2").stage(date(2026, 9, 23)) == "active"
    assert BUNDLED.card("sora-2").stage(date(2026, 9, 24)) == "retired"
    assert BUNDLED.card("suno").stage(DAY) == "unavailable"


# ------------------------------------------------------------------------------------------------------------ the data


def living():
    return {offer.model for offer in BUNDLED.all_offers() if offer.stage(DAY) not in ("retired", "announced")}


GONE = [card for card in BUNDLED.cards.values() if card.status != "active"]


@pytest.mark.parametrize("card", GONE, ids=lambda card: card.id)
def test_what_is_gone_has_a_source_and_a_way_forward(card):
    assert card.source
    assert card.id not in living(), "somebody serves it: the card is of a model that is active"
    assert card.status == "unavailable" or card.retired is not None
    assert set(card.equivalents) <= living()
    assert card.equivalents or card.successor
    last = card
    while last.status != "active" and last.successor is not None:
        last = BUNDLED.card(last.successor)
    assert last is card or last.id in living()


def test_the_dates_that_are_known():
    days = {
        "sora-2": (2026, 9, 24),
        "sora-2-pro": (2026, 9, 24),
        "gpt-image-1": (2026, 10, 23),
        "dall-e-2": (2026, 5, 12),
        "dall-e-3": (2026, 5, 12),
        "octave-2": (2026, 11, 13),
        "imagen-4": (2026, 8, 17),
        "veo-3": (2026, 6, 30),
        "ltx-2-pro": (2026, 8, 15),
    }
    assert {model: BUNDLED.card(model).retired for model in days} == {model: date(*day) for model, day in days.items()}
    veo = [offer for offer in BUNDLED.all_offers() if offer.id.startswith("gemini:veo-3.1")]
    assert {offer.retires for offer in veo} == {date(2026, 10, 22)}
    assert {offer.task for offer in veo} == {"text-to-video", "image-to-video"}


def test_no_name_stands_for_two():
    names = [name for card in GONE for name in (card.id, *card.aliases)]
    assert len(names) == len(set(names))
    assert not {name for card in GONE for name in card.aliases} & set(BUNDLED.cards)


def test_the_listing_shows_them_only_when_all_is_asked_for():
    catalogue = Catalogue.open(Config.of(), {})
    assert "veo-2" not in {row.offer.model for row in offer_rows(catalogue, task="text-to-video", everything=False)}
    rows = offer_rows(catalogue, task="text-to-video", everything=True)
    assert next(row.life for row in rows if row.offer.model == "veo-2") == "retired"
    gone = {row.card.id: row.as_json() for row in gone_rows(catalogue)}
    assert gone["sora-2"]["lifecycle"] == "retired"
    assert gone["sora-2"]["retired"] == "2026-09-24"
    assert gone["suno"]["lifecycle"] == "unavailable"
    assert gone["suno"]["equivalents"]
    assert "veo-3.1" not in gone
    shown = Console(width=300, file=io.StringIO())
    draw_models(shown, [], gone_rows(catalogue))
    text = shown.file.getvalue()
    assert "imagen-4  retired since 2026-08-17; instead: gemini-2.5-flash-image" in text
    assert "suno  unavailable: Suno has no official API" in text
