"""The child that opens delivered files is given no key, and opens no file but the one it is asked about."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aggregator.artifact import Facts
from aggregator.probing import ENVIRONMENT, Prober
from aggregator.testing.memory import PNG


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober()
    yield prober
    await prober.aclose()


async def test_the_child_is_given_no_key(prober: Prober, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "canary-of-the-children")
    (tmp_path / "a.png").write_bytes(PNG)
    assert (await prober.probe(tmp_path / "a.png") or Facts()).width == 1
    assert prober._child is not None
    process = Path(f"/proc/{prober._child.pid}")
    given = process.joinpath("environ").read_bytes().split(b"\0")
    assert {one.partition(b"=")[0].decode() for one in given if one} <= set(ENVIRONMENT)
    assert b"canary" not in process.joinpath("cmdline").read_bytes()
    limits = " ".join(process.joinpath("limits").read_text().split())
    for limit in ("address space 4294967296", "file size 0", "core file size 0"):
        assert f"Max {limit} " in limits


@pytest.mark.parametrize("name", ["a.m3u8", "a.txt", "a.mp4", "a.mpd"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{inside}\n",
        "ffconcat version 1.0\nfile {inside}\n",
        "ffconcat version 1.0\nfile inside.png\n",
    ],
)
async def test_a_list_opens_no_other_file(prober: Prober, tmp_path: Path, name: str, text: str) -> None:
    inside = tmp_path / "inside.png"
    inside.write_bytes(PNG)
    (tmp_path / name).write_text(text.format(inside=inside))
    assert await prober.probe(tmp_path / name) is None
