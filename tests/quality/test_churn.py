"""The rules of decay follow from the readings in the package: they are measured anew here, and held to what was found.

Published on 2026-11-20 from daily copies of the boards; the package keeps the days on which they changed. So exits and
half-lives must come out the same, to the day by which a figure is rounded. What is different, and why, is said below.
When readings are added the figures here stay true of their stretch only if nothing moved: else measure again
(`python -m aggregator.registry.churn`), and write the new constants into freshness.toml.
"""

import subprocess
import sys
from datetime import date, timedelta

import pytest

from aggregator.registry.cards import Board, Reading
from aggregator.registry.churn import Turnover, drift, kept, pooled, table, turnover
from aggregator.registry.freshness import freshness
from aggregator.registry.load import Registry

LARGE = ("text-to-video", "image-to-video", "text-to-image", "image-to-image")
A_DAY = 1.0
SEEN_UNTIL = date(2026, 8, 22)

PUBLISHED = {  # board: exits and half-life of the top 1, 3 and 5, and the 95 % range of the last
    "text-to-video": ((2, 54), (6, 54), (9, 60), (32, 132)),
    "image-to-video": ((5, 22), (7, 46), (8, 68), (34, 157)),
    "text-to-image": ((1, 108), (7, 46), (12, 45), (26, 87)),
    "image-to-image": ((1, 108), (10, 32), (11, 49), (27, 99)),
}
KEPT = {  # after 30, 60, 90 and 120 days
    "text-to-video": (0.70, 0.53, 0.37, 0.18),
    "image-to-video": (0.74, 0.51, 0.26, 0.09),
    "text-to-image": (0.67, 0.42, 0.27, 0.11),
    "image-to-image": (0.75, 0.51, 0.32, 0.14),
}
DRIFT = {  # Elo per 30 days: the frontier; a model's own, its spread
    "text-to-video": (25, -0.3, 1.9),
    "image-to-video": (16, 0.9, 2.1),
    "text-to-image": (22, -0.1, 1.3),
    "image-to-image": (12, -1.0, 0.9),
}


@pytest.fixture(scope="module")
def boards() -> dict[str, Board]:
    """The boards as they were when the figures were published."""
    found = {}
    for board in Registry.bundled().boards.values():
        if board.id.startswith("lmarena/"):
            readings = tuple(one for one in board.readings if one.as_of <= SEEN_UNTIL)
            found[board.task] = Board(board.id, board.title, board.task, board.kind, board.unit, readings)
    return found


def measured(board: Board, top: int) -> Turnover:
    found = turnover(board, top)
    assert found is not None
    assert found.half_life_days is not None
    return found


@pytest.mark.parametrize("task", LARGE)
def test_the_turnover_of_each_board_is_the_published_one(boards: dict[str, Board], task: str) -> None:
    *published, (low, high) = PUBLISHED[task]
    for top, (exits, half_life) in zip((1, 3, 5), published, strict=True):
        found = measured(boards[task], top)
        assert (found.slot_days, found.exits) == (156 * top, exits)
        assert found.half_life_days == pytest.approx(half_life, abs=A_DAY)
    assert measured(boards[task], 5).range_days == pytest.approx((low, high), abs=A_DAY)


@pytest.mark.parametrize(
    ("top", "tasks", "exits", "half_life", "low", "high"),
    [
        (1, (*LARGE, "video-to-video"), 13, 42, 24, 78),
        (3, LARGE, 30, 43, 30, 64),
        (5, LARGE, 40, 54, 40, 76),
    ],
)
def test_all_boards_together(
    boards: dict[str, Board], top: int, tasks: tuple[str, ...], exits: int, half_life: int, low: int, high: int
) -> None:
    found = pooled(measured(boards[task], top) for task in tasks)
    assert (found.slot_days, found.exits) == (156 * top * len(tasks), exits)
    assert found.half_life_days == pytest.approx(half_life, abs=A_DAY)
    assert found.range_days == pytest.approx((low, high), abs=A_DAY)


def test_a_small_board_gives_its_first_places_only(boards: dict[str, Board]) -> None:
    video_edit = boards["video-to-video"]
    assert measured(video_edit, 1).half_life_days == pytest.approx(27, abs=A_DAY)
    assert measured(video_edit, 3).half_life_days == pytest.approx(65, abs=A_DAY)
    assert turnover(video_edit, 5) is None


def test_the_readings_are_too_sparse_for_the_top_ten(boards: dict[str, Board]) -> None:
    """Of most days the package has ten lines, which variants of one model share: seven to nine models. The published
    135 days for video and 49 to 60 for pictures come from whole boards, and cannot be told from these.
    """
    assert all(turnover(board, 10) is None for board in boards.values())


