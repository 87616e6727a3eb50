"""The record of every job on disk, one file per job, so that no accepted job is ever forgotten.

Owns: `directory/jobs`, and the two atomic writes: to begin a record (only if there is none) and to replace it.
Refuses: to hold anything in memory, and to overwrite a record that has ended.
"""

import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aggregator.local.orders import Order

ENDINGS: Final = ("succeeded", "failed", "canceled")
JOB_ID: Final = re.compile(r"job_[0-9a-f]{32}")


@dataclass(slots=True)
class Record:
    """A job as it stands. `outputs` hold file names; addresses are made when somebody asks."""

    id: str
    order: Order
    fingerprint: str = ""  # hash of the body it was ordered with, for a repeated Idempotency-Key
    status: str = "queued"
    progress: float = 0.0
    outputs: list[dict[str, Any]] = field(default_factory=list)
    compute_seconds: str = "0"
    error: dict[str, str] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.status in ENDINGS


class Journal:
    """Records on disk. Several processes may share one: every write is a whole file, renamed or linked into place."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def begin(self, record: Record) -> bool:
        """Write the first record of a job. False when the id is taken, by this process or another."""
        scratch = self._written(record)
        try:
            os.link(scratch, self._path(record.id))
        except FileExistsError:
            return False
        finally:
            scratch.unlink(missing_ok=True)
        return True

    def replace(self, record: Record) -> None:
        """Write a later state of a job."""
        self._written(record).replace(self._path(record.id))

    def read(self, job_id: str) -> Record | None:
        if not JOB_ID.fullmatch(job_id):
            return None
        try:
            held = json.loads(self._path(job_id).read_bytes())
            return Record(**{**held, "order": Order(**held["order"])})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None  # not there, or written by a version that knew other fields

    def unfinished(self) -> list[Record]:
        """Every job that has not ended, oldest first."""
        paths = sorted(self._directory.glob("job_*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        records = (self.read(path.stem) for path in paths)
        return [record for record in records if record is not None and not record.has_ended]

    def _path(self, job_id: str) -> Path:
        return self._directory / f"{job_id}.json"

    def _written(self, record: Record) -> Path:
        """The record in a file of its own, on disk before anything points to it."""
        held = {name: getattr(record, name) for name in Record.__slots__}
        held["order"] = record.order.as_json()
        handle, name = tempfile.mkstemp(prefix=".writing-", dir=self._directory)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(held, file)
            file.flush()
            os.fsync(file.fileno())
        return Path(name)
