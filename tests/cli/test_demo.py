"""The demo from end to end, once; then again in the same directory."""

import json
import wave
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from .conftest import Command


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    directory = tmp_path_factory.mktemp("demo")
    return directory, Command().json("demo", "--dir", str(directory))


def test_the_files_are_what_they_say(played: tuple[Path, Any]) -> None:
    directory, _ = played
    sizes = {}
    for name in ("still.png", "large.png"):
        with Image.open(directory / name) as image:
            assert image.format == "PNG"
            sizes[name] = image.size
    assert sizes["large.png"] == tuple(2 * side for side in sizes["still.png"])
    heights = {}
    for name in ("draft.mp4", "final.mp4"):
        with av.open(directory / name) as clip:
            assert clip.streams.video[0].codec_context.name == "h264"
            assert clip.streams.audio[0].codec_context.name == "aac"
            heights[name] = clip.streams.video[0].height
    assert heights["final.mp4"] > heights["draft.mp4"]
    with wave.open(str(directory / "line.wav")) as line:
        assert line.getnframes() > line.getframerate()
    assert json.loads((directory / "demo.json").read_text())["steps"][0]["lineage"]["key"] == "still"


def test_spend_is_the_sum_of_the_charges_and_nothing_is_paid_twice(played: tuple[Path, Any]) -> None:
    _, said = played
    charges = [Decimal(step["charged_usd"]) for step in said["steps"]]
    assert sum(charges) == Decimal(said["spend"]["settled_usd"]) == Decimal(said["charged_usd"]) > 0
    assert Decimal(said["charged_again_usd"]) == 0
    assert all(step["reused_again"] and not step["reused"] for step in said["steps"])
    assert all(step["took_s"] > 0 and step["is_stand_in"] for step in said["steps"])
    assert "stand-ins" in said["note"]


def test_the_promotion_keeps_the_approved_picture(played: tuple[Path, Any]) -> None:
    _, said = played
    steps = {step["step"]: step for step in said["steps"]}
    assert said["promotion"]["kept"] == ["large"]
    assert steps["final"]["stage"] == "final"
    assert steps["final"]["lineage"]["parents"] == steps["draft"]["lineage"]["parents"]
    assert steps["final"]["quoted_usd"] == said["promotion"]["high_usd"]


def test_a_second_invocation_makes_nothing(played: tuple[Path, Any], run: Command) -> None:
    directory, first = played
    ended = run("demo", "--dir", str(directory))
    assert "run 1: $0.00 new" in ended.out
    assert "stand-ins" in ended.out
    assert "final.mp4" in ended.out
    again = run.json("demo", "--dir", str(directory))
    assert again["spend"] == first["spend"]
    assert all(step["reused"] for step in again["steps"])
