"""Words for pictures, in the typeface of Pillow or of a file, on a panel that any ground lets read."""

from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Typeface", "cut", "letters", "panel", "unwritable"]

Typeface = ImageFont.FreeTypeFont | ImageFont.ImageFont

SCRIM: Final = (10, 12, 22, 176)
TEXT: Final = (255, 255, 255, 255)
OUTLINE: Final = (0, 0, 0, 255)
LARGEST_SHARE: Final = 0.055  # of the picture's height
SMALLEST_SHARE: Final = 0.03
SMALLEST_PX: Final = 8
WIDTH_SHARE: Final = 0.9
HEIGHT_SHARE: Final = 0.45
EDGE_SHARE: Final = 0.05  # kept free below the panel
ELLIPSIS: Final = "..."


@lru_cache(maxsize=64)
def letters(size_px: int, font: str | None = None) -> Typeface:
    """A typeface at a size.

    Raises:
        OSError: The file is not there, or is no font.

    """
    return ImageFont.load_default(size_px) if font is None else ImageFont.truetype(font, size_px)


def unwritable(text: str, typeface: Typeface) -> str:
    """The characters that the typeface has no letter for."""
    absent = bytes(typeface.getmask("\uffff"))
    return "".join(dict.fromkeys(c for c in text if not c.isspace() and bytes(typeface.getmask(c)) == absent))


def panel(text: str, picture_px: tuple[int, int], font: str | None) -> tuple[Image.Image, tuple[int, int]] | None:
    """The words in white on a dark panel, with its place at the foot of the picture; `None`: too many for the room."""
    width, height = picture_px
    smallest = max(SMALLEST_PX, int(height * SMALLEST_SHARE))
    for size_px in range(max(smallest, int(height * LARGEST_SHARE)), smallest - 1, -1):
        typeface, padding = letters(size_px, font), size_px // 2
        lines = _wrapped(text, typeface, int(width * WIDTH_SHARE) - 2 * padding)
        tall = len(lines) * size_px * 5 // 4 + 2 * padding
        if tall <= max(height * HEIGHT_SHARE, size_px * 5 // 4 + 2 * padding):
            break
    else:
        return None
    breadth = min(width, int(max(typeface.getlength(line) for line in lines)) + 1 + 2 * padding)
    drawn = Image.new("RGBA", (breadth, tall), (*SCRIM[:3], 0))
    pen = ImageDraw.Draw(drawn)
    pen.rounded_rectangle((0, 0, breadth - 1, tall - 1), radius=padding, fill=SCRIM)
    for row, line in enumerate(lines):
        middle = (breadth / 2, padding + (row + 0.5) * size_px * 5 / 4)
        pen.text(middle, line, font=typeface, fill=TEXT, anchor="mm", stroke_width=size_px // 16, stroke_fill=OUTLINE)
    return drawn, ((width - breadth) // 2, max(0, height - tall - int(height * EDGE_SHARE)))


def cut(text: str, typeface: Typeface, width_px: int) -> str:
    """The text, shortened where it is wider than this."""
    if typeface.getlength(text) <= width_px:
        return text
    while text and typeface.getlength(text + ELLIPSIS) > width_px:
        text = text[:-1]
    return text + ELLIPSIS


def _wrapped(text: str, typeface: Typeface, width_px: int) -> list[str]:
    """Lines no wider than this; a word wider than a line is broken too. The text's own line ends stay."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if typeface.getlength(longer) <= width_px:
                line = longer
                continue
            lines += [line] if line else []
            line = word
            while len(line) > 1 and typeface.getlength(line) > width_px:
                fits = next(
                    n for n in range(len(line) - 1, 0, -1) if n == 1 or typeface.getlength(line[:n]) <= width_px
                )
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    return lines
