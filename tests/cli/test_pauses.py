"""`pauses`: what is paused, why, and letting it be bought again."""

from pathlib import Path
from typing import Any

from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import order
from tests.runner.world import World

from .conftest import Command


def paused(quick: Path) -> tuple[str, ...]:
    """A store with one price that is paused; returns the options that name it."""
    world = World(quick, offers={"memory:cheap": "0.04"})
    world.transport.fates.append(Fate(images="2"))
    world.run(order)
    config = quick / "aggregator.toml"
    config.write_text(f'directory = "{quick / "store"}"\nallow_ephemeral = true\n')
    return "--config", str(config)


def test_a_paused_price_is_listed_with_bill_and_quote_and_lifted(run: Command, quick: Path) -> None:
    where = paused(quick)
    (found,) = run.json("pauses", "list", *where)
    assert (found["offer"], found["quote_usd"], found["bill_usd"]) == ("memory:cheap", "0.040000", "0.080000")
    shown = run("pauses", "list", *where).out
    assert "memory:cheap is paused: job" in shown
    assert "was to cost up to $0.04 and was billed $0.08" in shown
    assert "aggregator pauses lift memory:cheap" in shown
    assert _doctor(run, where)["verdict"] == "warning"
    assert "may be bought again" in run("pauses", "lift", "memory:cheap", *where).out
    assert run.json("pauses", "list", *where) == []
    assert "Nothing is paused." in run("pauses", "list", *where).out
    assert _doctor(run, where) is None


def test_what_is_not_paused_cannot_be_lifted(run: Command, quick: Path) -> None:
    error = run.json("pauses", "lift", "memory:chaep", *paused(quick), code=1)["error"]
    assert error["message"] == "'memory:chaep' is not paused; paused: memory:cheap"
    assert run.json("pauses", "lift", "fal:x", "--dir", "empty", code=1)["error"]["message"].endswith("nothing is")


def _doctor(run: Command, where: tuple[str, ...]) -> Any:
    findings = run.json("doctor", *where)["findings"]
    return next((item for item in findings if item["name"] == "paused"), None)
