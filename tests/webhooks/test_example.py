"""The example, run as it stands."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "webhooks.py"


def test_the_example_runs(quick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(quick)])
    for variable in ("AGGREGATOR_WEBHOOK_SECRET", "BFL_API_KEY"):
        monkeypatch.setenv(variable, "")  # what the example writes there is taken back
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    said = capsys.readouterr().out.splitlines()
    assert said == ["made: image/jpeg, $0.014", "bfl called back: answered with 200"]
