"""A workflow as a Python function: called once with a recorder in the place of a project, it writes its steps down.

```python
@workflow
async def film(w: Steps, prompt: str, shots: list[str]) -> None:
    still = await w.text_to_image(prompt, name="still", takes=4, pick="person")
    clips = [await w.image_to_video(still, text, duration_s=5) for text in shots]
    await w.edit("concatenate", clips=clips)


film(prompt="a lighthouse at dawn", shots=["slow push-in", "orbit left"])  # a Workflow; nothing is sent
```
"""

import asyncio
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import update_wrapper, wraps
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from types import CodeType
from typing import Any, Concatenate, Generic, Literal, NoReturn, ParamSpec, Unpack, overload

from pydantic import BaseModel

from aggregator.errors import AggregatorError, ConfigurationError, RequestError
from aggregator.inputs import Media, SupportsMedia
from aggregator.options import OPTIONS, amount_usd, check_options
from aggregator.routing.chain import STEP
from aggregator.tasks import Request
from aggregator.verbs import Verbs
from aggregator.workflow.handles import Handle
from aggregator.workflow.kinds import request_class, starts_from, takes
from aggregator.workflow.model import Carried, Place, Step, Workflow
from aggregator.workflow.problems import Problems, unknown
from aggregator.workflow.step_verbs import STEP_OPTIONS, StepOptions, StepVerbs

__all__ = ["Function", "Steps", "trace", "workflow"]

P = ParamSpec("P")
_REFUSED: Mapping[str, str] = {
    "key": "what a step makes is found again by what goes into it; leave key out",
    "wait_s": "nothing is waited for while the steps are written down; deadline_s is a step's own end",
    "tags": "tags are the run's",
}


