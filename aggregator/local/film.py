"""The frames of a film: a lens moving over a still, or through the plates of a scene.

Owns: what each moment shows, and the words that stay put while the picture moves.
Refuses: to encode, and to know about jobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops

from aggregator.local.camera import MOVES, View
from aggregator.local.canvas import Frame, Plate, vignette
from aggregator.local.defaults import STAND_IN_LABEL, frame_count
from aggregator.local.lettering import PAPER_STYLE, SCREEN_STYLE, Style, caption, label
from aggregator.local.orders import Order
from aggregator.local.painting import paint, weather_veil
from aggregator.local.scene import compose
from aggregator.local.shapes import OVERSCAN
from aggregator.local.sketch import sketch

REACH: Final = 0.26  # picture heights of a whole travel; the moves use 0.7 of it, inside the OVERSCAN that is painted
MASTER_SCALE: Final = 1.25  # a still is kept this much larger than the film, so that a push-in stays sharp
DISSOLVE_SHARE: Final = 0.5  # of the shot, at its end, for the dissolve into the last image
VIGNETTE: Final = 110
STILL_VIGNETTE: Final = 60  # weaker on a given still, which stays the picture that was approved
PARALLAX: Final = 0.035  # how much farther the near, lower edge of a still travels than its middle
PARALLAX_BAND_PX: Final = 20
LIGHT_STEP: Final = 3
LIGHT_STEPS: Final = 8
FOCUS: Final = 0.7  # of the height: what a push-in closes in on, near the feet of the subject
GROUPS: Final = (0.27, 0.72, 0.8, 1.01)  # plates up to each of these depths move as one


@dataclass(frozen=True, slots=True)
class _Moving:
    """Plates that move as one, cut to where they show."""

    depth: float
    image: Image.Image
    mask: Image.Image | None
    left_px: int
    top_px: int


def frames_of_scene(order: Order) -> Iterator[Image.Image]:
    """A film of a prompt."""
    frame = Frame(order.width, order.height, overscan=OVERSCAN)
    scene = compose(order.prompt, order.seed, frame.aspect, order.negative_prompt)
    style = SCREEN_STYLE if order.is_hero else PAPER_STYLE
    groups = _grouped(paint(scene, frame) if order.is_hero else sketch(scene, frame))
    words = caption(
        (order.width, order.height), order.prompt, f"{STAND_IN_LABEL}   {order.model}   seed {order.seed}", style
    )
    veil = None
    if order.is_hero and scene.weather in ("rain", "snow"):
        veil = weather_veil(scene, (order.width, order.height)).convert("RGB")
    drift = (-2, 13) if scene.weather == "rain" else (1, 2)
    for number, view in enumerate(_views(order)):
        picture = Image.new("RGB", (order.width, order.height))
        for group in groups:
            _lay_group(picture, group, view, frame)
        if veil is not None:
            fall = (
                round(number * drift[0] * order.height / 720),
                round(number * drift[1] * order.height / 720 * 24 / order.fps),
            )
            picture = ImageChops.screen(picture, ImageChops.offset(veil, *fall))
        if order.is_hero:
            picture = ImageChops.multiply(picture, vignette(*picture.size, VIGNETTE))
        words.lay_on(picture)
        _lay_marks(picture, order, number, style)
        yield picture


def frames_of_still(order: Order, still: Image.Image, last: Image.Image | None) -> Iterator[Image.Image]:
    """A film of a picture that was there before, and perhaps of the one it ends in."""
    style = SCREEN_STYLE if order.is_hero else PAPER_STYLE
    master = _master(order, still)
    ending = _master(order, last) if last else None
    total = frame_count(order.duration_s, order.fps)
    for number, view in enumerate(_views(order)):
        picture = _through_lens(order, master, view)
        share = number / max(1, total - 1)
        if ending is not None and share > 1 - DISSOLVE_SHARE:
            mix = min(1.0, (share - 1 + DISSOLVE_SHARE) / DISSOLVE_SHARE)
            mix = mix * mix * (3 - 2 * mix) if order.is_hero else mix
            picture = Image.blend(picture, _through_lens(order, ending, view), mix)
        if order.is_hero:
            # The light comes up a little as the shot goes on, in steps too small to see.
            strength = STILL_VIGNETTE - LIGHT_STEP * round(LIGHT_STEPS * share)
            picture = ImageChops.multiply(picture, vignette(*picture.size, strength))
        _lay_marks(picture, order, number, style)
        yield picture


def _views(order: Order) -> Iterator[View]:
    total = frame_count(order.duration_s, order.fps)
    move = MOVES[order.camera]
    for number in range(total):
        yield move.at(number / max(1, total - 1), smooth=order.is_hero)


def _grouped(plates: list[Plate]) -> list[_Moving]:
    """Few things to move are quick to move: neighbours in depth are merged before the film starts."""
    groups: list[_Moving] = []
    low = -1.0
    for high in GROUPS:
        members = [plate for plate in plates if low < plate.depth <= high]
        low = high
        if not members:
            continue
        top = min(plate.top_px for plate in members)
        size = (members[0].image.width, plates[0].image.height - top)
        image = Image.new("RGB", size)
        cover = Image.new("L", size, 0)
        for plate in members:
            at = (0, plate.top_px - top)
            # Beyond its mask a plate still gives its colour where nothing was painted, so soft edges stay clean.
            if plate is members[0]:
                image.paste(plate.image, at)
            image.paste(plate.image, at, plate.mask)
            full = plate.mask or Image.new("L", plate.image.size, 255)
            area = (*at, at[0] + full.width, at[1] + full.height)
            cover.paste(ImageChops.lighter(cover.crop(area), full), area)
        seen = cover.getbbox() or (0, 0, *size)
        depth = sum(plate.depth for plate in members) / len(members)
        solid = any(plate.mask is None for plate in members)
        groups.append(_Moving(depth, image.crop(seen), None if solid else cover.crop(seen), seen[0], top + seen[1]))
    return groups


def _lay_group(picture: Image.Image, group: _Moving, view: View, frame: Frame) -> None:
    """Project one group through the lens: near things move and grow more than far ones."""
    zoom = 1 + (view.zoom - 1) * (0.4 + 1.4 * group.depth)
    reach = REACH * frame.height_px * group.depth
    canvas_width = frame.canvas_px[0]
    origin_x = canvas_width / 2 + view.x * reach - picture.width / 2 / zoom
    origin_y = frame.margin_px + view.y * reach + FOCUS * picture.height * (1 - 1 / zoom)
    # Where the group's own picture falls in the frame, cut to whole pixels of the frame.
    left = max(0, int((group.left_px - origin_x) * zoom) + 1) if group.left_px > origin_x else 0
    top = max(0, int((group.top_px - origin_y) * zoom) + 1) if group.top_px > origin_y else 0
    right = min(picture.width, int((group.left_px + group.image.width - origin_x) * zoom))
    bottom = min(picture.height, int((group.top_px + group.image.height - origin_y) * zoom))
    if right <= left or bottom <= top:
        return
    source = (
        max(0.0, left / zoom + origin_x - group.left_px),
        max(0.0, top / zoom + origin_y - group.top_px),
        min(float(group.image.width), right / zoom + origin_x - group.left_px),
        min(float(group.image.height), bottom / zoom + origin_y - group.top_px),
    )
    size = (right - left, bottom - top)
    seen = group.image.resize(size, Image.Resampling.BILINEAR, box=source)
    cover = group.mask.resize(size, Image.Resampling.BILINEAR, box=source) if group.mask else None
    picture.paste(seen, (left, top), cover)


def _master(order: Order, still: Image.Image) -> Image.Image:
    """The still, cut to the aspect of the film and brought to a size that keeps a push-in sharp."""
    scale = min(still.width / order.width, still.height / order.height)
    width, height = order.width * scale, order.height * scale
    left, top = (still.width - width) / 2, (still.height - height) / 2
    size = (round(order.width * MASTER_SCALE), round(order.height * MASTER_SCALE))
    return still.resize(size, Image.Resampling.BICUBIC, box=_within(still, left, top, width, height))


def _within(
    picture: Image.Image, left: float, top: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """The box without the hair that arithmetic leaves outside the picture: the resizer refuses that."""
    right, bottom = min(float(picture.width), left + width), min(float(picture.height), top + height)
    return (max(0.0, left), max(0.0, top), right, bottom)


def _through_lens(order: Order, master: Image.Image, view: View) -> Image.Image:
    width, height = master.width / view.zoom, master.height / view.zoom
    left = (master.width - width) / 2 * (1 + view.x)
    top = (master.height - height) / 2 * (1 + view.y)
    size = (order.width, order.height)
    if not order.is_hero:
        return master.resize(size, Image.Resampling.BILINEAR, box=_within(master, left, top, width, height))
    return _with_parallax(master, size, (left, top, width, height), view)


def _with_parallax(
    master: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float], view: View
) -> Image.Image:
    """The lower part of most pictures is nearer, so it is taken to travel and grow a little more.

    Bands of rows are resized one by one; neighbours differ by a fraction of a pixel, so no seam shows.
    """
    left, top, width, height = box
    picture = Image.new("RGB", size)
    for upper in range(0, size[1], PARALLAX_BAND_PX):
        lower = min(size[1], upper + PARALLAX_BAND_PX)
        nearness = ((upper + lower) / size[1] - 1) * PARALLAX
        breadth = width * (1 - nearness * (view.zoom - 1))
        start = left + (width - breadth) / 2 + view.x * (master.width - width) / 2 * nearness
        start = max(0.0, min(master.width - breadth, start))
        rows = (top + height * upper / size[1], top + height * lower / size[1])
        source = (start, rows[0], min(float(master.width), start + breadth), min(float(master.height), rows[1]))
        picture.paste(master.resize((size[0], lower - upper), Image.Resampling.BILINEAR, box=source), (0, upper))
    return picture


def _lay_marks(picture: Image.Image, order: Order, number: int, style: Style) -> None:
    """The label, and the time and move as on any animatic."""
    second, part = divmod(number, order.fps)
    move = "" if order.camera == "static" else f"{order.camera}   "
    label(picture.size, STAND_IN_LABEL, style).lay_on(picture)
    label(picture.size, f"{move}{second // 60:02d}:{second % 60:02d}:{part:02d}", style, right=True).lay_on(picture)
