"""`doctor`: what is installed, configured and stored here, and what is wrong with it. Never shows a key."""

import asyncio
import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from aggregator import __version__
from aggregator.backends import SWITCHED_OFF
from aggregator.callbacks import callbacks_of, tables
from aggregator.cli.catalogue import Catalogue
from aggregator.cli.live import check_keys
from aggregator.cli.registry_address import look
from aggregator.cli.runs import kept_said
from aggregator.cli.session import EXIT_ERROR, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, heading, sized, table
from aggregator.config import FILE_NAME, Config
from aggregator.errors import AggregatorError, RequestError
from aggregator.job import AttemptState, JobRecord
from aggregator.pricing.drift import Pause
from aggregator.secret import Secret

if TYPE_CHECKING:
    from aggregator.store.runs import KeptMoney

__all__ = ["Finding", "doctor", "findings"]

STALE_DAYS = 90
STALE_SHOWN = 3
LABEL_COLUMNS = 16
NO_BOOKS = "none yet: the first job begins them"
FEW = 3
LOW_SPACE_BYTES = 2 * 10**9
LIBRARIES = ("httpx", "pydantic", "sqlalchemy")
EXTRAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "local": ("the embedded backend, and facts of every delivered file", ("av", "PIL", "starlette", "uvicorn")),
    "voice": ("a real voice for the embedded backend", ("espeakng_loader",)),
    "cli": ("this command", ("typer", "rich")),
    "plot": ("pictures of quality against price", ("matplotlib",)),
    "postgres": ("a store that several machines share", ("psycopg",)),
    "dbos": ("runs of workflows that outlive a machine", ("dbos",)),
    "s3": ("files in a bucket that several machines share", ("obstore",)),
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
    found += _artifacts(config)
    try:
        catalogue = Catalogue.open(config)
    except AggregatorError as error:
        return [*found, Finding("providers", "tables", "broken", str(error))]
    found += _providers(catalogue)
    found += _webhooks(config, catalogue)
    found += _feed(config, catalogue)
    if live:
        asked = check_keys(config, catalogue, os.environ)
        found += (Finding("keys, asked live", one.provider, one.verdict, one.said) for one in asked)
        found += _engines(config, catalogue)
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
    from aggregator.store.disk import filesystem_of, unsafe_filesystem

    try:
        url = config.store.url(os.environ)
    except AggregatorError as error:
        yield Finding("store", "database", "broken", str(error))
        return
    directory = config.directory.expanduser().absolute()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    kind = filesystem_of(directory) or "unknown to this machine"
    unsafe = unsafe_filesystem(directory, allow_ephemeral=config.allow_ephemeral, holds_database=url is None)
    yield Finding("store", "directory", "ok", f"{directory}{'' if existing == directory else ' (not made yet)'}")
    yield Finding("store", "file system", "broken" if unsafe else "ok", unsafe or kind)
    if not os.access(existing, os.W_OK):
        yield Finding("store", "writing", "broken", f"{existing} cannot be written: check its permissions")
    free = shutil.disk_usage(existing).free
    yield Finding("store", "free space", "ok" if free > LOW_SPACE_BYTES else "warning", sized(free))
    file = directory / STORE_NAME
    if url is None and not file.is_file():
        yield Finding("store", "database", "ok", f"SQLite {sqlite3.sqlite_version}")
        yield Finding("store", "books", "note", NO_BOOKS)
    elif url is not None or not unsafe:
        yield from _database(url or file)


def _database(at: Path | Secret) -> Iterator[Finding]:
    """Which database it is, and its books. Leaves it as it is: an older one is not led on by being looked at."""
    from aggregator.store.database import look
    from aggregator.store.schema import SCHEMA_VERSION

    try:
        seen = look(at)
    except AggregatorError as error:
        yield Finding("store", "books", "broken", str(error))
        return
    yield Finding("store", "database", "ok", f"{seen.product}: {seen.name}")
    if seen.weakness is not None:
        yield Finding("store", "durability", "warning", seen.weakness)
    if seen.version is None:
        yield Finding("store", "books", "note", NO_BOOKS)
    elif seen.version != SCHEMA_VERSION:
        later = f"version {seen.version}: the next client that opens it leads it to {SCHEMA_VERSION}"
        yield Finding("store", "schema", "note", f"{later}; end all older ones first")
    else:
        yield Finding("store", "schema", "ok", f"version {seen.version}")
        yield from _books(at)


def _books(at: Path | Secret) -> Iterator[Finding]:
    try:
        records, paused, kept = asyncio.run(_read(at))
    except AggregatorError as error:
        yield Finding("store", "books", "broken", str(error))
        return
    unknown = sum(record.state is AttemptState.UNKNOWN for record in records)
    unfinished = sum(not record.state.is_final for record in records) - unknown
    yield Finding("store", "books", "ok", f"verified: every balance adds up; jobs: {len(records)}")
    if unfinished:
        yield Finding("store", "unfinished", "warning", f"jobs: {unfinished}; `aggregator resume` goes on with them")
    if unknown:
        told = f"purchases: {unknown}, their money stays reserved; `aggregator unknown list` says where to look"
        yield Finding("store", "unknown", "warning", told)
    for pause in paused:
        yield Finding("store", "paused", "warning", f"{pause.offer} {pause.said}; see `aggregator pauses`")
    for money in kept:
        yield Finding("store", "kept for a run", "note" if money.state == "paused" else "warning", kept_said(money))


