"""`doctor`: what is installed, configured and stored here, and what is wrong with it. Never shows a key."""

import asyncio
import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from aggregator import __version__
from aggregator.backends import SWITCHED_OFF
from aggregator.cli.catalogue import Catalogue
from aggregator.cli.live import check_keys
from aggregator.cli.session import EXIT_ERROR, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, heading, sized, table
from aggregator.config import FILE_NAME, Config
from aggregator.errors import AggregatorError
from aggregator.job import JobRecord

__all__ = ["Finding", "doctor", "findings"]

STALE_DAYS = 90
STALE_SHOWN = 3
LABEL_COLUMNS = 16
FEW = 3
LOW_SPACE_BYTES = 2 * 10**9
LIBRARIES = ("httpx", "pydantic", "sqlalchemy")
EXTRAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "local": ("the embedded backend, and facts of every delivered file", ("av", "PIL", "starlette", "uvicorn")),
    "voice": ("a real voice for the embedded backend", ("espeakng_loader",)),
    "cli": ("this command", ("typer", "rich")),
}

Live = Annotated[bool, typer.Option("--live", help="Ask each provider whether its key works; nothing is bought.")]
Verdict = Literal["ok", "note", "warning", "broken"]
MARKS: Mapping[Verdict, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "note": ("·", "dim"),
    "warning": ("!", "yellow"),
    "broken": ("✗", "bold red"),
}


