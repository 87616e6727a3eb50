"""The colours of the hero model: skies and lights by hour, bodies by place, and what catches the eye.

Owns: the tables and the two colours everything is mixed from, the air's and a thing's own.
Refuses: to draw.
"""

from typing import Final

from aggregator.local.canvas import Colour, blend
from aggregator.local.scene import Scene

SKIES: Final[dict[str, tuple[Colour, Colour, Colour]]] = {
    "dawn": ((74, 92, 148), (226, 150, 142), (255, 218, 172)),
    "day": ((52, 120, 192), (132, 186, 226), (226, 238, 236)),
    "dusk": ((38, 34, 82), (172, 76, 104), (255, 176, 100)),
    "night": ((8, 13, 36), (22, 36, 76), (66, 88, 136)),
}
SPACE_SKY: Final = ((5, 6, 20), (26, 18, 54), (70, 42, 92))
LIGHTS: Final[dict[str, Colour]] = {
    "dawn": (255, 226, 176),
    "day": (255, 250, 226),
    "dusk": (255, 204, 130),
    "night": (206, 222, 255),
}
BODIES: Final[dict[str, Colour]] = {
    "mountains": (44, 66, 70),
    "city": (46, 50, 70),
    "sea": (18, 66, 88),
    "forest": (26, 62, 46),
    "desert": (178, 104, 58),
    "room": (118, 84, 66),
    "space": (92, 80, 108),
}
# How much of the colour of things is left in the light of the hour.
HOUR_STRENGTH: Final = {"dawn": 0.84, "day": 1.0, "dusk": 0.66, "night": 0.42}
ACCENTS: Final[tuple[Colour, ...]] = ((222, 74, 52), (236, 164, 48), (38, 146, 152), (198, 60, 96), (86, 112, 200))
FURS: Final[tuple[Colour, ...]] = ((196, 104, 48), (132, 88, 58), (176, 140, 100))
LEAVES: Final[tuple[Colour, ...]] = ((92, 134, 62), (188, 120, 44), (64, 116, 84))
LAMP: Final[Colour] = (255, 214, 128)
FOG_HAZE: Final = 0.35
NEAR_LENS: Final = 0.9  # from this depth on things are dark and out of focus


def haze(scene: Scene) -> Colour:
    """The colour of the air, which far things take on."""
    if scene.setting == "space":
        return blend(SPACE_SKY[2], BODIES["space"], 0.4)
    return blend(blend(SKIES[scene.hour][2], SKIES[scene.hour][1], 0.5), SKIES[scene.hour][0], 0.12)


def body_colour(scene: Scene, depth: float) -> Colour:
    """The colour of things at a depth: their own when near, the air's when far."""
    own = blend((6, 8, 18), BODIES[scene.setting], HOUR_STRENGTH[scene.hour])
    share = min(1.0, 0.3 + depth * 0.95)
    if scene.weather == "fog":
        share = max(0.05, share - FOG_HAZE)
    if scene.setting == "room":
        share = 0.8 + depth * 0.2
    colour = blend(haze(scene), own, share)
    return blend(colour, (8, 10, 18), 0.62) if depth >= NEAR_LENS else colour
