"""In which line of a TOML text a key is."""

import pytest

from aggregator._lines import line_of

TEXT = '''# a "comment with an odd quote
model = "a"   # [not a table
limits = { duration_s = [4, 6,
  8], seed = 1 }
note = """
task = "no key"
[no.table]
"""
"odd.key" = 1
[fields]
a = "b]"
b.c = 3

[[rate]]
usd = "1"
[rate.when]
q = 1
[[rate]]
usd = "2"
[rate.when]
q = 3
["image/x"]
title = "t"
[tasks.one]
model = "b"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("model",), 2),
        (("limits",), 3),
        (("limits", "seed"), 3),
        (("note",), 5),
        (("task",), 1),
        (("odd.key",), 9),
        (("fields",), 10),
        (("fields", "a"), 11),
        (("fields", "b", "c"), 12),
        (("fields", "none"), 10),
        (("rate",), 14),
        (("rate", 0, "usd"), 15),
        (("rate", 0, "when", "q"), 17),
        (("rate", 1), 18),
        (("rate", 1, "usd"), 19),
        (("rate", 1, "when", "q"), 21),
        (("rate", 2, "usd"), 14),
        (("image/x", "title"), 23),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_a_key_is_found(path, line):
    assert line_of(TEXT, path) == line


def test_what_is_also_in_a_table_is_meant_there():
    assert line_of(TEXT, ("model",), under=("tasks", "one")) == 25
    assert line_of(TEXT, ("limits", "seed"), under=("tasks", "one")) == 3
    assert line_of(TEXT, ("nothing",), under=("tasks", "one")) == 24
