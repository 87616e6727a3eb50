"""Words in the picture: the prompt on a panel, and the label that says what the picture is.

Owns: wrapping, the size at which words stay legible, and that nothing ever runs over its panel.
Refuses: to place anything outside the title-safe area, which a camera move on a still keeps in view.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from aggregator.local.canvas import Colour

SAFE_SHARE: Final = 0.08  # of each side, kept free of words at the edges
CAPTION_WIDTH_SHARE: Final = 0.84
CAPTION_HEIGHT_SHARE: Final = 0.5
CAPTION_BAND_SHARE: Final = 0.15  # of the height, below the feet of every subject
LARGEST_TEXT_SHARE: Final = 0.042  # of the picture's height
SMALLEST_TEXT_SHARE: Final = 0.026
SMALLEST_TEXT_PX: Final = 9
SMALLEST_LABEL_PX: Final = 6
ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Style:
    """The look of a panel."""

    scrim: tuple[int, int, int, int]
    text: Colour
    quiet: Colour
    border: Colour | None


PAPER_STYLE: Final = Style((252, 250, 245, 242), (36, 36, 42), (96, 96, 102), (58, 58, 64))
SCREEN_STYLE: Final = Style((10, 12, 22, 172), (255, 255, 255), (206, 212, 226), None)


@dataclass(frozen=True, slots=True)
class Panel:
    """Words ready to be laid over a picture."""

    image: Image.Image
    left_px: int
    top_px: int

    def lay_on(self, picture: Image.Image) -> None:
        picture.paste(self.image, (self.left_px, self.top_px), self.image)


@lru_cache(maxsize=32)
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The bundled typeface at a size."""
    return ImageFont.load_default(size_px)


def unwritable_characters(text: str) -> int:
    """How many characters the bundled font has no glyph for."""
    typeface = font(16)
    absent = bytes(typeface.getmask("\uffff"))
    return sum(1 for letter in text if not letter.isspace() and bytes(typeface.getmask(letter)) == absent)


def caption(picture_px: tuple[int, int], text: str, heading: str, style: Style, *, high: bool = False) -> Panel:
    """The prompt on a panel at the lower (or upper) left: as large as fits a low band, smaller before it grows tall.

    Only a text too long for the tallest panel in the smallest letters is cut, with an ellipsis.
    """
    width, height = picture_px
    smallest = max(SMALLEST_TEXT_PX, int(height * SMALLEST_TEXT_SHARE))
    words = " ".join(text.split())
    for size_px in range(max(smallest, int(height * LARGEST_TEXT_SHARE)), smallest - 1, -1):
        layout = _Layout(size_px, int(width * CAPTION_WIDTH_SHARE))
        lines = wrap(words, size_px, layout.text_width_px)
        if layout.height_px(len(lines)) <= height * CAPTION_BAND_SHARE:
            break
    most = next(n for n in range(len(lines), 0, -1) if n == 1 or layout.height_px(n) <= height * CAPTION_HEIGHT_SHARE)
    if most < len(lines):
        lines = [*lines[: most - 1], _cut(lines[most - 1], layout.size_px, layout.text_width_px - layout.size_px)]
        lines[-1] = lines[-1].rstrip(ELLIPSIS) + ELLIPSIS
    heading = _cut(heading, layout.heading_px, layout.text_width_px)
    breadth = max(font(layout.size_px).getlength(line) for line in lines)
    breadth = int(max(breadth, font(layout.heading_px).getlength(heading))) + 2 * layout.padding_px + 1
    tall = layout.height_px(len(lines))
    panel, pen = _panel(breadth, tall, style)
    left = layout.padding_px
    pen.text((left, left), heading, font=font(layout.heading_px), fill=style.quiet)
    for row, line in enumerate(lines):
        pen.text((left, layout.line_top_px(row)), line, font=font(layout.size_px), fill=style.text)
    edge = int(height * SAFE_SHARE)
    return Panel(panel, int(width * SAFE_SHARE), edge if high else max(0, height - edge - tall))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The measures of a caption in letters of one size."""

    size_px: int
    width_px: int

    @property
    def padding_px(self) -> int:
        return max(3, self.size_px * 2 // 3)

    @property
    def heading_px(self) -> int:
        return max(SMALLEST_LABEL_PX, self.size_px * 2 // 3)

    @property
    def text_width_px(self) -> int:
        return self.width_px - 2 * self.padding_px

    def line_top_px(self, row: int) -> int:
        return self.padding_px + self.heading_px * 3 // 2 + row * (self.size_px * 5 // 4)

    def height_px(self, lines: int) -> int:
        return self.line_top_px(lines) + self.padding_px


@lru_cache(maxsize=64)
def label(picture_px: tuple[int, int], text: str, style: Style, *, right: bool = False) -> Panel:
    """A small line on a panel at the upper left, or at the upper right for what changes while a film runs."""
    width, height = picture_px
    size_px = max(SMALLEST_LABEL_PX, round(height * 0.026))
    while size_px > SMALLEST_LABEL_PX and font(size_px).getlength(text) + size_px * 2 > width * 0.8:
        size_px -= 1
    padding = max(2, size_px // 2)
    breadth = min(width, int(font(size_px).getlength(text)) + 1 + 2 * padding)
    panel, pen = _panel(breadth, size_px + 2 * padding, style)
    pen.text((padding, padding - size_px // 8), text, font=font(size_px), fill=style.text)
    edge = min(int(height * SAFE_SHARE * 0.6), max(0, width - breadth))
    return Panel(panel, width - edge - breadth if right else edge, edge)


def wrap(text: str, size_px: int, width_px: int) -> list[str]:
    """Break text into lines no wider than this; a word wider than a line is broken too."""
    typeface = font(size_px)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if typeface.getlength(longer) <= width_px:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while len(line) > (fits := _letters_that_fit(line, size_px, width_px)):
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line]


def _letters_that_fit(text: str, size_px: int, width_px: int) -> int:
    """How many first letters of a text fit in a width, at least one: found by halving, for texts may be long."""
    typeface = font(size_px)
    low, high = 1, max(1, min(len(text), width_px))  # no letter is narrower than a pixel
    while low < high:
        middle = (low + high + 1) // 2
        if typeface.getlength(text[:middle]) <= width_px:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, size_px: int, width_px: int) -> str:
    """The text, shortened with an ellipsis when it is wider than this."""
    if font(size_px).getlength(text) <= width_px:
        return text
    room_px = width_px - font(size_px).getlength(ELLIPSIS)
    return text[: _letters_that_fit(text, size_px, int(room_px))].rstrip(ELLIPSIS + " ") + ELLIPSIS


def _panel(width_px: int, height_px: int, style: Style) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    panel = Image.new("RGBA", (width_px, height_px), (*style.scrim[:3], 0))
    pen = ImageDraw.Draw(panel)
    corner = (0, 0, width_px - 1, height_px - 1)
    if style.border is None:
        pen.rounded_rectangle(corner, radius=max(2, height_px // 12), fill=style.scrim)
    else:
        pen.rectangle(corner, fill=style.scrim, outline=style.border, width=max(1, height_px // 60))
    return panel, pen
