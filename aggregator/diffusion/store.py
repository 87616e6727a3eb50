"""Jobs on disk: each a directory with its record, its inputs and its outputs, there whole or not at all.

Owns: names, the atomic way in, and that what is over goes after its time.
Refuses: two servers on one directory, and any name that leads out of it.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from aggregator.diffusion.order import Order
from aggregator.errors import ConfigurationError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: one server a directory is up to the user
    fcntl = None  # type: ignore[assignment]

ENDINGS: Final = ("completed", "failed", "canceled")
JOB_ID: Final = re.compile(r"(video|image|audio)_[0-9a-f]{32}")
RECORD: Final = "job.json"
SCRATCH: Final = ".new-"


@dataclass(slots=True)
class Record:
    """All there is to know of a job."""

    id: str
    order: Order
    created_at: float
    fingerprint: str = ""
    """Of what it was ordered with, for an Idempotency-Key that comes again."""
    keyed: bool = False
    status: str = "queued"
    steps: tuple[int, int] | None = None
    """Done, and how many there are; `None`: not known yet."""
    starts: int = 0
    ended_at: int | None = None
    outputs: list[dict[str, str]] = field(default_factory=list)
    """Each with its `name` in the job's directory and its `mime_type`."""
    made: dict[str, Any] = field(default_factory=dict)
    """What the files really hold: `width`, `height`, and of clips `num_frames` and `fps`."""
    inference_time_s: float | None = None
    error: dict[str, str] | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDINGS


class Store:
    """The jobs of one server."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts and pictures are personal data
        self._directory = directory
        self._lock = _locked(directory / "lock")
        for left in directory.glob(f"{SCRATCH}*"):  # an upload that a crash cut off
            shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        self._lock.close()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory for a job that is not there yet; it goes unless `begin` took it."""
        made = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self._directory))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def begin(self, record: Record, scratch: Path) -> None:
        """Take a job in, with its inputs. It is on disk when this returns."""
        _write(record, scratch)
        scratch.rename(self._directory / record.id)
        _sync(self._directory)

    def replace(self, record: Record) -> None:
        """Write a later state of a job."""
        _write(record, self.directory(record.id))

    def directory(self, job_id: str) -> Path:
        """Where a job's files are."""
        assert JOB_ID.fullmatch(job_id), job_id
        return self._directory / job_id

    def records(self) -> list[Record]:
        """Every job, the oldest first."""
        found = [_read(path) for path in self._directory.iterdir() if JOB_ID.fullmatch(path.name)]
        return sorted((one for one in found if one is not None), key=lambda one: (one.created_at, one.id))

    def drop_files(self, record: Record) -> None:
        """Remove what a job was given and made; its record stays."""
        for path in self.directory(record.id).iterdir():
            if path.name != RECORD:
                path.unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        shutil.rmtree(self.directory(job_id), ignore_errors=True)


def _locked(path: Path) -> IO[bytes]:
    """The file that says that a server is at work here; it is free again when that one ends, however it ends."""
    file = path.open("ab")
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise ConfigurationError(
                f"another server works in {path.parent}: stop it, or choose another --dir or --name"
            ) from None
    return file


def _write(record: Record, directory: Path) -> None:
    """The record in a file of its own, on disk before it takes the place of the one before."""
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=directory)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(directory / RECORD)
    _sync(directory)


def _read(directory: Path) -> Record | None:
    try:
        held = json.loads((directory / RECORD).read_bytes())
        steps = held["steps"]
        order = Order.from_json(held["order"])
        return Record(**{**held, "order": order, "steps": None if steps is None else tuple(steps)})
    except (OSError, ValueError, TypeError, KeyError):
        return None  # written by a version that knew other fields


def _sync(directory: Path) -> None:
    """Make a rename in a directory outlast a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
