"""Spend by whatever it is asked by: the lines add up to the books, and the books are the database's own sums."""

import csv
import io
from datetime import date
from decimal import Decimal
from itertools import combinations
from random import Random

import pytest

from aggregator.spend import DIMENSIONS, Spend, SpendLine
from tests.ledger.books import Books

DAY = 86_400_000
ALONE = [name for name in DIMENSIONS if name != "tag"]
GROUPINGS = [*combinations(ALONE, 1), *combinations(ALONE, 2), tuple(ALONE), ()]
TAGS = [{}, {"team": "film"}, {"team": "film", "scene": "1"}, {"team": "spot", "=x": "@y"}]


@pytest.fixture
def books(fresh: Books) -> Books:
    """A season of everything that can happen to a purchase, drawn from one seed."""
    rng = Random(4)
    fresh.open("organisation")
    fresh.open("project:film", None, "organisation", month=10_000_000)
    fresh.open("project:film/one", None, "project:film")
    fresh.open("project:spot", None, "organisation")
    fresh.credits("p1", "0.01")
    for n in range(60):
        fresh.at = rng.randrange(3 * DAY)
        name, provider = rng.choice(("project:film", "project:film/one", "project:spot")), rng.choice(("p1", "p2"))
        of = fresh.attempt(
            name,
            tags=rng.choice(TAGS),
            task=rng.choice(("text-to-image", "text-to-video")),
            provider=provider,
            model=rng.choice(("veo", "wan")),
            endpoint=rng.choice(("a/b", "c")),
            stage=rng.choice(("prototype", "final")),
        )
        fresh.reserve(name, rng.randrange(1000), of, provider=provider)
        match n % 5:
            case 0:
                fresh.release(of)
            case 1 | 2:
                fresh.settle(of, rng.randrange(1200), source=rng.choice(("reported", "reserved")))
            case 3:
                rng.choice((fresh.release, lambda of: fresh.settle(of, 500)))(of)
                for _ in range(rng.randrange(3)):
                    fresh.adjust(of, rng.randrange(1200))
    fresh.verify()
    fresh.at = DAY
    return fresh


@pytest.mark.parametrize("name", ["organisation", "project:film", "project:spot", "project:film/one"])
def test_every_grouping_adds_up_to_the_books(books: Books, name: str) -> None:
    held, settled, overrun = (Decimal(figure).scaleb(-6) for figure in books.of(name))
    for by in GROUPINGS:
        spend = books.spend(name, by=by)
        assert (spend.settled_usd, spend.held_usd, spend.overrun_usd) == (settled, held, overrun)
        assert sum(line.settled_usd for line in spend.lines) == settled
        assert sum(line.held_usd for line in spend.lines) == held
        assert len({tuple(line.group.values()) for line in spend.lines}) == len(spend.lines)


def test_parts_add_up_to_the_whole(books: Books) -> None:
    whole = books.spend("organisation")
    for asked in (
        [{"until": date(1970, 1, 1)}, {"since": date(1970, 1, 2)}],
        [{"since": date(1970, 1, day), "until": date(1970, 1, day)} for day in (1, 2, 3)],
        [{"tags": {"team": "film"}}, {"tags": {"team": "spot"}}, {"by": ("tag",)}],
    ):
        parts = [books.spend("organisation", **one) for one in asked]
        if asked[-1].get("by"):  # what has no team has no tag at all
            (none,) = (line for line in parts.pop().lines if line.group["tag"] is None)
            parts.append(Spend("", None, none.settled_usd, none.held_usd, Decimal(0), none.unpriced_jobs))
        else:
            assert sum(part.overrun_usd for part in parts) == whole.overrun_usd
        assert sum(part.settled_usd for part in parts) == whole.settled_usd
        assert sum(part.held_usd for part in parts) == whole.held_usd
        assert sum(part.unpriced_jobs for part in parts) == whole.unpriced_jobs
        assert {part.budget_usd for part in parts} == {None}


