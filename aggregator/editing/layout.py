"""Where pictures go: sizes that fit others, and the cells of a grid. Numbers only, for plans as for drawing."""

import math
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Fit", "Grid", "even", "inside", "other_edge"]

Fit = Literal["contain", "cover", "stretch"]
"""How a picture fills a size of another shape: whole within bars, filling it with its edges cut, or pulled."""

GAP_PX: Final = 8


def even(size: tuple[int, int]) -> tuple[int, int]:
    """A size that H.264 can hold in 4:2:0, whose colours have half the picture's size: raised by one where odd."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def other_edge(size: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """The size that is asked for; an edge that is left out follows the shape of `size`."""
    if width is None and height is None:
        return size
    if width is None:
        assert height is not None
        width = max(1, round(size[0] * height / size[1]))
    return width, max(1, round(size[1] * width / size[0])) if height is None else height


def inside(size: tuple[int, int], room: tuple[int, int], fit: Fit) -> tuple[int, int]:
    """How large a picture of `size` is drawn to fit `room`: larger than it for `cover`."""
    if fit == "stretch":
        return room
    scales = room[0] / size[0], room[1] / size[1]
    scale = min(scales) if fit == "contain" else max(scales)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@dataclass(frozen=True, slots=True)
class Grid:
    """Equal tiles with their labels below them."""

    count: int
    columns: int
    tile_px: tuple[int, int]

    @classmethod
    def of(cls, count: int, columns: int | None, tile_px: int, first_px: tuple[int, int]) -> "Grid":
        """Tiles of the shape of the first picture; as square a grid as may be unless `columns` says otherwise."""
        return cls(count, min(count, columns or math.ceil(math.sqrt(count))), other_edge(first_px, tile_px, None))

    @property
    def label_px(self) -> int:
        """The height of the letters below a tile."""
        return max(10, self.tile_px[0] // 20)

    @property
    def size(self) -> tuple[int, int]:
        rows = math.ceil(self.count / self.columns)
        step = self._step
        return self.columns * step[0] + GAP_PX, rows * step[1] + GAP_PX

    def tile(self, number: int) -> tuple[int, int]:
        """The upper left corner of a tile."""
        row, column = divmod(number, self.columns)
        return GAP_PX + column * self._step[0], GAP_PX + row * self._step[1]

    @property
    def _step(self) -> tuple[int, int]:
        return self.tile_px[0] + GAP_PX, self.tile_px[1] + self.label_px * 2 + GAP_PX
