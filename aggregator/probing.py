"""Probing of files, in a limited child process that is kept for the next one and replaced when a file breaks it."""

import asyncio
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aggregator.artifact import Facts

__all__ = ["Prober"]

PROBE_TIMEOUT_S = 20.0
ENVIRONMENT = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TMPDIR")
"""All that the child is given: no key is among it."""


class Prober:
    """Asks the child about one file at a time."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._available = enabled and find_spec("av") is not None

    async def probe(self, path: Path) -> Facts | None:
        """What the file holds, by its absolute path.

        `None` if it cannot be read, or if PyAV (extra `local`) is not installed.
        """
        if not self._available:
            return None
        async with self._turn:
            try:
                async with asyncio.timeout(PROBE_TIMEOUT_S):
                    answer = await self._ask(path)
            except (TimeoutError, OSError, ValueError):
                answer = {}
                await self.aclose()
            except asyncio.CancelledError:
                await self.aclose()  # its answer would be taken for the next file's
                raise
        facts = answer.get("facts")
        return None if facts is None else Facts(**facts)

    async def _ask(self, path: Path) -> dict[str, dict[str, Any]]:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(Path(__file__).with_name("_probe.py")),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(str(path)).encode() + b"\n")
        await self._child.stdin.drain()
        line = await self._child.stdout.readline()
        answer: dict[str, dict[str, Any]] = json.loads(line)  # an empty line: the child died, a ValueError
        return answer

    async def aclose(self) -> None:
        """End the child. The prober can be used again."""
        child, self._child = self._child, None
        if child is not None:
            if child.returncode is None:
                child.kill()
            await child.wait()
            child._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  else its pipes outlive a short event loop
