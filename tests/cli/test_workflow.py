"""`workflow`: checked with every problem, drawn as a tree, written in its other form and back."""

from pathlib import Path

import pytest

from aggregator.workflow.file import read
from aggregator.workflow.flat import flattened

from .conftest import Command

FILM = """\
seed = 42
outputs = ["cut", "scored"]

[inputs]
prompt = "a lighthouse at dawn"
shots = ["slow push-in", "orbit left"]

[references.anna]
images = ["anna.png"]
voice = "warm"

[steps.still]
task = "text-to-image"
prompt = "{prompt}, 35mm"
takes = 4
pick = "person"
max_usd = "0.50"

[steps.shot]
each = "{shots}"
task = "image-to-video"
image = "@still"
prompt = "{item}"
continues = "previous"
when = "@still.width < 1024"

[steps.music]
task = "text-to-music"
prompt = "calm"
stage = "final"
share = 0.25
carry = []

[steps.cut]
task = "concatenate"
clips = "@shot"

[steps.scored]
task = "mux-sound"
video = "@cut"
audio = "@music"
"""


@pytest.fixture
def film(run: Command, tmp_path: Path) -> Path:
    (tmp_path / "anna.png").write_bytes(b"not looked into")
    path = tmp_path / "film.toml"
    path.write_text(FILM, encoding="utf-8")
    return path


def test_a_workflow_that_can_run(run: Command, film: Path) -> None:
    assert run("workflow", "check", "film.toml").out == "film can run: 5 steps, 7 after fan-out\n"
    assert run.json("workflow", "check", "film.toml", "--set", 'shots=["a"]') == {
        "workflow": "film",
        "steps": 5,
        "flat_steps": 5,
        "problems": [],
    }


def test_everything_that_is_wrong_is_said_with_its_line(run: Command, film: Path) -> None:
    film.write_text(FILM.replace("@still", "@stil").replace("calm", "{clam}"), encoding="utf-8")
    said = run("workflow", "check", "film.toml", "--set", "shot=x", code=1).err
    assert "film cannot run: 4 problems; nothing was sent" in said
    assert "film.toml:22: shot: image: unknown step 'stil': did you mean 'still'?" in said
    error = run.json("workflow", "check", "film.toml", code=1)["error"]
    assert error["type"] == "WorkflowCheckError"
    assert [problem[:2] for problem in error["problems"]] == [
        ["film.toml:22", "shot"],
        ["film.toml:25", "shot"],
        ["film.toml:29", "music"],
    ]


def test_it_is_drawn_as_a_tree_within_80_columns(run: Command, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("workflow", "show", "film.toml").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.rstrip() for line in lines] == [
        "film  5 steps, 7 after fan-out",
        "  prompt = a lighthouse at dawn",
        "  shots = 2 items",
        "  carried: anna (character, 1 picture, voice)",
        "  seed 42",
        "",
        "step         task",
        "still        text-to-image  4 takes: a person picks, up to $0.50",
        "└ shot ×2    image-to-video if @still.width < 1024, continues previous",
        "  └ cut      concatenate    output",
        "    └ scored mux-sound      with music, output",
        "music        text-to-music  carries nothing, final, 25% of the budget",
    ]


def test_it_is_data_too(run: Command, film: Path) -> None:
    shown = run.json("workflow", "show", "film.toml")
    assert (shown["name"], shown["seed"], shown["outputs"]) == ("film", 42, ["cut", "scored"])
    flat = {step["name"]: step for step in shown["flat_steps"]}
    assert list(flat) == ["still", "shot.1", "shot.1-last", "shot.2", "music", "cut", "scored"]
    assert flat["shot.2"]["needs"] == ["shot.1-last", "still"]
    assert flat["shot.2"]["carried"] == ["anna"]


def test_it_is_written_in_its_other_form_and_back(run: Command, film: Path, tmp_path: Path) -> None:
    assert run("workflow", "convert", "film.toml", "film.py").out == "wrote film.py\n"
    assert "async def film(" in (tmp_path / "film.py").read_text(encoding="utf-8")
    assert run("workflow", "check", "film.py").out == "film can run: 6 steps, 7 after fan-out\n"
    assert run.json("workflow", "check", "film.py:film", "--set", 'shots=["a"]')["flat_steps"] == 5
    assert run.json("workflow", "convert", "film.py", "back.toml")["path"] == "back.toml"
    assert flattened(read(tmp_path / "back.toml")) == flattened(read(film))


def test_a_file_is_not_replaced_unless_it_is_said(run: Command, film: Path) -> None:
    before = film.read_text(encoding="utf-8")
    said = run("workflow", "convert", "film.toml", "film.toml", code=1).err
    assert "film.toml is there already: --overwrite replaces it" in said
    assert film.read_text(encoding="utf-8") == before
    run("workflow", "convert", "film.toml", "film.toml", "--overwrite")
    assert film.read_text(encoding="utf-8").startswith('name = "film"\nseed = 42\n')


def test_what_cannot_be_written_is_refused(run: Command, film: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert "a workflow is written as .toml or .py" in run("workflow", "convert", "film.toml", "film.yaml", code=1).err
    said = run("workflow", "convert", "film.toml", "in/film.py", code=1).err
    assert f"anna.png is named from {tmp_path}: write the other form there, too" in said
    film.write_text(FILM.replace('"anna.png"', f'"{tmp_path}/anna.png"'), encoding="utf-8")
    run("workflow", "convert", "film.toml", "in/film.py")
    assert "problems" in run.json("workflow", "check", "in/film.py")
