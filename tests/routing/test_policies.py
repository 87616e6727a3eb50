"""`[policy]` tables: in which order, within which bounds, with whom on trial; and the figures they go by."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from aggregator.config import Config
from aggregator.errors import ConfigurationError, NoRouteError, UnknownModelError
from aggregator.routing.outcomes import Track
from aggregator.routing.plan import Ask
from aggregator.routing.policy import drawn, policy_of, reliability
from aggregator.routing.router import Router
from aggregator.routing.walk import Moment
from aggregator.tasks import TextToVideo
from tests.routing.conftest import DAY

BOARD = "arena/text-to-video"


def read(score):
    return [(BOARD, score, "2026-11-01")]


def policy(world, **table):
    return world.configure(policy={"prototype": {"tier": "workhorse", **table}})


def order(world, tracks=None, **ask):
    moment = Moment(DAY, track=(tracks or {}).get)
    plan = world.route(moment=moment, **ask)
    return [item.offer.model for item in (plan.chosen, *plan.alternatives)]


@pytest.fixture
def three(world):
    """Cheap and poor, dear and good, and one that nobody has read."""
    world.add("cheap", "0.10", readings=read(1000)).add("good", "0.40", readings=read(1300)).add("unread", "0.20")
    return world


# ------------------------------------------------------------------------------------------------------------- orders


@pytest.mark.parametrize(
    ("table", "expected", "words"),
    [
        ({}, ["cheap", "unread", "good"], "the cheapest of 3"),
        ({"order": "quality"}, ["good", "cheap", "unread"], "the best by quality of 3"),
        ({"weights": {"price": 1.0}}, ["cheap", "unread", "good"], "the best by price of 3"),
        (
            {"weights": {"quality": 2.0, "price": 1.0}},
            ["good", "cheap", "unread"],
            "the best by quality and price of 3",
        ),
        (
            {"weights": {"quality": 0.5, "price": 1.0}},
            ["cheap", "good", "unread"],
            "the best by quality and price of 3",
        ),
        (
            {"order": "tests.routing.test_policies:newest_name_first"},
            ["unread", "good", "cheap"],
            "the first by tests.routing.test_policies:newest_name_first of 3",
        ),
    ],
)
def test_a_stage_orders_as_it_says(three, table, expected, words):
    policy(three, **table)
    assert order(three) == expected
    assert words in three.route().why


def newest_name_first(candidate):
    return [-ord(letter) for letter in candidate.offer.model]


def test_the_fastest_is_the_fastest_known_and_alike_is_decided_by_price(three):
    policy(three, order="speed")
    tracks = {"p:good": Track(5, 1.0, 0.0, 40.0, 60.0), "p:unread": Track(5, 1.0, 0.0, 41.0, 60.0)}
    assert order(three, tracks) == ["unread", "good", "cheap"]
    tracks["p:good"] = Track(5, 1.0, 0.0, 20.0, 60.0)
    assert order(three, tracks) == ["good", "unread", "cheap"]
    assert order(three) == ["cheap", "unread", "good"]  # where nothing is known


def test_a_weighted_order_puts_those_after_of_whom_a_figure_is_missing(three):
    policy(three, weights={"speed": 1.0, "price": 1.0})
    assert order(three, {"p:good": Track(5, 1.0, 0.0, 40.0, 60.0)}) == ["good", "cheap", "unread"]


def test_what_costs_nothing_comes_first_by_weight(world):
    policy(world.add("dear", "0.10").add("free", "0"), weights={"price": 1.0})
    assert order(world) == ["free", "dear"]


def test_who_fails_is_worth_less_among_workhorses(world):
    world.add("shaky", "0.10").add("steady", "0.13")
    assert order(world, {"p:shaky": Track(20, 0.5, 0.0, None, None)}) == ["steady", "shaky"]
    assert order(world, {"p:shaky": Track(20, 0.9, 0.0, None, None)}) == ["shaky", "steady"]
    # What is refused for its content speaks of the prompts.
    assert order(world, {"p:shaky": Track(20, 0.5, 0.5, None, None)}) == ["shaky", "steady"]


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        (None, "1"),
        (Track(0.1, 0.0, 0.0, None, None), "0.95"),
        (Track(1, 0.0, 0.0, None, None), "0.65"),
        (Track(50, 0.0, 0.0, None, None), "0.05"),
        (Track(50, 0.9, 0.1, None, None), "1"),
    ],
)
def test_one_bad_job_is_no_record(track, expected):
    assert reliability(track) == Decimal(expected)


# ------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("table", "left", "out", "reason"),
    [
        (
            {"quality_floor": 0.3},
            ["good"],
            "cheap",
            "it wins 0.14 of the pairs (0.11 to 0.17); [policy.prototype] quality_floor is 0.3",
        ),
        (
            {"quality_floor": 0.3},
            ["good"],
            "unread",
            "nobody knows how good it is; [policy.prototype] quality_floor is 0.3",
        ),
        (
            {"order": "quality", "max_usd": "1.20"},
            ["cheap", "unread"],
            "good",
            "it costs up to 2.00 USD; [policy.prototype] max_usd is 1.20",
        ),
        ({"deny": ["ch*"]}, ["unread", "good"], "cheap", "[policy.prototype] deny has a pattern for p:cheap"),
        ({"allow": ["p:good"]}, ["good"], "cheap", "[policy.prototype] allow has no pattern for p:cheap"),
        (
            {"order": "tests.routing.test_policies:not_the_cheap_one"},
            ["unread", "good"],
            "cheap",
            "tests.routing.test_policies:not_the_cheap_one does not want it ([policy.prototype] order)",
        ),
    ],
)
def test_what_is_out_of_bounds_says_why(three, table, left, out, reason):
    policy(three, **table)
    assert order(three) == left
    assert three.reason(f"p:{out}") == reason


def not_the_cheap_one(candidate):
    return None if candidate.offer.model == "cheap" else candidate.quote.high_usd


def test_an_unknown_price_is_not_under_a_bound_of_the_policy(world):
    policy(world.add("known").add("dark", None), max_usd="9")
    assert order(world, max_usd=Decimal(5)) == ["known"]
    assert world.reason("p:dark", max_usd=Decimal(5)) == "its price is unknown; [policy.prototype] max_usd is 9"


def test_only_servers_of_your_own(world):
    world.add("own", "9").add("rented", "0.01", provider="q")
    world.usable["q"] = None
    world.backends["p"] = SimpleNamespace(self_hosted=True)
    policy(world, self_hosted=True)
    assert order(world) == ["own"]
    said = "q is no server of your own; [policy.prototype] self_hosted asks for one"
    assert world.reason("q:rented") == said


def test_regions_are_taken_at_the_offers_word(world):
    world.add("frankfurt", regions=["eu-central"]).add("virginia", regions=["us-east"]).add("somewhere")
    policy(world, regions=["eu"])
    assert order(world) == ["frankfurt"]
    assert world.reason("p:virginia") == "where it is computed: us-east; [policy.prototype] regions: eu"
    assert world.reason("p:somewhere") == "where it is computed: nobody says where; [policy.prototype] regions: eu"


def test_a_bound_nobody_keeps_is_an_error_with_every_reason(three):
    policy(three, quality_floor=0.9)
    with pytest.raises(NoRouteError, match=r"quality_floor is 0\.9") as caught:
        three.route()
    assert set(caught.value.reasons) == {"p:cheap", "p:good", "p:unread"}


def test_other_stages_have_their_own_policy(three):
    three.configure(policy={"prototype": {"quality_floor": 0.3}, "review": {"tier": "workhorse", "order": "quality"}})
    assert order(three) == ["good"]
    assert order(three, stage="review") == ["good", "cheap", "unread"]


# -------------------------------------------------------------------------------------------------- sticky, and trials


def test_a_film_keeps_its_look(three):
    policy(three, sticky=True)
    plan = three.route(keep="good")
    assert plan.offer.model == "good"
    assert plan.chosen.notes[0] == "it is what the project used last here"
    assert order(three, keep="good") == ["good", "cheap", "unread"]
    assert order(three, keep="gone") == ["cheap", "unread", "good"]
    assert order(three, keep="good", model="cheap") == ["cheap"]  # who asks for a model gets it
    assert order(policy(three), keep="good") == ["cheap", "unread", "good"]  # only where the policy says so


def test_what_was_used_last_is_left_while_it_rests(three):
    policy(three, sticky=True)
    moment = Moment(DAY, pass_over=lambda offer, _price: "rests" if offer.model == "good" else None)
    plan = three.route(moment=moment, keep="good")
    assert [item.offer.model for item in (plan.chosen, *plan.alternatives)] == ["cheap", "unread", "good"]


def test_a_model_on_trial_gets_its_share_of_the_jobs_and_the_same_ones_every_time(three):
    policy(three, canary={"model": "good", "share": 0.2})
    lots = [f"film/{n}" for n in range(500)]
    router, moment = Router(three.view), Moment(DAY)
    request = TextToVideo(prompt="x")
    chosen = [router.route(request, Ask(lot=lot), moment).offer.model for lot in lots]
    assert 70 < chosen.count("good") < 130
    assert set(chosen) == {"good", "cheap"}
    again = [router.route(request, Ask(lot=lot), moment).offer.model for lot in reversed(lots)]
    assert again[::-1] == chosen


def test_a_model_on_trial_stands_behind_the_others_of_its_tier_otherwise(three):
    policy(three, canary={"model": "p:cheap", "share": 0.2})
    chosen = three.config.policy["prototype"]
    assert chosen.canary.share == 0.2
    lots = [f"{n}" for n in range(50)]
    policy_ = policy_of(three.config, "prototype")
    out = next(lot for lot in lots if not drawn(policy_, lot))
    drawn_in = next(lot for lot in lots if drawn(policy_, lot))
    plan = three.route(lot=out)
    assert [item.offer.model for item in (plan.chosen, *plan.alternatives)] == ["unread", "good"]
    assert three.reason("p:cheap", lot=out) == "is on trial for 20% of the jobs, and this is none of them"
    first = three.route(lot=drawn_in).chosen
    assert (first.offer.model, first.notes[0]) == ("cheap", "on trial: this is one of the 20% of jobs that it gets")
    assert order(three) == ["unread", "good"]  # without a lot nothing is drawn
    three.configure(policy={"prototype": {"canary": {"model": "cheap", "share": 0.2}, "allow": ["cheap"]}})
    assert "it is on trial for 20%" in three.route().why  # where nobody else is left, it is asked all the same


def test_a_share_grows_by_keeping_those_that_had_it():
    def who(share):
        config = Config.of({"policy": {"prototype": {"canary": {"model": "m", "share": share}}}})
        return {lot for lot in map(str, range(1000)) if drawn(policy_of(config, "prototype"), lot)}

    assert who(0.1) < who(0.3) < who(0.6)


# ------------------------------------------------------------------------------------------------------------ nonsense


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"order": "nowhere_at_all:f"}, r"\[policy.prototype\] order: no function at 'nowhere_at_all:f' \(No module"),
        ({"order": "tests.routing.test_policies:absent"}, "no function at 'tests.routing.test_policies:absent'"),
        (
            {"order": "tests.routing.test_policies:broken"},
            "broken raised ZeroDivisionError for p:cheap: division by zero",
        ),
        (
            {"order": "tests.routing.test_policies:mixed"},
            "what tests.routing.test_policies:mixed returns cannot be compared",
        ),
    ],
)
def test_a_function_that_does_not_work_says_whose_and_why(three, table, said):
    with pytest.raises(ConfigurationError, match=said):
        policy(three, **table).route()
    with pytest.raises(ConfigurationError, match=said):
        policy(three, **table).route(explain=False)


def broken(_candidate):
    return 1 / 0


def mixed(candidate):
    return "a" if candidate.offer.model == "good" else 1


def test_a_trial_of_nothing_is_a_mistake(three):
    policy(three, canary={"model": "goood", "share": 0.2})
    with pytest.raises(UnknownModelError, match=r"\[policy.prototype\] canary: .*did you mean good"):
        three.route()


# --------------------------------------------------------------------------------------------------------- properties


def test_every_order_is_total_and_does_not_depend_on_the_files(three):
    for number in range(6):
        three.add(f"m{number}", "0.20", readings=read(1100) if number % 2 else ())
    tables = [{"order": name} for name in ("price", "quality", "speed")] + [{"weights": {"price": 1, "quality": 1}}]
    for table in tables:
        policy(three, **table)
        first = order(three)
        assert len(set(first)) == len(first) == 9
        three.rows["text-to-video"].reverse()
        assert order(three) == first


def test_the_decision_is_data_with_its_figures(three):
    moment = Moment(date(2026, 11, 20), track={"p:good": Track(5, 0.8, 0.1, 40.0, 60.0)}.get)
    plan = three.route(moment=moment, max_usd=Decimal(1))
    written = plan.as_json()
    assert written["chosen"]["quality"]["board"] == BOARD
    assert written["chosen"]["track"] is None
    good = next(item for item in written["excluded"] if item["model"] == "good")
    assert good["excluded"] == "it costs up to 2.00 USD; max_usd is 1"
    assert good["quote"]["high_usd"] == "2.00"
    assert good["quality"]["share"] > written["chosen"]["quality"]["share"]
