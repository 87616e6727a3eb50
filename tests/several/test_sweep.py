"""A sample of `make several`, and that it finds what it is there for."""

import os
import subprocess
import sys
from pathlib import Path

from tests import postgres

ROOT = Path(__file__).parents[2]


def sweep(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which forks: this one has threads."""
    return subprocess.run(
        [sys.executable, "-m", "tests.several.sweep", "--workers", "1", *arguments],
        cwd=ROOT,
        env={**os.environ, postgres.VARIABLE: postgres.server().render_as_string(hide_password=False)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def test_whoever_is_killed_whoever_goes_on_nothing_is_paid_twice_or_lost() -> None:
    done = sweep(
        *("--play", "dbos,postgresql,none", "beside", "after POST jobs was answered"),
        *("--play", "dbos,postgresql,replay", "another", "40,25"),
        *("--play", "plain,postgresql,none", "beside", "30"),
    )
    assert done.returncode == 0, done.stdout


def test_killed_at_any_boundary_of_ours_or_the_engine_a_run_comes_to_the_same() -> None:
    done = sweep("--cell", "dbos,postgresql,reject", "--every", "160")
    assert done.returncode == 0, done.stdout
    assert "broken promises: 0" in done.stdout


def test_an_engine_without_our_books_pays_twice_and_is_found() -> None:
    done = sweep("--play", "dbos,sqlite,none", "again", "after POST jobs was answered", "--naive")
    assert done.returncode == 1, done.stdout
    assert "bought twice" in done.stdout
