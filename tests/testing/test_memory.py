"""The servers in memory do what their tables say; every fault of the alphabet is drawn somewhere and does something."""

import json
from random import Random
from typing import Any, get_args

import pytest

from aggregator._http import SendError, Timeouts
from aggregator.contract import HttpRequest
from aggregator.testing import memory
from aggregator.testing.clock import VirtualClock, run_virtual
from aggregator.testing.memory import Fate, MemoryTransport
from aggregator.testing.memory_book import LATE_S, STATUSES, Fault
from aggregator.testing.memory_tables import KEY_TTL_S
from aggregator.testing.weather import FAULTS, destiny, weather


def order(provider: str, attempt: str, prompt: str = "a fox") -> HttpRequest:
    return HttpRequest(
        "POST", f"http://{provider}.invalid/jobs", {"X-Attempt": attempt}, {"endpoint": "cheap", "prompt": prompt}
    )


def get(provider: str, path: str) -> HttpRequest:
    return HttpRequest("GET", f"http://{provider}.invalid{path}")


def play(life: Any) -> MemoryTransport:
    """Let a client of the bare transport live; returns the transport."""
    transport = MemoryTransport(VirtualClock())

    async def main() -> None:
        await life(transport, lambda request: _said(transport, request))

    run_virtual(main)
    return transport


async def _said(transport: MemoryTransport, request: HttpRequest) -> tuple[int, Any]:
    answer = await transport.send(request, timeouts=Timeouts(read_s=120.0))
    return answer.status, json.loads(answer.body)


def test_every_fault_is_drawn_somewhere() -> None:
    assert {fault for faults in FAULTS.values() for fault in faults} | {"429_bare"} == set(get_args(Fault))
    drawn = weather(Random(1), 1.0)
    assert {drawn("submit") for _ in range(2000)} == set(FAULTS["submit"])
    fates = [destiny(Random(1))() for _ in range(5)]
    assert fates == [fates[0]] * 5


@pytest.mark.parametrize("fault", FAULTS["submit"])
def test_a_fault_of_a_submit_is_told_and_takes_the_job_or_not(fault: Any) -> None:
    taken = {"drop_after", "hang_after", "half_header", "truncated", "no_id", "duplicate_id", "arrives_late"}

    async def life(transport: MemoryTransport, say: Any) -> None:
        transport.script("submit", None, fault)
        await say(order("memory", "a.1"))
        await say(get("memory", "/jobs/memory-1"))
        try:
            status, answer = await say(order("memory", "b.1"))
        except (SendError, ValueError):
            pass
        else:
            if fault in STATUSES:
                assert status == STATUSES[fault][0]
            else:
                assert answer == ({} if fault == "no_id" else {"id": "memory-1"})
        await transport.clock.sleep(LATE_S)
        transport.arrive()
        assert bool(transport.accepted("b.1")) == (fault in taken or fault.endswith("_after"))

    play(life)


def test_a_key_is_replayed_for_as_long_as_it_is_known() -> None:
    async def life(transport: MemoryTransport, say: Any) -> None:
        assert await say(order("expiring", "a.1")) == await say(order("expiring", "a.1"))
        assert len(transport.book) == 1
        await transport.clock.sleep(KEY_TTL_S + 1)
        await say(order("expiring", "a.1"))
        assert len(transport.book) == 2

    play(life)


def test_a_key_that_was_taken_is_refused_where_keys_are_not_replayed() -> None:
    async def life(transport: MemoryTransport, say: Any) -> None:
        assert (await say(order("rejecting", "a.1")))[0] == 202
        status, answer = await say(order("rejecting", "a.1"))
        assert (status, answer["error"]["code"]) == (409, "key_taken")
        assert len(transport.book) == 1

    play(life)


def test_a_lookup_lists_what_is_known_of_one_reference_or_since_a_moment() -> None:
    async def life(transport: MemoryTransport, say: Any) -> None:
        transport.fates.extend([Fate(), Fate(appears_after_s=20.0)])
        await say(order("referring", "a.1"))
        await say(order("listing", "b.1"))
        made = await say(get("referring", "/jobs?reference=a.1"))
        assert [job["id"] for job in made[1]["jobs"]] == ["referring-1"]
        assert (await say(get("referring", "/jobs?reference=b.1")))[1]["jobs"] == []
        since = int(VirtualClock.START)
        assert (await say(get("listing", f"/jobs?since={since}")))[1]["jobs"] == []
        await transport.clock.sleep(20.0)
        assert [job["id"] for job in (await say(get("listing", f"/jobs?since={since}")))[1]["jobs"]] == ["listing-2"]
        assert (await say(get("listing", f"/jobs?since={since + 60}")))[1]["jobs"] == []

    transport = play(life)
    assert transport.count("lookup") == 5


def test_what_was_refused_for_what_it_says_is_refused_when_it_comes_late() -> None:
    async def life(transport: MemoryTransport, say: Any) -> None:
        transport.script("submit", "arrives_late", "422")
        with pytest.raises(SendError):
            await say(order("replaying", "a.1"))
        assert (await say(order("replaying", "a.1")))[0] == 422
        await transport.clock.sleep(LATE_S)
        transport.arrive()
        assert not transport.book

    play(life)


def test_the_tables_differ_in_how_a_client_may_find_out() -> None:
    tables = (memory.PROVIDER, memory.REPLAYING, memory.EXPIRING, memory.REJECTING, memory.REFERRING, memory.LISTING)
    ways = {
        table.name: (table.idempotency, table.lookup is not None, bool(table.reference), table.webhook is not None)
        for table in (*tables, memory.CALLING)
    }
    assert ways == {
        "memory": ("none", False, False, False),
        "replaying": ("replay", False, False, False),
        "expiring": ("replay", False, False, False),
        "rejecting": ("reject", True, True, False),
        "referring": ("none", True, True, False),
        "listing": ("none", True, False, False),
        "calling": ("none", False, False, True),
    }
