"""A file is never whole in memory: what a process needs for a large one is what it needs for a small one."""

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "streaming.py"


def test_a_file_larger_than_the_limit_streams_below_it(quick: Path) -> None:
    command = [sys.executable, str(BENCHMARK), "160", "--directory", str(quick)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    grew = re.search(r"grew by (\d+\.\d) MiB of 64", done.stdout)
    assert grew is not None, done.stdout
    assert float(grew[1]) < 64
