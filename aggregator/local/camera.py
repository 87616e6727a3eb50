"""Camera moves: which one is meant, and where the lens is at any moment of a shot.

Owns: the moves, their words in a prompt, and easing.
Refuses: to touch pixels; `film` crops what the lens sees.
"""

import math
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class View:
    """Where the lens is: how far in, and how far off centre, each from -1 to 1."""

    zoom: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Move:
    """From one view to another."""

    start: View
    end: View

    def at(self, share: float, *, smooth: bool) -> View:
        """The view after this share of the shot. The smooth lens starts and stops gently, the plain one is linear."""
        eased = 0.5 - 0.5 * math.cos(math.pi * share) if smooth else share
        # Zoom is even to the eye when each moment multiplies it by the same amount.
        zoom = self.start.zoom * (self.end.zoom / self.start.zoom) ** eased
        x = self.start.x + (self.end.x - self.start.x) * eased
        return View(zoom, x, self.start.y + (self.end.y - self.start.y) * eased)


PUSH_ZOOM: Final = 1.14
TRAVEL_ZOOM: Final = 1.12  # a pan needs picture to travel over
TRAVEL: Final = 0.7  # of what there is, so that words inside the title-safe area stay in view

MOVES: Final[dict[str, Move]] = {
    "static": Move(View(1.0, 0, 0), View(1.0, 0, 0)),
    "push-in": Move(View(1.0, 0, 0), View(PUSH_ZOOM, 0, 0)),
    "pull-out": Move(View(PUSH_ZOOM, 0, 0), View(1.0, 0, 0)),
    "pan-left": Move(View(TRAVEL_ZOOM, TRAVEL, 0), View(TRAVEL_ZOOM, -TRAVEL, 0)),
    "pan-right": Move(View(TRAVEL_ZOOM, -TRAVEL, 0), View(TRAVEL_ZOOM, TRAVEL, 0)),
    "tilt-up": Move(View(TRAVEL_ZOOM, 0, TRAVEL), View(TRAVEL_ZOOM, 0, -TRAVEL)),
    "tilt-down": Move(View(TRAVEL_ZOOM, 0, -TRAVEL), View(TRAVEL_ZOOM, 0, TRAVEL)),
}

_WORDS: Final = {
    "push-in": r"push(es|ing)?[ -]?in|zoom(s|ing)?[ -]?in|dolly[ -]?in|closer|close[ -]in|move in",
    "pull-out": r"pull(s|ing)?[ -]?(out|back)|zoom(s|ing)?[ -]?out|dolly[ -]?out|reveal",
    "pan-left": r"pan(s|ning)?[ -](to the )?left|truck left|track(s|ing)? left",
    "pan-right": r"pan(s|ning)?[ -](to the )?right|truck right|track(s|ing)? right",
    "tilt-up": r"tilt(s|ing)?[ -]?up|crane[ -]?up|pan up",
    "tilt-down": r"tilt(s|ing)?[ -]?down|crane[ -]?down|pan down",
    "static": r"static|locked[ -]?off|no camera movement|still camera",
}


def move_named_in(prompt: str) -> str:
    """The move a prompt asks for first; a slow push-in when it asks for none."""
    found = [
        (hit.start(), move) for move, words in _WORDS.items() if (hit := re.search(rf"\b({words})\b", prompt.lower()))
    ]
    return min(found)[1] if found else "push-in"
