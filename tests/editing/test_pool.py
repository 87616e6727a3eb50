"""Edits in child processes: what crashes or hangs ends one of them; nothing is left of it, nor of a parent's end."""

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from aggregator import Aggregator
from aggregator.edit_pool import MAX_EDITS_AT_ONCE, PROGRAM, EditPool
from aggregator.editing import Edit, run_edit
from aggregator.editing.worker import FILE_BYTES, MEMORY_BYTES, answer
from aggregator.errors import ConfigurationError, EditError
from aggregator.probing import ENVIRONMENT
from aggregator.workflow import Step, Workflow
from tests.editing.cases import of_every_kind
from tests.editing.media import RED, Desk, ramp

ROOT = Path(__file__).parents[2]
WITH = f"""
import os, signal, sys, time
from aggregator.editing import operations, worker
def crash(edit, sources, part, progress):
    with open(part, "w") as file:
        file.write("half")
    for source in sources["clips"]:
        source.on_open(source.field)
    {{}}
operations.OPERATIONS["concatenate"] = crash
{PROGRAM}
"""
CRASHING = WITH.format("os.kill(os.getpid(), signal.SIGSEGV)")
HANGING = WITH.format("signal.pause()")
ENDED_WITHIN_S = 20


@pytest.fixture
async def pool(desk: Desk) -> AsyncIterator[EditPool]:
    pool = EditPool(directory=desk.out)
    yield pool
    await pool.aclose()


async def make(pool: EditPool, edit: Edit, paths: Mapping[str, Path]) -> bytes:
    """Make an edit, and take what it made."""
    async with pool.made(edit, paths) as file:
        return file.read_bytes()


def pid_of(pool: EditPool) -> int:
    (child,) = pool._children
    assert child._process is not None
    return child._process.pid


def ends(process: int) -> bool:
    """Whether a process that is not ours has ended, or does so before long."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(handle):
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(ENDED_WITHIN_S * 1000))


def joined(desk: Desk) -> Edit:
    return desk.edit("concatenate", clips=[desk.clip("a", [RED] * 5), desk.clip("b", ramp(5))])


# --------------------------------------------------------------------------------------------------------------- work


async def test_it_makes_the_same_bytes_as_this_process_would_one_after_the_other_in_one_child(
    desk: Desk, pool: EditPool
) -> None:
    children = set()
    for task, fields in of_every_kind(desk):
        async with pool.made(desk.edit(task, **fields), desk.paths) as file:
            made = file.read_bytes()
            assert list(desk.out.rglob("*.*")) == [file]
        children.add(pid_of(pool))
        assert list(desk.out.iterdir()) == []
        here = desk.run(task, **fields)
        assert made == here.read_bytes(), task
        here.unlink()
    assert len(children) == 1


async def test_what_cannot_be_made_is_said_as_here_and_the_child_goes_on(desk: Desk, pool: EditPool) -> None:
    clip = desk.clip("a", [RED] * 5)
    edit = desk.edit("trim", clip=clip, start_s=9.0)
    with pytest.raises(EditError) as here:
        run_edit(edit, desk.paths, desk.out / "here")
    with pytest.raises(EditError) as there:
        await make(pool, edit, desk.paths)
    child = pid_of(pool)
    assert (str(there.value), there.value.edit, there.value.field) == (str(here.value), "trim", here.value.field)
    assert await make(pool, desk.edit("first-frame", video=clip), desk.paths)
    assert pid_of(pool) == child


async def test_no_more_children_do_nothing_than_are_at_work_and_one(
    desk: Desk, pool: EditPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_turns", asyncio.Semaphore(2))
    edit = desk.edit("first-frame", video=desk.clip("a", [RED] * 5))
    await asyncio.gather(*(make(pool, edit, desk.paths) for _ in range(5)))
    assert len(pool._children) == len(pool._idle) == 1
    assert MAX_EDITS_AT_ONCE >= 1


async def test_an_edit_is_told_of_its_turn_when_the_ones_before_it_are_made(
    desk: Desk, pool: EditPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_turns", asyncio.Semaphore(1))
    edit, told = desk.edit("first-frame", video=desk.clip("a", [RED] * 5)), list[str]()

    async def one(name: str) -> None:
        async with pool.made(edit, desk.paths, on_turn=lambda: told.append(f"{name} begins")):
            told.append(f"{name} is made")

    await asyncio.gather(one("first"), one("second"))
    assert told == ["first begins", "first is made", "second begins", "second is made"]


async def test_the_child_is_given_no_key_and_is_limited(
    desk: Desk, pool: EditPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAL_KEY", "canary-of-the-edits")
    await make(pool, desk.edit("first-frame", video=desk.clip("a", [RED] * 5)), desk.paths)
    process = Path(f"/proc/{pid_of(pool)}")
    given = process.joinpath("environ").read_bytes().split(b"\0")
    assert {one.partition(b"=")[0].decode() for one in given if one} <= set(ENVIRONMENT)
    assert b"canary" not in process.joinpath("cmdline").read_bytes()
    limits = " ".join(process.joinpath("limits").read_text().split())
    for limit in (f"address space {MEMORY_BYTES}", f"file size {FILE_BYTES}", "core file size 0"):
        assert f"Max {limit} " in limits


async def test_a_library_that_is_missing_is_named_with_its_extra(desk: Desk) -> None:
    pool = EditPool(program=f"sys.modules['av'] = None; {PROGRAM}")
    with pytest.raises(ConfigurationError, match=r'first-frame needs av: pip install "aggregator\[local\]"'):
        await make(pool, desk.edit("first-frame", video=desk.clip("a", [RED] * 5)), desk.paths)
    await pool.aclose()


def test_whatever_a_file_does_to_its_reader_is_an_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = desk.clip("a", [RED] * 5)
    asked = {
        "edit": desk.edit("first-frame", video=clip).as_json(),
        "paths": {name: str(path) for name, path in desk.paths.items()},
        "directory": str(desk.out / "new"),
    }
    news: list[object] = []
    assert answer(asked, news.append) == {"made": "out.png"}
    assert {"reading": "video"} in news
    for error, said in [(ValueError("odd"), "ValueError: odd"), (MemoryError(), "it needs more than 8 GiB of memory")]:

        def fails(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("aggregator.editing.worker.run_edit", fails)
        shutil.rmtree(asked["directory"])
        assert answer(asked, news.append)["error"].startswith(f"first-frame: {said}")


# ---------------------------------------------------------------------------------------------------------- accidents


async def test_a_crash_ends_one_edit_and_names_it_and_the_file(desk: Desk) -> None:
    pool, edit = EditPool(directory=desk.out, program=CRASHING), joined(desk)
    with pytest.raises(EditError) as caught:
        await make(pool, edit, desk.paths)
    assert (caught.value.edit, caught.value.field) == ("concatenate", "clips[1]")
    assert str(caught.value) == (
        f"concatenate: the process that made it was ended by SIGSEGV while it read clips[1] "
        f"({desk.directory / 'b.mp4'}): is the file whole? Make or fetch it again"
    )
    assert pool._children == list(desk.out.iterdir()) == []
    assert await make(pool, desk.edit("first-frame", video=edit.inputs("clips")[0]), desk.paths)
    await pool.aclose()


async def test_one_that_gets_no_further_is_ended(desk: Desk) -> None:
    pool = EditPool(program=HANGING, stall_s=0.1)
    with pytest.raises(EditError, match=r"^concatenate: the process that made it got no further for 0\.1 s"):
        await make(pool, joined(desk), desk.paths)
    assert pool._children == []


async def test_what_does_not_start_is_said(desk: Desk) -> None:
    with pytest.raises(EditError, match=r"ended by itself, with status 3: "):
        await make(EditPool(program="sys.exit(3)"), joined(desk), desk.paths)


async def test_canceling_ends_the_child(desk: Desk) -> None:
    pool = EditPool(directory=desk.out, program=HANGING)
    making = asyncio.create_task(make(pool, joined(desk), desk.paths))
    while not list(desk.out.rglob(".*.mp4")):  # it is at work
        await asyncio.sleep(0)
    child = pid_of(pool)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert not Path(f"/proc/{child}").exists()
    assert pool._children == list(desk.out.iterdir()) == []


PARENT = """
import asyncio, sys
from pathlib import Path
from tests.editing.test_pool import *

