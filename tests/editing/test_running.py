"""What holds for every edit: the same bytes each time, one file or none, memory that does not grow with length."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from aggregator import _probe
from aggregator.editing.sources import FORMATS
from aggregator.errors import EditError
from aggregator.inputs import Media
from tests.editing.cases import of_every_kind
from tests.editing.media import BLUE, RED, Desk, clicks, ramp, tone

ROOT = Path(__file__).parents[2]


def test_the_same_inputs_give_the_same_bytes(desk: Desk) -> None:
    for task, fields in of_every_kind(desk):
        first, second = (desk.run(task, name=name, **fields) for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), task


def test_films_play_before_they_have_arrived_whole_and_do_not_say_when_they_were_made(desk: Desk) -> None:
    for task, fields in of_every_kind(desk):
        made = desk.run(task, **fields)
        if made.suffix == ".mp4":
            raw = made.read_bytes()
            assert raw.index(b"moov") < raw.index(b"mdat"), task
            at = raw.index(b"mvhd") + 8
            assert raw[at : at + 8] == bytes(8), "no time of making and changing"
            assert b"Lavf" not in raw, "nor by which version of the container's writer"
            with av.open(str(made)) as container:
                (picture,) = container.streams.video
                assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
                assert {stream.codec_context.name for stream in container.streams.audio} <= {"aac"}


def test_the_suffix_says_what_was_made_and_nothing_else_is_left(desk: Desk) -> None:
    clip = desk.clip("a", ramp(24), tone_hz=440)
    made = [
        desk.run("last-frame", name="shot.1", video=clip),
        desk.run("trim", name="shot.2.mp4", clip=clip, end_s=0.5),
        desk.run("mix", name="shot.2", tracks=[desk.sound("s", tone(440, 0.5))]),
    ]
    assert [path.name for path in made] == ["shot.1.png", "shot.2.mp4", "shot.2.wav"]
    assert sorted(path.name for path in desk.out.iterdir()) == sorted(path.name for path in made)


def test_an_earlier_file_of_that_name_is_replaced_only_by_a_finished_one(desk: Desk) -> None:
    clip = desk.clip("a", ramp(24))
    made = desk.run("trim", clip=clip, end_s=0.5)
    before = made.read_bytes()
    with pytest.raises(EditError):
        desk.run("trim", clip=clip, end_s=5.0)
    assert made.read_bytes() == before
    desk.run("trim", clip=clip, end_s=0.25)
    assert made.read_bytes() != before


def test_progress_goes_up_to_all_of_it(desk: Desk) -> None:
    for task, fields in of_every_kind(desk):
        shares: list[float] = []
        made = desk.run(task, progress=shares.append, **fields)
        if made.suffix != ".png" or task == "contact-sheet":
            assert shares == sorted(shares), task
            assert 0 <= shares[0] <= 1
            assert shares[-1] == pytest.approx(1, abs=0.1), task


def test_what_progress_raises_ends_the_edit_and_leaves_nothing(desk: Desk) -> None:
    class StopError(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.3:
            raise StopError

    for task, fields in of_every_kind(desk):
        if task in ("concatenate", "mux-sound", "mix", "trim", "hold", "captions", "cut-on-beats", "contact-sheet"):
            with pytest.raises(StopError):
                desk.run(task, progress=stop, **fields)
    assert list(desk.out.iterdir()) == []


def refused(desk: Desk, task: str, complaint: str, field: str | None, **fields: Any) -> None:
    with pytest.raises(EditError, match=complaint) as caught:
        desk.run(task, **fields)
    assert (caught.value.edit, caught.value.field) == (task, field)
    assert str(caught.value).startswith(f"{task}: ")
    assert pickle.loads(pickle.dumps(caught.value)).field == field
    assert list(desk.out.iterdir()) == [], "nothing is left behind"


def test_inputs_of_the_wrong_kind_are_refused(desk: Desk) -> None:
    clip, sound = desk.clip("a", [RED] * 12), desk.sound("s", tone(440, 1.0))
    picture = desk.picture("p", Image.new("RGB", (64, 48), BLUE))
    refused(desk, "last-frame", "video is audio/wav: it takes video", "video", video=sound)
    refused(desk, "concatenate", r"clips\[1\] is image/png: it takes video", "clips[1]", clips=[clip, picture])
    refused(desk, "mux-sound", "audio is image/png: it takes audio or video", "audio", video=clip, audio=picture)
    refused(desk, "mux-sound", "audio has no sound in it", "audio", video=clip, audio=clip)
    refused(desk, "colour-match", "reference is video/mp4: it takes image", "reference", picture=clip, reference=clip)
    refused(
        desk,
        "trim",
        "clip is of an unknown type: it takes video or audio",
        "clip",
        end_s=1,
        clip=Media(sha256=clip.sha256),
    )


def test_inputs_that_are_not_there_are_refused(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 12)
    gone = Media(sha256="0" * 64, mime_type="video/mp4")
    refused(desk, "concatenate", r"clips\[1\] has no file here: .*was it deleted since", "clips[1]", clips=[clip, gone])
    refused(desk, "first-frame", "video has no file here", "video", video=Media(source=b"x", mime_type="video/mp4"))
    refused(desk, "first-frame", "video has no file here", "video", video="https://example.com/a.mp4")


def test_files_that_are_not_what_they_say_are_refused(desk: Desk) -> None:
    """By their first bytes they were a clip, a sound, a picture; inside they are not."""
    clip, sound = desk.clip("a", [RED] * 24), desk.sound("s", tone(440, 1.0))
    picture = desk.picture("p", Image.new("RGB", (64, 48), BLUE))
    cut = desk.directory / "cut.mp4"
    cut.write_bytes(desk.paths[clip.sha256 or ""].read_bytes()[:600])
    broken = desk.stored(cut)
    for task, fields in [
        ("last-frame", {"video": broken}),
        ("trim", {"clip": broken, "end_s": 0.5}),
        ("mux-sound", {"video": broken, "audio": sound}),
        ("captions", {"video": broken, "text": "a"}),
    ]:
        field = next(name for name, value in fields.items() if value is broken)
        refused(desk, task, rf"{field} cannot be read \(.+\): is the file whole\?", field, **fields)
    refused(desk, "concatenate", r"clips\[1\] cannot be read", "clips[1]", clips=[clip, broken])

    half = desk.directory / "half.png"
    half.write_bytes(desk.paths[picture.sha256 or ""].read_bytes()[:60])
    refused(desk, "hold", "image cannot be read", "image", image=desk.stored(half), duration_s=1)

    as_clip, as_sound = (
        desk.stored(desk.paths[m.sha256 or ""], k) for m, k in ((sound, "video/mp4"), (clip, "audio/wav"))
    )
    refused(desk, "last-frame", "video has no picture in it: give a clip", "video", video=as_clip)
    refused(desk, "mix", "tracks has no sound in it: give one that can be heard", "tracks", tracks=[as_sound])
    empty = desk.sound("empty", tone(440, 0.0))
    refused(desk, "mix", r"tracks\[1\] (is of no length|cannot be read)", "tracks[1]", tracks=[sound, empty])


def test_a_clip_that_breaks_off_in_the_middle_leaves_nothing_behind(desk: Desk) -> None:
    clip = desk.clip("a", ramp(48), crf=0)
    raw = bytearray(desk.paths[clip.sha256 or ""].read_bytes())
    start = raw.index(b"mdat") + 4
    middle = (start + raw.index(b"moov")) // 2
    raw[middle : middle + 40] = b"\xff" * 40
    path = desk.directory / "torn.mp4"
    path.write_bytes(raw)
    torn = desk.stored(path)
    try:
        made = [desk.run("trim", clip=torn, start_s=0.1)]
    except EditError:
        made = []
    assert list(desk.out.iterdir()) == made


def test_a_list_of_other_files_is_not_followed(desk: Desk) -> None:
    secret = desk.clip("secret", [RED] * 12)
    playlist = desk.directory / "list.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {desk.paths[secret.sha256 or ''].name}\n")
    refused(desk, "last-frame", "video cannot be read", "video", video=desk.stored(playlist))
    assert FORMATS == _probe.FORMATS, "what is opened here is what the prober opens"


def test_a_place_that_cannot_be_written_is_said(desk: Desk) -> None:
    with pytest.raises(EditError, match=r"last-frame: .*nowhere/made\.png cannot be written"):
        desk.run("last-frame", name="nowhere/made", video=desk.clip("a", [RED] * 5))


def test_nothing_optional_is_loaded_before_an_edit_runs() -> None:
    code = "import sys, aggregator.editing; print([n for n in ('av', 'PIL', 'numpy') if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("library", ["av", "PIL", "numpy"])
def test_a_library_that_is_missing_is_named_with_its_extra(library: str) -> None:
    code = f"""
