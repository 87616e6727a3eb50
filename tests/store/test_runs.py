"""Runs of workflows in the store, on each database: what was asked for, how far it is, picks, and what is known by
content.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError

from aggregator.errors import StoreError
from aggregator.secret import Secret
from aggregator.store import runs
from aggregator.store.runs import Made, Pick, Run, RunStep
from aggregator.store.schema import attempt, job
from tests.ledger.books import Books

ASKED: dict[str, Any] = {
    "workflow": [{"name": "shot"}],
    "inputs": {"prompt": "a fox"},
    "stage": "prototype",
    "generation": "1",
    "settings": {},
}


@pytest.fixture
def books(store_at: Path | Secret) -> Iterator[Books]:
    made = Books(store_at)
    for name in ("project:film", "project:film/one", "project:films"):
        made.open(name)
    yield made
    made.store.close()


def opened(books: Books, name: str, project: str = "project:film", at: int = 5, **changes: Any) -> Run:
    run_id = f"{project}/{name}/{at}"
    return books.do(lambda c: runs.open_run(c, project, name, run_id=run_id, at=at, **{**ASKED, **changes}))


def test_a_run_is_written_down_and_read_again(books: Books) -> None:
    run = opened(books, "cut")
    assert run == Run("project:film/cut/5", "project:film", "cut", state="running", created_at=5, updated_at=5, **ASKED)
    assert books.do(lambda c: runs.read_run(c, "project:film", "cut")) == run
    assert books.do(lambda c: runs.read_run(c, "project:films", "cut")) is None


def test_a_run_that_is_started_again_is_the_same_run(books: Books) -> None:
    run = opened(books, "cut")
    books.do(lambda c: runs.set_state(c, run.id, "failed", at=6))
    again = opened(books, "cut", at=7, generation="2", stage="final")
    assert again == replace(run, generation="2", stage="final", updated_at=7)


def test_a_run_says_how_far_it_is(books: Books) -> None:
    run = opened(books, "cut")
    books.do(lambda c: runs.set_state(c, run.id, "paused", at=6))
    assert books.do(lambda c: runs.read_run(c, "project:film", "cut")) == replace(run, state="paused", updated_at=6)
    with pytest.raises(StoreError, match="no run nobody"):
        books.do(lambda c: runs.set_state(c, "nobody", "paused", at=6))
    with pytest.raises(IntegrityError):
        books.do(lambda c: runs.set_state(c, run.id, "asleep", at=6))  # type: ignore[arg-type]


def test_runs_are_those_of_a_project_and_within_it_the_newest_first(books: Books) -> None:
    opened(books, "cut", at=1)
    opened(books, "cut", "project:film/one", at=2)
    opened(books, "cut", "project:films", at=3)
    found = [run.project for run in books.do(runs.runs)]
    assert found == ["project:films", "project:film/one", "project:film"]
    found = [run.project for run in books.do(lambda c: runs.runs(c, project="project:film"))]
    assert found == ["project:film/one", "project:film"]


def test_of_a_take_the_last_word_counts(books: Books) -> None:
    run, job_id = opened(books, "cut"), books.attempt("project:film")
    first = RunStep(run.id, "shot.2", 1, "running", "a", job=job_id, started_at=1)
    done = replace(first, state="made", output={"sha256": "x"}, ended_at=2)
    other = RunStep(run.id, "shot.10", 2, "waiting", why="its prompt changed")
    books.do(lambda c: runs.write_steps(c, []))
    books.do(lambda c: runs.write_steps(c, [first, other, replace(other, take=1)]))
    books.do(lambda c: runs.write_steps(c, (step for step in (first, done))))
    assert books.do(lambda c: runs.steps_of(c, run.id)) == [replace(other, take=1), other, done]
    assert books.do(lambda c: runs.steps_of(c, "nobody")) == []


@pytest.mark.parametrize("wrong", [{"run": "nobody"}, {"job": "nobody"}, {"state": "asleep"}])
def test_a_step_is_of_a_run_and_a_job_that_are_there(books: Books, wrong: dict[str, str]) -> None:
    step = RunStep(opened(books, "cut").id, "shot", 1, "waiting")
    with pytest.raises(IntegrityError):
        books.do(lambda c: runs.write_steps(c, [replace(step, **wrong)]))  # type: ignore[arg-type]


def test_a_pick_holds_for_the_content_it_was_made_of(books: Books) -> None:
    run = opened(books, "cut")
    first = Pick(run.id, "shot", "a", 2, "score", 1)
    other = Pick(run.id, "shot", "b", 1, "first", 2)
    changed = replace(first, take=3, by="person", at=3)
    for chosen in (first, other, changed):
        books.do(lambda c, chosen=chosen: runs.pick(c, chosen))
    assert books.do(lambda c: runs.picks_of(c, run.id)) == [other, changed]
    with pytest.raises(IntegrityError):
        books.do(lambda c: runs.pick(c, replace(first, by="nobody")))  # type: ignore[arg-type]


def test_what_was_made_here_is_known_by_its_content(books: Books) -> None:
    assert books.do(lambda c: runs.made(c, "a")) is None
    new = Made("a", {"sha256": "x"}, 1500, 7)
    again = replace(new, output={"sha256": "y"}, at=9)
    for one in (new, replace(new, address="b"), again):
        books.do(lambda c, one=one: runs.remember_made(c, one))
    assert books.do(lambda c: runs.made(c, "a")) == again
    assert books.do(lambda c: runs.made(c, "b")) == replace(new, address="b")


def bought(books: Books, key: str, at: int, project: str = "project:film", state: str = "stored") -> str:
    made = books.attempt(project, provider="p", endpoint="e", model="m")
    books.do(lambda c: c.execute(update(job).where(job.c.id == made).values(key=key, created_at=at)))
    books.do(lambda c: c.execute(update(attempt).where(attempt.c.id == made).values(state=state)))
    return made


def test_the_jobs_at_an_address_are_its_own_the_newest_first(books: Books) -> None:
    old, new = bought(books, "step:a1:x", 1), bought(books, "step:a1:y", 2, state="running")
    other = bought(books, "step:b:x", 3)
    for key in ("step:a", "step:a1", "step:a1;", "step:a10:x", "step:A1:x", "step:a1 :x", "stepa1:x", "mine"):
        bought(books, key, 4)
    bought(books, "step:a1:x", 5, "project:film/one")
    found = books.do(lambda c: runs.jobs_at(c, "project:film", ["a1", "b", "nobody"]))
    assert {address: [known.id for known in of] for address, of in found.items()} == {"a1": [new, old], "b": [other]}
    known = found["a1"][0]
    assert (known.key, known.state, known.offer, known.model, known.request, known.created_at) == (
        "step:a1:y",
        "running",
        "p:e",
        "m",
        {"task": "t"},
        2,
    )


def test_of_a_job_the_newest_attempt_counts(books: Books) -> None:
    made = bought(books, "step:a:x", 1, state="failed")

    def again(c: Any) -> None:
        row = c.execute(attempt.select().where(attempt.c.job == made)).one()._asdict()
        c.execute(insert(attempt).values({**row, "id": "second", "n": 2, "endpoint": "f", "state": "submitted"}))

    books.do(again)
    [known] = books.do(lambda c: runs.jobs_at(c, "project:film", ["a"]))["a"]
    assert (known.state, known.offer) == ("submitted", "p:f")


def test_jobs_are_found_by_the_index(books: Books) -> None:
    """However many jobs a project has."""

    def plan(c: Any) -> str:
        if c.dialect.name == "sqlite":
            asked = "EXPLAIN QUERY PLAN SELECT id FROM job WHERE project = 'p' AND key >= 'step:a:' AND key < 'step:a;'"
        else:
            c.execute(text("SET LOCAL enable_seqscan = off"))
            asked = "EXPLAIN SELECT id FROM job WHERE project = 'p' AND key ~>=~ 'step:a:' AND key ~<~ 'step:a;'"
        return "\n".join(str(row) for row in c.execute(text(asked)))

    found = books.do(plan)
    assert "project=? AND key>? AND key<?" in found or ("job_by_key" in found and "key ~>=~" in found)


def test_what_jobs_were_asked_for(books: Books) -> None:
    made = bought(books, "step:a:x", 1)
    assert books.do(lambda c: runs.requests_of(c, [made, "nobody"])) == {made: {"task": "t"}}
    assert books.do(lambda c: runs.requests_of(c, [])) == {}


def test_how_long_jobs_took_where_somebody_watched(books: Books) -> None:
    made, unwatched = bought(books, "step:a:x", 1), bought(books, "step:b:x", 1)
    books.do(lambda c: c.execute(update(attempt).where(attempt.c.id == made).values(took_ms=1500)))
    assert books.do(lambda c: runs.took_s_of(c, [made, unwatched])) == {made: 1.5}
