"""Who is out, and the sentence that says why."""

import re
from decimal import Decimal

import pytest

from aggregator.errors import NoRouteError, PriceUnknownError, RequestError, UnsupportedFieldError
from aggregator.routing.plan import Adjustment
from aggregator.tasks import ImageToVideo, Lora, Reference, TextToVideo

URL = "https://example.com/a.png"


@pytest.mark.parametrize(
    ("row", "request_", "ask", "reason"),
    [
        ({"status": "retired", "successor": "good"}, {}, {}, "it is retired; successor good"),
        ({"retires": "2026-11-20"}, {}, {}, "it is retired since 2026-11-20; no successor is named"),
        ({"status": "announced", "released": "2026-12-01"}, {}, {}, "it is announced for 2026-12-01"),
        ({"status": "announced"}, {}, {}, "it is announced, without a date"),
        ({}, {}, {"model": "good"}, "it is bad; asked for is good"),
        ({}, {}, {"model": "p:good"}, "it is bad; asked for is p:good"),
        ({}, {}, {"exclude": frozenset({"p:bad"})}, "it was tried already"),
        (
            {"fields": {"prompt": "p"}},
            {"seed": 1},
            {},
            "it does not take seed; it takes prompt",
        ),
        (
            {"limits": {"duration_s": {"values": [4, 8]}}},
            {"duration_s": 5},
            {},
            "duration_s=5.0 is outside what it takes: one of 4, 8; nearest is 4",
        ),
        (
            {"limits": {"duration_s": {"min": 6, "max": 10, "multiple_of": 0.5}}},
            {"duration_s": 5},
            {},
            "duration_s=5.0 is outside what it takes: 6 to 10, a multiple of 0.5; nearest is 6",
        ),
        (
            {"limits": {"resolution": {"values": ["720p", "1080p"]}}},
            {"resolution": "4k"},
            {},
            "resolution=4k is outside what it takes: one of 720p, 1080p; nearest is 1080p",
        ),
        (
            {"fields": {"prompt": "p", "size": "s"}, "limits": {"size": {"min": 64, "max": 1024, "multiple_of": 8}}},
            {"size": (2000, 100)},
            {},
            "size=[2000, 100] is outside what it takes: 64 to 1024, a multiple of 8; nearest is 1024×104",
        ),
        (
            {"limits": {"prompt": {"max_characters": 3}}},
            {"prompt": "four"},
            {},
            "prompt has 4 characters; it takes at most 3 characters",
        ),
        ({"required": ["seed"]}, {}, {}, "it needs seed, which is not given"),
        ({"provider": "q"}, {}, {}, "no provider is named 'q' here"),
    ],
)
def test_an_exclusion_says_why(world, row, request_, ask, reason):
    world.add("good", fields={**world_fields(), "size": "s"}).add("bad", **row)
    pin = f"{row.get('provider', 'p')}:bad"
    assert world.reason(pin, TextToVideo(**{"prompt": "x", **request_}), **ask) == reason


def world_fields():
    return {"prompt": "prompt", "duration_s": "duration", "resolution": "resolution", "audio": "sound", "seed": "seed"}


def test_a_provider_that_cannot_be_used_gives_its_reason(world):
    world.add("good").add("bad", provider="q")
    world.usable["q"] = "no key: set Q_KEY"
    assert world.reason("q:bad") == "no key: set Q_KEY"


@pytest.mark.parametrize("pattern", ["p:ba*", "bad", "b?d"])
def test_deny(world, pattern):
    world.add("good").add("bad").configure(routing={"deny": [pattern]})
    assert world.reason("p:bad") == "[routing] deny has a pattern for p:bad"


@pytest.mark.parametrize("pattern", ["p:go*", "good"])
def test_allow(world, pattern):
    world.add("good").add("bad").configure(routing={"allow": [pattern]})
    assert world.reason("p:bad") == "[routing] allow has no pattern for p:bad"


def test_a_provider_is_allowed_by_its_name_and_deny_wins(world):
    world.add("a").add("b").add("c", provider="q")
    world.usable["q"] = None
    world.configure(routing={"allow": ["p"], "deny": ["p:b"]})
    assert world.order() == ["p:a"]


