"""In which order: tiers by stage, drafts by price, finals by quality; roles, pins, successors."""

import random
from datetime import date
from decimal import Decimal

import pytest

from aggregator.errors import (
    ConfigurationError,
    NoRouteError,
    RequestError,
    RetiredModelError,
    UnknownModelError,
)
from aggregator.tasks import TextToImage, TextToSpeech


def reading(score, board="arena/text-to-video", as_of="2026-08-01"):
    return board, score, as_of


def test_the_stage_decides_the_tier(world):
    world.add("cheap", "0.1").add("fine", "0.5", tier="hero")
    assert world.order(stage="prototype") == ["p:cheap", "p:fine"]
    assert world.order(stage="final") == ["p:fine", "p:cheap"]


def test_configuration_may_move_stages_and_tiers(world):
    world.add("a", "0.1").add("b", "0.5", tier="hero")
    world.configure(policy={"review": "hero"})
    assert world.order(stage="review")[0] == "p:b"
    world.configure(tiers={"b": "workhorse", "a": "hero"})
    assert world.order(stage="prototype")[0] == "p:b"


def test_an_unknown_stage_lists_the_known_ones(world):
    world.add("a")
    with pytest.raises(RequestError, match=r"unknown stage 'draft': \[policy\] has prototype, final"):
        world.route(stage="draft")


def test_drafts_go_to_the_cheapest_and_unknown_prices_come_last(world):
    world.add("dear", "0.3").add("cheap", "0.1").add("unpriced", None).add("middle", "0.2")
    assert world.order(max_usd=Decimal(9)) == ["p:cheap", "p:middle", "p:dear", "p:unpriced"]


def test_ties_go_by_id(world):
    world.add("b").add("a").add("c")
    assert world.order() == ["p:a", "p:b", "p:c"]


def test_deprecated_offers_come_last_in_their_tier(world):
    world.add("old", "0.1", status="deprecated", retires="2026-12-01", successor="new").add("new", "0.2")
    world.add("fine", "0.05", tier="hero")
    assert world.order() == ["p:new", "p:old", "p:fine"]
    assert world.route().alternatives[0].notes == ("deprecated: 11 days left; successor new",)


def test_a_deprecated_offer_without_an_end_says_so(world):
    world.add("old", status="deprecated")
    assert world.route().chosen.notes == ("deprecated: no end is announced",)


def test_finals_go_to_the_best_by_decayed_quality(world):
    world.add("good", "0.1", tier="hero", card={"released": "2026-10-01"}, readings=[reading(1200)])
    world.add("best", "0.9", tier="hero", card={"released": "2025-01-01"}, readings=[reading(1300)])
    assert world.order(stage="final") == ["p:best", "p:good"]
    assert world.route(stage="final").why == ("stage 'final' wants a hero; the best by quality of 2 that fit")


def test_a_models_newest_reading_counts(world):
    fallen = [reading(1400, as_of="2026-03-01"), reading(1100)]
    world.add("fallen", tier="hero", readings=fallen).add("steady", tier="hero", readings=[reading(1200)])
    assert world.order(stage="final") == ["p:steady", "p:fallen"]


@pytest.mark.parametrize("other", [[], [reading(1300, "arena/image-to-video")]])
def test_what_nobody_has_read_for_the_task_comes_after_the_newest_first(world, other):
    world.add("read", tier="hero", card={"released": "2025-01-01"}, readings=[reading(1400)])
    world.add("new", tier="hero", card={"released": "2026-10-01"}, readings=other)
    world.add("undated", tier="hero")
    assert world.order(stage="final") == ["p:read", "p:new", "p:undated"]


def test_where_nobody_was_read_the_newest_is_chosen(world):
    world.add("old", tier="hero", card={"released": "2025-01-01"})
    world.add("new", tier="hero", card={"released": "2026-10-01"})
    assert "the newest of 2 that fit" in world.route(stage="final").why


def test_alike_to_a_hundredth_of_the_pairs_the_cheaper_one_is_chosen(world):
    world.add("dear", "0.9", tier="hero", readings=[reading(1301)])
    world.add("cheap", "0.1", tier="hero", readings=[reading(1300)])
    assert world.order(stage="final") == ["p:cheap", "p:dear"]


