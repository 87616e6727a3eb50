"""What a feed may lose, and how far its prices may move."""

from copy import deepcopy
from datetime import date

import pytest

from aggregator.errors import FeedError
from aggregator.pricing.table import PriceTable, RateRows
from aggregator.registry.guards import FEW_GONE, MAX_FACTOR, hold_back, refuse_shrunken
from aggregator.registry.load import Registry
from tests.feed.publisher import TABLES, catalogue, price, said

DAY = date(2026, 11, 21)
KEY = ("memory", "cheap", "text-to-image")


@pytest.fixture
def words(tmp_path):
    return said(tmp_path)


@pytest.fixture
def many(tmp_path):
    """Two hundred models, three tasks each."""
    return said(tmp_path, {f"memory:m{n}": "0.04" for n in range(200)})


def held(words, change, accept=()):
    after = deepcopy(words)
    change(after)
    return hold_back(catalogue(words), catalogue(after), accept)


def figures(found, endpoint="cheap"):
    """What stands in the table for an endpoint, by the day from which it counts."""
    return {row["from"]: row["usd"] for row in found.rates["memory"] if row.get("endpoint") == endpoint}


# ----------------------------------------------------------------------------------------------------------- shrinking


def gone(kind, number):
    def change(words):
        if kind == "cards":
            for name in list(words["cards"])[:number]:
                del words["cards"][name]
            words["offers"] = {
                task: [row for row in rows if row["model"] in words["cards"]] for task, rows in words["offers"].items()
            }
            words["rates"]["memory"] = [
                row for row in words["rates"]["memory"] if f"memory-{row['endpoint']}" in words["cards"]
            ]
        elif kind == "rates":
            del words["rates"]["memory"][:number]
        elif kind == "offers":
            for rows in words["offers"].values():
                del rows[:number]
        elif kind == "retired":
            for rows in words["offers"].values():
                for row in rows[:number]:
                    row["status"] = "retired"
        elif kind == "ended":
            for rows in words["offers"].values():
                for row in rows[:number]:
                    row["retires"] = "2026-11-21"

    return change


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cards", "cards"),
        ("offers", "usable offers"),
        ("retired", "usable offers"),
        ("ended", "usable offers"),
        ("rates", "rates"),
    ],
)
def test_a_feed_that_lost_too_much_is_refused(many, kind, said):
    after = deepcopy(many)
    gone(kind, 21)(after)
    with pytest.raises(FeedError, match=f"{said} would be gone, such as") as error:
        refuse_shrunken(catalogue(many), catalogue(after), DAY, source="feed")
    assert error.value.reason == "shrunk"


@pytest.mark.parametrize("kind", ["cards", "offers", "retired", "ended", "rates"])
def test_a_feed_may_lose_a_little(many, kind):
    after = deepcopy(many)
    gone(kind, 20)(after)
    refuse_shrunken(catalogue(many), catalogue(after), DAY, source="feed")


def test_what_is_still_to_come_does_not_count_as_gone(many):
    after = deepcopy(many)
    for rows in after["offers"].values():
        for row in rows:
            row["retires"] = "2026-11-22"
    refuse_shrunken(catalogue(many), catalogue(after), DAY, source="feed")


def test_readings_are_for_ever(words):
    words["boards"]["some/board"]["readings"] = [
        ["memory-cheap", f"Cheap {n}", 1100.0, "2026-10-01", None, None, None, "the board's page"]
        for n in range(FEW_GONE + 1)
    ]
    after = deepcopy(words)
    after["boards"] = {}
    with pytest.raises(FeedError, match="readings"):
        refuse_shrunken(catalogue(words), catalogue(after), DAY, source="feed")


def test_a_small_catalogue_may_change_as_a_whole(words):
    after = {**words, "cards": {}, "offers": {}, "boards": {}, "rates": {}}
    refuse_shrunken(catalogue(words), catalogue(after), DAY, source="feed")


# --------------------------------------------------------------------------------------------------------------- jumps


@pytest.mark.parametrize(
    ("usd", "why"), [("0.13", "dearer"), ("0.0133", "cheaper"), ("0", "cheaper"), ("400", "dearer")]
)
def test_a_price_that_jumped_is_held_back_alone(words, usd, why):
    def change(after):
        price(after, "cheap", usd)
        price(after, "second", "0.06")

    found, back = held(words, change)
    assert (figures(found), figures(found, "second")) == ({"2025-01-01": "0.04"}, {"2025-01-01": "0.06"})
    assert [one.id for one in back] == ["memory/cheap/image@2025-01-01"]
    assert why in back[0].why
    assert f"the feed says {usd} USD" in str(back[0])


@pytest.mark.parametrize("usd", ["0.12", "0.0134"])
def test_a_price_may_move_within_the_factor(words, usd):
    found, back = held(words, lambda after: price(after, "cheap", usd))
    assert (figures(found)["2025-01-01"], back) == (usd, ())
    assert MAX_FACTOR == 3


def test_a_price_of_a_later_day_is_compared_with_the_one_before(words):
    def change(after):
        after["rates"]["memory"] += [
            {"endpoint": "cheap", "unit": "image", "usd": "0.10", "from": "2026-11-20"},
            {"endpoint": "second", "unit": "image", "usd": "0.5", "from": "2026-11-20"},
        ]

    found, back = held(words, change)
    assert figures(found) == {"2025-01-01": "0.04", "2026-11-20": "0.10"}
    assert figures(found, "second") == {"2025-01-01": "0.05"}
    assert [one.id for one in back] == ["memory/second/image@2026-11-20"]


