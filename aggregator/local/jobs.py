"""The life of a job: accepted, rendered by one of a few workers, ended once, and taken up again after a crash.

Owns: the workers, the states in memory, cancelling, and repeated submits with the same key.
Refuses: to know HTTP, and to keep ended jobs in memory; the journal has them.

Two processes on one directory may both render a job that neither has ended. The result is the same file either way,
and the first ending written stands.
"""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import uuid4

from aggregator.local.files import FileStore
from aggregator.local.journal import Journal, Record
from aggregator.local.orders import Order
from aggregator.local.refusals import AbandonedError, CanceledError, RefusalError, RenderError
from aggregator.local.render import render

CLOSED: Final = "the local backend is closed"


@dataclass(slots=True)
class _Live:
    """A job that has not ended, in this process."""

    record: Record
    canceled: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """All jobs of one directory. Its methods touch the disk, so call them from a thread."""

    def __init__(self, journal: Journal, files: FileStore, workers: int) -> None:
        self._journal = journal
        self._files = files
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="aggregator-local")
        self._lock = threading.Lock()
        self._live: dict[str, _Live] = {}
        self._closing = threading.Event()
        self._has_resumed = False

    def resume(self) -> None:
        """Take up what an earlier process left unfinished; only the first call does anything."""
        with self._lock:
            if self._has_resumed:
                return
            for record in self._journal.unfinished():
                self._start(record)
            self._has_resumed = True

    def submit(self, order: Order, fingerprint: str, key: str | None) -> Record:
        """Accept an order: it is in the journal when this returns. The same key and body give the same job."""
        job_id = f"job_{hashlib.sha256(key.encode()).hexdigest()[:32] if key else uuid4().hex}"
        record = Record(id=job_id, order=order, fingerprint=fingerprint)
        with self._lock:
            if self._closing.is_set():
                raise RefusalError(503, "unavailable", CLOSED)
            if self._journal.begin(record):
                self._start(record)
                return record
        return self.find(job_id)

    def known(self, key: str, fingerprint: str) -> Record | None:
        """The job a key has already started, if any. Refused when it was started with another body."""
        record = self._journal.read(f"job_{hashlib.sha256(key.encode()).hexdigest()[:32]}")
        if record is None:
            return None
        if record.fingerprint != fingerprint:
            message = "this Idempotency-Key has already been used with another body"
            raise RefusalError(422, "idempotency_key_reused", message)
        return self.find(record.id)

    def find(self, job_id: str) -> Record:
        """A job as it stands now. An unfinished one that nobody here works on is taken up."""
        with self._lock:
            live = self._live.get(job_id)
            if live is not None:
                return replace(live.record)
            record = self._journal.read(job_id)
            if record is None:
                raise RefusalError(404, "not_found", "no such job")
            if not record.has_ended and not self._closing.is_set():
                self._start(record)
            return replace(record)

    def cancel(self, job_id: str) -> Record:
        """End a job now; the frame being drawn is its last. Refused when it has ended already."""
        record = self.find(job_id)
        live = self._live.get(job_id)
        if not record.has_ended and live is not None:
            live.canceled.set()
            ended = self._end(replace(record, status="canceled"))
            if ended.status == "canceled":
                return ended
        raise RefusalError(409, "already_finished", "the job has already ended")

    def close(self) -> None:
        """Stop between two frames. What is unfinished stays in the journal for the next process."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, record: Record) -> None:
        live = _Live(record)
        self._live[record.id] = live
        self._pool.submit(self._work, live)

    def _work(self, live: _Live) -> None:
        order = live.record.order

        def tick(share: float) -> None:
            if live.canceled.is_set():
                raise CanceledError
            # A process that leaves without `aclose` must not wait for films nobody will see.
            if self._closing.is_set() or not threading.main_thread().is_alive():
                raise AbandonedError
            live.record.status, live.record.progress = "running", round(share, 4)

        try:
            result = render(order, self._files, tick)
        except (CanceledError, AbandonedError):
            return
        except RenderError as failure:
            self._end(replace(live.record, status="failed", error={"code": "render_failed", "message": str(failure)}))
        except Exception as defect:  # noqa: BLE001 - a worker must end its job whatever happens
            error = {"code": "internal_error", "message": f"a defect in the renderer: {type(defect).__name__}"}
            self._end(replace(live.record, status="failed", error=error))
        else:
            file = result.output.file
            output = {"name": file.name, "mime_type": file.mime_type, "bytes": file.size_bytes, "sha256": file.sha256}
            self._end(
                replace(
                    live.record,
                    status="succeeded",
                    progress=1.0,
                    outputs=[{**output, **result.output.facts}],
                    compute_seconds=str(result.compute_seconds),
                    notes=list(result.notes),
                ),
            )

    def _end(self, ended: Record) -> Record:
        """Write an ending. The first one stands, whoever wrote it."""
        with self._lock:
            try:
                before = self._journal.read(ended.id)
                if before is not None and before.has_ended:
                    return before
                self._journal.replace(ended)
                return ended
            finally:  # if the disk is full, the next one to ask finds the job unfinished and takes it up again
                self._live.pop(ended.id, None)
