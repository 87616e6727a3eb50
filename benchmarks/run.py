"""Runs the benchmarks and prints their tables.

python benchmarks/run.py [--only import,call,jobs,download,polling,plan,safety] [--json FILE] [--quick]
"""

import argparse
import json
import os
import platform
from pathlib import Path

import environments
import measures_alone
import measures_http
import measures_routing

MEASURES = {
    "import": measures_alone.imports,
    "call": measures_http.call,
    "jobs": measures_http.jobs,
    "download": measures_http.download,
    "polling": measures_alone.polling,
    "plan": measures_routing.plan,
    "safety": measures_alone.safety,
}


def machine() -> str:
    """What it ran on, in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    return f"{os.cpu_count()} × {model}, load {load}, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares this library with its peers, in one run.")
    parser.add_argument("--only", default=",".join(MEASURES), help="some of: %(default)s")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it runs, not to quote")
    given = parser.parse_args()
    names = given.only.split(",")
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}: {', '.join(MEASURES)}")
    environments.make()
    print(machine(), environments.versions(), sep="\n", flush=True)
    found = []
    for name in names:
        for table in MEASURES[name](quick=given.quick):
            print(table.text(), flush=True)
            found.append({"measure": name, **table.as_json()})
    if given.json:
        text = json.dumps({"machine": machine(), "versions": environments.versions(), "tables": found}, indent=1)
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
