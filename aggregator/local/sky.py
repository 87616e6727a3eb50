"""The sky of the hero model: gradient, light, stars and clouds, and light spilling from any lamp.

Owns: everything soft. Clouds and spills are painted small and enlarged.
Refuses: to paint what stands before the sky.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from aggregator.local.canvas import SMOOTHING, Colour, Frame, blend, draw_shape, gradient
from aggregator.local.palette import LIGHTS, SKIES, SPACE_SKY
from aggregator.local.scene import Scene
from aggregator.local.shapes import Shape

CLOUD_REDUCTION: Final = 8  # clouds and glows are soft, so they are painted this many times smaller


def paint_sky(scene: Scene, frame: Frame) -> Image.Image:
    """Everything behind the first layer, over the whole canvas."""
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
    sky = glow(sky, frame, (x, y), radius=reach, colour=light, strength=190)
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


def glow(
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
