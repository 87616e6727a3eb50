"""`registry audit` and `registry diff`: what is not to be relied on any more, and what changes with another model.

Neither sends anything. The audit looks into the store, where there is one, for what was said and seen there.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.catalogue import Catalogue, known_task
from aggregator.cli.registry_audit_view import draw_audit, draw_differences
from aggregator.cli.session import EXIT_ERROR, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.config import Config, nearest
from aggregator.errors import RequestError
from aggregator.registry.audit import KINDS, Kind, audit
from aggregator.registry.diff import compare, pairs
from aggregator.registry.quality import Quality
from aggregator.verdicts import Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["audit_registry", "diff_models", "in_the_store"]

TaskFilter = Annotated[str | None, typer.Option("--task", metavar="TASK", help="This kind of work only.")]
ProviderFilter = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="This provider's offers only.")]
OnDay = Annotated[str | None, typer.Option("--day", metavar="DATE", help="As of this day (2026-11-21), not today.")]


def audit_registry(
    *,
    task: TaskFilter = None,
    provider: ProviderFilter = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="KIND", help=f"Of these kinds only: {', '.join(KINDS)}.")
    ] = None,
    within: Annotated[int, typer.Option(metavar="DAYS", min=0, help="Dying is what ends within so many days.")] = 60,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS", help="End with 1 if there is any of these, or more than `=N`: stale,unpriced=20."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of each kind, not the first few.")] = False,
    day: OnDay = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List what is stale, dying, superseded, unpriced, unproved, redirected or unmapped: the work of a week."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        known_task(task)
        kinds, most = _kinds(only or KINDS), _thresholds(fail_on)
        catalogue = Catalogue.open(session.config())
        _known_provider(catalogue, provider)
        on = _day(day) or catalogue.today
        said, seen = in_the_store(catalogue.config)
        found = [
            finding
            for finding in audit(
                catalogue.registry,
                catalogue.prices,
                Quality(catalogue.registry, said),
                on,
                within_days=within,
                redirected=seen,
            )
            if finding.kind in kinds and task in (None, finding.task) and provider in (None, finding.provider)
        ]
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in kinds}
    over = {kind: counts.get(kind, 0) for kind, limit in most.items() if counts.get(kind, 0) > limit}
    if as_json:
        emit({"day": on.isoformat(), "counts": counts, "over": over, "findings": [one.as_json() for one in found]})
    else:
        draw_audit(console(), found, on, everything=everything or only is not None, over=over)
    if over:
        raise typer.Exit(EXIT_ERROR)


def diff_models(
    a: Annotated[str, typer.Argument(metavar="A", help="A model, or a pin: provider:endpoint.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What would take its place.")],
    *,
    task: TaskFilter = None,
    day: OnDay = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show what changes with B in the place of A: parameters, limits, price, life, quality."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        known_task(task)
        catalogue = Catalogue.open(session.config())
        on = _day(day) or catalogue.today
        said, _ = in_the_store(catalogue.config)
        quality = Quality(catalogue.registry, said)
        both = [pair for pair in pairs(catalogue.registry, a, b, on) if task in (None, pair[0].task)]
        if not both:
            raise RequestError(f"{a} and {b} are not both offered for {task}")
        found = [compare(one, other, catalogue.prices, quality, on) for one, other in both]
    if as_json:
        emit([one.as_json() for one in found])
    else:
        draw_differences(console(), found, on)


# --------------------------------------------------------------------------------------------------------------- asking


def _kinds(words: Sequence[str]) -> tuple[Kind, ...]:
    for word in words:
        if word not in KINDS:
            close = nearest(word, KINDS)
            raise RequestError(f"no kind of finding {word!r}; did you mean {', '.join(close) or ', '.join(KINDS)}?")
    return tuple(kind for kind in KINDS if kind in words)


def _thresholds(text: str | None) -> Mapping[Kind, int]:
    """`stale,unpriced=20`: how many of each kind are borne."""
    found: dict[Kind, int] = {}
    for part in filter(None, (text or "").split(",")):
        word, _, most = part.strip().partition("=")
        if most and not most.isdecimal():
            raise RequestError(f"--fail-on {part}: write the kind, or the kind, = and how many are borne")
        found[_kinds([word])[0]] = int(most or 0)
    return found


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"--day {text}: write a day as 2026-11-21") from None


def _known_provider(catalogue: Catalogue, name: str | None) -> None:
    known = {offer.provider for offer in catalogue.registry.all_offers()}
    if name is not None and name not in known:
        close = nearest(name, known)
        raise RequestError(f"no offer is of a provider {name!r}; did you mean {', '.join(close or sorted(known))}?")


def in_the_store(config: Config) -> tuple[Sequence[Verdict], Sequence[tuple[str, str]]]:
    """What was said of outputs, and which offers answered with another model.

    Nothing where there is no store yet, or an older one that no client has led on: it is only read.
    """
    from aggregator.opening import STORE_NAME
    from aggregator.store.database import Store, look
    from aggregator.store.schema import SCHEMA_VERSION

    url = config.store.url(os.environ)
    file = config.directory.expanduser().absolute() / STORE_NAME
    if (url is None and not file.is_file()) or look(url or file).version != SCHEMA_VERSION:
        return (), ()
    store = Store(url or file, inline=True)
    try:
        return store.now(_said_and_seen, write=False)
    finally:
        store.close()


def _said_and_seen(connection: "Connection") -> tuple[Sequence[Verdict], Sequence[tuple[str, str]]]:
    from aggregator.store import verdicts
    from aggregator.store.redirections import redirections

    return verdicts.read(connection), [(one.offer, one.served_model) for one in redirections(connection)]
