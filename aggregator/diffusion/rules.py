"""Which sizes and frame counts a family of pipelines can make, and which are the nearest to others.

diffusers 0.42.1, read in its pipelines: what they check, and what they only round. What a loaded pipeline says of
itself (the ratios of its VAE) counts before what its family usually has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm
from typing import Any, Final

from aggregator.diffusion.refusals import invalid

SPATIAL: Final = ("vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_scale_factor")
TEMPORAL: Final = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio", "vae_temporal_scale_factor")


@dataclass(frozen=True, slots=True)
class Family:
    """What its pipelines have in common."""

    size_px: int = 8
    """Width and height must be multiples of it."""
    packs: int = 1
    """How many pixels of the latent make one token, along one side."""
    fps: float | None = None
    """The frame rate its models were trained for; `None`: there is none."""
    several: bool = False
    """Whether a list of pictures is composed to one; to the others a list is a batch."""


FAMILIES: Final[Mapping[str, Family]] = {
    "Allegro": Family(fps=15),
    "CogVideoX": Family(8, 2, 8),
    "Cosmos": Family(16, 1, 30),
    "EasyAnimate": Family(16, 1, 8),
    "Flux": Family(1, 2),
    "Flux2": Family(1, 2, several=True),
    "HunyuanVideo": Family(16, 1, 24),
    "Kandinsky5": Family(16, 1, 24),
    "LTX": Family(32, 1, 25),
    "Mochi": Family(16, 1, 30),
    "QwenImage": Family(1, 2),
    "QwenImageEditPlus": Family(1, 2, several=True),
    "Sana": Family(32),
    "SanaVideo": Family(32, 1, 16),
    "SkyReelsV2": Family(16, 2, 24),
    "StableDiffusion3": Family(8, 2),
    "StableVideoDiffusion": Family(8, 1, 7),
    "Wan": Family(16, 2, 16),
    "ZImage": Family(1, 2),
}
"""By the beginning of the class name; the longest counts."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one loaded pipeline can make."""

    size_px: int
    frames: int | None
    """Frames are a multiple of it and one more; `None`: any number."""
    fps: float | None
    several: bool

    def check_size(self, field: str, width: int, height: int) -> None:
        """Refuse a size that the pipeline would refuse later, or round without a word."""
        if width % self.size_px or height % self.size_px:
            near = "x".join(str(_nearest(side, self.size_px, 0)) for side in (width, height))
            raise invalid(
                field,
                f"width and height must be multiples of {self.size_px}; {near} is the nearest to {width}x{height}",
            )

    def check_frames(self, frames: int) -> None:
        """Refuse a number of frames that the pipeline would round without a word."""
        if self.frames and frames % self.frames != 1 % self.frames:
            near = _nearest(frames, self.frames, 1)
            raise invalid(
                "num_frames", f"must be a multiple of {self.frames} and one more; {near} is the nearest to {frames}"
            )

    def frames_for(self, seconds: float, fps: float) -> int:
        """The number of frames that lasts so long, give or take one frame: the last one may close the interval."""
        wanted = seconds * fps
        near = _nearest(round(wanted), self.frames, 1) if self.frames else max(1, round(wanted))
        if abs(near - wanted) > 1:
            raise invalid(
                "seconds",
                f"{wanted:g} frames at {fps:g} per second cannot be made: the nearest is num_frames {near}, "
                f"which is {near / fps:.6g} seconds",
            )
        return near


def rules_of(pipe: Any) -> Rules:
    """The rules of a loaded pipeline."""
    known = [one for one in FAMILIES if type(pipe).__name__.startswith(one)]
    family = FAMILIES[max(known, key=len)] if known else Family()
    return Rules(
        size_px=lcm(family.size_px, (_said(pipe, SPATIAL) or 1) * family.packs),
        frames=_said(pipe, TEMPORAL),
        fps=family.fps,
        several=family.several,
    )


def _said(pipe: Any, names: tuple[str, ...]) -> int | None:
    said = (getattr(pipe, name, None) for name in names)
    return next((value for value in said if isinstance(value, int) and value > 0), None)


def _nearest(value: int, step: int, more: int) -> int:
    """The nearest multiple of `step` and `more`, and never nothing; of two as near, the larger."""
    least = more or step
    return max(least, (2 * (value - more) + step) // (2 * step) * step + more)
