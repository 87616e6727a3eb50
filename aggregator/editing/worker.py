"""The child process that makes edits: one JSON object a line in; news, and then one answer, a line each out.

It runs under limits, and ends with its parent, whatever it is doing: what it was making is removed. A file that
crashes or hangs what reads it does so here and nowhere else. The parent is `aggregator.edit_pool`.
"""

import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

from aggregator.editing.edits import edit_from_json
from aggregator.editing.run import run_edit
from aggregator.errors import ConfigurationError, EditError

__all__ = ["FILE_BYTES", "MEMORY_BYTES", "answer", "main"]

MEMORY_BYTES: Final = 8 * 2**30
"""Of addresses, which is more than is ever filled: a film of 8K frames has room."""
FILE_BYTES: Final = 2 * 2**30
"""As large as a file may be that the store takes."""
NEWS_S: Final = 1.0
"""How often it is said, at most, that an edit gets on."""
Say = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Make one edit after the other until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act upon
    for limit, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, FILE_BYTES)):
        _limit(limit, most)
    _limit(resource.RLIMIT_CORE, 0)
    asked: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_listen, args=(asked,), daemon=True).start()
    _say({"ready": True})
    while True:
        _say(answer(asked.get(), _say))


def answer(asked: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Make an edit and say what became of it: `made`, the name of a file; or `error`, of an input in `field`; or what
    is `missing` here.
    """
    edit = edit_from_json(asked["edit"])
    paths = {sha256: Path(path) for sha256, path in asked["paths"].items()}
    directory = Path(asked["directory"])
    try:
        directory.mkdir(0o700)
        made = run_edit(
            edit,
            paths,
            directory / "out",
            progress=_Progress(say),
            on_open=lambda field: say({"reading": field}),
        )
    except EditError as error:
        return {"error": str(error), "field": error.field}
    except ConfigurationError as error:
        return {"missing": str(error)}
    except MemoryError:
        return {"error": f"{edit.task}: it needs more than {MEMORY_BYTES // 2**30} GiB of memory: give smaller inputs"}
    except Exception as error:  # noqa: BLE001  whatever a file does to its reader is an answer
        return {"error": f"{edit.task}: {type(error).__name__}: {error}", "note": traceback.format_exc()}
    return {"made": made.name}


class _Progress:
    """Says now and then how much is done."""

    def __init__(self, say: Say) -> None:
        self._say, self._said_s = say, time.monotonic()

    def __call__(self, share: float) -> None:
        if time.monotonic() - self._said_s >= NEWS_S:
            self._said_s = time.monotonic()
            self._say({"share": share})


def _listen(asked: "SimpleQueue[dict[str, Any]]") -> None:
    """Take what is asked, even while an edit keeps the other thread busy: the end of it is the parent's end."""
    directory = None
    for line in sys.stdin:
        asked.put(one := json.loads(line))
        directory = one["directory"]
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
    os._exit(0)


def _say(said: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _limit(what: int, most: int) -> None:
    """Allow so much, or as little as is allowed here already."""
    _, allowed = resource.getrlimit(what)
    if allowed == resource.RLIM_INFINITY or most < allowed:
        resource.setrlimit(what, (most, most))
