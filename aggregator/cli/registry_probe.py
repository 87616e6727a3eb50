"""`registry probe` and `registry quarantine`: which offers are alive and unchanged, and which are passed over."""

import os
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from aggregator.backends import backends_of, provider_tables
from aggregator.cli.registry_probe_view import draw_probed, draw_quarantine
from aggregator.cli.session import EXIT_ERROR, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, say
from aggregator.client import Aggregator
from aggregator.config import nearest
from aggregator.discovery.probe import Probed, Probing, probe, settle
from aggregator.discovery.sources import sources
from aggregator.errors import RequestError
from aggregator.registry.cards import Offer
from aggregator.store import quarantine as rows
from aggregator.store.quarantine import Quarantine

__all__ = ["app", "probe_offers"]

app = typer.Typer(help="Offers that a probe found gone or changed: they are passed over until they are well again.")

Pin = Annotated[str, typer.Argument(metavar="OFFER", help="Which one: provider:endpoint, as `list` shows it.")]


def probe_offers(
    offer: Annotated[
        list[str] | None, typer.Argument(metavar="OFFER", help="provider:endpoint; else all that can be used here.")
    ] = None,
    *,
    provider: Annotated[str | None, typer.Option(metavar="NAME", help="This provider's offers only.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what was found, and quarantine nothing.")] = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Ask whether offers are alive and take what they took, without ordering anything. Ends with 1 if one is not."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found, put, lifted = session.run(_probed(session, offer or (), provider, dry_run=dry_run))
    if as_json:
        emit({"probed": found, "quarantined": put, "lifted": lifted})
    else:
        draw_probed(console(), found, put, lifted)
    if any(one.is_well is False for one in found):
        raise typer.Exit(EXIT_ERROR)


@app.command("list")
def list_quarantine(
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List what is in quarantine, the oldest first, and what was found."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_quarantined(session))
    if as_json:
        emit(found)
    else:
        draw_quarantine(console(), found)


@app.command("lift")
def lift(
    offer: Pin,
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Let an offer be used again, whatever the last probe found."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    session.run(_lift(session, offer))
    if as_json:
        emit({"lifted": offer})
    else:
        say(console(), f"{offer} is used again; the next probe that fails puts it back")


async def _probed(
    session: Session, pins: Sequence[str], provider: str | None, *, dry_run: bool
) -> tuple[list[Probed], list[str], list[str]]:
    async with Aggregator(session.config()) as agg:
        opened = agg.opened
        view = opened.planner.view
        backends, _ = backends_of(view.config, tables := provider_tables(view.config), os.environ)
        today = datetime.fromtimestamp(opened.clock.time(), UTC).date()
        offers = _wanted(view.registry.all_offers(), backends, pins, provider)
        alive = [offer for offer in offers if offer.stage(today) not in ("retired", "announced")]
        by = Probing(opened.context.engine, tables, backends, sources(), os.environ, today)
        found = await probe(alive, by)
        if dry_run:
            return found, [], []
        at = opened.context.now()
        put, lifted = await opened.store.transact(lambda c: settle(c, found, at))
        return found, put, lifted


def _wanted(
    offers: Sequence[Offer], backends: Container[str], pins: Sequence[str], provider: str | None
) -> list[Offer]:
    """The offers to probe: those that were named, else all of the providers that can be used here."""
    known = {offer.id for offer in offers}
    for pin in pins:
        if pin not in known:
            close = nearest(pin, known)
            raise RequestError(f"no offer {pin!r}{f'; did you mean {close[0]}?' if close else ''}")
    if provider is not None and all(offer.provider != provider for offer in offers):
        close = nearest(provider, {offer.provider for offer in offers})
        raise RequestError(f"no offer of {provider!r}{f'; did you mean {close[0]}?' if close else ''}")
    return [
        offer
        for offer in offers
        if (offer.id in pins if pins else provider is not None or offer.provider in backends)
        and provider in (None, offer.provider)
        and offer.provider != "local"
    ]


async def _quarantined(session: Session) -> list[Quarantine]:
    async with Aggregator(session.config()) as agg:
        return list((await agg.opened.store.read(rows.quarantined)).values())


async def _lift(session: Session, offer: str) -> None:
    async with Aggregator(session.config()) as agg:
        at = agg.opened.context.now()
        if not await agg.opened.store.transact(lambda c: rows.lift(c, offer, at)):
            known = ", ".join(await agg.opened.store.read(rows.reasons))
            raise RequestError(f"{offer!r} is not in quarantine; {f'in it: {known}' if known else 'nothing is'}")
