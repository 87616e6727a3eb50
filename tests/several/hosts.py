"""Hosts with a directory each, and the provider, the database and the bucket that they share; all in this process."""

import shutil
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import Any

from aggregator import Aggregator
from aggregator.testing.memory import Fate, MemoryTransport, registry
from tests import s3
from tests.faults.shop import FastClock

__all__ = ["Hosts"]


class Hosts:
    """The provider, the database and the bucket that they share."""

    def __init__(self, directory: Path, bucket: str, *, shared: bool) -> None:
        self.clock = FastClock(time.time())
        self.transport = MemoryTransport(self.clock, latency_s=0.0, destiny=lambda: Fate(service_s=0.0))
        self.bucket = bucket
        self.directory = directory
        self.shared = shared
        usd = {"memory:cheap": "0.04", "memory:grand": "0.50"}
        self._market = registry(directory / "registry", usd, tiers={"memory:grand": "hero"})
        self._lives = 0

    def on(self, host: str, **changes: Any) -> AbstractAsyncContextManager[Any]:
        """A client there. With SQLite there is one machine, which has lost its files, and not its database."""
        directory = self.directory / (host if self.shared else "host")
        if not self.shared:
            shutil.rmtree(directory / "artifacts", ignore_errors=True)
        self._lives += 1
        settings = {
            "directory": str(directory),
            "allow_ephemeral": True,
            "providers": {"memory": {"table": "aggregator.testing.memory:PROVIDER"}},
            "routing": {"allow": ["memory"]},
            "registry": {"paths": [str(self._market)]},
            "artifacts": {"url": f"s3://{self.bucket}/films", "endpoint": s3.endpoint(), "region": s3.REGION},
            **({"store": {"url_env": "STORE_URL"}} if self.shared else {}),
        }
        return Aggregator({**settings, **changes}, clock=self.clock, rng=Random(self._lives), transport=self.transport)
