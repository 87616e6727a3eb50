"""`registry discover` and `registry import`: what the world says of models today, and a model's first day.

Nothing is written unless it is asked for, and then only to a directory of the user's.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from aggregator.backends import backends_of
from aggregator.cli.catalogue import Catalogue, known_task
from aggregator.cli.registry_address import draw_engines, engines_at, write_offers
from aggregator.cli.registry_discover_view import draw_import, draw_proposals
from aggregator.cli.registry_workflow import WORKFLOWS, import_workflow, split_field
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.config import nearest
from aggregator.discovery.accept import write as write_accepted
from aggregator.discovery.asking import ask_all, known
from aggregator.discovery.documents import PUBLISHERS
from aggregator.discovery.found import Found
from aggregator.discovery.importing import Imported, Wish, importing
from aggregator.discovery.propose import KINDS, Proposals, propose
from aggregator.discovery.source import ask, backend_of
from aggregator.discovery.sources import sources
from aggregator.discovery.workflows import Known
from aggregator.errors import RequestError
from aggregator.pricing.refresh import refresh
from aggregator.registry.mapping import mappings_of

if TYPE_CHECKING:
    from aggregator.engine import Engine

__all__ = ["asking_engine", "discover", "import_endpoint"]

Into = Annotated[
    Path | None,
    typer.Option("--into", metavar="DIR", help="Where to write; the first of [registry] paths unless said otherwise."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]
Fix = Annotated[
    list[str] | None,
    typer.Option("--fix", metavar="NAME=VALUE", help="Always send this; the value as JSON, or a text."),
]


def discover(
    source: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ask these; else all.")] = None,
    *,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ENDPOINT", help="Ask about these endpoints or names only.")
    ] = None,
    accept: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help=f"Write these kinds of proposals: {','.join(KINDS)}, or all."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="DIR", help="Where; the first of [registry] paths unless said otherwise."),
    ] = None,
    overwrite: Overwrite = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Ask machine-readable sources what is new, gone, renamed or dated otherwise, and propose it. Buys nothing.

    An address, such as http://127.0.0.1:8188, asks a server of your own which engine it is and what it serves.
    """
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    if any("://" in name for name in source or ()):
        _at_addresses(session, source or (), accept, write, overwrite=overwrite)
        return
    with session.told():
        kinds = _kinds(accept)
        if write is not None and not kinds:
            raise RequestError("say what to write with --accept: nothing is accepted by itself")
        catalogue = Catalogue.open(session.config())
        found, unasked = asyncio.run(_discovered(catalogue, source or (), only or ()))
        proposals = propose(catalogue.registry, found, catalogue.today)
        prices = refresh(catalogue.prices, catalogue.registry.all_offers(), found, catalogue.today)
        files, todo = _accepted(catalogue, proposals, kinds, write, overwrite=overwrite)
    moved = prices.of("changed", "new", "held", "disagrees")
    if as_json:
        emit(
            {
                "proposals": proposals.proposals,
                "warnings": proposals.warnings,
                "prices": moved,
                "unasked": unasked,
                "written": [str(file) for file in files],
                "to_do": todo,
            }
        )
    else:
        draw_proposals(console(), found, proposals, len(moved), unasked, files, todo)


def import_endpoint(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help=f"One of {', '.join(PUBLISHERS)}, comfyui.")],
    endpoint: Annotated[
        str,
        typer.Argument(metavar="ENDPOINT", help="As the provider calls it: fal-ai/veo3.1; comfyui: a workflow file."),
    ],
    *,
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="The card it belongs to: veo-3.1; made if there is none.")
    ],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="TASK", help="What it is for, where its schema leaves that open."),
    ] = None,
    maker: Annotated[str | None, typer.Option(metavar="MAKER", help="Who makes the model, for a new card.")] = None,
    tier: Annotated[
        str | None, typer.Option(metavar="workhorse|hero", help="For a new card; workhorse unless said otherwise.")
    ] = None,
    fix: Fix = None,
    by_version: Annotated[
        bool, typer.Option(help="Replicate: order the newest version, for community models.")
    ] = False,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TARGET", help="comfyui: an input, as prompt=6.inputs.text; nothing: it has none."),
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option(metavar="NODE", help="comfyui: a node whose files are wanted.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="comfyui: look whether that server has all it needs.")
    ] = None,
    into: Into = None,
    overwrite: Overwrite = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Write an offer (and a card) from what an endpoint publishes about itself, so that it can be used at once."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        if provider != WORKFLOWS and provider not in PUBLISHERS:
            raise RequestError(f"{provider} publishes no schemas that are read here: one of {', '.join(PUBLISHERS)}")
        for name in task or ():
            known_task(name)
        if tier not in (None, "workhorse", "hero"):
            raise typer.BadParameter("workhorse or hero", param_hint="--tier")
        catalogue = Catalogue.open(session.config())
        target = _target(catalogue, into, "--into")
        chosen = cast("Literal['workhorse', 'hero'] | None", tier)
        fixed = dict(map(_fixed, fix or ()))
        wish = Wish(model, tuple(task or ()), maker, chosen, by_version=by_version, fixed=fixed)
        if provider == WORKFLOWS:
            given = Known("".join(wish.tasks[:1]), tuple(output or ()), dict(map(split_field, field or ())))
            made = import_workflow(
                Path(endpoint), wish, given, catalogue, target, url, ask=not as_json, overwrite=overwrite
            )
            made = _usable_here(catalogue, made, target)
            emit(made) if as_json else draw_import(console(), made)
            return
        found = asyncio.run(_published(catalogue, provider, endpoint))
        made = importing(
            found,
            endpoint,
            wish,
            target,
            paths=[path.expanduser() for path in catalogue.config.registry.paths],
            mappings=mappings_of(catalogue.tables),
            today=catalogue.today,
            overwrite=overwrite,
        )
        made = _usable_here(catalogue, made, target)
    if as_json:
        emit(made)
    else:
        draw_import(console(), made)


