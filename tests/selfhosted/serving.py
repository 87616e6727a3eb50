"""A real server in a process group of its own: started on a free port, killed as a machine dies, started again."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

__all__ = ["Served", "free_port", "python"]


def python() -> Path:
    """The interpreter of the server's environment."""
    told = os.environ.get("SELFHOSTED_PYTHON")
    assert told, "these tests are run by `make selfhosted`, which makes the server's environment"
    return Path(told)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Served:
    """One server. `command` may hold `{port}`."""

    command: Sequence[str]
    directory: Path
    """Where it runs, and where its log is written."""
    is_ready: Callable[[httpx.Response], bool]
    health: str
    environ: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    start_s: float = 180.0
    """It is ready after this, or never."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            AssertionError: It is not ready in time; the end of its log says why.

        """
        words = [word.format(port=self.port) for word in self.command]
        given = {}
        if "SELFHOSTED_PYTHON" in os.environ:  # some start their workers as plain `python`
            binaries = f"{python().parent}{os.pathsep}{os.environ['PATH']}"
            given = {"PATH": binaries, "VIRTUAL_ENV": str(python().parents[1])}
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                words,
                cwd=self.directory,
                env={**os.environ, **given, "PORT": str(self.port), **self.environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + self.start_s
        while time.monotonic() < until and self._process.poll() is None:
            if self.ready():
                return
            time.sleep(0.1)
        self.kill()
        said = (self.directory / "server.log").read_text(errors="replace")[-3000:]
        raise AssertionError(f"{words[0]} was not ready after {self.start_s:g} s:\n{said}")

    def ready(self) -> bool:
        try:
            return self.is_ready(httpx.get(self.url + self.health, timeout=2, trust_env=False))
        except (httpx.HTTPError, ValueError, LookupError):  # it says something else until it is
            return False

    def kill(self) -> None:
        """End every process of it at once, without a word to anybody."""
        if self._process is None:
            return
        for pid in [self._process.pid, *_below(self._process.pid)]:  # workers may have groups of their own
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _below(pid: int) -> Iterator[int]:
    """Every process that was started by this one, or by one of those."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                yield int(child)
                yield from _below(int(child))
