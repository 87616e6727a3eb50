"""`run`, `pick`, `runs` and `promote`: a workflow from the plan to the promotion, by the command."""

import json
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from aggregator.cli import run as run_module
from aggregator.cli.show import usd
from aggregator.errors import BudgetExceededError

from .conftest import Command, start

FILM = """
[inputs]
prompt = "a lighthouse"
shots = ["push-in", "orbit"]

[steps.still]
task = "text-to-image"
prompt = "{prompt}"
size = "128x72"
takes = 2
pick = "person"

[steps.shot]
each = "{shots}"
task = "image-to-video"
image = "@still"
prompt = "{item}"
duration_s = 0.5
size = "128x72"

[steps.cut]
task = "concatenate"
clips = "@shot"
"""
BROKEN = '[steps.still]\ntask = "text-to-imago"\nprompt = "x"\n'
CHAIN = """
from aggregator.workflow import Steps, workflow


def largest(take):
    return take.artifact.size_bytes


@workflow
async def chain(w: Steps, prompt: str, sizes: list[str] = ["128x72"], steps: int = 1) -> None:
    for n, size in enumerate(sizes):
        await w.text_to_image(prompt, size=size, takes=2, pick="score:largest", name=f"still-{n + 1}")
"""
LOCAL = ("run", "film.toml", "--local")
SCORED = FILM.replace('"person"', '"score:sharpest"')


