"""How the hero model paints a scene: colour, one light, air between the layers, and depth for a moving camera.

Owns: the palettes of the hours and places, the sky, haze, lit edges, glows and the weather on the lens.
Refuses: to move anything; a film moves the plates made here.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing
# ruff: noqa: PLR2004 - proportions of a drawing read best where they are drawn

from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from aggregator.local.canvas import (
    SMOOTHING,
    Colour,
    Frame,
    Plate,
    blend,
    draw_shape,
    gradient,
    noise,
    ramp,
    shapes_top_px,
)
from aggregator.local.scene import Scene
from aggregator.local.shapes import Layer, Shape

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
CLOUD_REDUCTION: Final = 8  # clouds and glows are soft, so they are painted this many times smaller


def paint(scene: Scene, frame: Frame) -> list[Plate]:
    """The scene as plates from the sky to the lens."""
    plates = [Plate("sky", 0.05, _sky(scene, frame), None, 0)]
    for layer in scene.layers:
        plates.append(_plate(scene, frame, layer))
        if layer.name in ("water", "ground") or layer is scene.layers[-2]:
            _lay_light(plates[-1], scene, frame)
    return plates


def finish(picture: Image.Image, scene: Scene, *, grain: bool) -> Image.Image:
    """What the lens adds to a finished picture: weather, and grain that keeps skies free of bands."""
    if scene.weather in ("rain", "snow"):
        picture = ImageChops.screen(picture, weather_veil(scene, picture.size).convert("RGB"))
    if grain:
        light = noise(picture.width, picture.height, 5, 0, 5).convert("RGB")
        picture = ImageChops.subtract(ImageChops.add(picture, light), Image.new("RGB", picture.size, (2, 2, 2)))
    return picture


def weather_veil(scene: Scene, size_px: tuple[int, int]) -> Image.Image:
    """Rain streaks or snow flakes, light on black, to be screened over a picture."""
    width, height = size_px
    veil = Image.new("L", size_px, 0)
    pen = ImageDraw.Draw(veil)
    chance = Random(scene.seed + 17)
    for _ in range(260):
        x, y, near = chance.uniform(0, width), chance.uniform(0, height), chance.random()
        if scene.weather == "rain":
            length = height * (0.03 + 0.07 * near)
            pen.line([(x, y), (x - length * 0.22, y + length)], fill=round(40 + 70 * near), width=max(1, height // 500))
        else:
            radius = height * (0.0016 + 0.0052 * near**3)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=round(120 + 110 * near))
    return veil.filter(ImageFilter.GaussianBlur(height / 900))


def _haze(scene: Scene) -> Colour:
    if scene.setting == "space":
        return blend(SPACE_SKY[2], BODIES["space"], 0.4)
    return blend(blend(SKIES[scene.hour][2], SKIES[scene.hour][1], 0.5), SKIES[scene.hour][0], 0.12)


def _body(scene: Scene, depth: float) -> Colour:
    """The colour of things at a depth: their own when near, the air's when far."""
    own = blend((6, 8, 18), BODIES[scene.setting], HOUR_STRENGTH[scene.hour])
    share = min(1.0, 0.3 + depth * 0.95)
    if scene.weather == "fog":
        share = max(0.05, share - FOG_HAZE)
    if scene.setting == "room":
        share = 0.8 + depth * 0.2
    colour = blend(_haze(scene), own, share)
    return blend(colour, (8, 10, 18), 0.62) if depth >= 0.9 else colour


def _sky(scene: Scene, frame: Frame) -> Image.Image:
    size = frame.canvas_px
    stops = SPACE_SKY if scene.setting == "space" else SKIES[scene.hour]
    low = (frame.place((0.0, scene.horizon))[1]) / size[1]
    sky = gradient(size, ((0.0, stops[0]), (low * 0.62, stops[1]), (low, stops[2]), (1.0, stops[2])))
    if scene.setting == "room":
        return sky
    if scene.hour == "night" or scene.setting == "space":
        _stars(sky, scene, frame)
    light = LIGHTS[scene.hour]
    x, y, radius = scene.light
    reach = radius * (3.0 if scene.hour in ("night", "day") else 7.5)
    sky = _glow(sky, frame, (x, y), radius=reach, colour=light, strength=190)
    for cloud in scene.clouds:
        sky = _cloud(sky, scene, frame, cloud)
    return _disc(sky, frame, scene.light, blend(light, (255, 255, 255), 0.5))


def _disc(sky: Image.Image, frame: Frame, light: tuple[float, float, float], colour: Colour) -> Image.Image:
    x, y, radius = light
    mask = Image.new("L", (sky.width * SMOOTHING, sky.height * SMOOTHING), 0)
    draw_shape(
        ImageDraw.Draw(mask),
        frame,
        Shape(((x - radius, y - radius), (x + radius, y + radius)), "lit", "ellipse"),
        245,
        scale=SMOOTHING,
        top_px=0,
    )
    sky.paste(colour, (0, 0, *sky.size), mask.reduce(SMOOTHING))
    return sky