def test_a_quote_above_max_usd_is_out_and_one_at_it_is_not(world):
    world.add("good", "0.10").add("bad", "0.11")
    assert world.reason("p:bad", max_usd=Decimal("0.5")) == "it costs up to 0.55 USD; max_usd is 0.5"


def test_an_unknown_price_needs_a_bound(world):
    world.add("good").add("bad", None)
    assert world.reason("p:bad").startswith("its price is unknown: no rate for video_second of p:bad")
    assert world.order(max_usd=Decimal(1)) == ["p:good", "p:bad"]
    notes = world.route(max_usd=Decimal(1)).alternatives[0].notes
    assert notes[0].startswith("price unknown: booked at what is reported, else at max_usd")


def test_reasons_are_not_written_until_somebody_asks(world):
    world.add("good").add("bad", status="retired")
    assert world.route(explain=False).excluded == ()


# ------------------------------------------------------------------------------------------------------- adjustments


def test_a_field_it_lacks_is_dropped_when_that_is_allowed(world):
    world.add("good", fields={"prompt": "p"}, limits={})
    plan = world.route(TextToVideo(prompt="x", seed=7), on_unsupported="adjust")
    assert plan.chosen.adjustments == (Adjustment("seed", "dropped", 7, None, "p:good does not take seed"),)
    assert plan.request == TextToVideo(prompt="x")


def test_a_value_outside_is_moved_to_the_nearest(world):
    world.add("good", "0.10", limits={"duration_s": {"values": [4, 6, 8]}, "resolution": {"values": ["720p", "1080p"]}})
    plan = world.route(TextToVideo(prompt="x", duration_s=5, resolution="4k"), on_unsupported="adjust")
    assert plan.chosen.adjustments == (
        Adjustment("resolution", "clamped", "4k", "1080p", "p:good takes one of 720p, 1080p"),
        Adjustment("duration_s", "clamped", 5.0, 6, "p:good takes one of 4, 6, 8"),
    )
    assert plan.request == TextToVideo(prompt="x", duration_s=6, resolution="1080p")
    assert plan.quote.high_usd == Decimal("0.60")  # of what is sent, not of what was asked


def test_every_candidate_has_its_own_adjustments(world):
    world.add("a", "0.10", limits={"duration_s": {"values": [4]}}).add(
        "b", "0.20", limits={"duration_s": {"values": [10]}}
    )
    plan = world.route(TextToVideo(prompt="x", duration_s=5), on_unsupported="adjust")
    assert [item.adjustments[0].sent for item in (plan.chosen, *plan.alternatives)] == [4, 10]


def test_a_word_without_a_nearest_one_is_dropped(world):
    world.add("good", limits={"audio": {"values": [True]}})
    plan = world.route(TextToVideo(prompt="x", audio=False), on_unsupported="adjust")
    (change,) = plan.chosen.adjustments
    assert (change.field, change.kind, change.asked, change.sent) == ("audio", "dropped", False, None)
    assert change.why == "p:good takes one of True; nothing of that is close to it, so its default applies"


SHORT_1080P = {
    "limits": {"duration_s": {"values": [5, 8, 10]}, "resolution": {"values": ["720p", "1080p"]}},
    "rules": [{"when": {"resolution": ["1080p"]}, "limits": {"duration_s": {"values": [5, 8]}}}],
    "defaults": {"resolution": "720p"},
}


def test_a_limit_that_holds_only_beside_another_value(world):
    world.add("good", **SHORT_1080P)
    assert world.route(TextToVideo(prompt="x", duration_s=10)).offer.id == "p:good"
    assert world.route(TextToVideo(prompt="x", duration_s=8, resolution="1080p")).offer.id == "p:good"
    said = "duration_s=10.0 is outside what it takes with resolution=1080p: one of 5, 8; nearest is 8"
    with pytest.raises(UnsupportedFieldError, match=re.escape(said)):
        world.route(TextToVideo(prompt="x", duration_s=10, resolution="1080p"))


def test_a_field_left_out_counts_as_its_documented_default(world):
    world.add("good", **{**SHORT_1080P, "defaults": {"resolution": "1080p"}})
    with pytest.raises(UnsupportedFieldError, match=r"with resolution=1080p: one of 5, 8"):
        world.route(TextToVideo(prompt="x", duration_s=10))


