"""Reading what was delivered, in a child process: a hostile file ends the child and nothing else."""

import asyncio
import io
import math
import os
import signal
import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from PIL import Image

from aggregator import probing
from aggregator.artifact import Facts
from aggregator.probing import Prober
from aggregator.testing.memory import PNG


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober()
    yield prober
    await prober.aclose()


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 5))) for n in range(4000)))
    return path


def clip(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for n in range(10):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 32), (n * 20, 0, 0)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


async def test_what_a_picture_a_clip_and_a_sound_are(prober: Prober, tmp_path: Path, wav: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    assert await prober.probe(tmp_path / "a.png") == Facts(width=1, height=1, video_codec="png")
    assert await prober.probe(wav) == Facts(duration_s=0.5, audio_codec="pcm_s16le")
    facts = await prober.probe(clip(tmp_path / "a.mp4"))
    assert facts == Facts(width=64, height=32, duration_s=1.0, fps=10.0, video_codec="mpeg4", frames=10)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage" * 1000,
        PNG[:20],
        b"\0\0\0\x18ftypmp42" + os.urandom(500),
        b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(9),
    ],
)
async def test_a_file_that_cannot_be_read_has_no_facts_and_harms_nobody(
    prober: Prober, tmp_path: Path, wav: Path, raw: bytes
) -> None:
    (tmp_path / "bad.mp4").write_bytes(raw)
    assert await prober.probe(tmp_path / "bad.mp4") in (None, Facts(), Facts(video_codec="png"))
    assert await prober.probe(tmp_path / "not there.mp4") is None
    assert (await prober.probe(wav) or Facts()).duration_s == 0.5


async def test_a_list_of_addresses_is_not_followed(prober: Prober, tmp_path: Path) -> None:
    hits: list[bytes] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hits.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / "a.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n")
    assert await prober.probe(tmp_path / "a.mp4") in (None, Facts())
    server.close()
    await server.wait_closed()
    assert hits == []


async def test_a_file_that_hangs_the_child_is_given_up_and_the_next_one_is_read(
    prober: Prober, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prober.probe(wav)
    assert prober._child is not None
    first = prober._child.pid
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_S", 0.1)
    assert await prober.probe(wav) is None
    monkeypatch.undo()
    assert (await prober.probe(wav) or Facts()).duration_s == 0.5
    assert prober._child.pid != first


async def test_a_child_that_died_is_replaced(prober: Prober, wav: Path) -> None:
    await prober.probe(wav)
    assert prober._child is not None
    prober._child.kill()
    await prober._child.wait()
    assert await prober.probe(wav) is None
    assert (await prober.probe(wav) or Facts()).duration_s == 0.5


async def test_an_answer_is_never_taken_for_the_next_files(prober: Prober, wav: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    await prober.probe(wav)
    for _ in range(5):
        task = asyncio.create_task(prober.probe(wav))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await prober.probe(tmp_path / "a.png") or Facts()).width == 1


async def test_files_are_read_one_after_the_other_whoever_asks(prober: Prober, wav: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    found = await asyncio.gather(*(prober.probe(path) for path in (wav, tmp_path / "a.png") * 5))
    assert [facts and facts.width for facts in found] == [None, 1] * 5


async def test_a_name_with_a_line_break_is_one_file(prober: Prober, tmp_path: Path, wav: Path) -> None:
    odd = tmp_path / 'a\n"b".wav'
    wav.rename(odd)
    assert (await prober.probe(odd) or Facts()).duration_s == 0.5


async def test_without_the_reader_nothing_is_known_and_nothing_is_started(
    wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "find_spec", lambda _name: None)
    prober = Prober()
    assert await prober.probe(wav) is None
    assert prober._child is None


def test_the_child_answers_on_its_own(monkeypatch: pytest.MonkeyPatch, wav: Path) -> None:
    """The program of the child, without a process around it."""
    import json
    import resource

    from aggregator import _probe

    limits: list[int] = []
    monkeypatch.setattr(resource, "setrlimit", lambda kind, _: limits.append(kind))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(str(wav)) + "\n" + json.dumps("nowhere") + "\nno json\n"))
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    _probe.main()
    first, second, third = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["facts"]["duration_s"] == 0.5
    assert second == {"error": "FileNotFoundError"}
    assert third == {"error": "JSONDecodeError"}
    assert limits == [resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE]


async def test_a_picture_that_looks_like_a_photograph_is_read_whatever_its_name_ends_in(
    tmp_path: Path, prober: Prober
) -> None:
    """The demuxer that its name suggests reads lists of pictures, and is not allowed."""
    for name in ("a.jpg", "a"):
        path = tmp_path / name
        Image.frombytes("RGB", (64, 48), os.urandom(64 * 48 * 3)).save(path, "JPEG")
        facts = await prober.probe(path)
        assert facts is not None
        assert (facts.width, facts.height, facts.video_codec) == (64, 48, "mjpeg")
