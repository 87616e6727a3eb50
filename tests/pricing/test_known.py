"""What is known of inputs before a request is made: seconds and pixels that were probed, and how many pictures."""

from decimal import Decimal

import pytest

from aggregator.inputs import Media
from aggregator.pricing.known import DERIVED
from aggregator.registry.units import units
from aggregator.tasks import Reference

CLIP = Media(url="https://example.com/a.mp4", width=1280, height=720, duration_s=4.25)
STILL = Media(url="https://example.com/a.png", width=1000, height=500)
UNSEEN = Media(url="https://example.com/b.mp4")
GUIDE = Reference(image=STILL)


@pytest.mark.parametrize(
    ("name", "values", "amount"),
    [
        ("input_video_seconds", {"video": CLIP}, "4.25"),
        ("input_video_seconds", {"video": UNSEEN}, None),
        ("input_video_seconds", {}, None),
        ("input_audio_seconds", {"audio": CLIP}, "4.25"),
        ("input_audio_seconds", {"audio": True}, None),
        ("input_megapixels", {"image": STILL}, "0.5"),
        ("input_megapixels", {"video": CLIP}, "0.9216"),
        ("input_megapixels", {"image": UNSEEN}, None),
        ("input_images", {}, "0"),
        ("input_images", {"image": STILL, "last_image": STILL, "references": (GUIDE, GUIDE)}, "4"),
        ("input_images", {"video": CLIP, "mask": STILL}, "1"),
    ],
)
def test_quantities_of_inputs(name, values, amount):
    expected = None if amount is None else (Decimal(amount), Decimal(amount))
    assert DERIVED[name](values) == expected


def test_tokens_in_and_out_are_two_units():
    assert {"input_token", "output_token"} <= set(units())