def test_a_clamped_value_may_bring_a_rule_about_which_clamps_another(world):
    world.add("good", **SHORT_1080P)
    plan = world.route(TextToVideo(prompt="x", duration_s=10, resolution="4k"), on_unsupported="adjust")
    assert plan.request == TextToVideo(prompt="x", duration_s=8, resolution="1080p")
    assert [(item.field, item.asked, item.sent) for item in plan.chosen.adjustments] == [
        ("resolution", "4k", "1080p"),
        ("duration_s", 10.0, 8),
    ]
    assert plan.chosen.adjustments[1].why == "p:good takes one of 5, 8 with resolution=1080p"


@pytest.mark.parametrize("only", [{"values": [9]}, {"min": 11, "max": 30}])
def test_a_rule_that_leaves_nothing_the_offer_takes_is_refused(world, only):
    rules = [{"when": {"resolution": ["1080p"]}, "limits": {"duration_s": only}}]
    world.add("good", **{**SHORT_1080P, "rules": rules})
    with pytest.raises(UnsupportedFieldError, match="is outside what it takes with resolution=1080p"):
        world.route(TextToVideo(prompt="x", duration_s=10, resolution="1080p"), on_unsupported="adjust")


def test_rules_that_undo_each_other_are_refused(world):
    rules = [
        {"when": {"resolution": ["1080p"]}, "limits": {"duration_s": {"values": [5]}}},
        {"when": {"duration_s": [5]}, "limits": {"resolution": {"values": ["720p"]}}},
    ]
    world.add("good", rules=rules)
    with pytest.raises(UnsupportedFieldError, match=r"duration_s|resolution"):
        world.route(TextToVideo(prompt="x", duration_s=10, resolution="1080p"))
    plan = world.route(TextToVideo(prompt="x", duration_s=10, resolution="1080p"), on_unsupported="adjust")
    assert plan.request == TextToVideo(prompt="x", duration_s=5, resolution="720p")


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((512, 512), [1920, 1920]), ((1000, 500), [2752, 1360]), ((4096, 4096), [4096, 4096]), ((16, 16), [1920, 1920])],
)
def test_as_many_pixels_as_it_takes_at_least(world, size, nearest):
    limit = {"min": 14, "max": 4096, "multiple_of": 16, "min_pixels": 3_686_400}
    world.add("good", fields={"prompt": "p", "size": "s"}, limits={"size": limit})
    plan = world.route(TextToVideo(prompt="x", size=size), on_unsupported="adjust")
    assert list(plan.request.size) == nearest
    if list(size) != nearest:
        with pytest.raises(UnsupportedFieldError, match=r"a multiple of 16, at least 3686400 pixels; nearest is"):
            world.route(TextToVideo(prompt="x", size=size))


def test_an_offer_that_nobody_knows_how_to_ask_says_so(world):
    world.add("good").add("bad", unmapped="its fields are not published")
    assert world.reason("p:bad") == "it cannot be ordered from here: its fields are not published"


@pytest.mark.parametrize(
    ("values", "field", "loss"),
    [
        ({"last_image": URL}, "last_image", "the clip ends where it will"),
        ({"references": (Reference(image=URL),)}, "references", "the picture is not guided by them"),
        ({"loras": (Lora(weights="w"),)}, "loras", "the fine-tune is not applied"),
    ],
)
def test_what_matters_is_dropped_only_with_its_loss_said(world, values, field, loss):
    world.add("good", task="image-to-video", fields={"image": "i", "prompt": "p"}, meters=[], defaults={})
    plan = world.route(ImageToVideo(image=URL, **values), on_unsupported="adjust", max_usd=Decimal(1))
    (change,) = plan.chosen.adjustments
    assert (change.field, change.why) == (field, f"p:good does not take {field}: {loss}")
    assert plan.request == ImageToVideo(image=URL)


@pytest.mark.parametrize("fields", [{"image": "i"}, {"prompt": "p"}])
def test_the_input_and_the_prompt_are_never_dropped(world, fields):
    world.add("good", task="image-to-video", fields=fields)
    with pytest.raises(UnsupportedFieldError, match="does not take"):
        world.route(ImageToVideo(image=URL, prompt="x"), on_unsupported="adjust")


