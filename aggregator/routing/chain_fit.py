"""The best chain for the money: who makes each step, at which stage, so that even the worst case is within the budget.

The best is the highest sum over the steps of weight times the share of blind pairs won against the best model of today.
A model that nobody has read counts as 0: it is taken where nothing known fits, or nothing is known at all, and then for
its price; that is said. An offer without a known price is never taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from aggregator.errors import NoRouteError, PriceUnknownError
from aggregator.pricing.money import EXACT, dollars, from_micro_usd, micro_usd
from aggregator.routing.chain import ChainStep
from aggregator.routing.chain_draws import quote_chain
from aggregator.routing.chain_quote import ChainQuote, Plain, Way
from aggregator.routing.knapsack import Option, choose

__all__ = ["Fit", "GaveUp", "fit_chain"]

SHOWN = 3


@dataclass(frozen=True, slots=True)
class GaveUp(Plain):
    """What the money was not enough for, at one step."""

    step: str
    best: Way
    taken: Way
    share: float
    """Of blind pairs won against the best of today, how many fewer it will be."""
    saved_usd: Decimal

    def __str__(self) -> str:
        known = "of unknown quality" if self.taken.share is None else f"{self.share:.2f} of blind pairs fewer"
        return (
            f"{self.step}: {self.taken.model} instead of {self.best.model}, {known}, for {dollars(self.saved_usd)} less"
        )


@dataclass(frozen=True, slots=True)
class Fit(Plain):
    """The chain that is the best for the money, and what it does without."""

    budget_usd: Decimal
    quote: ChainQuote
    """Step by step who makes it: `way.offer` and `way.stage` are what to order it with."""
    gave_up: tuple[GaveUp, ...]
    best_usd: Decimal
    """What the best of every step would cost at most, had the money been enough."""
    notes: tuple[str, ...] = ()

    @property
    def left_usd(self) -> Decimal:
        """What stays of the money even in the worst case."""
        return EXACT.subtract(self.budget_usd, self.quote.priced.high_usd)

    def __str__(self) -> str:
        lines = [str(self.quote), f"within {dollars(self.budget_usd)}: {dollars(self.left_usd)} stay in the worst case"]
        if self.gave_up:
            lines.append(f"given up (the best of each would be {dollars(self.best_usd)} at most):")
            lines += [f"  {item}" for item in self.gave_up]
        else:
            lines.append("nothing was given up")
        return "\n".join([*lines, *self.notes])


def fit_chain(steps: Sequence[ChainStep], ways: Sequence[Sequence[Way]], budget_usd: Decimal, rng: Random) -> Fit:
    """Choose a way for each step.

    Args:
        ways: The ways to make each step, the preferred ones first.

    Raises:
        PriceUnknownError: Nobody's price for a step is known.
        NoRouteError: Even the cheapest ways cost more than the money.

    """
    priced = [[way for way in of if way.most_usd is not None] for of in ways]
    for step, of, known in zip(steps, ways, priced, strict=True):
        if not known:
            raise PriceUnknownError(
                f"step {step.name!r}: nobody's price for it is known, so that nothing bounds what the chain costs "
                f"({'; '.join(f'{way.offer}: {way.why}' for way in of[:SHOWN])}). Where it depends on what goes in, "
                "say what that will be: step.output(width=1280, height=720)"
            )
    options = [
        [Option(_most(way), step.weight * (way.share or 0.0)) for way in of]
        for step, of in zip(steps, priced, strict=True)
    ]
    budget = micro_usd(budget_usd, "settle")
    found = choose(options, budget if from_micro_usd(budget) <= budget_usd else budget - 1)
    if found is None:
        raise _too_little(steps, priced, budget_usd)
    taken = [of[index] for of, index in zip(priced, found, strict=True)]
    best = [max(of, key=lambda way: (way.share or 0.0, -_most(way))) for of in priced]
    return Fit(
        budget_usd=budget_usd,
        quote=quote_chain(steps, taken, rng),
        gave_up=tuple(_gave_up(steps, best, taken)),
        best_usd=from_micro_usd(sum(_most(way) for way in best)),
        notes=tuple(_notes(steps, ways, priced, taken)),
    )


def _most(way: Way) -> int:
    assert way.most_usd is not None
    return micro_usd(way.most_usd, "reserve")


def _too_little(steps: Sequence[ChainStep], priced: Sequence[Sequence[Way]], budget_usd: Decimal) -> NoRouteError:
    cheapest = [min(of, key=_most) for of in priced]
    reasons = {
        step.name: f"{way.offer} at {dollars(from_micro_usd(_most(way)))}"
        for step, way in zip(steps, cheapest, strict=True)
    }
    least = dollars(from_micro_usd(sum(_most(way) for way in cheapest)))
    return NoRouteError(
        f"the chain costs up to {least} even where each step is made by the cheapest offer, and the money is "
        f"{dollars(budget_usd)}: raise it, or take steps out",
        reasons=reasons,
    )


def _gave_up(steps: Sequence[ChainStep], best: Sequence[Way], taken: Sequence[Way]) -> Iterator[GaveUp]:
    for step, ideal, way in zip(steps, best, taken, strict=True):
        lost = (ideal.share or 0.0) - (way.share or 0.0)
        if lost > 0:
            yield GaveUp(step.name, ideal, way, lost, from_micro_usd(_most(ideal) - _most(way)))


def _notes(
    steps: Sequence[ChainStep], ways: Sequence[Sequence[Way]], priced: Sequence[Sequence[Way]], taken: Sequence[Way]
) -> Iterator[str]:
    for step, of, known, way in zip(steps, ways, priced, taken, strict=True):
        if len(known) < len(of):
            yield f"{step.name}: left out, because their price is unknown: {len(of) - len(known)} of {len(of)} offers"
        if all(one.share is None for one in known):
            yield f"{step.name}: the quality of nobody is known, so that the price chose"
        elif way.share is None:
            yield f"{step.name}: nothing whose quality is known was within the money"
