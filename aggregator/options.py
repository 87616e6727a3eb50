"""What every verb understands beside the parameters of its task, and the checks of it that need nothing else."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from aggregator.errors import ConfigurationError, RequestError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from aggregator.tasks import Lora, Reference

__all__ = [
    "OPTIONS",
    "PERIODS",
    "BudgetUsd",
    "ImageOptions",
    "Options",
    "SoundOptions",
    "SpeechOptions",
    "Usd",
    "VideoOptions",
    "amount_usd",
    "budget_caps",
    "check_options",
]

MAX_SECONDS = 10.0**9
Usd = str | int | Decimal
"""Dollars, exactly: never a float."""
BudgetUsd = Usd | Mapping[str, Usd]
"""A budget for life; or several, by what they are for: `total`, `day`, `week`, `month`."""
PERIODS = ("total", "day", "week", "month")


class Options(TypedDict, total=False):
    """What every verb understands beside the parameters of its task."""

    stage: str
    """`prototype` or `final` (or a stage that `[policy]` names); the project's own by default."""
    role: str
    """The name by which configuration answers who makes it; the task by default."""
    model: str
    """A model (`veo-3.1`) or one offer of it, pinned (`fal:fal-ai/veo3.1`)."""
    max_usd: Usd
    """What this call may reserve and order, all takes together."""
    key: str
    """Makes the call idempotent in this project, for ever."""
    on_unsupported: Literal["error", "adjust"]
    provider_options: "Mapping[str, Mapping[str, JsonValue]]"
    """Per provider: what goes into the body beside the canonical parameters, by dotted path."""
    wait_s: float
    """Stop waiting after this long; the job goes on."""
    deadline_s: float
    """The job's own end; it is not canceled, and its money stays reserved until someone knows."""
    tags: Mapping[str, str]


class ImageOptions(Options, total=False):
    """Options and the parameters that pictures share."""

    size: str | tuple[int, int]
    resolution: str
    aspect_ratio: str
    seed: int
    negative_prompt: str
    loras: "Sequence[Lora]"
    references: "Sequence[Reference]"
    format: str


class VideoOptions(Options, total=False):
    """Options and the parameters that clips share."""

    duration_s: float
    size: str | tuple[int, int]
    resolution: str
    aspect_ratio: str
    fps: float
    seed: int
    audio: bool
    camera: str
    negative_prompt: str
    loras: "Sequence[Lora]"
    references: "Sequence[Reference]"


class SoundOptions(Options, total=False):
    """Options and the parameters that sounds share."""

    duration_s: float
    seed: int
    negative_prompt: str
    format: str


class SpeechOptions(Options, total=False):
    """Options and the parameters that voices share."""

    voice: str
    language: str
    speed: float
    seed: int
    format: str


OPTIONS = frozenset(Options.__annotations__)


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse an option that is not understood, before anything else happens."""
    for name in options:
        if name not in OPTIONS:
            close = get_close_matches(name, OPTIONS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(OPTIONS))}"
            raise RequestError(f"unknown option {name!r}; {hint}")
    for name in ("wait_s", "deadline_s"):
        value = options.get(name)
        if value is not None and not (isinstance(value, int | float) and 0 < value < MAX_SECONDS):
            raise RequestError(f"{name}={value!r}: more than 0 seconds")
    key = options.get("key", "-")
    if not isinstance(key, str) or not key:
        raise RequestError(f"key={key!r}: leave it out, or give a name that stays the same when it runs again")


def amount_usd(value: object, name: str, *, zero: bool = False) -> Decimal:
    """An exact, positive amount of dollars; `zero`: or none."""
    if isinstance(value, float):
        raise ConfigurationError(f'{name}={value!r}: a float is not an exact amount; write it as a string, "{value}"')
    try:
        amount = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite():
        raise ConfigurationError(f'{name}={value!r} is not an amount of dollars: write "5.00"')
    if amount < 0 or not (amount or zero):
        raise ConfigurationError(f"{name}={value!r}: more than 0 dollars")
    return amount


def budget_caps(value: BudgetUsd | None, name: str) -> dict[str, Decimal]:
    """Budgets by what they are for, however they were given."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return {"total": amount_usd(value, name)}
    for period in value:
        if period not in PERIODS:
            raise ConfigurationError(f"{name}: there is no budget for each {period!r}; there are {', '.join(PERIODS)}")
    return {period: amount_usd(amount, f"{name}[{period!r}]") for period, amount in value.items()}
