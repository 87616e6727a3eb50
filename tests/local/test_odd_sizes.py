"""Any shape of picture that an input may have can be filmed, and is billed as it was quoted."""

import io
from pathlib import Path

import pytest
from PIL import Image

from aggregator import Aggregator


def _png(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 160)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("size", [(333, 777), (101, 100), (1000, 401)])
async def test_a_film_of_an_odd_still_costs_what_was_quoted(tmp_path: Path, size: tuple[int, int]) -> None:
    async with Aggregator.local(tmp_path, allow_ephemeral=True) as agg, agg.project("odd") as p:
        for move in ("pan left", "push-in", "tilt up"):
            clip = await p.image_to_video(_png(size), move, duration_s=0.5, fps=8)
            assert clip.quote.basis == "exact"
            assert clip.cost.amount_usd == clip.quote.high_usd
            assert clip.cost.source == "reported"
            assert clip.artifact.facts is not None
            assert clip.artifact.facts.width is not None
            assert clip.artifact.facts.height is not None
            shape = clip.artifact.facts.width / clip.artifact.facts.height
            assert shape == pytest.approx(size[0] / size[1], rel=0.03)


@pytest.mark.parametrize("stage", ["prototype", "final"])
async def test_an_aspect_ratio_is_a_size_and_is_billed_as_quoted(tmp_path: Path, stage: str) -> None:
    async with Aggregator.local(tmp_path, allow_ephemeral=True) as agg, agg.project("ratio") as p:
        still = await p.text_to_image("a tall tower", aspect_ratio="9:16", stage=stage)
        assert still.quote.basis == "exact"
        assert still.cost.amount_usd == still.quote.high_usd
        assert still.warnings == ()
        assert still.artifact.facts is not None
        assert still.artifact.facts.height == {"prototype": 768, "final": 1536}[stage]