@pytest.mark.parametrize("task", LARGE)
def test_what_is_kept_of_a_top_five(boards: dict[str, Board], task: str) -> None:
    """Within 0.02: the published figure is of every day, and a change may have come before the day it was read."""
    assert [kept(boards[task], 5, days) for days in (30, 60, 90, 120)] == pytest.approx(KEPT[task], abs=0.02)


@pytest.mark.parametrize("task", LARGE)
def test_scores_are_stable_and_the_frontier_moves(boards: dict[str, Board], task: str) -> None:
    """A model's own drift within 0.15: two of fifty pictures' models have another name on the last day here."""
    frontier, own, spread = DRIFT[task]
    found = drift(boards[task])
    assert found is not None
    assert found.frontier == pytest.approx(frontier, abs=0.5)
    assert (found.own, found.own_sd) == pytest.approx((own, spread), abs=0.15)
    assert found.models >= 35


# ------------------------------------------------------------------------------------------------ what is made of them


def test_the_constants_are_what_the_readings_give() -> None:
    """This fails when new readings say otherwise: then freshness.toml is to be written anew."""
    rules = freshness()
    for board in Registry.bundled().boards.values():
        if board.kind != "arena":
            continue
        if (found := turnover(board, 5)) is not None and found.half_life_days:
            rule = rules.half_life("arena", board.task)
            assert found.half_life_days == pytest.approx(rule, rel=0.2), f"half_life_days.arena.{board.task}"
            low, high = found.range_days
            assert low <= rule <= (high or rule), f"half_life_days.arena.{board.task}"
        if (first := turnover(board, 1)) is not None:
            low, high = first.range_days
            rule = rules.half_life("best", board.task)
            assert low <= rule <= (high or rule), f"half_life_days.best.{board.task}"
        if (moved := drift(board)) is not None:
            assert moved.frontier / 30 == pytest.approx(rules.drift(board.task), rel=0.15), f"drift_elo.{board.task}"
            assert abs(moved.own) < 0.2 * abs(moved.frontier)  # a model does not get worse: others come


def test_the_half_lives_are_not_the_folklore() -> None:
    """Thirty days, it is said; it is out of range for a place among the top five."""
    large = [board for board in Registry.bundled().boards.values() if turnover(board, 5)]
    low, _ = pooled(measured(board, 5) for board in large).range_days
    assert low > 30


# ------------------------------------------------------------------------------------------------------ how it is done


def board_of(*days: tuple[int, str], known: str = "") -> Board:
    """On each day the models from the first place down, a letter each; `known` are others below them."""
    readings = [
        Reading("b", model, model, 1400 - 10 * place, date(2026, 1, 1) + timedelta(day), rank=place)
        for day, names in days
        for place, model in enumerate(names + known, 1)
    ]
    return Board("b", "b", "text-to-video", "arena", "elo", tuple(readings))


def test_an_exit_is_counted_and_a_change_of_order_is_not() -> None:
    board = board_of((0, "abcd"), (50, "bacd"), (90, "bcad"), known="wxyz")
    assert turnover(board, 2) == Turnover(2, 180, 1)
    assert turnover(board, 1) == Turnover(1, 90, 1)


def test_a_gap_in_the_readings_ends_a_stretch_and_the_longest_is_measured() -> None:
    board = board_of((0, "ab"), (30, "ab"), (200, "cd"), (250, "cd"), (290, "dc"), known="wxyz")
    assert turnover(board, 1) == Turnover(1, 90, 1)


def test_nobody_left_means_no_half_life_but_a_lower_bound() -> None:
    found = turnover(board_of((0, "ab"), (60, "ab"), (120, "ab"), known="wxyz"), 2)
    assert found is not None
    assert found.half_life_days is None
    assert found.range_days == (pytest.approx(0.693 * 240 / 3.689, rel=0.001), None)


def test_a_missing_place_ends_what_is_known_of_a_day() -> None:
    board = board_of(*((day, "abcdwxyz") for day in (0, 35, 70, 105)))
    last = date(2026, 1, 1) + timedelta(105)
    holed = tuple(one for one in board.readings if (one.name, one.as_of) != ("b", last))
    assert turnover(board, 2) == Turnover(2, 210, 0)
    assert turnover(Board("b", "b", "text-to-video", "arena", "elo", holed), 2) == Turnover(2, 140, 0)


def test_variants_of_one_model_are_one() -> None:
    names = ["veo-audio-1080p", "veo-audio", "veo-720p", "sora (low)", "wan-preview", "x", "y", "z"]
    readings = tuple(
        Reading("b", "", name, 1400 - place, date(2026, 1, 1) + timedelta(day), rank=place)
        for day in (0, 60)
        for place, name in enumerate(names, 1)
    )
    assert kept(Board("b", "b", "text-to-video", "arena", "elo", readings), 3, 30) == 1.0


def test_the_command_prints_it_within_80_columns() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aggregator.registry.churn"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "lmarena/text-to-video" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert done.stdout.rstrip("\n") == table(Registry.bundled().boards.values(), freshness())
