"""What every command shares: the common options, the configuration they make, and how errors end.

Errors of the library end with code 1 and one message on standard error; with `--json` the document on standard output
is `{"error": …}`. Anything else is a defect and keeps its traceback.
"""

import asyncio
import os
from collections.abc import Coroutine, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from aggregator.backends import provider_names
from aggregator.cli.show import as_plain, emit, emit_line
from aggregator.config import Config, ProviderSettings, RoutingSettings, load_config
from aggregator.errors import AggregatorError

__all__ = [
    "EXIT_ERROR",
    "EXIT_INTERRUPTED",
    "EXIT_UNFINISHED",
    "AsJson",
    "ConfigFile",
    "Directory",
    "LocalOnly",
    "Session",
    "error_as_json",
]

T = TypeVar("T")
EXIT_ERROR = 1
EXIT_UNFINISHED = 3
EXIT_INTERRUPTED = 130
JOBS_GO_ON = "interrupted; what was ordered goes on: `aggregator resume` follows it"

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration, instead of the aggregator.toml that is found."),
]
LocalOnly = Annotated[bool, typer.Option("--local", help="The embedded backend only: stand-ins, no key, no network.")]
Directory = Annotated[
    Path | None, typer.Option("--dir", metavar="DIRECTORY", help="Where the store and the files are.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the command: its common options."""

    config_file: Path | None = None
    local: bool = False
    directory: Path | None = None
    as_json: bool = False
    as_lines: bool = False
    """With `as_json`: an object a line, the error too."""

    def config(self, environ: Mapping[str, str] = os.environ) -> Config:
        """The configuration with the options laid over it."""
        config = load_config(self.config_file, environ)
        changed: dict[str, Any] = {}
        if self.local:  # nothing real is paid, so a RAM disk will do, and no role may lead elsewhere
            off = ProviderSettings(enabled=False)
            changed = {
                "providers": {**dict.fromkeys(provider_names(), off), "local": ProviderSettings()},
                "routing": RoutingSettings(),
                "roles": {},
                "allow_ephemeral": True,
            }
        if self.directory is not None:
            changed["directory"] = self.directory
        return config.model_copy(update=changed)

    def run(self, work: Coroutine[Any, Any, T], *, interrupted: str = JOBS_GO_ON) -> T:
        """Run to the end; an error of the library is told, and ends the command, and so does an interruption."""
        try:
            with self.told():
                return asyncio.run(work)
        except KeyboardInterrupt:
            typer.echo(f"aggregator: {interrupted}", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None

    @contextmanager
    def told(self) -> Generator[None, None, None]:
        """Tell errors of the library instead of raising them."""
        try:
            yield
        except AggregatorError as error:
            if self.as_json:
                (emit_line if self.as_lines else emit)(error_as_json(error))
            typer.echo(f"aggregator: {error!s}", err=True)
            raise typer.Exit(EXIT_ERROR) from None


def error_as_json(error: AggregatorError) -> dict[str, Any]:
    """An error as data: its type, its message and what it carries."""
    carried = {name: as_plain(value) for name, value in vars(error).items() if not name.startswith("_")}
    return {"error": {**carried, "type": type(error).__name__, "message": str(error)}}