async def main(directory, program):
    desk = Desk(directory)
    pool = EditPool(directory=desk.out, program=program)
    made = asyncio.Event()

    async def hold():
        async with pool.made(joined(desk), desk.paths):
            made.set()
            await asyncio.Future()

    holding = asyncio.create_task(hold())
    while not (made.is_set() or program == HANGING and list(desk.out.rglob(".*.mp4"))):
        await asyncio.sleep(0)
    print(pid_of(pool), flush=True)
    await holding

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="another process's child cannot be waited for")
@pytest.mark.parametrize("program", [HANGING, PROGRAM], ids=["at work", "made and not yet taken"])
def test_a_parent_that_is_killed_leaves_neither_child_nor_file(tmp_path: Path, program: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert list((tmp_path / "out").rglob("*.mp4"))
        parent.send_signal(signal.SIGKILL)
    assert ends(child)
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_step_that_crashes_is_named_and_its_siblings_are_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.clip("a", [RED] * 5)
    desk.picture("p", Image.new("RGB", (16, 16), RED))
    steps = (
        Step(name="cut", task="concatenate", values={"clips": ["a.mp4", "a.mp4"]}),
        Step(name="small", task="resize", values={"picture": "p.png", "width": 8}),
    )
    workflow = Workflow(name="film", steps=steps, directory=tmp_path)
    config = {"directory": str(tmp_path / "store"), "allow_ephemeral": True}
    async with Aggregator(config) as agg, agg.project("film") as p:
        p.opened.edits._program = CRASHING
        run = await p.run(workflow)
    assert {name: one.state for name, one in run.outcomes.items()} == {"cut": "failed", "small": "done"}
    assert isinstance(run.failed["cut"], EditError)
    assert "cut: failed, concatenate: the process that made it was ended by SIGSEGV while it read clips[1]" in str(run)
