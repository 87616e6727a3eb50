"""How the hero model paints a scene: colour, one light, air between the layers, and depth for a moving camera.

Owns: plates from shapes, haze, lit edges, lamps, light on water and the weather on the lens.
Refuses: to move anything; a film moves the plates made here.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing
# ruff: noqa: PLR2004 - proportions of a drawing read best where they are drawn

from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from aggregator.local.canvas import (
    SMOOTHING,
    Colour,
    Frame,
    Plate,
    blend,
    draw_shape,
    noise,
    ramp,
    shapes_top_px,
)
from aggregator.local.palette import (
    ACCENTS,
    FURS,
    HOUR_STRENGTH,
    LAMP,
    LEAVES,
    LIGHTS,
    NEAR_LENS,
    SKIES,
    body_colour,
    haze,
)
from aggregator.local.scene import Scene
from aggregator.local.shapes import Layer
from aggregator.local.sky import glow, paint_sky


def paint(scene: Scene, frame: Frame) -> list[Plate]:
    """The scene as plates from the sky to the lens."""
    plates = [Plate("sky", 0.05, paint_sky(scene, frame), None, 0)]
    for layer in scene.layers:
        plates.append(_plate(scene, frame, layer))
        if layer.name.startswith(("water", "swell")):
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


def _plate(scene: Scene, frame: Frame, layer: Layer) -> Plate:
    """Paint one layer: flat colours with smooth edges, then air at its foot and light on its upper edge."""
    top = shapes_top_px(frame, layer.shapes)
    size = (frame.canvas_px[0], frame.canvas_px[1] - top)
    body = body_colour(scene, layer.depth)
    colours = _colours(scene, layer, body)
    flat = Image.new("RGB", (size[0] * SMOOTHING, size[1] * SMOOTHING), body)
    mask = Image.new("L", flat.size, 0)
    pen, mask_pen = ImageDraw.Draw(flat), ImageDraw.Draw(mask)
    for shape in layer.shapes:
        draw_shape(pen, frame, shape, colours[shape.role], scale=SMOOTHING, top_px=top)
        draw_shape(mask_pen, frame, shape, 255, scale=SMOOTHING, top_px=top)
    image, cover = flat.reduce(SMOOTHING), mask.reduce(SMOOTHING)
    if layer.name != "subject" and layer.depth < NEAR_LENS:
        image = _with_air(image, scene, frame, layer, top)
    if scene.setting != "room" or layer.name == "subject":
        image = _with_lit_edge(image, cover, scene, frame, layer)
    if layer.depth >= NEAR_LENS:  # out of focus, as things near the lens are
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
    air = blend(accent, haze(scene), max(0.0, 0.6 - layer.depth))
    lamp = LAMP if scene.hour != "day" else blend(SKIES["day"][1], (255, 255, 255), 0.45)
    lamp = blend(blend(haze(scene), lamp, 0.55 + layer.depth * 0.45), body, 0.1)
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
        image.paste(haze(scene), (0, 0, image.width, foot), ramp((image.width, foot), 0, min(255, strength)))
        below = (image.width, image.height - foot)
        if below[1] > 0:
            image.paste(haze(scene), (0, foot, *image.size), Image.new("L", below, min(255, strength)))
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
        image = glow(image, frame, at, radius=reach, colour=LAMP, strength=150)
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
