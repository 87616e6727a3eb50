"""Every provider's table against every row of the retry taxonomy: what is paid, what is held, and who is asked next."""

from dataclasses import replace

import pytest

from aggregator import _wire
from tests.providers.taxonomy.__main__ import NAMES, cases
from tests.providers.taxonomy.rows import ROWS
from tests.providers.taxonomy.shapes import way

UNREACHED = {("vidu", "upload"), ("local", "cancel"), ("cog", "download")}
"""One uploads only what is too large for the body; one is done before anyone could cancel; one puts files into its
answer.
"""
SUBMIT = [row for row in ROWS if row.kind == "submit"]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_ends_as_it_must(name: str) -> None:
    found = list(cases(name))
    wrong = [str(case) for case in found if case.wrong]
    assert not wrong, "\n".join(wrong)
    shapes = {case.shape.name: case.shape for case in found}.values()
    tried = {case.row.name for case in found if case.row.kind == "submit"}
    unread = {"invalid JSON on 2xx"}  # where every answer is a file
    unread |= {row.name for row in SUBMIT if not any(way(shape, row) for shape in shapes)}
    assert {row.name for row in SUBMIT} - tried <= unread
    kinds = {(name, row.kind) for shape in shapes for row in ROWS if way(shape, row)}
    assert kinds - {(name, case.row.kind) for case in found} <= UNREACHED


def test_a_paid_request_that_is_sent_again_on_a_guess_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "MAY_BE_TAKEN", frozenset())
    rows = tuple(replace(row, everywhere=False) for row in SUBMIT if row.name.startswith(("408", "409")))
    wrong = [case for case in cases("runway", rows) if case.wrong]
    assert {case.row.name for case in wrong} >= {"408, taken", "409, taken"}


def test_what_a_table_does_not_have_is_not_asked() -> None:
    found = next(iter(cases("deepgram", SUBMIT[:1])))
    assert found.outcome.posts == 1
    assert {row.kind for row in ROWS if way(found.shape, row)} == {"submit"}
