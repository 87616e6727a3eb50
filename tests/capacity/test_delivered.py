"""What a file holds decides: another format or number of frames is said, and outputs are billed by what they are."""

import wave
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.artifact import Facts, shortfalls
from aggregator.probing import Prober
from aggregator.tasks import TextToImage, TextToSpeech, TextToVideo
from aggregator.testing.memory import Fate
from tests.runner.world import World

from .rigs import ONE, rigs, world

CLIP = TextToVideo(prompt="a", duration_s=1, fps=16)


def said(request, facts=None, mime_type=""):
    return [str(one) for one in shortfalls(request, facts or Facts(), mime_type)]


def test_a_wav_for_an_mp3_is_said():
    speech = TextToSpeech(text="a", format="mp3")
    assert said(speech, mime_type="audio/wav") == ["format: ordered mp3, delivered audio/wav"]
    assert said(speech, mime_type="audio/mpeg") == []
    assert said(TextToSpeech(text="a"), mime_type="audio/wav") == []
    assert said(TextToSpeech(text="a", format="pcm"), mime_type="application/octet-stream") == []
    assert said(TextToImage(prompt="a", format="png"), mime_type="image/jpeg") != []


@pytest.mark.parametrize(
    ("frames", "request_", "expected"),
    [
        (17, CLIP, ["frames: ordered 16, delivered 17"]),
        (16, CLIP, []),
        (None, CLIP, []),
        (121, TextToVideo(prompt="a", duration_s=5.041667, fps=24), []),
        (119, TextToVideo(prompt="a", duration_s=5), []),  # nobody said how many
    ],
)
def test_seventeen_frames_for_sixteen_are_said(frames, request_, expected):
    assert said(request_, Facts(frames=frames)) == expected


async def test_frames_are_counted_in_the_file(tmp_path: Path):
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=16)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(17):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode())
    prober = Prober()
    facts = await prober.probe(path)
    await prober.aclose()
    assert facts is not None
    assert facts.frames == 17
    assert said(CLIP, facts) == ["frames: ordered 16, delivered 17"]


def test_the_type_is_what_the_file_begins_like(tmp_path: Path):
    from aggregator.store.files import sniff

    path = tmp_path / "speech.mp3"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(bytes(4800))
    found = sniff(path.read_bytes()[:64])
    assert said(TextToSpeech(text="a", format="mp3"), mime_type=found) == ["format: ordered mp3, delivered audio/wav"]


# --------------------------------------------------------------------------------------------------------- the books


def billed_by_output(tmp_path: Path, *, counted: str = "@file.megapixels") -> World:
    w = World(tmp_path, offers={"memory:cheap": None})
    file = tmp_path / "registry" / "offers" / "memory" / "cheap.toml"
    meter = f'meters = [{{ unit = "megapixel", quantity = "1", reported = "{counted}" }}]\n'
    file.write_text(meter + file.read_text())
    rates = tmp_path / "registry" / "rates" / "memory.toml"
    rates.parent.mkdir()
    rates.write_text('[[rate]]\nendpoint = "cheap"\nunit = "megapixel"\nusd = "1.00"\nfrom = 2025-01-01\n')
    return w


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    async def probe(_self: Prober, _path: Path) -> Facts:
        return Facts(width=1000, height=500)

    monkeypatch.setattr(Prober, "probe", probe)


@pytest.mark.usefixtures("smaller")
def test_what_is_billed_by_output_is_booked_by_what_came(tmp_path: Path):
    w = billed_by_output(tmp_path)

    async def life(p):
        return await p.text_to_image("a", key="a")

    made = w.run(life)
    assert made.quote.high_usd == 1
    assert made.cost.amount_usd == Decimal("0.5")
    assert w.money() == {"held": 0, "settled": 500_000, "overrun": 0}
    assert [row["source"] for row in w.rows("transfer") if row["kind"] == "adjust"] == ["probed"]
    assert w.run(life).cost == made.cost  # the second time it is read from the books


def test_what_no_file_says_stays_as_ordered(tmp_path: Path):
    w = billed_by_output(tmp_path, counted="@file.duration_s")  # of a picture
    made = w.run(lambda p: p.text_to_image("a", key="a"))
    assert made.cost.amount_usd == 1
    assert w.money()["settled"] == 1_000_000


# ------------------------------------------------------------------------------------------------------- GPU-seconds


def by_the_second(tmp_path: Path, **own: object) -> World:
    w = world(tmp_path, ONE, offers={"memory:cheap": None}, own={"usd_per_gpu_hour": "3.60", **own})
    file = tmp_path / "registry" / "offers" / "memory" / "cheap.toml"
    rows = (
        'meters = [{ unit = "gpu_second", quantity = "1" }]',
        'compute = { gpu = "H100", per = "1", seconds = ["10", "100"], source = "x" }',
    )
    file.write_text("\n".join(rows) + "\n" + file.read_text())
    return w


def test_a_job_of_ones_own_is_booked_by_the_seconds_it_took(tmp_path: Path):
    w = by_the_second(tmp_path)
    rigs(w).line.fates.append(Fate(service_s=20.0))
    made = w.run(lambda p: p.text_to_image("a", key="a"))
    assert (made.quote.low_usd, made.quote.high_usd) == (Decimal("0.010"), Decimal("0.100"))
    assert Decimal("0.020") <= made.cost.amount_usd < Decimal("0.030")
    assert made.cost.source == "computed"


def test_what_took_longer_than_quoted_is_booked_as_quoted(tmp_path: Path):
    w = by_the_second(tmp_path)
    rigs(w).line.fates.append(Fate(service_s=900.0))  # others were before it, perhaps
    made = w.run(lambda p: p.text_to_image("a", key="a"))
    assert made.cost.amount_usd == Decimal("0.100")
