"""How a model stands today follows from what a board said of it on one day, and from how long ago that was."""

from datetime import timedelta
from timeit import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.registry.quality import Quality, Standing, elo_share
from tests.quality.conftest import DAY, registry_of

TASK = "text-to-video"
DRIFT, WIDENING = 0.8, 0.6


def standings(readings: list[list[Any]], **said: Any) -> dict[str, Standing]:
    return dict(Quality(registry_of(("b", readings), **said)).standings(said.get("task", TASK), DAY))


def gap(share: float) -> float:
    from math import log10

    return 400 * log10(1 / share - 1)


def test_on_the_day_of_a_reading_shares_are_those_of_the_scores() -> None:
    found = standings([["best", 1400, 0, 10], ["next", 1300, 0, 10], ["best", 1390, 20], ["next", 1300, 20]])
    assert found["best"].share == 0.5
    assert found["next"].share == pytest.approx(1 / (1 + 10 ** (100 / 400)))
    assert found["next"].basis == "board"
    assert found["next"].board == "b"


def test_the_frontier_moves_on_after_the_reading() -> None:
    found = standings([["best", 1400, 60, 10], ["next", 1300, 60, 10]])
    assert gap(found["best"].share) == pytest.approx(60 * DRIFT)
    assert gap(found["next"].share) == pytest.approx(100 + 60 * DRIFT)
    assert found["best"].share == pytest.approx(0.44, abs=0.01)  # two months after: still 44 of 100 blind pairs


def test_each_task_has_its_own_drift() -> None:
    for task, drift in (("text-to-image", 0.7), ("image-to-image", 0.4), ("image-to-video", 0.5), ("lip-sync", 0.6)):
        assert gap(standings([["best", 1400, 50]], task=task)["best"].share) == pytest.approx(50 * drift), task


def test_a_reading_is_measured_against_the_best_of_its_own_day() -> None:
    """Later places are not compared with earlier scores: what is between is the drift's."""
    found = standings([["old", 1300, 100], ["best", 1400, 100], ["new", 1600, 10], ["best", 1400, 10]])
    assert gap(found["old"].share) == pytest.approx(100 + 100 * DRIFT)
    assert gap(found["best"].share) == pytest.approx(200 + 10 * DRIFT)


def test_where_the_best_was_not_read_it_is_reckoned_from_another_day() -> None:
    early = [["best", 1400, 50, 10, 1], ["one", 1300, 50, 10, 2]]
    assert gap(standings([*early, ["one", 1300, 20, 10, 4]])["one"].share) == pytest.approx(
        100 + 30 * DRIFT + 20 * DRIFT
    )
    late = [["one", 1300, 50, 10, 4], ["best", 1400, 20, 10, 1]]
    assert gap(standings(late)["one"].share) == pytest.approx(100 - 30 * DRIFT + 50 * DRIFT)


def test_age_widens_the_interval_instead_of_turning_the_order_round() -> None:
    new, old = (standings([["best", 1400, days, 10], ["next", 1300, days, 10]]) for days in (10, 100))
    for model in ("best", "next"):
        assert gap(old[model].low) - gap(old[model].high) == pytest.approx(2 * (10 + 100 * WIDENING))
        assert old[model].low < new[model].low
    assert old["best"].share > old["next"].share


def test_an_interval_comes_from_the_votes_where_the_board_gives_none() -> None:
    found = standings([["few", 1400, 10, None, 1, 100], ["many", 1400, 10, None, 1, 40_000], ["none", 1400, 10]])
    halves = {model: gap(one.low) - gap(one.share) - 10 * WIDENING for model, one in found.items()}
    assert halves["few"] == pytest.approx(68, abs=1)
    assert halves["many"] == pytest.approx(3.4, abs=0.1)
    assert halves["none"] == pytest.approx(30)


def test_the_weight_falls_with_age_by_the_half_life_and_never_below_its_floor() -> None:
    def weight(days: int, **said: Any) -> float:
        return standings([["one", 1400, days, 10, 1, 9000]], **said)["one"].weight

    assert weight(60) == pytest.approx(0.9 / 2)
    assert weight(45, task="text-to-image") == pytest.approx(0.9 / 2)
    assert weight(3650) == 0.05


def test_votes_and_confidence_are_part_of_the_weight() -> None:
    def weight(votes: int | None, confidence: str, **said: Any) -> float:
        return standings([["one", 1400, 60, 10, 1, votes, confidence]], **said)["one"].weight

    assert weight(1000, "confirmed") == pytest.approx(0.25)
    assert weight(None, "confirmed") == pytest.approx(0.25)  # unknown is neither none nor all
    assert weight(9000, "copy") == pytest.approx(0.225)
    assert weight(9000, "hearsay") == pytest.approx(0.225)
    assert weight(9000, "confirmed", kind="vendor") == 0.05


def test_one_young_reading_promotes_nobody() -> None:
    old = [["best", 1400, 60], ["one", 1300, 60]]
    before = standings(old)["one"]
    assert standings([*old, ["best", 1400, 3], ["one", 1500, 3]])["one"] == before
    assert "new" not in standings([*old, ["new", 1600, 3], ["best", 1400, 3]])


