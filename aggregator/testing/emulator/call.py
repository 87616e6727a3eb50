"""One request, as the handler of a service sees it, and what the handler may do about it."""

import base64
import json
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote_to_bytes

from aggregator.testing.emulator.answers import RefusedError
from aggregator.testing.emulator.forms import FormPart, read_form
from aggregator.testing.emulator.jobs import Job, Order

if TYPE_CHECKING:
    from aggregator.testing.emulator.desk import Desk, World

__all__ = ["Call"]


@dataclass(slots=True, eq=False)
class Call:
    """One request. Header names are in lower case."""

    method: str
    url: str
    """The path below the provider's prefix, as it was sent."""
    path: dict[str, str]
    """What the placeholders of the route stand for."""
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    desk: "Desk"
    job_taken: Job | None = None
    aftermath: str = ""
    """What goes wrong with the answer although the job was taken."""

    @property
    def base(self) -> str:
        """The address of this service."""
        return self.desk.base

    @property
    def world(self) -> "World":
        """What this service remembers; a dictionary of its own in each emulator."""
        return self.desk.world

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.desk.clock.time()

    @property
    def rng(self) -> Random:
        return self.desk.rng

    # ------------------------------------------------------------------------------------------------- reading it

    def json(self, *required: str) -> dict[str, Any]:
        """The body. One that is no JSON object, or lacks a key, is refused as the vendor refuses it."""
        try:
            body = json.loads(self.raw)
        except ValueError:
            self.refuse("invalid", "the body is not JSON")
        if not isinstance(body, dict):
            self.refuse("invalid", "the body is not an object")
        for name in required:
            if body.get(name) is None:
                self.refuse("invalid", f"{name} is required")
        return body

    def form(self, *required: str) -> dict[str, list[FormPart]]:
        """The parts of a form, by name. One that is missing is refused as the vendor refuses it."""
        parts = read_form(self.headers.get("content-type", ""), self.raw)
        for name in required:
            if name not in parts:
                self.refuse("invalid", f"{name} is required")
        return parts

    def refuse(self, fault: str, detail: str = "") -> NoReturn:
        """End with one of the service's faults."""
        raise RefusedError(self.desk.fault(fault, detail))

    # ----------------------------------------------------------------------------------------------- doing something

    def take(self, order: Order, **extra: Any) -> Job:
        """Take the order: it is booked, unless the test wants it otherwise. `extra` is kept with the job.

        An address in `extra["hook"]` is called back when the job has ended, as `Service.hook` says.
        """
        return self.desk.take(self, order, extra)

    def job(self, job_id: str) -> Job | None:
        """The job of this id, if it is known at this moment."""
        job = self.desk.jobs.get(job_id)
        return job if job is not None and job.is_known else None

    def cancel(self, job: Job) -> bool:
        """Stop a job; `False`: it was over already."""
        return job.cancel()

    def store(self, content: bytes, mime: str) -> str:
        """Keep an uploaded file; returns its address."""
        return self.desk.files.put(content, mime)

    def file(self, name: str) -> bytes | None:
        """The bytes of a kept file (by its address or the last part of it) or of a data URI; `None` for any other."""
        if name.startswith("data:"):
            head, _, text = name.partition(",")
            return base64.b64decode(text) if head.endswith(";base64") else unquote_to_bytes(text)
        kept = self.desk.files.get(name.rpartition("/")[2])
        return None if kept is None else kept.content()
