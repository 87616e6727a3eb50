"""`doctor --live`: every configured key is asked for, over real HTTP, and nothing is bought."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aggregator.cli.app import app
from aggregator.testing.emulator import Emulator

NAMES = ("replicate", "stability", "elevenlabs", "deepgram")


def asked(emulator: Emulator, directory: Path, monkeypatch: pytest.MonkeyPatch, **keys: str) -> dict[str, Any]:
    lines = ["allow_ephemeral = true"]
    for name in NAMES:
        lines += [f"[providers.{name}]", f'base_url = "{emulator.settings(name)["base_url"]}"']
    file = directory / "aggregator.toml"
    file.write_text("\n".join(lines))
    for name, key in {**emulator.environ, **keys}.items():
        monkeypatch.setenv(name, key)
    answer = CliRunner().invoke(
        app, ["doctor", "--live", "--json", "--config", str(file), "--dir", str(directory / "store")]
    )
    assert answer.stdout, (answer.stderr, answer.exception)
    found = json.loads(answer.stdout)["findings"]
    return {item["name"]: item for item in found if item["about"] == "keys, asked live"}


def test_every_key_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(seed=1, only=NAMES) as emulator:
        found = asked(emulator, tmp_path, monkeypatch, STABILITY_API_KEY="no-longer-valid")
        assert len(emulator.book) == 0
    assert set(found) == set(NAMES)
    assert found["replicate"]["said"] == "the key works"
    assert found["stability"]["verdict"] == "broken"
    assert "Check the key" in found["stability"]["said"]
    assert "no-longer-valid" not in str(found)


def test_where_no_call_is_free_it_says_what_it_would_cost() -> None:
    from datetime import date
    from decimal import Decimal

    from aggregator.cli.live import _not_for_free
    from aggregator.pricing.table import Rate

    rates = [
        Rate("x", "endpoint", "a", "image", Decimal(usd), date(2026, 1, 1), {}) for usd in ("0.04", "0", "0.003", "2")
    ]
    assert "0.003 USD per image" in _not_for_free(rates)
    assert "no price" in _not_for_free(rates[1:2])
