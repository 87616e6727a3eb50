"""The artifact store: whole or not at all, named by content, and only what was promised."""

import asyncio
import hashlib
import io
import os
import resource
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aggregator.errors import RequestError, ResponseFormatError, StoreError, UnavailableError
from aggregator.inputs import Media
from aggregator.probing import Prober
from aggregator.store import files
from aggregator.store.files import FileStore, extension, sniff
from aggregator.testing.memory import PNG

MP4 = b"\0\0\0\x18ftypmp42" + bytes(100)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def store(quick: Path) -> FileStore:
    return FileStore(quick, Prober(enabled=False))


def left(store: FileStore) -> list[str]:
    return [str(path.relative_to(store._root.parent)) for path in store._root.parent.rglob("*") if path.is_file()]


async def test_a_file_is_named_by_the_hash_of_its_bytes(store: FileStore) -> None:
    stored = await store.write(chunks(PNG[:3], PNG[3:]), family="image", expected_bytes=len(PNG))
    digest = hashlib.sha256(PNG).hexdigest()
    assert (stored.sha256, stored.mime_type, stored.size_bytes) == (digest, "image/png", len(PNG))
    assert store.path(digest, "image/png").read_bytes() == PNG
    assert left(store) == [f"artifacts/{digest[:2]}/{digest}.png"]
    assert await store.write(chunks(PNG), family=None) == stored


@pytest.mark.parametrize(
    ("parts", "family", "said"),
    [
        ((b"",), "image", "empty"),
        ((PNG,), "video", "image/png, video was expected"),
        ((b"<html>not found</html>",), "image", "no picture, clip or sound"),
        ((b"<svg xmlns='http://www.w3.org/2000/svg'/>",), None, "no picture"),
    ],
)
async def test_what_is_not_what_it_should_be_leaves_nothing(
    store: FileStore, parts: tuple[bytes, ...], family: str | None, said: str
) -> None:
    with pytest.raises(ResponseFormatError, match=said):
        await store.write(chunks(*parts), family=family)
    assert left(store) == []


@pytest.mark.parametrize("by", [1, -1])
async def test_another_length_than_announced_may_arrive_whole_another_time(store: FileStore, by: int) -> None:
    with pytest.raises(UnavailableError, match="bytes arrived of"):
        await store.write(chunks(PNG), family="image", expected_bytes=len(PNG) + by)
    assert left(store) == []


async def test_a_body_without_end_is_cut_off(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.MAX_BYTES, "image", 4 * 2**20)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield PNG + bytes(2**16)
            await asyncio.sleep(0)

    with pytest.raises(ResponseFormatError, match="longer than 4194304"):
        await store.write(endless(), family="image")
    assert left(store) == []


async def test_whoever_gives_up_half_way_leaves_nothing(store: FileStore) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield PNG + bytes(2**21)
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await store.write(slow(), family="image")
    assert left(store) == []


async def test_a_large_file_is_never_whole_in_memory(store: FileStore) -> None:
    async def large() -> AsyncIterator[bytes]:
        yield MP4
        for _ in range(48):
            yield bytes(2**20)
            await asyncio.sleep(0)

    tracemalloc.start()
    stored = await store.write(large(), family="video")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stored.size_bytes > 48 * 2**20
    assert peak < 12 * 2**20


async def test_a_full_disk_is_a_store_error(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        await store.write(chunks(PNG), family="image")
    monkeypatch.undo()
    assert left(store) == []
    monkeypatch.setattr(files.os, "open", full)
    with pytest.raises(StoreError, match="No space left"):
        await store.ingest(Media.of(PNG))


async def test_a_disk_that_fills_up_half_way_is_a_store_error(store: FileStore) -> None:
    """The limit on the size of files is the kernel's, so that writing fails where it would on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (2**20 + 100, 3 * 2**20):  # at the last piece, and before it
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
        try:
            with pytest.raises(StoreError, match="cannot be written"):
                await store.write(chunks(PNG, *[bytes(2**18)] * (size // 2**18), bytes(100)), family="image")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert left(store) == []


async def test_a_new_directory_is_durable_before_the_file_counts(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(number: int) -> None:
        synced.append(Path(f"/proc/self/fd/{number}").readlink().name)
        real(number)

    monkeypatch.setattr(files.os, "fsync", fsync)
    stored = await store.write(chunks(PNG), family="image")
    assert synced[0].endswith(".part")
    assert synced[1:] == [stored.sha256[:2], "artifacts", store._root.parent.name]
    del synced[:]
    await store.write(chunks(PNG), family="image")
    assert synced[1:] == [stored.sha256[:2]]


async def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(store: FileStore, tmp_path: Path) -> None:
    digest = hashlib.sha256(PNG).hexdigest()
    target = store.path(digest, "image/png")
    target.parent.mkdir(parents=True)
    (tmp_path / "mine").write_bytes(b"keep me")
    target.symlink_to(tmp_path / "mine")
    await store.write(chunks(PNG), family="image")
    assert not target.is_symlink()
    assert target.stat().st_mode & 0o077 == 0
    assert (tmp_path / "mine").read_bytes() == b"keep me"


def test_what_a_killed_process_left_is_swept_when_it_is_a_day_old(quick: Path) -> None:
    parts = quick / "parts"
    parts.mkdir()
    for name, age_s in (("old", 90_000), ("young", 60)):
        (parts / f"{name}.part").write_bytes(b"x")
        os.utime(parts / f"{name}.part", (time.time() - age_s,) * 2)
    FileStore(quick, Prober(enabled=False))
    assert [path.name for path in parts.iterdir()] == ["young.part"]


# -------------------------------------------------------------------------------------------------------------- inputs


async def test_a_path_bytes_and_an_open_file_are_the_same_input(store: FileStore, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    given = [str(tmp_path / "a.png"), tmp_path / "a.png", PNG, io.BytesIO(PNG)]
    stored = [await store.ingest(Media.of(value)) for value in given]
    assert {media.identity for media in stored} == {f"sha256:{hashlib.sha256(PNG).hexdigest()}"}
    assert all(media.as_json() == stored[0].as_json() for media in stored)


async def test_an_address_and_a_stored_input_stay_as_they_are(store: FileStore) -> None:
    address = Media.of("https://example.com/a.png")
    assert await store.ingest(address) is address
    stored = await store.ingest(Media.of(PNG))
    assert await store.ingest(stored) is stored


async def test_an_input_that_cannot_be_used_is_the_callers_mistake(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not a usable input"):
        await store.ingest(Media.of(b"%PDF-1.7 a document"))
    with pytest.raises(RequestError, match="'rb'"):
        await store.ingest(Media.of(io.StringIO("text")))
    (tmp_path / "gone.png").write_bytes(PNG)
    media = Media.of(tmp_path / "gone.png")
    (tmp_path / "gone.png").unlink()
    with pytest.raises(RequestError, match="cannot be read"):
        await store.ingest(media)
    assert left(store) == []


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (MP4, "video/mp4"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"OggS", "audio/ogg"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"", None),
    ],
)
def test_the_type_is_in_the_first_bytes(head: bytes, mime: str | None) -> None:
    assert sniff(head) == mime


def test_a_type_without_a_known_ending_gets_a_plain_one() -> None:
    assert (extension("video/mp4"), extension("model/gltf")) == ("mp4", "bin")
