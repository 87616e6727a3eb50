"""What nobody knows before it is made, and the provider counts afterwards: bought, and settled by the rate, by each
provider that counts.
"""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.inputs import Media
from aggregator.pricing.quote import Line, Quote
from aggregator.pricing.settle import settled
from aggregator.tasks import (
    FrameInterpolation,
    ImageToImage,
    ImageUpscaling,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    VideoToVideo,
    VideoUpscaling,
)
from tests.providers.harness import STILL, clip, opened
from tests.providers.own import cards_of

FAR = Media(url="https://example.com/a.mp4")
"""A clip that nobody has looked into."""
MICRO = Decimal("0.000001")
WIDE = (2048, 2048)
"""A size that OpenAI lists no tokens for."""
GPU_ROWS = '[[rate]]\nendpoint = "*"\nunit = "gpu_second"\nusd = "0.0003"\nfrom = 2026-01-01\nnote = "my own machine"\n'
FOX = TextToImage(prompt="a fox", size=(64, 48), seed=0)


@pytest.fixture
def own(tmp_path):
    """The cards that a provider's tests bring, without what their jobs take: as before the first job. Else its rate."""

    def build(name: str) -> Path:
        at = tmp_path / "own"
        if cards := cards_of(name):
            shutil.copytree(cards[0], at)
        for row in at.rglob("offers/**/*.toml"):
            kept = [line for line in row.read_text().splitlines() if not line.startswith(("compute", "meters"))]
            row.write_text("\n".join(kept))
        (at / "rates").mkdir(parents=True, exist_ok=True)
        (at / "rates" / f"{name}.toml").write_text(GPU_ROWS)
        return at

    return build


async def bought(name: str, request, model: str, at: Path, *paths: Path):
    async with opened(name, at, registry={"paths": [str(path) for path in paths]}) as shop:
        result = await shop.buy(request, model=model)
        assert (result.quote.basis, result.quote.high_usd) == ("unknown", None)
        assert result.quote.lines, result.quote.why
        assert abs(shop.spent.settled_usd - result.cost.amount_usd) < MICRO
        assert shop.spent.unpriced_jobs == 0
        return result.cost, shop.emulator.book.usd


@pytest.mark.parametrize(
    ("name", "model", "request_of"),
    [
        ("openai", "gpt-image-2", lambda _: TextToImage(prompt="a fox", size=WIDE)),
        ("openai", "gpt-image-2.5-flare", lambda _: ImageToImage(prompt="at night", image=STILL, size=WIDE)),
        ("topaz_video", "topaz_video:prob-4", lambda at: VideoUpscaling(video=clip(at), factor=2)),
        ("topaz_video", "topaz_video:apo-8", lambda at: FrameInterpolation(video=clip(at), fps=60)),
        (
            "ark",
            "seedance-2.0",
            lambda _: TextToVideo(prompt="x", duration_s=5, resolution="1080p", aspect_ratio="4:3"),
        ),
        ("dashscope", "wan-2.7", lambda _: VideoToVideo(video=FAR, prompt="at night", duration_s=5)),
        ("minimax", "minimax-h3", lambda _: VideoToVideo(video=FAR, prompt="at night", duration_s=5)),
    ],
)
async def test_what_is_counted_is_settled_at_the_bundled_rate(name, model, request_of, quick):
    cost, billed = await bought(name, request_of(quick), model, quick)
    assert (cost.source, cost.unpriced) == ("reported", False)
    assert cost.amount_usd > 0
    assert billed in (cost.amount_usd, 0), "of some the emulator does not know what a token costs"


@pytest.mark.parametrize(
    ("name", "model", "request_of"),
    [
        ("cog", "cog-mine", FOX),
        ("comfyui", "mine", FOX),
        ("openai_compatible", "mine-omni", TextToVideo(prompt="a fox", duration_s=2)),
        ("replicate", "replicate:nightmareai/real-esrgan", ImageUpscaling(image=STILL, factor=2)),
    ],
)
async def test_the_seconds_of_a_gpu_are_settled_at_ones_own_rate(name, model, request_of, quick, own):
    cost, _ = await bought(name, request_of, model, quick, own(name))
    (line,) = cost.lines
    assert (cost.source, line.unit, line.rate_usd) == ("reported", "gpu_second", Decimal("0.0003"))
    assert cost.amount_usd == line.high * line.rate_usd > 0


def test_what_is_not_counted_keeps_what_was_reserved():
    """Two units, one of them counted: what it comes to is still unknown."""
    lines = (
        Line("input_token", Decimal(1), Decimal(9), Decimal("0.1"), "a"),
        Line("credit", None, None, Decimal("0.08"), "b"),
    )
    open_price = Quote(None, None, "unknown", lines=lines)
    assert Quote.from_json(open_price.as_json()) == open_price
    left = settled(open_price, {"input_token": Decimal(2)}, reserved_usd=Decimal(5))
    assert (left.amount_usd, left.source, left.unpriced, left.lines) == (5, "reserved", True, ())
    part = settled(open_price, {"credit": Decimal(10)}, reserved_usd=Decimal(5))
    assert (part.amount_usd, part.source, part.unpriced) == (Decimal("1.70"), "computed", False)
    whole = settled(open_price, {"input_token": Decimal(2), "credit": Decimal(10)}, reserved_usd=Decimal(5))
    assert (whole.amount_usd, whole.source) == (Decimal("1.00"), "reported")


async def test_speech_is_settled_by_the_length_of_its_file(quick):
    """OpenAI counts tokens of sound and does not say how many; the page has dollars a minute."""
    async with opened("openai", quick) as shop:
        result = await shop.buy(
            TextToSpeech(text="Good morning.", voice="alloy", format="wav"), model="gpt-4o-mini-tts"
        )
        assert result.quote.basis == "unknown"
        seconds = Decimal(str(result.artifact.facts.duration_s))
        wanted = seconds * Decimal("0.00025") + Decimal("0.013") * Decimal("0.0006")
        assert abs(shop.spent.settled_usd - wanted) < MICRO * 2
        assert shop.spent.unpriced_jobs == 0
