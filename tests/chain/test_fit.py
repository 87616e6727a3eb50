"""The best chain for the money: what is chosen, what is given up, what is unknown."""

import itertools
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import NoRouteError, PriceUnknownError
from aggregator.routing.chain import ChainStep
from aggregator.routing.chain_fit import Fit, fit_chain
from aggregator.routing.chain_quote import Way
from aggregator.tasks import ImageToVideo, TextToImage, TextToMusic

STILL = ChainStep("still", TextToImage(prompt="a harbour"))
CLIP = ChainStep("clip", ImageToVideo(image=STILL.output(), duration_s=5))
MUSIC = ChainStep("music", TextToMusic(prompt="slow"))


def way(model: str, usd: str | None, share: float | None = None, *, low: str | None = None) -> Way:
    high = None if usd is None else Decimal(usd)
    return Way("final", f"p:{model}", model, "hero", high if low is None else Decimal(low), high, share=share)


STILLS = [way("plain", "0.01", 0.3), way("fine", "0.05", 0.5)]
CLIPS = [way("quick", "0.20", 0.2), way("good", "0.60", 0.45), way("best", "2.00", 0.5)]


def fitted(budget: str, *ways: list[Way], steps: tuple[ChainStep, ...] = (STILL, CLIP)) -> Fit:
    return fit_chain(steps, ways or (STILLS, CLIPS), Decimal(budget), Random(1))


def models(fit: Fit) -> list[str]:
    return [step.way.model for step in fit.quote.steps]


@pytest.mark.parametrize(
    ("budget", "chosen"),
    [
        ("0.21", ["plain", "quick"]),
        ("0.25", ["fine", "quick"]),
        ("0.61", ["plain", "good"]),
        ("0.649999", ["plain", "good"]),
        ("0.65", ["fine", "good"]),
        ("2.04", ["fine", "good"]),
        ("2.05", ["fine", "best"]),
        ("9", ["fine", "best"]),
    ],
)
def test_the_best_that_the_money_allows(budget: str, chosen: list[str]) -> None:
    assert models(fitted(budget)) == chosen


def test_it_says_what_was_given_up() -> None:
    fit = fitted("0.70")
    assert [str(item) for item in fit.gave_up] == [
        "clip: good instead of best, 0.05 of blind pairs fewer, for $1.40 less"
    ]
    assert (fit.best_usd, fit.left_usd) == (Decimal("2.05"), Decimal("0.05"))
    assert "within $0.70: $0.05 stay in the worst case" in str(fit)
    assert "nothing was given up" in str(fitted("9"))


def test_too_little_money_says_how_much_it_takes() -> None:
    with pytest.raises(NoRouteError, match=r"costs up to \$0\.21 even .* the money is \$0\.20: raise it") as caught:
        fitted("0.20")
    assert caught.value.reasons == {"still": "p:plain at $0.01", "clip": "p:quick at $0.20"}


def test_the_worst_case_is_what_must_fit() -> None:
    assert models(fitted("0.5", [way("sure", "0.5", 0.1), way("maybe", "0.51", 0.5, low="0.1")], steps=(STILL,))) == [
        "sure"
    ]


def test_a_step_that_matters_more_gets_the_money() -> None:
    other = ChainStep("other", TextToImage(prompt="a hill"))
    dear = [way("plain", "0.01", 0.3), way("fine", "0.05", 0.5)]
    for first, second in ((3.0, 1.0), (1.0, 3.0)):
        steps = (ChainStep("still", STILL.request, weight=first), ChainStep("other", other.request, weight=second))
        assert models(fitted("0.06", dear, dear, steps=steps)) == (
            ["fine", "plain"] if first > second else ["plain", "fine"]
        )


# -------------------------------------------------------------------------------------------------------------- unknown


def test_a_model_nobody_read_is_not_preferred_to_one_that_is_known() -> None:
    assert models(fitted("9", [way("unread", "0.01"), way("known", "0.50", 0.1)], steps=(STILL,))) == ["known"]


def test_where_nothing_known_fits_an_unknown_one_serves_and_that_is_said() -> None:
    fit = fitted("0.10", [way("unread", "0.01"), way("known", "0.50", 0.1)], steps=(STILL,))
    assert models(fit) == ["unread"]
    assert fit.notes == ("still: nothing whose quality is known was within the money",)
    assert "unread instead of known, of unknown quality" in str(fit)


def test_where_nothing_is_known_the_price_chooses_and_that_is_said() -> None:
    fit = fitted("9", [way("dear", "0.50"), way("cheap", "0.20")], steps=(MUSIC,))
    assert models(fit) == ["cheap"]
    assert fit.notes == ("music: the quality of nobody is known, so that the price chose",)


def test_an_unknown_price_is_never_taken() -> None:
    fit = fitted("9", [way("dream", None, 0.5), way("plain", "0.01", 0.3)], steps=(STILL,))
    assert models(fit) == ["plain"]
    assert fit.notes == ("still: left out, because their price is unknown: 1 of 2 offers",)
    with pytest.raises(PriceUnknownError, match="step 'still'"):
        fitted("9", [way("dream", None, 0.5)], steps=(STILL,))


# ----------------------------------------------------------------------------------------------------------- properties

AMOUNTS = st.integers(0, 40).map(lambda cents: f"{cents / 100:.2f}")
SHARES = st.none() | st.integers(0, 8).map(lambda n: n / 16)
WAYS = st.lists(st.tuples(AMOUNTS, SHARES), min_size=1, max_size=4).map(
    lambda drawn: [way(f"m{n}", usd, share) for n, (usd, share) in enumerate(drawn)]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WAYS, min_size=1, max_size=4), st.integers(0, 160))
def test_no_other_chain_within_the_money_is_better(ways: list[list[Way]], cents: int) -> None:
    steps = tuple(ChainStep(f"s{n}", STILL.request) for n in range(len(ways)))
    budget = Decimal(cents) / 100

    def usd(chain: tuple[Way, ...]) -> Decimal:
        return sum((one.high_usd or Decimal(0) for one in chain), Decimal(0))

    def worth(chain: tuple[Way, ...]) -> tuple[float, Decimal]:
        return sum(one.share or 0.0 for one in chain), -usd(chain)

    within = [chain for chain in itertools.product(*ways) if usd(chain) <= budget]
    if not within:
        with pytest.raises(NoRouteError):
            fit_chain(steps, ways, budget, Random(1))
        return
    fit = fit_chain(steps, ways, budget, Random(1))
    chosen = tuple(step.way for step in fit.quote.steps)
    assert worth(chosen) == max(worth(chain) for chain in within)
    assert fit.quote.cost is not None
    assert fit.quote.cost.high_usd <= budget
    assert Fit.from_json(fit.as_json()) == fit
