"""`run`: a whole workflow, priced before it begins, followed while it goes on, and gone on with by the same command."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.run_plan_view import draw_fit, draw_run_plan
from aggregator.cli.run_tree import Tree
from aggregator.cli.run_view import DEFAULT_PROJECT, draw_run
from aggregator.cli.session import (
    EXIT_ERROR,
    EXIT_UNFINISHED,
    AsJson,
    ConfigFile,
    Directory,
    LocalOnly,
    Session,
)
from aggregator.cli.show import console, emit, emit_line, usd
from aggregator.cli.workflow_file import FromFile, Inputs, workflow_of
from aggregator.client import Aggregator
from aggregator.errors import RequestError

if TYPE_CHECKING:
    from aggregator.project import Project
    from aggregator.routing.chain_fit import Fit as Fitted
    from aggregator.workflow.events import RunEvent
    from aggregator.workflow.plan import RunPlan
    from aggregator.workflow.runs import Run

__all__ = [
    "ASKED_ABOVE_USD",
    "INTERRUPTED",
    "Budget",
    "Follower",
    "Out",
    "Yes",
    "confirmed",
    "ended",
    "run",
    "said_again",
]

ASKED_ABOVE_USD = Decimal("1.00")
"""A person at a terminal is asked before more than this is spent, unless a budget says how much may be."""
INTERRUPTED = "interrupted; what was ordered goes on, and nothing is lost: the same command goes on with it"
_MONEY, _LOOK = "Money", "Only look"

ProjectName = Annotated[str, typer.Option("--project", metavar="NAME", help="Whose books it goes into.")]
RunName = Annotated[
    str | None, typer.Option("--name", metavar="RUN", help="What the run is called; the workflow's name by default.")
]
Stage = Annotated[str, typer.Option(metavar="STAGE", help="Of the steps that name none: prototype or final.")]
Budget = Annotated[
    str | None, typer.Option("--budget", metavar="USD", help="What this run may cost at worst.", rich_help_panel=_MONEY)
]
ProjectBudget = Annotated[
    str | None,
    typer.Option("--project-budget", metavar="USD", help="The project's budget, for its life.", rich_help_panel=_MONEY),
]
Fit = Annotated[
    bool,
    typer.Option("--fit", help="Who makes each step is chosen so that --budget goes furthest.", rich_help_panel=_MONEY),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help=f"Do not ask: else, at a terminal and without --budget, before more than {usd(ASKED_ABOVE_USD)}.",
        rich_help_panel=_MONEY,
    ),
]
OnlyPlan = Annotated[
    bool,
    typer.Option("--plan", help="Say what would run, why, and what it costs. Sends nothing.", rich_help_panel=_LOOK),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="The same, with why each step runs again and what its model cannot carry.",
        rich_help_panel=_LOOK,
    ),
]
Out = Annotated[Path | None, typer.Option(metavar="DIRECTORY", help="Where to copy the files of the piece.")]


def run(
    file: FromFile,
    *,
    sets: Inputs = None,
    name: RunName = None,
    project: ProjectName = DEFAULT_PROJECT,
    stage: Stage = "prototype",
    out: Out = None,
    budget: Budget = None,
    project_budget: ProjectBudget = None,
    fit: Fit = False,
    yes: Yes = False,
    plan: OnlyPlan = False,
    explain: Explain = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Run a workflow, or go on with it: what was made is found again, and only what is new is paid.

    Ends with 0 when all is made, 3 when a person has to pick, 1 when a step failed. --json writes an object a line.
    """
    only_plan = plan or explain
    session = Session(
        config_file=config, local=local, directory=directory, as_json=as_json, as_lines=as_json and not only_plan
    )
    with session.told():
        workflow, inputs, scorers = workflow_of(file, sets)
        if fit and budget is None:
            raise RequestError("--fit chooses what the money allows: give --budget")
    given = {"name": name or workflow.name, "inputs": inputs, "stage": stage, "scorers": scorers, "budget_usd": budget}
    if only_plan:
        found, fitted = session.run(_plan(session, project, workflow, given, fit=fit))
        if as_json:
            emit({**found.as_json(), **({"fit": fitted} if fitted else {})})
            return
        draw_run_plan(console(), found, explain=explain)
        if fitted:
            draw_fit(console(), fitted)
        return
    follower = Follower(as_json=as_json)
    made = session.run(
        _run(session, follower, project, project_budget, workflow, given, fit=fit, yes=yes or budget is not None),
        interrupted=INTERRUPTED,
    )
    ended(made, follower, out, again=said_again())


