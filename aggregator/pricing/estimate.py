"""How long a model that was never run here should keep a GPU busy, reckoned from its shape: an estimate, marked as one.

Diffusion is bound by compute. One pass of a transformer costs every token two operations per parameter and, in each
layer, four per unit of width for every other token (attention: a clip twice as long costs more than twice as much);
a step is one or two passes, a picture or clip so many steps. Tokens are pixels and frames over what one token stands
for. "Video Killed the Energy Budget" (arXiv 2509.19222) validates the same model on an H100.

Not in it: text encoders, decoding, loading, and weights that do not fit the card and are moved about.
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
"""The shares of a GPU's peak that engines reach, best and worst. Published times lie between: `tests/estimate`."""
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


GPUS = _gpus(
    ("B200", "2250", "NVIDIA DGX B200 data sheet, an eighth, without sparsity"),
    ("H200", "989", "NVIDIA H200 data sheet, without sparsity"),
    ("H100 PCIe", "756", "NVIDIA H100 data sheet, without sparsity"),
    ("H100", "989", "NVIDIA H100 data sheet (SXM), without sparsity"),
    ("A100", "312", "NVIDIA A100 data sheet"),
    ("L40S", "362", "NVIDIA L40S data sheet, without sparsity"),
    ("L4", "121", "NVIDIA L4 data sheet, without sparsity"),
    ("A10G", "70", "NVIDIA A10G in AWS g5, without sparsity"),
    ("A10", "125", "NVIDIA A10 data sheet"),
    ("A6000", "155", "NVIDIA RTX A6000 data sheet, without sparsity"),
    ("RTX 5090", "209", "NVIDIA Blackwell RTX white paper"),
    ("RTX 4090", "165", "NVIDIA Ada white paper"),
    ("RTX 3090", "71", "NVIDIA Ampere GA102 white paper"),
)
"""By the name that stands in the configuration; fp16 adding up in fp16 is faster on consumer cards, and not counted.
The figures are those that the named documents are known for; they were not opened again for this table: unverified.
"""


def gpu_of(name: str) -> Gpu | None:
    """The card a name means, such as `H100 80 GB` or `NVIDIA RTX 4090`; `None`: it is not in the table."""
    words = name.casefold().replace("-", " ").split()
    found = [gpu for gpu in GPUS.values() if all(word in words for word in gpu.name.casefold().split())]
    return max(found, key=lambda gpu: len(gpu.name.split()), default=None)


def operations(work: Work, *, width: int, height: int, frames: int = 1) -> int:
    """What one picture or clip takes, in floating point operations."""
    tokens = ceil(width / work.pixels_per_token) * ceil(height / work.pixels_per_token) * _latent(work, frames)
    linear = 2 * int(work.parameters * 10**9) * tokens
    attention = 4 * work.layers * work.width * tokens**2
    return (linear + attention) * work.passes * work.steps


def _latent(work: Work, frames: int) -> int:
    """Frames after compression: the first stands alone."""
    return ceil((frames - 1) / work.frames_per_token) + 1


def petaflops(offer: Offer, values: Mapping[str, Any]) -> Decimal | None:
    """What a request takes there, by its values with the offer's defaults; `None` where size or length is not known."""
    if offer.work is None or not isinstance(size := values.get("size"), list | tuple):
        return None
    frames = 1
    if offer.task in _AUDIO_VIDEO:
        length, fps = exact(values.get("duration_s")), exact(values.get("fps"))
        if length is None or fps is None:
            return None
        frames = max(1, round(length * fps))
    counted = operations(offer.work, width=int(size[0]), height=int(size[1]), frames=frames)
    return Decimal(f"{counted / _PETA:.4g}")


def reckoned(offer: Offer, gpu_name: str | None) -> Compute | None:
    """GPU-seconds for each 10^15 operations, by the card's peak and what engines reach of it.

    `None`: the shape of the model or the card is not known.
    """
    gpu = None if gpu_name is None else gpu_of(gpu_name)
    if offer.work is None or gpu is None:
        return None
    peak_s = 1000 / gpu.teraflops
    low_s, high_s = ((peak_s / share).quantize(_SHOWN, ROUND_HALF_EVEN) for share in (GOOD, POOR))
    said = f"reckoned from {offer.work.parameters} billion parameters and {offer.work.steps} steps, never measured here"
    return Compute(gpu.name, PETAFLOPS, low_s, high_s, source=said)
