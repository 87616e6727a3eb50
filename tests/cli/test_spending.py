"""`spend` by whatever it is asked by, and `budgets`: for people, as JSON, as CSV."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.books import Books

from .conftest import SMALL, Command

DAY = 86_400_000
DIR = ("--dir", "books")


@pytest.fixture
def books(run: Command, tmp_path: Path) -> Iterator[Books]:
    """Two projects, three days of 1970, and credits."""
    del run  # it has changed to this directory
    books = Books(tmp_path / "books" / "store.sqlite")
    books.open("organisation", 500_000)
    books.open("project:film", 10_000_000, "organisation")
    books.open("project:=spot", None, "organisation")
    books.credits("runway", "0.01", 1_000_000_000)
    for day, name, provider, amount in (
        (0, "project:film", "runway", 100_000),
        (1, "project:film", "fal", 200_000),
        (2, "project:=spot", "fal", 50_000),
    ):
        books.at = day * DAY
        of = books.attempt(name, tags={"team": name[-4:]}, provider=provider, model="m", endpoint="e")
        books.settle(books.reserve(name, amount, of, provider=provider), amount)
    books.reserve("project:film", 100_000, books.attempt("project:film", provider="fal", model="m", endpoint="e"))
    yield books
    books.store.close()


def test_spend_by_day_and_project(run: Command, books: Books) -> None:
    document = run.json("spend", *DIR, "--by", "project", "--by", "day")
    assert [(line["project"], line["day"], line["settled_usd"]) for line in document["lines"]] == [
        ("=spot", "1970-01-03", "0.050000"),
        ("film", "1970-01-01", "0.100000"),
        ("film", "1970-01-02", "0.200000"),
        ("film", "1970-01-03", "0.000000"),
    ]
    assert sum(Decimal(line["settled_usd"]) for line in document["lines"]) == Decimal(document["settled_usd"])
    assert document["credits"] == [{"provider": "runway", "settled": "10.000000", "held": "0.000000"}]
    assert document["projects"] == []
    shown = run("spend", *DIR, "--by", "project", "--by", "day").out
    assert "1970-01-02" in shown
    assert "runway: 10 credits spent, 0 reserved" in shown


def test_spend_of_some_days_and_of_a_tag(run: Command, books: Books) -> None:
    asked = ("spend", *DIR, "--since", "1970-01-02", "--until", "1970-01-02")
    assert run.json(*asked)["settled_usd"] == "0.200000"
    assert "$0.20 of what was asked for" in run(*asked).out
    assert run.json("spend", *DIR, "--tag", "team=film")["settled_usd"] == "0.300000"
    shown = run("spend", *DIR, "--by", "tag").out
    assert "(no tag)" in shown
    assert "may add up to more" in shown
    assert "NAME=VALUE" in run("spend", *DIR, "--tag", "film", code=2).err
    assert "there are project, provider" in run("spend", *DIR, "--by", "colour", code=1).err


def test_spend_as_csv(run: Command, books: Books) -> None:
    text = run("spend", *DIR, "--by", "project", "--csv").out
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["project"], row["settled_usd"], row["held_usd"]) for row in rows] == [
        ("'=spot", "0.050000", "0.000000"),
        ("film", "0.300000", "0.100000"),
    ]
    run("spend", *DIR, "--csv", "--json", code=2)


def test_budgets_with_what_is_used_of_them(run: Command, books: Books) -> None:
    found = {(one["account"], one["period"]): one for one in run.json("budgets", *DIR)}
    assert found["organisation", "total"]["percent"] == 90
    assert found["film", "total"]["left"] == "9.600000"
    assert found["credits:runway", "total"]["settled"] == "10.000000"
    shown = run("budgets", *DIR).out
    assert "all projects" in shown
    assert "credits of runway" in shown
    line = next(line for line in shown.splitlines() if line.startswith("all projects"))
    assert "█" * 14 + "▒" * 4 + "·│" in line
    assert "90 %" in line
    assert "told at 80 %, 100 %" in shown


def test_budgets_of_the_present_periods(run: Command, tmp_path: Path) -> None:
    config = 'budget_usd = { month = "10" }\nwarn_at = []\nallow_ephemeral = true\n'
    (tmp_path / "aggregator.toml").write_text(config)
    run("generate", "text-to-image", "a", *SMALL, "--project", "one")
    (month,) = run.json("budgets")
    assert (month["account"], month["period"], month["limit"]) == ("organisation", "month", "10.000000")
    assert Decimal(month["settled"]) > 0
    shown = run("budgets").out
    assert month["label"] in shown
    assert month["until"][:10] in shown
    assert "told at" not in shown
    assert f"in month {month['label']}" in run("spend").out


def test_what_is_kept_for_runs_is_told_where_there_is_any(run: Command, books: Books) -> None:
    assert "runs" not in run("spend", *DIR).out + run("budgets", *DIR).out
    books.run("cut", "project:film")
    books.earmark("project:film", "cut", still=30_000)
    assert run.json("spend", *DIR)["earmarked_usd"] == "0.030000"
    found = {one["account"]: one["earmarked"] for one in run.json("budgets", *DIR)}
    assert found == {"organisation": "0.030000", "film": "0.030000", "credits:runway": "0.000000"}
    assert "$0.03 of what is reserved is kept for steps of runs that have not begun" in run("spend", *DIR).out
    shown = run("budgets", *DIR).out
    assert "all projects: $0.03 of what is reserved is kept for steps of runs" in shown
    assert "film: $0.03 of what is reserved is kept for steps of runs" in shown


def test_no_budgets(run: Command) -> None:
    assert "No budgets" in run("budgets").out
    assert run.json("budgets") == []
