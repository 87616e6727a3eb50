"""`runs` and `pick`: the workflows that were started, what became of them, and which take goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from aggregator.cli.run_view import draw_run
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, say, table, usd
from aggregator.client import Aggregator
from aggregator.config import nearest
from aggregator.errors import RequestError
from aggregator.pricing.money import from_micro_usd

if TYPE_CHECKING:
    from aggregator.project import Project
    from aggregator.store.runs import KeptMoney
    from aggregator.store.runs import Run as RunRecord
    from aggregator.workflow.runs import Run

__all__ = ["OfProject", "RunName", "app", "kept_said", "opened_project", "pick"]

app = typer.Typer(help="The workflows that were started: `runs` lists them.")

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Which one, as `aggregator runs` shows it.")]
OfProject = Annotated[
    str | None, typer.Option("--project", metavar="NAME", help="Whose run it is, if several have one of this name.")
]
STYLES = {"finished": "green", "failed": "red", "paused": "yellow", "running": "cyan", "canceled": "dim"}
PREFIX = "project:"
MADE = frozenset({"made", "reused", "attached", "skipped"})


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    *,
    project: Annotated[str | None, typer.Option("--project", metavar="NAME", help="This project only.")] = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List the workflows that were started, the one that was touched last first; or `show` or `cancel` one."""
    if context.invoked_subcommand is not None:
        return
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_runs(session, project))
    if as_json:
        emit([one.as_json() for one in found])
    else:
        _draw_runs(console(), found)