def test_a_job_counts_under_each_of_its_tags(books: Books) -> None:
    lines = {line.group["tag"]: line for line in books.spend("organisation", by=("tag",)).lines}
    assert set(lines) == {None, "team=film", "scene=1", "team=spot", "=x=@y"}
    assert lines["team=spot"].settled_usd == lines["=x=@y"].settled_usd
    assert lines["scene=1"].settled_usd < lines["team=film"].settled_usd
    both = books.spend("organisation", tags={"team": "film", "scene": "1"})
    assert both.settled_usd == lines["scene=1"].settled_usd
    assert books.spend("organisation", tags={"team": "Film"}).lines == ()


def test_lines_say_what_they_are_about(books: Books) -> None:
    spend = books.spend("project:film", by=("project", "offer", "day"))
    projects, offers, days = (sorted({line.group[name] or "" for line in spend.lines}) for name in spend.by)
    assert projects == ["film", "film/one"]
    assert offers == ["p1:a/b", "p1:c", "p2:a/b", "p2:c"]
    assert days == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert spend.lines == tuple(sorted(spend.lines, key=lambda line: tuple(line.group.values())))


def test_a_day_is_what_counts_for_its_budget(fresh: Books) -> None:
    fresh.open("film", day=1000)
    of = fresh.reserve("film", 400)
    fresh.at = DAY
    fresh.settle(of, 350)
    fresh.reserve("film", 20)
    by_day = {line.group["day"]: line for line in fresh.spend("film", by=("day",)).lines}
    for day, window in (("1970-01-01", "film@day/1970-01-01"), ("1970-01-02", "film@day/1970-01-02")):
        held, settled, _ = fresh.of(window)
        assert (by_day[day].held_usd, by_day[day].settled_usd) == (
            Decimal(held).scaleb(-6),
            Decimal(settled).scaleb(-6),
        )


def test_what_an_invoice_settled_is_not_unpriced_any_more(fresh: Books) -> None:
    fresh.open("film")
    of = fresh.reserve("film", 400)
    fresh.settle(of, 400, source="reserved")
    assert fresh.spend("film").unpriced_jobs == 1
    fresh.adjust(of, 300)
    assert fresh.spend("film").unpriced_jobs == 0


def test_budgets_are_part_of_the_report(fresh: Books) -> None:
    fresh.open("project:film", 1_000_000, month=500_000)
    fresh.reserve("project:film", 100_000)
    total, month = fresh.spend("project:film").budgets
    assert (total.period, total.left, total.percent) == ("total", Decimal("0.9"), 10)
    assert (month.account, month.label, month.left, month.percent) == ("film", "1970-01", Decimal("0.4"), 20)
    fresh.at = 40 * DAY
    _, month = fresh.spend("project:film").budgets
    assert (month.label, month.left) == ("1970-02", Decimal("0.5"))
    assert "project:film@month/1970-02" not in fresh.accounts()


# ---------------------------------------------------------------------------------------------------------------- csv


def line(**group: str | None) -> SpendLine:
    return SpendLine(group, 2, Decimal("0.000001"), Decimal("1E+2"), 1)


def test_csv_has_a_header_and_decimal_dollars() -> None:
    spend = Spend(
        "film", None, Decimal(0), Decimal(0), Decimal(0), 0, ("model", "tag"), (line(model='a,"b"\n', tag=None),)
    )
    text = spend.as_csv()
    assert text.startswith("model,tag,jobs,settled_usd,held_usd,unpriced_jobs\r\n")
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == ['a,"b"\n', "", "2", "0.000001", "100", "1"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_is_no_formula(start: str) -> None:
    lines = (line(tag=f"{start}cmd|' /C calc'!A0"), line(tag=f"a{start}b"))
    text = Spend("film", None, Decimal(0), Decimal(0), Decimal(0), 0, ("tag",), lines).as_csv()
    first, second = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert first[0] == f"'{start}cmd|' /C calc'!A0"
    assert second[0] == f"a{start}b"