class Steps(StepVerbs):
    """The verbs of a project, each of which writes a step down and gives what it will make.

    Paths are relative to the file that the function is in, and texts mean themselves: `{` and `@` are no more than
    characters here.
    """

    seed: int | None = None
    """Shared by all steps, where seeds mean something."""

    def __init__(self, directory: Path = Path()) -> None:
        self._directory = directory
        self._steps: list[Step] = []
        self._names: set[str] = set()
        self._numbers: dict[str, int] = {}
        """How many steps of a task were given a name here."""
        self._references: list[Carried] = []
        self._outputs: list[str] = []
        self._place: Place | None = None

    @property
    def references(self) -> tuple[Carried, ...]:
        """What goes along from step to step, as far as it was declared."""
        return tuple(self._references)

    async def generate(self, request: Request, **options: Unpack[StepOptions]) -> Handle:
        """Write down the step of a request."""
        return self._record(request, request.values(), dict(options))

    async def edit(self, operation: str, **values: Any) -> Handle:
        """Write down a local operation (`aggregator.editing.edits.EDITS`), with its parameters and a step's options."""
        return await self._do(operation, values)

    def reference(
        self,
        name: str,
        *,
        images: Sequence[Any] = (),
        role: Literal["character", "style", "object", "look"] = "character",
        voice: str | None = None,
        prompt: str | None = None,
    ) -> str:
        """Declare what goes along with every step that takes it, or with those whose `carry` names it.

        Args:
            images: Paths, addresses, or what steps make.
            voice: For the steps that speak.
            prompt: Words that are added to the prompts of pictures and clips.

        Returns:
            The name, for `carry`.

        """
        written = tuple(one.ref if isinstance(one, Handle) else _at(self._path(one)) for one in images)
        own = Carried(
            name=name,
            images=written,
            role=role,
            voice=None if voice is None else _at(voice),
            prompt=prompt,
            place=_caller(1),
        )
        self._references.append(own)
        return name

    def output(self, *made: Handle) -> None:
        """Say which steps are the piece; else it is those that no other step takes."""
        self._outputs += [one.name for one in made]

    async def _do(self, task: str, given: Mapping[str, Any], **parameters: Any) -> Handle:
        known = OPTIONS | STEP_OPTIONS
        options = {name: value for name, value in given.items() if name in known}
        values = {**parameters, **{name: value for name, value in given.items() if name not in known}}
        values = {name: value for name, value in values.items() if value is not None}
        inputs, cls = takes(task), request_class(task)
        for name in values:
            if name not in cls.model_fields:
                beside = sorted(known)
                raise RequestError(unknown(f"parameter of {task}", name, cls.model_fields, beside=beside) + cls.beyond)
        seen = {name: _stand_in(value) if name in inputs else value for name, value in values.items()}
        if options.get("continues") is not None and (start := starts_from(task)) is not None:
            seen.setdefault(start, Media(sha256=sha256(b"").hexdigest(), mime_type=f"{start}/*"))
        return self._record(cls(**seen), values, options)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise RequestError(unknown("verb", name, [one for one in dir(type(self)) if not one.startswith("_")]))

    def _record(self, request: Request, values: Mapping[str, Any], options: dict[str, Any]) -> Handle:
        for name, reason in _REFUSED.items():
            if name in options:
                raise RequestError(f"{name} is no option of a step: {reason}")
        check_options({name: value for name, value in options.items() if name not in STEP_OPTIONS})
        given = {name: value for name, value in options.items() if value is not None}
        if isinstance(continued := given.get("continues"), Handle):
            given["continues"] = continued.name
        if "when" in given:
            given["when"] = _braces(str(given["when"]))
        if "carry" in given:
            given["carry"] = tuple(given["carry"])
        if "max_usd" in given:
            given["max_usd"] = amount_usd(given["max_usd"], "max_usd")
        name = given.pop("name", None) or self._free(request.task)
        self._names.add(name)
        written = {key: self._plain(value) for key, value in values.items()}
        self._steps.append(Step(name=name, task=request.task, values=written, place=self._place, **given))
        return Handle(name, request)

    def _free(self, task: str) -> str:
        while True:
            number = self._numbers[task] = self._numbers.get(task, 0) + 1
            name = task if number == 1 else f"{task}-{number}"
            if name not in self._names:
                return name

    def _plain(self, value: Any) -> Any:
        """A value as it stands in the model."""
        if isinstance(value, Handle):
            return value.ref
        if isinstance(value, str | os.PathLike):
            return _at(_braces(self._path(value) if isinstance(value, os.PathLike) else value))
        if isinstance(value, BaseModel):
            given = {name: getattr(value, name) for name in type(value).model_fields}
            return {name: self._plain(one) for name, one in given.items() if one is not None}
        if isinstance(value, Mapping):
            return {str(name): self._plain(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(one) for one in value]
        if isinstance(value, Media | SupportsMedia | bytes | bytearray | memoryview) or hasattr(value, "read"):
            return self._media(Media.of(value))
        if value is None or isinstance(value, bool | int | float):
            return value
        raise RequestError(
            f"a {type(value).__name__} cannot be written down: give a path, an address, what a step makes, or an "
            "earlier result"
        )

    def _media(self, media: Media) -> Any:
        if media.job_id is not None and media.job_id.startswith(STEP):
            return "@" + media.job_id.removeprefix(STEP)
        if isinstance(media.source, Path):
            return self._plain(media.source.absolute())
        if media.sha256 is None and media.url is None:
            raise RequestError("bytes and open files cannot be written down: save them, and give the path")
        return media.url if media.sha256 is None else {k: self._plain(v) for k, v in media.as_json().items()}

    def _path(self, path: str | os.PathLike[str]) -> str:
        """Relative to the function's file, where it is below it."""
        here = self._directory.absolute()
        found = Path(path)
        return found.relative_to(here).as_posix() if found.is_relative_to(here) else os.fspath(path)

    def workflow(self, name: str) -> Workflow:
        """What was written down."""
        if not self._steps:
            raise RequestError("no step is written down: call a verb of the first parameter")
        return Workflow(
            name=name,
            steps=tuple(self._steps),
            references=tuple(self._references),
            seed=self.seed,
            outputs=tuple(self._outputs),
            directory=self._directory,
        )


def _at(text: str) -> str:
    """A text that names no step."""
    return f"@{text}" if text.startswith("@") else text


def _braces(text: str) -> str:
    """A text that names no input."""
    return text.replace("{", "{{").replace("}", "}}")


def _stand_in(value: Any) -> Any:
    """An input, without looking whether its file is there: all that are missing are named together, by `checking`."""
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise RequestError("what a step makes goes in once it was awaited: write await before the verb")
    if isinstance(value, list | tuple):
        return tuple(_stand_in(one) for one in value)
    if isinstance(value, Mapping):
        return {name: _stand_in(one) if name == "image" else one for name, one in value.items()}
    if isinstance(value, str | os.PathLike) and "://" not in str(value)[:12] and str(value)[:5] != "data:":
        path = os.fspath(value)
        return Media(sha256=sha256(path.encode()).hexdigest(), mime_type=guess_type(path)[0])
    return value


# ------------------------------------------------------------------------------------------------------------- places


def _caller(above: int) -> Place:
    frame = sys._getframe(above + 1)  # noqa: SLF001  the line is what is wanted
    return Place(_shown(frame.f_code.co_filename), frame.f_lineno)


def _shown(file: str) -> str:
    """A file as somebody here would name it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


async def _done(handle: Handle) -> Handle:
    return handle


def _noting(verb: Callable[..., Coroutine[Any, Any, Handle]]) -> Callable[..., Coroutine[Any, Any, Handle]]:
    """A verb that is done when it is called: then the line is known, also within `asyncio.gather`."""

    @wraps(verb)
    def noted(self: Steps, *args: Any, **options: Any) -> Coroutine[Any, Any, Handle]:
        place = self._place = _caller(1)
        try:
            verb(self, *args, **options).send(None)
        except StopIteration as made:
            return _done(made.value)
        except (RequestError, ConfigurationError) as error:
            _refuse("the workflow", place, error)
        raise AssertionError

    return noted


for _name, _verb in {**vars(Verbs), **vars(Steps)}.items():
    if inspect.iscoroutinefunction(_verb) and not _name.startswith("_"):
        setattr(Steps, _name, _noting(getattr(Steps, _name)))


def _refuse(name: str, place: Place, error: AggregatorError) -> NoReturn:
    problems = Problems()
    problems.add(place, None, str(error))
    problems.raise_all(name)
    raise AssertionError


# ---------------------------------------------------------------------------------------------------------- functions


class Function(Generic[P]):
    """A workflow function. Called with its inputs, it gives the workflow."""

    def __init__(self, function: Callable[Concatenate[Steps, P], Awaitable[None]], name: str | None = None) -> None:
        update_wrapper(self, function)
        self.function = function
        self.name = name or inspect.unwrap(function).__name__

    @property
    def place(self) -> Place:
        """Where it is."""
        code = inspect.unwrap(self.function).__code__
        return Place(_shown(code.co_filename), code.co_firstlineno)

    def __call__(self, *args: P.args, **inputs: P.kwargs) -> Workflow:
        """Have the steps written down; nothing is sent.

        Raises:
            WorkflowCheckError: A step cannot be as it is written, or the function depends on what is not made yet.

        """
        code: CodeType = inspect.unwrap(self.function).__code__
        file = Path(code.co_filename)
        steps = Steps(file.parent if file.is_file() else Path())
        try:
            _run(self.function(steps, *args, **inputs))
            return replace(steps.workflow(self.name), place=self.place)
        except RequestError as error:
            frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
            lines = [frame.lineno for frame in frames if frame.filename == code.co_filename]
            _refuse(self.name, replace(self.place, line=lines[-1]) if lines else self.place, error)


@overload
def workflow(function: Callable[Concatenate[Steps, P], Awaitable[None]]) -> Function[P]: ...
@overload
def workflow(*, name: str) -> Callable[[Callable[Concatenate[Steps, P], Awaitable[None]]], Function[P]]: ...
def workflow(function: Any = None, *, name: str | None = None) -> Any:
    """Make a workflow of a function: call it with its inputs, without the first, to have its steps written down.

    Args:
        name: Instead of the function's.

    """
    return Function(function, name) if function is not None else lambda own: Function(own, name)


def trace(function: Callable[Concatenate[Steps, P], Awaitable[None]], *args: P.args, **inputs: P.kwargs) -> Workflow:
    """Have a function write its steps down, as `Function` does."""
    return Function(function)(*args, **inputs)


def _run(work: object) -> None:
    """Run it to the end, in a thread of its own where an event loop is running already."""
    if not inspect.isawaitable(work):
        raise RequestError("a workflow function is async: write async def")

    async def whole() -> None:
        if await work is not None:
            raise RequestError("a workflow function returns nothing: w.output(…) says which steps are the piece")

    if _is_running():
        with ThreadPoolExecutor(1) as beside:
            beside.submit(asyncio.run, whole()).result()
    else:
        asyncio.run(whole())


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
