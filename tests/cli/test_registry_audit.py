"""`registry audit` and `registry diff`: legible, filtered, and with an exit code for CI."""

import asyncio
import sqlite3
import time
from typing import Any

import pytest

from aggregator import Aggregator


def test_the_audit_is_grouped_and_fits_a_narrow_screen(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("registry", "audit", "--day", "2026-11-21").out
    assert out.startswith("On 2026-11-21: ")
    for group in ("stale", "dying", "unproved"):
        assert f"\n{group} " in out
    assert "--only stale" in out  # not everything is shown unless it is asked for
    assert len(out.splitlines()) < 120


def test_only_what_is_asked_for_is_listed_and_then_all_of_it(run: Any) -> None:
    found = run.json("registry", "audit", "--day", "2026-11-21", "--only", "dying", "--task", "text-to-image")
    assert found["counts"] == {"dying": len(found["findings"])}
    assert {one["task"] for one in found["findings"]} == {"text-to-image"}
    assert "openai:gpt-image-1.5" in {one["subject"] for one in found["findings"]}
    out = run("registry", "audit", "--day", "2026-11-21", "--only", "dying", "--task", "text-to-image").out
    assert all(one["subject"] in out for one in found["findings"])
    of_openai = run.json("registry", "audit", "--day", "2026-11-21", "--provider", "openai")
    assert {one["provider"] for one in of_openai["findings"]} == {"openai"}


def test_ci_fails_above_a_threshold_and_only_then(run: Any) -> None:
    words = ("registry", "audit", "--day", "2026-11-21", "--provider", "openai")
    dying = run.json(*words)["counts"]["dying"]
    assert dying > 1
    run(*words, "--fail-on", f"dying={dying},redirected")
    assert "More than --fail-on bears" in run(*words, "--fail-on", "dying", code=1).out
    assert run.json(*words, "--fail-on", f"dying={dying - 1}", code=1)["over"] == {"dying": dying}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "stael"), "did you mean stale"),
        (("--fail-on", "dying=many"), "how many are borne"),
        (("--fail-on", "dead"), "no kind of finding 'dead'"),
        (("--task", "text-to-vidoe"), "did you mean text-to-video"),
        (("--provider", "opneai"), "did you mean openai"),
        (("--day", "tomorrow"), "2026-11-21"),
    ],
)
def test_a_slip_is_told(run: Any, words: tuple[str, ...], said: str) -> None:
    assert said in run("registry", "audit", *words, code=1).err


def test_what_was_said_and_seen_in_the_store_counts(run: Any) -> None:
    async def made() -> None:
        async with Aggregator.local("here", allow_ephemeral=True) as agg, agg.project("p") as p:
            await p.text_to_image("a fox", size="64x64")

    asyncio.run(made())
    words = ("registry", "audit", "--dir", "here")

    def subjects(kind: str) -> set[str]:
        return {one["subject"] for one in run.json(*words, "--only", kind)["findings"]}

    assert "ace-step" in subjects("unproved")
    assert "openai:gpt-image-2" not in subjects("redirected")
    with sqlite3.connect("here/store.sqlite") as store:
        [[job, attempt]] = store.execute("SELECT job, id FROM attempt")
        now = int(time.time() * 1000)
        said = ("v", now, "project:p", "text-to-music", "text-to-music", "up", job, "ace-step", None)
        store.execute("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", said)
        seen = ("openai:gpt-image-2", "another", attempt, now, now, 1)
        store.execute("INSERT INTO redirected VALUES (?, ?, ?, ?, ?, ?)", seen)
    store.close()
    assert "ace-step" not in subjects("unproved")
    assert "openai:gpt-image-2" in subjects("redirected")


def test_the_difference_of_two_models_is_one_screen(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("registry", "diff", "veo-3.1", "seedance-2.0", "--task", "text-to-video", "--day", "2026-11-21").out
    assert len(out.splitlines()) <= 24
    assert max(len(line) for line in out.splitlines()) <= 80
    for word in ("price", "life", "quality", "lost", "gained", "duration_s"):
        assert word in out
    [found] = run.json("registry", "diff", "veo-3.1", "seedance-2.0", "--task", "text-to-video", "--day", "2026-11-21")
    assert (found["a"]["model"], found["b"]["model"]) == ("veo-3.1", "seedance-2.0")
    assert found["b"]["quality"]["share"] > found["a"]["quality"]["share"]


def test_what_cannot_be_compared_is_an_error(run: Any) -> None:
    assert "did you mean" in run("registry", "diff", "veo-3.1", "veo-3.l", code=1).err
    assert "not both offered" in run("registry", "diff", "veo-3.1", "seedance-2.0", "--task", "lip-sync", code=1).err


def test_what_was_said_here_is_listed_by_role(run: Any) -> None:
    assert "Nothing was said" in run("verdicts", "--dir", "here").out

    async def said() -> None:
        async with Aggregator.local("here", allow_ephemeral=True) as agg, agg.project("p") as p:
            made = await p.text_to_image("a fox", size="64x64", role="look")
            await p.thumb(made, "up")

    asyncio.run(said())
    [row] = run.json("verdicts", "--dir", "here")
    assert (row["role"], row["task"], row["verdicts"], row["basis"]) == ("look", "text-to-image", 1, "own")
    assert row["low"] < row["share"] < row["high"]
    assert row["model"] in run("verdicts", "--dir", "here").out
