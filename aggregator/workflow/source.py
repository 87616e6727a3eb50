"""A workflow as the text of a Python module whose function writes the same workflow down (`tracing`).

Inputs become the function's parameters and a fan-out a comprehension. Where that would not say the same, all steps are
written out one by one, as the inputs make them.
"""

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any

from aggregator.errors import RequestError
from aggregator.tasks import TASKS
from aggregator.verbs import Verbs
from aggregator.workflow.file import OPTIONS, RESERVED
from aggregator.workflow.flat import flattened, stems_of
from aggregator.workflow.kinds import starts_from
from aggregator.workflow.layout import Group, Node, inside, quote_for, quoted, rendered, wrapped
from aggregator.workflow.model import PREVIOUS, Carried, Ref, Step, Workflow, refs_in
from aggregator.workflow.order import in_order
from aggregator.workflow.words import PLACE, texts_in

__all__ = ["VERBS", "source"]

VERBS: Mapping[str, str] = {
    **{task: task.replace("-", "_") for task in TASKS},
    "image-upscaling": "upscale_image",
    "video-upscaling": "upscale_video",
    "video-extension": "extend_video",
    "frame-interpolation": "interpolate_frames",
}
"""The verb of each task."""
_TAKEN = ("w", "Steps", "workflow", "Media", "Handle", "Any", "Sequence", "enumerate", "range", "one", "number")
_ASKED = re.compile(r"@([A-Za-z][\w-]*)\.(\d+|\{index\})(?=\.)")
_SAME_PLACE = re.compile(r"([A-Za-z][\w-]*)\.(\d+|\{index\})")
ITEM, INDEX = "item", "index"


def source(workflow: Workflow, inputs: Mapping[str, Any] | None = None) -> str:
    """Write the workflow as a Python module.

    Args:
        inputs: Instead of the defaults.

    Raises:
        RequestError: The workflow cannot be drawn apart (`expand`), or a parameter of a step is called as one of a
            step's own options.

    """
    given = replace(workflow, inputs={**workflow.inputs, **(inputs or {})})
    as_is = all(_says_itself(step, given) for step in given.steps)
    return _Module(given if as_is else flattened(given)).text()


# ----------------------------------------------------------------------------------- what a comprehension would not say


def _says_itself(step: Step, workflow: Workflow) -> bool:
    """Whether ordinary Python over the inputs comes to the same steps."""
    if any(text.startswith("@") for text in texts_in(workflow.inputs)):
        return False  # in a file it may name a step, in Python never
    inside = {match[1] + match[2] for text in (*texts_in(step.values), step.when or "") for match in _inside(text)}
    if any(isinstance(workflow.inputs.get(name), list | tuple) for name in inside):
        return False  # a list is a tuple among defaults, and would be written as one
    named = [ref.step for ref in (*refs_in(step.values), *refs_in([step.each]))]
    target = (step.continues or "").removeprefix("@")
    if "{" in target and (_SAME_PLACE.fullmatch(target) is None or step.each is None):
        return False
    if any(re.sub(r"\.\d+$", "", name) == step.name for name in (*named, re.sub(r"\.[^.]+$", "", target))):
        return False
    if step.each is None:
        return True
    if any(name.partition(".")[0] == ITEM for name in inside) and any(refs_in([step.each])):
        return False
    return "@item." not in (step.when or "") and not any(text.startswith("@@") for text in texts_in(step.each))


def _inside(text: str) -> Iterator[re.Match[str]]:
    """What stands for inputs within a longer text."""
    whole = PLACE.fullmatch(text)
    if whole is None or whole[1] is None:
        yield from (match for match in PLACE.finditer(text) if match[1] is not None)


# ----------------------------------------------------------------------------------------------------------- the module


