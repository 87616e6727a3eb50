"""A small `make hammer`, on both databases; and that it finds a budget that is only looked at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres

ROOT = Path(__file__).parents[2]


def hammer(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which forks: this one has threads."""
    return subprocess.run(
        [sys.executable, "-m", "tests.ledger.hammer", "--processes", "4", *arguments],
        cwd=ROOT,
        env={**os.environ, postgres.VARIABLE: postgres.server().render_as_string(hide_password=False)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_many_processes_of_which_half_are_killed_pass_no_budget_and_lose_nothing(database: str) -> None:
    done = hammer("--reservations", "200", "--database", database)
    assert done.returncode == 0, done.stdout
    assert "$0.00 over any budget" in done.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_to_look_and_then_to_act_passes_the_budget(database: str) -> None:
    done = hammer("--reservations", "50", "--database", database, "--naive")
    assert done.returncode == 1, done.stdout
    assert "$0.00 over any budget" not in done.stdout
    assert "over any budget" in done.stdout
