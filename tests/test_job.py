"""The state machine of a purchase, and a job as data."""

import json
from typing import Any

import pytest

from aggregator.job import TRANSITIONS, AttemptState
from aggregator.store.schema import FINAL_STATES
from tests.runner.test_outcomes import order
from tests.runner.world import World

S = AttemptState


def test_every_state_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(S)
    assert {state.value for state in S if state.is_final} == set(FINAL_STATES)


def test_nothing_leaves_a_final_state() -> None:
    for state in FINAL_STATES:
        assert TRANSITIONS[S(state)] == frozenset()


def test_every_state_is_reached_and_every_other_one_can_end() -> None:
    reached = {S.PLANNED}.union(*TRANSITIONS.values())
    assert reached == set(S)
    for state in S:
        seen, ways = {state}, [state]
        while ways:
            ways += [to for to in TRANSITIONS[ways.pop()] if to not in seen and not seen.add(to)]  # type: ignore[func-returns-value]
        assert any(to.is_final for to in seen)


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FETCHING])
def test_what_is_paid_for_never_fails_any_more(state: AttemptState) -> None:
    assert TRANSITIONS[state] <= {S.FETCHING, S.STORED, S.LOST}


def test_what_nobody_knows_may_still_turn_out_any_way() -> None:
    ways = {S.SUBMITTED, S.RUNNING, S.SUCCEEDED, S.FAILED, S.REFUSED, S.CANCELED, S.LOST, S.UNKNOWN}
    assert TRANSITIONS[S.UNKNOWN] == ways


def test_what_may_have_been_sent_never_goes_back_to_what_was_not() -> None:
    for state in (S.RECONCILING, S.UNKNOWN, S.SUBMITTED, S.RUNNING):
        assert not TRANSITIONS[state] & {S.PLANNED, S.RESERVED, S.SUBMITTING}


def test_a_job_as_data_holds_no_credential_and_is_json(world: World) -> None:
    async def life(p: Any) -> Any:
        result = await order(p)
        job = world.agg.job(result.job_id)
        assert "Runner" not in repr(job)
        return await job.record()

    record = world.run(life)
    document = json.loads(json.dumps(record.as_json()))
    assert document["state"] == "stored"
    assert document["project"] == "film"
    assert document["remote_id"] == "memory-1"
    assert document["created_at"].startswith("2026-01-01T00:00:00")


def test_news_tell_the_way_from_the_order_to_the_result(world: World) -> None:
    world.run(order)
    world.run(order)
    states = [news.state.value for news in world.news]
    assert states[0] == "submitted"
    assert "running" in states
    assert states[-2:] == ["stored", "stored"]
    assert [news.reused for news in world.news[-2:]] == [False, True]
    assert all(later.elapsed_s >= sooner.elapsed_s for sooner, later in zip(world.news, world.news[1:], strict=False))