class _Module:
    """One workflow, and how its inputs and steps are called in Python."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._steps = list(in_order(workflow))
        self._by_name = {step.name: step for step in self._steps}
        used = set(_TAKEN)
        self._function = _identifier(workflow.name, used)
        self._inputs = {name: _identifier(name, used) for name in workflow.inputs}
        self._item, self._index = _identifier(ITEM, used), _identifier(INDEX, used)
        self._vars = {step.name: _identifier(step.name, used) for step in self._steps}
        self._stems = stems_of(self._by_name)
        self._taken = set(self._named())

    def _named(self) -> Iterator[str]:
        """The steps whose variable is read somewhere."""
        for step in self._steps:
            refs = [ref.step for ref in (*refs_in(step.values), *refs_in([step.each]))]
            target = (step.continues or "").removeprefix("@")
            yield from (re.sub(r"\.\d+$", "", name) for name in refs)
            yield step.name if target == PREVIOUS else target.partition(".")[0]
        yield from (ref.step.partition(".")[0] for item in self._workflow.references for ref in refs_in(item.images))
        yield from self._workflow.outputs

    def text(self) -> str:
        body = list(self._body())
        code = "\n".join(body)
        imports = [
            "from collections.abc import Sequence" if "Sequence[" in code else "",
            "from typing import Any" if re.search(r"\bAny\b", code) else "",
        ]
        ours = [
            "from aggregator import Media" if "Media(" in code else "",
            "from aggregator.workflow import Steps, workflow",
            "from aggregator.workflow.handles import Handle" if "list[Handle]" in code else "",
        ]
        top = "\n\n".join(part for block in (imports, ours) if (part := "\n".join(filter(None, block))))
        said = " ".join(self._workflow.name.split()).replace("\\", "/").replace('"', "'")
        return f'"""The workflow {said}."""\n\n{top}\n\n\n{code}\n'

    def _body(self) -> Iterator[str]:
        workflow = self._workflow
        same = self._function == workflow.name
        yield "@workflow" if same else f"@workflow(name={quoted(workflow.name)})"
        inputs = [self._parameter(*item) for item in workflow.inputs.items()]
        head = ["w: Steps", *(["*", *inputs] if inputs else [])]
        yield rendered(Group(f"async def {self._function}(", head, ") -> None:"))
        late = next((at for at, item in enumerate(workflow.references) if any(refs_in(item.images))), None)
        lines: list[Node] = []
        if workflow.seed is not None:
            lines.append(f"w.seed = {workflow.seed}")
        lines += [self._reference(item) for item in workflow.references[:late]]
        for step in self._steps:
            lines += self._statement(step)
        if late is not None:
            lines += [self._reference(item) for item in workflow.references[late:]]
        if workflow.outputs:
            lines.append(Group("w.output(", [self._spread(Ref(name)) for name in workflow.outputs], ")"))
        for line in lines:
            depth = 8 if isinstance(line, Group) and ".append(" in line.before else 4
            yield " " * depth + rendered(line, depth)

    def _parameter(self, name: str, default: Any) -> Node:
        called = self._inputs[name]
        if default is None:
            return f"{called}: Any"
        if isinstance(default, list | tuple):
            kinds = {type(one).__name__ for one in default}
            of = kinds.pop() if len(kinds) == 1 and kinds <= {"str", "int", "float", "bool"} else "Any"
            items = [_literal(one) for one in default]
            return Group(f"{called}: Sequence[{of}] = (", items, ",)" if len(items) == 1 else ")")
        kind = "dict[str, Any]" if isinstance(default, Mapping) else type(default).__name__
        return wrapped(f"{called}: {kind} = ", _literal(default))

    def _reference(self, item: Carried) -> Node:
        items = [self._spread(ref) if (ref := Ref.of(one)) else quoted(_meant(one)) for one in item.images]
        given = [
            Group("images=[", items, "]") if items else "",
            "" if item.role == "character" else f"role={quoted(item.role)}",
            "" if item.voice is None else f"voice={quoted(_meant(item.voice))}",
            "" if item.prompt is None else f"prompt={quoted(item.prompt)}",
        ]
        return Group("w.reference(", [quoted(item.name), *(one for one in given if one)], ")")

    # ------------------------------------------------------------------------------------------------------------ steps

    def _statement(self, step: Step) -> Iterator[Node]:
        made = f"{self._vars[step.name]} = " if step.name in self._taken else ""
        if step.each is None:
            yield wrapped(f"{made}await ", self._call(step, self._inputs))
            return
        env = {**self._inputs, ITEM: self._item, INDEX: self._index}
        call = self._call(step, env)
        over = Group(f"for {self._index}, {self._item} in enumerate(", [self._all(step.each), "1"], ")")
        if step.continues == PREVIOUS:
            yield f"{self._vars[step.name]}: list[Handle] = []"
            yield wrapped("", over, ":")
            yield Group(f"{self._vars[step.name]}.append(", [wrapped("await ", call)], ")", separator="")
        else:
            yield Group(f"{made}[", [wrapped("await ", call), over], "]", separator="")

    def _call(self, step: Step, env: Mapping[str, str]) -> Node:
        for key in step.values:
            if key in RESERVED or not key.isidentifier() or keyword.iskeyword(key):
                raise RequestError(f"{step.name}: a parameter named {key!r} cannot be written in Python")
        values = {key: self._value(value, env) for key, value in step.values.items() if value is not None}
        verb = VERBS.get(step.task)
        start = starts_from(step.task)
        if step.continues is not None and start is not None:  # what it continues is all that it starts from
            if start not in values:
                values[start] = "None"
            elif step.continues == PREVIOUS:
                values[start] = wrapped(f"None if {self._vars[step.name]} else ", values[start])
        args: list[Node] = [quoted(step.task)] if verb is None else []
        for one in () if verb is None else list(signature(getattr(Verbs, verb)).parameters.values())[1:]:
            if one.kind is not Parameter.POSITIONAL_OR_KEYWORD or one.name not in values:
                break
            args.append(values.pop(one.name))
        args += [wrapped(f"{key}=", value) for key, value in values.items()]
        args += [wrapped(f"{key}=", value) for key, value in self._options(step, env)]
        return Group(f"w.{verb or 'edit'}(", args, ")")

    def _options(self, step: Step, env: Mapping[str, str]) -> Iterator[tuple[str, Node]]:
        stem = quoted(self._stems[step.name])[:-1]
        yield "name", quoted(step.name) if step.each is None else f'f{stem}-{{{self._index}}}"'
        given = step.as_json()
        for name in OPTIONS:
            if name == "when" and step.when is not None:
                yield name, self._condition(step.when, env)
            elif name == "continues" and step.continues is not None:
                yield name, self._continued(step)
            elif name in given and name not in ("each", "continues"):
                yield name, _literal(given[name])

    def _condition(self, when: str, env: Mapping[str, str]) -> str:
        return _formatted(_ASKED.sub(lambda found: f"@{self._stems[found[1]]}-{found[2]}", when), env)

    def _continued(self, step: Step) -> str:
        if step.continues == PREVIOUS:
            return f"{self._vars[step.name]}[-1] if {self._vars[step.name]} else None"
        target = str(step.continues).removeprefix("@")
        base, _, number = target.partition(".")
        if number == "{index}":
            return f"{self._vars[base]}[{self._index} - 1]"
        if number:
            return f"{self._vars[base]}[{int(number) - 1}]"
        return self._vars[base] + ("" if self._by_name[base].each is None else "[-1]")

    # ----------------------------------------------------------------------------------------------------------- values

    def _value(self, value: Any, env: Mapping[str, str]) -> Node:
        if value == f"@{ITEM}" and ITEM in env:
            return env[ITEM]
        if isinstance(value, str):
            ref = Ref.of(value)
            return _text(value, env) if ref is None else self._made(ref)[0]
        if isinstance(value, Mapping):
            if "sha256" in value or "url" in value:
                return Group("Media(", [wrapped(f"{key}=", _literal(one)) for key, one in value.items()], ")")
            items = [wrapped(f"{quoted(key)}: ", self._value(one, env)) for key, one in value.items()]
            return Group("{", items, "}")
        if isinstance(value, list | tuple):
            refs = [None if one == f"@{ITEM}" else Ref.of(one) for one in value]
            items = [self._spread(ref) if ref else self._value(one, env) for one, ref in zip(value, refs, strict=True)]
            return Group("[", items, "]")
        return repr(value)

    def _made(self, ref: Ref) -> tuple[str, bool]:
        """What a step makes, and whether that is a list."""
        base, _, number = ref.step.partition(".")
        name, take = self._vars[base], "" if ref.take is None else f".take({ref.take})"
        if number:
            return f"{name}[{int(number) - 1}]{take}", False
        if self._by_name[base].each is None:
            return name + take, False
        return (f"[one{take} for one in {name}]" if take else name), True

    def _spread(self, ref: Ref) -> str:
        made, several = self._made(ref)
        return f"*{made}" if several else made

    def _all(self, each: Any) -> Node:
        """The items of a fan-out; what a step makes one by one."""
        ref = Ref.of(each)
        if ref is None and isinstance(each, list | tuple):
            refs = [Ref.of(one) for one in each]
            items = [
                self._value(one, self._inputs) if ref is None else self._made(ref)[0]
                for one, ref in zip(each, refs, strict=True)
            ]
            return Group("[", items, "]")
        if ref is None:
            return self._value(each, self._inputs)
        made, several = self._made(ref)
        step = self._by_name.get(ref.step)
        if step is not None and step.takes > 1 and step.pick == "all" and ref.take is None:
            takes = f"for number in range(1, {step.takes + 1})"
            return f"[one.take(number) for one in {made} {takes}]" if several else f"[{made}.take(number) {takes}]"
        return made if several else f"[{made}]"


# ------------------------------------------------------------------------------------------------------------ the words


def _identifier(name: str, used: set[str]) -> str:
    """A name of our own in Python, like no other."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    plain = plain if plain.isidentifier() and not keyword.iskeyword(plain) else f"_{plain}"
    found, number = plain, 1
    while found in used:
        number += 1
        found = f"{plain}_{number}"
    used.add(found)
    return found