def test_one_model_at_two_providers_goes_to_the_cheaper(world):
    world.usable["q"] = None
    world.add("m", "0.5", tier="hero").add("m", "0.4", tier="hero", provider="q")
    assert world.order(stage="final") == ["q:m", "p:m"]


def test_no_offer_of_the_wanted_tier_uses_the_others_and_says_so(world):
    world.add("cheap")
    plan = world.route(stage="final")
    assert plan.offer.id == "p:cheap"
    assert "no hero fits, so a workhorse serves" in plan.why
    assert plan.chosen.notes == ("a workhorse, where stage 'final' wants a hero",)


def test_a_fallback_to_another_tier_is_noted(world):
    world.add("cheap").add("fine", tier="hero")
    assert world.route(stage="final").alternatives[0].notes == ("a workhorse, where stage 'final' wants a hero",)


def test_a_stand_in_says_so_and_never_takes_over_from_a_real_model(world):
    world.add("fake", "0.01", card={"is_stand_in": True}).add("real", "0.1").add("fine", "1", tier="hero")
    draft = world.route()
    assert draft.offer.id == "p:fake"
    assert draft.chosen.notes == ("a stand-in for previews and tests, no trained model",)
    final = world.route(stage="final")
    assert [item.offer.id for item in final.alternatives] == ["p:real"]
    assert [item.excluded for item in final.excluded] == ["a stand-in never takes over from a real model"]


def test_a_stand_in_does_not_spoil_the_comparison(world):
    world.add("a", tier="hero", readings=[reading(1200)]).add("b", tier="hero", readings=[reading(1300)])
    world.add("fake", tier="hero", card={"is_stand_in": True, "released": "2026-11-01"})
    assert world.order(stage="final") == ["p:b", "p:a"]


def test_the_order_does_not_depend_on_the_order_of_the_files(world):
    for number in range(12):
        world.add(f"m{number}", f"0.{number % 3 + 1}", tier="hero" if number % 2 else "workhorse")
    orders = set()
    for seed in range(5):
        random.Random(seed).shuffle(world.rows["text-to-video"])
        orders.add(tuple(world.order()))
    assert len(orders) == 1


# ------------------------------------------------------------------------------------------------------------- targets


def test_a_role_is_answered_by_the_configuration(world):
    world.add("a", "0.1").add("b", "0.2").add("c", "0.3", tier="hero")
    world.configure(roles={"shot": "b", "text-to-video": "a", "per": {"final": "p:c"}})
    assert world.order(role="shot") == ["p:b"]
    assert world.route(role="shot").why == "role 'shot' is b in [roles]; b is asked for; the only one that fits"
    assert world.order() == ["p:a"]  # the task is the role where none is given
    assert world.order(role="shot", model="a") == ["p:a"]  # the call's own model wins
    assert world.order(role="per", stage="final") == ["p:c"]
    assert world.order(role="per", stage="prototype") == ["p:a", "p:b", "p:c"]


def test_a_role_that_is_not_set_constrains_nothing_but_is_mentioned(world):
    world.add("a")
    assert "role 'shot' is not set in [roles] for prototype: any model" in world.route(role="shot").why


def test_a_role_with_an_unknown_model_names_the_role(world):
    world.add("good-model").configure(roles={"shot": "good-modle"})
    with pytest.raises(UnknownModelError, match=r"\[roles\] shot: .* did you mean good-model"):
        world.route(role="shot")


def test_an_unknown_pin_names_the_nearest(world):
    world.add("a", endpoint="fal-ai/veo3.1")
    with pytest.raises(UnknownModelError, match=r"did you mean p:fal-ai/veo3\.1") as caught:
        world.route(model="p:fal-ai/veo3")
    assert caught.value.nearest == ("p:fal-ai/veo3.1",)


def test_a_pin_for_another_task_says_what_it_serves(world):
    world.add("a").add("b", task="text-to-image")
    with pytest.raises(RequestError, match="p:b serves text-to-image, not text-to-video"):
        world.route(model="p:b")


