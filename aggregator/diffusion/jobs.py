"""The life of a job: queued, made by the one worker, ended once, and taken up again after a crash.

Owns: the queue and its bound, the worker thread, cancelling, repeated keys, and when what is over goes.
Refuses: to know HTTP, and to run two pipelines at once: they are not made for it.
"""

import contextlib
import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

from aggregator.clock import Clock
from aggregator.diffusion.order import Order
from aggregator.diffusion.pipelines import Made, Tick
from aggregator.diffusion.refusals import AbandonedError, CanceledError, RefusalError
from aggregator.diffusion.store import Record, Store
from aggregator.errors import ConfigurationError

MAX_STARTS: Final = 2
"""A job in whose making the server has died so often is not tried again: it may be why."""
SWEEP_S: Final = 60.0
LOADING_S: Final = 5
USUAL_S: Final = 30.0
"""What a job is taken to last before one has."""
MAX_RETRY_AFTER_S: Final = 600
MAX_MESSAGE_CHARACTERS: Final = 1000
PATH: Final = re.compile(r"(?<![\w:/.])~?/(?:[\w.@+~-]+/)*[\w.@+~-]+")


class Maker(Protocol):
    """What makes the files; `Pipelines` is the one there is."""

    @property
    def tasks(self) -> tuple[str, ...]: ...
    @property
    def adapters(self) -> tuple[str, ...]: ...
    def complete(self, order: Order, directory: Path) -> Order: ...
    def make(self, order: Order, directory: Path, tick: Tick) -> Made: ...


