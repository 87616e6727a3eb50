"""Virtual environments beside the one that runs the tests: made once, kept while what they are made of is the same."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "made"]

ROOT = Path(__file__).parents[1]


def made(name: str, wanted: list[str], stamp: str, *, alone: list[str] | None = None) -> Path:
    """Make or keep the environment `name`; returns its python. Another process that makes it waits its turn.

    Args:
        wanted: Arguments of `pip install`. stamp: What they come to; another one makes it anew. alone: The same of what
            is installed afterwards, without what it says it needs.

    Raises:
        RuntimeError: It cannot be made; why has been printed.

    """
    venv = ROOT / name
    with Path(sys.prefix, f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        kept = venv / "stamp"
        if not kept.is_file() or kept.read_text() != stamp:
            _fill(venv, wanted, alone or [])
            kept.write_text(stamp)
    return venv / "bin" / "python"


def _fill(venv: Path, wanted: list[str], alone: list[str]) -> None:
    """By uv, which takes seconds, where it works; else by pip, which takes a minute or two."""
    uv, python, told = Path(sys.executable).with_name("uv"), venv / "bin" / "python", _as_pip_is_told()
    ways: list[tuple[list[object], list[object]]] = [
        ([sys.executable, "-m", "venv", venv], [python, "-m", "pip", "install", "--quiet"])
    ]
    if uv.is_file():
        install: list[object] = [uv, "pip", "install", "--quiet", "--python", python]
        ways.insert(0, ([uv, "venv", "--quiet", "--python", sys.executable, venv], install))
    for empty, install in ways:
        way = [empty, [*install, *wanted], *([[*install, "--no-deps", *alone]] if alone else [])]
        shutil.rmtree(venv, ignore_errors=True)
        if not any(_run(command, **told) for command in way):
            return
    raise RuntimeError(f"{venv.name} cannot be made")


def _run(command: list[object], **environ: str) -> int:
    return subprocess.run([str(word) for word in command], check=False, env={**os.environ, **environ}).returncode


def _as_pip_is_told() -> dict[str, str]:
    """uv does not read pip's configuration: where this machine finds its packages is handed on, and written nowhere."""
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    told = {}
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        told[name.rpartition(".")[2]] = value.strip("'\"")
    names = {
        "cert": "SSL_CERT_FILE",
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
    }
    found = {name: told[key] for key, name in names.items() if key in told and name not in os.environ}
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found}  # all of them count alike, as for pip
