"""Pictures of files and frames: read, converted without a shift of colours, fitted into a size, written."""

from pathlib import Path
from typing import Final

import av
from av.video.reformatter import Interpolation
from PIL import Image, ImageOps, UnidentifiedImageError

from aggregator.editing.layout import Fit, even, inside
from aggregator.editing.sources import Source

__all__ = ["encodable", "fitted", "frame_of", "framed", "image_of", "open_picture", "save_png"]

PNG_COMPRESSION: Final = 3  # much quicker than the default for a few percent more bytes
READ: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
BLACK: Final = (0, 0, 0)
CLEAR: Final = (0, 0, 0, 0)
BT709: Final = 1
BT601: Final = 5
UNSPECIFIED: Final = 2
HD_HEIGHT_PX: Final = 720
"""From this height on, a clip that does not say which colours it has is taken for BT.709, as players do."""
SCALING: Final = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
)
"""Without the last two, exact rounding makes every picture two levels darker, step after step."""


def open_picture(source: Source) -> Image.Image:
    """A picture upright, as RGB, or as RGBA where it has clear parts."""
    source.on_open(source.field)
    try:
        with Image.open(source.path, formats=READ) as given:
            picture = ImageOps.exif_transpose(given)
            return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise source.error(f"cannot be read ({error})", "is the file whole? Make or fetch it again") from error


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a picture without anything beside its pixels."""
    picture.info.clear()
    picture.save(path, "PNG", compress_level=PNG_COMPRESSION)


def image_of(frame: av.VideoFrame) -> Image.Image:
    """The frame as RGB."""
    rgb = frame.reformat(format="rgb24", src_colorspace=_colours(frame), interpolation=SCALING, threads=1)
    image: Image.Image = rgb.to_image()  # type: ignore[no-untyped-call]
    return image


def frame_of(image: Image.Image) -> av.VideoFrame:
    """The picture as a frame of RGB."""
    frame: av.VideoFrame = av.VideoFrame.from_image(image.convert("RGB"))  # type: ignore[no-untyped-call]
    return frame


def encodable(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """The frame as the encoder takes it: 4:2:0 in BT.709, of this size."""
    return frame.reformat(
        *size,
        format="yuv420p",
        src_colorspace=_colours(frame),
        dst_colorspace=BT709,
        dst_color_range="MPEG",
        interpolation=SCALING,
        threads=1,
    )


def _colours(frame: av.VideoFrame) -> int:
    if frame.colorspace != UNSPECIFIED:
        return frame.colorspace
    return BT709 if frame.height >= HD_HEIGHT_PX else BT601


def fitted(picture: Image.Image, room: tuple[int, int], fit: Fit) -> Image.Image:
    """The picture in exactly this size. The bars of `contain` are clear where the picture can be, black elsewhere."""
    if picture.size == room:
        return picture
    size = inside(picture.size, room, fit)
    if fit == "cover":
        shown = (picture.width * room[0] / size[0], picture.height * room[1] / size[1])
        left, top = max(0.0, (picture.width - shown[0]) / 2), max(0.0, (picture.height - shown[1]) / 2)
        box = (left, top, min(picture.width, left + shown[0]), min(picture.height, top + shown[1]))
        return picture.resize(room, Image.Resampling.LANCZOS, box=box)
    drawn = picture.resize(size, Image.Resampling.LANCZOS)
    if size == room:
        return drawn
    ground = Image.new(picture.mode, room, CLEAR if picture.mode == "RGBA" else BLACK)
    ground.paste(drawn, ((room[0] - size[0]) // 2, (room[1] - size[1]) // 2))
    return ground


def framed(frame: av.VideoFrame, room: tuple[int, int], fit: Fit) -> av.VideoFrame:
    """The frame for a film of this size; one of the same shape is left for the encoder to scale."""
    size = frame.width, frame.height
    if fit == "stretch" or even(size) == room or inside(size, room, fit) == room:
        return frame
    return frame_of(fitted(image_of(frame), room, fit))
