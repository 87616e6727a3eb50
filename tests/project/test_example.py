"""The first example of the documentation, as it is written there, run as it stands; and inputs as people give them."""

# ruff: noqa: E501 - the example stands as it is written

import io
import runpy
from pathlib import Path
from typing import Any

import pytest

from aggregator import Aggregator, errors
from aggregator.testing.memory import PNG
from tests.runner.world import World

EXAMPLE = """
from aggregator import Aggregator

async def main():
    async with Aggregator.local() as agg:                             # Aggregator() reads aggregator.toml and the environment
        async with agg.project("trailer", budget_usd="5.00") as p:    # stage="prototype" unless said otherwise
            still = await p.text_to_image("a lighthouse at dawn, 35mm", key="still")
            large = await p.upscale_image(still, factor=2, key="large")
            clip = await p.image_to_video(large, "slow push-in", duration_s=5, key="clip")
            await clip.save("draft.mp4")
            final = await p.promote(clip)                             # the same recipe on a hero model
            await final.save("final.mp4")
            print(await p.spend())                                    # run it again: nothing is paid twice

import asyncio
asyncio.run(main())
"""


def test_the_example_runs_as_written_and_the_second_run_pays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("example.py").write_text(EXAMPLE)
    runpy.run_path("example.py")
    first = capsys.readouterr().out
    drafts = Path("draft.mp4").read_bytes(), Path("final.mp4").read_bytes()
    jobs = sorted(path.name for path in Path(".aggregator/local/jobs").iterdir())
    Path("draft.mp4").unlink()
    runpy.run_path("example.py")
    assert capsys.readouterr().out == first
    assert (Path("draft.mp4").read_bytes(), Path("final.mp4").read_bytes()) == drafts
    assert sorted(path.name for path in Path(".aggregator/local/jobs").iterdir()) == jobs
    assert len(jobs) == 4
    assert first.startswith("trailer: $")
    assert "of $5.00, $0.00 reserved" in first


# --------------------------------------------------------------------------------------------------------------- inputs


def given(kind: str, directory: Path) -> Any:
    file = directory / "in.png"
    file.write_bytes(PNG)
    return {"path": file, "text": str(file), "bytes": PNG, "file": io.BytesIO(PNG)}[kind]


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
def test_an_input_reaches_the_provider_however_it_is_given(world: World, tmp_path: Path, kind: str) -> None:
    async def life(p: Any) -> Any:
        return await p.image_to_image(given(kind, tmp_path), "at night")

    world.run(life)
    assert list(world.transport.uploads.values()) == [PNG]


def test_a_result_is_an_input_and_the_thread_is_kept(world: World) -> None:
    async def life(p: Any) -> Any:
        still = await p.text_to_image("a lighthouse")
        return still, await p.image_to_image(still, "at night")

    still, night = world.run(life)
    assert list(world.transport.uploads.values()) == [still.path.read_bytes()]
    assert dict(night.lineage.parents) == {still.artifact.sha256: still.job_id}


def test_an_address_is_passed_on_as_it_is(world: World) -> None:
    async def life(p: Any) -> Any:
        return await p.image_to_image("https://example.com/in.png", "at night")

    world.run(life)
    assert not world.transport.uploads
    assert "https://example.com/in.png" in str(world.rows("attempt")[0]["body"])


async def test_where_addresses_are_not_taken_the_advice_is_to_download(tmp_path: Path) -> None:
    async with Aggregator.local(tmp_path) as agg, agg.project("film", budget_usd="1") as p:
        with pytest.raises(errors.NoRouteError, match="download the input and give its path"):
            await p.image_to_image("https://example.com/in.png", "at night")


@pytest.mark.parametrize(
    "make", [lambda path: path, lambda path: path.mkdir() or path, lambda path: path.touch() or path]
)
def test_a_file_that_cannot_be_read_is_refused_before_anything_else(world: World, tmp_path: Path, make: Any) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(errors.RequestError, match=r"in\.png"):
            await p.image_to_image(make(tmp_path / "in.png"), "at night")

    world.run(life)
    assert not world.rows("job")


def test_the_caller_may_delete_an_input_once_the_job_is_submitted(world: World, tmp_path: Path) -> None:
    async def leave(p: Any) -> None:
        with pytest.raises(TimeoutError):
            await p.image_to_image(given("path", tmp_path), "at night", key="night", wait_s=1)

    async def later(p: Any) -> Any:
        [job] = await world.agg.jobs()
        return await world.agg.job(job.id).result()

    world.run(leave)
    (tmp_path / "in.png").unlink()
    assert world.run(later).artifact.size_bytes > 0
