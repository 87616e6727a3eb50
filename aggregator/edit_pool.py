"""Local edits in child processes that are kept for the next edit: a file that crashes or hangs what reads it ends one
of them and nothing else. Several clients of one process have pools of their own.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import Signals
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aggregator.errors import ConfigurationError, EditError
from aggregator.probing import ENVIRONMENT

if TYPE_CHECKING:
    from aggregator.editing.edits import Edit

__all__ = ["MAX_EDITS_AT_ONCE", "EditPool"]

MAX_EDITS_AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""Edits at the same time: each keeps a core busy."""
START_S = 60.0
"""How long a child may take until it is ready."""
END_S = 5.0
"""How long a child that says nothing sensible any more is given to end by itself."""
STALL_S = 300.0
"""How long an edit may go without getting any further; a long film may take as long as it needs."""
PROGRAM = "from aggregator.editing.worker import main; main()"
_RUN = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
"""What is found there is what the parent finds: without its environment, in which there may be keys."""


class EditPool:
    """Makes edits, so many at a time."""

    def __init__(
        self,
        *,
        enabled: bool = True,
        directory: Path | None = None,
        stall_s: float = STALL_S,
        program: str = PROGRAM,
    ) -> None:
        """`enabled=False`: no processes, each edit is made in a thread of this one. `directory`: where files are until
        they are taken; else where this system has temporary files.
        """
        self._enabled, self._stall_s, self._program = enabled, stall_s, program
        self._directory = directory or Path(gettempdir())
        self._turns = asyncio.Semaphore(MAX_EDITS_AT_ONCE)
        self._children: list[_Child] = []
        self._idle: list[_Child] = []

    @asynccontextmanager
    async def made(
        self, edit: "Edit", paths: Mapping[str, Path], *, on_turn: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[Path, None]:
        """The file that an edit makes, until it is put elsewhere. Canceled, its process is ended before this returns.

        If this process is killed, the child removes what was written: it has nothing else to do until the file is gone.

        Args:
            paths: The files of its inputs, by their `sha256`.
            on_turn: Called when it is its turn, which it may have to wait for.

        Raises:
            EditError: It cannot be made of these inputs; or one of them crashed its process, or kept it from getting
                any further.
            ConfigurationError: The extra `local` is not installed.

        """
        directory = self._directory / f"aggregator-{uuid4().hex}"
        try:
            if not self._enabled:
                on_turn()
                yield await asyncio.to_thread(_made_here, edit, paths, directory)
                return
            async with self._turns:
                on_turn()
                child = self._free()
                try:
                    said = await child.ask(edit, paths, directory, self._stall_s)
                    _refuse(edit, said)
                    yield directory / Path(said["made"]).name  # whatever became of the child, it names no other place
                finally:
                    await self._back(child)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _free(self) -> "_Child":
        while self._idle:
            child = self._idle.pop()
            if child.is_well:
                return child
            self._children.remove(child)
        child = _Child(self._program)
        self._children.append(child)
        return child

    async def _back(self, child: "_Child") -> None:
        """Keep as many that do nothing as are at work, and one."""
        busy = len(self._children) - len(self._idle) - 1
        if child.is_well and len(self._idle) <= busy:
            self._idle.append(child)
        else:
            self._children.remove(child)
            await child.aclose()

    async def aclose(self) -> None:
        """End the children."""
        for child in self._children:
            await child.aclose()


class _Child:
    """One child process; what is asked of it is answered, or it is not well any more."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._is_asked = False

    @property
    def is_well(self) -> bool:
        """Whether it is there, and waits for something to do."""
        return self._process is not None and self._process.returncode is None and not self._is_asked

    async def ask(self, edit: "Edit", paths: Mapping[str, Path], directory: Path, stall_s: float) -> dict[str, Any]:
        """What became of an edit, as the child says it.

        Raises:
            EditError: It did not say anything.

        """
        self._is_asked, field = True, None
        asked = {
            "edit": edit.as_json(),
            "paths": {sha256: str(path) for sha256, path in paths.items()},
            "directory": str(directory),
        }
        try:
            process = self._process or await self._start()
            assert process.stdin is not None
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            while True:
                said = await self._said(process, stall_s)
                field = said.get("reading", field)
                if not {"reading", "share"} & said.keys():
                    self._is_asked = False
                    return said
        except TimeoutError:
            became = f"got no further for {stall_s:g} s"
        except (OSError, ValueError):  # it is gone, or as good as that
            became = f"was ended by {await self._ended()}"
        file = _file_of(edit, field, paths)
        where = f" while it read {field} ({file})" if file else ""
        raise EditError(
            f"{edit.task}: the process that made it {became}{where}: is the file whole? Make or fetch it again",
            edit=edit.task,
            field=field,
        )

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _RUN + self._program,
            json.dumps(sys.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        )
        await self._said(self._process, START_S)  # that it is ready
        return self._process

    @staticmethod
    async def _said(process: asyncio.subprocess.Process, within_s: float) -> dict[str, Any]:
        assert process.stdout is not None
        async with asyncio.timeout(within_s):
            line = await process.stdout.readline()
        said: dict[str, Any] = json.loads(line)  # an empty line: it is gone, a ValueError
        return said

    async def _ended(self) -> str:
        if self._process is None:
            return "the system: it could not be started"
        with suppress(TimeoutError):  # to kill it could take its status away from who waits for it
            async with asyncio.timeout(END_S):
                await self._process.wait()
        self._end(self._process)
        code = await self._process.wait()
        return Signals(-code).name if code < 0 else f"itself, with status {code}"

    @staticmethod
    def _end(process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()

    async def aclose(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            self._end(process)
            await process.wait()
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  else its pipes outlive a short event loop


def _made_here(edit: "Edit", paths: Mapping[str, Path], directory: Path) -> Path:
    from aggregator.editing.run import run_edit

    directory.mkdir()
    return run_edit(edit, paths, directory / "out")


def _refuse(edit: "Edit", said: Mapping[str, Any]) -> None:
    """Raise what the child says is wrong."""
    if "missing" in said:
        raise ConfigurationError(said["missing"])
    if "error" in said:
        error = EditError(said["error"], edit=edit.task, field=said.get("field"))
        if "note" in said:
            error.add_note(said["note"])
        raise error


def _file_of(edit: "Edit", field: str | None, paths: Mapping[str, Path]) -> Path | None:
    """The file of an input by its name in errors (`clips[1]`)."""
    if field is None:
        return None
    name, _, number = field.partition("[")
    media = edit.inputs(name)[int(number.removesuffix("]") or 0)]
    return paths.get(media.sha256 or "")
