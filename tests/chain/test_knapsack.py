"""The choice is the best one there is: against every combination, on chains small enough to try them all."""

import itertools
import time
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.routing.knapsack import Option, choose

GROUPS = st.lists(
    st.lists(st.builds(Option, st.integers(0, 60), st.integers(0, 12).map(lambda n: n / 8)), min_size=1, max_size=5),
    max_size=5,
)


def worth(groups: list[list[Option]], taken: tuple[int, ...]) -> tuple[float, int]:
    options = [group[index] for group, index in zip(groups, taken, strict=True)]
    return sum(option.value for option in options), -sum(option.cost for option in options)


@settings(max_examples=2_000, deadline=None)
@given(GROUPS, st.integers(0, 200))
def test_no_combination_is_better_or_as_good_for_less(groups: list[list[Option]], budget: int) -> None:
    all_of_them = itertools.product(*(range(len(group)) for group in groups))
    fitting = [taken for taken in all_of_them if -worth(groups, taken)[1] <= budget]
    found = choose(groups, budget)
    if not fitting:
        assert found is None
    else:
        assert found is not None
        assert worth(groups, found) == max(worth(groups, taken) for taken in fitting)


def test_real_values_of_a_long_chain_take_no_time() -> None:
    rng = Random(1)
    groups = [[Option(rng.randrange(1, 5_000_000), rng.random()) for _ in range(30)] for _ in range(60)]
    began = time.process_time()
    found = choose(groups, 60_000_000)
    assert found is not None
    assert sum(group[index].cost for group, index in zip(groups, found, strict=True)) <= 60_000_000
    assert time.process_time() - began < 10


def test_nothing_to_choose() -> None:
    assert choose([], 0) == ()
    assert choose([[]], 5) is None
    assert choose([[Option(0, 0.0)]], 0) == (0,)
