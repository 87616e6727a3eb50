"""Money is whole micro-dollars and exact decimals: no float is written where it is reckoned."""

import ast
from pathlib import Path

import pytest

import aggregator

ROOT = Path(aggregator.__file__).parent
FILES = [
    *(
        ROOT / name
        for name in ("ledger.py", "booking.py", "earmarks.py", "budgets.py", "periods.py", "spend.py", "_charges.py")
    ),
    *(ROOT / "store" / name for name in ("balances.py", "reports.py")),
    *sorted((ROOT / "pricing").glob("*.py")),
]


def floats(source: str) -> list[int]:
    """The lines on which a float is written or made."""
    found = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        if literal or made:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_float_is_written_where_money_is_reckoned(file: Path) -> None:
    assert floats(file.read_text()) == []


def test_a_float_would_be_found() -> None:
    assert floats("a = 1.5\nb = 2\nc = float(b)\n") == [1, 3]
