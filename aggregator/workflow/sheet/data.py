"""What a contact sheet shows, as plain data: a run, its steps in order, and their takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from aggregator.pricing.money import dollars
from aggregator.routing.chain_quote import Plain

__all__ = ["File", "Made", "Money", "Origin", "Sheet", "Step", "Take", "money_of", "worst"]

State = Literal["made", "pick", "running", "waiting", "skipped", "failed"]
"""`pick`: a person has to say which take goes on. `made`: one take at least is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Plain):
    """A picture, a clip or a sound."""

    sha256: str
    mime_type: str
    size_bytes: int | None
    path: Path | None
    """Where it lies; `None`: it was stored, and is there no more."""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    fps: float | None = None

    @property
    def kind(self) -> str:
        """`image`, `video` or `audio`."""
        return self.mime_type.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin(Plain):
    """One thing that went into a take, or goes into a step."""

    field: str
    """What it is taken as: `image`, `audio`."""
    step: str | None = None
    """The step on this sheet that made it; `None`: it came from elsewhere."""
    take: int | None = None
    """Which take of that step; `None`: the one that goes on."""
    name: str = ""
    """What it is called, where it came from elsewhere: a file, an address, a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Plain):
    """What is asked for: the words, the other parameters, and what goes in."""

    words: str = ""
    """The prompt, or the text that is spoken."""
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Take(Plain):
    """One take of a step, and what is known of how it came about."""

    number: int
    """From 1."""
    files: tuple[File, ...] = ()
    """The first is what goes on."""
    recipe: Made = field(default_factory=Made)
    """As it was ordered."""
    problem: str = ""
    """Why there is no file."""
    is_coming: bool = False
    """It is under way."""
    model: str | None = None
    offer: str | None = None
    seed: int | None = None
    cost_usd: Decimal | None = None
    """What was charged when it was made, in this run or in an earlier one; `None`: nobody knows yet."""
    is_unpriced: bool = False
    """Nobody knows its price: what is booked is the most it was allowed to cost."""
    held_usd: Decimal = Decimal(0)
    """What is reserved as long as the charge is not known."""
    took_s: float | None = None
    """How long whoever made it took; `None`: nobody was watching."""
    is_stand_in: bool = False
    """Made by the embedded backend: for previews and tests."""
    is_reused: bool = False
    """It was there already when the run was last started."""
    warnings: tuple[str, ...] = ()
    """Where it is not what was asked for, and what was said about it."""
    notes: tuple[str, ...] = ()
    job: str | None = None
    """What bought it; `None`: it was made here, at no cost."""

    @property
    def file(self) -> File | None:
        """What goes on."""
        return self.files[0] if self.files else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Plain):
    """A flat step with its takes."""

    name: str
    fan: str
    """The step of the workflow that it is an item of; its own name where it is alone."""
    task: str
    stage: str
    state: State
    is_edit: bool
    """Made here, at no cost."""
    why: str = ""
    """Why it failed, waits or was skipped."""
    recipe: Made = field(default_factory=Made)
    """As the workflow asks for it now."""
    needs: tuple[str, ...] = ()
    """The steps that go in, or are asked about."""
    carried: tuple[str, ...] = ()
    """The names of what is carried into it."""
    takes: tuple[Take, ...] = ()
    wanted: int = 1
    """How many takes are asked for."""
    pick: str = "first"
    """How one is chosen: `first`, `person`, `all`, `score:<name>`."""
    picked: int | None = None
    """The take that goes on; `None`: none yet, or all of them."""
    picked_by: str | None = None
    """`person`, `score` or `first`; `None`: there was nothing to choose."""

    @property
    def can_pick(self) -> bool:
        """Whether there is anything for a person to choose."""
        return self.wanted > 1 and self.pick != "all" and any(take.file is not None for take in self.takes)

    def take(self, number: int) -> Take | None:
        """The take of that number, if it was made or tried."""
        return next((take for take in self.takes if take.number == number), None)


def worst(steps: Iterable[Step]) -> State:
    """The state of several steps: whatever wants to be looked at first."""
    states = {step.state for step in steps}
    order: tuple[State, ...] = ("failed", "pick", "running", "waiting", "made", "skipped")
    return next(state for state in order if state in states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money(Plain):
    """What takes cost when they were made."""

    name: str
    """The stage."""
    cost_usd: Decimal
    """Of those whose charge is known."""
    unpriced: int = 0
    """How many of those are booked at the most they were allowed to cost."""
    unknown: int = 0
    """How many have a charge that nobody knows yet."""
    held_usd: Decimal = Decimal(0)
    """What is reserved for those."""
    run: str | None = None
    """Which run it is of, where it is of one."""

    def __str__(self) -> str:
        known = f"{'at most ' if self.unpriced else ''}{dollars(self.cost_usd)}"
        if not self.unknown:
            return known
        held = f"({dollars(self.held_usd)} reserved)"
        return f"{known} and {self.unknown} unknown {held}" if self.cost_usd else f"unknown {held}"


def money_of(name: str, takes: Sequence[Take]) -> Money:
    """The sum over takes; a job that several of them share counts once."""
    bought = {take.job: take for take in takes if take.job is not None}.values()
    known = [take.cost_usd for take in bought if take.cost_usd is not None]
    unknown = [take for take in bought if take.cost_usd is None]
    return Money(
        name=name,
        cost_usd=sum(known, Decimal(0)),
        unpriced=sum(take.is_unpriced for take in bought),
        unknown=len(unknown),
        held_usd=sum((take.held_usd for take in unknown), Decimal(0)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(Plain):
    """A run as it is in the store."""

    project: str
    run: str
    workflow: str
    stage: str
    state: str
    at_ms: int
    """When the run was last started or changed, since the epoch."""
    steps: tuple[Step, ...]
    bills: tuple[Money, ...] = ()
    """What this run and its promotions cost, the oldest first; what one took from another counts there alone."""

    @property
    def waiting(self) -> tuple[str, ...]:
        """The steps of which a person has to pick a take."""
        return tuple(step.name for step in self.steps if step.state == "pick")

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)
