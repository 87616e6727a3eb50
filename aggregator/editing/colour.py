"""Colours of one picture brought to another by mean and standard deviation.

The method of Reinhard, Ashikhmin, Gooch and Shirley, "Color Transfer between Images", IEEE Computer Graphics and
Applications 21(5), 2001, in CIE L*a*b* (D65) instead of their lαβ. It is applied as a table, which Pillow looks up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

__all__ = ["Colours", "matching"]

Values = NDArray[np.float64]

SAMPLE_PX: Final = 128
"""Colours are counted in pictures of at most this edge."""
TABLE_EDGE: Final = 33
MOST_CONTRAST: Final = 3.0
"""A nearly even picture is not blown up to noise."""
OPAQUE: Final = 128
# IEC 61966-2-1 (sRGB) to CIE XYZ, by the white of D65.
TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE: Final = TO_XYZ.sum(axis=1)
EPSILON: Final = 216 / 24389
KAPPA: Final = 24389 / 27


@dataclass(frozen=True, slots=True)
class Colours:
    """Mean and standard deviation of each L*a*b* channel."""

    mean: Values
    deviation: Values

    @classmethod
    def of(cls, pictures: Iterable[Image.Image]) -> "Colours":
        """Over all pictures, clear parts left out; one picture is held at a time."""
        count, total, squares = 0, np.zeros(3), np.zeros(3)
        for picture in pictures:
            small = picture.convert("RGBA")
            small.thumbnail((SAMPLE_PX, SAMPLE_PX), Image.Resampling.BOX)
            pixels = np.asarray(small).reshape(-1, 4)
            seen = pixels[pixels[:, 3] >= OPAQUE] if (pixels[:, 3] >= OPAQUE).any() else pixels
            lab = _lab(seen[:, :3] / 255)
            count += len(lab)
            total += lab.sum(axis=0)
            squares += (lab**2).sum(axis=0)
        mean = total / count
        return cls(mean, np.sqrt(np.maximum(squares / count - mean**2, 0)))


def matching(given: Colours, wanted: Colours, strength: float) -> ImageFilter.Color3DLUT:
    """The table that gives one set of colours the mean and deviation of another."""
    steps = np.linspace(0, 1, TABLE_EDGE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    rgb = np.stack((red, green, blue), axis=-1).reshape(-1, 3)
    contrast = np.minimum(MOST_CONTRAST, (wanted.deviation + 1e-3) / (given.deviation + 1e-3))
    matched = _rgb((_lab(rgb) - given.mean) * contrast + wanted.mean)
    return ImageFilter.Color3DLUT(TABLE_EDGE, (rgb + (matched - rgb) * strength).ravel().tolist())


def _lab(rgb: Values) -> Values:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - of the standard
    xyz = linear @ TO_XYZ.T / WHITE
    f = np.where(xyz > EPSILON, np.cbrt(xyz), (KAPPA * xyz + 16) / 116)
    return np.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), axis=-1)


def _rgb(lab: Values) -> Values:
    middle = (lab[:, 0] + 16) / 116
    f = np.stack((middle + lab[:, 1] / 500, middle, middle - lab[:, 2] / 200), axis=-1)
    xyz = np.where(f**3 > EPSILON, f**3, (116 * f - 16) / KAPPA) * WHITE
    linear = np.clip(xyz @ np.linalg.inv(TO_XYZ).T, 0, 1)
    rgb: Values = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return rgb
