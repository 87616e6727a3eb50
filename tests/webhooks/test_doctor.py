"""`doctor` says who will call back."""

from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.doctor import findings
from aggregator.cli.session import Session
from tests.webhooks.world import SECRET

KEYS = ("BFL_API_KEY", "REPLICATE_API_TOKEN", "KLING_API_KEY", "PIXVERSE_API_KEY", "DEEPGRAM_API_KEY")
HOOKS = '[webhooks]\nurl = "https://api.example.com/hooks"\nsecret_env = "HOOKS"\n'
OWN = "".join(f'[providers.{name}]\nwebhook_secret_env = "OWN"\n' for name in ("kling", "pixverse"))


def said(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "aggregator.toml"
    file.write_text(text)
    session = Session(config_file=file, local=False, directory=tmp_path / "store", as_json=True)
    return {item.name: (item.verdict, item.said) for item in findings(session) if item.about == "webhooks"}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "access:a-made-up-key")
    monkeypatch.setenv("HOOKS", SECRET)
    monkeypatch.setenv("OWN", "whsec_b3du")


def test_who_is_asked_who_is_registered_and_what_is_missing(tmp_path: Path) -> None:
    found = said(tmp_path, HOOKS + OWN)
    assert found["address"] == ("ok", "https://api.example.com/hooks")
    assert found["bfl"] == found["kling"] == ("ok", "asked with each order to call back")
    assert found["replicate"] == (
        "note",
        "polled: to believe its calls, write [providers.replicate] webhook_secret_env",
    )
    assert found["pixverse"][1] == "calls back if https://api.example.com/hooks/pixverse is registered with the account"
    assert "deepgram" not in found
    assert SECRET not in str(found)


def test_nothing_configured_is_a_note(tmp_path: Path) -> None:
    assert [verdict for verdict, _ in said(tmp_path, "").values()] == ["note"]


def test_a_secret_that_is_missing_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOKS")
    assert said(tmp_path, HOOKS)["secrets"] == (
        "broken",
        "[webhooks] secret_env names HOOKS, which is not set: put the secret into it",
    )
