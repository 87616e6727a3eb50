"""The compiled index: what several offers say alike is written once, and nothing is lost by it."""

import json

from aggregator.backends import provider_names, provider_table
from aggregator.registry.load import Registry, bundled_rows
from aggregator.registry.mapping import mappings_of
from aggregator.registry.packing import PARTS, index_text, packed_text, unpacked
from aggregator.registry.rows import Rows

LIMITS = {"duration_s": {"values": [5, 10]}}


def rows(**second: object) -> Rows:
    """Two offers that say the same, but for what the second says otherwise."""
    said = {"model": "m", "checked": "2026-11-20", "limits": LIMITS, "defaults": {"duration_s": 5}}
    offers = [
        {**said, "provider": "p", "endpoint": "a", "task": "text-to-video"},
        {**said, "provider": "p", "endpoint": "b", "task": "image-to-video", **second},
    ]
    return Rows({"m": {"maker": "me", "tier": "hero"}}, {(r["provider"], r["endpoint"], r["task"]): r for r in offers})


def test_what_two_offers_share_is_written_once_and_read_as_the_same() -> None:
    text = packed_text(rows())
    assert text.count("[5,10]") == 1
    read = unpacked(text.encode())
    assert read == json.loads(index_text(rows()))
    (one,), (other,) = read["offers"]["text-to-video"], read["offers"]["image-to-video"]
    assert one["limits"] is other["limits"]


def test_what_one_offer_alone_says_stays_on_its_line() -> None:
    text = packed_text(rows(limits={"duration_s": {"values": [8]}}))
    assert json.loads(text)["offers"]["image-to-video"][0]["limits"] == {"duration_s": {"values": [8]}}
    assert unpacked(text.encode()) == json.loads(index_text(rows(limits={"duration_s": {"values": [8]}})))


def test_a_change_of_one_offer_is_few_lines_of_the_index() -> None:
    before, after = packed_text(rows()).splitlines(), packed_text(rows(note="seen")).splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_packages_own_index_says_what_a_feed_of_it_would() -> None:
    whole = bundled_rows()
    assert unpacked(packed_text(whole).encode()) == json.loads(index_text(whole))
    assert not any(isinstance(row.get(name), str) for row in whole.offers.values() for name in PARTS)


def test_offers_made_from_shared_rows_equal_those_made_from_their_own() -> None:
    index = json.loads(index_text(bundled_rows()))
    mappings = mappings_of({name: provider_table(name) for name in provider_names()})
    apart = Registry(index["cards"], index["offers"], index["boards"], mappings=mappings)
    shared = Registry.bundled(mappings=mappings)
    assert shared.all_offers() == apart.all_offers()
    assert (shared.cards, shared.boards) == (apart.cards, apart.boards)
