"""The command in this process, in a directory of its own, with no key and no configuration around it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aggregator.backends import provider_tables
from aggregator.cli.app import app
from aggregator.config import Config

ROOT = Path(__file__).parents[2]
SMALL = ("--local", "--set", "size=128x72")


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Command:
    """Runs the command."""

    def __call__(self, *words: str, code: int = 0) -> Ended:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        ended = Ended(done.exit_code, done.stdout, done.stderr)
        assert ended.code == code, (ended.out, ended.err)
        assert "Traceback" not in ended.err
        return ended

    def json(self, *words: str, code: int = 0) -> Any:
        return self(*words, "--json", code=code).document


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in without_settings(keep=False):
        monkeypatch.delenv(name, raising=False)
    return Command()


def without_settings(*, keep: bool = True) -> dict[str, str]:
    """The environment without keys and settings of ours; or, not kept, those."""
    ours = {name for table in provider_tables(Config.of()).values() for name in table.auth.env}
    ours |= {"AGGREGATOR_CONFIG", "AGGREGATOR_DIR"}
    return {name: value for name, value in os.environ.items() if (name not in ours) == keep}


def start(*words: str, cwd: Path, blocked: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """The command as a process; `blocked` modules cannot be imported in it."""
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); from aggregator.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        env={**without_settings(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
