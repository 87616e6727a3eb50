"""How the command begins: with no more than it was asked for, and saying what it lacks."""

import json
import subprocess
import sys

import pytest

from aggregator.cli.app import _COMMANDS
from tests.cli.conftest import Command


def imported(*words: str) -> set[str]:
    """What of the package and its heavy libraries a command imports, in a process of its own."""
    code = (
        "import json, sys\nfrom aggregator.cli import main\n"
        f"sys.argv = ['aggregator', *{list(words)!r}]\n"
        "try:\n    main()\nfinally:\n    print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_version_waits_for_no_command() -> None:
    found = imported("--version")
    assert "aggregator.cli.app" in found
    unwanted = {"PIL", "av", "httpx", "numpy", "pydantic", "sqlalchemy", "structlog", "aggregator.workflow"}
    assert not unwanted & found
    commands = {f"aggregator.cli.{where.partition(':')[0]}" for where in _COMMANDS.values()}
    assert not commands & found


def test_a_command_imports_its_own_module_and_no_other() -> None:
    found = imported("emulate", "--help")
    assert "aggregator.cli.emulate" in found
    assert not {"aggregator.cli.demo", "aggregator.cli.workflow", "aggregator.cli.doctor"} & found


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_is_where_the_table_says(run: Command, name: str) -> None:
    assert f"aggregator {name}" in " ".join(run(name, "--help").out.split())


def test_the_help_names_every_command_in_its_order(run: Command) -> None:
    rows = [line.strip("│ ").partition(" ")[0] for line in run("--help").out.splitlines()]
    assert [word for word in rows if word in _COMMANDS] == list(_COMMANDS)


def test_a_slip_is_answered_with_the_nearest_command(run: Command) -> None:
    assert "'plan'" in run("plann", code=2).err