def test_what_was_free_does_not_begin_to_cost_unseen(words):
    price(words, "cheap", "0")
    _, back = held(words, lambda after: price(after, "cheap", "0.01"))
    assert [one.why for one in back] == [f"more than {MAX_FACTOR} times dearer"]


@pytest.mark.parametrize(
    "row",
    [
        {"endpoint": "cheap", "when": {"seed": [1]}},
        {"endpoint": "cheap", "task": "text-to-image"},
        {"model": "memory-cheap"},
        {"endpoint": "*"},
    ],
)
def test_a_new_row_does_not_get_past_beside_the_old_one(words, row):
    """More conditions, a task, the model, everything: it counts for the same order, so it is compared."""
    new = {**row, "unit": "image", "usd": "0.0004", "from": "2026-11-20"}
    found, back = held(words, lambda after: after["rates"]["memory"].append(new))
    assert len(back) == 1
    assert new not in found.rates["memory"]


def test_a_price_for_what_had_none_is_taken(tmp_path):
    words = said(tmp_path, {"memory:cheap": None, "memory:second": "0.05"})
    new = {"endpoint": "cheap", "unit": "image", "usd": "7", "from": "2026-11-20"}
    found, back = held(words, lambda after: after["rates"]["memory"].append(new))
    assert back == ()
    assert new in found.rates["memory"]


@pytest.mark.parametrize("words_of_a_rate", [{"free": "100"}, {"minimum": "100"}, {"step": "100"}])
def test_free_units_and_minimums_are_prices_too(words, words_of_a_rate):
    found, back = held(words, lambda after: price(after, "cheap", "0.04", **words_of_a_rate))
    assert len(back) == 1
    assert not any(words_of_a_rate.keys() & row.keys() for row in found.rates["memory"])


def test_a_rate_does_not_vanish_while_its_offer_stays(words):
    found, back = held(words, lambda after: after["rates"].update(memory=after["rates"]["memory"][1:]))
    assert figures(found) == {"2025-01-01": "0.04"}
    assert [one.now for one in back] == ["nothing"]


def test_a_rate_goes_with_its_offer(words):
    def change(after):
        after["rates"]["memory"] = [row for row in after["rates"]["memory"] if row["endpoint"] != "cheap"]
        after["offers"] = {
            task: [row for row in rows if row["endpoint"] != "cheap"] for task, rows in after["offers"].items()
        }

    found, back = held(words, change)
    assert (figures(found), back) == ({}, ())


def test_what_is_metered_stays_as_it_was(words):
    words["offers"]["text-to-image"][0]["meters"] = [{"unit": "image", "quantity": "1"}]

    def change(after):
        after["offers"]["text-to-image"][0] |= {"meters": [{"unit": "image", "quantity": "0"}], "note": "a new one"}

    found, back = held(words, change)
    assert found.rows.offers[KEY]["meters"] == [{"unit": "image", "quantity": "1"}]
    assert found.rows.offers[KEY]["note"] == "a new one"
    assert [one.id for one in back] == ["memory:cheap/text-to-image/meters"]


@pytest.mark.parametrize("accept", ["memory/cheap/image@2025-01-01", "memory/*", "*"])
def test_a_person_may_accept_what_was_held_back(words, accept):
    found, back = held(words, lambda after: price(after, "cheap", "4"), [accept])
    assert (figures(found), back) == ({"2025-01-01": "4"}, ())


def test_what_was_held_back_once_is_held_back_again(words):
    """The same feed compared with what came of it: nothing moves by itself."""
    after = deepcopy(words)
    price(after, "cheap", "4")
    del after["rates"]["memory"][2]
    once, first = hold_back(catalogue(words), catalogue(after))
    again, second = hold_back(once, catalogue(after))
    assert {one.id for one in first} == {one.id for one in second}
    assert figures(once) == figures(again) == {"2025-01-01": "0.04"}
    assert figures(again, "third") == {"2025-01-01": "0.06"}


def test_what_is_held_back_can_still_be_read(words):
    """The rows of two catalogues beside each other make a table and a registry."""
    after = deepcopy(words)
    price(after, "cheap", "4")
    found, _ = hold_back(catalogue(words), catalogue(after))
    by_task = {"text-to-image": [found.rows.offers[KEY]]}
    offer = Registry(found.rows.cards, by_task, mappings=lambda *_: TABLES["memory"].endpoint(KEY[2])).offers(KEY[2])[0]
    (rate,) = PriceTable([RateRows(found.rates, "")]).rows_for(offer, "image", DAY)
    assert str(rate.usd) == "0.04"


def test_a_public_catalogue_that_is_ten_times_too_low_is_caught():
    """Two image endpoints at a tenth of their price, as one public list had them."""
    prices = {"core": "0.03", "ultra": "0.08"}
    offer = {"provider": "memory", "model": "sd", "task": "text-to-image", "checked": "2026-11-20"}
    rows = {
        "cards": {"sd": {"maker": "stability", "tier": "hero"}},
        "offers": {"text-to-image": [{**offer, "endpoint": name} for name in prices]},
        "boards": {},
        "rates": {
            "memory": [{"endpoint": n, "unit": "image", "usd": usd, "from": "2026-05-01"} for n, usd in prices.items()]
        },
    }
    after = deepcopy(rows)
    price(after, "core", "0.003")
    price(after, "ultra", "0.008")
    found, back = hold_back(catalogue(rows), catalogue(after))
    assert len(back) == 2
    assert (figures(found, "core"), figures(found, "ultra")) == ({"2026-05-01": "0.03"}, {"2026-05-01": "0.08"})
