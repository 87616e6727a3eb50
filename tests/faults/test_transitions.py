"""The state machine as a table: every state with everything that may happen there has one result, and none leaves an
end.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import AggregatorError, StoreError
from aggregator.job import TRANSITIONS
from aggregator.job import AttemptState as S
from aggregator.store import journal
from aggregator.store.schema import account, attempt
from aggregator.testing.memory import Fate
from tests.faults.life import Death
from tests.faults.quick import QuickDatabase
from tests.faults.simulation import Simulation
from tests.faults.stage import prepare

FINAL = {S.STORED, S.FAILED, S.REFUSED, S.CANCELED, S.LOST}
PRICE = 40_000

# ------------------------------------------------------------------------------------------------------------- moves


@pytest.mark.parametrize(("here", "there"), list(product(S, S)), ids=lambda state: state.value)
def test_the_journal_makes_the_moves_of_the_table_and_no_other(here: S, there: S) -> None:
    database = QuickDatabase()
    try:
        connection: Any = database.begin(write=True)
        connection.execute(account.insert().values(id="project:film"))
        new = journal.NewJob("j", "project:film", "k", "f1", {}, {}, "prototype", {}, 0, 1)
        journal.add_job(connection, new)
        bought = journal.NewAttempt("memory", "cheap", "fox", "", "2026-11-21", {}, "r1", PRICE, {})
        journal.add_attempt(connection, "j", bought, state=S.RESERVED, lease_owner="me", lease_until=1, at=0)
        connection.execute(attempt.update().values(state=here.value))
        of = journal.latest(connection, "j")
        assert of is not None
        before = connection.exec_driver_sql("SELECT count(*) FROM event").scalar()
        if there is here or there in TRANSITIONS[here]:
            journal.move(connection, of, there, at=1)
        else:
            with pytest.raises(StoreError, match="cannot go"):
                journal.move(connection, of, there, at=1)
            there, before = here, before - 1
        assert connection.exec_driver_sql("SELECT state FROM attempt").scalar() == there.value
        assert connection.exec_driver_sql("SELECT count(*) FROM event").scalar() == before + 1
    finally:
        database.end()


def test_nothing_leaves_an_end_and_everything_else_can_be_left() -> None:
    assert {state for state in S if not TRANSITIONS[state]} == FINAL
    assert {state for state in S if state.is_final} == FINAL


def test_every_state_can_be_reached_and_leads_to_an_end() -> None:
    beginnings = {S.PLANNED, S.RESERVED, S.SUBMITTING}
    assert set(S) == _reached(beginnings)
    for state in S:
        assert _reached({state}) & FINAL, state


def _reached(states: set[S]) -> set[S]:
    while True:
        more = states | {there for here in states for there in TRANSITIONS[here]}
        if more == states:
            return states
        states = more


# ------------------------------------------------------------------------------------------------------------- events


def _line(kind: Any, *faults: Any) -> Callable[[Simulation], None]:
    return lambda simulation: simulation.transport.script(kind, *faults)


def _fate(**fate: Any) -> Callable[[Simulation], None]:
    """What becomes of the job, whether it was taken already or is taken from here on."""

    def strike(simulation: Simulation) -> None:
        drawn = Fate(**{"service_s": 100.0, **fate})
        simulation.transport.destiny = lambda: drawn
        for order in simulation.transport.book.values():
            if order.state(simulation.server.time()) in ("queued", "running"):
                order.fate = drawn

    return strike


MANY = 60
EVENTS: dict[str, Callable[[Simulation], None]] = {
    "all goes well": lambda _: None,
    "submit: never leaves": _line("submit", *["never_arrives"] * MANY),
    "submit: refused": _line("submit", "400"),
    "submit: refused on content": _line("submit", "451"),
    "submit: no credit": _line("submit", "402"),
    "submit: too many, then taken": _line("submit", "429"),
    "submit: taken without an answer": _line("submit", "drop_after"),
    "submit: lost without an answer": _line("submit", "drop_before"),
    "submit: answered without an id": _line("submit", "no_id"),
    "job: fails and is free": _fate(end="failed_free"),
    "job: fails and is billed": _fate(end="failed_billed"),
    "job: fails and may be billed": _fate(end="failed_unclear"),
    "job: is refused on content": _fate(end="moderated"),
    "job: is canceled": _fate(end="canceled"),
    "job: is forgotten": _fate(forgets_after_s=0.0),
    "job: never ends": _fate(service_s=1e9),
    "job: is billed twice its price": _fate(images="2"),
    "poll: no answer, then one": _line("poll", "drop_after", "500_before", "truncated"),
    "poll: an unknown word, then one": _line("poll", "odd_word", "aborted"),
    "poll: the key is refused": _line("poll", *["401"] * MANY),
    "poll: success without a file": _line("poll", *["no_url"] * MANY),
    "file: its address has expired": _line("file", "expired"),
    "file: is gone": _line("file", *["gone"] * MANY),
    "file: cannot be fetched": _line("file", *["drop_before"] * MANY),
    "file: half of it arrives, then all": _line("file", "short", "cut"),
}

Result = tuple[str, int, int, int]
"""The state it is left in, what is held and what is settled then, and how many paid requests were sent."""


def _die(at: str, agg: Any) -> None:
    def tap(point: str) -> None:
        if point == at:
            raise Death

    agg._transport.tap = tap


async def _order(agg: Any) -> Any:
    async with agg.project("film", budget_usd="10") as p:
        return await p.text_to_image("a fox", model="memory:cheap", key="fox", deadline_s=3600.0)


def _arrange(simulation: Simulation, state: S, *, known: bool) -> None:
    """An attempt in a state, as a process left it that died. `known`: the provider's id is written down."""
    written = {S.RECONCILING, S.RESERVED, S.FETCHING, S.PLANNED, S.RUNNING, S.UNKNOWN}
    dies_at = {
        S.PLANNED: "before submit",
        S.RESERVED: "before submit",
        S.SUBMITTING: "before submit",
        S.RECONCILING: "before submit",
        S.UNKNOWN: "before poll" if known else "before submit",
        S.SUBMITTED: "before poll",
        S.RUNNING: "before poll",
        S.SUCCEEDED: "before file",
        S.FETCHING: "before file",
    }
    ends = {S.FAILED: "failed_free", S.CANCELED: "canceled"}
    simulation.transport.destiny = lambda: Fate(service_s=100.0)
    if state in ends:
        _fate(end=ends[state])(simulation)
    if state is S.REFUSED:
        simulation.transport.script("submit", "400")
    if state is S.LOST:
        simulation.transport.script("file", *["gone"] * MANY)

    async def live(agg: Any) -> None:
        _die(dies_at.get(state, "never"), agg)
        await _order(agg)

    simulation.live([-1], storm=False, doing=live)
    simulation.gone |= {life.owner for life in simulation.lives}
    if state in written:
        sent = state in (S.RECONCILING, S.UNKNOWN)
        simulation.raw.execute("UPDATE attempt SET state = ?, maybe_sent = ?", (state.value, int(sent and not known)))
    simulation.transport.faults.clear()
    simulation.transport.destiny = lambda: Fate(service_s=100.0)


