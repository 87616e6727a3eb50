"""Three hundred pictures overnight: killed in the middle with kill -9, run again, and nothing is paid twice.

    python examples/overnight_batch.py          # plays the night: starts the batch, kills it, starts it again
    aggregator run examples/overnight_batch.py:overnight --local

The second line is the batch alone: what a cron job would start, again and again, until it ends with 0.
"""

import json
import subprocess
import sys
from collections.abc import Sequence

from aggregator.workflow import Steps, workflow

PLACES = ("harbour", "orchard", "station", "market", "lighthouse", "quarry", "greenhouse", "pier", "chapel", "mill")
HOURS = ("at dawn", "at noon", "in fog", "in rain", "at dusk", "at night")
AGGREGATOR = (sys.executable, "-m", "aggregator.cli")
OWN = ("--project", "overnight")


@workflow
async def overnight(w: Steps, count: int = 300, size: str = "96x64") -> None:
    for n in range(count):
        place, hour = PLACES[n % len(PLACES)], HOURS[n // len(PLACES) % len(HOURS)]
        await w.text_to_image(f"a {place} {hour}, sheet {n // 60 + 1}", size=size, name=f"picture-{n + 1}")


def batch(count: int, *, kill_after: int | None = None) -> dict[str, object] | None:
    """Run it, listening to what it says; killed after so many pictures, it says no last word."""
    words = ("run", f"{__file__}:overnight", "--local", "--json", "--set", f"count={count}", *OWN)
    done = 0
    with subprocess.Popen([*AGGREGATOR, *words], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            done += said.get("kind") == "step" and said["state"] in ("done", "reused")
            if done == kill_after:
                process.kill()
                return None
    return said


def asked(*words: str) -> list[dict[str, object]]:
    return json.loads(subprocess.check_output([*AGGREGATOR, *words, "--json", *OWN]))  # noqa: S603


def main(arguments: Sequence[str]) -> None:
    count = int(arguments[0]) if arguments else 300
    batch(count, kill_after=count // 3)
    print(f"killed after {count // 3} of {count} pictures; {len(asked('jobs'))} jobs are in the books")
    end = batch(count)
    assert end is not None
    [run] = asked("runs")
    print(f"run again: {end['state']}, {run['done']} of {count} pictures by {len(asked('jobs'))} jobs")
    print(f"paid in all ${run['spent_usd']}, of which the second night {end['cost_usd']}")


if __name__ == "__main__":
    main(sys.argv[1:])
