"""Your own verdicts: more wins never lower a model, the order of entry does not matter, what is old fades."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.registry.freshness import freshness
from aggregator.registry.quality import Quality, Standing
from aggregator.verdicts import ELO, Score, Verdict, elo_scores
from tests.quality.conftest import DAY, registry_of

TASK = ROLE = "text-to-video"
OWN = asdict(freshness().own)
MODELS = "abcd"


def said(model: str, against: str | None = None, *, days: int = 0, kind: Any = None, role: str = ROLE) -> Verdict:
    return Verdict(DAY - timedelta(days), role, TASK, kind or ("pick" if against else "up"), model, against)


def scores(verdicts: list[Verdict], day: Any = DAY, **priors: float) -> dict[str, Score]:
    return elo_scores(verdicts, day, priors, **OWN)


def quality(verdicts: list[Verdict], *readings: list[Any]) -> Quality:
    return Quality(registry_of(("b", list(readings))), verdicts)


def standing(found: Quality, model: str, days: int = 0, role: str | None = None) -> Standing:
    one = found.standing(model, TASK, DAY + timedelta(days), role=role)
    assert one is not None
    return one


VERDICTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(MODELS), st.sampled_from(MODELS), st.just("pick"), st.integers(0, 400)),
        st.tuples(st.sampled_from(MODELS), st.none(), st.sampled_from(["up", "down", "failure"]), st.integers(0, 400)),
    ).map(lambda one: said(one[0], one[1], kind=one[2], days=one[3])),
    max_size=25,
)
PRIORS = st.dictionaries(st.sampled_from(MODELS), st.floats(-600, 0), max_size=4)


@given(VERDICTS, PRIORS, st.sampled_from(MODELS), st.sampled_from(MODELS), st.integers(0, 400))
def test_another_win_never_lowers_the_winner_nor_lifts_the_loser(
    verdicts: list[Verdict], priors: dict[str, float], winner: str, loser: str, days: int
) -> None:
    before = scores(verdicts, **priors)
    after = scores([*verdicts, said(winner, loser, days=days)], **priors)

    def elo(found: dict[str, Score], model: str) -> float:
        return found[model].elo if model in found else priors.get(model, OWN["typical_elo"])

    assert elo(after, winner) >= elo(before, winner) - 1e-6
    if winner != loser:
        assert elo(after, loser) <= elo(before, loser) + 1e-6
        for other in MODELS:  # and nobody rises by as much
            assert elo(after, other) - elo(before, other) <= elo(after, winner) - elo(before, winner) + 1e-6


@given(VERDICTS, PRIORS, st.sampled_from(MODELS))
def test_a_thumb_up_never_lowers_and_a_thumb_down_never_lifts(
    verdicts: list[Verdict], priors: dict[str, float], model: str
) -> None:
    start = priors.get(model, OWN["typical_elo"])
    before = scores(verdicts, **priors).get(model, Score(start, 0, DAY)).elo
    assert scores([*verdicts, said(model)], **priors)[model].elo >= before - 1e-6
    for kind in ("down", "failure"):
        assert scores([*verdicts, said(model, kind=kind)], **priors)[model].elo <= before + 1e-6


@given(VERDICTS, PRIORS, st.randoms())
def test_the_order_of_entry_does_not_matter(verdicts: list[Verdict], priors: dict[str, float], random: Any) -> None:
    shuffled = list(verdicts)
    random.shuffle(shuffled)
    assert scores(verdicts, **priors) == scores(shuffled, **priors)


@given(VERDICTS, PRIORS)
def test_what_is_old_fades_to_what_the_boards_say(verdicts: list[Verdict], priors: dict[str, float]) -> None:
    later = scores(verdicts, DAY + timedelta(20 * 365), **priors)
    for model, score in later.items():
        assert score.elo == pytest.approx(priors.get(model, OWN["typical_elo"]), abs=0.1)
        assert score.n < 0.01


def test_a_verdict_of_half_a_year_ago_counts_half() -> None:
    assert scores([said("a", "b", days=180)])["a"].n == pytest.approx(0.5)
    one, two = scores([said("a", "b")]), scores([said("a", "b", days=180), said("a", "b", days=180)])
    assert one["a"].elo == pytest.approx(two["a"].elo)


def test_a_thumb_is_worth_half_a_comparison_and_a_failure_a_quarter() -> None:
    assert [scores([said("a", kind=kind)])["a"].n for kind in ("up", "down", "failure")] == [0.5, 0.5, 0.25]


def test_a_thousand_verdicts_against_the_boards_are_weighed_out_too() -> None:
    from math import exp

    found = scores([said("b", "a")] * 1000, a=0, b=-2000)
    ahead = (found["b"].elo - found["a"].elo) / ELO
    assert found["b"].elo + found["a"].elo == pytest.approx(-2000)  # what one gains the other loses
    assert 1000 / (1 + exp(ahead)) == pytest.approx(OWN["k"] / 4 * (found["b"].elo + 2000) / ELO)


def test_the_scores_are_those_that_make_the_wins_likeliest() -> None:
    """Against the textbook: at the answer, wins expected plus the pull of the prior are the wins there were."""
    from math import exp

    verdicts = [said("a", "b")] * 7 + [said("b", "a")] * 3 + [said("b", "c")] * 4 + [said("c", "a")] * 1
    found = scores(verdicts, a=-50, b=-100, c=-10)
    odds = {model: score.elo / ELO for model, score in found.items()}

    def wins(model: str, *games: tuple[str, int]) -> float:
        return sum(n / (1 + exp(odds[other] - odds[model])) for other, n in games)

    pull = OWN["k"] / 4
    assert wins("a", ("b", 10), ("c", 1)) + pull * (odds["a"] + 50 / ELO) == pytest.approx(7)
    assert wins("b", ("a", 10), ("c", 4)) + pull * (odds["b"] + 100 / ELO) == pytest.approx(3 + 4)
    assert wins("c", ("a", 1), ("b", 4)) + pull * (odds["c"] + 10 / ELO) == pytest.approx(1)


def test_n_of_your_own_weigh_n_of_n_plus_k() -> None:
    """In the long run two models even on the boards are as far apart as your own wins say, by that part."""
    few, many = (scores([said("a", "b")] * n + [said("b", "a")] * n, a=-100, b=0) for n in (5, 500))
    assert few["b"].elo - few["a"].elo == pytest.approx(100 * 10 / (10 + 2 * 10), rel=0.1)  # two models met, so 2 n
    assert many["b"].elo - many["a"].elo < 1


def test_your_own_verdicts_outweigh_the_boards_as_they_grow() -> None:
    board = [["a", 1400, 30, 10, 1, 9000], ["b", 1330, 30, 10, 2, 9000]]
    ahead = []
    for n in (0, 1, 5, 20, 80):
        found = quality([said("b", "a")] * n, *board)
        ahead.append(standing(found, "b").share - standing(found, "a").share)
        assert standing(found, "b").basis == ("both" if n else "board")
    assert ahead == sorted(ahead)
    assert ahead[1] < 0 < ahead[-1]  # one pick does not turn a board round, many do
    assert standing(quality([said("b", "a")] * 80, *board), "b").share > 0.5


def test_verdicts_alone_make_a_standing_where_no_board_has_been() -> None:
    found = quality([said("a", "b", days=3)])
    one = standing(found, "a")
    assert (one.basis, one.board, one.as_of) == ("own", "", DAY - timedelta(3))
    assert one.share > standing(found, "b").share
    assert one.low < one.share < one.high


def test_the_interval_narrows_with_verdicts_and_widens_as_they_fade() -> None:
    def width(n: int, days: int = 0) -> float:
        one = standing(quality([said("a", "b"), said("b", "a")] * n), "a", days)
        return one.high - one.low

    assert width(50) < width(5) < width(1)
    assert width(50, 360) > width(50)


def test_a_verdict_of_long_ago_leaves_a_standing_that_says_next_to_nothing() -> None:
    one = standing(quality([said("a", "b")]), "a", 30 * 365)
    assert 0 < one.low < 0.05
    assert 0.9 < one.high < 1


def test_verdicts_of_another_role_another_task_or_still_to_come_do_not_count() -> None:
    other_task = Verdict(DAY, ROLE, "image-to-video", "pick", "a", "b")
    found = quality([said("a", "b", role="shot"), other_task, said("a", "b", days=-1)])
    assert found.standings(TASK, DAY) == {}
    assert standing(found, "a", role="shot").basis == "own"


def test_two_takes_of_one_model_say_nothing() -> None:
    assert scores([said("a", "a")]) == {}
