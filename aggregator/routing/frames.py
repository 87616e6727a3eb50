"""How long a clip can be: so many frames as the model makes, at the rate that is asked for. Pure.

The nearest number is taken and written into the request together with the rate, so that a server has nothing left to
round. Where nobody would call that another length it needs no leave: an 81st frame is how models that count 4k+1 say
five seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, isclose
from typing import Any

from aggregator.artifact import DURATION_TOLERANCE, DURATION_TOLERANCE_S
from aggregator.registry.cards import Frames, Offer
from aggregator.routing.limits import fits, limit_of
from aggregator.routing.plan import Adjustment

__all__ = ["described", "framed"]


def framed(
    offer: Offer, values: Mapping[str, Any], adjustments: Sequence[Adjustment], *, adjust: bool
) -> tuple[Adjustment, ...] | str:
    """The adjustments with those that frames ask for, or why there is no length that is near enough.

    Args:
        values: The request's own, with the adjustments made.

    """
    frames, duration_s = offer.frames, values.get("duration_s")
    fps = values.get("fps", offer.defaults.get("fps"))
    if frames is None or duration_s is None or not isinstance(fps, int | float):
        return tuple(adjustments)
    count = _count(frames, duration_s * fps, offer, fps)
    takes = f"{offer.id} makes {described(frames)} frames"
    if count is None:
        return f"duration_s={duration_s:g} at {fps:g} fps: {takes}, and no such length is within its limits"
    sent = round(count / fps, 6)
    if not adjust and abs(sent - duration_s) > max(DURATION_TOLERANCE_S, DURATION_TOLERANCE * duration_s):
        return f"duration_s={duration_s:g} at {fps:g} fps: {takes}; nearest is {sent:g} s ({count} frames)"
    others = [item for item in adjustments if item.field != "duration_s"]
    before = next((item for item in adjustments if item.field == "duration_s"), None)
    if sent != duration_s or before is not None:
        asked = duration_s if before is None else before.asked
        why = f"{count} frames at {fps:g} fps: {takes}"
        others.append(Adjustment("duration_s", "framed", asked, sent, why))
    if "fps" not in values and "fps" in offer.mapping.fields:
        others.append(Adjustment("fps", "framed", None, fps, "its usual rate, sent so that no frame is rounded away"))
    return tuple(others)


def _count(frames: Frames, wanted: float, offer: Offer, fps: float) -> int | None:
    limit = limit_of(offer, "duration_s")
    near = (count for count in _around(frames, wanted) if limit is None or fits(limit, round(count / fps, 6)))
    return next(near, None)


def _around(frames: Frames, wanted: float) -> Iterator[int]:
    """The nearest number, the larger of two equally near ones; then the nearest that is less."""
    low = frames.min if frames.min is not None else frames.plus or frames.multiple_of
    steps = (wanted - frames.plus) / frames.multiple_of
    steps = round(steps) if isclose(steps, round(steps), abs_tol=1e-4) else steps
    nearest = frames.multiple_of * floor(steps + 0.5) + frames.plus
    below = frames.multiple_of * (ceil(steps) - 1) + frames.plus
    for count in (nearest, below):
        yield max(low, count if frames.max is None else min(count, frames.max))


def described(frames: Frames) -> str:
    """`4k+1`, with the ends where there are any."""
    if frames.min is not None and frames.min == frames.max:
        return str(frames.min)
    steps = f"{frames.multiple_of}k" + (f"+{frames.plus}" if frames.plus else "")
    least, most = (f" {word} {end}" if end else "" for word, end in (("from", frames.min), ("up to", frames.max)))
    return f"{steps if frames.multiple_of > 1 else 'any number of'}{least}{most}"
