"""`emulate`: every provider on one loopback address, for the tests of products in any language."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.session import EXIT_INTERRUPTED, AsJson, Session
from aggregator.cli.show import console, emit
from aggregator.errors import ConfigurationError

if TYPE_CHECKING:
    from aggregator.testing.emulator import Emulator
    from aggregator.testing.emulator.recorder import Recorded

__all__ = ["emulate"]

EXTRA_MODULES = ("h11", "av", "PIL")
Providers = Annotated[list[str] | None, typer.Argument(metavar="[PROVIDER]…", help="Which; all, if none is named.")]
Port = Annotated[int, typer.Option(metavar="PORT", help="0: any that is free.", min=0, max=65_535)]
Latency = Annotated[float, typer.Option(metavar="SECONDS", help="How long a job is queued, and then runs.", min=0)]
Seed = Annotated[int, typer.Option(metavar="NUMBER", help="Decides keys, ids and files.")]
Write = Annotated[
    Path | None, typer.Option("--write", metavar="FILE", help="Write the configuration there; never over a file.")
]


def emulate(
    providers: Providers = None,
    *,
    port: Port = 8791,
    latency: Latency = 1.0,
    seed: Seed = 0,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """Emulate providers until interrupted: real requests and files, made-up keys, no money."""
    session = Session(as_json=as_json)
    with session.told():
        emulator = _open(tuple(providers or ()), port=port, latency=latency, seed=seed, as_json=as_json)
        names = emulator.names
        for name in names:
            emulator.desk(name)
        if write is not None:
            _write(write, _configuration(emulator, names))
    _serve(emulator, lambda: _announce(emulator, names, as_json=as_json, written=write))


def _open(only: tuple[str, ...], *, port: int, latency: float, seed: int, as_json: bool) -> "Emulator":
    try:
        import av  # noqa: F401  so that it is missed now, and not with the first file
        import PIL  # noqa: F401

        from aggregator.testing.emulator import Emulator
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA_MODULES:
            raise
        raise ConfigurationError(f'the emulator needs {missing.name}: pip install "aggregator[testing]"') from missing
    heard = None if as_json else _log  # one JSON document is all there is on standard output
    emulator = Emulator(only=only, port=port, latency_s=latency, seed=seed, on_request=heard)
    try:
        return emulator.start()
    except OSError as error:
        said = error.strerror or str(error)
        raise ConfigurationError(f"cannot listen on port {port}: {said}; choose another --port") from None


def _log(one: "Recorded") -> None:
    """One quiet line for each request."""
    bought = f"  {one.job_id}" if one.job_id else ""
    path = f"/{one.provider}{one.path}" if one.provider else one.path
    sys.stdout.write(f"{one.status or '---'}  {one.method:6} {path}{bought}\n")
    sys.stdout.flush()


def _configuration(emulator: "Emulator", names: tuple[str, ...]) -> str:
    """An `aggregator.toml` that leads to the emulator and to nothing else."""
    lines = ["[routing]", f"allow = [{', '.join(_quoted(name) for name in names)}]"]
    for name in names:
        rows = [f"{key} = {_quoted(value)}" for key, value in emulator.settings(name).items()]
        lines += ["", f"[providers.{name}]", *rows]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror or error}") from None


def _announce(emulator: "Emulator", names: tuple[str, ...], *, as_json: bool, written: Path | None) -> None:
    rows = [{"provider": name, "address": emulator.url(name), "key": emulator.keys[name]} for name in names]
    if as_json:
        document: dict[str, Any] = {"origin": emulator.origin, "providers": rows, "environment": emulator.environ}
        emit({**document, "configuration": _configuration(emulator, names)})
        return
    on = console()
    widths = [max(len(title), *(len(row[title]) for row in rows)) for title in ("provider", "address")]
    for row in (
        {"provider": "provider", "address": "address", "key": "key"},
        *rows,
    ):  # no table: it would cut addresses
        on.print(f"{row['provider']:{widths[0]}}  {row['address']:{widths[1]}}  {row['key']}", soft_wrap=True)
    on.print()
    if written is None:
        on.print(f"# aggregator.toml\n{_configuration(emulator, names)}", soft_wrap=True)
    for name, key in emulator.environ.items():
        on.print(f"export {name}={key}", soft_wrap=True)
    if written is not None:
        on.print(f"export AGGREGATOR_CONFIG={written.absolute()}", soft_wrap=True)
    on.print(f"\nIts book: {emulator.origin}/_emulator/book. Ctrl-C ends it.", soft_wrap=True)
    sys.stdout.flush()


def _serve(emulator: "Emulator", announce: Callable[[], None]) -> None:
    """Serve until interrupted or asked to end, which may happen as soon as it is announced."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        announce()
        ended.wait()
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        emulator.close()
        typer.echo(f"aggregator: stopped; it took {len(emulator.book)} jobs for {emulator.book.usd} USD", err=True)
