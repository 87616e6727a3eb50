"""`local`: the embedded backend as a server of its own, for clients on other machines or in other languages."""

import socket
from typing import Annotated

import typer

from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.errors import ConfigurationError

__all__ = ["authority", "listen", "local"]

BACKLOG = 128
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen. Whoever reaches it can use it.")]
Port = Annotated[int, typer.Option(metavar="PORT", help="0: any that is free.", min=0, max=65_535)]


def local(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8790,
    config: ConfigFile = None,
    local_only: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Serve the embedded backend over HTTP until interrupted."""
    session = Session(config_file=config, local=local_only, directory=directory, as_json=as_json)
    session.run(_serve(session, host, port), interrupted="stopped; unfinished jobs stay, and go on at the next start")


async def _serve(session: Session, host: str, port: int) -> None:
    from aggregator.local import LocalApp

    try:
        import uvicorn
    except ImportError as missing:
        raise ConfigurationError('the server needs uvicorn: pip install "aggregator[local]"') from missing
    root = session.config().directory.expanduser().absolute() / "local"
    listening = listen(host, port)
    app = LocalApp(root)
    server = uvicorn.Server(uvicorn.Config(app.asgi, log_level="warning", lifespan="off"))
    _announce(session, f"http://{authority(*listening.getsockname()[:2])}", str(root))
    try:
        await server.serve(sockets=[listening])
    finally:
        listening.close()
        await app.aclose()


def listen(host: str, port: int) -> socket.socket:
    """A socket that callers can reach already; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(BACKLOG)  # from here on callers wait instead of being refused
    except OSError as error:
        found.close()
        said = error.strerror or str(error)
        raise ConfigurationError(f"cannot listen on {host} port {port}: {said}; choose another --port") from None
    return found


def authority(host: str, port: int) -> str:
    """Host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _announce(session: Session, address: str, root: str) -> None:
    lines = ("# aggregator.toml", "[providers.local]", f'base_url = "{address}"')
    if session.as_json:
        emit({"address": address, "directory": root, "configuration": "\n".join(lines[1:])})
        return
    on = console()
    on.print(f"The embedded backend listens on {address}", soft_wrap=True)
    on.print(f"Its files are in {root}; it makes stand-ins. Ctrl-C ends it. To use it:", soft_wrap=True)
    on.print()
    for line in lines:
        on.print(line, soft_wrap=True)
