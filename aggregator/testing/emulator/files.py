"""The files an emulator serves: what jobs made, and what was uploaded. Their addresses need no key."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from aggregator.testing.emulator.jobs import Job
from aggregator.testing.emulator.media import extension

__all__ = ["Files", "Kept"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One file; its bytes are made when they are asked for."""

    content: Callable[[], bytes]
    mime: str
    job: Job | None = None
    expired: int = 404
    is_gone: bool = False

    @property
    def status(self) -> int:
        """What its address answers with."""
        return self.expired if self.is_gone or (self.job is not None and self.job.expired) else 200


class Files:
    """Files by name, below one address."""

    def __init__(self, address: Callable[[], str], rng: Random) -> None:
        self._address = address
        self._rng = rng
        self._kept: dict[str, Kept] = {}

    def put(self, content: bytes, mime: str) -> str:
        """Keep bytes; returns their address."""
        return self._keep(Kept(lambda: content, mime))

    def put_job(self, job: Job, expired: int) -> list[str]:
        """Give each file of a job its address."""
        return [
            self._keep(Kept(lambda index=index: job.content(index), job.mime, job, expired))  # type: ignore[misc]
            for index in range(job.order.count)
        ]

    def get(self, name: str) -> Kept | None:
        return self._kept.get(name)

    def fetch(self, name: str) -> Kept | None:
        """The file as its address gives it now; where the first one is to expire, the job has others from then on."""
        kept = self._kept.get(name)
        if kept is not None and kept.job is not None and kept.job.oddity == "expired_once":
            kept.job.oddity = ""
            for address in kept.job.urls:
                old = address.rpartition("/")[2]
                self._kept[old] = replace(self._kept[old], is_gone=True)
            kept.job.urls[:] = self.put_job(kept.job, kept.expired)
        return self._kept.get(name)

    def _keep(self, kept: Kept) -> str:
        name = f"{self._rng.getrandbits(64):016x}.{extension(kept.mime)}"
        self._kept[name] = kept
        return f"{self._address()}/files/{name}"
