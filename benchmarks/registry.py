"""What opening the catalogue costs in CPU time, and how much memory it holds, in fresh processes, side by side:

    python benchmarks/registry.py [--times 15]

`opened` reads both compiled indexes, as a client does when it starts: from then on anything can be planned and priced,
and what that takes is made when it is first asked for. `one plan` makes all that a plan of the largest task,
text-to-video, can need: its offers, every card and reading, the rates of all its providers. `ours`, to which the goal
applies, leaves nothing for later: every offer, card, reading and rate of the whole catalogue. The baselines are the
same bytes read by `json.loads` alone, and the TOML files the indexes are compiled from.
"""

import argparse
import json
import statistics
import subprocess
import sys

BEFORE = """
import gc, json, sys, time, tomllib
from pathlib import Path
import aggregator
from aggregator.backends import provider_names, provider_table
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
root = Path(aggregator.__file__).parent
mappings = mappings_of({name: provider_table(name) for name in provider_names()})
def held():
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Pss_Anon:") or line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
gc.collect(); gc.freeze()
before = held(); start = time.process_time()
"""
AFTER = """
took = time.process_time() - start
gc.collect()
print(json.dumps([took * 1000, held() - before]))
"""
WORK = {
    "opened": "registry, prices = Registry.bundled(mappings=mappings), PriceTable.bundled()",
    "one plan": (
        "registry, prices = Registry.bundled(mappings=mappings), PriceTable.bundled()\n"
        "offers = registry.offers('text-to-video')\n"
        "kept = offers, registry.cards, registry.boards, [prices.rates(p) for p in {o.provider for o in offers}]"
    ),
    "ours": (
        "registry, prices = Registry.bundled(mappings=mappings), PriceTable.bundled()\n"
        "kept = registry.all_offers(), registry.cards, registry.boards, [prices.rates(p) for p in prices.providers]"
    ),
    "json.loads": (
        "kept = [json.loads((root / name).read_bytes()) for name in ('registry/index.json', 'pricing/index.json')]"
    ),
    "toml": "kept = [tomllib.loads(file.read_text()) for file in root.glob('*/**/*.toml')]",
}
GOAL_MS, GOAL_MB = 60, 20


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--times", type=int, default=15)
    times = wanted.parse_args().times
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in WORK}
    for _ in range(times):  # in turn, so that a busy machine is busy for all of them
        for name, work in WORK.items():
            seen[name].append(measured(work))
    ms = {name: statistics.median(took for took, _ in runs) for name, runs in seen.items()}
    mb = {name: statistics.median(held for _, held in runs) for name, runs in seen.items()}
    print(f"{'':12}{'CPU ms':>8}{'MB':>8}{'times ours':>12}")
    for name in WORK:
        print(f"{name:12}{ms[name]:8.1f}{mb[name]:8.1f}{ms[name] / ms['ours']:12.2f}")
    reached = ms["ours"] <= GOAL_MS and mb["ours"] <= GOAL_MB
    print(f"goal: {GOAL_MS} ms and {GOAL_MB} MB for ours: {'reached' if reached else 'missed'}")
    return 0


def measured(work: str) -> tuple[float, float]:
    script = f"{BEFORE}{work}\n{AFTER}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    took, held = json.loads(done.stdout)
    return took, held


if __name__ == "__main__":
    raise SystemExit(main())