def _result(simulation: Simulation, before: int) -> Result:
    row = simulation.rows("attempt")[0]
    money = next(row for row in simulation.rows("account") if row["id"] == "project:film")
    return row["state"], money["held"], money["settled"], simulation.transport.count("submit") - before


def happens(directory: Path, patch: pytest.MonkeyPatch, state: S, event: str, *, known: bool) -> Result:
    """Let something happen to an attempt in a state, and follow it for as long as it goes."""
    simulation = Simulation(1, directory)
    simulation.provider, simulation.day, simulation.organisation_usd, simulation.jumpy = "memory", 0, None, False
    simulation.rng.random = lambda: 0.5  # type: ignore[method-assign]
    with simulation.staged(patch):
        try:
            _arrange(simulation, state, known=known)
            before = simulation.transport.count("submit")
            EVENTS[event](simulation)
            if state is S.UNKNOWN:
                simulation.pass_time(200.0)  # one look is all that is taken at what was given up

            async def follow(agg: Any) -> None:
                for row in simulation.rows("job"):
                    with suppress(AggregatorError):
                        await agg.job(row["id"]).result()

            simulation.live([-1], storm=False, doing=follow)
            return _result(simulation, before)
        finally:
            simulation.close()


HELD, PAID, FREE = (PRICE, 0), (0, PRICE), (0, 0)

