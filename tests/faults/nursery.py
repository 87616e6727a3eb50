"""A process that has loaded everything and forks children on demand: real processes to be killed, quickly made.

Run by its path with the root of the project as argument. One JSON list of children a line in, one list of ends a line
out. A child is `{"program", "directory", "point", "kill_after_s", "settings"}`; its end is what it printed, or `null`
if it was killed.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])

from aggregator import Aggregator, polling, probing
from aggregator.errors import AggregatorError
from aggregator.runner import runner

POINTS: dict[str, tuple[str, str, bool]] = {
    "before the intent": ("aggregator.runner.runner:Runner", "_purchase", False),
    "within the intent's transaction": ("aggregator.ledger", "reserve", True),
    "before the send": ("aggregator.engine:Engine", "submit", False),
    "after the send": ("aggregator.engine:Engine", "submit", True),
    "after the acceptance": ("aggregator.runner.runner", "watch", False),
    "before the settlement": ("aggregator.ledger", "settle", False),
    "within the settlement's transaction": ("aggregator.ledger", "settle", True),
    "after the settlement": ("aggregator.runner.runner", "fetch", False),
    "within the download": ("aggregator.store.files:FileStore", "_copy", True),
    "before the file has its name": ("aggregator.store.files", "_publish", False),
    "after the file has its name": ("aggregator.store.files", "_publish", True),
    "within the last transaction": ("aggregator.store.journal", "add_output", True),
    "after the result is stored": ("aggregator.runner.runner", "result", False),
}
"""Where to die: a function, and whether before or after it."""


def plant(point: str, countdown: int) -> None:
    """Have this process killed at a point, the `countdown`-th time it comes by."""
    where, name, after = POINTS[point]
    module, _, attribute = where.partition(":")
    owner: Any = __import__(module, fromlist=["x"])
    owner = getattr(owner, attribute) if attribute else owner
    true: Callable[..., Any] = getattr(owner, name)
    left = iter(range(countdown - 1, -1, -1))

    def pass_by() -> None:
        if next(left, None) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def plain(*args: Any, **kwargs: Any) -> Any:
        if not after:
            pass_by()
        result = true(*args, **kwargs)
        if after:
            pass_by()
        return result

    async def waiting(*args: Any, **kwargs: Any) -> Any:
        if not after:
            pass_by()
        result = await true(*args, **kwargs)
        if after:
            pass_by()
        return result

    setattr(owner, name, waiting if asyncio.iscoroutinefunction(true) else plain)


async def local(given: dict[str, Any]) -> Any:
    """Three steps, the second from what the first one made."""
    async with (
        Aggregator.local(given["directory"], allow_ephemeral=True) as agg,
        agg.project("film", budget_usd="5") as p,
    ):
        if given.get("resume"):
            return {job: str(end) for job, end in (await agg.resume()).items()}
        still = await p.text_to_image("a lighthouse", size="64x64", key="still")
        night = await p.image_to_image(still, "at night", size="64x64", key="night")
        sound = await p.text_to_sound("waves", duration_s=0.5, key="sound")
        return [result.artifact.sha256 for result in (still, night, sound)]


async def fal(given: dict[str, Any]) -> Any:
    """Two steps at a provider without keys."""
    config = {
        "directory": given["directory"],
        "allow_ephemeral": True,
        "providers": {"fal": {"base_url": given["url"]}},
    }
    config["routing"] = {"allow": ["fal"]}
    ends = []
    async with Aggregator(config) as agg, agg.project("film", budget_usd="5") as p:
        for key in ("one", "two"):
            try:
                options = {"model": "flux-1-schnell", "max_usd": "0.01"}
                result = await p.text_to_image(f"a fox, {key}", key=key, **options)
                ends.append(result.artifact.sha256)
            except AggregatorError as error:
                ends.append([type(error).__name__, getattr(error, "accepted", "-"), str(error)])
    return ends


def child(given: dict[str, Any], pipe: int) -> None:
    """Live in the forked process, to the end or to the point."""
    if given.get("point"):
        plant(given["point"], given.get("countdown", 1))
    program = {"local": local, "fal": fal}[given["program"]]
    try:
        said = asyncio.run(program(given))
    except BaseException as error:  # noqa: BLE001
        said = {"error": f"{type(error).__name__}: {error}"}
    os.write(pipe, json.dumps(said).encode())
    os._exit(0)


def bear(given: dict[str, Any]) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(given, writer)
    os.close(writer)
    if (after_s := given.get("kill_after_s")) is not None:
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
    return pid, reader


def main() -> None:
    """Serve until the other end is closed."""
    for module in (
        "aggregator.local.app",
        "aggregator.opening",
        "aggregator.providers.fal",
        "httpx",
        "PIL.Image",
        "av",
    ):
        __import__(module)
    probing.find_spec = lambda _name: None  # type: ignore[assignment]  # no children of children
    polling.MIN_INTERVAL_S, runner.WATCH_INTERVAL_S = 0.01, 0.05
    for line in sys.stdin:
        ends = []
        for pid, reader in [bear(given) for given in json.loads(line)]:
            with os.fdopen(reader, "rb") as pipe:
                said = pipe.read()
            _, status = os.waitpid(pid, 0)
            ends.append(None if os.WIFSIGNALED(status) else json.loads(said))
        print(json.dumps(ends), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
