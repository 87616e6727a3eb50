"""Everything that may become of a purchase: refused, lost on the line, taken and failed, late, gone."""

import time

import httpx
import pytest

from aggregator.testing.emulator import Answer, Emulator

from .conftest import Tiny
from .tiny import tiny

REFUSALS = {"no_credit": 402, "invalid": 422, "moderated_input": 451, "rate_limited": 429, "unavailable": 503}


@pytest.mark.parametrize(("fate", "status"), REFUSALS.items())
def test_what_is_refused_is_not_booked(it: Tiny, fate: str, status: int) -> None:
    it.emulator.script("tiny", fate)
    answer = it.make()
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("1" if fate == "rate_limited" else None)
    assert it.emulator.book == []
    assert it.make().status_code == 200  # one purchase each
    assert len(it.emulator.book) == 1


def test_an_answer_of_ones_own_refuses_too(it: Tiny) -> None:
    it.emulator.script("tiny", Answer(418, {"error": "teapot"}, {"x-odd": "1"}))
    answer = it.make()
    assert (answer.status_code, answer.json(), answer.headers["x-odd"]) == (418, {"error": "teapot"}, "1")
    assert it.emulator.book == []


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("failed", {"status": "failed", "error": "broken"}),
        ("failed:OUT_OF_MEMORY", {"status": "failed", "error": "OUT_OF_MEMORY"}),
        ("moderated_output", {"status": "failed", "error": "moderated"}),
        ("canceled", {"status": "canceled"}),
    ],
)
def test_what_is_taken_and_ends_badly(it: Tiny, fate: str, said: dict) -> None:
    it.emulator.script("tiny", fate)
    answer = it.make()
    assert it.video(answer)["status"] == "queued"
    assert said.items() <= it.ended(answer).items()
    assert len(it.emulator.book) == 1


def test_an_answer_that_is_the_result_may_be_blocked(it: Tiny) -> None:
    it.emulator.script("tiny", "moderated_output")
    assert it.http.post("v1/pictures", files={"prompt": (None, "x")}).json() == {"blocked": True}


@pytest.mark.parametrize(
    ("fate", "booked"), [("drop_before", 0), ("drop_after", 1), ("truncated", 1), ("server_error_after", 1)]
)
def test_what_the_buyer_does_not_hear_of(it: Tiny, fate: str, booked: int) -> None:
    it.emulator.script("tiny", fate)
    if fate == "server_error_after":
        assert it.make().status_code == 500
    else:
        with pytest.raises(
            httpx.RemoteProtocolError, match="without sending complete" if fate == "truncated" else "disconnected"
        ):
            it.make()
    assert len(it.emulator.book) == booked
    assert it.emulator.requests[0].status == {"truncated": 200, "server_error_after": 500}.get(fate, 0)
    assert it.make().status_code == 200


def test_a_slow_job_and_a_slow_answer(it: Tiny) -> None:
    with Emulator(services=(tiny(key=None),), clock=it.clock, latency_s=0, slow_s=100) as emulator:
        emulator.script("tiny", "slow", "slow")
        httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, verify=False)
        it.clock.advance(199)
        assert emulator.book[0].state == "running"
        before = it.clock.time()
        httpx.post(f"{emulator.url('tiny')}/v1/pictures", files={"prompt": (None, "x")}, verify=False)
        assert it.clock.time() - before == pytest.approx(200)


def test_files_that_are_gone(it: Tiny) -> None:
    it.emulator.script("tiny", "expired")
    gone, there = it.ended(it.make()), it.ended(it.make())
    assert httpx.get(gone["urls"][0], verify=False).status_code == 404
    assert httpx.get(there["urls"][0], verify=False).status_code == 200


def test_other_requests_are_disturbed_where_it_is_said(it: Tiny) -> None:
    made = it.make()
    it.emulator.disturb("tiny", "unavailable", Answer(502, "bad gateway"), "drop_before", on="GET /v1/videos/*")
    it.emulator.disturb("tiny", "drop_after", on="DELETE *")
    address = f"v1/videos/{made.json()['id']}"
    assert [it.http.get(address).status_code for _ in range(2)] == [503, 502]
    with pytest.raises(httpx.RemoteProtocolError):
        it.http.get(address)
    assert it.video(made)["status"] == "queued"
    with pytest.raises(httpx.RemoteProtocolError):
        it.http.delete(address)
    assert it.video(made)["status"] == "canceled"


def test_a_fate_that_is_not_known_is_refused_when_it_is_scripted(it: Tiny) -> None:
    with pytest.raises(ValueError, match="no fate 'no_credits': one of no_credit, "):
        it.emulator.script("tiny", "no_credits")
    assert {"no_credit", "failed", "drop_after", "slow"} <= set(it.emulator.fates("tiny"))


def test_the_weather_comes_from_the_seed() -> None:
    def weather(seed: int) -> list[str]:
        shares = {"no_credit": 0.3, "failed": 0.3, "of another provider": 0.4}
        with Emulator(services=(tiny(key=None),), seed=seed, weather=shares, latency_s=0) as emulator:
            said = [
                httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, verify=False) for _ in range(40)
            ]
            states = iter([entry.state for entry in emulator.book])
            return [next(states) if one.status_code == 200 else "no_credit" for one in said]

    found = weather(1)
    assert found == weather(1) != weather(2)
    assert set(found) == {"failed", "no_credit", "succeeded"}
    assert all(5 < found.count(word) < 25 for word in set(found))


def test_real_time_passes_too() -> None:
    with Emulator(services=(tiny(key=None),), latency_s=0.01) as emulator:
        httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, verify=False)
        assert emulator.book[0].state == "queued"
        end = time.monotonic() + 5
        while emulator.book[0].state != "succeeded" and time.monotonic() < end:
            time.sleep(0.002)
        assert emulator.book[0].state == "succeeded"