@dataclass(slots=True)
class _Live:
    """A job that has not ended."""

    record: Record
    canceled: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """All jobs of one server. Its methods touch the disk, so call them from a thread."""

    def __init__(self, store: Store, *, clock: Clock, queue: int, ttl_s: float) -> None:
        self._store, self._clock, self._bound, self._ttl_s = store, clock, queue, ttl_s
        self._changed = threading.Condition()
        self._records = {record.id: record for record in store.records()}
        self._live: dict[str, _Live] = {}
        self._queue: deque[str] = deque()
        self._waiting: dict[str, list[Callable[[], object]]] = {}
        self._closing = False
        self._maker: Maker | None = None
        self._lasts_s = USUAL_S
        self._thread: threading.Thread | None = None
        self.trouble = "the pipeline is being loaded"
        """Why nothing can be made now; empty: it can."""
        self.has_failed = False
        """Whether that is for good: `trouble` says why."""
        with self._changed:
            self._take_up()

    # ------------------------------------------------------------------------------------------------- from outside

    def start(self, load: Callable[[], Maker], failed: Callable[[], None] = lambda: None) -> None:
        """Load in the worker, and then work; `failed` is called where that cannot be."""
        self._thread = threading.Thread(target=self._run, args=(load, failed), name="diffusion", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop between two steps. What is unfinished is taken up by the next server."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None and self._maker is not None:  # loading is not waited for: nothing is at work
            self._thread.join()
        self._store.close()

    @property
    def maker(self) -> Maker:
        """What makes the files.

        Raises:
            RefusalError: It is not there yet.

        """
        if self._maker is None:
            raise RefusalError(503, "not_ready", self.trouble, retry_after_s=LOADING_S)
        return self._maker

    def known(self, kind: str, key: str, fingerprint: str) -> Record | None:
        """The job that a key has already ordered. Refused when it was ordered with other words."""
        with self._changed:
            record = self._current(_id(kind, key))
            if record is not None and record.fingerprint != fingerprint:
                message = "this Idempotency-Key has already been used for another order"
                raise RefusalError(422, "idempotency_key_reused", message)
            return replace(record) if record is not None else None

    def submit(self, order: Order, scratch: Path, *, fingerprint: str, key: str | None) -> Record:
        """Queue an order, with the inputs in `scratch`: it is on disk when this returns. A key makes one job only."""
        order = self.maker.complete(order, scratch)
        record = Record(
            id=_id(order.kind, key or uuid4().hex),
            order=order,
            created_at=self._clock.time(),
            fingerprint=fingerprint,
            keyed=key is not None,
        )
        with self._changed:
            known = self.known(order.kind, key, fingerprint) if key else None
            if known is not None:
                return known
            if self._closing:
                raise RefusalError(503, "closing", "the server is being stopped", retry_after_s=LOADING_S)
            if len(self._queue) >= self._bound:
                raise RefusalError(
                    429,
                    "queue_full",
                    f"{self._bound} jobs are waiting already, which is all that may",
                    retry_after_s=min(MAX_RETRY_AFTER_S, max(1, round(self._lasts_s))),
                )
            self._sweep()  # a key may have ordered this before, too long ago to be known
            self._store.begin(record, scratch)
            self._records[record.id] = record
            self._enqueue(record)
            return replace(record)

    def find(self, job_id: str) -> Record:
        """A job as it stands now."""
        with self._changed:
            record = self._current(job_id)
            if record is None:
                raise RefusalError(
                    404, "not_found", "no such job here: it was never ordered, was deleted, or is too old"
                )
            return replace(record)

    def position(self, job_id: str) -> int | None:
        """How many jobs are before a queued one."""
        with self._changed, contextlib.suppress(ValueError):
            return self._queue.index(job_id) + (len(self._live) - len(self._queue))
        return None

    def all(self) -> list[Record]:
        """Every job, the oldest first."""
        with self._changed:
            return [replace(record) for record in self._records.values() if not self._is_over(record)]

    def cancel(self, job_id: str) -> Record:
        """End a job now, in the queue or after the step that is being made. Refused when it has ended already."""
        with self._changed:
            record = self.find(job_id)
            live = self._live.get(job_id)
            if live is None:
                if record.status == "canceled":
                    return record
                raise RefusalError(409, "already_finished", f"the job has already ended: {record.status}")
            live.canceled.set()
            self._end(live, status="canceled")
            return self.find(job_id)

    def delete(self, job_id: str) -> None:
        """Cancel a job that has not ended; forget one that has, with its files."""
        with self._changed:
            record = self.find(job_id)
            if not record.has_ended:
                self.cancel(job_id)
            elif record.status != "canceled":  # such a one stays: its word is what the caller looks for
                self._forget(job_id)

    def directory(self, job_id: str) -> Path:
        return self._store.directory(job_id)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        with self._store.scratch() as made:
            yield made

    def when_ended(self, job_id: str, call: Callable[[], object]) -> None:
        """Call once the job has ended, from whichever thread ends it; at once if it has."""
        with self._changed:
            if job_id in self._live:
                self._waiting.setdefault(job_id, []).append(call)
                return
        call()

    # ---------------------------------------------------------------------------------------------------- the worker

    def _run(self, load: Callable[[], Maker], failed: Callable[[], None]) -> None:
        try:
            maker = load()
            with self._changed:
                self._maker, self.trouble = maker, ""
            while (live := self._next()) is not None:
                self._work(maker, live)
        except BaseException as error:
            self.trouble = str(error) if isinstance(error, ConfigurationError) else f"the worker died: {error!r}"
            self.has_failed = True
            failed()
            if not isinstance(error, ConfigurationError):
                raise  # a defect: its traceback belongs into the log

    def _next(self) -> _Live | None:
        """Wait for the next job; what is too old goes meanwhile. `None`: the server stops."""
        while True:
            with self._changed:
                if self._closing:
                    return None
                self._sweep()
                if self._queue:
                    live = self._live[self._queue.popleft()]
                    live.record.starts += 1
                    live.record.status = "in_progress"
                    try:
                        self._store.replace(live.record)
                    except OSError:  # the disk is full: what is made could not be kept either
                        error = {"code": "disk", "message": "the server cannot write to its disk"}
                        self._end(live, status="failed", error=error)
                        continue
                    return live
                self._changed.wait(SWEEP_S)

    def _work(self, maker: Maker, live: _Live) -> None:
        began_s = self._clock.monotonic()
        steps = live.record.order.parameters.get("num_inference_steps")

        def tick(done: int, total: int | None) -> None:
            if live.canceled.is_set():
                raise CanceledError
            if self._closing:
                raise AbandonedError
            if done:
                live.record.steps = done, max(done, total or steps or 0)

        try:
            made = maker.make(live.record.order, self._store.directory(live.record.id), tick)
        except CanceledError:
            with self._changed:  # what was half made went with the ending, or goes now
                self._drop(live.record)
        except AbandonedError:
            with self._changed:
                live.record.starts -= 1
                self._store.replace(replace(live.record, status="queued", steps=None))
        except Exception as failure:  # noqa: BLE001 - a worker ends its job whatever happens
            self._finish(live, status="failed", error=said_of(failure))
        else:
            self._lasts_s = self._clock.monotonic() - began_s
            took_s = round(self._lasts_s, 3)
            self._finish(live, status="completed", outputs=made.outputs, made=made.facts, inference_time_s=took_s)

    def _finish(self, live: _Live, **ending: object) -> None:
        with self._changed:
            if live.canceled.is_set():
                self._drop(live.record)  # it was canceled while its last step was being made
            else:
                self._end(live, **ending)

    # ------------------------------------------------------------------------------------------- under the lock only

    def _take_up(self) -> None:
        """What an earlier server left: it is made again, alike, unless nobody can ask for it or it may have killed."""
        for record in list(self._records.values()):
            if record.has_ended:
                continue
            if record.order.kind != "video" and not record.keyed:
                self._forget(record.id)
                continue
            record.status, record.steps = "queued", None
            live = self._enqueue(record)
            if record.starts >= MAX_STARTS:
                self._queue.remove(record.id)
                message = f"the server died {record.starts} times while it made this; it is not tried again"
                self._end(live, status="failed", error={"code": "server_died", "message": message})

    def _enqueue(self, record: Record) -> _Live:
        live = self._live[record.id] = _Live(record)
        self._queue.append(record.id)
        self._changed.notify_all()
        return live

    def _end(self, live: _Live, **ending: object) -> None:
        """Write an ending; the first one stands, because it takes the job off the living."""
        for name, value in (*ending.items(), ("ended_at", int(self._clock.time()))):
            setattr(live.record, name, value)
        with contextlib.suppress(ValueError):
            self._queue.remove(live.record.id)
        del self._live[live.record.id]
        try:
            self._store.replace(live.record)
            if live.record.status != "completed":
                self._drop(live.record)
        except OSError:  # the disk is full: the next server finds it unfinished and takes it up again
            live.record.status, live.record.error = "failed", {"code": "disk", "message": "its ending was not written"}
        for call in self._waiting.pop(live.record.id, []):
            call()

    def _drop(self, record: Record) -> None:
        with contextlib.suppress(OSError):
            self._store.drop_files(record)

    def _current(self, job_id: str) -> Record | None:
        record = self._records.get(job_id)
        return None if record is None or self._is_over(record) else record

    def _is_over(self, record: Record) -> bool:
        return record.ended_at is not None and record.ended_at + self._ttl_s <= self._clock.time()

    def _forget(self, job_id: str) -> None:
        del self._records[job_id]
        self._store.remove(job_id)

    def _sweep(self) -> None:
        for record in [one for one in self._records.values() if self._is_over(one)]:
            self._forget(record.id)


def said_of(failure: BaseException) -> dict[str, str]:
    """What a pipeline died of, in its own words, without the paths of this machine."""
    said = PATH.sub("<path>", str(failure)).strip()[:MAX_MESSAGE_CHARACTERS]
    if type(failure).__name__ == "OutOfMemoryError":
        said = f"out of memory: a smaller size, fewer frames, or the server with --offload. {said}"
        return {"code": "out_of_memory", "message": said}
    code = "invalid_value" if isinstance(failure, RefusalError | ValueError | TypeError) else "generation_failed"
    return {"code": code, "message": said or type(failure).__name__}


def _id(kind: str, key: str) -> str:
    return f"{kind}_{hashlib.sha256(key.encode()).hexdigest()[:32]}"