def _literal(value: Any) -> Node:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return Group("{", [wrapped(f"{quoted(key)}: ", _literal(one)) for key, one in value.items()], "}")
    if isinstance(value, list | tuple):
        return Group("[", [_literal(one) for one in value], "]")
    return repr(value)


def _meant(text: str) -> str:
    """The text that an escaped one stands for."""
    return text[1:] if text.startswith("@@") else text


def _text(text: str, env: Mapping[str, str]) -> str:
    whole = PLACE.fullmatch(text)
    return _looked_up(whole, env) if whole is not None and whole[1] is not None else _formatted(_meant(text), env)


def _formatted(text: str, env: Mapping[str, str]) -> str:
    """A text in which names of inputs stand: an f-string, or a plain one where none do."""
    parts: list[tuple[str, str]] = []  # a plain text, and what is looked up behind it
    at, plain = 0, ""
    for match in PLACE.finditer(text):
        plain += text[at : match.start()]
        at = match.end()
        if match[1] is None:
            plain += match[0][0]
        else:
            parts.append((plain, "{" + _looked_up(match, env, "'") + "}"))
            plain = ""
    plain += text[at:]
    if not parts:
        return quoted(plain)
    keys = any("'" in found for _, found in parts)  # quotes within an f-string are other ones
    quote = '"' if keys else quote_for("".join(one for one, _ in parts) + plain)
    words = "".join(_doubled(one, quote) + found for one, found in parts) + _doubled(plain, quote)
    return f"f{quote}{words}{quote}"


def _doubled(text: str, quote: str) -> str:
    """A text within an f-string."""
    return inside(text, quote).replace("{", "{{").replace("}", "}}")


def _looked_up(match: re.Match[str], env: Mapping[str, str], quote: str = '"') -> str:
    if match[1] not in env:
        raise RequestError(f"{match[0]}: there is no input {match[1]!r}")
    return env[match[1]] + "".join(f"[{quote}{part}{quote}]" for part in match[2].split(".")[1:])
