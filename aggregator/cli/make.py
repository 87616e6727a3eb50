"""`generate` and `plan`: the same words, once with money and once without."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from aggregator.artifact import Result
from aggregator.cli import asked
from aggregator.cli.asked import Asked
from aggregator.cli.board import Board
from aggregator.cli.explain_view import draw_explained
from aggregator.cli.plan_view import draw_plan
from aggregator.cli.session import EXIT_UNFINISHED, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, facts_of, quoted, say, shown_path, usd
from aggregator.client import Aggregator
from aggregator.errors import ConfigurationError
from aggregator.job import JobRecord
from aggregator.routing.plan import Plan

__all__ = ["generate", "plan"]

DEFAULT_PROJECT = "default"
Explain = Annotated[
    bool, typer.Option("--explain", help="Show the decision alone: who won, who lost and why, with the figures.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Where to copy the result.")]


def generate(
    task: asked.Task,
    words: asked.Words = None,
    *,
    inputs: asked.Inputs = None,
    sets: asked.Sets = None,
    stage: asked.Stage = None,
    role: asked.Role = None,
    model: asked.Model = None,
    max_usd: asked.MaxUsd = None,
    key: asked.Key = None,
    project: asked.ProjectName = DEFAULT_PROJECT,
    budget: asked.Budget = None,
    out: Out = None,
    wait_s: asked.WaitS = None,
    deadline_s: asked.DeadlineS = None,
    on_unsupported: asked.OnUnsupported = None,
    provider_options: asked.ProviderOptions = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Make one thing: order it, watch it, and say what it cost."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        order = Asked.of(
            task,
            words,
            inputs=inputs,
            sets=sets,
            provider_options=provider_options,
            stage=stage,
            role=role,
            model=model,
            max_usd=max_usd,
            key=key,
            wait_s=wait_s,
            deadline_s=deadline_s,
            on_unsupported=on_unsupported,
        )
    made = session.run(_generate(session, order, project=project, budget=budget, out=out))
    if as_json:
        emit(made.as_json())
    else:
        _draw(console(), made)
    if made.result is None:
        raise typer.Exit(EXIT_UNFINISHED)


def plan(
    task: asked.Task,
    words: asked.Words = None,
    *,
    inputs: asked.Inputs = None,
    sets: asked.Sets = None,
    stage: asked.Stage = None,
    role: asked.Role = None,
    model: asked.Model = None,
    max_usd: asked.MaxUsd = None,
    key: asked.Key = None,
    project: asked.ProjectName = DEFAULT_PROJECT,
    budget: asked.Budget = None,
    out: Out = None,
    wait_s: asked.WaitS = None,
    deadline_s: asked.DeadlineS = None,
    on_unsupported: asked.OnUnsupported = None,
    provider_options: asked.ProviderOptions = None,
    explain: Explain = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Say who would make it, what would be sent, what it would cost and why. Sends nothing."""
    del key, budget, out, wait_s, deadline_s  # taken, so that a word is all that turns one command into the other
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        order = Asked.of(
            task,
            words,
            inputs=inputs,
            sets=sets,
            provider_options=provider_options,
            stage=stage,
            role=role,
            model=model,
            max_usd=max_usd,
            on_unsupported=on_unsupported,
        )
    found, method = session.run(_plan(session, order, project=project))
    if as_json:
        emit({**found.as_json(), "method": method})
    elif explain:
        draw_explained(console(), found)
    else:
        draw_plan(console(), found, method=method)


# ------------------------------------------------------------------------------------------------------------ gathering


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of an order: a result, or a job that goes on."""

    record: JobRecord
    result: Result | None
    saved: Path | None

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.record.as_json(),
            "result": None if self.result is None else self.result.as_json(),
            "saved": None if self.saved is None else str(self.saved.absolute()),
        }


async def _generate(session: Session, order: Asked, *, project: str, budget: str | None, out: Path | None) -> Made:
    board = Board(console(err=True))
    shown = None if session.as_json else board.tell
    async with (
        Aggregator(session.config(), on_progress=shown) as agg,
        agg.project(project, budget_usd=budget) as p,
    ):
        _check_configured(agg)
        job = await p.submit(order.request, **order.options)
        with board:
            try:
                result = await job.result(wait_s=order.options.get("wait_s"))
            except TimeoutError:
                return Made(record=await job.record(), result=None, saved=None)
        saved = None if out is None else await result.save(out)
        return Made(record=await job.record(), result=result, saved=saved)


async def _plan(session: Session, order: Asked, *, project: str) -> tuple[Plan, str]:
    async with Aggregator(session.config()) as agg:
        _check_configured(agg)
        opened = agg.opened  # the project is not opened: a dry run begins no books
        stored = {id(media): await opened.files.ingest(media) for _, media in order.request.media()}
        request = order.request.replace_media(stored)
        found = opened.planner.plan(request, await agg.project(project).asked(request, order.options), explain=True)
        return found, found.method


def _check_configured(agg: Aggregator) -> None:
    if not agg.opened.planner.backends:
        raise ConfigurationError(
            "no provider is configured: set a key (`aggregator doctor` says which), or give --local for stand-ins that "
            "need none"
        )


# -------------------------------------------------------------------------------------------------------------- drawing


def _draw(on: Console, made: Made) -> None:
    result, record = made.result, made.record
    if result is None:
        say(
            on,
            f"Job {record.id} is not finished ({record.state.value}); it goes on, {record.reserved_usd} USD reserved.",
        )
        say(on, "`aggregator resume` follows it to its end.")
        return
    on.print(f"model    {result.model}  {result.lineage.offer}", soft_wrap=True)
    for artifact in result.artifacts:
        on.print(f"made     {facts_of(artifact)}", soft_wrap=True)
    again = "  reused: nothing was paid again" if result.reused else ""
    on.print(f"price    {quoted(result.quote)} quoted, {usd(result.cost.amount_usd)} charged{again}", soft_wrap=True)
    for note in (*map(str, result.warnings), *result.notes):
        on.print(f"note     {note}", soft_wrap=True)
    if result.is_stand_in:
        on.print("note     a stand-in by the embedded backend: for previews and tests", soft_wrap=True)
    on.print(f"file     {shown_path(made.saved or result.path)}", soft_wrap=True)
