"""The formulas, pinned with worked numbers, and what may be imported for them."""

import subprocess
import sys
from decimal import Decimal

import pytest

from aggregator.local import defaults
from aggregator.local.camera import move_named_in
from aggregator.local.compute import compute_seconds, speech_seconds_bounds


@pytest.mark.parametrize(
    ("task", "made", "expected"),
    [
        ("text-to-image", {"pixels": 768 * 432}, "0.166"),  # 0.5 × 0.331776 = 0.165888
        ("text-to-image", {"pixels": 1536 * 864}, "0.664"),  # 0.5 × 1.327104 = 0.663552
        ("image-to-image", {"pixels": 1_000_000}, "0.500"),
        ("image-upscaling", {"pixels": 1536 * 864}, "0.265"),  # 0.2 × 1.327104 = 0.2654208
        ("text-to-video", {"pixels": 640 * 360, "frames": 48}, "0.352"),  # 0.02 + 0.03 × 48 × 0.2304 = 0.351776
        ("image-to-video", {"pixels": 1280 * 720, "frames": 120}, "3.338"),  # 0.02 + 0.03 × 120 × 0.9216 = 3.33776
        ("text-to-speech", {"seconds": 3.5, "characters": 60}, "0.181"),  # 0.006 + 0.175
        ("text-to-sound", {"seconds": 3.0}, "0.060"),
        ("text-to-music", {"seconds": 10.0}, "0.400"),
        ("text-to-image", {"pixels": 1}, "0.001"),
    ],
)
def test_worked_numbers(task: str, made: dict[str, float], expected: str) -> None:
    assert str(compute_seconds(task, **made)) == expected


def test_an_unknown_task_has_no_price() -> None:
    with pytest.raises(ValueError, match="no compute formula"):
        compute_seconds("text-to-smell")


def test_every_task_has_a_formula() -> None:
    for task in defaults.TASKS:
        assert compute_seconds(task, pixels=10**6, frames=10, seconds=1, characters=10) > 0


def test_speech_bounds() -> None:
    assert speech_seconds_bounds(100) == (Decimal("2.10"), Decimal("27.00"))


def test_pricing_imports_nothing_heavy() -> None:
    script = (
        "import sys, aggregator.local.compute, aggregator.local.defaults\n"
        "print(sorted({'av', 'PIL', 'starlette', 'espeakng_loader'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_says_how_to_install_it() -> None:
    script = (
        "import sys; sys.modules['av'] = None\n"
        "from aggregator.errors import ConfigurationError\n"
        "try:\n    from aggregator.local import LocalApp\n"
        "except ConfigurationError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 'pip install "aggregator[local]"' in done.stdout


@pytest.mark.parametrize("aspect", [0.02, 0.5625, 1.0, 16 / 9, 2.39, 50.0])
def test_derived_sizes_stay_inside_budget_and_limits(aspect: float) -> None:
    for model in defaults.DEFAULTS.values():
        width, height = defaults.size_within_budget(aspect, model.video_size_px)
        assert width * height <= model.video_size_px[0] * model.video_size_px[1]
        assert min(width, height) >= defaults.MIN_SIDE_PX
        assert max(width, height) <= defaults.MAX_SIDE_PX
        assert width % 2 == height % 2 == 0
    assert defaults.size_within_budget(16 / 9, (1280, 720)) == (1280, 720)


@pytest.mark.parametrize(
    ("prompt", "move"),
    [
        ("slow push-in on the boat", "push-in"),
        ("then we zoom out", "pull-out"),
        ("Panning left across town", "pan-left"),
        ("pan to the right, then tilt up", "pan-right"),
        ("tilts down", "tilt-down"),
        ("locked-off shot", "static"),
        ("a dog", "push-in"),
    ],
)
def test_moves_are_read_in_the_prompt(prompt: str, move: str) -> None:
    assert move_named_in(prompt) == move
