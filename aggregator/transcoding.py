"""Writing a picture in another format: one that a provider takes, where it does not take the one that was given.

Only what loses nothing that can be seen, and only pictures. It needs Pillow, which `aggregator[local]` brings.
"""

from collections.abc import Collection
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

__all__ = ["target_of", "transcoded"]

_FORMATS = {"image/png": "PNG", "image/webp": "WEBP", "image/jpeg": "JPEG"}
"""What can be written, what loses nothing first."""
_READ = {*_FORMATS, "image/bmp", "image/tiff"}
_JPEG_QUALITY = 95
_WHITE = (255, 255, 255)


def target_of(mime_type: str | None, taken: Collection[str]) -> str | None:
    """Which of the types that are taken a picture of this type can be written as here; `None`: none."""
    if mime_type not in _READ or find_spec("PIL") is None:
        return None
    return next((name for name in _FORMATS if name in taken), None)


def transcoded(source: Path, mime_type: str) -> bytes:
    """The picture as another type, upright.

    Raises:
        ValueError: It cannot be read.

    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(source) as given:
            picture = ImageOps.exif_transpose(given)
            if mime_type == "image/jpeg" and picture.mode != "RGB":
                picture = picture.convert("RGBA")
                ground = Image.new("RGB", picture.size, _WHITE)
                ground.paste(picture, mask=picture.getchannel("A"))
                picture = ground
            written = BytesIO()
            exact = {"lossless": True} if mime_type == "image/webp" else {}
            quality = {"quality": _JPEG_QUALITY} if mime_type == "image/jpeg" else {}
            picture.save(written, _FORMATS[mime_type], **exact, **quality)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise ValueError(f"the picture cannot be written as {mime_type}: {error}") from None
    return written.getvalue()
