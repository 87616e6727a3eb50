"""Whether a workflow can run as it is written: all that is wrong at once, each with its file and line. Nothing is sent.

Who would serve a step is not looked at: that is the plan's.
"""

from collections.abc import Iterator, Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, get_origin

from aggregator.editing.edits import Edit
from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import Request, faults
from aggregator.workflow.content import Given, parameters, symbolic
from aggregator.workflow.expand import expand
from aggregator.workflow.file import OPTIONS, typed
from aggregator.workflow.flat import is_address
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.kinds import made_by, makes, request_class, takes
from aggregator.workflow.model import Ref, Workflow, refs_in
from aggregator.workflow.problems import Problems, unknown
from aggregator.workflow.structure import ANY, WHAT, mended

__all__ = ["check"]


def check(workflow: Workflow, inputs: Mapping[str, Any] | None = None) -> None:
    """See that a workflow can run.

    Args:
        inputs: Instead of the defaults.

    Raises:
        WorkflowCheckError: It cannot; `problems` names every reason.

    """
    problems = Problems()
    for path, text in typed(workflow.as_json())[1]:
        of, *inside = path
        step = workflow.steps[inside.pop(0)] if of == "steps" and inside else None
        place, key = (workflow.place, str(of)) if step is None else (step.place, ".".join(map(str, inside)))
        problems.add(place and place.at(key), step and step.name, f"{key}: {text}")
    problems.raise_all(workflow.name)
    whole, given = mended(workflow, inputs or {}, problems)
    if whole.steps:
        try:
            _Values(expand(whole, given), problems).check()
        except RequestError as error:
            problems.add(whole.place, None, str(error))
    problems.raise_all(workflow.name)


class _Values:
    """The flat steps, and what each of them would be asked for."""

    def __init__(self, graph: Graph, problems: Problems) -> None:
        self._graph = graph
        self._problems = problems
        self._requests: dict[str, Request | None] = {}
        """By flat step; `None`: it cannot be made, which was told."""

    def check(self) -> None:
        for item in self._graph.workflow.references:
            for image in item.images:
                if Ref.of(image) is None and (fault := _fault(self._path(image))) is not None:
                    self._problems.add(item.place and item.place.at("images"), None, f"reference {item.name}: {fault}")
                elif (kind := self._kind(image)) not in ("image", ""):
                    text = f"reference {item.name} takes pictures; {image} is {WHAT.get(kind, kind)}"
                    self._problems.add(item.place and item.place.at("images"), None, text)
        for node in self._graph.nodes:
            self._requests[node.name] = self._request(node)

    def _path(self, image: str) -> str:
        return (
            image if is_address(image) else str((self._graph.workflow.directory / image.removeprefix("@")).absolute())
        )

    def _wrong(self, node: Node, key: str, text: str) -> None:
        place = node.step.place
        self._problems.add(place and place.at(key), node.step.name, text)

    def _request(self, node: Node) -> Request | None:
        cls, inputs = request_class(node.task), takes(node.task)
        values: dict[str, Any] = {}
        for key, value in node.values.items():
            if key not in cls.model_fields:
                self._wrong(node, key, _unknown(node.task, key, cls) + cls.beyond)
            elif key in inputs:
                values[key] = self._input(node, key, value, inputs[key])
                several = get_origin(cls.model_fields[key].annotation) is tuple
                if several and not isinstance(value, list):
                    if value != ANY:  # else it was told what is wrong with it
                        self._wrong(node, key, f'{key} takes several: write a list, {key} = ["{value}"]')
                    values[key] = [values[key]]
                elif isinstance(value, list) and not several:
                    self._wrong(
                        node, key, f"{key} takes one, and there are {len(value)}: say which, @name.1 or @name#1"
                    )
                    values[key] = dict(ANY)
            else:
                values[key] = value
        wanted = {key: _known(value) if key in inputs else value for key, value in node.wanted.items()}
        seen = Node(node.name, node.step, node.task, values, wanted)
        try:
            read = parameters(seen, self._given(seen))
            found = faults(cls, read)
            for key, text in found:
                self._wrong(node, key or "task", f"{key}: {text}" if key else text)
            made = None if found else cls(**read)
            if isinstance(made, Edit):
                made.makes()
        except RequestError as error:
            self._wrong(node, "task", str(error))
            return None
        return made

    def _input(self, node: Node, key: str, value: Any, kinds: tuple[str, ...]) -> Any:
        """An input, or what stands for it where it is told what is wrong with it."""
        if isinstance(value, list):
            return [self._input(node, key, one, kinds) for one in value]
        if isinstance(value, Mapping) and "image" in value:
            return {**value, "image": self._input(node, key, value["image"], kinds)}
        known = {**ANY, "mime_type": f"{kinds[0]}/*"}
        if not isinstance(value, str):
            return known if value == ANY else value
        if Ref.of(value) is None and (fault := _fault(value)) is not None:
            name = Path(value).name
            meant = f"; what the step of this name makes is @{name}" if name in self._graph.fans else ""
            self._wrong(node, key, f"{key}: {fault}{meant}")
            return known
        kind = self._kind(value)
        if kind and kind not in kinds:
            wanted = " or ".join(WHAT[one] for one in kinds)
            self._wrong(
                node,
                key,
                f"{key} takes {wanted}; {_named(value)} {'makes' if Ref.of(value) else 'is'} {WHAT.get(kind, kind)}",
            )
            return known
        return value if kind or Ref.of(value) is None else known

    def _kind(self, value: str) -> str:
        """What an input is, as far as that is known."""
        ref = Ref.of(value)
        if ref is None:
            return (guess_type(value)[0] or "").partition("/")[0]
        made = self._requests.get(ref.step)
        return made_by(self._graph.by_name[ref.step].task) if made is None else makes(made)

    def _given(self, node: Node) -> Given:
        return dict(self._outputs(node))

    def _outputs(self, node: Node) -> Iterator[tuple[str, Media]]:
        for ref in (*refs_in(node.values), *refs_in(node.wanted)):
            made = self._requests.get(ref.step)
            yield str(ref), Media.from_json(ANY) if made is None else symbolic(ref.step, ref.take, made)


def _known(value: Any) -> Any:
    """What is carried: its files are looked at where it is declared."""
    if isinstance(value, list):
        return [_known(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _known(one) if key == "image" else one for key, one in value.items()}
    return dict(ANY) if isinstance(value, str) else value


def _unknown(task: str, key: str, cls: type[Request]) -> str:
    return unknown(f"parameter of {task}", key, cls.model_fields, beside=OPTIONS)


def _named(value: str) -> str:
    return value if Ref.of(value) is not None else Path(value).name


def _fault(value: str) -> str | None:
    """Why a file or an address cannot go in."""
    try:
        Media.of(value)
    except RequestError as error:
        return str(error)
    return None