def _stars(sky: Image.Image, scene: Scene, frame: Frame) -> None:
    chance = Random(scene.seed + 3)
    pen = ImageDraw.Draw(sky)
    for _ in range(240):
        x, y = frame.place((chance.uniform(-0.2, scene.aspect + 0.2), chance.uniform(-0.2, scene.horizon)))
        bright = chance.random() ** 3
        radius = frame.height_px * (0.0006 + 0.0016 * bright)
        level = round(110 + 145 * bright)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(level, level, min(255, level + 12)))


def _glow(
    picture: Image.Image, frame: Frame, at: tuple[float, float], *, radius: float, colour: Colour, strength: int
) -> Image.Image:
    """Light spilling around a point, screened over the picture inside its own square."""
    x, y = frame.place(at)
    reach = radius * frame.height_px
    left, top = round(x - reach), round(y - reach)
    side = max(2, round(reach * 2))
    falloff = Image.radial_gradient("L").point([round(strength * (1 - min(1.0, v / 181)) ** 2.2) for v in range(256)])
    soft = falloff.resize((side, side), Image.Resampling.BILINEAR)
    area = (max(0, left), max(0, top), min(picture.width, left + side), min(picture.height, top + side))
    if area[2] <= area[0] or area[3] <= area[1]:
        return picture
    spill = soft.crop((area[0] - left, area[1] - top, area[2] - left, area[3] - top))
    picture.paste(colour, area, spill)
    return picture


