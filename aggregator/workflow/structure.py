"""What is wrong with how a workflow is put together: names, references, options, circles. What is wrong is taken out,
so that the rest can be looked at too (`checking`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator.editing.edits import EDITS
from aggregator.errors import RequestError
from aggregator.workflow.circles import base_of, circles, without
from aggregator.workflow.conditions import asked_about, parse
from aggregator.workflow.expand import fill
from aggregator.workflow.file import OPTIONS
from aggregator.workflow.kinds import known_tasks, made_by, request_class, starts_from, takes
from aggregator.workflow.model import NAME, PREVIOUS, Carried, Ref, Step, Workflow, refs_in
from aggregator.workflow.problems import Problems, unknown
from aggregator.workflow.words import names_in, unclosed_in

__all__ = ["ANY", "WHAT", "mended"]

ANY: Mapping[str, str] = {"sha256": "0" * 64}
"""What stands for an input that is not right, and was told."""
WHAT: Mapping[str, str] = {"image": "a picture", "video": "a clip", "audio": "a sound"}
TEXT = "…"
"""What stands for a text that is not right, and was told."""
MAX_TAKES = 64
ITEM, INDEX = "item", "index"
_PICK = re.compile(r"first|person|all|score:[A-Za-z_]\w*")
_OF_EDITS = ("each", "when", "continues")
"""The options that an edit has too."""
_ROUNDING = 1e-9
_FLAT = re.compile(r"(.+?)\.(\d+|\{index\})")


def mended(workflow: Workflow, given: Mapping[str, Any], problems: Problems) -> tuple[Workflow, dict[str, Any]]:
    """The workflow and its inputs without what is wrong with them, which is noted."""
    return _Structure(workflow, given, problems).mended()


class _Structure:
    """One workflow, as it is looked at."""

    def __init__(self, workflow: Workflow, given: Mapping[str, Any], problems: Problems) -> None:
        self._workflow = workflow
        self._problems = problems
        self._inputs = {**workflow.inputs, **{name: value for name, value in given.items() if name in workflow.inputs}}
        self._missing = {name for name, value in self._inputs.items() if value is None}
        self._given = given
        self._by_name: dict[str, Step] = {}
        self._broken: set[str] = set()
        """The steps that nothing can be said about."""
        self._sizes: dict[str, int] = {}
        """How many items a fan-out over a list has."""

    def mended(self) -> tuple[Workflow, dict[str, Any]]:
        workflow = self._workflow
        if not workflow.steps:
            self._wrong(None, "steps", "there are no steps")
        self._check_names()
        self._check_inputs()
        for step in self._by_name.values():
            self._check_options(step)
            if step.each is not None:
                self._check_each(step)
        references = tuple(map(self._reference, workflow.references))
        steps = [self._step(step) for step in self._by_name.values() if step.name not in self._broken]
        self._check_shares()
        outputs = tuple(filter(self._is_output, workflow.outputs))
        circular: set[str] = set()
        for circle in circles(steps):
            names = " → ".join(step.name for step in (*circle, circle[0]))
            self._wrong(circle[0], "task", f"steps take from each other in a circle: {names}")
            circular |= {step.name for step in circle}
        kept = tuple(without(steps, circular, ANY))
        outputs = tuple(name for name in outputs if any(step.name == name for step in kept))
        references = tuple(self._made(item, kept) for item in references)
        seed = workflow.seed if self._seed_is_right() else None
        whole = replace(workflow, steps=kept, references=references, outputs=outputs, seed=seed)
        return whole, {name: TEXT if value is None else value for name, value in self._inputs.items()}

    def _wrong(self, step: Step | None, key: str, text: str) -> None:
        place = step.place if step is not None else self._workflow.place
        self._problems.add(place and place.at(key), None if step is None else step.name, text)

    # ---------------------------------------------------------------------------------------------------- what is named

    def _check_names(self) -> None:
        for step in self._workflow.steps:
            if NAME.fullmatch(step.name) is None:
                self._wrong(step, "name", f"{step.name!r} is no name: letters, digits, - and _, a letter first")
            elif step.name in (ITEM, PREVIOUS):
                self._wrong(step, "name", f"no step can be named {step.name!r}: the word has a meaning of its own")
            if step.name in self._by_name:
                first = self._by_name[step.name].place
                other = f"; the other is at {first}" if first else ""
                self._wrong(step, "name", f"two steps are named {step.name!r}{other}")
            self._by_name.setdefault(step.name, step)
        seen: dict[str, Carried] = {}
        for item in self._workflow.references:
            if NAME.fullmatch(item.name) is None:
                self._of(item, "name", f"{item.name!r} is no name: letters, digits, - and _, a letter first")
            if item.name in seen:
                self._of(item, "name", f"two references are named {item.name!r}")
            seen[item.name] = item

    def _of(self, item: Carried, key: str, text: str) -> None:
        self._problems.add(item.place and item.place.at(key), None, f"reference {item.name}: {text}")

    def _check_inputs(self) -> None:
        known = tuple(self._workflow.inputs)
        for name in known:
            if NAME.fullmatch(name) is None or name in (ITEM, INDEX):
                self._wrong(None, f"inputs.{name}", f"no input can be named {name!r}")
        for name in self._given:
            if name not in known:
                self._wrong(None, "inputs", unknown("input", name, known))
        for name in sorted(self._missing):
            self._wrong(None, f"inputs.{name}", f"the input {name} has to be given: --set {name}=…")
        if not self._seed_is_right():
            self._wrong(None, "seed", f"seed {self._workflow.seed} is not between 0 and 2^63")

    def _seed_is_right(self) -> bool:
        return self._workflow.seed is None or 0 <= self._workflow.seed < 2**63

    def _is_output(self, name: str) -> bool:
        if name not in self._by_name:
            self._wrong(None, "outputs", f"outputs: {unknown('step', name, tuple(self._by_name))}")
        return name in self._by_name

    # ---------------------------------------------------------------------------------------------------------- options

    def _check_options(self, step: Step) -> None:
        if step.task not in known_tasks():
            self._wrong(step, "task", unknown("task", step.task, known_tasks()))
            self._broken.add(step.name)
        if not 1 <= step.takes <= MAX_TAKES:
            self._wrong(step, "takes", f"{step.takes} takes: from 1 to {MAX_TAKES}")
        if _PICK.fullmatch(step.pick) is None:
            self._wrong(step, "pick", f"pick = {step.pick!r}: first, person, all, or score:NAME of a function of yours")
        for name in ("weight", "deadline_s", "max_usd"):
            if (value := getattr(step, name)) is not None and value <= 0:
                self._wrong(step, name, f"{name} = {value}: more than 0")
        known = tuple(item.name for item in self._workflow.references)
        for name in step.carry or ():
            if name not in known:
                self._wrong(step, "carry", f"carry: {unknown('reference', name, known)}")
        for name in OPTIONS if step.task in EDITS else ():
            if name in step.as_json() and name not in _OF_EDITS:
                self._wrong(step, name, f"{step.task} is a local edit: it has no {name}")

    def _check_shares(self) -> None:
        shared = [step for step in self._by_name.values() if step.share is not None]
        for step in shared:
            if not 0 < (step.share or 0) <= 1:
                self._wrong(step, "share", f"share = {step.share:g}: more than 0, at most 1")
        if (whole := sum(step.share or 0 for step in shared)) > 1 + _ROUNDING:
            names = ", ".join(step.name for step in shared)
            self._wrong(shared[-1], "share", f"the shares of {names} come to {whole:g}: at most 1 together")

    def _check_each(self, step: Step) -> None:
        """A fan-out over a list; what it is over is unknown otherwise, and the step with it."""
        before = self._problems.noted
        self._check_texts(step, "each", step.each, fan_out=False)
        self._check_refs(step, "each", step.each)
        names = {match[1] for match in names_in(step.each)}
        if self._problems.noted > before or names & self._missing:
            self._broken.add(step.name)
            return
        items = fill(step.each, self._inputs)
        if Ref.of(items) is not None:
            return
        if not isinstance(items, list | tuple):
            self._wrong(step, "each", f"each is {items!r}, and has to be a list, or what a step makes")
        elif not items:
            self._wrong(step, "each", "each is an empty list: there is nothing to make")
        else:
            self._sizes[step.name] = len(items)
            return
        self._broken.add(step.name)

    # ------------------------------------------------------------------------------------------------- steps and values

    def _reference(self, item: Carried) -> Carried:
        kept: list[str] = []
        for image in item.images:
            try:
                ref = Ref.of(image)
                fault = None if ref is None else self._fault(ref)
            except RequestError as error:
                ref, fault = None, str(error)
            if fault is not None:
                self._of(item, "images", fault)
            else:
                kept.append(image)
        return replace(item, images=tuple(kept))

    @staticmethod
    def _made(item: Carried, steps: Sequence[Step]) -> Carried:
        """With those images only that some step is there for."""
        there = {step.name for step in steps}
        return replace(
            item,
            images=tuple(image for image in item.images if {base_of(one.step) for one in refs_in([image])} <= there),
        )

    def _step(self, step: Step) -> Step:
        fields = request_class(step.task).model_fields
        known = {item.name for item in self._workflow.references}
        values, continues = dict(self._values(step, fields)), self._continues(step)
        if step.continues is not None and continues is None and (start := starts_from(step.task)) is not None:
            values.setdefault(start, dict(ANY))
        return replace(
            step,
            values=values,
            when=self._when(step),
            continues=continues,
            carry=None if step.carry is None else tuple(name for name in step.carry if name in known),
        )

    def _values(self, step: Step, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The values that are right, and something for those that are not, where there must be one."""
        inputs = takes(step.task)
        for key, value in step.values.items():
            before = self._problems.noted
            right = self._value(step, key, value, is_input=key in inputs)
            unknown_yet = any(match[1] in self._missing for match in names_in(value))
            if key in inputs or (self._problems.noted == before and not unknown_yet):
                yield key, right
            elif key in fields and fields[key].is_required():
                yield key, TEXT
        voices = [item.name for item in self._workflow.references if item.voice]
        carried = [name for name in voices if step.carry is None or name in step.carry]
        if "voice" in fields and "voice" not in step.values and len(carried) > 1:
            names = ", ".join(carried)
            self._wrong(step, "carry", f'it speaks with one voice, and {names} are carried: carry = ["…"] says which')
            yield "voice", TEXT

    def _value(self, step: Step, key: str, value: Any, *, is_input: bool) -> Any:
        if isinstance(value, Mapping):
            return {name: self._value(step, key, one, is_input=is_input) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(step, key, one, is_input=is_input) for one in value]
        if not isinstance(value, str):
            return value
        before = self._problems.noted
        self._check_texts(step, key, value, fan_out=step.each is not None)
        self._check_refs(step, key, value)
        if self._problems.noted > before or any(match[1] in self._missing for match in names_in(value)):
            return dict(ANY)
        if (ref := Ref.of(value)) is None:
            return value
        if not is_input:
            self._wrong(step, key, f"{key} takes what is written, not what a step makes; @@ begins a plain @")
        return dict(ANY) if base_of(ref.step) in self._broken else value

    def _check_texts(self, step: Step, key: str, value: Any, *, fan_out: bool) -> None:
        """What stands for inputs in the texts of a value."""
        own = (ITEM, INDEX) if fan_out else ()
        known = (*self._inputs, *own)
        for name in unclosed_in(value):
            if name in known:
                self._wrong(step, key, f"{key}: {{{name} is not closed: write {{{name}}}; {{{{ is a plain brace")
        for match in names_in(value):
            if match[1] not in known:
                hint = "; {item} and {index} are of a fan-out" if match[1] in (ITEM, INDEX) else "; {{ is a plain brace"
                self._wrong(step, key, f"{key}: {unknown('input', match[1], known)}{hint}")
            elif match[1] not in own and match[1] not in self._missing:
                try:
                    fill(match[0], self._inputs)
                except RequestError as error:
                    self._wrong(step, key, f"{key}: {error}")

    def _check_refs(self, step: Step, key: str, value: Any) -> None:
        try:
            refs = list(refs_in(value))
        except RequestError as error:
            self._wrong(step, key, f"{key}: {error}")
            return
        for ref in refs:
            if ref.step == ITEM and step.each is not None and ref.take is None:
                continue
            if ref.step == ITEM:
                self._wrong(step, key, f"{key}: {ref} is what a fan-out is over: write each = …")
            elif (fault := self._fault(ref)) is not None:
                self._wrong(step, key, f"{key}: {fault}")

    def _fault(self, ref: Ref) -> str | None:
        """Why a reference leads nowhere."""
        base, _, number = ref.step.partition(".")
        step = self._by_name.get(base)
        if step is None:
            return unknown("step", base, tuple(self._by_name))
        if number and not number.isdecimal() and number != "{index}":
            return f"@{ref.step} is no item of {base}: write @{base}.2"
        if number and step.each is None:
            return f"@{ref.step}: {base} is one step, not a fan-out"
        if number.isdecimal() and not 1 <= int(number) <= self._sizes.get(base, int(number) or 1):
            return f"@{ref.step}: {base} makes {self._sizes.get(base, 'them')}, counted from 1"
        if ref.take is not None and not 1 <= ref.take <= step.takes:
            return f"{ref}: {base} has {step.takes} take{'s' * (step.takes > 1)}, counted from 1"
        return None

    # ---------------------------------------------------------------------------------------- conditions and continuity

    def _when(self, step: Step) -> str | None:
        if step.when is None:
            return None
        before = self._problems.noted
        self._check_texts(step, "when", step.when, fan_out=step.each is not None)
        try:
            parse(step.when)
        except RequestError as error:
            self._wrong(step, "when", str(error))
            return None
        for name in asked_about(step.when):
            found = _FLAT.fullmatch(name)
            number = found[2] if found and found[2].isdigit() else None
            base = found[1] if found else name
            if base == ITEM and step.each is not None:
                continue
            fault = self._fault(Ref(f"{base}.{number}" if number else base))
            if fault is not None:
                self._wrong(step, "when", f"when: {fault}")
            elif found is None and self._by_name[base].each is not None:
                self._wrong(step, "when", f"when: {base} is a fan-out: say which, @{base}.1")
            elif base in self._broken:
                return None
        return step.when if self._problems.noted == before else None

    def _continues(self, step: Step) -> str | None:
        if step.continues is None:
            return None
        start = starts_from(step.task)
        if start is None:
            self._wrong(step, "continues", f"{step.task} starts from nothing: there is nothing that it could continue")
            return None
        if step.continues == PREVIOUS:
            if step.each is None:
                self._wrong(
                    step, "continues", "continues = 'previous' is of a fan-out: write each = …, or name the step"
                )
            return PREVIOUS if step.each is not None else None
        before = self._problems.noted
        self._check_texts(step, "continues", step.continues, fan_out=step.each is not None)
        name = step.continues.removeprefix("@")
        found = _FLAT.fullmatch(name)
        base, number = (found[1], found[2]) if found else (name, "")
        fault = self._fault(Ref(f"{base}.{number}" if number.isdigit() else base))
        if fault is not None:
            self._wrong(step, "continues", f"continues: {fault}")
        elif base not in self._broken and (kind := made_by(self._by_name[base].task)) not in ("", "video"):
            self._wrong(step, "continues", f"continues takes a clip; {base} makes {WHAT[kind]}")
        if start in step.values:
            self._wrong(step, start, f"{start} and continues both say what it starts from: one of them")
        return step.continues if self._problems.noted == before and base not in self._broken else None