import sys
from pathlib import Path
sys.modules[{library!r}] = None
from aggregator.editing import EDITS, run_edit
from aggregator.errors import ConfigurationError
from aggregator.inputs import Media
try:
    run_edit(EDITS["last-frame"](video=Media(sha256="0" * 64, mime_type="video/mp4")), {{}}, Path("x"))
except ConfigurationError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert out.stdout.startswith(f"last-frame needs {library}")
    assert 'pip install "aggregator[local]"' in out.stdout


PEAK = """
import sys
from pathlib import Path
from tests.editing.media import *

seconds, task, directory = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
desk = Desk(directory)
size = (192, 144)
clip = desk.stored(directory / f"{seconds}.mp4")
silent = desk.stored(directory / f"{seconds} silent.mp4")
sound = desk.stored(directory / f"{seconds}.wav")
picture = desk.picture("picture", Image.new("RGB", size, RED))
fields = {
    "trim": {"clip": clip, "start_s": 0.5},
    "concatenate": {"clips": [silent, silent], "crossfade_s": 1},
    "mux-sound": {"video": clip, "audio": sound, "keep_sound": True, "fit": "loop"},
    "mix": {"tracks": [sound, sound], "starts_s": [0, 1]},
    "colour-match": {"picture": silent, "reference": picture},
    "captions": {"video": silent, "text": "words"},
    "hold": {"image": picture, "duration_s": seconds, "fps": 12, "push_in": 0.1},
    "last-frame": {"video": silent},
}[task]
desk.run(task, **fields)
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
"""


