"""What a workflow is: steps, each a task whose inputs may be what other steps make. Plain data; nothing is sent.

Both forms, the TOML file (`file`) and the Python function (`tracing`), are this. In the values of a step, text that
begins with `@` names another step (`@still`, `@shot.2` the second of a fan-out, `@still#3` its third take; `@@` is a
plain @), and `{name}` in text stands for an input (`{{` is a plain brace; a text that is nothing else takes the input
as it is: a number, a list, a path).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import JsonValue

from aggregator.errors import RequestError

__all__ = ["MAX_STEPS", "NAME", "PREVIOUS", "Carried", "Place", "Ref", "Step", "Workflow", "refs_in"]

NAME = re.compile(r"[A-Za-z][\w-]*")
"""How steps, inputs and references may be named: a dot is for the items of a fan-out."""
PREVIOUS = "previous"
"""What a shot of a fan-out may continue: the one before it."""
MAX_STEPS = 10_000
"""After fan-out."""
_REF = re.compile(r"@([A-Za-z][\w.-]*(?:\.\{index\})?)(?:#(\d+))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written down."""

    file: str
    line: int
    keys: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    """The lines of single keys, where they are known."""

    def at(self, key: str) -> "Place":
        """Where one key is."""
        return Place(self.file, self.keys.get(key, self.line))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Ref:
    """What a step makes: all of it, or one take of it."""

    step: str
    take: int | None = None
    """From 1."""

    def __str__(self) -> str:
        return f"@{self.step}" + ("" if self.take is None else f"#{self.take}")

    @classmethod
    def of(cls, value: object) -> Self | None:
        """The step that a value names; `None`: it is a plain value.

        Raises:
            RequestError: It begins like a name of a step and is none.

        """
        if not isinstance(value, str) or not value.startswith("@") or value.startswith("@@"):
            return None
        match = _REF.fullmatch(value)
        if match is None:
            raise RequestError(
                f"{value!r} names no step: write @name, @name.2 (of a fan-out) or @name#3 (a take); @@ for a plain @"
            )
        return cls(match[1], None if match[2] is None else int(match[2]))


def refs_in(value: object) -> Iterator[Ref]:
    """Every step that a value names, however deep, in order."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from refs_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from refs_in(item)
    elif (ref := Ref.of(value)) is not None:
        yield ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: a task (`aggregator.tasks.TASKS`) or a local edit (`aggregator.editing.edits.EDITS`)."""

    name: str
    task: str
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    """Its parameters, by the names of the task's own."""
    each: JsonValue = None
    """Fan-out: a list, an input that is one (`{shots}`), or a step that makes several (`@board`). In the values
    `{item}` (`{item.text}`) is the item, `{index}` its number from 1, and `@item` what the step at `each` made.
    """
    takes: int = 1
    pick: str = "first"
    """Which take goes on: `first`, `person` (the run pauses), `all`, or `score:<name>` of a function of yours."""
    when: str | None = None
    """Only if: `{upscale}`, `{count} > 2`, `@still.width < 1024`. What is skipped passes its input on where that is of
    the same kind; else what follows from it is skipped too.
    """
    continues: str | None = None
    """The shot whose last frame this one starts from; `previous`: the one before it in the fan-out."""
    carry: tuple[str, ...] | None = None
    """Which references go along; `None`: all."""
    stage: str | None = None
    """`None`: the run's."""
    role: str | None = None
    model: str | None = None
    on_unsupported: Literal["error", "adjust"] = "error"
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict)
    max_usd: Decimal | None = None
    """All takes together."""
    share: float | None = None
    """Of the run's budget, at most this part: between 0 and 1."""
    weight: float = 1.0
    """How much its quality counts beside the others', for `fit`."""
    deadline_s: float | None = None
    place: Place | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, JsonValue]:
        """What is not as usual."""
        written: dict[str, Any] = {"name": self.name, "task": self.task}
        for one in fields(self):
            value = getattr(self, one.name)
            usual = one.default_factory() if callable(one.default_factory) else one.default
            if one.name not in ("name", "task", "place") and value != usual:
                written[one.name] = str(value) if isinstance(value, Decimal) else _plain(value)
        return written

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        given = dict(value)
        if "max_usd" in given:
            given["max_usd"] = Decimal(given["max_usd"])
        if given.get("carry") is not None:
            given["carry"] = tuple(given["carry"])
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What goes along from step to step: a character, a style, a look, an object, a voice."""

    name: str
    images: tuple[str, ...] = ()
    """Paths, addresses, or what a step makes (`@portrait`)."""
    role: Literal["character", "style", "object", "look"] = "character"
    voice: str | None = None
    """For the steps that speak."""
    prompt: str | None = None
    """Words that are added to the prompts of pictures and clips."""
    place: Place | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, JsonValue]:
        rest: dict[str, JsonValue] = {"images": list(self.images), "voice": self.voice, "prompt": self.prompt}
        return {"name": self.name, "role": self.role, **{name: value for name, value in rest.items() if value}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        return cls(**{**value, "images": tuple(value.get("images", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A graph of steps. Frozen: what changes is another one."""

    name: str
    steps: tuple[Step, ...]
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    """What may be set from outside, each with its default; `None`: it has to be given."""
    references: tuple[Carried, ...] = ()
    seed: int | None = None
    """Shared by all steps, where seeds mean something."""
    outputs: tuple[str, ...] = ()
    """Which steps are the piece; none named: those that no other step takes."""
    directory: Path = field(default=Path(), compare=False)
    """What paths in it are relative to."""
    place: Place | None = field(default=None, compare=False)
    """Of what is in no step: `outputs`, `inputs.shots`."""

    def step(self, name: str) -> Step:
        """The step of that name.

        Raises:
            RequestError: There is none.

        """
        found = next((step for step in self.steps if step.name == name), None)
        if found is None:
            known = ", ".join(step.name for step in self.steps)
            raise RequestError(f"{self.name} has no step {name!r}; it has {known}")
        return found

    def with_step(self, name: str, **changes: Any) -> Self:
        """A copy in which a step is otherwise; `values` are those that change, `None` takes one out."""
        old = self.step(name)
        if "values" in changes:
            merged = {**old.values, **changes["values"]}
            changes["values"] = {key: value for key, value in merged.items() if value is not None}
        new = replace(old, **changes)
        return replace(self, steps=tuple(new if step is old else step for step in self.steps))

    def as_json(self) -> dict[str, JsonValue]:
        """The workflow as plain data."""
        rest: dict[str, Any] = {
            "inputs": _plain(self.inputs),
            "references": [item.as_json() for item in self.references],
            "seed": self.seed,
            "outputs": list(self.outputs),
        }
        written = {name: value for name, value in rest.items() if value not in (None, [], {})}
        return {"name": self.name, **written, "steps": [step.as_json() for step in self.steps]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], *, directory: Path = Path()) -> Self:
        """Read back what `as_json` wrote."""
        return cls(
            name=value["name"],
            steps=tuple(Step.from_json(step) for step in value["steps"]),
            inputs=dict(value.get("inputs", {})),
            references=tuple(Carried.from_json(item) for item in value.get("references", ())),
            seed=value.get("seed"),
            outputs=tuple(value.get("outputs", ())),
            directory=directory,
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
