"""The places a scene can be set in, by name.

Owns: the table. `landscapes` and `structures` build them.
Refuses: to choose among them.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from aggregator.local.landscapes import desert, forest, mountains, sea
from aggregator.local.shapes import Place
from aggregator.local.structures import city, room, space

PLACES: Final[dict[str, Callable[[Random, float], Place]]] = {
    "mountains": mountains,
    "city": city,
    "sea": sea,
    "forest": forest,
    "desert": desert,
    "room": room,
    "space": space,
}
