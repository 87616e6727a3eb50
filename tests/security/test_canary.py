"""The search for keys finds them, wherever a test may leave one."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canary import forms, leaks

ROOT = Path(__file__).parents[2]
CANARY = "canary/c4n4ry+0123456789:abcdef=="


@pytest.mark.parametrize(
    "written",
    [
        CANARY.encode(),
        quote(CANARY, safe="").encode(),
        json.dumps({"authorization": f"Key {CANARY}"}).encode(),
        base64.b64encode(CANARY.encode()),
        base64.b64encode(f"user:{CANARY}".encode()),
        base64.urlsafe_b64encode(f"xy{CANARY}\n".encode()),
        CANARY.encode().hex().encode(),
        bytes(2**20) + CANARY.partition(":")[0].encode() + bytes(2**20),
    ],
    ids=range(8),
)
def test_every_form_is_found_in_a_file(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "clean").write_bytes(b"nothing of the kind")
    (tmp_path / "a" / "empty").touch()
    (tmp_path / "a" / "b" / "file").write_bytes(written)
    assert leaks(tmp_path, forms([CANARY])) == [tmp_path / "a" / "b" / "file"]
    assert leaks(tmp_path, forms(["another-key-of-the-suite"])) == []
    assert leaks(tmp_path, forms([])) == []


def test_it_is_found_in_a_database(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "store.sqlite")
    db.execute("PRAGMA journal_mode=wal")
    db.execute("CREATE TABLE t (a)")
    db.execute("INSERT INTO t VALUES (?)", (f"Bearer {CANARY}",))
    db.commit()
    assert leaks(tmp_path, forms([CANARY])) != []
    db.close()


LEAKING = """
import subprocess, sys
import pytest
from aggregator.secret import Secret

KEY = "canary-0123456789abcdef"

@pytest.fixture
def quick(tmp_path):
    yield tmp_path
    (tmp_path / "a").unlink(missing_ok=True)

def test_writes(quick):
    Secret(KEY)
    (quick / "a").write_text(KEY)

def test_prints():
    print(Secret(KEY).reveal())

def test_starts():
    with pytest.raises(AssertionError, match="command line"):
        subprocess.run([sys.executable, "-c", "pass", Secret(KEY).reveal()])

def test_is_clean(tmp_path):
    (tmp_path / "a").write_text(repr(Secret(KEY)) + KEY[:9])

def test_has_no_secret(tmp_path):
    (tmp_path / "a").write_text(KEY)

@pytest.mark.writes_keys
def test_means_to(tmp_path):
    Secret(KEY)
    (tmp_path / "a").write_text(KEY)
"""


def test_a_test_that_leaves_a_key_fails(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(LEAKING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.canary",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-rfE",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, str(tmp_path)], check=False, capture_output=True, text=True, env=environment)
    assert "6 passed, 2 errors" in done.stdout, done.stdout
    assert "ERROR at teardown of test_writes" in done.stdout
    assert "ERROR at teardown of test_prints" in done.stdout
    assert "a key is in what the test printed or logged" in done.stdout
