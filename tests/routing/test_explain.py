"""One screen that says who won, who lost and why, with the figures."""

from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from aggregator.cli.explain_view import draw_explained
from aggregator.routing.outcomes import Track
from aggregator.routing.walk import Moment
from aggregator.tasks import TextToVideo
from tests.routing.conftest import DAY


@pytest.fixture
def plan(world):
    readings = [("arena/text-to-video", 1300, "2026-11-01")]
    world.add("steady", "0.10", readings=readings)
    world.add("old", "0.20", status="deprecated", retires="2026-12-01")
    world.add("dear", "9").add("short", limits={"duration_s": {"values": [4]}}).add("gone", status="retired")
    for number in range(5):
        world.add(f"q{number}", provider="q")
    world.usable["q"] = "no key: set Q_KEY"
    moment = Moment(DAY, track={"p:steady": Track(12.0, 0.95, 0.0, 41.0, 80.0)}.get)
    return world.route(TextToVideo(prompt="x", duration_s=5), moment=moment, max_usd=Decimal(5))


def drawn(plan, width):
    text = StringIO()
    draw_explained(Console(file=text, width=width, markup=False, highlight=False, emoji=False), plan)
    return text.getvalue()


def test_the_screen_names_winner_losers_and_figures(plan):
    text = drawn(plan, 120)
    assert "text-to-video · prototype → steady" in text
    assert "the cheapest of 2 that fit" in text
    winner, runner_up = (line for line in text.splitlines() if line.endswith(("p:steady", "p:old")))
    assert winner.startswith("✓  $0.50  ")
    assert "95 % of 12" in winner
    assert "41.0 s" in winner
    assert "10 days" not in winner
    assert runner_up.split()[:4] == ["$1.00", "–", "–", "–"]
    assert "11 days" in runner_up
    assert "p:dear ($45.00)  it costs up to 45 USD; max_usd is 5" in text
    assert "p:short  duration_s=5.0 is outside what it takes: one of 4; nearest is 4" in text
    assert "p:gone  it is retired; no successor is named" in text
    assert "5 offers of q  their providers cannot be used here: `aggregator doctor` says why" in text


def test_the_figures_fit_a_narrow_screen(plan):
    figures = drawn(plan, 80).split("Out")[0]
    assert all(len(line) <= 80 for line in figures.splitlines())
