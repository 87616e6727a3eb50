"""`prices`: what one job costs on every offer that can do it, now or on a past day; and how prices moved.

Nothing is sent, and no store is made or changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from typer.core import TyperGroup

from aggregator.cli import asked
from aggregator.cli.asked import options_of, request_of
from aggregator.cli.catalogue import Catalogue, known_task
from aggregator.cli.evidence import Evidence
from aggregator.cli.prices_view import draw_changes, draw_prices
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.pricing.compute import is_timed, measured
from aggregator.pricing.history import Change, changes
from aggregator.pricing.page import Known, PageRow, page_rows
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.probing import Prober
from aggregator.registry.freshness import freshness
from aggregator.routing.candidates import rows_of
from aggregator.routing.fitting import Refusal, fit
from aggregator.tasks import TASKS, Request
from aggregator.view import View

__all__ = ["OfTask", "app", "asked_for", "informed"]

_JOB = "job"
WORDS = "…"
STAND_IN = "https://stand-in.invalid/"
_NO_OPTIONS: Mapping[str, Mapping[str, JsonValue]] = {}


class _OneJob(TyperGroup):
    """`prices TASK` is short for `prices job TASK`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [_JOB, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_OneJob, help="What a job costs on every offer: `prices TASK` is `prices job TASK`.")

OfTask = Annotated[
    str | None, typer.Argument(metavar="TASK", help="The kind of work, such as text-to-image or image-to-video.")
]
_DAY = ["%Y-%m-%d"]
On = Annotated[
    datetime | None, typer.Option("--on", metavar="DATE", formats=_DAY, help="As of a past day: its prices and lives.")
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", metavar="DATE", formats=_DAY, help="List what rose and fell since that day instead."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw quality against price into a .png, .svg or .pdf too."),
]


@app.command(_JOB)
def job(
    task: OfTask = None,
    words: asked.Words = None,
    *,
    inputs: asked.Inputs = None,
    sets: asked.Sets = None,
    on_unsupported: asked.OnUnsupported = None,
    provider_options: asked.ProviderOptions = None,
    on: On = None,
    since: Since = None,
    plot: Plot = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Say what one job costs on every offer that can do it, the cheapest first; or, with --since, how prices moved."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    if since is not None:
        moved(session, task, since.date(), None if on is None else on.date())
        return
    if task is None:
        raise typer.BadParameter("name a kind of work; or --since DATE, for how all prices moved", param_hint="TASK")
    with session.told():
        catalogue = Catalogue.open(session.config())
        request = asked_for(task, words, inputs=inputs, sets=sets)
        page = page_of(
            catalogue,
            request,
            on=None if on is None else on.date(),
            adjust=on_unsupported == "adjust",
            options=options_of(provider_options),
        )
        if plot is not None:
            from aggregator.cli.prices_plot import draw_plot

            draw_plot(page.rows, plot, task=request.task, day=page.day, named=roles_of(catalogue, request.task))
    if as_json:
        emit(page)
    else:
        draw_prices(console(), page)


def moved(session: Session, task: str | None, since: date, until: date | None) -> None:
    """Show every price that is another one than on a day."""
    with session.told():
        catalogue = Catalogue.open(session.config())
        known_task(task)
        day = until or catalogue.today
        if since >= day:
            raise RequestError(f"nothing lies between {since} and {day}: --since is the earlier day")
        tasks = catalogue.registry.tasks if task is None else (task,)
        offers = [offer for name in tasks for offer in catalogue.registry.offers(name)]
        found = sorted(changes(catalogue.prices, offers, since, day), key=_order)
    if session.as_json:
        emit({"since": since.isoformat(), "until": day.isoformat(), "changes": found})
    else:
        draw_changes(console(), found, since=since, until=day)


def _order(change: Change) -> tuple[bool, Any, str]:
    """Rises first, the largest at the top; what is new at the end."""
    percent = change.percent
    return percent is None, 0 if percent is None else -percent, change.offer.id


# ------------------------------------------------------------------------------------------------------------ gathering


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The price page of one job."""

    request: Request
    day: date
    """Of the prices; `today`, unless a past day was asked for."""
    today: date
    rows: list[PageRow]
    out: Mapping[str, str]
    """Why the other offers of the task cannot do it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "task": self.request.task,
            "on": self.day.isoformat(),
            "offers": [row.as_json() for row in self.rows],
            "out": dict(self.out),
        }


