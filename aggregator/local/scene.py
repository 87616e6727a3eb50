"""What is in the picture: a scene composed from prompt, seed and aspect, before anybody draws it.

Owns: reading the prompt for setting, hour, weather and subject, and placing them. Lengths are in picture heights:
x runs from 0 to `aspect`, y from 0 (top) to 1, and shapes reach beyond that for camera moves.
Refuses: to know pixels, colours or models. Both models draw the same `Scene`, which is what makes a promoted draft
recognisably the same picture.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import re
from dataclasses import dataclass
from random import Random
from typing import Final

from aggregator.local.places import PLACES
from aggregator.local.shapes import Layer, Shape, ellipse
from aggregator.local.subjects import SUBJECTS

SETTING_WORDS: Final = {
    "mountains": "mountain mountains peak peaks hill hills valley alpine cliff ridge summit glacier landscape canyon",
    "city": "city street skyline town urban downtown rooftop building buildings tower towers market alley skyscraper",
    "sea": "sea ocean beach coast harbour harbor shore island wave waves lake river bay ship boat lighthouse sailing",
    "forest": "forest woods wood tree trees jungle grove park garden meadow pine pines",
    "desert": "desert dune dunes sand sahara mesa camel oasis savanna",
    "room": "room interior kitchen office studio table desk indoors inside bedroom living cafe shop product bottle cup "
    "mug perfume sneaker shoe lab laboratory library",
    "space": "space planet moon stars galaxy orbit rocket astronaut mars cosmos spaceship nebula",
}
HOUR_WORDS: Final = {
    "dawn": "dawn sunrise morning early",
    "day": "day noon midday daylight bright sunny afternoon",
    "dusk": "dusk sunset evening golden twilight",
    "night": "night midnight moonlit moonlight dark neon starry",
}
WEATHER_WORDS: Final = {
    "rain": "rain rainy raining storm stormy drizzle thunder",
    "snow": "snow snowy snowing winter blizzard frost",
    "fog": "fog foggy mist misty haze hazy",
}
SUBJECT_WORDS: Final = {
    "person": "person man woman girl boy child hero walker hiker runner dancer someone figure detective astronaut chef "
    "traveller traveler he she portrait",
    "lighthouse": "lighthouse beacon",
    "boat": "boat ship sailboat sailing yacht vessel ferry",
    "car": "car taxi truck van vehicle driving bus",
    "house": "house cabin hut cottage home barn",
    "animal": "dog cat fox wolf horse deer animal lion bear puppy kitten cow",
    "bird": "bird birds eagle gull seagull crow owl parrot",
    "tree": "tree oak",
    "rocket": "rocket spaceship launch shuttle",
    "robot": "robot android machine",
    "bottle": "bottle perfume product can jar potion serum",
    "cup": "cup mug coffee tea teacup latte",
}
USUAL_SUBJECTS: Final = {
    "mountains": ("person", "house", "animal"),
    "city": ("person", "car"),
    "sea": ("boat", "lighthouse"),
    "forest": ("person", "animal", "house"),
    "desert": ("person", "car", "animal"),
    "room": ("bottle", "cup", "person"),
    "space": ("rocket", "robot", "person"),
}
USUAL_HOURS: Final = ("dawn", "day", "dusk", "dusk", "night")


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed picture: what it shows, where the light is, and its layers from far to near."""

    prompt: str
    seed: int
    aspect: float
    setting: str
    hour: str
    weather: str
    subject: str
    horizon: float
    light: tuple[float, float, float]
    clouds: tuple[tuple[Shape, ...], ...]
    layers: tuple[Layer, ...]

    def describe(self) -> dict[str, object]:
        """The composition in words and rounded numbers, the same for every model that draws it."""
        return {
            "setting": self.setting,
            "hour": self.hour,
            "weather": self.weather,
            "subject": self.subject,
            "horizon": round(self.horizon, 4),
            "light": [round(value, 4) for value in self.light],
            "layers": [layer.name for layer in self.layers],
        }


def compose(prompt: str, seed: int, aspect: float, negative_prompt: str = "") -> Scene:
    """Compose the scene for a prompt. Words of the negative prompt are not read in the prompt, nor drawn by chance."""
    refused = set(_words(negative_prompt))
    words = [word for word in _words(prompt) if word not in refused]
    chance = Random(f"{seed}/{' '.join(words)}")
    setting = _first_named(words, SETTING_WORDS) or _draw(chance, tuple(PLACES), refused)
    hour = _first_named(words, HOUR_WORDS) or _draw(chance, USUAL_HOURS, refused)
    weather = _first_named(words, WEATHER_WORDS) or "clear"
    subject = _first_named(words, SUBJECT_WORDS) or _draw(chance, USUAL_SUBJECTS[setting], refused)
    place = PLACES[setting](chance, aspect)
    light_x = chance.choice((chance.uniform(0.14, 0.34), chance.uniform(0.64, 0.86))) * aspect
    light_y = {"day": 0.16, "night": 0.2}.get(hour, place.horizon - 0.12) + chance.uniform(-0.03, 0.03)
    light = (light_x, light_y, chance.uniform(0.055, 0.085))
    # The subject stands away from the light, near a third of the width, which leaves the light room to breathe.
    subject_x = aspect * (chance.uniform(0.58, 0.7) if light_x < aspect / 2 else chance.uniform(0.3, 0.42))
    if setting == "room":
        subject_x = aspect * chance.uniform(0.46, 0.56)
    clouds = () if setting in ("room", "space") else _clouds(chance, aspect, place.horizon)
    figure = SUBJECTS[subject](subject_x, place.stand_y, place.subject_height)
    layers = (*place.behind, Layer("subject", 0.75, figure), *place.before)
    return Scene(prompt, seed, aspect, setting, hour, weather, subject, place.horizon, light, clouds, layers)


def _clouds(chance: Random, aspect: float, horizon: float) -> tuple[tuple[Shape, ...], ...]:
    """A few clouds, each a flat base and puffs above it."""
    clouds: list[tuple[Shape, ...]] = []
    for _ in range(chance.randint(3, 5)):
        x, y = chance.uniform(0, aspect), chance.uniform(0.06, horizon - 0.24)
        breadth = chance.uniform(0.14, 0.3)
        puffs = [ellipse(x, y, breadth, breadth * 0.13)]
        for _ in range(5):
            size = chance.uniform(0.22, 0.4) * breadth
            puffs.append(ellipse(x + chance.uniform(-0.6, 0.6) * breadth, y - size * 0.28, size, size * 0.42))
        clouds.append(tuple(puffs))
    return tuple(clouds)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _first_named(words: list[str], vocabulary: dict[str, str]) -> str | None:
    """The entry whose word the text names first."""
    meaning = {word: name for name, listed in reversed(vocabulary.items()) for word in listed.split()}
    return next((meaning[word] for word in words if word in meaning), None)


def _draw(chance: Random, choices: tuple[str, ...], refused: set[str]) -> str:
    allowed = [choice for choice in choices if choice not in refused]
    return chance.choice(allowed or list(choices))
