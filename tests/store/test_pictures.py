"""The size of a picture, by its header: as Pillow writes them, and as nobody should."""

import io
import struct

import pytest
from PIL import Image

from aggregator.store.pictures import MAX_PIXELS, size_px

FORMS = {
    "image/png": [("PNG", {})],
    "image/jpeg": [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"exif": b"Exif\0\0" + bytes(60_000)})],
    "image/gif": [("GIF", {})],
    "image/webp": [("WEBP", {}), ("WEBP", {"lossless": True}), ("WEBP", {"exif": b"Exif\0\0" + bytes(100)})],
    "image/avif": [("AVIF", {})],
}


@pytest.mark.parametrize(
    ("mime_type", "form", "options"), [(mime, form, options) for mime, all_ in FORMS.items() for form, options in all_]
)
@pytest.mark.parametrize("size", [(1, 1), (300, 200), (255, 513)])
def test_it_is_what_was_written(
    mime_type: str, form: str, options: dict[str, object], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 40, 0)).save(file, form, **options)  # type: ignore[arg-type]
    file.seek(7)
    assert size_px(file, mime_type) == size


def test_the_largest_that_is_sold_is_not_too_large() -> None:
    assert 32_000 * 16_000 <= MAX_PIXELS < 100_000 * 100_000


@pytest.mark.parametrize("mime_type", FORMS)
@pytest.mark.parametrize("raw", [b"", b"\xff\xd8", bytes(40), b"\xff" * 40, b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\0"])
def test_a_header_that_says_nothing(mime_type: str, raw: bytes) -> None:
    assert size_px(io.BytesIO(raw), mime_type) in (None, (0xFFFF, 0xFFFF), (0xFFFFFFFF, 0xFFFFFFFF))


def test_segments_without_end_are_given_up() -> None:
    assert size_px(io.BytesIO(b"\xff\xd8" + b"\xff\xe0\0\x02" * 100_000), "image/jpeg") is None


def test_lone_markers_and_fill_are_passed_over() -> None:
    frame = b"\xff\xff\xff\xc2" + struct.pack(">HBHHB", 17, 8, 20, 30, 3)
    assert size_px(io.BytesIO(b"\xff\xd8\xff\x01\xff\xd0" + frame), "image/jpeg") == (30, 20)


def test_of_several_parts_of_an_avif_the_largest_counts() -> None:
    parts = b"".join(
        b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", *one) for one in ((64, 64), (90_000, 90_000), (512, 512))
    )
    assert size_px(io.BytesIO(b"\0\0\0\x18ftypavif" + parts), "image/avif") == (90_000, 90_000)
