"""Hosts that share what hosts share, for the tests of this directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dbos import DBOS

from aggregator.store import bucket as bucket_module
from aggregator.workflow import durable
from tests import s3
from tests.several.hosts import Hosts


@pytest.fixture(params=["sqlite", "postgresql"])
def hosts(request: pytest.FixtureRequest, quick: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    for variable, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(bucket_module, "MAX_RETRIES", 0)
    shared = request.param == "postgresql"
    if shared:
        monkeypatch.setenv("STORE_URL", request.getfixturevalue("postgres_url"))
    with s3.bucket() as name:
        yield Hosts(quick, name, shared=shared)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs are looked at often, and no engine is left."""
    for name, seconds in {"LOOK_S": 0.1, "FIRST_SLEEP_S": 0.05, "LONGEST_SLEEP_S": 0.2, "WAIT_S": 0.05}.items():
        monkeypatch.setattr(durable, name, seconds)
    yield
    DBOS.destroy(destroy_registry=True)