def doctor(
    *,
    live: Live = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation, the configuration, the store and the providers. Ends with 1 if something is broken."""
    found = findings(Session(config_file=config, local=local, directory=directory, as_json=as_json), live=live)
    broken = any(item.verdict == "broken" for item in found)
    if as_json:
        emit({"broken": broken, "findings": [asdict(item) for item in found]})
    else:
        _draw(found)
    if broken:
        raise typer.Exit(EXIT_ERROR)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    name: str
    verdict: Verdict
    said: str


def findings(session: Session, *, live: bool = False) -> list[Finding]:
    """Look at everything; what is broken stops nothing else from being looked at."""
    found = [*_versions(), *_extras()]
    try:
        config = session.config()
        found.append(Finding("configuration", "file", "ok", _file(session)))
    except AggregatorError as error:
        found.append(Finding("configuration", "file", "broken", str(error)))
        return found
    found += _store(config)
    try:
        catalogue = Catalogue.open(config)
    except AggregatorError as error:
        return [*found, Finding("providers", "tables", "broken", str(error))]
    found += _providers(catalogue)
    if live:
        asked = check_keys(config, catalogue, os.environ)
        found += (Finding("keys, asked live", one.provider, one.verdict, one.said) for one in asked)
    return [*found, *_stale(catalogue)]


def _draw(found: list[Finding]) -> None:
    on = console()
    about = ""
    rows = table(on, "", "", "", fold=("",))
    for item in found:
        if item.about != about:
            if rows.row_count:
                on.print(rows)
            about, rows = item.about, table(on, "", "", "", fold=("",))
            rows.show_header = False
            rows.columns[1].min_width = LABEL_COLUMNS
            on.print(heading(about))
        mark, style = MARKS[item.verdict]
        rows.add_row(Text(f"  {mark}", style), item.name, item.said)
    on.print(rows)


# ------------------------------------------------------------------------------------------------------------ installed


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "aggregator", "ok", __version__)
    yield Finding(
        "versions", "python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    yield Finding("versions", "libraries", "ok", ", ".join(f"{name} {_version(name)}" for name in LIBRARIES))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _extras() -> Iterator[Finding]:
    for extra, (brings, modules) in EXTRAS.items():
        missing = [name for name in modules if find_spec(name) is None]
        if not missing:
            yield Finding("extras", extra, "ok", brings)
        else:
            lacks = f'{", ".join(missing)} missing: pip install "aggregator[{extra}]" brings {brings}'
            yield Finding("extras", extra, "note", lacks)
    if find_spec("av") is not None:
        from aggregator.local.voice import engine_name

        yield Finding("extras", "spoken by", "ok", engine_name())


# ---------------------------------------------------------------------------------------------- configuration and store


def _file(session: Session) -> str:
    """Which file was read, by the same rule that reads it."""
    if session.config_file is not None:
        return str(session.config_file)
    if os.environ.get("AGGREGATOR_CONFIG"):
        return f"{os.environ['AGGREGATOR_CONFIG']} (AGGREGATOR_CONFIG)"
    return str(Path(FILE_NAME).absolute()) if Path(FILE_NAME).is_file() else f"none: no {FILE_NAME} here, so defaults"


def _store(config: Config) -> Iterator[Finding]:
    from aggregator.opening import STORE_NAME
    from aggregator.store.database import filesystem_of, unsafe_filesystem

    directory = config.directory.expanduser().absolute()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    kind = filesystem_of(directory) or "unknown to this machine"
    unsafe = unsafe_filesystem(directory, allow_ephemeral=config.allow_ephemeral)
    yield Finding("store", "directory", "ok", f"{directory}{'' if existing == directory else ' (not made yet)'}")
    yield Finding("store", "file system", "broken" if unsafe else "ok", unsafe or kind)
    if not os.access(existing, os.W_OK):
        yield Finding("store", "writing", "broken", f"{existing} cannot be written: check its permissions")
    free = shutil.disk_usage(existing).free
    yield Finding("store", "free space", "ok" if free > LOW_SPACE_BYTES else "warning", sized(free))
    yield Finding("store", "SQLite", "ok", sqlite3.sqlite_version)
    database = directory / STORE_NAME
    if not database.is_file():
        yield Finding("store", "books", "note", "none yet: the first job begins them")
    elif not unsafe:
        yield from _books(database)


def _books(database: Path) -> Iterator[Finding]:
    try:
        mode, records = asyncio.run(_read(database))
    except AggregatorError as error:
        yield Finding("store", "books", "broken", str(error))
        return
    unfinished = sum(not record.state.is_final for record in records)
    yield Finding("store", "journal mode", "ok" if mode == "wal" else "warning", mode)
    yield Finding("store", "books", "ok", f"verified: every balance adds up; jobs: {len(records)}")
    if unfinished:
        yield Finding("store", "unfinished", "warning", f"jobs: {unfinished}; `aggregator resume` goes on with them")


async def _read(database: Path) -> tuple[str, list[JobRecord]]:
    """The journal mode and the jobs, after everything was verified."""
    from aggregator import ledger
    from aggregator.store import journal
    from aggregator.store.database import Store
    from aggregator.store.reports import job_records

    store = Store(database)
    try:
        await store.read(ledger.verify)
        await store.read(journal.verify_log)
        mode = await store.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar())
        return str(mode), await store.read(job_records)
    finally:
        store.close()


# -------------------------------------------------------------------------------------------------- providers and dates


def _providers(catalogue: Catalogue) -> Iterator[Finding]:
    if all(reason is not None for reason in catalogue.usable.values()):
        yield Finding("providers", "none", "warning", "nothing can be made: set a key below, or use --local")
    off = [name for name, reason in catalogue.usable.items() if reason == SWITCHED_OFF]
    for name, reason in sorted(catalogue.usable.items()):
        if name not in off or len(off) <= FEW:
            yield Finding("providers", name, "ok" if reason is None else "note", reason or "configured")
    if len(off) > FEW:
        yield Finding("providers", f"{len(off)} others", "note", SWITCHED_OFF)


def _stale(catalogue: Catalogue) -> Iterator[Finding]:
    """What was last compared with its source longer ago than we trust."""
    since = catalogue.today - timedelta(days=STALE_DAYS)
    tables = [name for name, table in catalogue.tables.items() if date.fromisoformat(table.checked) < since]
    offers = [offer.id for offer in catalogue.registry.all_offers() if offer.checked < since]
    rates = [
        rate.id
        for name in catalogue.usable
        for rate in catalogue.prices.rates(name)
        if (rate.checked or rate.starts) < since
    ]
    for about, stale in (("provider tables", tables), ("offers", offers), ("rates", rates)):
        if not stale:
            yield Finding("checked dates", about, "ok", f"all within {STALE_DAYS} days")
        else:
            first, rest = ", ".join(stale[:STALE_SHOWN]), len(stale) - STALE_SHOWN
            more = f" and {rest} more" if rest > 0 else ""
            yield Finding("checked dates", about, "warning", f"older than {STALE_DAYS} days: {first}{more}")
