"""`aggregator lock`: writes, keeps, checks, upgrades, and asks before it does."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aggregator.cli.app import app
from aggregator.testing.memory import registry

OFFERS: dict[str, str | None] = {"memory:cheap": "0.04", "memory:second": "0.05"}


class Shop:
    """A directory with a configuration, of two offers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stock(OFFERS)
        (directory / "aggregator.toml").write_text(
            'allow_ephemeral = true\n[providers.memory]\ntable = "aggregator.testing.memory:PROVIDER"\n'
            '[routing]\nallow = ["memory"]\n[registry]\npaths = ["own"]\n'
        )

    def stock(self, offers: dict[str, str | None]) -> None:
        registry(self.directory / "own", offers)

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, ["lock", *arguments], input=given)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run("--json", *arguments).stdout)

    @property
    def lock(self) -> Path:
        return self.directory / "aggregator.lock"

    @property
    def offer(self) -> str:
        """Who is locked for a picture on the first stage."""
        found: str = json.loads(self.lock.read_text())["locked"]["text-to-image prototype"]["offer"]
        return found


@pytest.fixture
def shop(quick: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(quick)
    for name in ("AGGREGATOR_CONFIG", "AGGREGATOR_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Shop(quick)


def test_it_is_written_beside_the_configuration_and_again_changes_nothing(shop: Shop) -> None:
    first = shop.run()
    assert first.exit_code == 0, first.output
    assert "4 entries" in first.stdout
    assert "not locked, because nobody here serves it: " in first.stdout
    text = shop.lock.read_text()
    assert shop.offer == "memory:cheap"
    assert "holds" in shop.run().stdout
    assert shop.lock.read_text() == text


def test_a_check_writes_nothing_and_ends_by_what_it_finds(shop: Shop) -> None:
    missing = shop.run("--check")
    assert (missing.exit_code, shop.lock.exists()) == (1, False)
    assert "`aggregator lock` writes it" in missing.stderr
    shop.run()
    assert shop.run("--frozen").exit_code == 0
    text = shop.lock.read_text()
    shop.stock({"memory:cheap": "0.09"})
    moved = shop.run("--check")
    assert moved.exit_code == 1
    assert "  text-to-image prototype\n    rate memory/cheap/image@2025-01-01: 0.04 → 0.09" in moved.stdout
    assert shop.lock.read_text() == text
    said = shop.json("--check")
    assert (said["holds"], said["missing"]) == (False, [])
    assert said["moved"]["text-to-image prototype"] == ["rate memory/cheap/image@2025-01-01: 0.04 → 0.09"]


def test_what_holds_is_kept_though_something_cheaper_came(shop: Shop) -> None:
    shop.run()
    shop.stock({**OFFERS, "memory:bargain": "0.01"})
    assert shop.run("--check").exit_code == 0
    assert "holds" in shop.run().stdout
    assert shop.offer == "memory:cheap"


def test_an_upgrade_shows_the_difference_and_asks_first(shop: Shop) -> None:
    shop.run()
    text = shop.lock.read_text()
    shop.stock({**OFFERS, "memory:bargain": "0.01"})
    declined = shop.run("--upgrade", given="n\n")
    assert (declined.exit_code, shop.lock.read_text()) == (1, text)
    for said in ("memory:cheap → memory:bargain", "price    $0.04 → $0.01", "quality  unknown → unknown"):
        assert said in declined.stdout
    assert shop.run("--upgrade", given="y\n").exit_code == 0
    assert shop.offer == "memory:bargain"


def test_what_has_moved_is_resolved_anew_without_an_upgrade(shop: Shop) -> None:
    shop.run()
    (shop.directory / "own" / "offers" / "memory" / "cheap.toml").unlink()
    done = shop.run()
    assert done.exit_code == 0, done.output
    assert "memory:cheap is not in the registry any more" in done.stdout
    assert shop.offer == "memory:second"


def test_a_new_role_is_missing_until_it_is_locked(shop: Shop) -> None:
    shop.run()
    with (shop.directory / "aggregator.toml").open("a") as file:
        file.write('[roles]\nposter = "memory-second"\n')
    assert shop.json("--check")["missing"] == ["poster"]
    changes = shop.json()["changes"]
    assert {change["key"] for change in changes} >= {"text-to-image final poster"}
    assert all(change["before"] is None for change in changes)
    assert shop.run("--check").exit_code == 0


def test_a_lock_that_does_not_hold_can_be_made_anew_while_the_configuration_is_frozen(shop: Shop) -> None:
    config = shop.directory / "aggregator.toml"
    config.write_text("frozen = true\n" + config.read_text())
    assert shop.run().exit_code == 0
    shop.stock({"memory:cheap": "0.09"})
    refused = CliRunner().invoke(app, ["plan", "text-to-image", "a fox"])
    assert refused.exit_code == 1
    assert "0.04 → 0.09" in refused.stderr
    assert shop.run("--upgrade", "--yes").exit_code == 0
    assert CliRunner().invoke(app, ["plan", "text-to-image", "a fox"]).exit_code == 0
