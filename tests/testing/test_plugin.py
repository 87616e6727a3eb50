"""The pytest plugin, as somebody's own tests use it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
from decimal import Decimal

import pytest

from aggregator.testing.emulator import Emulator, LeapingClock
from tests.testing.tiny import settings, tiny

SLOW = pytest.mark.emulator(services=(tiny(),), latency_s=60)


@SLOW
async def test_a_film_of_two_minutes_takes_no_time(emulator, emulated, virtual_clock, tmp_path):
    before = virtual_clock.time()
    async with emulated("tiny", **settings(tmp_path)) as agg, agg.project("film", budget_usd="1") as film:
        await film.text_to_video("a fox", duration_s=2, deadline_s=600)
    assert virtual_clock.time() - before >= 120
    assert emulator.book.usd == Decimal("0.60")
    assert emulator.clock is virtual_clock


@SLOW
def test_each_test_has_its_own(emulator):
    assert emulator.book == [] == emulator.requests
    assert not isinstance(emulator.clock, LeapingClock)
    emulator.script("tiny", "no_credit")


def test_without_a_mark_it_is_the_usual_one(emulator):
    assert isinstance(emulator, Emulator)
    assert "fal" in emulator.names
"""


def test_in_somebodys_own_tests(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\naddopts = --strict-markers\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_plugin_loads_nothing_until_it_is_asked() -> None:
    heavy = ["h11", "httpx", "pydantic", "av", "PIL", "sqlalchemy", "aggregator.testing.emulator"]
    code = f"import sys, aggregator.testing.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
