"""What changes with one model in the place of another."""

from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.errors import RequestError, UnknownModelError
from aggregator.registry.diff import Difference, compare, pairs, typical
from aggregator.registry.quality import Quality
from aggregator.tasks import TASKS
from tests.quality.test_audit import DAY, Small

LIMITS = {"duration_s": {"values": [5, 10]}, "resolution": {"values": ["720p"]}}


@pytest.fixture
def small(tmp_path: Path) -> Small:
    small = Small(tmp_path)
    small.add("old", fields={"prompt": "p", "seed": "s", "duration_s": "d", "resolution": "r"}, limits=LIMITS)
    small.add(
        "new",
        fields={"prompt": "p", "audio": "a", "duration_s": "d", "resolution": "r"},
        limits={**LIMITS, "duration_s": {"min": 4, "max": 15, "multiple_of": 1}},
        retires="2026-12-01",
    )
    small.rates[1] = small.rates[1].replace("0.1", "0.25")
    return small


def compared(small: Small, a: str, b: str) -> Difference:
    [(one, other)] = pairs(small.registry, a, b, DAY)
    return compare(one, other, small.prices, Quality(small.registry), DAY)


def test_what_is_lost_gained_and_bounded_otherwise(small: Small) -> None:
    found = compared(small, "old", "new")
    assert found.lost == ("seed",)
    assert found.gained == ("audio",)
    assert found.limits == (("duration_s", "5, 10", "4–15, in steps of 1"),)


def test_what_holds_beside_other_values_only(small: Small) -> None:
    full = {"when": {"resolution": ["1080p"]}, "limits": {"duration_s": {"values": [5]}}}
    both = {"when": {"resolution": ["720p"], "audio": [True]}, "limits": {"duration_s": {"max": 10}}}
    small.add("from", fields={"prompt": "p", "duration_s": "d", "resolution": "r"}, rules=[full, both])
    small.add("to", fields={"prompt": "p", "duration_s": "d", "resolution": "r"}, rules=[both])
    assert compared(small, "from", "to").rules == (("duration_s 5 beside resolution 1080p",), ())
    assert compared(small, "to", "from").rules == ((), ("duration_s 5 beside resolution 1080p",))
    assert compared(small, "from", "from").rules == ((), ())
    assert compared(small, "from", "to").as_json()["rules"]["a"] == ["duration_s 5 beside resolution 1080p"]


def test_both_are_priced_for_one_typical_job(small: Small) -> None:
    found = compared(small, "old", "new")
    assert (found.a.quote.high_usd, found.b.quote.high_usd) == (Decimal("0.5"), Decimal("1.25"))
    assert found.times == Decimal("2.5")


@pytest.mark.parametrize(
    ("old", "new", "length"),
    [([4, 6, 8], {"min": 4, "max": 15, "multiple_of": 1}, 6), ([8], {"values": [4, 8]}, 8), ([8], {"values": [4]}, 5)],
)
def test_the_job_is_of_a_length_that_both_can_make(small: Small, old: list[int], new: dict[str, object], length: int):
    small.add("from", fields={"prompt": "p", "duration_s": "d"}, limits={"duration_s": {"values": old}})
    small.add("to", fields={"prompt": "p", "duration_s": "d"}, limits={"duration_s": new})
    assert compared(small, "from", "to").job.duration_s == length


def test_an_unknown_price_is_no_ratio(small: Small) -> None:
    small.add("dark", priced=None)
    assert compared(small, "old", "dark").times is None


def test_life_and_quality_of_each(small: Small) -> None:
    of = {"title": "b", "task": "text-to-video", "kind": "arena", "unit": "elo"}
    small.boards["b"] = {**of, "readings": [["new", "new", 1400, "2026-11-01"], ["old", "old", 1300, "2026-11-01"]]}
    found = compared(small, "p:old", "p:new")
    assert (found.a.life, found.a.days_left) == ("active", None)
    assert found.b.days_left == 10
    assert found.a.standing is not None
    assert found.b.standing is not None
    assert found.a.standing.share < found.b.standing.share


def test_of_several_ways_the_most_alike_are_compared_and_the_living(small: Small) -> None:
    small.rows.append({**small.rows[0], "endpoint": "gone", "retires": "2026-01-01"})
    small.rows.append({**small.rows[1], "provider": "q", "endpoint": "elsewhere"})
    [(a, b)] = pairs(small.registry, "old", "new", DAY)
    assert (a.id, b.id) == ("p:old", "p:new")
    [(a, _)] = pairs(small.registry, "p:gone", "new", DAY)
    assert a.id == "p:gone"


def test_what_cannot_be_compared_is_said(small: Small) -> None:
    with pytest.raises(UnknownModelError, match="nwe"):
        pairs(small.registry, "old", "nwe", DAY)
    with pytest.raises(UnknownModelError, match="did you mean p:new"):
        pairs(small.registry, "old", "p:nex", DAY)
    small.cards["shelf"] = {"maker": "m", "tier": "hero"}
    with pytest.raises(RequestError, match="nobody offers it"):
        pairs(small.registry, "old", "shelf", DAY)
    small.cards["picture"] = {"maker": "m", "tier": "hero"}
    small.rows.append({**small.rows[0], "endpoint": "picture", "model": "picture", "task": "text-to-image"})
    with pytest.raises(RequestError, match="no task in common: text-to-video and text-to-image"):
        pairs(small.registry, "old", "picture", DAY)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_typical_job(task: str) -> None:
    assert typical(task).task == task
