"""Random graphs: every order valid, every result what a sequential reading of the graph gives, nothing paid twice.

A short range; `python -m tests.workflow.random_graphs --count 1000` plays a thousand.
"""

from pathlib import Path
from random import Random

import pytest

from aggregator.workflow import steps
from aggregator.workflow.expand import expand
from tests.workflow.random_graphs import graph, play

GRAPHS = 40


def test_no_graph_is_made_otherwise_than_it_is_written_and_nothing_twice() -> None:
    tally = play(range(GRAPHS))
    assert tally.graphs == GRAPHS
    assert tally.steps > 4 * GRAPHS
    assert tally.deaths > GRAPHS / 2
    assert tally.states["finished"] > GRAPHS / 5


def test_the_graphs_have_every_shape() -> None:
    drawn = [graph(Random(f"graph {seed}")) for seed in range(GRAPHS)]
    every = [step for one in drawn for step in one.steps]
    assert {"first", "all", "score:last"} == {step.pick for step in every}
    assert any(step.each == ["dawn", "dusk"] for step in every)
    assert any(isinstance(step.each, str) for step in every)
    assert max(len(expand(one).nodes) for one in drawn) > 15


def test_a_graph_that_forgets_what_it_made_is_found(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness sees a bug that is planted: contents that change from start to start."""
    count = iter(range(10**9))
    monkeypatch.setattr(steps, "address", lambda *_: f"{next(count):032x}")
    with pytest.raises(BaseException):  # noqa: B017 - whichever promise breaks first
        play(range(10))
