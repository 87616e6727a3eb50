"""What every peer's program shares: its argument, its answer, and how it is measured. Standard library only."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Call = Callable[[], Awaitable[Any]]


def argument() -> dict[str, Any]:
    """What the program was asked to do."""
    return json.loads(sys.argv[1])


def memory_mb(name: str = "VmHWM") -> float:
    """Of this process: `VmHWM` is the peak, `VmRSS` is now. (The peak of `getrusage` counts the parent's, too.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def forget_peak() -> None:
    """Let the peak start from what is used now."""
    Path("/proc/self/clear_refs").write_text("5")


async def cpu_us_per_call(call: Call, *, calls: int, at_once: int) -> dict[str, float]:
    """CPU and wall time of one call, when `at_once` loops make them."""

    async def loop(count: int) -> None:
        for _ in range(count):
            await call()

    await asyncio.gather(*(loop(max(2, 64 // at_once)) for _ in range(at_once)))
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await asyncio.gather(*(loop(calls // at_once) for _ in range(at_once)))
    made = calls // at_once * at_once
    return {
        "cpu_us": (time.process_time() - cpu_s) / made * 1e6,
        "wall_us": (time.perf_counter() - wall_s) / made * 1e6,
    }


async def all_at_once(job: Callable[[int], Awaitable[int]], jobs: int) -> dict[str, Any]:
    """Run all jobs together. `job` returns its number at the server; written down is when its caller had the result."""
    ended: dict[int, float] = {}
    errors: Counter[str] = Counter()

    async def one(index: int) -> None:
        try:
            number = await job(index)
            ended[number] = time.monotonic()
        except Exception as error:
            errors[type(error).__name__] += 1

    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one(index) for index in range(jobs)))
    return {
        "ended": ended,
        "errors": dict(errors),
        "cpu_ms": (time.process_time() - cpu_s) / jobs * 1e3,
        "wall_s": time.perf_counter() - wall_s,
    }


async def one_download(call: Call, size_bytes: int) -> dict[str, float]:
    """Speed, CPU and how much memory grows for one file."""
    before_mb = memory_mb("VmRSS")
    forget_peak()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await call()
    wall_s = time.perf_counter() - wall_s
    return {
        "mb_s": size_bytes / 1e6 / wall_s,
        "cpu_ms": (time.process_time() - cpu_s) * 1e3,
        "growth_mb": memory_mb() - before_mb,
    }


def report(answer: object) -> None:
    """Hand the figures to who started this program."""
    print(json.dumps(answer), flush=True)
