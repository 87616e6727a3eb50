"""Files in a bucket: one host's are another's, whole and verified; and what cannot be had is said, without the key."""

import asyncio
import hashlib
import json
import sys
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from aggregator.config import Config
from aggregator.errors import ArtifactLostError, ConfigurationError, StoreError
from aggregator.inputs import Media
from aggregator.probing import Prober
from aggregator.store import bucket as bucket_module
from aggregator.store.bucket import Bucket
from aggregator.store.files import FileStore, bucket_of
from aggregator.testing.memory import PNG
from tests import s3

SHA256 = hashlib.sha256(PNG).hexdigest()
KEY = f"{SHA256[:2]}/{SHA256}.png"
MP4 = b"\0\0\0\x18ftypmp42" + bytes(100)
MIB = 2**20


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, and its keys in the environment."""
    for variable, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(bucket_module, "MAX_RETRIES", 1)
    with s3.bucket() as made:
        yield made


def at(name: str, **changes: Any) -> Bucket:
    return Bucket(f"s3://{name}/films", **{"endpoint": s3.endpoint(), "region": s3.REGION, **changes})


@pytest.fixture
def hosts(name: str, quick: Path) -> list[FileStore]:
    """Two of them: a directory each, and the one bucket."""
    return [FileStore(quick / host, Prober(enabled=False), at(name)) for host in ("a", "b")]


def left(store: FileStore) -> list[str]:
    return [str(path.relative_to(store._root.parent)) for path in store._root.parent.rglob("*") if path.is_file()]


def shown(error: BaseException) -> str:
    """Everything of an error that is ever printed."""
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next  # without the test's own variables
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the bucket is asked for."""
    asked: list[str] = []
    for verb in ("head_async", "put_async", "get_async"):
        true = getattr(obstore, verb)

        def noted(*given: Any, verb: str = verb, true: Any = true, **options: Any) -> Any:
            asked.append(verb.removesuffix("_async"))
            return true(*given, **options)

        monkeypatch.setattr(obstore, verb, noted)
    return asked


# ------------------------------------------------------------------------------------------------------- there and back


async def test_what_one_host_writes_another_one_has(name: str, hosts: list[FileStore], calls: list[str]) -> None:
    here, there = hosts
    stored = await here.write(chunks(PNG), family="image")
    assert s3.client().get_object(Bucket=name, Key=f"films/{KEY}")["Body"].read() == PNG
    assert s3.client().head_object(Bucket=name, Key=f"films/{KEY}")["ContentType"] == "image/png"
    assert stored.path == KEY  # as on disk, so that a directory of before is moved by copying it
    calls.clear()
    paths = await asyncio.gather(*(there.have(SHA256, "image/png") for _ in range(5)))
    assert {path.read_bytes() for path in paths} == {PNG}
    assert await here.have(SHA256, "image/png") == here.path(SHA256, "image/png")
    assert calls == ["get"]
    assert left(there) == [f"artifacts/{KEY}"]


async def test_inputs_are_shared_as_results_are(hosts: list[FileStore]) -> None:
    media = await hosts[0].ingest(Media.of(PNG))
    assert media.sha256 == SHA256
    assert (await hosts[1].have(SHA256, "image/png")).read_bytes() == PNG


async def test_a_file_is_sent_once(name: str, hosts: list[FileStore], calls: list[str]) -> None:
    for store in (*hosts, *hosts):
        await store.write(chunks(PNG), family="image")
    assert calls.count("put") == 1


async def test_a_file_of_another_length_is_replaced(name: str, hosts: list[FileStore]) -> None:
    s3.client().put_object(Bucket=name, Key=f"films/{KEY}", Body=PNG[:10])
    await hosts[0].write(chunks(PNG), family="image")
    assert (await hosts[1].have(SHA256, "image/png")).read_bytes() == PNG


async def test_a_large_file_is_never_whole_in_memory(hosts: list[FileStore]) -> None:
    async def large() -> AsyncIterator[bytes]:
        yield MP4
        for n in range(48):
            yield bytes([n]) * MIB
            await asyncio.sleep(0)

    await hosts[0].write(chunks(PNG), family=None)  # what is loaded once is loaded
    await hosts[1].have(SHA256, "image/png")
    before = _anonymous_bytes()
    tracemalloc.start()
    stored = await hosts[0].write(large(), family="video")
    path = await hosts[1].have(stored.sha256, "video/mp4")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size == stored.size_bytes > 48 * MIB
    assert peak < 12 * MIB
    assert _anonymous_bytes() - before < 40 * MIB  # the library's own, which Python does not see


