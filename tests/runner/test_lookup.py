"""What an answer to a lookup says of an order, row by row: found, certainly not there, or not to be told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from aggregator import _lookup
from aggregator._lookup import Listed, Sought
from aggregator.contract import Call, HttpResponse, Lookup
from aggregator.testing.memory import PROVIDER

AT = 1_800_000_000.0
SOUGHT = Sought("job.1", {"endpoint": "cheap"}, {"prompt": "a fox", "@query": {"x": "1"}}, AT - 5, AT + 180)
TIME = Lookup(Call("GET", "/jobs"), "jobs", created="at", equal={"prompt": "input.prompt"}, complete_after_s=30)
DAY_S = 86_400


def read(lookup: Lookup, answer: Any, *, status: int = 200, sought: Sought = SOUGHT) -> Listed | None:
    return _lookup.read(PROVIDER, lookup, sought, HttpResponse(status, {}, json.dumps(answer).encode()))


def made(at: Any, prompt: str = "a fox", name: str = "one") -> dict[str, Any]:
    return {"id": name, "at": at, "input": {"prompt": prompt}}


def ids(listed: Listed | None) -> list[str] | None:
    return None if listed is None else [handle["id"] for handle in listed.handles]


@pytest.mark.parametrize(
    "at",
    [AT, int(AT * 1000), "2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00.000", str(int(AT))],
)
def test_a_time_may_be_written_in_any_usual_way(at: Any) -> None:
    assert ids(read(TIME, {"jobs": [made(at)]})) == ["one"]


@pytest.mark.parametrize("at", [None, True, "soon", {}, [], "2027-13-01"])
def test_a_job_whose_time_cannot_be_read_makes_the_answer_unclear(at: Any) -> None:
    assert read(TIME, {"jobs": [made(at)]}) is None


@pytest.mark.parametrize(("at", "own"), [(AT - 6, []), (AT - 5, ["one"]), (AT + 180, ["one"]), (AT + 181, [])])
def test_only_jobs_of_the_time_of_the_send_are_the_orders(at: float, own: list[str]) -> None:
    assert ids(read(TIME, {"jobs": [made(at)]})) == own


def test_a_job_alike_of_another_time_is_no_proof_that_there_is_none() -> None:
    listed = read(TIME, {"jobs": [made(AT - 3600), made(AT - DAY_S - 10, "a hen")]})
    assert listed is not None
    assert (listed.complete, [handle["id"] for handle in listed.others]) == (True, ["one"])


@pytest.mark.parametrize(
    ("jobs", "complete"),
    [([], True), ([made(AT, "a hen")], False), ([made(AT, "a hen"), made(AT - DAY_S - 6, "a hen")], True)],
)
def test_a_page_proves_something_only_if_it_reaches_back_far_enough(jobs: list[Any], complete: bool) -> None:
    listed = read(TIME, {"jobs": jobs})
    assert listed == Listed((), complete=complete)


def test_a_list_that_was_asked_for_that_time_or_that_id_is_complete() -> None:
    for url in ("/jobs?since={since_s}", "/jobs?mine={attempt}"):
        listed = read(replace(TIME, call=Call("GET", url), reference="mine"), {"jobs": [made(AT, "a hen")]})
        assert listed == Listed((), complete=True)


@pytest.mark.parametrize(
    "lookup", [replace(TIME, created=""), replace(TIME, equal={}), replace(TIME, equal={"missing": "input.missing"})]
)
def test_time_alone_names_no_job_nor_do_contents_alone(lookup: Lookup) -> None:
    assert read(lookup, {"jobs": [made(AT)]}) is None


@pytest.mark.parametrize("answer", [{}, {"jobs": None}, {"jobs": {"id": "one"}}, {"jobs": [{"at": AT}]}, []])
def test_an_answer_of_another_form_proves_nothing(answer: Any) -> None:
    listed = read(TIME, answer)
    assert listed is None or not (listed.handles or listed.complete)


def test_a_job_without_a_name_that_could_be_it_makes_the_answer_unclear() -> None:
    assert read(TIME, {"jobs": [{**made(AT), "id": None}]}) is None


def test_contents_are_compared_as_they_were_sent() -> None:
    whole = replace(TIME, equal={"": "input", "@names.endpoint": "model"})
    right, wrong = {**made(AT), "model": "cheap"}, {**made(AT), "model": "dear"}
    assert ids(read(whole, {"jobs": [right, wrong]})) == ["one"]
    assert ids(read(whole, {"jobs": [{**right, "input": {"prompt": "a fox", "seed": 1}}]})) == []


def test_one_job_by_its_own_id_is_there_or_not() -> None:
    own = Lookup(Call("GET", "/jobs/{attempt}"), reference="ours")
    assert ids(read(own, {"id": "one", "ours": "job.1"})) == ["one"]
    assert ids(read(own, {"id": "two", "ours": "job.2"})) == []
    assert read(own, {}, status=404) == Listed((), complete=True)


def test_the_rest_of_the_handle_is_made_from_the_name() -> None:
    rebuilt = replace(TIME, handle=lambda names: {"url": f"/{names['endpoint']}/{names['id']}"})
    listed = read(rebuilt, {"jobs": [made(AT)]})
    assert listed is not None
    assert dict(listed.handles[0]) == {"endpoint": "cheap", "id": "one", "url": "/cheap/one"}


def test_orders_are_alike_by_day_and_contents() -> None:
    assert _lookup.is_alike(TIME, SOUGHT, replace(SOUGHT, attempt="job.2", from_s=AT + 100, until_s=AT + 500))
    for apart_s in (-3600, 3600):  # the clock was set between them
        assert _lookup.is_alike(TIME, SOUGHT, replace(SOUGHT, from_s=AT - 5 + apart_s, until_s=AT + 180 + apart_s))
    for apart_s in (-2 * DAY_S, 2 * DAY_S):
        assert not _lookup.is_alike(TIME, SOUGHT, replace(SOUGHT, from_s=AT - 5 + apart_s, until_s=AT + 180 + apart_s))
    assert not _lookup.is_alike(TIME, SOUGHT, replace(SOUGHT, body={"prompt": "a hen"}))