async def _plan(
    session: Session, project: str, workflow: Any, given: dict[str, Any], *, fit: bool
) -> "tuple[RunPlan, Fitted | None]":
    async with Aggregator(session.config()) as agg, agg.project(project) as p:
        given = await _fitted(p, workflow, given, fit=fit)
        return await p.plan_run(workflow, **given), given.get("fit")


async def _run(
    session: Session,
    follower: "Follower",
    project: str,
    project_budget: str | None,
    workflow: Any,
    given: dict[str, Any],
    *,
    fit: bool,
    yes: bool,
) -> "Run":
    async with (
        Aggregator(session.config(), on_progress=follower.tree.hear) as agg,
        agg.project(project, budget_usd=project_budget) as p,
    ):
        given = await _fitted(p, workflow, given, fit=fit)
        if fit and not follower.as_json:
            draw_fit(console(err=True), given["fit"])
        if follower.asks and not yes:
            agreed(await p.plan_run(workflow, **given))
        with follower.tree:
            return await p.run(workflow, on_event=follower.tell, **given)


async def _fitted(p: "Project", workflow: Any, given: dict[str, Any], *, fit: bool) -> dict[str, Any]:
    return {**given, "fit": await p.fit_run(workflow, **given)} if fit else given


# ----------------------------------------------------------------------------------------------------------- following


@dataclass
class Follower:
    """Shows a run while it goes on: a tree for people, an event a line for machines."""

    as_json: bool
    tree: Tree = field(default_factory=lambda: Tree(console(err=True)))

    def __post_init__(self) -> None:
        if self.as_json:
            self.tree = Tree(console(err=True), quiet=True)

    @property
    def asks(self) -> bool:
        """Whether there is a person to ask."""
        return sys.stdin.isatty() and not self.as_json

    def tell(self, event: "RunEvent") -> None:
        """Take an event of the run."""
        self.tree.tell(event)
        if self.as_json:
            emit_line(event.as_json())


def agreed(plan: "RunPlan") -> None:
    """Ask a person before much is spent."""
    if plan.high_usd is not None and plan.high_usd <= ASKED_ABOVE_USD:
        return
    draw_run_plan(console(), plan)
    confirmed()


def confirmed() -> None:
    """Go on only if a person says so."""
    if not typer.confirm("Spend it?"):
        raise typer.Exit(EXIT_ERROR)


def said_again() -> str:
    """The command, as it was typed."""
    return shlex.join(["aggregator", *sys.argv[1:]])


def ended(made: "Run", follower: Follower, out: Path | None, *, again: str, **more: Any) -> None:
    """Say what a run came to, and end as it did.

    Args:
        more: What a machine is told beside it.

    """
    saved = _saved(made, out)
    if follower.as_json:
        emit_line({**made.as_json(), "saved": {name: str(path.absolute()) for name, path in saved.items()}, **more})
    else:
        following = follower.tree.following
        took_s = {name: step.took_s for name, step in following.steps.items()}
        draw_run(console(), made, plan=following.plan, took_s=took_s, saved=saved, again=again)
    if made.state != "finished":
        raise typer.Exit(EXIT_UNFINISHED if made.state == "paused" else EXIT_ERROR)


def _saved(made: "Run", out: Path | None) -> Mapping[str, Path]:
    """Copies of the files of the piece, by step."""
    if out is None:
        return {}
    out.mkdir(parents=True, exist_ok=True)
    files = {name: (path, out / f"{name}{path.suffix}") for name, path in made.outputs.items()}
    for stored, copy in files.values():
        copyfile(stored, copy)
    return {name: copy for name, (_, copy) in files.items()}