def _anonymous_bytes() -> int:
    """The most memory that this process ever had, without the files that are mapped into it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


# ------------------------------------------------------------------------------------------------------ what goes wrong


async def test_wrong_bytes_are_refused(name: str, hosts: list[FileStore]) -> None:
    await hosts[0].write(chunks(PNG), family="image")
    s3.client().put_object(Bucket=name, Key=f"films/{KEY}", Body=PNG[:-1] + b"x")
    with pytest.raises(StoreError, match=f"s3://{name}/films/{KEY} holds other bytes .* remove it"):
        await hosts[1].have(SHA256, "image/png")
    assert left(hosts[1]) == []


async def test_a_body_without_end_is_cut_off(
    name: str, hosts: list[FileStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.client().put_object(Bucket=name, Key=f"films/{KEY}", Body=PNG + bytes(4 * MIB))
    monkeypatch.setitem(sys.modules["aggregator.store.files"].MAX_BYTES, "video", 2 * MIB)
    with pytest.raises(StoreError, match=r"other bytes .* longer than 2097152"):
        await hosts[1].have(SHA256, "image/png")
    assert left(hosts[1]) == []


async def test_a_file_that_is_nowhere_is_lost_and_a_bucket_that_is_nowhere_is_not(
    name: str, hosts: list[FileStore], quick: Path
) -> None:
    with pytest.raises(ArtifactLostError, match=f"is not here, nor in s3://{name}/films"):
        await hosts[1].have(SHA256, "image/png")
    elsewhere = FileStore(quick / "c", Prober(enabled=False), at("aggregator-no-such-bucket"))
    with pytest.raises(StoreError, match=r"cannot be read .* there is no such bucket"):
        await elsewhere.have(SHA256, "image/png")
    with pytest.raises(StoreError, match=r"cannot be written .* there is no such bucket"):
        await elsewhere.write(chunks(PNG), family="image")
    assert left(elsewhere) == [f"artifacts/{KEY}"]  # it is here, and is sent when it is stored again


async def test_without_a_bucket_a_file_that_is_gone_is_lost(quick: Path) -> None:
    store = FileStore(quick, Prober(enabled=False))
    stored = await store.write(chunks(PNG), family="image")
    assert (await store.have(stored.sha256, "image/png")).read_bytes() == PNG
    store.path(SHA256, "image/png").unlink()
    with pytest.raises(ArtifactLostError, match="is there no more"):
        await store.have(SHA256, "image/png")


@pytest.mark.parametrize(("action", "said"), [("PutObject", "written"), ("GetObject", "read")])
async def test_a_key_that_may_not_is_said_with_what_it_needs(
    name: str, hosts: list[FileStore], action: str, said: str
) -> None:
    denied = {"Effect": "Deny", "Principal": "*", "Action": f"s3:{action}", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.client().put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))

    async def both() -> None:
        await hosts[0].write(chunks(PNG), family="image")
        await hosts[1].have(SHA256, "image/png")

    with pytest.raises(StoreError, match=f"cannot be {said} .*may not do that.*s3:PutObject") as caught:
        await both()
    with pytest.raises(StoreError, match=f"cannot be {said}"):
        await at(name).check()
    assert s3.client().list_objects_v2(Bucket=name).get("KeyCount") == (action == "GetObject")
    assert not any(value in shown(caught.value) for value in s3.ENVIRONMENT.values())


async def answering(status: str, body: str, asked: list[str]) -> asyncio.Server:
    """A server that says the same to everybody, and quotes what it was sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        text = f"{body}<Quoted>{head}</Quoted>".encode()
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n".encode() + text)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("status", "code", "said", "times"),
    [
        ("503 Service Unavailable", "SlowDown", "the answer is SlowDown", 2),
        ("403 Forbidden", "SignatureDoesNotMatch", r"may not do that \(SignatureDoesNotMatch\)", 1),
        ("404 Not Found", "", "check the endpoint", 1),
    ],
)
async def test_what_the_server_quotes_is_not_repeated(
    name: str, quick: Path, status: str, code: str, said: str, times: int
) -> None:
    asked: list[str] = []
    server = await answering(status, f"<Error><Code>{code}</Code></Error>" if code else "", asked)
    async with server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        store = FileStore(quick, Prober(enabled=False), at(name, endpoint=endpoint))
        with pytest.raises(StoreError, match=said) as caught:
            await store.have(SHA256, "image/png")
    assert len(asked) == times  # with one repeat at most, as this test has it
    assert s3.ENVIRONMENT["AWS_ACCESS_KEY_ID"] in asked[0]
    assert not any(value in shown(caught.value) for value in s3.ENVIRONMENT.values())


async def test_a_bucket_that_cannot_be_reached_is_asked_several_times(name: str, quick: Path) -> None:
    store = FileStore(quick, Prober(enabled=False), at(name, endpoint="http://127.0.0.1:1"))
    with pytest.raises(StoreError, match=r"at http://127\.0\.0\.1:1: it cannot be reached"):
        await store.write(chunks(PNG), family="image")


async def test_without_a_key_the_variables_are_named(name: str, quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in s3.ENVIRONMENT:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(StoreError, match="set AWS_ACCESS_KEY_ID"):
        await FileStore(quick, Prober(enabled=False), at(name)).have(SHA256, "image/png")


# -------------------------------------------------------------------------------------------------------- configuration


async def test_the_check_leaves_nothing(name: str) -> None:
    await at(name).check()
    assert "Contents" not in s3.client().list_objects_v2(Bucket=name)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "https://films.example.com"}, "s3://bucket/prefix"),
        ({"url": "s3://AKIAKEY:hidden@films"}, "comes from the environment"),
        ({"url": "s3://films?secret=hidden"}, "comes from the environment"),
        ({"endpoint": "https://s3.example.com"}, "those of a bucket"),
        ({"secret_access_key": "hidden"}, "does not belong in a file.*AWS_SECRET_ACCESS_KEY"),
        ({"url": "s3://films", "endpoint": "https://key:hidden@s3.example.com"}, "no user or password"),
        ({"bucket": "films"}, "unknown key"),
    ],
)
def test_what_is_not_understood_is_said_and_no_key_is_taken_from_the_file(settings: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        Config.of({"artifacts": settings})
    assert "hidden" not in str(caught.value)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bucket_of(Config.of()) is None
    monkeypatch.setitem(sys.modules, "aggregator.store.bucket", None)
    with pytest.raises(ConfigurationError, match=r"aggregator\[s3\]"):
        bucket_of(Config.of({"artifacts": {"url": "s3://films/a"}}))
