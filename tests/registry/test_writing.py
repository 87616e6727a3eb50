"""What is written as TOML is read back as it was."""

import tomllib
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from aggregator.registry.writing import toml_text

NAMES = st.text(min_size=1, max_size=8)
PLAIN = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_everything_is_read_back(document):
    assert tomllib.loads(toml_text(document)) == document


def test_short_tables_stand_on_one_line_and_long_ones_below():
    document = {
        "model": "m",
        "limits": {"seed": {"min": 0}},
        "fields": {f"field_{n}": "a.long.path.in.the.body" for n in range(9)},
        "hosts": [{"provider": "one", "source": "x" * 120}, {"provider": "two", "checked": date(2026, 11, 20)}],
    }
    lines = toml_text(document).splitlines()
    assert lines[:2] == ['model = "m"', "limits = { seed = { min = 0 } }"]
    assert "[fields]" in lines
    assert lines.count("[[hosts]]") == 2
    assert tomllib.loads(toml_text(document)) == document


def test_what_is_not_there_is_left_out():
    assert toml_text({"a": None, "b": {"c": None, "d": 1}}) == "b = { d = 1 }\n"
