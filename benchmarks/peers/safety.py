"""What the journal and the ledger cost a job: their transactions on a real disk, and all of the library without them.

    python safety.py JOBS DIRECTORY

Jobs run one after the other in virtual time (nothing is waited for but the disk); the provider answers from memory.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from measuring import report

from aggregator import Aggregator
from aggregator.store.database import Store
from aggregator.testing.clock import VirtualClock, run_virtual
from aggregator.testing.memory import Fate, MemoryTransport, registry

spent: list[tuple[float, bool]] = []
"""Seconds in the store: of each transaction, and whether it wrote."""
now = Store.now


def timed(self: Store, work: Callable[..., Any], *, write: bool = True) -> Any:
    began = time.perf_counter()
    try:
        return now(self, work, write=write)
    finally:
        spent.append((time.perf_counter() - began, write))


def main() -> None:
    jobs, directory = int(sys.argv[1]), Path(sys.argv[2])
    Store.now = timed  # type: ignore[method-assign]
    clock = VirtualClock()
    config = {
        "directory": str(directory / "store"),
        "providers": {"memory": {"table": "aggregator.testing.memory:PROVIDER"}},
        "routing": {"allow": ["memory"]},
        "registry": {"paths": [str(registry(directory / "registry", {"memory:cheap": "0.04"}))]},
    }
    transport = MemoryTransport(clock, destiny=lambda: Fate(service_s=1.0))
    taken: list[tuple[float, float, int, int]] = []

    async def life() -> None:
        async with (
            Aggregator(config, clock=clock, rng=Random(1), transport=transport, inline_store=True) as agg,
            agg.project("film", budget_usd="1000") as p,
        ):
            for n in range(jobs + 5):
                spent.clear()
                began = time.perf_counter()
                await p.text_to_image(f"shot {n}", key=f"k{n}")
                whole = time.perf_counter() - began
                writes = [seconds for seconds, write in spent if write]
                if n >= 5:  # the first ones compile the statements
                    taken.append((sum(writes), whole - sum(seconds for seconds, _ in spent), len(writes), len(spent)))

    run_virtual(life)
    store, rest = ([job[index] * 1e3 for job in taken] for index in (0, 1))
    report(
        {
            "jobs": jobs,
            "transactions a job": statistics.median(job[2] for job in taken),
            "reads a job": statistics.median(job[3] - job[2] for job in taken),
            "transactions, ms": statistics.median(store),
            "transactions, p99 ms": statistics.quantiles(store, n=100)[98],
            "all else, ms": statistics.median(rest),
            "all else, p99 ms": statistics.quantiles(rest, n=100)[98],
        }
    )


if __name__ == "__main__":
    main()
