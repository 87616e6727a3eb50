"""`sheet`: every take of a run on one page, to look at and to pick from."""

import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.runs import OfProject, RunName, opened_project
from aggregator.cli.server import listen
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, say, shown_path, sized
from aggregator.client import Aggregator
from aggregator.secret import Secret
from aggregator.workflow.sheet.writing import needed, write_sheet

if TYPE_CHECKING:
    from aggregator.workflow.sheet.data import Sheet

__all__ = ["sheet"]

LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 24
GRACE_S = 1
STOPPED = "stopped; what was picked is written down"

Out = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="The page; else RUN.html in this directory.")
]
Png = Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Also, or only, a picture of it.")]
Serve = Annotated[bool, typer.Option("--serve", help="Open it on this machine for picking, until interrupted.")]
Port = Annotated[
    int, typer.Option(metavar="PORT", help="Where --serve listens; 0: any that is free.", min=0, max=65_535)
]


def sheet(
    run: RunName,
    *,
    project: OfProject = None,
    output: Out = None,
    png: Png = None,
    serve: Serve = False,
    port: Port = 0,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show every take of a run: playing, with its prompt, model, seed, cost and what it is made from.

    One HTML file that needs no network. With --serve, a take that is picked on the page goes on in the next run.
    """
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    if serve:
        if output is not None or png is not None:
            raise typer.BadParameter("--serve writes no file: leave out --output and --png")
        with session.told():
            listening = listen(LOOPBACK, port)
        session.run(_serve(session, run, project, listening), interrupted=STOPPED)
        return
    html = output or (None if png is not None else Path(f"{run.replace('/', '-')}.html"))
    found = session.run(_write(session, run, project, html, png))
    files = {"html": html, "png": png}
    if as_json:
        emit(
            {
                **found.as_json(),
                "waiting": list(found.waiting),
                "files": {name: str(path.absolute()) for name, path in files.items() if path},
            }
        )
    else:
        _draw(found, [path for path in files.values() if path])


async def _write(session: Session, run: str, project: str | None, html: Path | None, png: Path | None) -> "Sheet":
    async with Aggregator(session.config()) as agg:
        return await write_sheet(await opened_project(agg, run, project), run, html=html, png=png)


async def _serve(session: Session, run: str, project: str | None, listening: socket.socket) -> None:
    try:
        import uvicorn

        from aggregator.workflow.sheet.gathering import read_sheet
        from aggregator.workflow.sheet.serving import SheetApp
    except ImportError as missing:
        raise needed(missing) from missing
    token, port = Secret(secrets.token_urlsafe(TOKEN_BYTES)), listening.getsockname()[1]
    try:
        async with Aggregator(session.config()) as agg:
            p = await opened_project(agg, run, project)
            found = await read_sheet(p, run)
            app = SheetApp(p, run, token=token, port=port)
            settings: dict[str, Any] = {"log_level": "warning", "lifespan": "off", "server_header": False}
            server = uvicorn.Server(uvicorn.Config(app.asgi, timeout_graceful_shutdown=GRACE_S, **settings))
            _announce(session, found, f"http://{LOOPBACK}:{port}/?token={token.reveal()}")
            await server.serve(sockets=[listening])
    finally:
        listening.close()


def _announce(session: Session, found: "Sheet", address: str) -> None:
    if session.as_json:
        emit({"run": found.run, "project": found.project, "address": address, "waiting": list(found.waiting)})
        return
    on = console()
    on.print(f"The sheet of {found.run} is at\n", soft_wrap=True)
    on.print(f"  {address}\n", soft_wrap=True)
    say(on, "Only who has this address can open it, on this machine. Ctrl-C ends it.")
    if found.waiting:
        say(on, f"Waits for a pick: {', '.join(found.waiting)}")


def _draw(found: "Sheet", files: list[Path]) -> None:
    on = console()
    takes = sum(len(step.takes) for step in found.steps)
    say(on, f"{found.run}: {len(found.steps)} steps, {takes} takes")
    for path in files:
        say(on, f"{shown_path(path)}  {sized(path.stat().st_size)}", indent=2)
    if found.waiting:
        say(
            on,
            f"Waits for a pick: {', '.join(found.waiting)}. To pick on the page: aggregator sheet {found.run} --serve",
        )
