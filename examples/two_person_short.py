"""Plays `two_person_short.toml`: plan, run, a pick where a person would pick, run again, an edit and what it costs.

    python examples/two_person_short.py [DIRECTORY]

What the embedded backend makes, it makes; the rest comes from emulated providers on this machine: real files, no money.
"""

import asyncio
import os
import sys
from pathlib import Path

from aggregator import Aggregator
from aggregator.testing.emulator import Emulator
from aggregator.workflow import read

PROVIDERS = ("fal", "kling", "runway")
FILM = Path(__file__).with_suffix(".toml")


async def main(directory: Path, emulator: Emulator) -> None:
    film = read(FILM)
    configuration = {
        "directory": str(directory),
        "allow_ephemeral": True,
        "providers": {"local": {}, **{name: emulator.settings(name) for name in PROVIDERS}},
        "routing": {"allow": ["local", *PROVIDERS]},
    }
    os.environ.update(emulator.environ)
    async with Aggregator(configuration) as agg, agg.project("short") as p:
        plan = await p.plan_run(film, budget_usd="20.00")
        print(f"{len(plan.steps)} steps, at most ${plan.high_usd}")
        run = await p.run(film, budget_usd="20.00")
        print(f"{run.state}: {', '.join(run.waiting)} wait for a pick")
        for board in run.waiting:
            await run.pick(board, 2)
        run = await p.run(film, budget_usd="20.00")
        print(f"{run.state}: {', '.join(path.suffix for path in run.outputs.values())}; {await p.spend()}")
        edited = film.with_step("music", values={"prompt": "accordion, quick, merry"})
        plan = await p.plan_run(edited, budget_usd="20.00")
        print(f"other music: {', '.join(step.name for step in plan.of('run', 'edit'))} again, ${plan.high_usd}")


if __name__ == "__main__":
    with Emulator(only=PROVIDERS) as providers:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".aggregator"), providers))
