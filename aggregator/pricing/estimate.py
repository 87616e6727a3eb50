"""How long a model that was never run here should keep a GPU busy, reckoned from its shape: an estimate, marked as one.

Diffusion is bound by compute. One pass of a transformer costs every token two operations per parameter and, in each
layer, four per unit of width for every other token (attention: a clip twice as long costs more than twice as much);
a step is one or two passes, a picture or clip so many steps. Tokens are pixels and frames over what one token stands
for. "Video Killed the Energy Budget" (arXiv 2509.19222) validates the same model on an H100. A U-Net's operations
grow in the same way: it is written as a transformer that comes to as many.

Not in it: text encoders, decoding, loading, and weights that do not fit the card and are moved about. What speaks or
plays one token after another (MusicGen, XTTS, Chatterbox) waits for memory and not for operations: that stays unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil
from typing import Any

from aggregator.pricing.money import exact
from aggregator.registry.cards import Compute, Offer, Work

__all__ = ["GPUS", "PETAFLOPS", "Gpu", "gpu_of", "operations", "petaflops", "reckoned"]

PETAFLOPS = "petaflops"
"""What an estimated job is counted by: 10^15 operations."""
GOOD, POOR = Decimal("0.9"), Decimal("0.25")
"""The shares of a GPU's peak that engines reach, best and worst, where a card says no other (`Work.reach`). Published
times lie between: `tests/estimate`.
"""
_PETA = Decimal(10) ** 15
_SHOWN = Decimal("0.0001")
_AUDIO_VIDEO = frozenset({"text-to-video", "image-to-video", "video-to-video"})


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card."""

    name: str
    teraflops: Decimal
    """Dense bf16 on its matrix units, adding up in fp32: not the figure with sparsity, which is twice that."""
    source: str


def _gpus(*rows: tuple[str, str, str]) -> dict[str, Gpu]:
    return {name: Gpu(name, Decimal(teraflops), source) for name, teraflops, source in rows}


_TITAN = "as pytorch/torchtitan@0258167 quotes it"
_NANOCHAT = "as the table of karpathy/nanochat has it; the document itself was not read"
GPUS = _gpus(
    ("B200", "2250", f"NVIDIA Blackwell data sheet, {_TITAN}"),
    ("H200", "989", f"nvidia.com/en-us/data-center/h200, {_TITAN}"),
    ("H100 PCIe", "756", f"nvidia.com/en-us/data-center/h100, {_TITAN}"),
    ("H100", "989", f"nvidia.com/en-us/data-center/h100 (SXM), {_TITAN}"),
    ("A100", "312", f"nvidia.com/en-us/data-center/a100, {_TITAN}"),
    ("L40S", "362", f"NVIDIA L40S data sheet, {_TITAN}"),
    ("L4", "121", f"NVIDIA L4 data sheet, {_NANOCHAT}"),
    ("A10G", "70", "NVIDIA A10G in AWS g5: unverified"),
    ("A10", "125", "NVIDIA A10 data sheet, as Lightning-AI/pytorch-lightning@0810121 quotes it"),
    ("A6000", "155", "NVIDIA RTX A6000 data sheet: unverified"),
    ("RTX 5090", "209", f"NVIDIA Blackwell RTX white paper, {_NANOCHAT}"),
    ("RTX 4090", "165", f"NVIDIA Ada white paper, {_NANOCHAT}"),
    ("RTX 3090", "71", f"NVIDIA Ampere GA102 white paper, {_NANOCHAT}"),
)
"""By the name that stands in the configuration; fp16 adding up in fp16 is faster on consumer cards, and not counted.
Who quotes a document was read on 2026-11-22, all without sparsity.
"""


def gpu_of(name: str) -> Gpu | None:
    """The card a name means, such as `H100 80 GB` or `NVIDIA RTX 4090`; `None`: it is not in the table."""
    words = name.casefold().replace("-", " ").split()
    found = [gpu for gpu in GPUS.values() if all(word in words for word in gpu.name.casefold().split())]
    return max(found, key=lambda gpu: len(gpu.name.split()), default=None)


def operations(work: Work, *, width: int = 0, height: int = 0, frames: int = 1, seconds: Decimal = Decimal(0)) -> int:
    """What one picture, clip or sound takes, in floating point operations."""
    edge = work.pixels_per_token
    if edge:
        tokens = ceil(width / edge) * ceil(height / edge) * _latent(work, frames)
    else:
        tokens = work.tokens or ceil(seconds * work.tokens_per_s)
    linear = 2 * int(work.parameters * 10**9) * tokens
    attention = 4 * work.layers * work.width * tokens**2
    return (linear + attention) * work.passes * work.steps


def _latent(work: Work, frames: int) -> int:
    """Frames after compression: the first stands alone."""
    return ceil((frames - 1) / work.frames_per_token) + 1


def petaflops(offer: Offer, values: Mapping[str, Any]) -> Decimal | None:
    """What a request takes there, by its values with the offer's defaults; `None` where size or length is not known."""
    if offer.work is None:
        return None
    if not offer.work.pixels_per_token:
        seconds = exact(values.get("duration_s"))
        if seconds is None and not offer.work.tokens:
            return None
        counted = operations(offer.work, seconds=seconds or Decimal(0))
    else:
        size, frames = values.get("size"), _frames(offer, values)
        if not isinstance(size, list | tuple) or frames is None:
            return None
        counted = operations(offer.work, width=int(size[0]), height=int(size[1]), frames=frames)
    return Decimal(f"{counted / _PETA:.4g}")


def _frames(offer: Offer, values: Mapping[str, Any]) -> int | None:
    """How many are made: one of a picture."""
    if offer.task not in _AUDIO_VIDEO:
        return 1
    length, fps = exact(values.get("duration_s")), exact(values.get("fps"))
    return None if length is None or fps is None else max(1, round(length * fps))


def reckoned(offer: Offer, gpu_name: str | None) -> Compute | None:
    """GPU-seconds for each 10^15 operations, by the card's peak and what engines reach of it.

    `None`: the shape of the model or the card is not known.
    """
    gpu = None if gpu_name is None else gpu_of(gpu_name)
    if offer.work is None or gpu is None:
        return None
    peak_s, (least, most) = 1000 / gpu.teraflops, offer.work.reach or (POOR, GOOD)
    low_s, high_s = ((peak_s / share).quantize(_SHOWN, ROUND_HALF_EVEN) for share in (most, least))
    of = offer.work
    said = f"reckoned as {of.parameters} billion parameters for every token, {of.steps} steps; never measured here"
    return Compute(gpu.name, PETAFLOPS, low_s, high_s, source=said)
