"""`jobs` and `resume`: what was asked for, and going on with what is not finished."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from aggregator.cli.board import Board
from aggregator.cli.session import EXIT_UNFINISHED, AsJson, ConfigFile, Directory, LocalOnly, Session, error_as_json
from aggregator.cli.show import console, emit, heading, say, table, usd
from aggregator.client import Aggregator
from aggregator.errors import AggregatorError
from aggregator.job import AttemptState, JobRecord

__all__ = ["jobs", "resume"]

ProjectFilter = Annotated[str | None, typer.Option("--project", metavar="NAME", help="This project only.")]
OpenOnly = Annotated[bool, typer.Option("--open", help="Those that are not finished.")]


def jobs(
    *,
    project: ProjectFilter = None,
    open_only: OpenOnly = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs in the store, oldest first."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    records = session.run(_jobs(session, project, open_only=open_only))
    if as_json:
        emit([record.as_json() for record in records])
    else:
        _draw_jobs(console(), records)


def resume(
    *,
    project: ProjectFilter = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Go on with every unfinished job. Orders nothing again. Ends with 0 if all of them are stored, else with 3."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    ends = session.run(_resume(session, project))
    if as_json:
        emit([end.as_json() for end in ends])
    else:
        _draw_ends(console(), ends)
    if any(end.error is not None for end in ends):
        raise typer.Exit(EXIT_UNFINISHED)


# ------------------------------------------------------------------------------------------------------------ gathering


async def _jobs(session: Session, project: str | None, *, open_only: bool) -> list[JobRecord]:
    async with Aggregator(session.config()) as agg:
        return await agg.jobs(project=project, open_only=open_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What became of a job that was resumed."""

    record: JobRecord
    error: AggregatorError | None

    @property
    def held_usd(self) -> Decimal:
        """What stays reserved: nobody knows whether it was charged."""
        return Decimal(self.record.reserved_usd)

    def as_json(self) -> dict[str, Any]:
        error = None if self.error is None else error_as_json(self.error)["error"]
        return {"job": self.record.as_json(), "error": error}


async def _resume(session: Session, project: str | None) -> list[End]:
    board = Board(console(err=True))
    shown = None if session.as_json else board.tell
    async with Aggregator(session.config(), on_progress=shown) as agg:
        with board:
            ends = await agg.resume(project=project)
        return [
            End(record=await agg.job(job_id).record(), error=end if isinstance(end, AggregatorError) else None)
            for job_id, end in ends.items()
        ]


# -------------------------------------------------------------------------------------------------------------- drawing


def _draw_jobs(on: Console, records: list[JobRecord]) -> None:
    if not records:
        on.print("No jobs.")
        return
    found = table(on, "job", "project / key", "task", "state", "usd", right=("usd",), fold=("project / key",))
    for record in records:
        key = "" if record.key.startswith("job:") else f" / {record.key}"
        money = usd(Decimal(record.settled_usd)) if record.settled_usd is not None else _held(record)
        found.add_row(record.id, f"{record.project}{key}", record.task, _state(record), money)
    on.print(found)


def _held(record: JobRecord) -> str:
    held = Decimal(record.reserved_usd)
    return f"({usd(held)})" if held else "–"


def _state(record: JobRecord) -> Text:
    styles = {AttemptState.STORED: "green", AttemptState.UNKNOWN: "red", AttemptState.LOST: "red"}
    return Text(record.state.value, styles.get(record.state, ""))


def _draw_ends(on: Console, ends: list[End]) -> None:
    if not ends:
        on.print("Every job is finished.")
        return
    on.print(heading(f"{sum(end.error is None for end in ends)} of {len(ends)} jobs are stored"))
    for end in ends:
        record = end.record
        say(on, f"{record.id}  {record.project}  {record.task}  ", _state(record), indent=2)
        if end.error is not None:
            say(on, str(end.error), indent=4)
        if end.error is not None and end.held_usd:
            held = usd(end.held_usd)
            say(
                on, f"{held} stay reserved: nobody knows yet whether it was charged, so it is not given back.", indent=4
            )