def test_a_model_nobody_offers_for_the_task(world):
    world.add("a").add("b", task="text-to-image")
    with pytest.raises(NoRouteError, match="nobody offers text-to-video with b"):
        world.route(model="b")
    with pytest.raises(NoRouteError, match="nobody offers text-to-speech"):
        world.route(TextToSpeech(text="x"))


@pytest.mark.parametrize("name", ["p:old", "old"])
def test_a_retired_pin_names_its_successor(world, name):
    world.add("old", retires="2026-11-01", successor="new").add("new")
    with pytest.raises(
        RetiredModelError, match=f"{name} is retired since 2026-11-01: use its successor 'new'"
    ) as caught:
        world.route(model=name)
    assert caught.value.successor == "new"
    assert world.route(model=name, day=date(2026, 10, 31)).offer.id == "p:old"


def test_a_retired_pin_without_successor_names_who_serves_the_task(world):
    world.add("old", status="retired").add("new").add("soon", status="announced")
    with pytest.raises(RetiredModelError, match="no successor is named; text-to-video is served by new") as caught:
        world.route(model="p:old")
    assert caught.value.successor is None


def test_the_cards_successor_counts_where_the_offer_names_none(world):
    world.add("old", status="retired", card={"successor": "new"}).add("new")
    with pytest.raises(RetiredModelError) as caught:
        world.route(model="p:old")
    assert caught.value.successor == "new"


def test_successors_are_followed_where_that_is_allowed(world):
    world.add("a", status="retired", successor="b").add("b", status="retired", successor="p:c").add("c").add("d")
    world.configure(follow_successor=True)
    plan = world.route(model="a")
    assert (plan.offer.id, plan.alternatives) == ("p:c", ())
    assert plan.why == ("a is retired: its successor b serves; b is retired: its successor p:c serves; p:c is pinned")


def test_successors_in_a_circle_end(world):
    world.add("a", status="retired", successor="b").add("b", status="retired", successor="a")
    world.configure(follow_successor=True)
    with pytest.raises(RetiredModelError):
        world.route(model="a")


def test_a_model_that_lives_elsewhere_is_not_retired(world):
    world.usable["q"] = None
    world.add("m", status="retired").add("m", provider="q")
    assert world.order(model="m") == ["q:m"]


def test_a_model_that_has_ended_here_counts_as_retired_though_it_lives_elsewhere(world):
    world.usable["q"] = "no key: set Q_KEY"
    world.add("m", retires="2026-11-01", successor="n").add("m", provider="q").add("n")
    with pytest.raises(
        RetiredModelError, match="m is retired since 2026-11-01 here, and lives on at q:m: use its succ"
    ):
        world.route(model="m")
    world.configure(follow_successor=True)
    assert world.order(model="m") == ["p:n"]


def test_an_offer_is_found_under_its_former_name(world):
    world.add("m", aliases=["old/name"]).add("n")
    plan = world.route(model="p:old/name")
    assert (plan.offer.id, plan.why) == ("p:m", "p:old/name is served as p:m now; p:m is pinned")


def test_nothing_configured_says_what_to_do(world):
    world.add("a")
    world.usable = {"p": "no key: set P_KEY"}
    with pytest.raises(ConfigurationError, match=r"\(p: no key: set P_KEY\).*Aggregator\.local\(\)"):
        world.route()
    world.usable = {}
    with pytest.raises(ConfigurationError, match="none is known"):
        world.route()


def test_the_plan_is_data(world):
    world.add("a")
    plan = world.route()
    written = plan.as_json()
    assert (written["offer"], written["body"], written["url"]) == ("p:a", {}, "")
    assert written["quote"]["high_usd"] == "0.50"


def test_an_old_price_is_mentioned(world):
    world.add("a")
    assert world.route(day=date(2027, 1, 28)).chosen.notes == ()
    assert world.route(day=date(2027, 1, 29)).chosen.notes == ("its price was last checked on 2026-08-01",)


def test_images_are_routed_like_anything_else(world):
    world.add("i", task="text-to-image", meters=[{"unit": "request", "quantity": "1"}], usd=None)
    world.rates.append(("p", '[[rate]]\nendpoint = "*"\nunit = "request"\nusd = "0"\nfrom = 2026-01-01'))
    assert world.route(TextToImage(prompt="x")).quote.high_usd == 0
