"""From `film.toml` or `film.py:film` and the words after `--set` to a workflow and its inputs."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_origin

import typer

from aggregator.config import nearest
from aggregator.errors import AggregatorError, ConfigurationError, RequestError

if TYPE_CHECKING:
    from aggregator.workflow.model import Workflow
    from aggregator.workflow.steps import Score
    from aggregator.workflow.tracing import Function

__all__ = ["Found", "FromFile", "Inputs", "workflow_of"]

FromFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A workflow: film.toml, or film.py:film for a function of that name.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help='An input of the workflow; a list as JSON: shots=["a", "b"].'),
]


class Found(NamedTuple):
    """What a file holds."""

    workflow: "Workflow"
    inputs: Mapping[str, Any]
    """To run it with; a Python function has taken its own already."""
    scorers: "Mapping[str, Score]"
    """The functions beside a Python function, for `pick="score:<name>"`."""


def workflow_of(given: str, sets: Sequence[str] | None) -> Found:
    """The workflow of a file, with what was typed as its inputs.

    Raises:
        ConfigurationError: There is no such file, or nothing of that name in it.
        WorkflowCheckError: It is no workflow; every reason with its line.
        RequestError: An input is missing, or unknown.

    """
    name, _, function = given.rpartition(":") if given.rpartition(":")[0].endswith(".py") else (given, "", "")
    path = Path(name)
    words = dict(map(_pair, sets or ()))
    if path.suffix == ".py":
        return _of_python(path, function, words)
    from aggregator.workflow.file import read

    workflow = read(path)
    return Found(workflow, _values(workflow, words), {})


def _values(workflow: "Workflow", words: Mapping[str, str]) -> Mapping[str, Any]:
    return {key: _value(key, text, workflow.inputs.get(key)) for key, text in words.items()}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint="--set")
    return name, value


def _value(name: str, text: str, like: object) -> Any:
    """A value as its default is one; without a default JSON, where it reads as that: a word is a string."""
    if isinstance(like, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        if like is None:
            return text
        kind = {list: "a list", tuple: "a list", dict: "a table", bool: "true or false"}.get(type(like), "a number")
        raise typer.BadParameter(f"{name} is {kind}: write it as JSON", param_hint="--set") from None


# -------------------------------------------------------------------------------------------------------------- python


def _of_python(path: Path, name: str, words: Mapping[str, str]) -> Found:
    from aggregator.workflow.model import Workflow

    with _told_of(path):
        module = _module(path)
    found = _named(module, path, name)
    scorers = {key: one for key, one in vars(module).items() if inspect.isfunction(one)}
    if isinstance(found, Workflow):
        return Found(found, _values(found, words), scorers)
    signature = inspect.signature(inspect.unwrap(found.function))
    parameters = dict(list(signature.parameters.items())[1:])
    for key in words:
        if key not in parameters:
            close = nearest(key, parameters)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(parameters) or 'none'}"
            raise RequestError(f"{found.name} has no input {key!r}; {hint}")
    missing = [key for key, one in parameters.items() if one.default is one.empty and key not in words]
    if missing:
        raise RequestError(f"{found.name} needs {', '.join(missing)}: give --set {missing[0]}=…")
    inputs = {key: _value(key, text, _like(parameters[key])) for key, text in words.items()}
    with _told_of(path):
        return Found(found(**inputs), {}, scorers)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """What is wrong in the file itself is said with its line there."""
    try:
        yield
    except AggregatorError:
        raise
    except Exception as error:
        lines = [one.lineno for one in extract_tb(error.__traceback__) if Path(one.filename) == path.absolute()]
        if isinstance(error, SyntaxError) and error.filename == str(path.absolute()):
            lines.append(error.lineno)
        line = f":{lines[-1]}" if lines else ""
        raise ConfigurationError(f"{path}{line}: {type(error).__name__}: {error}") from error


def _named(module: ModuleType, path: Path, name: str) -> "Function[Any] | Workflow":
    """The workflow of that name in a file; without a name, the only one."""
    from aggregator.workflow.model import Workflow
    from aggregator.workflow.tracing import Function

    there = {key: one for key, one in vars(module).items() if isinstance(one, Function | Workflow)}
    if name in there:
        return there[name]
    if name or not there:
        there_is = f"; there is {', '.join(there)}" if there else ""
        raise ConfigurationError(f"{path} has no workflow {name or 'at all'}: write @workflow above it{there_is}")
    if len(there) > 1:
        raise ConfigurationError(
            f"{path} has several workflows, {', '.join(there)}: say which, {path}:{next(iter(there))}"
        )
    return next(iter(there.values()))


def _module(path: Path) -> ModuleType:
    """The file, run as `python FILE` would find what is beside it; its `__main__` part is not."""
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"{path}: there is no such file")
    module = sys.modules[path.stem] = module_from_spec(spec)
    sys.path.insert(0, str(path.parent.absolute()))
    spec.loader.exec_module(module)
    return module


def _like(parameter: inspect.Parameter) -> object:
    """A value of the kind that a parameter takes; `None`: that is not known."""
    if parameter.default is not parameter.empty and parameter.default is not None:
        return parameter.default
    kind = get_origin(parameter.annotation) or parameter.annotation
    known: Mapping[Any, object] = {str: "", Path: "", list: [], dict: {}, int: 0, float: 0.0, bool: False}
    return known.get(kind)