@app.command("show")
def show(
    run: RunName,
    *,
    project: OfProject = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of one run, step by step. Nothing is sent."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_show(session, run, project))
    if as_json:
        emit(found.as_json())
    else:
        draw_run(console(), found, plan=None, took_s={}, saved={}, again="run it again")


@app.command("cancel")
def cancel(
    run: RunName,
    *,
    project: OfProject = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Give a run up: the money that is kept for it is free again. Jobs that are under way go on."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    freed = session.run(_cancel(session, run, project))
    if as_json:
        emit({"run": run, "state": "canceled", "freed_usd": str(freed)})
    else:
        say(console(), f"{run} is given up, {usd(freed)} is free again. What it made is kept: run it again to go on.")


def pick(
    run: RunName,
    step: Annotated[str, typer.Argument(metavar="STEP", help="Of which step: still, or shot.2 of a fan-out.")],
    take: Annotated[int, typer.Argument(metavar="TAKE", help="Which take goes on, from 1.", min=1)],
    *,
    project: OfProject = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Say which take of a step goes on; then run the workflow again."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    session.run(_pick(session, run, step, take, project))
    if as_json:
        emit({"run": run, "step": step, "take": take})
    else:
        say(console(), f"take {take} of {step} goes on: run {run} again, it takes it up from there")


# ------------------------------------------------------------------------------------------------------------ gathering


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One run, in figures."""

    record: "RunRecord"
    done: int
    """Steps that are made, found again or skipped."""
    steps: int
    spent_usd: Decimal
    """By its own jobs: what it found made by another run counts there."""
    reserved_usd: Decimal
    """By its jobs, and kept for the steps that have not begun."""
    kept: "KeptMoney | None"
    """What of it is kept for the steps that have not begun."""

    @property
    def project(self) -> str:
        return self.record.project.removeprefix(PREFIX)

    @property
    def touched(self) -> datetime:
        return _moment(self.record.updated_at)

    def as_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "run": self.record.name,
            "state": self.record.state,
            "stage": self.record.stage,
            "done": self.done,
            "steps": self.steps,
            "spent_usd": str(self.spent_usd),
            "reserved_usd": str(self.reserved_usd),
            "kept_usd": str(_usd(self.kept)),
            "kept_since": None if self.kept is None else _moment(self.kept.at).isoformat(),
            "created_at": _moment(self.record.created_at).isoformat(),
            "updated_at": self.touched.isoformat(),
        }


async def _runs(session: Session, project: str | None) -> list[Listed]:
    async with Aggregator(session.config()) as agg:
        kept = await _kept(agg)
        return [await _listed(agg, record, kept.get(record.id)) for record in await agg.runs(project=project)]


async def _listed(agg: Aggregator, record: "RunRecord", kept: "KeptMoney | None") -> Listed:
    from aggregator.store.runs import steps_of
    from aggregator.workflow.reading import graph_of
    from aggregator.workflow.runs import by_step

    written = by_step(await agg.opened.store.read(lambda c: steps_of(c, record.id)))
    nodes = graph_of(record).nodes
    done = sum(_is_made(written.get(node.name, ())) for node in nodes)
    spent = await agg.opened.spend(record.project, tags={"_run": record.id})
    reserved_usd = spent.held_usd + _usd(kept)
    return Listed(
        record=record, done=done, steps=len(nodes), spent_usd=spent.settled_usd, reserved_usd=reserved_usd, kept=kept
    )


def _is_made(takes: Sequence[Any]) -> bool:
    return bool(takes) and all(one.state in MADE for one in takes)


async def _kept(agg: Aggregator) -> "dict[str, KeptMoney]":
    """By the id of the run."""
    from aggregator.store.runs import kept_money

    return {one.run: one for one in await agg.opened.store.read(kept_money)}


def _usd(kept: "KeptMoney | None") -> Decimal:
    return Decimal(0) if kept is None else from_micro_usd(kept.amount)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


async def opened_project(agg: Aggregator, run: str, project: str | None) -> "Project":
    """The project of a run.

    Raises:
        RequestError: There is no such run, or several projects have one.

    """
    records = await agg.runs(project=project)
    found = [record.project.removeprefix(PREFIX) for record in records if record.name == run]
    if len(found) > 1 and project not in found:
        raise RequestError(f"{', '.join(found)} have a run {run!r} each: say which, --project {found[0]}")
    if not found:
        names = [record.name for record in records]
        close = nearest(run, names)
        there = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(names) or 'none'}"
        raise RequestError(f"no run {run!r}; {there}")
    return await agg.project(project if project in found else found[0]).__aenter__()


async def _show(session: Session, run: str, project: str | None) -> "Run":
    async with Aggregator(session.config()) as agg:
        return await (await opened_project(agg, run, project)).open_run(run)


async def _cancel(session: Session, run: str, project: str | None) -> Decimal:
    async with Aggregator(session.config()) as agg:
        p = await opened_project(agg, run, project)
        [record] = [one for one in await agg.runs() if (one.project, one.name) == (p.account, run)]
        kept = (await _kept(agg)).get(record.id)
        await p.cancel_run(run)
        return _usd(kept)


async def _pick(session: Session, run: str, step: str, take: int, project: str | None) -> None:
    async with Aggregator(session.config()) as agg:
        await (await opened_project(agg, run, project)).pick_take(run, step, take)


# -------------------------------------------------------------------------------------------------------------- drawing


def _draw_runs(on: Console, found: Sequence[Listed]) -> None:
    if not found:
        on.print("No runs. `aggregator run film.toml` starts one.")
        return
    figures = ("steps", "spent", "reserved")
    rows = table(on, "project", "run", "state", *figures, "when (UTC)", right=figures, fold=("project", "run"))
    for one in found:
        rows.add_row(
            one.project,
            one.record.name,
            Text(one.record.state, STYLES.get(one.record.state, "")),
            f"{one.done}/{one.steps}",
            usd(one.spent_usd),
            usd(one.reserved_usd),
            f"{one.touched:%Y-%m-%d %H:%M}",
        )
    on.print(rows)
    for one in found:
        if one.kept is not None:
            on.print()
            say(on, kept_said(one.kept))


def kept_said(kept: "KeptMoney") -> str:
    """For what money is kept, and how it becomes free. Nobody knows here whether a run that was begun is alive."""
    why = "a person has to pick" if kept.state == "paused" else "unless it is under way, it was cut off"
    command = f"aggregator runs cancel {kept.name} --project {kept.project.removeprefix(PREFIX)}"
    return (
        f"{kept.name}: {usd(_usd(kept))} is kept since {_moment(kept.at):%Y-%m-%d %H:%M} (UTC) for steps that have not "
        f"begun; {why}: run it again to go on, or free the money: {command}"
    )
