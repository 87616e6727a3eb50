"""Routing and pricing: ours beside litellm's router, the best known one, in one run.

python benchmarks/routing.py [--quick]
"""

import argparse

import environments
import measures_routing


def main() -> None:
    parser = argparse.ArgumentParser(description="Times choosing and pricing, beside litellm's router.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it runs, not to quote")
    quick = parser.parse_args().quick
    tables = measures_routing.plan(quick=quick)
    print(environments.versions(measures_routing.PEERS))
    for table in tables:
        print(table.text(), flush=True)


if __name__ == "__main__":
    main()
