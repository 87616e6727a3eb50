"""What needs no wire: importing, the cost of safety, and the simulation of when to look."""

import statistics
import subprocess
import tempfile
from collections import defaultdict

import environments
from tables import Table

IMPORTS = (
    ("httpx and pydantic", "httpx", "import httpx, pydantic"),
    ("aggregator", "aggregator", "from aggregator import Aggregator"),
    ("asyncio, httpx and pydantic", "httpx", "import asyncio, httpx, pydantic"),
    ("fal-client", "fal", "import fal_client"),
    ("openai", "openai", "import openai"),
)
TIMED = """
import time
cpu_s, wall_s = time.process_time(), time.perf_counter()
{what}
wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(wall_s * 1e3, cpu_s * 1e3, int(peak) / 1024)
"""


def imports(*, quick: bool) -> list[Table]:
    """Fresh processes, one after the other, so that each round sees the same machine."""
    runs: dict[str, list[list[float]]] = defaultdict(list)
    for turn in range((9 if quick else 25) + 1):
        for name, peer, what in IMPORTS:
            command = [str(environments.python(peer)), "-c", TIMED.format(what=what)]
            environ = environments.environ(peer)
            said = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
            if turn:  # the first one writes the byte code
                runs[name].append([float(word) for word in said.stdout.split()])
    table = Table("Import, in a fresh process", ("", "wall ms", "CPU ms", "peak memory MB"))
    found = {name: [statistics.median(run[index] for run in of) for index in range(3)] for name, of in runs.items()}
    table.rows = [[name, *figures] for name, figures in found.items()]
    floor, ours = found[IMPORTS[0][0]], found[IMPORTS[1][0]]
    table.judge("aggregator over httpx and pydantic, CPU", ours[1] / floor[1], 1.0)
    table.judge("aggregator over httpx and pydantic, wall", ours[0] / floor[0], 1.0)
    table.notes = ["httpx leaves asyncio, and ours asyncio and pydantic's models, to the first request."]
    table.judge("peak memory of aggregator, MB", ours[2], 45.0)
    return [table]


def safety(*, quick: bool) -> list[Table]:
    """The durable transactions of a job, on this disk with full sync, beside everything else the library does."""
    with tempfile.TemporaryDirectory(dir=environments.PLACE) as home:  # a real disk: /tmp may be memory
        found = environments.run("aggregator", "100" if quick else "1000", home, program="safety.py")
    table = Table("The cost of safety, per job", ("", "figure"), [[name, value] for name, value in found.items()])
    table.notes = ["SQLite, write-ahead log, synchronous=FULL; the provider answers from memory, files are fetched."]
    table.judge("transactions of a job, median ms", found["transactions, ms"], 25.0)
    return [table]


def polling(*, quick: bool) -> list[Table]:
    """Looks × overshoot, in units of the median service time."""
    found = environments.run("aggregator", "2000" if quick else "20000", program="simulate_polling.py")
    columns = (
        "sigma",
        "looks",
        "ours",
        "fixed",
        "best possible",
        "dense theory",
        "dense, fixed",
        "ours / best",
        "ours / fixed",
    )
    table = Table("When to look: looks × overshoot in medians, at equal looks per job", columns)
    for row in found:
        ours, looks = row["ours"], row["looks"]
        table.rows.append(
            [row["sigma"], looks, looks * ours, looks * row["fixed"], looks * row["best"], row["theory"],
             row["theory_fixed"], ours / row["best"], ours / row["fixed"]]
        )  # fmt: skip
        table.judge(
            f"sigma {row['sigma']}, overshoot over the best possible at as many looks", ours / row["best"], 1.05
        )
    table.notes = [
        "Ours learns as it goes, from what its own looks show; the first 10 jobs are not counted.",
        "The dense constants are for many looks a job. At three nobody reaches them: 'best possible' is what can be.",
    ]
    return [table]
