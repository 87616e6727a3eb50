"""`doctor` says whether the bucket can be used, in words that help and without the key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.store import bucket as bucket_module
from tests import s3
from tests.cli.conftest import Command


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for variable, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(bucket_module, "MAX_RETRIES", 0)
    with s3.bucket() as made:
        yield made


def configured(where: Path, bucket: str, endpoint: str) -> None:
    text = f'[artifacts]\nurl = "s3://{bucket}/films"\nendpoint = "{endpoint}"\nregion = "{s3.REGION}"\n'
    (where / "aggregator.toml").write_text(text)


def found(run: Command, *, code: int = 0) -> dict[str, tuple[str, str]]:
    findings = run.json("doctor", code=code)["findings"]
    return {one["name"]: (one["verdict"], one["said"]) for one in findings if one["about"] == "artifacts"}


def test_doctor_tries_the_bucket(run: Command, tmp_path: Path, name: str) -> None:
    configured(tmp_path, name, s3.endpoint())
    said = f"s3://{name}/films can be written, listed, read and cleared"
    assert found(run) == {"bucket": ("ok", said)}
    assert "Contents" not in s3.client().list_objects_v2(Bucket=name)
    for bucket, endpoint, why in (
        ("aggregator-no-such-bucket", s3.endpoint(), "there is no such bucket"),
        (name, "http://127.0.0.1:1", "it cannot be reached"),
    ):
        configured(tmp_path, bucket, endpoint)
        verdict, said = found(run, code=1)["bucket"]
        assert verdict == "broken"
        assert why in said
        assert not any(value in run("doctor", code=1).out for value in s3.ENVIRONMENT.values())


def test_a_shared_store_without_a_shared_bucket_is_warned_of(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(run) == {}
    monkeypatch.setenv("STORE_URL", "postgresql://somebody@127.0.0.1:1/films")
    (tmp_path / "aggregator.toml").write_text('[store]\nurl_env = "STORE_URL"\n')
    [(verdict, said)] = found(run, code=1).values()
    assert verdict == "warning"
    assert "[artifacts] url" in said