@pytest.fixture(scope="module")
def lengths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lengths")
    desk = Desk(directory)
    for seconds in (5, 60):
        colours = [(number % 200, 90, 90) for number in range(seconds * 12)]
        desk.clip(str(seconds), colours, size=(192, 144), fps=12, tone_hz=440)
        desk.clip(f"{seconds} silent", colours, size=(192, 144), fps=12)
        desk.sound(str(seconds), clicks(120, seconds))
    return directory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells how much memory was used at most")
@pytest.mark.parametrize(
    "task",
    ["trim", "concatenate", "mux-sound", "mix", "colour-match", "captions", "hold", "last-frame"],
)
def test_memory_does_not_grow_with_length(lengths: Path, tmp_path: Path, task: str) -> None:
    """A minute of this is 30 MB of frames and 23 MB of samples: whoever gathers them is seen."""
    peaks = []
    for seconds in (5, 60):
        directory = tmp_path / str(seconds)
        directory.mkdir()
        for suffix in (".mp4", " silent.mp4", ".wav"):
            (directory / f"{seconds}{suffix}").symlink_to(lengths / f"{seconds}{suffix}")
        command = [sys.executable, "-c", PEAK, str(seconds), task, str(directory)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MALLOC_ARENA_MAX": "1"}
        out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
        peaks.append(int(out.stdout) / 1024)
    assert peaks[1] < peaks[0] + 10, f"{peaks} MB"
