"""The record of an offer: shares and times, aged; from the store at opening, from the runner after."""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from aggregator import errors
from aggregator.job import AttemptState
from aggregator.routing.outcomes import DAY_S, HALF_LIFE_DAYS, KEPT, Ended, Outcomes, end_of
from aggregator.store import outcomes
from aggregator.store.database import Store
from aggregator.testing.clock import VirtualClock
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import order
from tests.runner.world import World

HALF_S = HALF_LIFE_DAYS * DAY_S
NOW_S = 1e9


class Clock(VirtualClock):
    def time(self) -> float:
        return NOW_S


def record(*ended: tuple[float, str, float | None]) -> Outcomes:
    """Of one offer, `o`: when (half-lives ago), how it ended, how long it took."""
    return Outcomes(Clock(), [Ended("o", NOW_S - age * HALF_S, end, took_s) for age, end, took_s in ended])  # type: ignore[arg-type]


def test_an_offer_nobody_used_has_no_record() -> None:
    assert record().track("o") is None


def test_shares_and_times() -> None:
    track = record(*[(0.0, "succeeded", float(n)) for n in range(1, 9)], (0.0, "failed", None), (0.0, "refused", None))
    found = track.track("o")
    assert found is not None
    assert (found.n, found.success, found.refused) == (10, 0.8, 0.1)
    assert (found.p50_s, found.p90_s) == (4, 8)


def test_what_is_old_counts_less() -> None:
    found = record((2, "failed", None), (1, "succeeded", 90.0), (0, "succeeded", 10.0)).track("o")
    assert found is not None
    assert found.n == pytest.approx(1.75)
    assert found.success == pytest.approx(1.5 / 1.75)
    assert (found.p50_s, found.p90_s) == (10, 90)


def test_as_time_passes_only_the_number_shrinks() -> None:
    now, then = record((0, "succeeded", 5.0), (0, "failed", None)), record((3, "succeeded", 5.0), (3, "failed", None))
    assert now.track("o").n == 2  # type: ignore[union-attr]
    assert then.track("o").n == pytest.approx(0.25)  # type: ignore[union-attr]
    assert then.track("o").success == now.track("o").success == 0.5  # type: ignore[union-attr]


def test_nothing_succeeded_so_nobody_knows_how_long_it_takes() -> None:
    found = record((0, "failed", None)).track("o")
    assert found is not None
    assert (found.success, found.p50_s, found.p90_s) == (0, None, None)


def test_only_the_newest_are_kept() -> None:
    ended = [Ended("o", NOW_S, "failed")] * KEPT + [Ended("o", NOW_S, "succeeded", 1.0)] * KEPT
    assert Outcomes(Clock(), ended).track("o").success == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("state", "error", "status", "end"),
    [
        ("stored", None, None, "succeeded"),
        ("lost", "ArtifactLostError", 410, "failed"),
        ("failed", "JobFailedError", None, "failed"),
        ("failed", "UnavailableError", None, "failed"),
        ("refused", "ContentPolicyError", 451, "refused"),
        ("failed", "ContentPolicyError", None, "refused"),
        ("refused", "InvalidRequestError", 404, "failed"),
        ("refused", "InvalidRequestError", 422, None),
        ("refused", "RateLimitError", 429, None),
        ("refused", "AuthenticationError", 401, None),
        ("refused", "QuotaError", 402, None),
        ("failed", "JobTimeoutError", None, None),
        ("canceled", "JobCanceledError", None, None),
        ("unknown", "UnavailableError", None, None),
        ("submitted", None, None, None),
    ],
)
def test_what_says_nothing_of_the_offer_counts_for_nothing(
    state: str, error: str | None, status: int | None, end: str | None
) -> None:
    assert end_of(AttemptState(state), error, status) == end


# ---------------------------------------------------------------------------------------------------------- in a client


def test_a_later_client_knows_what_an_earlier_one_did(world: World) -> None:
    async def life(p: Any) -> Any:
        for n, end in enumerate(("succeeded", "succeeded", "moderated", "failed_billed")):
            world.transport.fates.append(Fate(service_s=20, end=end))  # type: ignore[arg-type]
            with suppress(errors.ProviderError):
                await order(p, key=f"{n}", model="memory:cheap")
        return world.agg.opened.planner.outcomes.track("memory:cheap")

    async def later(_p: Any) -> Any:
        return world.agg.opened.planner.outcomes.track("memory:cheap")

    first, second = world.run(life), world.run(later)
    assert (first.success, first.refused) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.25, abs=0.01))
    assert 20 <= first.p50_s <= first.p90_s < 30  # to the look that found it done
    assert (second.p50_s, second.p90_s) == (first.p50_s, first.p90_s)
    assert (second.success, second.n) == (pytest.approx(first.success), pytest.approx(first.n, rel=1e-3))


def test_what_was_found_done_after_a_pause_says_nothing_of_the_time(world: World) -> None:
    async def begin(p: Any) -> None:
        world.transport.fates.append(Fate(service_s=50))
        from aggregator.tasks import TextToImage

        await p.submit(TextToImage(prompt="a fox"), key="fox", deadline_s=90_000)
        await world.clock.sleep(5)

    async def resume(_p: Any) -> Any:
        await world.agg.resume()
        return world.agg.opened.planner.outcomes.track("memory:cheap")

    world.run(begin)
    world.pass_time(40_000)
    track = world.run(resume)
    assert (track.success, track.p50_s) == (1, None)


async def test_no_scan_is_made_of_all_attempts(store: Store) -> None:
    """The newest are found by an index, on each database, however many there are."""
    query = outcomes._RECENT.params(since=5).compile(compile_kwargs={"literal_binds": True})

    def explained(c: Any) -> str:
        if c.dialect.name == "postgresql":
            c.execute(text("SET LOCAL enable_seqscan = off"))
        how = "EXPLAIN QUERY PLAN" if c.dialect.name == "sqlite" else "EXPLAIN"
        return str(c.execute(text(f"{how} {query}")).all())

    assert "attempt_by_end" in await store.read(explained)