_FETCHED: dict[str, Result] = {
    "file: is gone": ("lost", *PAID, 0),
    "file: cannot be fetched": ("succeeded", *PAID, 0),
}
_POLLED: dict[str, Result] = {
    **_FETCHED,
    "job: fails and is free": ("failed", *FREE, 0),
    "job: fails and is billed": ("failed", *PAID, 0),
    "job: fails and may be billed": ("failed", *HELD, 0),
    "job: is refused on content": ("failed", *HELD, 0),
    "job: is canceled": ("canceled", *HELD, 0),
    "job: is forgotten": ("unknown", *HELD, 0),
    "job: never ends": ("unknown", *HELD, 0),
    "job: is billed twice its price": ("stored", 0, 2 * PRICE, 0),
}
_SENT: dict[str, Result] = {
    **{event: (state, held, settled, 1) for event, (state, held, settled, _) in _POLLED.items()},
    "submit: never leaves": ("failed", *FREE, 3),  # a fourth one was sent before
    "submit: refused": ("refused", *FREE, 1),
    "submit: refused on content": ("refused", *FREE, 1),
    "submit: no credit": ("refused", *FREE, 1),
    "submit: too many, then taken": ("stored", *PAID, 2),
    "submit: taken without an answer": ("unknown", *HELD, 1),
    "submit: lost without an answer": ("unknown", *HELD, 1),
    "submit: answered without an id": ("unknown", *HELD, 1),
    "poll: the key is refused": ("submitted", *HELD, 1),
    "poll: success without a file": ("running", *HELD, 1),
}

EXPECTED: dict[tuple[S, bool], tuple[Result, dict[str, Result]]] = {
    (S.RESERVED, False): (("stored", *PAID, 1), _SENT),
    (S.SUBMITTING, False): (("unknown", *HELD, 0), {}),
    (S.RECONCILING, False): (("unknown", *HELD, 0), {}),
    (S.UNKNOWN, False): (("unknown", *HELD, 0), {}),
    (S.SUBMITTED, True): (
        ("stored", *PAID, 0),
        {
            **_POLLED,
            "poll: the key is refused": ("submitted", *HELD, 0),
            "poll: success without a file": ("running", *HELD, 0),
        },
    ),
    (S.RUNNING, True): (
        ("stored", *PAID, 0),
        {
            **_POLLED,
            "poll: the key is refused": ("running", *HELD, 0),
            "poll: success without a file": ("running", *HELD, 0),
        },
    ),
    (S.UNKNOWN, True): (
        ("stored", *PAID, 0),
        {
            **_POLLED,
            "poll: an unknown word, then one": ("unknown", *HELD, 0),
            "poll: the key is refused": ("unknown", *HELD, 0),
            "poll: success without a file": ("unknown", *HELD, 0),
        },
    ),
    (S.SUCCEEDED, True): (("stored", *PAID, 0), _FETCHED),
    (S.FETCHING, True): (
        ("stored", *PAID, 0),
        {
            event: ("fetching" if result[0] == "succeeded" else "lost", *result[1:])
            for event, result in _FETCHED.items()
        },
    ),
    (S.STORED, True): (("stored", *PAID, 0), {}),
    (S.LOST, True): (("lost", *PAID, 0), {}),
    (S.FAILED, True): (("failed", *FREE, 0), {}),
    (S.REFUSED, False): (("refused", *FREE, 0), {}),
    (S.CANCELED, True): (("canceled", *HELD, 0), {}),
}
"""By the state, and whether the provider's id is written down: what comes of it, and of which events something else.

The provider is one that cannot be asked about what it did not answer. A key that is refused and an answer that cannot
be read leave the job where it is, for whoever mends it.
"""


def test_every_state_is_in_the_table() -> None:
    assert {state for state, _ in EXPECTED} == set(S) - {S.PLANNED}
    assert all(events.keys() <= EVENTS.keys() for _, events in EXPECTED.values())


@pytest.mark.parametrize(("state", "known"), EXPECTED, ids=str)
def test_what_happens_in_a_state_has_one_result(
    state: S, known: bool, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(monkeypatch)
    usual, others = EXPECTED[state, known]
    seen = {event: happens(quick, monkeypatch, state, event, known=known) for event in EVENTS}
    assert seen == {event: others.get(event, usual) for event in EVENTS}
    assert not state.is_final or set(seen.values()) == {usual}
