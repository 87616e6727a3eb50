"""Every block of the README, run in order in one empty folder, as a reader would."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.(?:toml|py))\n")


def blocks() -> Iterator[tuple[str, str]]:
    for match in BLOCK.finditer((ROOT / "README.md").read_text()):
        yield match[1], match[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "still.png").write_bytes((ROOT / "tests" / "data" / "still.png").read_bytes())
    return folder


def run(command: list[str], folder: Path, **environment: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    python_path = os.pathsep.join([str(ROOT), str(folder)])
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AGGREGATOR_", "FAL_"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**known, "PATH": path, "PYTHONPATH": python_path, "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def interrupted(line: str, folder: Path) -> None:
    """A command that goes on until it is interrupted: it is, as soon as it has said where it is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = ["bash", "-c", f"exec {line}"]
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        assert any("http://127.0.0.1:" in heard for heard in said)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def written(folder: Path, text: str) -> bool:
    """Write a block that begins with its file's name; whether it did."""
    name = NAMED.match(text)
    if name:
        file = folder / name[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return name is not None


def test_every_block_runs(folder: Path) -> None:
    ran = 0
    for language, text in blocks():
        if written(folder, text):
            pass
        elif language == "python":
            run([sys.executable, "-c", text], folder)
        elif language == "sh":
            for line in text.strip().splitlines():
                if line.startswith("aggregator emulate") or " --serve " in line:
                    interrupted(line, folder)
                    continue
                made = line.startswith("make ")  # it is what this suite runs under: here only that the target exists
                command = ["make", "-n", "-C", str(ROOT), line.split()[1]] if made else ["bash", "-c", line]
                run(command, folder, FAL_KEY="key-id:not-a-real-secret")
        ran += 1
    assert ran > 12
    assert (folder / "final.mp4").stat().st_size > 10_000
    shutil.rmtree(folder / ".aggregator")


def test_the_plan_of_the_added_provider_shows_its_own_body(folder: Path) -> None:
    for _, text in blocks():
        written(folder, text)
    command = "aggregator plan text-to-video 'a red fox' --config acme.toml --set duration_s=10 --stage final --json"
    shown = run(["bash", "-c", command], folder, ACME_API_KEY="k")
    assert '"seconds": "10"' in shown
    assert '"1.20"' in shown
