"""`registry import comfyui`: one command from a workflow to a plan; what is not known is asked, never guessed."""

import json
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aggregator.cli.app import app
from aggregator.testing.emulator import Emulator
from tests.providers.own import cards_of

from .conftest import Command

FILES = cards_of("comfyui")[0] / "offers" / "comfyui"
SONG = ("registry", "import", "comfyui", "song.json", "--model", "song-mine", "--maker", "me")
FILM = ("registry", "import", "comfyui", "film.json", "--model", "film-mine", "--maker", "me")


@pytest.fixture
def home(tmp_path: Path, run: Command) -> Path:
    """A directory with workflows, and a configuration that names a registry of the user's."""
    del run  # the environment is empty by now
    for file in FILES.glob("*.json"):
        shutil.copy(file, tmp_path)
    (tmp_path / "registry" / "models").mkdir(parents=True)
    (tmp_path / "aggregator.toml").write_text(
        'directory = "store"\nallow_ephemeral = true\n[registry]\npaths = ["registry"]\n'
        '[providers.comfyui]\nbase_url = "http://127.0.0.1:9"\n[routing]\nallow = ["comfyui"]\n'
    )
    return tmp_path


@pytest.fixture
def server() -> Iterator[str]:
    with Emulator(seed=1, only=("comfyui",)) as emulator:
        yield emulator.url("comfyui")


def test_what_follows_from_the_graph_is_not_asked(run: Command, home: Path):
    shown = run(*FILM).out
    assert "film-mine, text-to-video" in shown
    for line in ("prompt is {Positive Prompt}.inputs.text", "negative_prompt is {Negative Prompt}.inputs.text"):
        assert line in shown
    plan = run.json("plan", "text-to-video", "a fox", "--model", "comfyui:film", "--max-usd", "1")
    nodes = plan["body"]["prompt"]
    assert (nodes["6"]["inputs"]["text"], nodes["3"]["inputs"]["seed"]) == ("a fox", "{random}")
    assert plan["body"]["partial_execution_targets"] == ["12"]


def test_what_could_be_several_things_must_be_said(run: Command, home: Path):
    said = run(*SONG, code=1).err
    assert "say what it is for with --task: text-to-speech, text-to-sound, text-to-music" in said
    assert not (home / "registry" / "offers").exists()
    made = run.json(*SONG, "--task", "text-to-music", "--field", "duration_s={Length}.inputs.seconds")
    assert made["offers"] == [{"id": "comfyui:song", "task": "text-to-music", "model": "song-mine"}]


def test_two_prompts_are_not_chosen_from(run: Command, home: Path):
    graph = json.loads((home / "still.json").read_text())
    graph["3"]["inputs"]["negative"] = graph["3"]["inputs"].pop("positive")
    graph["3"]["inputs"]["other"] = ["6", 0]
    graph["3"]["inputs"]["more"] = ["7", 0]
    (home / "still.json").write_text(json.dumps(graph))
    words = ("registry", "import", "comfyui", "still.json", "--model", "still-mine", "--maker", "me")
    said = run(*words, code=1).err.replace("\n", " ")
    assert "--field prompt=" in said
    assert "{Positive Prompt}.inputs.text (beautiful scenery nature, glass bottle)" in said
    assert "{Negative Prompt}.inputs.text (text, watermark)" in said
    run(*words, "--field", "prompt=6.inputs.text")


def test_on_a_terminal_it_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aggregator.cli.registry_workflow.sys", Terminal())
    done = CliRunner().invoke(app, [*SONG], input="3\n", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "  3  text-to-music" in done.stderr
    assert "song-mine, text-to-music" in done.stdout


class Terminal:
    """A standard input that is one."""

    @property
    def stdin(self) -> "Terminal":
        return self

    def isatty(self) -> bool:
        return sys.stdin is not None


def test_a_workflow_is_held_against_a_server(run: Command, home: Path, server: str):
    run(*FILM, "--url", server)
    graph = json.loads((home / "still.json").read_text())
    graph["4"]["inputs"]["ckpt_name"] = "none.safetensors"
    graph["5"]["class_type"] = "EmptyHoloLatent"
    graph["3"]["inputs"]["steps"] = 0
    (home / "still.json").write_text(json.dumps(graph))
    said = run(
        "registry", "import", "comfyui", "still.json", "--model", "s", "--maker", "me", "--url", server, code=1
    ).err.replace("\n", " ")
    assert "ckpt_name 'none.safetensors' is not there; it has ltx-2.safetensors" in said
    assert "EmptyHoloLatent (5): this server has no such node" in said
    assert "steps must be from 1 to 10000, not 0" in said
    assert not (home / "registry" / "offers" / "comfyui" / "still.toml").exists()


def test_seconds_become_the_frames_that_the_node_makes(run: Command, home: Path, server: str):
    shown = run(*FILM, "--url", server).out
    assert "duration_s is {Empty Latent Video}.inputs.length" in shown
    row = tomllib.loads((home / "registry" / "offers" / "comfyui" / "film.toml").read_text())
    assert row["fields"]["duration_s"] == {"to": "{Empty Latent Video}.inputs.length", "times": 16.0}
    assert row["frames"] == {"multiple_of": 4, "plus": 1, "min": 1, "max": 16381}
    assert row["limits"] == {"size": {"min": 16, "max": 16384, "multiple_of": 16}}
    assert row["defaults"] == {"fps": 16.0, "duration_s": 2.0625, "size": [832, 480]}
    words = ("plan", "text-to-video", "a fox", "--model", "comfyui:film", "--max-usd", "1", "--set", "duration_s=5")
    plan = run.json(*words, "--set", "size=640x368")
    assert plan["body"]["prompt"]["5"]["inputs"]["length"] == 81
    assert [(change["field"], change["sent"]) for change in plan["chosen"]["adjustments"]] == [("duration_s", 5.0625)]
    assert "multiple of 16" in run(*words, "--set", "size=645x368", code=1).err.replace("\n", " ")


def test_without_a_server_no_bound_is_known_and_seconds_are_still_frames(run: Command, home: Path):
    run(*FILM)
    row = tomllib.loads((home / "registry" / "offers" / "comfyui" / "film.toml").read_text())
    assert ("frames" in row, "limits" in row, row["fields"]["duration_s"]["times"]) == (False, False, 16.0)
    words = ("plan", "text-to-video", "a fox", "--model", "comfyui:film", "--max-usd", "1", "--set", "duration_s=5")
    assert run.json(*words)["body"]["prompt"]["5"]["inputs"]["length"] == 80


def test_frames_that_nobody_says_the_rate_of_are_no_seconds(run: Command, home: Path):
    graph = json.loads((home / "film.json").read_text())
    next(node for node in graph.values() if node["class_type"] == "CreateVideo")["inputs"]["fps"] = ["5", 0]
    (home / "film.json").write_text(json.dumps(graph))
    assert "duration_s" not in run(*FILM).out


def test_the_editors_own_format_is_refused(run: Command, home: Path):
    (home / "film.json").write_text('{"nodes": [], "links": []}')
    assert "API format" in run(*FILM, code=1).err