def test_a_prompt_is_never_cut(world):
    world.add("good", limits={"prompt": {"max_characters": 3}})
    with pytest.raises(UnsupportedFieldError, match="prompt has 4 characters"):
        world.route(TextToVideo(prompt="four"), on_unsupported="adjust")


def test_too_many_references_are_not_thinned_out_for_the_caller(world):
    fields = {"prompt": "p", "references": "r"}
    world.add("good", fields=fields, limits={"references": {"max": 1}})
    request = TextToVideo(prompt="x", references=(Reference(image=URL), Reference(image=URL)))
    with pytest.raises(UnsupportedFieldError, match="references=2 given is outside what it takes: any to 1"):
        world.route(request, on_unsupported="adjust")


def test_a_words_table_of_the_mapping_is_a_limit_too(world):
    fields = {"prompt": "p", "resolution": {"to": "r", "values": {"720p": "SD", "1080p": "HD"}}}
    world.add("good", fields=fields)
    with pytest.raises(UnsupportedFieldError, match="one of 720p, 1080p; nearest is 1080p"):
        world.route(TextToVideo(prompt="x", resolution="4k"))


# ------------------------------------------------------------------------------------------------------------ options


@pytest.mark.parametrize(
    "options",
    [
        {"duration": 9},
        {"cfg": {"scale": 1}},
        {"cfg": 1},
        {"n": 4},
        {"size.width": 1},
        {"size": {"width": 1}},
        {"size": {}},
    ],
)
def test_options_may_not_touch_what_is_mapped_fixed_or_metered(world, options):
    fields = {"prompt": "prompt", "duration_s": "duration", "size": "size.width size.height", "seed": "cfg.scale"}
    world.add("good", fields=fields, fixed={"n": 1})
    with pytest.raises(RequestError, match=r"provider_options\['p'\] may not set"):
        world.route(provider_options={"p": options})


def test_other_options_are_fine_and_those_of_other_providers_are_ignored(world):
    world.add("good", fields={"prompt": "prompt", "seed": "cfg.scale"})
    world.usable["q"] = "no key"
    plan = world.route(provider_options={"p": {"cfg": {"steps": 1}, "promp": 1}, "q": {"prompt": 1}})
    assert plan.offer.id == "p:good"


def test_an_alternative_that_the_options_clash_with_is_out(world):
    world.add("a", "0.1", fields={"prompt": "p"}).add("b", "0.2", fields={"prompt": "p", "seed": "s"})
    plan = world.route(provider_options={"p": {"s": 1}})
    assert (plan.offer.id, plan.alternatives) == ("p:a", ())
    assert [item.excluded for item in plan.excluded] == ["provider_options may not set 's' there"]


def test_options_for_nobody_are_a_mistake(world):
    world.add("good")
    with pytest.raises(RequestError, match="no provider is named 'fall'; known: p"):
        world.route(provider_options={"fall": {"x": 1}})


# ------------------------------------------------------------------------------------------------------------- errors


def test_only_unknown_prices_left(world):
    world.add("a", None).add("b", None).add("c", status="retired")
    with pytest.raises(PriceUnknownError, match=r"unknown for p:a, p:b .* give max_usd"):
        world.route()


def test_nothing_fits_lists_the_reasons_briefly(world):
    for number in range(20):
        world.add(f"m{number}", limits={"duration_s": {"values": [4]}})
    with pytest.raises(NoRouteError) as caught:
        world.route(TextToVideo(prompt="x", duration_s=5))
    assert len(str(caught.value).splitlines()) == 8
    assert "  p:m0: duration_s=5.0 is outside" in str(caught.value)
    assert str(caught.value).endswith("and 14 more: `reasons` has all of them")
    assert len(caught.value.reasons) == 20


def test_one_offer_that_lacks_a_field_says_what_it_supports(world):
    world.add("good").add("other", fields={"prompt": "p"})
    with pytest.raises(UnsupportedFieldError, match="p:other: it does not take seed; it takes prompt") as caught:
        world.route(TextToVideo(prompt="x", seed=1), model="p:other")
    assert caught.value.supported == ("prompt",)


def test_too_dear_everywhere(world):
    world.add("a", "1").add("b", "2")
    with pytest.raises(NoRouteError, match="it costs up to 5 USD; max_usd is 1"):
        world.route(max_usd=Decimal(1))
