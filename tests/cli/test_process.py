"""The command as a process: missing extras, the server, interruption, and what the library does not import."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import aggregator

from .conftest import ROOT, start

INTERRUPTED = 130


def test_without_its_extra_the_command_says_so(tmp_path: Path) -> None:
    for module in ("typer", "rich"):
        process = start("models", cwd=tmp_path, blocked=(module,))
        out, err = process.communicate(timeout=30)
        assert process.returncode == 2
        assert out == ""
        assert err == 'aggregator: the command needs its extra: pip install "aggregator[cli]"\n'


def test_without_the_local_extra_the_error_names_it(tmp_path: Path) -> None:
    for words, module in ((("demo", "--json"), "av"), (("local", "--json"), "uvicorn")):
        process = start(*words, cwd=tmp_path, blocked=(module,))
        out, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "aggregator[local]" in json.loads(out)["error"]["message"]
        assert "Traceback" not in err


def test_doctor_names_missing_extras(tmp_path: Path) -> None:
    process = start("doctor", "--json", cwd=tmp_path, blocked=("av", "espeakng_loader"))
    out, _ = process.communicate(timeout=30)
    found = {item["name"]: item for item in json.loads(out)["findings"]}
    assert process.returncode == 0
    assert found["local"]["said"]
    assert "aggregator[voice]" in found["voice"]["said"]


def test_local_serves_until_interrupted(tmp_path: Path) -> None:
    process = start("local", "--port", "0", "--json", cwd=tmp_path)
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "}\n")
    said = json.loads("".join(lines) + "}")
    with urllib.request.urlopen(f"{said['address']}/v1/health", timeout=10) as answer:
        assert json.load(answer)["is_stand_in"] is True
    assert said["configuration"] == f'[providers.local]\nbase_url = "{said["address"]}"'
    port = said["address"].rpartition(":")[2]
    taken = start("local", "--port", port, cwd=tmp_path)
    assert "choose another --port" in taken.communicate(timeout=30)[1]
    assert taken.returncode == 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED, err
    assert "Traceback" not in err


def test_an_interrupted_job_is_found_again(tmp_path: Path) -> None:
    words = ("generate", "text-to-video", "a fox", "--local", "--set", "size=640x360", "--set", "duration_s=20")
    process = start(*words, cwd=tmp_path)
    assert process.stderr is not None
    assert "running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED, err
    assert "aggregator resume" in err
    assert out == ""
    jobs = start("jobs", "--open", "--json", cwd=tmp_path)
    assert len(json.loads(jobs.communicate(timeout=30)[0])) == 1


def test_the_library_does_not_import_the_command() -> None:
    package = Path(aggregator.__file__).parent
    others = [path for path in package.rglob("*.py") if path.parent.name != "cli"]
    assert others
    assert not [path for path in others if re.search(r"aggregator\.cli\b", path.read_text())]


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aggregator.cli", "--version"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == aggregator.__version__
