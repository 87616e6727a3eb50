"""`serve-diffusers`: weights without an engine, behind the OpenAI dialect, one job at a time."""

import os
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.server import authority, listen
from aggregator.cli.session import AsJson, ConfigFile, Directory, Session
from aggregator.cli.show import console, emit
from aggregator.clock import SystemClock
from aggregator.errors import ConfigurationError
from aggregator.secret import Secret

if TYPE_CHECKING:
    from aggregator.diffusion.loading import Wanted

__all__ = ["serve_diffusers"]

EXTRA = 'pip install "aggregator[diffusers]"'
STOPPED = "stopped; unfinished jobs stay, and are made again at the next start"
HOUR_S = 3600.0
GRACE_S = 2
_EXTRA_MODULES = ("av", "PIL", "starlette", "uvicorn", "python_multipart", "multipart", "numpy")

Weights = Annotated[str, typer.Argument(metavar="PATH_OR_ID", help="A folder of weights, or a repository's name.")]
Name = Annotated[str | None, typer.Option(metavar="MODEL", help="What requests call it; else the folder's name.")]
Device = Annotated[str, typer.Option(metavar="cpu|cuda|mps", help="Where it runs.")]
Dtype = Annotated[
    str, typer.Option(metavar="auto|float32|…", help="Or bfloat16, float16; auto: bfloat16 on cuda, else float32.")
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen. Whoever reaches it can use it.")]
Port = Annotated[int, typer.Option(metavar="PORT", help="0: any that is free.", min=0, max=65_535)]
Queue = Annotated[
    int, typer.Option(metavar="JOBS", help="How many may wait; more are refused with 429.", min=1, max=10_000)
]
KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="The variable with the key that requests must bear.")
]
Lora = Annotated[
    list[str] | None,
    typer.Option("--lora", metavar="[NAME=]PATH_OR_ID[@SCALE]", help="Adapters to load; may be repeated."),
]
Offload = Annotated[bool, typer.Option("--offload", help="Keep on the GPU only the part that is at work.")]
KeepHours = Annotated[float, typer.Option("--keep-hours", metavar="HOURS", help="How long files are kept.", min=0.01)]


def serve_diffusers(
    weights: Weights,
    *,
    name: Name = None,
    device: Device = "cpu",
    dtype: Dtype = "auto",
    host: Host = "127.0.0.1",
    port: Port = 8100,
    queue: Queue = 16,
    key_env: KeyEnv = None,
    lora: Lora = None,
    offload: Offload = False,
    keep_hours: KeepHours = 24.0,
    config: ConfigFile = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Serve diffusers pipelines in the OpenAI dialect until interrupted. Prefer SGLang or vLLM-Omni where they can."""
    session = Session(config_file=config, directory=directory, as_json=as_json)
    with session.told():
        model = name or _name_of(weights)
        wanted = _wanted(weights, device, dtype, lora or [], offload=offload)
        secret = _secret(key_env)
        listening = listen(host, port)
    session.run(
        _serve(session, wanted, model, listening, queue=queue, secret=secret, ttl_s=keep_hours * HOUR_S),
        interrupted=STOPPED,
    )


async def _serve(
    session: Session,
    wanted: "Wanted",
    model: str,
    listening: socket.socket,
    *,
    queue: int,
    secret: Secret | None,
    ttl_s: float,
) -> None:
    try:
        import uvicorn

        from aggregator.diffusion.app import DiffusionApp
        from aggregator.diffusion.jobs import Jobs
        from aggregator.diffusion.loading import load
        from aggregator.diffusion.store import Store
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA_MODULES:
            raise
        raise ConfigurationError(f"the server needs {missing.name}: {EXTRA}") from missing
    root = session.config().directory.expanduser().absolute() / "diffusers" / re.sub(r"[^\w.-]", "-", model)
    jobs = Jobs(Store(root), clock=SystemClock(), queue=queue, ttl_s=ttl_s)
    app = DiffusionApp(jobs, model=model, ttl_s=ttl_s, secret=secret)
    server = uvicorn.Server(
        uvicorn.Config(app.asgi, log_level="warning", lifespan="off", timeout_graceful_shutdown=GRACE_S)
    )

    def give_up() -> None:
        server.should_exit = True

    _announce(
        session, f"http://{authority(*listening.getsockname()[:2])}", model, str(root), has_key=secret is not None
    )
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it is done: the job goes back first
    jobs.start(lambda: load(wanted), give_up)
    try:
        await server.serve(sockets=[listening])
    finally:
        listening.close()
        jobs.close()
    if jobs.has_failed:
        raise ConfigurationError(jobs.trouble)


def _wanted(weights: str, device: str, dtype: str, lora: list[str], *, offload: bool) -> "Wanted":
    try:
        from aggregator.diffusion.loading import DEVICES, DTYPES, Wanted, read_lora
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA_MODULES:
            raise
        raise ConfigurationError(f"the server needs {missing.name}: {EXTRA}") from missing
    for option, value, allowed in (("--device", device, DEVICES), ("--dtype", dtype, DTYPES)):
        if value not in allowed:
            raise ConfigurationError(f"{option}: one of {', '.join(allowed)}, not {value}")
    return Wanted(weights, device, dtype, read_lora(lora), offload)


def _name_of(weights: str) -> str:
    """The folder's own name, or the repository's: never a path of this machine."""
    at = Path(weights).expanduser()
    return at.resolve().name if at.exists() or weights.startswith((".", "/", "~")) else weights


def _secret(key_env: str | None) -> Secret | None:
    if key_env is None:
        return None
    value = os.environ.get(key_env, "").strip()
    if not value:
        raise ConfigurationError(f"--key-env {key_env}: the variable is not set, and a server without a key is open")
    return Secret(value)


def _announce(session: Session, address: str, model: str, root: str, *, has_key: bool) -> None:
    lines = ("# aggregator.toml", "[providers.openai_compatible]", f'base_url = "{address}/v1"')
    if session.as_json:
        emit({"address": address, "model": model, "directory": root, "configuration": "\n".join(lines[1:])})
        return
    on = console()
    on.print(f"{model} is being loaded; {address}/health says when it is there", soft_wrap=True)
    on.print(f"Jobs and files are in {root}. Ctrl-C ends it. To use it:", soft_wrap=True)
    on.print()
    for line in lines:
        on.print(line, soft_wrap=True, markup=False)
    if has_key:
        on.print('api_key_env = "…"  # the variable that holds its key over there', soft_wrap=True)
    elif not address.startswith(tuple(f"http://{one}" for one in ("127.", "[::1]", "localhost"))):
        on.print("\nWhoever reaches this address can use it: --key-env asks for a key.", soft_wrap=True)
