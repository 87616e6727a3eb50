"""The README's table of paid jobs is counted anew where it is quick: of every client, what a line that drops buys."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance import paid_calls, paid_jobs

ROOT = Path(__file__).parents[3]
OURS = [name for name in paid_calls.CLIENTS if name.startswith("aggregator")]


@pytest.fixture(scope="module")
def table() -> dict[str, dict[str, str]]:
    """The cells of the README, by client and fault."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    inside = text.partition(paid_jobs.BEGIN)[2].partition(paid_jobs.END)[0]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in inside.splitlines()[3:] if line]
    return {row[0]: dict(zip((*paid_jobs.FAULTS, "key"), row[1:], strict=True)) for row in rows}


def test_what_a_line_that_drops_buys_is_what_the_readme_says(table: dict[str, dict[str, str]]) -> None:
    names = [name for name in paid_calls.CLIENTS if name != "fal-client"]  # ten orders take it a minute and a half
    with ThreadPoolExecutor(paid_jobs.AT_ONCE) as pool:
        counted = pool.map(lambda name: paid_jobs.count(Path(sys.executable), name, "drop")[0], names)
        found = dict(zip(names, counted, strict=True))
    assert found == {name: int(_row(table, name)["drop"]) for name in names}


@pytest.mark.parametrize("fault", ["hang", "500", "503", "504"])
@pytest.mark.parametrize("name", OURS)
def test_ours_buys_one(table: dict[str, dict[str, str]], name: str, fault: str) -> None:
    assert paid_jobs.count(Path(sys.executable), name, fault)[0] == 1
    assert _row(table, name)[fault] == "1"


def _row(table: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    """The row of a client, which has its version between the name and what is called."""
    if name in table:
        return table[name]
    package, _, call = name.partition(", ")
    (row,) = (row for label, row in table.items() if label.split()[0] == package and label.partition(", ")[2] == call)
    return row