def _cloud(sky: Image.Image, scene: Scene, frame: Frame, puffs: tuple[Shape, ...]) -> Image.Image:
    small = (max(1, sky.width // CLOUD_REDUCTION), max(1, sky.height // CLOUD_REDUCTION))
    mask = Image.new("L", small, 0)
    pen = ImageDraw.Draw(mask)
    for puff in puffs:
        spots = [(x / CLOUD_REDUCTION, y / CLOUD_REDUCTION) for x, y in (frame.place(point) for point in puff.points)]
        pen.ellipse(spots, fill=190)
    mask = mask.filter(ImageFilter.GaussianBlur(frame.height_px / CLOUD_REDUCTION * 0.016))
    lift = max(1, small[1] // 60)
    under = ImageChops.multiply(mask, ImageChops.offset(mask, 0, lift)).resize(sky.size, Image.Resampling.BICUBIC)
    bright = blend(LIGHTS[scene.hour], (255, 255, 255), 0.3)
    dark = blend(SKIES[scene.hour][1], SKIES[scene.hour][0], 0.25)
    if scene.hour == "night":
        bright, dark = (92, 110, 156), (38, 50, 88)
    sky.paste(bright, (0, 0, *sky.size), mask.resize(sky.size, Image.Resampling.BICUBIC))
    sky.paste(
        dark,
        (0, 0, *sky.size),
        ImageChops.offset(under, 0, lift * CLOUD_REDUCTION * 2).point([v * 2 // 3 for v in range(256)]),
    )
    return sky


def _plate(scene: Scene, frame: Frame, layer: Layer) -> Plate:
    """Paint one layer: flat colours with smooth edges, then air at its foot and light on its upper edge."""
    top = shapes_top_px(frame, layer.shapes)
    size = (frame.canvas_px[0], frame.canvas_px[1] - top)
    body = _body(scene, layer.depth)
    colours = _colours(scene, layer, body)
    flat = Image.new("RGB", (size[0] * SMOOTHING, size[1] * SMOOTHING), body)
    mask = Image.new("L", flat.size, 0)
    pen, mask_pen = ImageDraw.Draw(flat), ImageDraw.Draw(mask)
    for shape in layer.shapes:
        draw_shape(pen, frame, shape, colours[shape.role], scale=SMOOTHING, top_px=top)
        draw_shape(mask_pen, frame, shape, 255, scale=SMOOTHING, top_px=top)
    image, cover = flat.reduce(SMOOTHING), mask.reduce(SMOOTHING)
    if layer.name != "subject" and layer.depth < 0.9:
        image = _with_air(image, scene, frame, layer, top)
    if scene.setting != "room" or layer.name == "subject":
        image = _with_lit_edge(image, cover, scene, frame, layer)
    if layer.depth >= 0.9:  # out of focus, as things near the lens are
        blur = ImageFilter.GaussianBlur(frame.height_px * 0.0035)
        image, cover = image.filter(blur), cover.filter(blur)
    image = _with_lamps(image, scene, frame, layer, top)
    return Plate(layer.name, layer.depth, image, cover, top)


def _colours(scene: Scene, layer: Layer, body: Colour) -> dict[str, Colour]:
    light = LIGHTS[scene.hour]
    strength = HOUR_STRENGTH[scene.hour]
    palette = {"animal": FURS, "tree": LEAVES}.get(scene.subject, ACCENTS) if layer.name == "subject" else ACCENTS
    accent = blend((14, 14, 30), Random(scene.seed).choice(palette), 0.35 + 0.65 * strength)
    if layer.name == "subject":
        dark = blend((20, 20, 30), body, 0.25)
        return {
            "mass": dark,
            "shade": blend(accent, dark, 0.55),
            "lit": blend(blend(body, (255, 255, 255), 0.45), light, 0.5),
            "accent": accent,
            "glow": LAMP,
            "detail": body,
        }
    air = blend(accent, _haze(scene), max(0.0, 0.6 - layer.depth))
    lamp = LAMP if scene.hour != "day" else blend(SKIES["day"][1], (255, 255, 255), 0.45)
    lamp = blend(blend(_haze(scene), lamp, 0.55 + layer.depth * 0.45), body, 0.1)
    if scene.setting == "room":
        lamp = blend(SKIES[scene.hour][2], (255, 255, 255), 0.15)
    return {
        "mass": body,
        "shade": blend(body, (8, 10, 26), 0.3),
        "lit": blend(body, light, 0.32),
        "accent": air,
        "glow": lamp,
        "detail": body,
    }


def _with_air(image: Image.Image, scene: Scene, frame: Frame, layer: Layer, top_px: int) -> Image.Image:
    """Haze that gathers at the foot of far layers, and light that falls off towards the lens on near ones."""
    foot = min(image.height, max(1, round(frame.place((0.0, scene.horizon + 0.06))[1]) - top_px))
    if layer.depth < 0.55 and scene.setting != "room":
        strength = round(170 * (0.62 - layer.depth) * (1.5 if scene.weather == "fog" else 1.0))
        image.paste(_haze(scene), (0, 0, image.width, foot), ramp((image.width, foot), 0, min(255, strength)))
        below = (image.width, image.height - foot)
        if below[1] > 0:
            image.paste(_haze(scene), (0, foot, *image.size), Image.new("L", below, min(255, strength)))
    else:
        image.paste((6, 8, 20), (0, 0, *image.size), ramp(image.size, 0, 120))
    return image


def _with_lit_edge(image: Image.Image, cover: Image.Image, scene: Scene, frame: Frame, layer: Layer) -> Image.Image:
    """The light catches upper edges, on the side it comes from."""
    reach = max(1, round(frame.height_px * (0.002 + 0.003 * layer.depth)))
    side = reach if scene.light[0] < scene.aspect / 2 else -reach
    edge = ImageChops.subtract(cover, ImageChops.offset(cover, side, reach))
    edge = edge.point([value * (150 if layer.name == "subject" else 96) // 255 for value in range(256)])
    image.paste(LIGHTS[scene.hour], (0, 0, *image.size), edge)
    return image


def _with_lamps(image: Image.Image, scene: Scene, frame: Frame, layer: Layer, top_px: int) -> Image.Image:
    """Lamps and windows spill light, unless there are so many that they are a pattern."""
    lamps = [shape for shape in layer.shapes if shape.role == "glow"]
    if scene.hour == "day" or not 0 < len(lamps) <= 3:
        return image
    for lamp in lamps:
        (x0, y0), (x1, y1) = lamp.points[0], lamp.points[2 if lamp.kind == "polygon" else 1]
        at = ((x0 + x1) / 2, (y0 + y1) / 2 - top_px / frame.height_px)
        reach = max(abs(x1 - x0), abs(y1 - y0)) * 1.9
        image = _glow(image, frame, at, radius=reach, colour=LAMP, strength=150)
    return image


def _lay_light(plate: Plate, scene: Scene, frame: Frame) -> None:
    """A path of light on water, and a pool of it on the ground, under the light of the scene."""
    if scene.setting == "room":
        return
    x = scene.light[0]
    chance = Random(scene.seed + 9)
    glints = Image.new("L", plate.image.size, 0)
    pen = ImageDraw.Draw(glints)
    if scene.setting == "sea":
        for _ in range(150):
            down = chance.random() ** 1.4
            y = scene.horizon + 0.004 + down * 0.5
            spread, long = 0.03 + down * 0.16, 0.012 + down * 0.05
            centre = x + chance.gauss(0, spread)
            left, top = frame.place((centre - long, y - 0.0012 - down * 0.002))
            right, bottom = frame.place((centre + long, y + 0.0012 + down * 0.002))
            pen.ellipse((left, top - plate.top_px, right, bottom - plate.top_px), fill=round(200 - 90 * down))
        plate.image.paste(LIGHTS[scene.hour], (0, 0, *plate.image.size), glints)
