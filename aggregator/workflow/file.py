"""A workflow as a TOML file: read, with the line of everything in it, and written.

```toml
outputs = ["shot"]

[inputs]
prompt = "a lighthouse at dawn"

[steps.still]
task = "text-to-image"
prompt = "{prompt}, 35mm"

[steps.shot]
task = "image-to-video"
image = "@still"
```
"""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from aggregator._lines import lines_of
from aggregator.errors import ConfigurationError, RequestError
from aggregator.registry.writing import toml_text
from aggregator.workflow.model import NAME, Carried, Place, Step, Workflow
from aggregator.workflow.problems import Problems, unknown

__all__ = ["OPTIONS", "RESERVED", "dumps", "loads", "read", "typed"]

REQUIRED: Mapping[str, bool] = {"required": True}
"""What stands for the default of an input that has none."""
_TOP = ("name", "seed", "outputs", "inputs", "references", "steps")
_TABLES = ("inputs", "references", "steps")
OPTIONS = tuple(one.name for one in fields(Step) if one.name not in ("name", "task", "values", "place"))
"""The keys of a step that are the same for every task."""
RESERVED = frozenset({*OPTIONS, "name", "task", "values", "place"})
_CARRIED = tuple(one.name for one in fields(Carried) if one.name not in ("name", "place"))


def read(path: str | os.PathLike[str]) -> Workflow:
    """Read a workflow; its name is the file's, unless it says another.

    Raises:
        ConfigurationError: The file cannot be read.
        WorkflowCheckError: It is no workflow; every reason with its line.

    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    return loads(text, name=path.stem, file=str(path), directory=path.parent)


def loads(text: str, *, name: str = "workflow", file: str = "workflow.toml", directory: Path = Path()) -> Workflow:
    """Read a workflow from TOML text.

    Args:
        name: What it is called, if it does not say.
        file: What places in it are called by.
        directory: What paths in it are relative to.

    Raises:
        WorkflowCheckError: It is no workflow; every reason with its line.

    """
    problems = Problems()
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        problems.add(Place(file, int(at[1]) if at else text.count("\n") + 1), None, f"not valid TOML: {error}")
        values = {}
    problems.raise_all(file)
    return _Reader(text, values, file, problems).workflow(name, directory)


class _Reader:
    """One document, and where its keys are."""

    def __init__(self, text: str, values: dict[str, Any], file: str, problems: Problems) -> None:
        self._lines = lines_of(text)
        self._values = values
        self._file = file
        self._problems = problems

    def workflow(self, name: str, directory: Path) -> Workflow:
        values = self._values
        for key in values:
            if key not in _TOP:
                self._wrong((key,), unknown("key", key, _TOP))
        for key in _TABLES:
            if not isinstance(values.get(key, {}), dict):
                self._wrong((key,), f"{key} is a table: write [{key}] and what is in it below")
        if not values.get("steps"):
            self._wrong(("steps",), "there are no steps: write [steps.NAME] and below it task = …")
        for path, value in _not_json(values, ()):
            self._wrong(path, f"{value} is neither text nor a usual number: write it as text, in quotes")
        self._problems.raise_all(self._file)
        references = (self._reference(*item) for item in values.get("references", {}).items())
        steps = (self._step(*item) for item in values["steps"].items())
        document = {
            "name": values.get("name", name),
            "seed": values.get("seed"),
            "outputs": values.get("outputs", []),
            "inputs": {key: None if value == REQUIRED else value for key, value in values.get("inputs", {}).items()},
            "references": [one for one in references if one is not None],
            "steps": [one for one in steps if one is not None],
        }
        read = self._typed(document)
        self._problems.raise_all(self._file)
        return self._placed(cast("Workflow", read), directory)

    def _reference(self, name: str, values: Any) -> dict[str, Any] | None:
        where = ("references", name)
        if not isinstance(values, dict):
            self._wrong(where, f"a reference is a table: write [references.{name}] and below it images = […]")
            return None
        for key in values:
            if key not in _CARRIED:
                self._wrong((*where, key), f"{name}: {unknown('key', key, _CARRIED)}")
        return {"name": name, **values}

    def _step(self, name: str, values: Any) -> dict[str, Any] | None:
        where = ("steps", name)
        if not isinstance(values, dict):
            self._wrong(where, f"a step is a table: write [steps.{name}] and below it task = …")
            return None
        if "task" not in values:
            self._wrong(where, 'it has no task: write task = "text-to-image", or another')
        for key in ("name", "values", "place"):
            if key in values:
                self._wrong(
                    (*where, key), f"{key!r} is no key of a step: its name is in its header, its values are keys"
                )
        if isinstance(values.get("max_usd"), float):
            self._wrong((*where, "max_usd"), f'max_usd: a float is not an exact amount: write "{values["max_usd"]}"')
        own = {key: value for key, value in values.items() if key not in RESERVED}
        options = {key: values[key] for key in OPTIONS if key in values}
        return {"name": name, "task": values.get("task", ""), "values": own, **options}

    def _typed(self, document: dict[str, Any]) -> Workflow | None:
        read, faults = typed(document)
        for path, text in faults:
            key = ".".join(map(str, path[2:] if path[0] == "steps" else path))
            named = path[0] in ("steps", "references") and len(path) > 1
            where = (path[0], document[path[0]][path[1]]["name"], *path[2:]) if named else path
            self._wrong(where, f"{key}: {text}")
        return read

    def _placed(self, workflow: Workflow, directory: Path) -> Workflow:
        return replace(
            workflow,
            directory=directory,
            place=Place(self._file, 1, self._top_lines()),
            steps=tuple(replace(one, place=self._place("steps", one.name)) for one in workflow.steps),
            references=tuple(replace(one, place=self._place("references", one.name)) for one in workflow.references),
        )

    def _top_lines(self) -> dict[str, int]:
        inputs = {f"inputs.{name}": self._lines(("inputs", name)) for name in self._values.get("inputs", ())}
        return {**{key: self._lines((key,)) for key in self._values}, **inputs}

    def _place(self, *path: str) -> Place:
        keys = self._values[path[0]][path[1]]
        return Place(self._file, self._lines(path), {key: self._lines((*path, key)) for key in keys})

    def _wrong(self, path: tuple[str | int, ...], text: str) -> None:
        step = str(path[1]) if path[0] == "steps" and len(path) > 1 else None
        self._problems.add(Place(self._file, self._lines(path)), step, text)


@cache
def _workflow() -> TypeAdapter[Workflow]:
    return TypeAdapter(Workflow)


def typed(document: Mapping[str, Any]) -> tuple[Workflow | None, list[tuple[tuple[Any, ...], str]]]:
    """The workflow of plain data, or what is of a wrong type in it: where, by keys and numbers, and why."""
    try:
        return _workflow().validate_json(json.dumps(document), strict=True), []
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)
        return None, [(item["loc"], item["msg"].removeprefix("Value error, ")) for item in told]


def _not_json(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """What TOML has and JSON has not: days, times, infinity."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _not_json(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _not_json(item, (*path, at))
    elif not isinstance(value, str | int | float) or value in (float("inf"), float("-inf")) or value != value:  # noqa: PLR0124  not a number
        yield path, value


