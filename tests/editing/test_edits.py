"""The models: what they take, what they say of themselves, and what they refuse before any file is opened."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator._probe import probe
from aggregator.editing import EDITS, edit_from_json
from aggregator.errors import RequestError
from aggregator.inputs import Media
from tests.editing.cases import of_every_kind
from tests.editing.media import MIME_TYPES, RED, Desk

CLIP = Media(sha256="a" * 64, mime_type="video/mp4", width=641, height=480, duration_s=4.0, fps=24.0)
SHORT = Media(sha256="b" * 64, mime_type="video/mp4", width=320, height=320, duration_s=2.5, fps=30.0)
SOUND = Media(sha256="c" * 64, mime_type="audio/wav", duration_s=3.0)
PICTURE = Media(sha256="d" * 64, mime_type="image/png", width=400, height=200)
UNPROBED = Media(sha256="e" * 64, mime_type="video/mp4")


def test_every_edit_is_known_by_its_name_and_says_what_its_inputs_take(desk: Desk) -> None:
    cases = of_every_kind(desk)
    assert {task for task, _ in cases} == set(EDITS)
    for task, fields in cases:
        edit = desk.edit(task, **fields)
        assert set(edit.kinds) == {field for field, _ in edit.media()}
        for field, media in edit.media():
            assert media.mime_type is not None
            assert media.mime_type.split("/")[0] in edit.kinds[field]


def test_what_is_expected_is_what_comes_out(desk: Desk) -> None:
    for task, fields in of_every_kind(desk):
        edit = desk.edit(task, **fields)
        made = desk.run(task, **fields)
        facts = {"mime_type": MIME_TYPES[made.suffix], **probe(str(made))}
        expected = edit.expected()
        assert edit.makes() == expected["mime_type"].split("/")[0]
        known = {"mime_type", "width", "height", "duration_s", "fps"} & facts.keys()
        assert set(expected) | ({"duration_s"} if task == "cut-on-beats" else set()) == known
        for name, value in expected.items():
            assert facts[name] == (pytest.approx(value, abs=1 / 24) if name == "duration_s" else value), (task, name)


def test_each_is_read_back_from_its_json(desk: Desk) -> None:
    for task, fields in of_every_kind(desk):
        edit = desk.edit(task, **fields)
        written = json.loads(json.dumps(edit.as_json()))
        assert written["task"] == task
        assert edit_from_json(written) == edit
        assert edit_from_json(written).as_json() == edit.as_json()


def test_inputs_in_a_list_are_seen_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not looked into yet")
    edit = EDITS["concatenate"](clips=[path, SHORT])
    (field, first), (_, second) = edit.media()
    assert (field, first.source, second) == ("clips", path, SHORT)
    stored = edit.replace_media({id(first): CLIP})
    assert [media for _, media in stored.media()] == [CLIP, SHORT]


@pytest.mark.parametrize(
    ("task", "fields", "expected"),
    [
        ("concatenate", {"clips": [CLIP, SHORT], "crossfade_s": 0.5}, {"width": 642, "height": 480, "duration_s": 6.0}),
        ("concatenate", {"clips": [CLIP, UNPROBED]}, {"width": 642, "height": 480, "fps": 24.0}),
        ("trim", {"clip": UNPROBED, "start_s": 1, "duration_s": 2}, {"duration_s": 2.0}),
        ("trim", {"clip": UNPROBED, "start_s": 1}, {}),
        ("trim", {"clip": SOUND, "start_s": 1}, {"mime_type": "audio/wav", "duration_s": 2.0}),
        ("mux-sound", {"video": CLIP, "audio": SOUND}, {"duration_s": 4.0}),
        ("mux-sound", {"video": CLIP, "audio": SOUND, "fit": "shortest"}, {"duration_s": 3.0}),
        ("mix", {"tracks": [SOUND, SOUND], "starts_s": [0, 1.5]}, {"mime_type": "audio/wav", "duration_s": 4.5}),
        ("resize", {"picture": CLIP, "height": 101}, {"width": 136, "height": 102}),
        ("resize", {"picture": PICTURE, "height": 101}, {"mime_type": "image/png", "width": 202, "height": 101}),
        ("resize", {"picture": UNPROBED, "height": 101}, {"height": 102}),
        ("cut-on-beats", {"clips": [CLIP, SHORT], "music": SOUND}, {"width": 642, "height": 480, "fps": 24.0}),
        ("last-frame", {"video": CLIP}, {"mime_type": "image/png", "width": 641, "height": 480}),
        ("hold", {"image": PICTURE, "duration_s": 3}, {"width": 400, "height": 200, "duration_s": 3.0, "fps": 24.0}),
    ],
)
def test_what_is_expected_follows_from_what_is_known(
    task: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    said = EDITS[task](**fields).expected()
    assert said.items() >= expected.items()
    if UNPROBED in fields.values():
        assert said == {"mime_type": "video/mp4", **expected}


def test_what_is_made_of_an_input_of_unknown_kind_is_not_guessed(tmp_path: Path) -> None:
    unknown = Media(sha256="f" * 64)
    with pytest.raises(RequestError, match="clip is of an unknown kind, it takes video or audio"):
        EDITS["trim"](clip=unknown, start_s=1).makes()
    with pytest.raises(RequestError, match="picture is audio, it takes image or video"):
        EDITS["resize"](picture=SOUND, width=64).makes()
    named = tmp_path / "voice.wav"
    named.write_bytes(b"by its name")
    assert EDITS["trim"](clip=named, start_s=1).makes() == "audio"


@pytest.mark.parametrize(
    ("task", "fields", "complaint"),
    [
        ("trim", {"clip": CLIP, "start_s": 2, "end_s": 1}, "end_s 1 is not after start_s 2"),
        ("trim", {"clip": CLIP, "start_s": 1, "end_s": 1}, "end_s 1 is not after start_s 1"),
        ("trim", {"clip": CLIP, "end_s": 1, "duration_s": 1}, "end_s or duration_s, not both"),
        ("trim", {"clip": CLIP}, "nothing to cut off"),
        ("trim", {"clip": CLIP, "duration_s": 0}, "duration_s: .*greater than 0"),
        ("concatenate", {"clips": []}, "clips: .*at least 1 item"),
        ("mix", {"tracks": []}, "tracks: .*at least 1 item"),
        ("mix", {"tracks": [SOUND], "volumes_db": [0, 0]}, "1 tracks and 2 volumes_db"),
        ("mix", {"tracks": [SOUND, SOUND], "starts_s": [1]}, "2 tracks and 1 starts_s"),
        ("resize", {"picture": CLIP}, "give width, height, or both"),
        ("captions", {"video": CLIP}, "give captions"),
        ("captions", {"video": CLIP, "text": "a", "captions": [(0, 1, "b")]}, "give captions"),
        ("captions", {"video": CLIP, "captions": [(2, 1, "b")]}, "'b' ends at 1 s, which is not after 2 s"),
        ("contact-sheet", {"pictures": [CLIP], "labels": ["a", "b"]}, "1 pictures and 2 labels"),
        ("contact-sheet", {"pictures": []}, "pictures: .*at least 1 item"),
        ("hold", {"image": PICTURE, "duration_s": 0}, "duration_s: .*greater than 0"),
        ("mux-sound", {"video": CLIP, "audio": SOUND, "fit": "squeeze"}, "fit: .*'video', 'shortest' or 'loop'"),
        ("first-frame", {"video": CLIP, "at_s": 1}, r"at_s: unknown parameter. It takes video\.$"),
    ],
)
def test_fields_that_cannot_be_are_refused_at_once(task: str, fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint):
        EDITS[task](**fields)


def test_an_edit_is_the_same_request_when_its_fields_are(desk: Desk) -> None:
    clip = desk.clip("a", [RED] * 24)
    assert EDITS["trim"](clip=clip, end_s=0.5) == EDITS["trim"](clip=clip, start_s=0, end_s=0.5)
    assert EDITS["trim"](clip=clip, end_s=0.5).with_(end_s=0.75).values()["end_s"] == 0.75
