"""One of every edit, small: what holds for all of them is asked of these."""

from typing import Any

from PIL import Image

from tests.editing.media import BLUE, GREEN, RED, Desk, clicks, ramp, tone


def of_every_kind(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    talking = desk.clip("talking", [RED] * 36, tone_hz=440)
    silent = desk.clip("silent", [BLUE] * 30, fps=30)
    grey = desk.clip("grey", ramp(48))
    music = desk.sound("music", clicks(120, 4))
    beep = desk.sound("beep", tone(880, 1.0))
    picture = desk.picture("picture", Image.new("RGB", (81, 61), GREEN))
    return [
        ("first-frame", {"video": grey}),
        ("last-frame", {"video": grey}),
        ("frame", {"video": grey, "at_s": 1.0}),
        ("trim", {"clip": talking, "start_s": 0.5, "end_s": 1.5}),
        ("trim", {"clip": beep, "start_s": 0.25, "duration_s": 0.5}),
        ("concatenate", {"clips": [talking, silent]}),
        ("concatenate", {"clips": [talking, silent, grey], "crossfade_s": 0.5}),
        ("mux-sound", {"video": grey, "audio": beep}),
        ("mux-sound", {"video": talking, "audio": beep, "fit": "shortest", "keep_sound": True}),
        ("mux-sound", {"video": talking, "audio": beep, "fit": "loop"}),
        ("mix", {"tracks": [beep, music], "volumes_db": [-6, 0], "starts_s": [3.5, 0]}),
        ("resize", {"picture": talking, "width": 51}),
        ("resize", {"picture": picture, "width": 40, "height": 40, "fit": "cover"}),
        ("colour-match", {"picture": talking, "reference": picture}),
        ("colour-match", {"picture": picture, "reference": picture}),
        ("captions", {"video": talking, "captions": [(0.2, 1.0, "Hello")]}),
        ("contact-sheet", {"pictures": [talking, picture, grey], "tile_px": 64, "labels": ["a", "b", "c"]}),
        ("cut-on-beats", {"clips": [talking, silent, grey], "music": music}),
        ("hold", {"image": picture, "duration_s": 1.5, "push_in": 0.2}),
    ]
