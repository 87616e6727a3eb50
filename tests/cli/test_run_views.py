"""What is seen of a run while it goes on: states, bars, costs, and the time that is left."""

import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from aggregator.cli.run_news import Following, families
from aggregator.cli.run_plan_view import draw_run_plan, planned_cost
from aggregator.cli.run_tree import Tree
from aggregator.job import AttemptState, Progress
from aggregator.routing.chain_quote import ChainQuote, Spread, StepQuote, Times, Way
from aggregator.workflow.events import RunEvent
from aggregator.workflow.plan import RunPlan, StepPlan

USUAL = Times(10, 20)
DOLLAR = Spread(*[Decimal(1)] * 4)


def bought(name: str, *needs: str, time: Times | None = USUAL, **more: Any) -> StepPlan:
    way = Way("prototype", "acme:one", "one", "workhorse", Decimal(1), Decimal(1))
    quote = StepQuote(name, "text-to-video", way, DOLLAR, time)
    return StepPlan(name, "text-to-video", "run", "never made", needs=needs, quote=quote, high_usd=Decimal(1), **more)


def edit(name: str, *needs: str) -> StepPlan:
    return StepPlan(name, "concatenate", "edit", "never made of this", needs=needs)


def planned(*steps: StepPlan) -> RunEvent:
    chain = ChainQuote((), DOLLAR, DOLLAR, Times(10, 20), 100.0)
    plan = RunPlan("film", "film", "prototype", steps, chain, Decimal(0))
    return RunEvent("planned", "film", 100.0, "running", plan=plan)


def ordered(step: str, job: str, at_s: float = 100.0, state: str = "run") -> RunEvent:
    return RunEvent("ordered", "film", at_s, state, step=step, take=1, job=job, model="one")


def ended(step: str, state: str = "done", at_s: float = 110.0, cost: str | None = "1") -> RunEvent:
    usd = None if cost is None else Decimal(cost)
    return RunEvent("step", "film", at_s, state, step=step, model="one", cost_usd=usd)


def working(job: str, fraction: float | None = None, state: AttemptState = AttemptState.RUNNING) -> Progress:
    return Progress(job, "k", "text-to-video", "one", "acme", "prototype", state, 1.0, fraction=fraction)


SHOTS = [
    bought("shot.1"),
    edit("shot.1-last", "shot.1"),
    bought("shot.2", "shot.1-last"),
    edit("cut", "shot.1", "shot.2"),
]


def test_items_and_numbered_steps_are_families() -> None:
    tasks = {
        "shot.1": "a",
        "shot.1-last": "b",
        "still": "a",
        "still-2": "a",
        "take-1": "a",
        "part-1": "a",
        "part-2": "b",
    }
    assert families(tasks) == {
        "shot.1": "shot",
        "shot.1-last": "shot",
        "still": "still",
        "still-2": "still",
        "take-1": "take-1",
        "part-1": "part-1",
        "part-2": "part-2",
    }


def test_the_time_left_is_the_longest_way_through_what_is_left() -> None:
    run = Following()
    run.tell(planned(*SHOTS))
    assert run.left_s(100.0) == 20
    run.tell(ordered("shot.1", "j1"))
    assert run.left_s(104.0) == 16
    assert run.left_s(115.0) == 15, "past the usual time, what nine in ten take"
    assert run.left_s(125.0) == 10
    run.tell(ended("shot.1"))
    assert (run.done, run.spent_usd, run.left_s(111.0)) == (1, 1, 10)
    assert run.steps["shot.1"].took_s == 10


def test_what_nobody_knows_is_not_made_up() -> None:
    run = Following()
    run.tell(planned(bought("a", time=None), bought("b")))
    assert run.left_s(100.0) is None
    run.tell(ended("a", cost=None))
    assert run.left_s(100.0) == 10
    assert run.spent_usd is None


def test_what_was_there_already_took_no_time() -> None:
    run = Following()
    run.tell(planned(bought("a")))
    assert run.tell(ordered("a", "j1", state="reused")) is None
    assert run.steps["a"].state == "waiting"
    run.tell(ended("a", "reused", cost="0"))
    assert run.steps["a"].took_s is None


