"""The examples of workflows: on the embedded backend and against emulated providers, as they stand or cut short."""

import asyncio
import csv
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from aggregator import Aggregator
from aggregator.cli.workflow_file import workflow_of
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.workflow.runs import Run

EXAMPLES = Path(__file__).parents[2] / "examples"
NOVEMBER = 1_795_219_200.0  # 2026-11-21: the prices of the packaged table are known then
TWO_ROWS = "table={two}"
CUT_SHORT = {
    "image_upscale_video.toml": ("duration_s=0.5", "prompt=a harbour"),
    "image_upscale_video.py": ("prompt=a harbour",),
    "music_video.toml": ('shots=["a night train", "rain on glass", "a rooftop"]',),
    "product_spots.py": (TWO_ROWS, "size=128x128"),
    "overnight_batch.py": ("count=20",),
}
EMULATED = {
    "image_upscale_video.toml": (),
    "image_upscale_video.py": (),
    "product_spots.py": (TWO_ROWS, "size=512x512"),
    "overnight_batch.py": ("count=40", "size=512x512"),
}


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """The first two rows of the table."""
    rows = (EXAMPLES / "product_spots.csv").read_text(encoding="utf-8").splitlines()
    short = tmp_path / "two.csv"
    short.write_text("\n".join(rows[:3]) + "\n", encoding="utf-8")
    return short


async def played(agg: Aggregator, file: str, words: Sequence[str], two: Path) -> Run:
    """Run an example to its end; where a person has to pick, the second take is."""
    sets = [one.format(two=two) if one is TWO_ROWS else one for one in words]
    found = workflow_of(str(EXAMPLES / file), sets)
    given: dict[str, Any] = {"inputs": found.inputs, "scorers": found.scorers, "budget_usd": "20"}
    async with agg.project("example") as p:
        run = await p.run(found.workflow, **given)
        for step in run.waiting:
            await run.pick(step, 2)
        run = await p.run(found.workflow, **given) if run.waiting else run
        again = await p.run(found.workflow, **given)
        assert again.cost_usd == 0
        assert again.outputs == run.outputs
        return run


@pytest.mark.parametrize("file", CUT_SHORT)
async def test_an_example_runs_on_the_embedded_backend(file: str, two: Path, tmp_path: Path) -> None:
    async with Aggregator.local(tmp_path / "store") as agg:
        run = await played(agg, file, CUT_SHORT[file], two)
    assert run.state == "finished", str(run)
    assert run.outputs
    assert all(has_something_in_it(path) for path in run.outputs.values())


@pytest.mark.parametrize("file", EMULATED)
async def test_an_example_runs_against_emulated_providers(file: str, two: Path, tmp_path: Path) -> None:
    clock = LeapingClock(NOVEMBER)
    with Emulator(only=("fal",), clock=clock) as emulator:
        async with emulator.aggregator(tmp_path / "store", "fal", clock=clock) as agg:
            run = await played(agg, file, EMULATED[file], two)
        assert run.state == "finished", str(run)
        assert len(emulator.book) == sum(len(run.results(name)) for name in run.outcomes)


async def test_the_music_may_be_of_one_and_the_shots_of_another(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(only=("fal",)) as emulator:
        monkeypatch.setenv("FAL_KEY", emulator.keys["fal"])
        configuration = {
            "directory": str(tmp_path / "store"),
            "allow_ephemeral": True,
            "providers": {"local": {}, "fal": emulator.settings("fal")},
            "routing": {"allow": ["local", "fal"]},
            "roles": {"image-to-video": "fal:fal-ai/pika/v2.2/image-to-video"},
        }
        async with Aggregator(configuration) as agg:
            run = await played(agg, "music_video.toml", (), two)
    assert run.state == "finished", str(run)
    assert len(emulator.book) == 4


def has_something_in_it(path: Path) -> bool:
    """A picture, or a clip whose frames are not of one colour."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="gray")
    return float(np.std(frame)) > 5


async def test_thirty_spots_are_within_one_budget(tmp_path: Path) -> None:
    found = workflow_of(str(EXAMPLES / "product_spots.py"), [])
    with (EXAMPLES / "product_spots.csv").open(encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == len(found.workflow.steps) / 5 == 30
    async with Aggregator.local(tmp_path) as agg, agg.project("spots", budget_usd="1.00") as p:
        plan = await p.plan_run(found.workflow, budget_usd="1.00")
    assert plan.high_usd is not None
    assert plan.high_usd < 1


def test_the_night_is_killed_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["overnight_batch.py", "30"])
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    other = [sys.executable, "-m", "aggregator.cli", "run", str(EXAMPLES / "image_upscale_video.toml"), "--local"]
    assert subprocess.run(other, check=False, capture_output=True).returncode == 3, "another was played here before"
    runpy.run_path(str(EXAMPLES / "overnight_batch.py"), run_name="__main__")
    killed, again, paid = capsys.readouterr().out.splitlines()
    assert killed.startswith("killed after 10 of 30 pictures")
    assert again == "run again: finished, 30 of 30 pictures by 30 jobs"
    assert paid.startswith("paid in all $0.000900")


@pytest.fixture
def environment() -> Iterator[None]:
    """What an example writes there is taken back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("environment")
def test_the_short_in_fourteen_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(EXAMPLES / "two_person_short.py"))
    with Emulator(only=example["PROVIDERS"]) as emulator:
        asyncio.run(example["main"](tmp_path, emulator))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "23 steps, at most $6.384040"
    assert said[1] == "paused: board.1, board.2 wait for a pick"
    assert said[2].startswith("finished: .mp4; short: $6.38404 spent")
    assert said[3] == "other music: music, mix, film again, $0.004800"