@pytest.fixture
def film(run: Command, tmp_path: Path) -> Command:
    (tmp_path / "film.toml").write_text(FILM)
    return run


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# ----------------------------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize("columns", ["80", "140"])
def test_the_plan_is_a_line_a_step_and_a_sum(film: Command, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    said = film(*LOCAL, "--plan").out.splitlines()
    assert max(map(len, said)) <= int(columns)
    assert [line.split()[0] for line in said[2:5]] == ["still", "shot.1–2", "cut"]
    assert "×2" in said[2]
    assert "make" in said[3]
    assert "3 make, 1 edit" in said[6]
    assert any("is reserved before anything is sent" in line for line in said)
    assert film.json("jobs") == []
    plan = film.json(*LOCAL, "--plan")
    assert [step["state"] for step in plan["steps"]] == ["run", "run", "run", "edit"]
    assert plan["high_usd"]


def test_explain_says_why_with_file_and_line(film: Command) -> None:
    film(*LOCAL, code=3)
    said = film(*LOCAL, "--set", "prompt=a fox", "--explain").out
    assert "film.toml:6" in said
    assert "prompt: 'a lighthouse' → 'a fox'" in said


def test_what_is_wrong_is_named_with_its_line_and_nothing_is_sent(run: Command, tmp_path: Path) -> None:
    (tmp_path / "film.toml").write_text(BROKEN)
    ended = run(*LOCAL, code=1)
    assert "film.toml:2" in ended.err
    [said] = lines(run(*LOCAL, "--json", code=1).out)
    assert said["error"]["type"] == "WorkflowCheckError"
    assert run("run", "nothing.toml", "--local", code=1).err.startswith("aggregator: nothing.toml: cannot be read")


@pytest.mark.parametrize("also", [(), ("--plan",), ("--explain",), ("--yes",)])
def test_a_function_that_picks_and_is_not_there_is_missed_at_once(
    run: Command, tmp_path: Path, also: tuple[str, ...]
) -> None:
    (tmp_path / "film.toml").write_text(SCORED)
    ended = run(*LOCAL, *also, code=1)
    assert "'still' is picked by 'sharpest', and no such function was given" in ended.err
    assert ended.out == ""


def test_a_run_beyond_its_budget_is_refused_before_anything_is_sent(film: Command) -> None:
    ended = film(*LOCAL, "--budget", "0.0001", "--json", code=1)
    [said] = lines(ended.out)
    assert said["error"]["type"] == BudgetExceededError.__name__
    assert film.json("jobs") == []
    assert "give --budget" in film(*LOCAL, "--fit", code=1).err


# ------------------------------------------------------------------------------------------------------ from end to end


def test_a_film_is_run_picked_gone_on_with_and_promoted(film: Command, tmp_path: Path) -> None:
    waiting = film(*LOCAL, code=3)
    assert "still waits for a pick" in waiting.out
    assert "aggregator pick film still TAKE" in waiting.out
    assert "still ×2: running, animatic-draft" in waiting.err
    [listed] = film.json("runs")
    assert (listed["state"], listed["done"], listed["steps"]) == ("paused", 1, 4)
    assert float(listed["reserved_usd"]) > 0

    film("pick", "film", "still", "2")
    done = film(*LOCAL, "--out", "made")
    assert "take 2 of 2" in film("runs", "show", "film").out
    assert "take 2 of 2" in done.out
    assert (tmp_path / "made/cut.mp4").stat().st_size > 1000
    [listed] = film.json("runs")
    assert (listed["state"], listed["done"], float(listed["reserved_usd"])) == ("finished", 4, 0)
    assert float(listed["spent_usd"]) == float(film.json("spend")["settled_usd"])

    again = film(*LOCAL)
    assert "$0.00 for what was new" in again.out
    planned = film("promote", "film", "--local", "--plan").out
    assert "animatic-final" in planned
    *events, last = lines(film("promote", "film", "--local", "--json").out)
    states = {one["step"]: one["state"] for one in events if one["kind"] == "step"}
    assert states["still"] == "reused"
    assert states["shot.1"] == "done"
    assert last["run"] == "film@final"
    assert last["comparison"]["steps"][1]["final_model"] == "animatic-final"
    assert [one["run"] for one in film.json("runs")] == ["film@final", "film"]


def test_for_a_machine_every_line_is_an_event_and_the_last_is_the_run(film: Command) -> None:
    ended = film(*LOCAL, "--json", code=3)
    said = lines(ended.out)
    assert ended.err == ""
    assert [said[0]["kind"], said[-2]["kind"]] == ["planned", "ended"]
    assert {one["kind"] for one in said[1:-2]} == {"ordered", "step"}
    assert said[-1]["waiting"] == ["still"]
    assert said[-1]["state"] == "paused"


def test_a_run_is_given_up_and_its_money_is_free(film: Command) -> None:
    film(*LOCAL, code=3)
    held = film.json("runs")[0]["reserved_usd"]
    assert film.json("runs", "cancel", "film")["freed_usd"] == held
    assert film.json("runs")[0]["state"] == "canceled"
    assert float(film.json("spend")["held_usd"]) == 0


def test_a_run_that_was_killed_says_what_it_keeps_and_what_frees_it(film: Command, tmp_path: Path) -> None:
    (tmp_path / "film.toml").write_text(FILM.replace('pick = "person"', "").replace("0.5", "4"))
    process = start(*LOCAL, "--project", "spot", cwd=tmp_path)
    assert process.stderr is not None
    while "still" not in process.stderr.readline():
        pass
    process.kill()
    process.communicate(timeout=60)
    [listed] = film.json("runs")
    assert listed["state"] == "running"
    kept = Decimal(listed["kept_usd"])
    assert 0 < kept <= Decimal(listed["reserved_usd"])
    [said] = [one for one in film.json("doctor")["findings"] if one["name"] == "kept for a run"]
    frees = "aggregator runs cancel film --project spot"
    assert said["verdict"] == "warning"
    assert said["said"].startswith(f"film: {usd(kept)} is kept since {listed['kept_since'][:10]}")
    assert said["said"].endswith(frees)
    assert frees in film("runs").out
    assert "`aggregator runs` says for which" in film("spend").out
    assert Decimal(film.json(*frees.split()[1:])["freed_usd"]) == kept
    assert "kept for a run" not in film("doctor").out
    assert frees not in film("runs").out


def test_a_run_counts_what_it_bought_and_not_one_of_its_name_in_another_project(film: Command, tmp_path: Path) -> None:
    (tmp_path / "film.toml").write_text(FILM.replace('pick = "person"', ""))
    film(*LOCAL, "--project", "spots/one")
    film(*LOCAL, "--project", "spots", "--set", 'shots=["pan"]')
    both = {one["project"]: Decimal(one["spent_usd"]) for one in film.json("runs")}
    one, all_of_it = (Decimal(film.json("spend", "--project", name)["settled_usd"]) for name in ("spots/one", "spots"))
    assert both == {"spots/one": one, "spots": all_of_it - one}
    assert one > both["spots"] > 0
    tags = {line["tag"].partition("=")[0] for line in film.json("spend", "--by", "tag")["lines"]}
    assert tags == {"workflow", "run", "step"}


def test_a_run_that_is_not_there_is_said(film: Command) -> None:
    assert film("runs").out.startswith("No runs.")
    film(*LOCAL, "--project", "a", code=3)
    film(*LOCAL, "--project", "b", code=3)
    assert "did you mean 'film'?" in film("pick", "fillm", "still", "1", code=1).err
    assert "say which, --project" in film("pick", "film", "still", "1", code=1).err
    assert "has no take 7" in film("pick", "film", "still", "7", "--project", "a", code=1).err
    assert [one["project"] for one in film.json("runs", "--project", "b")] == ["b"]


def test_interrupted_nothing_is_lost_and_the_same_command_goes_on(film: Command, tmp_path: Path) -> None:
    (tmp_path / "film.toml").write_text(FILM.replace('pick = "person"', "").replace("0.5", "4"))
    process = start(*LOCAL, cwd=tmp_path)
    assert process.stderr is not None
    while "shot." not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "the same command goes on with it" in err
    before = {job["id"] for job in film.json("jobs")}
    assert film.json("runs")[0]["state"] == "running"
    film(*LOCAL)
    assert {job["id"] for job in film.json("jobs")} >= before
    assert len(film.json("jobs")) == 4


# ------------------------------------------------------------------------------------------------------------- python


def test_a_function_is_run_with_its_own_functions_that_pick(run: Command, tmp_path: Path) -> None:
    (tmp_path / "chain.py").write_text(CHAIN)
    words = ("run", "chain.py", "--local")
    assert "needs prompt: give --set prompt=…" in run(*words, code=1).err
    assert "did you mean 'prompt'?" in run(*words, "--set", "promt=x", code=1).err
    assert "write it as JSON" in run(*words, "--set", "prompt=x", "--set", "sizes=128x72", code=2).err
    made = run("run", "chain.py:chain", "--local", "--set", "prompt=7", "--set", 'sizes=["128x72", "96x96"]', "--json")
    assert list(lines(made.out)[-1]["steps"]) == ["still-1", "still-2"]
    assert "has no workflow other" in run("run", "chain.py:other", "--local", code=1).err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_there\n" + CHAIN, "chain.py:1: ModuleNotFoundError: No module named 'nothing_there'"),
        (CHAIN + "    x = (\n", "SyntaxError: '(' was never closed"),
        (CHAIN.replace("largest(take):", "largest(take)"), "chain.py:5: SyntaxError: expected ':'"),
        (CHAIN + "    {}['a']\n", "chain.py:13: KeyError: 'a'"),
    ],
)
def test_a_mistake_in_a_file_of_python_is_said_with_its_line(
    run: Command, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "chain.py").write_text(text)
    ended = run("run", "chain.py", "--local", "--set", "prompt=x", "--plan", code=1)
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


# ---------------------------------------------------------------------------------------------------------- agreement


def test_a_person_is_asked_before_much_is_spent(film: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []
    monkeypatch.setattr(run_module.Follower, "asks", True)
    monkeypatch.setattr(run_module, "ASKED_ABOVE_USD", 0)
    monkeypatch.setattr(typer, "confirm", answers.append)
    assert "3 make, 1 edit" in film(*LOCAL, code=1).out
    assert answers == ["Spend it?"]
    assert film.json("jobs") == []
    film(*LOCAL, "--yes", code=3)
    film(*LOCAL, "--budget", "1.00", code=3)
    assert len(answers) == 1
