"""From the words of a command line to a request and its options. Checking the values is the request's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast, get_origin

import typer

from aggregator.config import nearest
from aggregator.errors import RequestError
from aggregator.tasks import TASKS, Request

if TYPE_CHECKING:
    from aggregator.options import Options

__all__ = ["Asked", "OnUnsupported", "options_of", "request_of"]

_MAKING, _ROUTING, _MONEY = "What to make", "Who makes it", "Money and time"

Task = Annotated[str, typer.Argument(metavar="TASK", help="The kind of work, such as text-to-image or image-to-video.")]
Words = Annotated[str | None, typer.Argument(metavar="PROMPT|TEXT", help="The prompt, or the text to speak.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="NAME=PATH", help="A file or an address, such as image=still.png.", rich_help_panel=_MAKING
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter, such as duration_s=5 or size=1280x720.",
        rich_help_panel=_MAKING,
    ),
]
ProviderOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--provider-option",
        metavar="PROVIDER.PATH=VALUE",
        help="What goes into one provider's body beside the parameters.",
        rich_help_panel=_MAKING,
    ),
]
OnUnsupported = Annotated[
    str | None,
    typer.Option(metavar="error|adjust", help="What to do with a value a model cannot take.", rich_help_panel=_MAKING),
]
Stage = Annotated[
    str | None,
    typer.Option(metavar="STAGE", help="prototype (a workhorse) or final (a hero).", rich_help_panel=_ROUTING),
]
Role = Annotated[
    str | None, typer.Option(metavar="NAME", help="The name under which [roles] says who.", rich_help_panel=_ROUTING)
]
Model = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="veo-3.1, or one offer: fal:fal-ai/veo3.1.", rich_help_panel=_ROUTING),
]
MaxUsd = Annotated[
    str | None, typer.Option(metavar="USD", help="The most this call may reserve.", rich_help_panel=_MONEY)
]
ProjectName = Annotated[
    str, typer.Option("--project", metavar="NAME", help="Whose books it goes into.", rich_help_panel=_MONEY)
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="USD", help="The project's budget, for its life.", rich_help_panel=_MONEY),
]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="The same key is the same job, for ever: never paid twice.", rich_help_panel=_MONEY
    ),
]
WaitS = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Stop waiting after this long; the job goes on.", rich_help_panel=_MONEY),
]
DeadlineS = Annotated[float | None, typer.Option(metavar="SECONDS", help="The job's own end.", rich_help_panel=_MONEY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One order: the request, and the options that were given."""

    request: Request
    options: "Options"

    @classmethod
    def of(
        cls,
        task: str,
        words: str | None,
        *,
        inputs: Sequence[str] | None,
        sets: Sequence[str] | None,
        provider_options: Sequence[str] | None,
        **options: Any,
    ) -> "Asked":
        """Read what was typed; `None` was not."""
        given = {name: value for name, value in options.items() if value is not None}
        if given.get("on_unsupported", "error") not in ("error", "adjust"):
            raise typer.BadParameter("error or adjust", param_hint="--on-unsupported")
        if provider_options:
            given["provider_options"] = options_of(provider_options)
        return cls(request=request_of(task, words, inputs=inputs, sets=sets), options=cast("Options", given))


def request_of(task: str, words: str | None, *, inputs: Sequence[str] | None, sets: Sequence[str] | None) -> Request:
    """The request of a task.

    Raises:
        RequestError: The task, a parameter or an input is not understood.
    """
    if task not in TASKS:
        close = nearest(task, TASKS)
        hint = f"did you mean {', '.join(close)}?" if close else f"one of {', '.join(TASKS)}"
        raise RequestError(f"unknown task {task!r}; {hint}")
    kind = TASKS[task]
    values: dict[str, Any] = {}
    if words is not None:
        values[_words_field(kind)] = words
    for name, path in _pairs(inputs, "--input"):
        if _is_list(kind, name):
            values[name] = (*values.get(name, ()), {"image": path})
        else:
            _put(values, name, path)
    for name, value in _pairs(sets, "--set"):
        _put(values, name, _from_json(name, value) if _is_list(kind, name) else value)
    return kind(**values)


def _words_field(kind: type[Request]) -> str:
    field = next((name for name in ("text", "prompt") if name in kind.model_fields), None)
    if field is None:
        raise RequestError(f"{kind.task} takes no words: give its parameters with --set and --input")
    return field


def _is_list(kind: type[Request], name: str) -> bool:
    field = kind.model_fields.get(name)
    return field is not None and get_origin(field.annotation) is tuple


def _put(values: dict[str, Any], name: str, value: object) -> None:
    if name in values:
        raise typer.BadParameter(f"{name} is given twice")
    values[name] = value


def _pairs(given: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    pairs = []
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint=option)
        pairs.append((name, value))
    return pairs


def _from_json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise typer.BadParameter(f"{name} is a list: write it as JSON", param_hint="--set") from None


def options_of(given: Sequence[str] | None) -> Mapping[str, Mapping[str, Any]]:
    """Providers' own options, by provider and path."""
    found: dict[str, dict[str, Any]] = {}
    for name, text in _pairs(given, "--provider-option"):
        provider, dot, path = name.partition(".")
        if not dot or not path:
            raise typer.BadParameter(f"{name!r}: write PROVIDER.PATH=VALUE", param_hint="--provider-option")
        try:
            value = json.loads(text)
        except ValueError:
            value = text  # a word is a string
        _put(found.setdefault(provider, {}), path, value)
    return found
