"""The command as a whole: its name, its version, its subcommands in the order a newcomer meets them."""

from typing import Annotated

import typer

from aggregator import __version__
from aggregator.cli import (
    books,
    catalogue,
    demo,
    doctor,
    emulate,
    lock,
    make,
    pauses,
    prices,
    prices_own,
    prices_refresh,
    registry,
    run,
    run_promote,
    runs,
    serve_diffusers,
    server,
    sheet,
    spending,
    unknown,
    verdicts,
    workflow,
)

__all__ = ["app"]

app = typer.Typer(
    name="aggregator",
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


app.command("demo")(demo.demo)
app.command("generate")(make.generate)
app.command("plan")(make.plan)
app.command("run")(run.run)
app.command("sheet")(sheet.sheet)
app.command("pick")(runs.pick)
app.command("promote")(run_promote.promote)
app.add_typer(runs.app, name="runs")
app.command("lock")(lock.lock)
app.command("models")(catalogue.models)
app.add_typer(prices.app, name="prices")
prices.app.command("refresh")(prices_refresh.refreshed)
prices.app.command("drift")(prices_own.drift)
prices.app.command("break-even")(prices_own.break_even)
app.add_typer(workflow.app, name="workflow", no_args_is_help=True)
app.add_typer(registry.app, name="registry", no_args_is_help=True)
app.command("verdicts")(verdicts.verdicts)
app.command("spend")(spending.spend)
app.command("budgets")(spending.budgets)
app.command("jobs")(books.jobs)
app.command("resume")(books.resume)
app.add_typer(unknown.app, name="unknown", no_args_is_help=True)
app.command("correct")(unknown.correct)
app.add_typer(pauses.app, name="pauses", no_args_is_help=True)
app.command("doctor")(doctor.doctor)
app.command("local")(server.local)
app.command("serve-diffusers")(serve_diffusers.serve_diffusers)
app.command("emulate")(emulate.emulate)
