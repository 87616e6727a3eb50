"""How often a job is looked at whose provider calls back: more seldom, and never not at all."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.polling import MAX_INTERVAL_TOLD_S, TOLD_FACTOR, ServiceTime, next_poll_s

SECONDS = st.floats(0, 1e7)


@given(SECONDS, st.lists(st.floats(0.01, 1e5), max_size=6))
def test_looks_are_stretched_and_have_an_end(elapsed_s: float, seen: list[float]) -> None:
    learned = ServiceTime()
    for seconds in seen:
        learned = learned.observe(seconds)
    alone, told = next_poll_s(learned, elapsed_s), next_poll_s(learned, elapsed_s, told=True)
    assert alone < told <= MAX_INTERVAL_TOLD_S
    assert told <= alone * TOLD_FACTOR