def test_one_young_reading_demotes() -> None:
    old = [["best", 1400, 60, 10, 1], ["one", 1300, 60, 10, 2]]
    found = standings([*old, ["best", 1400, 3, 10, 1], ["one", 1200, 3, 10, 9]])
    assert gap(found["one"].share) == pytest.approx(200 + 3 * DRIFT)


@pytest.mark.parametrize("second", [5, 30])
def test_a_second_reading_like_it_proves_a_preliminary_one(second: int) -> None:
    first = ["new", 1500, 2, 10, 1, None, "preliminary"]
    assert standings([first]) == {}
    assert standings([first, ["new", 1490, second, 10, 1, None, "preliminary"]])["new"].as_of == DAY - timedelta(2)


def test_a_young_reading_is_proved_by_growing_older() -> None:
    quality = Quality(registry_of(("b", [["new", 1500, 0], ["best", 1400, 30]])))
    assert quality.standing("new", TASK, DAY + timedelta(6)) is None
    assert quality.standing("new", TASK, DAY + timedelta(7)) is not None


def test_readings_of_a_later_day_do_not_count_yet() -> None:
    quality = Quality(registry_of(("b", [["one", 1300, 30], ["best", 1400, 30], ["one", 1500, 0], ["best", 1500, 0]])))
    then = quality.standing("one", TASK, DAY - timedelta(20))
    assert then is not None
    assert then.as_of == DAY - timedelta(30)
    assert quality.standing("one", TASK, DAY - timedelta(31)) is None


def test_of_several_boards_the_one_counts_that_weighs_most_and_scores_are_never_mixed() -> None:
    large = ("large", [["one", 1100, 10, 5, 2, 20_000], ["best", 1200, 10, 5, 1, 20_000]])
    small = ("small", [["one", 1900, 10, 5, 1, 100], ["best", 1800, 10, 5, 2, 100]])
    one = Quality(registry_of(large, small)).standing("one", TASK, DAY)
    assert one is not None
    assert one.board == "large"
    assert gap(one.share) == pytest.approx(100 + 10 * DRIFT)


def test_variants_of_one_model_count_by_the_best_of_them() -> None:
    registry = registry_of(("b", [["one", 1300, 10], ["best", 1400, 10]]))
    board = registry._board_rows["b"]
    board["readings"].insert(1, ["one", "one-1080p", 1350, board["readings"][0][3]])
    one = Quality(registry).standing("one", TASK, DAY)
    assert one is not None
    assert gap(one.share) == pytest.approx(50 + 10 * DRIFT)


def test_what_is_not_elo_gives_no_share_and_who_was_not_read_has_no_standing() -> None:
    assert standings([["one", 81.0, 10]], unit="percent", kind="benchmark") == {}
    assert Quality(registry_of(("b", [["one", 1300, 10]]))).standing("other", TASK, DAY) is None
    assert Quality(registry_of(("b", [["one", 1300, 10]]))).standing("one", "image-to-video", DAY) is None


READINGS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(800, 1600),
        st.integers(0, 400),
        st.one_of(st.none(), st.integers(1, 40)),
    ).map(list),
    min_size=1,
    max_size=12,
    unique_by=lambda one: (one[0], one[2]),
)


@given(READINGS)
def test_whatever_the_boards_say_a_standing_is_a_share_within_its_interval(readings: list[list[Any]]) -> None:
    for one in standings(readings).values():
        assert 0 < one.low <= one.share <= one.high < 1
        assert one.share <= 0.5
        assert 0.05 <= one.weight <= 1


@given(READINGS, st.integers(1, 400))
def test_with_nothing_new_nobody_rises_and_nobody_vanishes(readings: list[list[Any]], later: int) -> None:
    settled = [[model, score, days + 7, ci95] for model, score, days, ci95 in readings]
    quality = Quality(registry_of(("b", settled)))
    now, then = quality.standings(TASK, DAY), quality.standings(TASK, DAY + timedelta(later))
    assert now.keys() == then.keys()
    for model, one in now.items():
        assert then[model].share < one.share
        assert then[model].low < one.low
        assert then[model].weight <= one.weight


@given(READINGS)
def test_the_same_readings_give_the_same_standings(readings: list[list[Any]]) -> None:
    assert standings(readings) == standings(readings[::-1])


def test_a_standing_is_looked_up_and_not_reckoned_again() -> None:
    quality = Quality(registry_of(("b", [[f"m{n}", 1000 + n, n % 90] for n in range(300)])))
    quality.standing("m1", TASK, DAY)
    assert quality.standing("m1", TASK, DAY) is quality.standing("m1", TASK, DAY)
    assert timeit(lambda: quality.standing("m1", TASK, DAY), number=1000) / 1000 < 50e-6


def test_a_share_of_a_hundred_points() -> None:
    assert elo_share(0) == 0.5
    assert elo_share(100) == pytest.approx(0.640, abs=0.001)
    assert elo_share(-400) == pytest.approx(1 / 11)