async def _read(at: Path | Secret) -> tuple[list[JobRecord], list[Pause], "list[KeptMoney]"]:
    """The jobs, the prices that are paused and the money that is kept for runs, after everything was verified."""
    from aggregator import ledger
    from aggregator.store import journal, pauses, runs
    from aggregator.store.database import Store
    from aggregator.store.reports import job_records

    store = Store(at)
    try:
        await store.read(ledger.verify)
        await store.read(journal.verify_log)
        return await store.read(lambda c: (job_records(c), list(pauses.paused(c).values()), runs.kept_money(c)))
    finally:
        store.close()


def _artifacts(config: Config) -> Iterator[Finding]:
    """Whether the bucket can be used, by a small file that is written, listed, read and removed."""
    from aggregator.store.files import bucket_of

    try:
        bucket = bucket_of(config)
        if bucket is not None:
            asyncio.run(bucket.check())
            yield Finding("artifacts", "bucket", "ok", f"{bucket.name} can be written, listed, read and cleared")
        elif config.store.url_env is not None:
            said = "on this machine only: with [artifacts] url another one reads what this one made"
            yield Finding("artifacts", "files", "warning", said)
    except AggregatorError as error:
        yield Finding("artifacts", "bucket", "broken", str(error))


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


def _engines(config: Config, catalogue: Catalogue) -> Iterator[Finding]:
    """What answers at the addresses of one's own, and whether that is what the configuration takes it for."""
    placed = [(name, at) for name, of in config.providers.items() for at in of.addresses if of.enabled]
    own = [(name, at) for name, at in placed if catalogue.tables[name].auth.env == ()]
    for (name, at), one in zip(own, asyncio.run(look([at for _, at in own])), strict=True):
        if isinstance(one, RequestError):
            yield Finding("servers, asked live", name, "broken", str(one))
            continue
        said = f"{one.engine.name} {one.version or '(version not said)'} at {at}"
        table = config.providers[name].table or ""
        right = one.engine.provider in (name, table.partition(":")[0].rpartition(".")[2])
        advice = "" if right else f": its provider is {one.engine.provider}, not {name}"
        yield Finding("servers, asked live", name, "ok" if right else "warning", said + advice)


def _webhooks(config: Config, catalogue: Catalogue) -> Iterator[Finding]:
    """Whether providers are asked to call back, and which of those that can be used here will."""
    try:
        callbacks = callbacks_of(config, os.environ)
    except AggregatorError as error:
        yield Finding("webhooks", "secrets", "broken", str(error))
        return
    if not callbacks.on:
        said = "not configured, so jobs are polled: [webhooks] url and secret_env let providers call back"
        yield Finding("webhooks", "address", "note", said)
        return
    yield Finding("webhooks", "address", "ok", callbacks.url or "none: no order asks for a call")
    usable = sorted(name for name, reason in catalogue.usable.items() if reason is None)
    for name in usable:
        hooks = [hook for one in tables(catalogue.tables[name]) if (hook := one.webhook) is not None]
        if hooks and not any(callbacks.believes(name, hook) for hook in hooks):
            said = f"polled: to believe its calls, write [providers.{name}] webhook_secret_env"
            yield Finding("webhooks", name, "note", said)
        elif hooks and not any(hook.ask for hook in hooks):
            said = f"calls back if {callbacks.url}/{name} is registered with the account"
            yield Finding("webhooks", name, "note", said)
        elif hooks and callbacks.url:
            yield Finding("webhooks", name, "ok", "asked with each order to call back")


def _feed(config: Config, catalogue: Catalogue) -> Iterator[Finding]:
    """How old the last good feed is, and what of it is held back."""
    if config.registry.feed is None:
        return
    from aggregator.registry.feed import last_good

    directory = config.directory.expanduser().absolute()
    try:
        good = last_good(config.registry, directory, catalogue.tables, config.registry.feed_accept)
    except AggregatorError as error:
        yield Finding("feed", "last good one", "broken", str(error))
        return
    if good is None:
        said = f"none is kept here: the package's own data is used until {config.registry.feed} is taken"
        yield Finding("feed", "last good one", "warning", said)
        return
    now = datetime.now(UTC)
    age = (now - good.head.issued_at).days
    said = f"serial {good.head.serial}, issued {good.head.issued_at:%Y-%m-%d} ({age} days ago)"
    if good.head.expires_at <= now:
        yield Finding(
            "feed", "last good one", "warning", f"{said}, expired {good.head.expires_at:%Y-%m-%d}: still used"
        )
    else:
        yield Finding("feed", "last good one", "ok", said)
    if good.held:
        few = "; ".join(map(str, good.held[:FEW]))
        yield Finding("feed", "held back", "warning", f"{len(good.held)} rows wait for [registry] feed_accept: {few}")


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
