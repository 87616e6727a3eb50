"""The command as a whole: its name, its version, its subcommands in the order a newcomer meets them.

A subcommand's module is imported when it is asked for: `aggregator --version` waits for none of them.
"""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from aggregator import __version__

__all__ = ["app"]

_COMMANDS = {
    "demo": "demo:demo",
    "generate": "make:generate",
    "plan": "make:plan",
    "run": "run:run",
    "sheet": "sheet:sheet",
    "pick": "runs:pick",
    "promote": "run_promote:promote",
    "lock": "lock:lock",
    "models": "catalogue:models",
    "verdicts": "verdicts:verdicts",
    "spend": "spending:spend",
    "budgets": "spending:budgets",
    "jobs": "books:jobs",
    "resume": "books:resume",
    "correct": "unknown:correct",
    "doctor": "doctor:doctor",
    "local": "server:local",
    "serve-diffusers": "serve_diffusers:serve_diffusers",
    "emulate": "emulate:emulate",
    "runs": "runs:app",
    "prices": "prices_commands:app",
    "workflow": "workflow:app",
    "registry": "registry:app",
    "unknown": "unknown:app",
    "pauses": "pauses:app",
}
"""Each with its module here and what it is called there; groups come last."""
_HELP_ALONE = ("workflow", "registry", "unknown", "pauses")
"""Groups that show their help when no command is given."""


class _Later(TyperGroup):
    """The subcommands, of which only those that somebody asks for are there."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: dict[str, Any] = dict.fromkeys(_COMMANDS)  # the names, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  as Typer calls it
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name in _COMMANDS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _made(cmd_name)
        return self.commands.get(cmd_name)


def _made(name: str) -> Any:
    module, _, called = _COMMANDS[name].partition(":")
    found = getattr(import_module(f"aggregator.cli.{module}"), called)
    alone = typer.Typer()
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name, no_args_is_help=name in _HELP_ALONE)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]


app = typer.Typer(
    name="aggregator",
    cls=_Later,
    help="One interface over many video, image and audio models: draft cheaply, promote to the best, see what it cost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001  Typer calls it so
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Draft on a workhorse, promote to a hero, see what it cost."""
