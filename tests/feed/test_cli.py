"""`aggregator registry keygen, build, verify`, and what `doctor` says of a feed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aggregator.cli import registry_feed
from aggregator.cli.app import app
from aggregator.errors import FeedError
from aggregator.registry import load
from aggregator.registry.bundle import key_bytes, pack, public_text, unpack
from aggregator.registry.kept import Kept
from tests.feed.publisher import PRIVATE, PUBLIC, Publisher, catalogue, document, price, said


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory, whose package knows three models only."""
    words = said(tmp_path / "published")
    monkeypatch.setattr(registry_feed, "own", lambda: catalogue(words))
    monkeypatch.setattr(load, "bundled_rows", lambda: catalogue(words).rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


def run(*words, env=None, code=0):
    done = CliRunner().invoke(app, ["registry", *words], env={"COLUMNS": "80", **(env or {})})
    assert done.exit_code == code, done.output
    return done.output


def test_a_pair_of_keys_is_made(here):
    keys = json.loads(run("keygen", "--json"))
    assert public_text(key_bytes(keys["private"])) == keys["public"]
    shown = run("keygen")
    assert "AGGREGATOR_FEED_KEY=" in shown
    assert 'feed_key = "' in shown


def test_what_is_built_is_what_a_client_takes(here):
    keys = json.loads(run("keygen", "--json"))
    (here / "own" / "rates").mkdir(parents=True)
    (here / "own" / "rates" / "memory.toml").write_text(
        '[[rate]]\nendpoint = "cheap"\nunit = "image"\nusd = "0.03"\nfrom = 2026-01-01\n'
    )
    (here / "aggregator.toml").write_text(
        '[registry]\npaths = ["own"]\n[providers.memory]\ntable = "aggregator.testing.memory:PROVIDER"\n'
    )
    made = json.loads(run("build", "--out", "a.bundle", "--json", "--key-env", "KEY", env={"KEY": keys["private"]}))
    assert made["feed_key"] == keys["public"]
    bundle = unpack((here / "a.bundle").read_bytes(), [key_bytes(keys["public"])], source="a")
    assert len(bundle.catalogue["cards"]) == 3
    assert [row["usd"] for row in bundle.catalogue["rates"]["memory"]] == ["0.03"]
    assert "fal" in bundle.catalogue["rates"]
    again = json.loads(run("build", "--out", "a.bundle", "--json", "--key-env", "KEY", env={"KEY": keys["private"]}))
    assert again["serial"] > made["serial"]
    shown = run("verify", "a.bundle", "--key", keys["public"])
    assert "3 cards" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_feed_is_looked_at_as_a_client_would(here):
    publisher = Publisher(said(here / "published"), now=datetime.now(UTC))
    (here / "f").write_bytes(publisher.bundle(lambda words: price(words, "cheap", "4")))
    (here / "aggregator.toml").write_text('[providers.memory]\ntable = "aggregator.testing.memory:PROVIDER"\n')
    shown = json.loads(run("verify", "f", "--key", PUBLIC, "--json"))
    assert shown["counts"]["offers"] > 0
    assert any("memory/cheap/image@2025-01-01: more than 3 times dearer" in remark for remark in shown["remarks"])
    assert "held back here" in run("verify", "f", "--key", PUBLIC)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "f"), "no public key"),
        (("verify", "nothing", "--key", PUBLIC), "cannot be read"),
        (("verify", "f", "--key", "short"), "not 32 bytes"),
        (("verify", "f", "--key", public_text(bytes(32))), "line 3"),
        (("build", "--key-env", "NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE is not set"),
    ],
)
def test_what_cannot_be_done_is_said(here, words, said):
    (here / "f").write_bytes(
        pack(b"{}", PRIVATE, serial=1, issued_at=datetime.now(UTC), expires_at=datetime.max.replace(tzinfo=UTC))
    )
    assert said in run(*words, code=1)


def test_a_private_key_is_never_shown(here):
    assert "c2VjcmV0" not in run("build", "--key-env", "KEY", env={"KEY": "c2VjcmV0"}, code=1)


@pytest.mark.parametrize(("days", "verdict"), [(30, "ok"), (-1, "warning")])
def test_doctor_says_how_old_it_is(here, days, verdict):
    feed, now = here / "feed.bundle", datetime.now(UTC)
    (here / "aggregator.toml").write_text(f'[registry]\nfeed = "feed.bundle"\nfeed_key = "{PUBLIC}"\n')

    def found():
        done = CliRunner().invoke(app, ["doctor", "--json"])
        return [item for item in json.loads(done.output)["findings"] if item["about"] == "feed"]

    assert found()[0]["verdict"] == "warning"
    data = pack(
        document(said(here / "published")),
        PRIVATE,
        serial=7,
        issued_at=now - timedelta(days=3),
        expires_at=now + timedelta(days=days),
    )
    kept = Kept.of(here / ".aggregator", str(feed))
    kept.bundle.parent.mkdir(parents=True)
    kept.bundle.write_bytes(data)
    (finding,) = found()
    assert finding["verdict"] == verdict
    assert "serial 7, issued" in finding["said"]
    assert "3 days ago" in finding["said"]


def test_what_is_not_signed_is_not_believed(here):
    with pytest.raises(FeedError):
        unpack(b"{}", [key_bytes(PUBLIC)], source=str(Path("f")))
