"""kill -9 of real processes, at every named point and at any moment: the program is run again, and pays once."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.nursery import POINTS
from tests.providers.fal.server import KEY, FalServer

ROOT = Path(__file__).parents[2]
Run = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Run children in processes of their own, side by side; a child that was killed says `None`."""
    environment = {**os.environ, "FAL_KEY": KEY}
    arguments = [sys.executable, str(Path(__file__).with_name("nursery.py")), str(ROOT)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(*children: dict[str, Any]) -> list[Any]:
            stdin.write(json.dumps(children) + "\n")
            stdin.flush()
            ends: list[Any] = json.loads(stdout.readline())
            return ends

        yield ask
        stdin.close()


def rows(directory: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(directory / "store.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


MONEY = "SELECT kind, amount, source FROM transfer ORDER BY kind, amount"
STATES = "SELECT state FROM attempt ORDER BY id"
HELD = "SELECT held, settled FROM account WHERE id = 'project:film'"


@pytest.fixture(scope="module")
def clean(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What one undisturbed run delivers and pays."""
    directory = tmp_path_factory.mktemp("clean")
    [said] = run({"program": "local", "directory": str(directory)})
    assert len(said) == 3, said
    return [], rows(directory, MONEY)


def check_paid_once(directory: Path, clean: tuple[Any, Any], said: Any) -> None:
    assert len(said) == 3, said
    assert rows(directory, MONEY) == clean[1]
    assert set(rows(directory, STATES)) == {("stored",)}
    assert len(list((directory / "local" / "jobs").glob("job_*.json"))) == 3
    for sha256 in said:
        assert list((directory / "artifacts").glob(f"*/{sha256}.*"))


RESUMED = (
    "before the send",
    "after the acceptance",
    "within the settlement's transaction",
    "after the settlement",
    "after the file has its name",
)


@pytest.mark.parametrize(("point", "again"), [*((at, "script") for at in POINTS), *((at, "resume") for at in RESUMED)])
def test_killed_at_a_point_a_provider_that_replays_keys_is_paid_once(
    run: Run, clean: Any, quick: Path, point: str, again: str
) -> None:
    at = {"program": "local", "directory": str(quick)}
    countdown = 1 + list(POINTS).index(point) % 3
    assert run({**at, "point": point, "countdown": countdown}) == [None]
    if again == "resume":
        [ends] = run({**at, "resume": True})
        assert set(ends.values()) <= {"stored"}, ends
        assert not rows(quick, "SELECT id FROM attempt WHERE state != 'stored'")
    [said] = run(at)
    check_paid_once(quick, clean, said)


def test_killed_at_any_moment_again_and_again_it_is_paid_once(run: Run, clean: Any, quick: Path) -> None:
    chance = random.Random(20261121)
    for life in range(4):
        at = {"program": "local", "directory": str(quick / str(life))}
        for _ in range(3):
            run({**at, "kill_after_s": chance.uniform(0.02, 0.25)})
        [said] = run(at)
        check_paid_once(quick / str(life), clean, said)


def test_two_live_processes_with_the_same_keys_pay_once(run: Run, clean: Any, quick: Path) -> None:
    first, second = run(*[{"program": "local", "directory": str(quick)}] * 2)
    check_paid_once(quick, clean, first)
    assert second == first


def test_a_killed_process_beside_a_live_one_changes_nothing(run: Run, clean: Any, quick: Path) -> None:
    at = {"program": "local", "directory": str(quick)}
    dead, alive = run({**at, "point": "after the acceptance"}, at)
    check_paid_once(quick, clean, alive)
    assert dead in (None, alive)  # whoever was quicker submitted


# ------------------------------------------------------------------------------------------ a provider without keys

AMBIGUOUS = ("before the send", "after the send")


@pytest.fixture
def server() -> Iterator[FalServer]:
    with FalServer() as server:
        yield server


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_a_provider_without_keys_gets_one_request(
    run: Run, server: FalServer, quick: Path, point: str
) -> None:
    at = {"program": "fal", "directory": str(quick), "url": server.url}
    assert run({**at, "point": point}) == [None]
    for _ in range(2):
        [(one, two)] = run(at)
    prompts = [job.body["prompt"] for job in server.jobs.values()]
    assert all(prompts.count(prompt) == 1 for prompt in prompts)
    assert "a fox, two" in prompts
    assert isinstance(two, str)
    [(held, _)] = rows(quick, HELD)
    if point in AMBIGUOUS:
        assert one[1] is None
        assert "stays reserved" in one[2]
        assert ("a fox, one" in prompts) == (point == "after the send")
        assert held > 0
        assert rows(quick, STATES) == [("unknown",), ("stored",)]
    else:
        assert isinstance(one, str)
        assert held == 0
        assert len(prompts) == len(server.submits) == 2
        assert rows(quick, STATES) == [("stored",), ("stored",)]


def test_killed_at_any_moment_a_provider_without_keys_never_gets_two(run: Run, server: FalServer, quick: Path) -> None:
    chance = random.Random(7)
    for life in range(4):
        before = len(server.jobs)
        at = {"program": "fal", "directory": str(quick / str(life)), "url": server.url}
        for _ in range(2):
            run({**at, "kill_after_s": chance.uniform(0.02, 0.2)})
        [said] = run(at)
        prompts = [job.body["prompt"] for job in list(server.jobs.values())[before:]]
        assert all(prompts.count(prompt) == 1 for prompt in prompts)
        unknown = sum(end[1] is None for end in said if not isinstance(end, str))
        states = [state for (state,) in rows(quick / str(life), STATES)]
        assert states.count("unknown") == unknown
        assert states.count("stored") == 2 - unknown
        [(held, settled)] = rows(quick / str(life), HELD)
        assert (held > 0) == (unknown > 0)
        assert settled > 0 or unknown == 2
