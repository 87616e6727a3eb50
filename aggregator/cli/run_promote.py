"""`promote`: a run made again on the final stage, with what was picked kept as it is."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.run import (
    ASKED_ABOVE_USD,
    INTERRUPTED,
    Budget,
    Follower,
    Out,
    Yes,
    confirmed,
    ended,
    said_again,
)
from aggregator.cli.run_view import draw_comparison
from aggregator.cli.runs import OfProject, RunName, opened_project
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.client import Aggregator

if TYPE_CHECKING:
    from aggregator.workflow.promotion import RunComparison
    from aggregator.workflow.runs import Run

__all__ = ["promote"]

Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="STEP", help="Keep this step too, with what it is made from; may be repeated."),
]
OnlyPlan = Annotated[
    bool, typer.Option("--plan", help="Only the draft beside what would be made: cost, time, model. Sends nothing.")
]


def promote(
    run: RunName,
    *,
    stage: Annotated[str, typer.Option(metavar="STAGE", help="The stage to go to.")] = "final",
    keep: Keep = None,
    project: OfProject = None,
    out: Out = None,
    budget: Budget = None,
    yes: Yes = False,
    plan: OnlyPlan = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Make a run again on the final stage. Picked takes are kept, with all they are made from.

    The promotion is a run of its own, RUN@final. Ends as `run` does.
    """
    session = Session(
        config_file=config, local=local, directory=directory, as_json=as_json, as_lines=as_json and not plan
    )
    given: dict[str, Any] = {"stage": stage, "keep": tuple(keep or ()), "budget_usd": budget}
    if plan:
        planned = session.run(_plan(session, run, project, given))
        emit(planned.as_json()) if as_json else draw_comparison(console(), planned, planned=True)
        return
    follower = Follower(as_json=as_json)
    made, compared = session.run(
        _promote(session, follower, run, project, given, yes=yes or budget is not None), interrupted=INTERRUPTED
    )
    if not as_json:
        draw_comparison(console(), compared, planned=False)
        console().print()
    ended(made, follower, out, again=said_again(), comparison=compared.as_json())


async def _plan(session: Session, run: str, project: str | None, given: dict[str, Any]) -> "RunComparison":
    async with Aggregator(session.config()) as agg:
        return await (await opened_project(agg, run, project)).promote_run(run, plan=True, **given)


async def _promote(
    session: Session, follower: Follower, run: str, project: str | None, given: dict[str, Any], *, yes: bool
) -> "tuple[Run, RunComparison]":
    from aggregator.workflow.promotion import compared

    async with Aggregator(session.config(), on_progress=follower.tree.hear) as agg:
        p = await opened_project(agg, run, project)
        if follower.asks and not yes:
            planned = await p.promote_run(run, plan=True, **given)
            if planned.final_usd is None or planned.final_usd > ASKED_ABOVE_USD:
                draw_comparison(console(), planned, planned=True)
                confirmed()
        with follower.tree:
            made = await p.promote_run(run, on_event=follower.tell, **given)
        return made, await compared(await p.open_run(run), made)
