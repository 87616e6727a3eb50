"""`prices refresh`: what live sources say of prices, held against the table; shown, and written only where asked."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import typer

from aggregator.backends import backends_of
from aggregator.cli.catalogue import Catalogue
from aggregator.cli.prices_refresh_view import draw_refresh
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, shown_path
from aggregator.discovery.found import Found
from aggregator.pricing.append import append
from aggregator.pricing.refresh import Refresh, refresh

__all__ = ["refreshed"]

PRICED = ("fal", "openrouter", "litellm", "portkey")
"""The sources that say prices, asked where none is named."""

Sources = Annotated[
    list[str] | None, typer.Option("--source", metavar="NAME", help="Ask this source only; may be given several times.")
]
Write = Annotated[
    Path | None,
    typer.Option("--write", metavar="DIR", help="Append what is accepted below this directory of [registry] paths."),
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="OFFER", help="Take this offer's price although it would be held back."),
]


def refreshed(
    *,
    source: Sources = None,
    write: Write = None,
    accept: Accept = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Ask live sources for prices and show what changed, what is held back and who disagrees."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        catalogue = Catalogue.open(session.config())
        found, unasked = asyncio.run(_asked(catalogue, source))
        result = refresh(
            catalogue.prices, catalogue.registry.all_offers(), found, catalogue.today, accept=set(accept or ())
        )
        files = _written(catalogue, result, write)
    refused = {**result.refused, **unasked}
    if as_json:
        said = {"refused": refused, "verdicts": result.verdicts, "written": [str(file) for file in files]}
        emit(said)
    else:
        draw_refresh(console(), result, refused, [shown_path(file) for file in files], write=write is not None)


def _written(catalogue: Catalogue, result: Refresh, directory: Path | None) -> list[Path]:
    if directory is None:
        return []
    return append(catalogue.prices, [verdict.rate for verdict in result.accepted], directory.expanduser())


async def _asked(catalogue: Catalogue, wanted: Sequence[str] | None) -> tuple[list[Found], dict[str, str]]:
    """What each source says, all at once; and why others could not be asked."""
    from aggregator._http import HttpxTransport
    from aggregator.clock import SystemClock
    from aggregator.discovery.asking import ask_all, known
    from aggregator.discovery.sources import sources
    from aggregator.engine import Engine

    every = sources()
    chosen = [every[name] for name in known(wanted or PRICED, every)]
    backends, _ = backends_of(catalogue.config, catalogue.tables, os.environ)
    transport = HttpxTransport()
    engine = Engine(transport=transport, clock=SystemClock(), rng=SystemRandom())
    try:
        return await ask_all(
            engine, chosen, catalogue.registry, catalogue.tables, backends, os.environ, catalogue.today
        )
    finally:
        await transport.aclose()
