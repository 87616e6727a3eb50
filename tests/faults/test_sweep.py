"""A sample of `make kill-sweep`, and that it finds what it is there for."""

import os
import subprocess
import sys
from pathlib import Path

from tests import postgres

SCRIPTS = ("--workflows", "chain", "takes", "promotion")
ROOT = Path(__file__).parents[2]


def sweep(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which forks: this one has threads."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.sweep", *arguments],
        cwd=ROOT,
        env={**os.environ, postgres.VARIABLE: postgres.server().render_as_string(hide_password=False)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def test_killed_anywhere_and_run_again_nothing_is_paid_twice_lost_or_over_budget() -> None:
    done = sweep(*SCRIPTS, "--every", "60", "--pairs", "4", "--moments", "2", "--beside", "4", "--workers", "1")
    assert done.returncode == 0, done.stdout
    assert "broken promises: 0" in done.stdout


def test_a_graph_that_is_killed_anywhere_and_run_again_costs_what_one_clean_run_costs() -> None:
    few = ("--every", "240", "--pairs", "1", "--moments", "3", "--beside", "1", "--workers", "1")
    done = sweep("--workflows", "graph", *few)
    assert done.returncode == 0, done.stdout
    assert "broken promises: 0" in done.stdout


def test_a_client_that_sends_again_what_has_no_answer_is_found() -> None:
    done = sweep("--cell", "chain,sqlite,none", "--at", "after POST jobs was answered", "--naive", "--workers", "1")
    assert done.returncode == 1, done.stdout
    assert "bought twice" in done.stdout