# ------------------------------------------------------------------------------------------------------------- writing


def dumps(workflow: Workflow) -> str:
    """The workflow as a TOML file, which reads back as the same one.

    Raises:
        RequestError: Something in it has no word in TOML.

    """
    head = {"name": workflow.name, "seed": workflow.seed, "outputs": list(workflow.outputs) or None}
    parts = [toml_text(head)]
    if workflow.inputs:
        given = {name: REQUIRED if value is None else _written(value, name) for name, value in workflow.inputs.items()}
        parts.append(_table(("inputs",), given))
    for one in workflow.references:
        own = {key: value for key, value in one.as_json().items() if key != "name"}
        parts.append(_table(("references", one.name), own))
    parts += [_table(("steps", step.name), _step_table(step)) for step in workflow.steps]
    return "\n".join(parts)


def _table(path: tuple[str, ...], values: Mapping[str, Any]) -> str:
    keys = tuple(one if NAME.fullmatch(one) else json.dumps(one) for one in path)
    return f"[{'.'.join(keys)}]\n{toml_text(values, keys)}"


def _step_table(step: Step) -> dict[str, Any]:
    for key in step.values:
        if key in RESERVED:
            raise RequestError(
                f"{step.name}: a parameter named {key!r} cannot be written: a step's own option is called so"
            )
    given = step.as_json()
    options = {name: _written(given[name], f"{step.name}.{name}") for name in OPTIONS if name in given}
    each = {"each": options.pop("each")} if "each" in options else {}
    values = {name: _written(value, f"{step.name}.{name}") for name, value in step.values.items()}
    return {**each, "task": step.task, **values, **options}


def _written(value: Any, name: str) -> Any:
    if value is None:
        raise RequestError(f"{name} holds null, which TOML has no word for: leave it out")
    if isinstance(value, Mapping):
        return {key: _written(item, f"{name}.{key}") for key, item in value.items()}
    return [_written(item, name) for item in value] if isinstance(value, list | tuple) else value
