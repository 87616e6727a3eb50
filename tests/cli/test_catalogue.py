"""`models`, `prices` and `doctor`: they look, and leave nothing behind."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from aggregator.store.schema import SCHEMA_VERSION
from aggregator.tasks import TASKS

from .conftest import ROOT, SMALL, Command


def test_models_lists_every_offer_with_price_and_reason(run: Command, tmp_path: Path) -> None:
    rows = run.json("models")
    assert {row["task"] for row in rows} <= set(TASKS)
    fal = next(row for row in rows if row["offer"].startswith("fal:"))
    assert fal["configured"] is False
    assert "FAL_KEY" in fal["not_usable"]
    assert all(row["lifecycle"] in ("active", "preview", "deprecated") for row in rows)
    assert len(run.json("models", "--all")) >= len(rows)
    assert list(tmp_path.iterdir()) == []


def test_models_knows_what_is_configured(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "secret-value")
    rows = run.json("models", "--task", "text-to-image")
    assert {row["configured"] for row in rows if row["offer"].startswith("fal:")} == {True}
    local = run.json("models", "--task", "text-to-image", "--local")
    assert {row["offer"] for row in local if row["configured"]} == {"local:animatic-draft", "local:animatic-final"}
    shown = run("models", "--task", "text-to-image").out
    assert "compute_second" in shown
    assert "✓" in shown
    assert "did you mean text-to-image" in run("models", "--task", "text-to-imag", code=1).err


def test_prices_are_of_this_job_and_sorted(run: Command, tmp_path: Path) -> None:
    found = run.json("prices", "text-to-video", "--set", "duration_s=5")
    known = [Decimal(row["quote"]["high_usd"]) for row in found["offers"] if row["quote"]["high_usd"] is not None]
    assert known == sorted(known)
    assert len(known) >= 2
    longer = run.json("prices", "text-to-video", "--set", "duration_s=10")["offers"]
    assert Decimal(longer[0]["quote"]["high_usd"]) > known[0]
    assert "cheapest first" in run("prices", "text-to-video", "--set", "duration_s=5").out
    assert list(tmp_path.iterdir()) == []


def test_prices_read_the_size_of_an_input_where_it_lies(run: Command, tmp_path: Path) -> None:
    for name, side in (("small", 100), ("large", 1000)):
        Image.new("RGB", (side, side)).save(tmp_path / f"{name}.png")
    small, large = (
        run.json("prices", "image-upscaling", "--input", f"image={name}.png")["offers"] for name in ("small", "large")
    )
    cost = {row["offer"]: row["quote"]["high_usd"] for row in small}["local:animatic-draft"]
    assert Decimal({row["offer"]: row["quote"]["high_usd"] for row in large}["local:animatic-draft"]) > Decimal(cost)
    assert {path.name for path in tmp_path.iterdir()} == {"small.png", "large.png"}


def findings(run: Command, *words: str, code: int = 0) -> dict[str, tuple[str, str]]:
    return {item["name"]: (item["verdict"], item["said"]) for item in run.json("doctor", *words, code=code)["findings"]}


def test_doctor_on_an_empty_directory(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "secret-value")
    found = findings(run)
    assert found["fal"] == ("ok", "configured")
    assert found["local"][0] in ("ok", "note")
    assert found["books"][0] == "note"
    assert found["file"][1].startswith("none")
    assert "secret-value" not in run("doctor").out + run("doctor", "--json").out
    assert list(tmp_path.iterdir()) == []


def test_doctor_verifies_the_books(run: Command, tmp_path: Path) -> None:
    run("generate", "text-to-image", "a", *SMALL)
    found = findings(run)
    assert found["books"] == ("ok", "verified: every balance adds up; jobs: 1")
    assert found["schema"] == ("ok", f"version {SCHEMA_VERSION}")
    assert found["database"] == ("ok", f"SQLite {sqlite3.sqlite_version}: {tmp_path / '.aggregator/store.sqlite'}")
    with sqlite3.connect(tmp_path / ".aggregator/store.sqlite") as store:
        store.execute("UPDATE account SET settled = settled + 1")
    store.close()
    assert findings(run, code=1)["books"][0] == "broken"
    assert "do not add up" in run("doctor", code=1).out


def test_doctor_looks_at_an_older_store_and_leaves_it_as_it_is(run: Command, tmp_path: Path) -> None:
    (tmp_path / ".aggregator").mkdir()
    file = tmp_path / ".aggregator/store.sqlite"
    with sqlite3.connect(file) as store:
        store.executescript((ROOT / "tests/store/released/v1.sql").read_text())
    store.close()
    verdict, said = findings(run)["schema"]
    assert verdict == "note"
    assert f"version 1: the next client that opens it leads it to {SCHEMA_VERSION}" in said
    with sqlite3.connect(file) as store:
        assert store.execute("SELECT value FROM meta").fetchall() == [("1",)]
    store.close()


def test_doctor_names_the_server_without_its_password(
    run: Command, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aggregator.toml").write_text('[store]\nurl_env = "STORE_URL"\n[providers.local]\n')
    verdict, said = findings(run, code=1)["database"]
    assert (verdict, "STORE_URL, which is not set" in said) == ("broken", True)
    monkeypatch.setenv("STORE_URL", postgres_url.replace("postgres:@", "postgres:canary-word@"))
    found = findings(run)
    assert found["books"][0] == "note"
    assert found["database"][1].startswith("PostgreSQL ")
    assert found["durability"] == ("warning", "fsync off: what was committed may be forgotten when the server falls")
    run("generate", "text-to-image", "a", *SMALL[1:])
    found = findings(run)
    assert found["schema"] == ("ok", f"version {SCHEMA_VERSION}")
    assert found["books"] == ("ok", "verified: every balance adds up; jobs: 1")
    assert not (tmp_path / ".aggregator/store.sqlite").exists()
    assert "canary-word" not in run("doctor").out + run("doctor", "--json").out


def test_doctor_says_what_is_wrong_with_the_file(run: Command, tmp_path: Path) -> None:
    (tmp_path / "aggregator.toml").write_text("budget = 3\n")
    verdict, said = findings(run, code=1)["file"]
    assert verdict == "broken"
    assert "budget_usd" in said


def test_weights_say_their_licence_and_what_they_want(run: Command) -> None:
    rows = run.json("registry", "weights")
    assert {row["commercial_use"] for row in rows} >= {"yes", "no", "conditional", "unknown"}
    assert all(row["license"] and row["source"] for row in rows)
    by_model = {row["model"]: row for row in rows}
    assert by_model["stable-video-diffusion"]["vram_gb"] == ["8", "20"]
    shown = run("registry", "weights", "--task", "text-to-music").out
    assert "no" in next(line for line in shown.splitlines() if " musicgen " in line)
    whole = run("registry", "weights", "wan-2.1-t2v-1.3b").out
    for said in (
        "licence     Apache-2.0",
        "commercial  yes",
        "VRAM        8 GB",
        "frames      4k+1",
        "usual size  832x480",
    ):
        assert said in whole
    assert "did you mean 'sdxl'" in run("registry", "weights", "sdxk", code=1).err
