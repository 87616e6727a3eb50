"""What a chain costs and takes: sums, spreads, the longest way, and what nobody knows."""

import math
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from aggregator.errors import RequestError
from aggregator.routing.chain import ChainStep, check_steps
from aggregator.routing.chain_draws import Z90, quote_chain
from aggregator.routing.chain_quote import ChainQuote, Way
from aggregator.tasks import (
    FrameInterpolation,
    ImageToVideo,
    LipSync,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoUpscaling,
)

STILL = ChainStep("still", TextToImage(prompt="a harbour", size="1280x720"))
VOICE = ChainStep("voice", TextToSpeech(text="morning"))
CLIP = ChainStep("clip", ImageToVideo(image=STILL.output(), duration_s=5))
LIPS = ChainStep("lips", LipSync(video=CLIP.output(), audio=VOICE.output(duration_s=4)))
CHAIN = (STILL, VOICE, CLIP, LIPS)


def way(low: str | None = "0.10", high: str | None = None, *, p50: float | None = 10, p90: float | None = None) -> Way:
    top = high or low
    ends = (None if low is None else Decimal(low), None if top is None else Decimal(top))
    return Way("final", "p:e", "m", "hero", *ends, p50_s=p50, p90_s=p90 or p50)


def quoted(*ways: Way, steps: tuple[ChainStep, ...] = CHAIN, seed: int = 1) -> ChainQuote:
    return quote_chain(steps, ways, Random(seed))


# --------------------------------------------------------------------------------------------------------------- steps


def test_an_output_carries_what_its_request_says() -> None:
    still, clip = STILL.output(), CLIP.output()
    assert (still.mime_type, still.width, still.height) == ("image/png", 1280, 720)
    assert (clip.mime_type, clip.duration_s) == ("video/mp4", 5)
    assert LIPS.output().duration_s == 5  # of what goes in
    longer = ChainStep("longer", VideoExtension(video=clip, duration_s=3))
    assert longer.output().duration_s == 8
    large = ChainStep("large", VideoUpscaling(video=longer.output(), factor=2))
    assert (large.output().duration_s, large.output(width=2560).width) == (8, 2560)
    assert ChainStep("x", FrameInterpolation(image=still, last_image=still)).output().duration_s is None


def test_who_takes_what() -> None:
    assert [step.takes for step in CHAIN] == [(), (), ("still",), ("voice", "clip")]
    check_steps(CHAIN)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), "at least one"),
        ((STILL, STILL), "two steps are named 'still'"),
        ((CLIP,), "'clip' takes the output of 'still', which no step before it makes"),
        ((CLIP, STILL), "which no step before it makes"),
    ],
)
def test_what_is_no_chain_is_refused(steps: tuple[ChainStep, ...], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        check_steps(steps)


def test_a_step_survives_being_written() -> None:
    step = replace(CLIP, stage="final", weight=2.0)
    assert ChainStep.from_json(step.as_json()) == step
    assert "role" not in step.as_json()


# ---------------------------------------------------------------------------------------------------------------- money


def test_exact_prices_add_up_exactly() -> None:
    found = quoted(way("0.1"), way("0.000001"), way("0.2"), way("3"))
    assert found.cost is not None
    assert set(map(str, found.cost.as_json().values())) == {"3.300001"}


def test_an_estimate_has_a_middle_and_a_worst_case() -> None:
    found = quoted(way("0", "1"), way("1"), way("0", "1"), way("0", "1")).cost
    assert found is not None
    assert (found.low_usd, found.high_usd) == (1, 4)
    assert float(found.p50_usd) == pytest.approx(2.5, abs=0.05)
    # The 0.9 quantile of the sum of three uniform numbers (Irwin-Hall): 3 - (6 * 0.1) ** (1 / 3).
    assert float(found.p90_usd) == pytest.approx(1 + 3 - 0.6 ** (1 / 3), abs=0.05)
    assert found.p50_usd.as_tuple().exponent >= -6  # type: ignore[operator]


def test_bills_widen_what_is_quoted() -> None:
    dear = replace(way("1"), bills=(Decimal("0.9"), Decimal("1.2"), Decimal("1.5")))
    found = quoted(dear, steps=(STILL,)).cost
    assert found is not None
    assert (found.low_usd, found.high_usd) == (Decimal("0.9"), Decimal("1.5"))
    assert float(found.p50_usd) == pytest.approx(1.2, abs=0.02)
    as_quoted = replace(way("1"), bills=(Decimal(1), Decimal(1), Decimal(1)))
    assert quoted(as_quoted, steps=(STILL,)).cost == quoted(way("1"), steps=(STILL,)).cost


def test_an_unknown_price_is_said_and_is_not_zero() -> None:
    found = quoted(way(None), way("0.5"), way("1"), way(None))
    assert found.cost is None
    assert found.unpriced == ("still", "lips")
    assert found.priced.high_usd == Decimal("1.5")
    assert "in all $1.50, and what is unknown: the price of still, lips" in str(found)


# ----------------------------------------------------------------------------------------------------------------- time


def test_steps_that_need_nothing_of_each_other_run_side_by_side() -> None:
    found = quoted(way(p50=10), way(p50=30), way(p50=100), way(p50=7))
    assert found.time is not None
    assert (found.time.p50_s, found.time.p90_s) == (117, 117)
    assert found.worst_s == 3 * 3600


def test_times_are_drawn_through_the_records_own_figures() -> None:
    found = quoted(way(p50=60, p90=120), steps=(STILL,)).time
    assert found is not None
    assert found.p50_s == pytest.approx(60, rel=0.03)
    assert found.p90_s == pytest.approx(120, rel=0.05)


def test_a_chain_of_slow_steps_is_less_uncertain_than_each() -> None:
    chain = [ChainStep("s0", TextToVideo(prompt="x", duration_s=5))]
    for n in range(1, 8):
        chain.append(ChainStep(f"s{n}", VideoUpscaling(video=chain[-1].output(), factor=2)))
    found = quoted(*[way(p50=60, p90=120)] * 8, steps=tuple(chain)).time
    assert found is not None
    sigma = math.log(2) / Z90
    assert found.p50_s == pytest.approx(8 * 60 * math.exp(sigma**2 / 2), rel=0.05)  # sums tend to the mean
    assert found.p90_s < 8 * 120


def test_an_unknown_time_is_said() -> None:
    found = quoted(way(), way(p50=None), way(), way())
    assert (found.time, found.untimed) == (None, ("voice",))
    assert "how long is unknown: of voice; by deadline after 180 min" in str(found)


def test_the_same_chain_has_the_same_figures() -> None:
    ways = (way("0", "1", p50=60, p90=90),) * 4
    assert quoted(*ways) == quoted(*ways)
    assert quoted(*ways) != quoted(*ways, seed=2)


def test_it_survives_being_written_and_fits_a_line_each() -> None:
    found = quoted(
        way("0.1", "0.3"), way(None), way(p50=None), replace(way(), share=0.5, share_low=0.4, share_high=0.6)
    )
    assert ChainQuote.from_json(found.as_json()) == found
    assert len(str(found).splitlines()) == len(CHAIN) + 2
    assert "quality 0.50" in str(found)
    assert "voice: m by p:e (final); price unknown; 10 s (p90 10 s); quality unknown" in str(found)