def page_of(
    catalogue: Catalogue,
    request: Request,
    *,
    on: date | None = None,
    adjust: bool = False,
    options: Mapping[str, Mapping[str, JsonValue]] = _NO_OPTIONS,
) -> Page:
    """Every offer that can do it, key or no key; and why the others cannot."""
    evidence, prices = informed(catalogue, request.task)
    day = on or catalogue.today
    view = View(catalogue.config, catalogue.registry, prices, verdicts=evidence.verdicts)
    values, worded = request.values(), _worded(request)
    quoted, out = [], {}
    for row in rows_of(view, request.task, day, dict.fromkeys(catalogue.usable)):  # prices are asked before keys are
        refusal = row.refusal
        found = fit(row.terms, request, values, adjust=adjust) if refusal is None else refusal
        if isinstance(found, Refusal) and found.kind == "required" and worded is not None:
            found = fit(row.terms, worded, worded.values(), adjust=adjust)
        if isinstance(found, Refusal):
            out[row.id] = found.why()
        else:
            quoted.append(
                (row.offer, row.tier, quote(row.offer, found[0], prices, day, options.get(row.offer.provider)))
            )
    known = Known(
        prices=prices,
        rules=freshness(),
        standing=lambda model, task: view.quality.standing(model, task, day),
        speed=evidence.speed,
        ratio=evidence.ratios.get,
        not_usable=catalogue.reason,
    )
    rows = page_rows(quoted, known, day, catalogue.today)
    return Page(request=request, day=day, today=catalogue.today, rows=rows, out=out)


def _worded(request: Request) -> Request | None:
    """The request with stand-in words, for offers that want some where the task does not; `None`: it has its own."""
    has_room = "prompt" in type(request).model_fields and "prompt" not in request.values()
    return request.with_(prompt=WORDS) if has_room else None


def informed(catalogue: Catalogue, task: str) -> tuple[Evidence, PriceTable]:
    """What the store here knows, and the price table with the GPU-seconds that own jobs took."""
    computed = [offer for offer in catalogue.registry.offers(task) if is_timed(offer)]
    evidence = Evidence.of(catalogue.config, [offer.id for offer in computed])
    found = measured(computed, evidence.finished, catalogue.prices.gpu)
    return evidence, catalogue.prices.with_measured(found) if found else catalogue.prices


def roles_of(catalogue: Catalogue, task: str) -> dict[str, str]:
    """What the user's roles name, for this task, by the models and pins they name; several roles share a label."""
    found: dict[str, str] = {}
    for role, named in catalogue.config.roles.items():
        for model in dict.fromkeys(named.values() if isinstance(named, dict) else (named,)):
            found[model] = f"{found[model]}, {role}" if model in found else role
    known = {name for offer in catalogue.registry.offers(task) for name in (offer.id, offer.model)}
    return {model: roles for model, roles in found.items() if model in known}


def asked_for(task: str, words: str | None, *, inputs: list[str] | None, sets: list[str] | None) -> Request:
    """The request; what the task wants and prices by the second or the picture do not is stood in for.

    A stand-in for an input has no size and no length: where a price goes by those, it is unknown without the file.
    """
    fields = TASKS[task].model_fields if task in TASKS else {}
    wanted = {name for name, field in fields.items() if field.is_required()}
    given = {text.partition("=")[0] for text in inputs or ()}
    missing = [f"{name}={STAND_IN}" for name in ("image", "video", "audio") if name in wanted - given]
    stand_in = WORDS if "prompt" in wanted else None
    return asyncio.run(_probed(request_of(task, words or stand_in, inputs=[*(inputs or ()), *missing], sets=sets)))


async def _probed(request: Request) -> Request:
    """The request with its files looked at where they lie: prices go by size and length."""
    from aggregator.store.files import sniff

    prober = Prober()
    known: dict[int, Media] = {}
    try:
        for _, media in request.media():
            if isinstance(media.source, Path):
                facts = await prober.probe(media.source)
                with media.source.open("rb") as file:
                    mime_type = sniff(file.read(64))
                size = {name: getattr(facts, name) for name in ("width", "height", "duration_s")} if facts else {}
                known[id(media)] = replace(media, mime_type=mime_type, size_bytes=media.source.stat().st_size, **size)
    finally:
        await prober.aclose()
    return request.replace_media(known) if known else request
