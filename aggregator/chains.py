"""From a project's steps to the ways each can be made, as the planner knows them: what chains are priced and fitted by.
Nothing is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from aggregator.errors import AggregatorError, PriceUnknownError
from aggregator.pricing.ratio import Ratio, ratios
from aggregator.routing.chain import ChainStep
from aggregator.routing.chain_draws import quote_chain
from aggregator.routing.chain_fit import Fit, fit_chain
from aggregator.routing.chain_quote import ChainQuote, Way
from aggregator.routing.plan import Ask, Candidate
from aggregator.store.bills import bills

if TYPE_CHECKING:
    from aggregator.opening import Opened
    from aggregator.planning import Planner

__all__ = ["fit", "quote"]

SEED = 5
"""The same chain has the same figures every time."""
ANY_PRICE = Decimal(10**9)
"""Bounds nothing: offers whose price is unknown are shown too."""


async def quote(opened: "Opened", steps: Sequence[ChainStep], stage: str) -> ChainQuote:
    """What the steps cost and take where each goes to the offer that a call would go to now."""
    known = await _Known.of(opened)
    return quote_chain(steps, [known.first(step, step.stage or stage) for step in steps], Random(SEED))  # noqa: S311


async def fit(opened: "Opened", steps: Sequence[ChainStep], budget_usd: Decimal) -> Fit:
    """The best chain for the money, of all stages and offers."""
    known = await _Known.of(opened)
    return fit_chain(steps, [known.all(step) for step in steps], budget_usd, Random(SEED))  # noqa: S311


class _Known:
    """What is known of offers at this moment."""

    def __init__(self, planner: "Planner", billed: Mapping[str, Ratio], now_s: float) -> None:
        self._planner = planner
        self._billed = billed
        self._day = datetime.fromtimestamp(now_s, UTC).date()

    @classmethod
    async def of(cls, opened: "Opened") -> "_Known":
        found = await opened.store.read(bills)
        now_s = opened.clock.time()
        return cls(opened.planner, ratios(found, int(now_s * 1000)), now_s)

    def first(self, step: ChainStep, stage: str) -> Way:
        """The way that a call would go now; one without a price where there is no other."""
        return self._ways(step, stage, max_usd=None, every=False)[0]

    def all(self, step: ChainStep) -> list[Way]:
        """Every way to make a step, each offer once: at the stage that wants its tier, if one does."""
        policy = self._planner.config.policy
        found: dict[str, Way] = {}
        for stage in [step.stage] if step.stage else policy:
            for way in self._ways(step, stage, max_usd=ANY_PRICE, every=True):
                known = found.get(way.offer)
                if known is None or (way.tier == policy[stage].tier != policy[known.stage].tier):
                    found[way.offer] = way
        return list(found.values())

    def _ways(self, step: ChainStep, stage: str, *, max_usd: Decimal | None, every: bool) -> list[Way]:
        """The ways of a step, the preferred ones first; `every`: not only the first few."""
        ask = Ask(
            stage=stage,
            role=step.role,
            model=step.model,
            max_usd=step.max_usd if max_usd is None else max_usd,
            on_unsupported=step.on_unsupported,
            provider_options=step.provider_options,
        )
        try:
            plan = self._planner.plan(step.request, ask, explain=every)
        except PriceUnknownError:
            plan = self._planner.plan(step.request, replace(ask, max_usd=ANY_PRICE), explain=every)
        except AggregatorError as error:
            error.args = (f"step {step.name!r}: {error}", *error.args[1:])
            raise
        candidates = (plan.chosen, *plan.alternatives)
        used = [item for item in candidates if item.passed_over is None] or candidates
        return [self._way(item, step, stage) for item in used]

    def _way(self, item: Candidate, step: ChainStep, stage: str) -> Way:
        assert item.quote is not None
        offer, price = item.offer, item.quote
        standing = self._planner.view.quality.standing(offer.model, offer.task, self._day, role=step.role)
        track, billed = self._planner.outcomes.track(offer.id), self._billed.get(offer.id)
        return Way(
            stage=stage,
            offer=offer.id,
            model=offer.model,
            tier=item.tier,
            low_usd=price.low_usd,
            high_usd=price.high_usd,
            bills=None if billed is None else (billed.low, billed.median, billed.high),
            p50_s=track.p50_s if track else None,
            p90_s=track.p90_s if track else None,
            share=standing.share if standing else None,
            share_low=standing.low if standing else None,
            share_high=standing.high if standing else None,
            why=price.why if price.high_usd is None else "",
        )
