"""`spend` and `budgets`: what was paid, by whatever it is asked by, and how much of each budget that is."""

from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, say, table, usd
from aggregator.client import Aggregator
from aggregator.config import nearest
from aggregator.errors import RequestError
from aggregator.opening import ORGANISATION
from aggregator.spend import BY, DIMENSIONS, Budget, Dimension, Spend

__all__ = ["budgets", "draw_spend", "spend", "spend_as_json"]

BAR_CELLS = 20
FULL = 100

ProjectFilter = Annotated[str | None, typer.Option("--project", metavar="NAME", help="This project only.")]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="|".join(DIMENSIONS), help="Add up by this; may be given several times."),
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", metavar="DAY", formats=["%Y-%m-%d"], help="What was reserved on this day (UTC) or later."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", metavar="DAY", formats=["%Y-%m-%d"], help="What was reserved on this day or earlier."),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Jobs with this tag; with all, if several.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="The lines as CSV on standard output, in decimal dollars.")]


def spend(
    *,
    project: ProjectFilter = None,
    by: By = None,
    since: Since = None,
    until: Until = None,
    tag: Tags = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Say what was spent, what is reserved and what is left."""
    if as_json and as_csv:
        raise typer.BadParameter("--json or --csv, not both")
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    asked: dict[str, Any] = {
        "by": tuple(by or BY),
        "since": _day(since),
        "until": _day(until),
        "tags": dict(_tag(one) for one in tag or ()),
    }
    total, projects = session.run(_spend(session, project, asked, apart=not by))
    if as_json:
        emit({**spend_as_json(total), "projects": [spend_as_json(one) for one in projects]})
    elif as_csv:
        typer.echo(total.as_csv(), nl=False)
    else:
        draw_spend(console(), total, projects)


def budgets(
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show every budget there is, for life and for the present day, week and month (UTC), and how much is used."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_budgets(session))
    if as_json:
        emit([one.as_json() for one in found])
    else:
        _draw_budgets(console(), found, session.config().warn_at)


# ------------------------------------------------------------------------------------------------------------ gathering


def spend_as_json(of: Spend) -> dict[str, Any]:
    """The books with what is left."""
    return {**of.as_json(), "left_usd": None if of.left_usd is None else str(of.left_usd)}


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint="--tag")
    return name, value


async def _spend(
    session: Session, project: str | None, asked: dict[str, Any], *, apart: bool
) -> tuple[Spend, list[Spend]]:
    """One project; or everything, and where nothing else was asked, each project that stands alone."""
    from aggregator.store.reports import project_names

    async with Aggregator(session.config()) as agg:
        known = await agg.opened.store.read(project_names)
        if project is None:
            each = known if apart else []
            return await agg.spend(**asked), [await agg.opened.spend(f"project:{name}", **asked) for name in each]
        if project not in known:
            close = nearest(project, known)
            raise RequestError(f"no project {project!r} in these books; {_hint(close, known)}")
        return await agg.opened.spend(f"project:{project}", **asked), []


def _hint(close: tuple[str, ...], known: list[str]) -> str:
    if close:
        return f"did you mean {', '.join(close)}?"
    return f"there is {', '.join(known)}" if known else "they are empty: choose another --dir?"


async def _budgets(session: Session) -> list[Budget]:
    async with Aggregator(session.config()) as agg:
        return await agg.budgets()


# -------------------------------------------------------------------------------------------------------------- drawing


def draw_spend(on: Console, of: Spend, projects: list[Spend]) -> None:
    """The books of one account, and those of projects beside them."""
    budget = "no budget" if of.budget_usd is None else f"of {usd(of.budget_usd)}"
    name = "all projects" if of.project == ORGANISATION else of.project
    chosen = "of what was asked for" if of.selected else f"spent, {budget}"
    on.print(Text.assemble((name, "bold"), "  ", (usd(of.settled_usd), "bold green"), f" {chosen}"))
    left = "" if of.left_usd is None else f", {usd(of.left_usd)} left"
    say(on, f"{usd(of.held_usd)} reserved{left}", indent=2)
    if of.earmarked_usd:
        kept = f"{usd(of.earmarked_usd)} of what is reserved is kept for steps of runs that have not begun"
        say(on, f"{kept}: `aggregator runs` says for which", indent=2)
    if of.overrun_usd:
        say(on, f"{usd(of.overrun_usd)} of it above what was reserved: bills were higher than their quotes", indent=2)
    if of.unpriced_jobs:
        say(on, f"{of.unpriced_jobs} jobs have no known price and are booked at their max_usd", indent=2)
    for one in of.budgets:
        if one.label is not None:
            say(on, f"{_amount(one.left, one)} left of {_amount(one.limit, one)} in {one.period} {one.label}", indent=2)
    for credit in of.credits:
        say(on, f"{credit.provider}: {_plain(credit.settled)} credits spent, {_plain(credit.held)} reserved", indent=2)
    if of.lines:
        on.print()
        on.print(_lines(on, of))
    if "tag" in of.by:
        say(on, "A job counts under each of its tags: these lines may add up to more than was spent.")
    if projects:
        on.print()
        on.print(_beside(on, projects))


def _lines(on: Console, of: Spend) -> Table:
    columns = [name for name in of.by if not (name == "provider" and "model" in of.by)]
    figures = ("jobs", "spent", "reserved")
    found = table(on, *columns, *figures, right=figures, fold=[name for name in ("model", "offer") if name in columns])
    for line in of.lines:
        unpriced = f" ({line.unpriced_jobs} unpriced)" if line.unpriced_jobs else ""
        cells = [_shown(name, line.group, of.by) for name in columns]
        found.add_row(*cells, f"{line.jobs}{unpriced}", usd(line.settled_usd), usd(line.held_usd))
    return found


def _shown(name: Dimension, group: Any, by: tuple[Dimension, ...]) -> str:
    if name == "model" and "provider" in by:
        return f"{group['model']} ({group['provider']})"
    return group[name] or f"(no {name})"


def _beside(on: Console, projects: list[Spend]) -> Table:
    figures = ("spent", "reserved", "left")
    found = table(on, "project", *figures, right=figures, fold=("project",))
    for one in projects:
        left = "no budget" if one.left_usd is None else usd(one.left_usd)
        found.add_row(one.project, usd(one.settled_usd), usd(one.held_usd), left)
    return found


def _amount(amount: Decimal, of: Budget) -> str:
    return usd(amount) if of.currency == "USD" else f"{_plain(amount)} credits"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _draw_budgets(on: Console, found: list[Budget], warn_at: tuple[int, ...]) -> None:
    if not found:
        on.print("No budgets. A project takes one as budget_usd=; `budget_usd` in aggregator.toml is over all of them.")
        return
    rows = table(on, "budget", "", "used", "left", "of", "until", right=("used", "left", "of"), fold=("budget",))
    for one in found:
        name = "all projects" if one.account == ORGANISATION else one.account.replace("credits:", "credits of ")
        label = "" if one.label is None else f"  {one.period} {one.label}" if one.period == "day" else f"  {one.label}"
        until = "for life" if one.until is None else f"{one.until:%Y-%m-%d}"
        used = Text(f"{one.percent} %", _style(one, warn_at))
        cells = (_amount(one.left, one), _amount(one.limit, one), until)
        rows.add_row(Text.assemble((name, "bold"), label), _bar(one, warn_at), used, *cells)
    on.print(rows)
    for one in found:
        if one.earmarked:
            name = "all projects" if one.account == ORGANISATION else one.account
            when = "" if one.label is None else f", {one.period} {one.label}"
            say(on, f"{name}{when}: {usd(one.earmarked)} of what is reserved is kept for steps of runs")
    said = "spent █  reserved ▒"
    marks = ", ".join(f"{percent} %" for percent in sorted(warn_at))
    on.print(Text(said + (f"  told at {marks}" if marks else ""), "dim"))


def _bar(of: Budget, warn_at: tuple[int, ...]) -> Text:
    """How full it is; a mark where it will be told."""
    spent = min(BAR_CELLS, _cells(of.settled, of))
    used = min(BAR_CELLS, max(spent, _cells(of.settled + of.held, of)))
    empty = ["·"] * BAR_CELLS
    for percent in warn_at:
        empty[percent * BAR_CELLS // FULL - 1] = "│"
    style = _style(of, warn_at)
    return Text.assemble(("█" * spent, style), ("▒" * (used - spent), style), ("".join(empty[used:]), "dim"))


def _cells(amount: Decimal, of: Budget) -> int:
    """Cells of the bar, rounded up: what is used shows."""
    return int((amount * BAR_CELLS / of.limit).to_integral_value(ROUND_CEILING)) if of.limit else BAR_CELLS


def _style(of: Budget, warn_at: tuple[int, ...]) -> str:
    if of.percent >= FULL:
        return "red"
    return "yellow" if any(of.percent >= percent for percent in warn_at) else "green"
