"""Any value of a feed exchanged for any other: it is taken or refused, and nothing else is ever raised."""

from copy import deepcopy
from random import Random

import pytest

from aggregator.errors import FeedError
from aggregator.registry.bounds import check
from aggregator.registry.guards import hold_back
from tests.mutated.test_feeds import REAL, TABLES

ODD = (
    None,
    True,
    0,
    -1,
    1e300,
    2**70,
    "",
    "x",
    "../..",
    [],
    {},
    [[]],
    [{}],
    [None],
    {"": None},
    {"x": {"y": []}},
    ["a", 1],
)


def small():
    """A few rows of each kind, with all their words."""
    rows = {task: [row for row in listed if row["provider"] == "luma"] for task, listed in REAL["offers"].items()}
    offers = {task: listed for task, listed in rows.items() if listed}
    models = {row["model"] for listed in offers.values() for row in listed}
    named = {word for row in (row for listed in offers.values() for row in listed) for word in (row.get("successor"),)}
    cards = {name: REAL["cards"][name] for name in sorted(models | (named & REAL["cards"].keys()))}
    for card in cards.values():
        card.pop("successor", None)
        card.pop("equivalents", None)
    board = {
        "title": "B",
        "task": "text-to-image",
        "kind": "arena",
        "unit": "elo",
        "readings": [["", "n", 1.0, "2026-01-01", None, 1, None, "s"]],
    }
    return {"cards": cards, "offers": offers, "boards": {"b": board}, "rates": {"luma": REAL["rates"]["luma"]}}


def places(value, path=()):
    """Where every value is."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


SMALL = small()
PLACES = list(places(SMALL))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_but_a_refusal_is_raised(seed):
    rng = Random(seed)
    base = check(SMALL, TABLES, source="feed")
    for _ in range(10):
        said = deepcopy(SMALL)
        path = rng.choice(PLACES)
        inner = said
        for key in path[:-1]:
            inner = inner[key]
        if len(path) > 1:  # what a bundle's document holds at its top is looked at before
            inner[path[-1]] = deepcopy(rng.choice(ODD))
        try:
            taken = check(said, TABLES, source="feed")
        except FeedError:
            continue
        hold_back(base, taken)