def _at_addresses(
    session: Session, names: Sequence[str], accept: str | None, write: Path | None, *, overwrite: bool
) -> None:
    with session.told():
        if others := [name for name in names if "://" not in name]:
            raise RequestError(f"{others[0]}: ask sources and addresses one after the other")
        catalogue = Catalogue.open(session.config())
        engines = engines_at(names, catalogue.registry, catalogue.today)
        wanted = "new" in _kinds(accept)
        files = write_offers(engines, _target(catalogue, write, "--write"), overwrite=overwrite) if wanted else []
    if session.as_json:
        emit({"engines": engines, "written": [str(file) for file in files]})
    else:
        draw_engines(console(), engines, files)


# ------------------------------------------------------------------------------------------------------------- asking


@asynccontextmanager
async def asking_engine() -> AsyncGenerator["Engine", None]:
    """An engine for calls that cost nothing."""
    from aggregator._http import HttpxTransport
    from aggregator.clock import SystemClock
    from aggregator.engine import Engine

    transport = HttpxTransport()
    try:
        yield Engine(transport=transport, clock=SystemClock(), rng=SystemRandom())
    finally:
        await transport.aclose()


async def _discovered(
    catalogue: Catalogue, names: Sequence[str], only: Sequence[str]
) -> tuple[list[Found], dict[str, str]]:
    every = sources()
    wanted = [every[name] for name in known(names, every)]
    backends, _ = backends_of(catalogue.config, catalogue.tables, os.environ)
    async with asking_engine() as engine:
        return await ask_all(
            engine, wanted, catalogue.registry, catalogue.tables, backends, os.environ, catalogue.today, only=only
        )


async def _published(catalogue: Catalogue, provider: str, endpoint: str) -> Found:
    """What the provider says of one endpoint: its schema, and where it says that, its price."""
    source = sources()[provider]
    backends, _ = backends_of(catalogue.config, catalogue.tables, os.environ)
    backend = backend_of(source, catalogue.tables, backends, os.environ)
    async with asking_engine() as engine:
        return await ask(engine, backend, source, today=catalogue.today, wanted=[endpoint], everything=False)


# ------------------------------------------------------------------------------------------------------------ options


def _kinds(words: str | None) -> tuple[str, ...]:
    if words is None:
        return ()
    kinds = [word.strip() for word in words.split(",") if word.strip()]
    if kinds == ["all"]:
        return KINDS
    for kind in kinds:
        if kind not in KINDS:
            close = nearest(kind, KINDS)
            raise RequestError(f"no kind {kind!r} of proposals; {close[0] if close else ', '.join(KINDS)}?")
    return tuple(kinds)


def _accepted(
    catalogue: Catalogue, proposals: Proposals, kinds: Sequence[str], into: Path | None, *, overwrite: bool
) -> tuple[list[Path], list[str]]:
    accepted = proposals.of(kinds)
    if not accepted:
        return [], []
    target = _target(catalogue, into, "--write")
    return write_accepted(accepted, catalogue.registry, target, catalogue.today, overwrite=overwrite)


def _target(catalogue: Catalogue, into: Path | None, option: str) -> Path:
    paths = catalogue.config.registry.paths
    if into is None and not paths:
        raise RequestError(
            f'say where to write with {option} DIR, or in aggregator.toml: [registry] paths = ["registry"]'
        )
    return (into or paths[0]).expanduser()


def _fixed(words: str) -> tuple[str, Any]:
    name, equals, value = words.partition("=")
    if not equals or not name:
        raise typer.BadParameter("NAME=VALUE", param_hint="--fix")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _usable_here(catalogue: Catalogue, made: Imported, target: Path) -> Imported:
    """What still stands between the import and the first order."""
    said = list(made.said)
    paths = [path.expanduser().absolute() for path in catalogue.config.registry.paths]
    if target.absolute() not in paths:
        said.append(f'to use it, name the directory in aggregator.toml: [registry] paths = ["{target}"]')
    reasons = {provider: catalogue.usable.get(provider) for provider in (offer.provider for offer in made.offers)}
    said += [f"{provider} cannot be used here yet: {reason}" for provider, reason in reasons.items() if reason]
    return replace(made, said=tuple(said))