def screen(width: int, height: int, *events: RunEvent | Progress) -> list[str]:
    out = io.StringIO()
    tree = Tree(
        Console(file=out, width=width, height=height, force_terminal=True, color_system=None), clock=lambda: 104.0
    )
    for event in events:
        tree.tell(event) if isinstance(event, RunEvent) else tree.hear(event)
    Console(file=out, width=width, height=height, color_system=None).print(tree)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 140])
def test_the_tree_has_items_below_their_step(width: int) -> None:
    events = [planned(*SHOTS), working("j1", 0.5), ordered("shot.1", "j1")]
    said = screen(width, 30, *events)
    assert max(map(len, said)) <= width
    assert "0 of 2" in said[0]
    assert "50%" in said[1]
    assert "4.0 s" in said[1]
    assert said[1].strip().startswith("├")
    assert said[3].strip().startswith("└")
    assert ("← shot" in said[4]) == (width == 140)
    assert said[-1].startswith("0 of 4 steps  $0.00 of $1.00  about 16 s left")


def test_where_there_is_no_room_only_what_is_worked_on_is_shown() -> None:
    shots = [bought(f"shot.{n}") for n in range(1, 101)]
    events: list[RunEvent | Progress] = [planned(*shots), *(ordered(f"shot.{n}", f"j{n}") for n in range(1, 10))]
    said = screen(80, 24, *events, ended("shot.1"), ended("shot.2", "failed"))
    assert len(said) < 12
    assert "1 of 100" in said[0]
    assert "shot.2" in said[1]
    assert "and 94 more" in said[7]


def test_takes_are_counted_and_the_queue_is_said() -> None:
    step = bought("still", takes=2)
    queued = replace(working("j1", state=AttemptState.SUBMITTED), position=3)
    said = screen(80, 24, planned(step), ordered("still", "j1"), queued)
    assert "in the queue, 3 a" in said[0]
    stored = working("j1", state=AttemptState.STORED)
    said = screen(80, 24, planned(step), ordered("still", "j1"), ordered("still", "j2"), stored, working("j2"))
    assert "1 of 2 takes" in said[0]


def test_once_only_edits_are_left_no_time_is_promised() -> None:
    said = screen(80, 24, planned(bought("a"), edit("b", "a")), ended("a"), ended("b", "failed"))
    assert said[-1].endswith("nothing more to buy")


def test_on_a_pipe_there_is_a_line_for_each_step_that_is_in_another_state() -> None:
    out = io.StringIO()
    with Tree(Console(file=out, width=80)) as tree:
        for event in (planned(*SHOTS), ordered("shot.1", "j1"), ended("shot.1"), ended("shot.2", "blocked", cost="0")):
            tree.tell(event)
    assert out.getvalue().splitlines() == ["shot.1: running, one", "shot.1: done, one, $1.00, in 10.0 s"]


# ----------------------------------------------------------------------------------------------------------- the plan


def plan_on(width: int, *steps: StepPlan) -> list[str]:
    out = io.StringIO()
    plan = planned(*steps).plan
    assert plan is not None
    draw_run_plan(Console(file=out, width=width, color_system=None), plan)
    return out.getvalue().splitlines()


def test_who_makes_it_gives_way_to_why_and_no_heading_is_cut() -> None:
    steps = [bought("still"), *(replace(bought(f"shot.{n}", "still"), why="follows from still") for n in (1, 2))]
    for width in (64, 100):
        said = plan_on(width, *steps)
        assert said[1].split() == ["step", "who", "at", "most", "time", "why"]
        assert ("by acme:one" in said[2]) == (width == 100)
        assert "follows from still" in said[3]


def test_items_of_one_step_are_named_once() -> None:
    cast = [bought("cast.1"), bought("cast.2")]
    shots = [replace(bought(f"shot.{n}", "cast.1", "cast.2"), why="follows from cast.1, cast.2") for n in (1, 2)]
    assert any(line.rstrip().endswith("follows from cast") for line in plan_on(100, *cast, *shots))
    chain = ChainQuote((), None, DOLLAR, None, 100.0, unpriced=("lips.1", "lips.2", "board#1", "board#2"))
    assert planned_cost(chain) == "$1.00 and lips, board, of which nobody knows the price yet"


def test_figures_that_read_the_same_are_said_once() -> None:
    close = Spread(*map(Decimal, ("0.0498", "0.0499", "0.04995", "0.05")))
    assert str(close) == "$0.05"
    assert str(replace(close, high_usd=Decimal("0.06"))) == "$0.05 (p90 $0.05, at most $0.06)"
