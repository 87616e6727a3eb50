"""`unknown`: what nobody could find out about is listed, adopted, charged or not charged."""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from .conftest import Command

BIG = ("--local", "--set", "size=1280x720", "--set", "duration_s=30")


@pytest.fixture
def late(run: Command) -> str:
    """The id of an attempt that was accepted, and whose deadline has passed."""
    run.json("generate", "text-to-video", "a fox", *BIG, "--key", "fox", "--deadline-s", "0.1", code=1)
    (found,) = run.json("unknown", "list")
    assert found["key"] == "fox"
    return str(found["id"])


def forget_its_name(directory: Path) -> str:
    """As if the answer to the order had never come; returns the name."""
    with sqlite3.connect(directory / "store.sqlite") as connection:
        (name,) = connection.execute("SELECT remote_id FROM attempt").fetchone()
        connection.execute("UPDATE attempt SET remote_id = NULL, handle = NULL, maybe_sent = 1")
    connection.close()
    return str(name)


def test_nothing_is_unknown(run: Command) -> None:
    assert run.json("unknown", "list") == []
    assert "Nothing is unknown" in run("unknown", "list").out


def test_what_is_unknown_is_listed_with_what_to_do(run: Command, late: str) -> None:
    (found,) = run.json("unknown", "list")
    assert Decimal(found["reserved_usd"]) > 0
    assert "history" in found["where"]
    shown = run("unknown", "list").out
    for words in ("1 unknown", late, f"aggregator unknown adopt {late} REMOTE_ID", f"not-charged {late}"):
        assert words in shown
    assert run.json("unknown", "list", "--project", "nobody") == []


def test_a_job_that_was_found_is_gone_on_with(run: Command, late: str) -> None:
    name = forget_its_name(Path(".aggregator"))
    told = run.json("unknown", "adopt", late, "not-a-job", "--local", code=1)["error"]
    assert "stays unknown" in told["message"]
    ended = run.json("unknown", "adopt", late, name, "--local", code=3)
    assert ended["job"]["found_by"] == "operator"
    assert ended["job"]["remote_id"] == name  # its deadline has passed long ago, and it still runs
    assert run.json("unknown", "adopt", late, name, "--also", "nonsense", code=1)["error"]["type"] == "RequestError"


def test_what_was_charged_is_booked(run: Command, late: str) -> None:
    record = run.json("unknown", "charged", late, "0.40")
    assert (record["state"], Decimal(record["settled_usd"])) == ("lost", Decimal("0.40"))
    assert Decimal(run.json("spend")["settled_usd"]) == Decimal("0.40")
    assert "not unknown" in run.json("unknown", "charged", late, "0.40", code=1)["error"]["message"]
    assert json.dumps(run.json("unknown", "list")) == "[]"


def test_what_was_not_charged_is_given_back(run: Command, late: str) -> None:
    assert "the reservation is given back" in run("unknown", "not-charged", late).out
    assert Decimal(run.json("spend")["held_usd"]) == 0


def test_what_is_no_amount_is_refused(run: Command, late: str) -> None:
    assert run.json("unknown", "charged", late, "forty cents", code=1)["error"]["type"] == "ConfigurationError"


def test_what_was_booked_is_corrected(run: Command, late: str) -> None:
    run.json("unknown", "charged", late, "0.40")
    record = run.json("correct", late, "0.55")
    assert (record["state"], Decimal(record["settled_usd"])) == ("lost", Decimal("0.55"))
    assert Decimal(run.json("spend")["settled_usd"]) == Decimal("0.55")
    assert "no attempt" in run.json("correct", "nothing", "1", code=1)["error"]["message"]
