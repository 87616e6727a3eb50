"""What a card says of a model's weights beside their licence, and how an offer that runs them comes to it.

A server of one's own rounds what the model cannot make, most do so silently: with these limits the plan does it before.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from aggregator._toml import Table
from aggregator.registry.cards import Frames, Work

__all__ = ["NUMBER", "FramesRow", "WorkRow", "frames_of", "inherited", "work_of"]

NUMBER = r"^\d+(\.\d+)?$"
_Count = Annotated[int, Field(ge=1, strict=True)]
_Number = Annotated[str, Field(pattern=NUMBER)]


class FramesRow(Table):
    """`frames` of an offer or of weights."""

    multiple_of: _Count = 1
    plus: Annotated[int, Field(ge=0, strict=True)] = 0
    default: _Count | None = None
    min: _Count | None = None
    max: _Count | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.plus >= self.multiple_of and self.plus:
            raise ValueError("plus is less than multiple_of: 4k+1 is { multiple_of = 4, plus = 1 }")
        for name in ("default", "min", "max"):
            count = getattr(self, name)
            if count is not None and (count - self.plus) % self.multiple_of:
                raise ValueError(f"{name}: {count} is not a multiple of {self.multiple_of}, plus {self.plus}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


class WorkRow(Table):
    """`work` of weights."""

    parameters: _Number
    layers: _Count
    width: _Count
    steps: _Count
    passes: Annotated[int, Field(ge=1, le=3, strict=True)]
    source: Annotated[str, Field(pattern=r"\S")]
    pixels_per_token: _Count | None = None
    frames_per_token: _Count = 1
    tokens: _Count | None = None
    tokens_per_s: _Number | None = None
    reach: tuple[_Number, _Number] | None = None

    @model_validator(mode="after")
    def _counts_tokens_one_way(self) -> Self:
        if (self.pixels_per_token, self.tokens, self.tokens_per_s).count(None) != 2:  # noqa: PLR2004
            raise ValueError("say pixels_per_token of what is seen, or tokens or tokens_per_s of what is heard")
        if self.reach is not None and not Decimal(0) < Decimal(self.reach[0]) < Decimal(self.reach[1]) <= 1:
            raise ValueError("reach: the least, then the most of a GPU's peak, each a share of it")
        return self


def inherited(row: Mapping[str, Any], cards: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """An offer's row with what the weights it runs say under what it says itself."""
    weights = _weights(row, cards) if "weights" in row else None
    if weights is None:
        return row
    frames = row.get("frames", weights.get("frames"))
    defaults = {**_length(frames, weights, row), **weights.get("defaults", {}), **row.get("defaults", {})}
    return {
        **row,
        "limits": {**weights.get("limits", {}), **row.get("limits", {})},
        "defaults": defaults,
        **({"frames": frames} if frames else {}),
        **({"work": weights["work"]} if "work" in weights else {}),
    }


def _weights(row: Mapping[str, Any], cards: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The weights of the card for the offer's task; of several the first."""
    card = cards.get(row.get("weights", ""), {})
    return next((one for one in card.get("weights", ()) if row["task"] in one["tasks"]), None)


def _length(
    frames: Mapping[str, Any] | None, weights: Mapping[str, Any], row: Mapping[str, Any]
) -> Mapping[str, float]:
    """How long a clip is that nobody gave a length: so many frames at the usual rate."""
    fps = {**weights.get("defaults", {}), **row.get("defaults", {})}.get("fps")
    default = (frames or {}).get("default")
    return {"duration_s": round(default / fps, 6)} if default and fps else {}


def frames_of(row: Mapping[str, Any]) -> Frames:
    """From a row of an index."""
    return Frames(**row)


def work_of(row: Mapping[str, Any]) -> Work:
    """From a row of an index."""
    numbers = {name: Decimal(row[name]) for name in ("parameters", "tokens_per_s") if name in row}
    reach = tuple(map(Decimal, row["reach"])) if "reach" in row else None
    return Work(**{**row, **numbers, "reach": reach})
