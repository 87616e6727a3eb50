"""Requests: what is understood, what is refused and how it is said, and that all of them can be written down."""

import inspect
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aggregator.errors import AggregatorError, RequestError
from aggregator.inputs import Media
from aggregator.tasks import (
    TASKS,
    FrameInterpolation,
    ImageToImage,
    ImageToVideo,
    LipSync,
    Lora,
    Reference,
    Request,
    TextToImage,
    TextToSpeech,
    TextToVideo,
    request_from_json,
)

IMAGE = Media(sha256="0" * 64, mime_type="image/png", size_bytes=3, job_id="j-1", width=2, height=1)
URL = "https://a.example/x.mp4"
VALUES: dict[str, Any] = {
    "prompt": "a fox 🦊",
    "text": "hello",
    "image": IMAGE,
    "last_image": URL,
    "mask": URL,
    "video": URL,
    "audio": URL,
    "references": (Reference(image=URL), Reference(image=IMAGE, role="style")),
    "loras": (Lora(weights="w", scale=0.0), Lora(weights="v")),
    "size": (640, 480),
    "seed": 0,
    "negative_prompt": "",
    "strength": 0.0,
    "factor": 2.0,
    "duration_s": 5.0,
    "fps": 24.0,
    "camera": "push-in",
    "voice": "anna",
    "language": "pt-BR",
    "speed": 1.5,
    "lyrics": "la",
    "resolution": "720p",
    "aspect_ratio": "16:9",
}


def given_to(cls: type[Request]) -> dict[str, Any]:
    """Every field the task has, with a value."""
    values = {name: VALUES[name] for name in cls.model_fields if name in VALUES}
    if "size" in values:
        del values["resolution"], values["aspect_ratio"]
    if "audio" in values and cls.model_fields["audio"].annotation == bool | None:
        values["audio"] = False
    if "format" in cls.model_fields:
        values["format"] = "wav" if "voice" in values or not {"image", "size"} & set(values) else "webp"
    if cls in (FrameInterpolation, LipSync):
        del values["video"]
    return values


@pytest.mark.parametrize("cls", TASKS.values(), ids=list(TASKS))
def test_every_request_survives_json_with_all_its_fields(cls: type[Request]) -> None:
    request = cls(**given_to(cls))
    written = request.as_json()
    assert written["task"] == cls.task
    again = request_from_json(json.loads(json.dumps(written)))
    assert type(again) is cls
    assert again == request
    assert again.as_json() == written
    assert set(written) - {"task"} == set(given_to(cls))
    assert again.values() == request.values()


@given(
    st.fixed_dictionaries(
        {"prompt": st.text(min_size=1, max_size=50)},
        optional={
            "seed": st.integers(0, 2**63 - 1),
            "duration_s": st.floats(0.001, 3600),
            "fps": st.floats(0.001, 240),
            "audio": st.booleans(),
            "size": st.tuples(st.integers(1, 16384), st.integers(1, 16384)),
            "negative_prompt": st.text(max_size=20),
        },
    )
)
def test_whatever_is_accepted_survives_json(values: dict[str, Any]) -> None:
    request = TextToVideo(**values)
    assert request_from_json(json.loads(json.dumps(request.as_json()))) == request


@pytest.mark.parametrize("cls", TASKS.values(), ids=list(TASKS))
def test_an_unknown_parameter_is_refused_by_name_with_those_that_are_known(cls: type[Request]) -> None:
    with pytest.raises(RequestError) as caught:
        cls(**given_to(cls), widht=3)
    assert f"{cls.__name__}: widht: unknown parameter" in str(caught.value)
    assert ", ".join(cls.model_fields) in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("cls", TASKS.values(), ids=list(TASKS))
def test_a_missing_parameter_is_refused_by_name(cls: type[Request]) -> None:
    needed = [name for name, field in cls.model_fields.items() if field.is_required()]
    for name in needed:
        values = {key: value for key, value in given_to(cls).items() if key != name}
        with pytest.raises(RequestError, match=rf"{cls.__name__}: .*{name}"):
            cls(**values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", None),
        ("prompt", 7),
        ("prompt", "x" * 100_001),
        ("prompt", "\ud800"),
        ("size", "640"),
        ("size", "0x480"),
        ("size", (640,)),
        ("size", (640, 480, 3)),
        ("size", (640, 100_000)),
        ("size", "９９９９９９x1"),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 1.5),
        ("seed", "abc"),
        ("duration_s", 0),
        ("duration_s", -1),
        ("duration_s", float("nan")),
        ("duration_s", float("inf")),
        ("duration_s", 3601),
        ("fps", 0),
        ("fps", 241),
        ("resolution", "high"),
        ("resolution", "720"),
        ("aspect_ratio", "16/9"),
        ("aspect_ratio", "wide"),
        ("camera", "dolly"),
        ("audio", "perhaps"),
        ("references", [3]),
        ("loras", "w"),
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(field: str, value: Any) -> None:
    with pytest.raises(RequestError) as caught:
        TextToVideo(**{"prompt": "x", field: value})
    assert f"{field}: " in str(caught.value)
    assert not isinstance(caught.value, ValidationError)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("references", [{"image": "/no/such/file.png"}], "Reference: image: no file at"),
        ("references", [{"image": b"x", "role": "hat"}], "Reference: role: "),
        ("loras", [{"scale": 1}], "Lora: weights: "),
    ],
)
def test_nonsense_inside_a_part_is_refused_with_the_name_of_its_field(field: str, value: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        TextToVideo(**{"prompt": "x", field: value})


@pytest.mark.parametrize(
    "value", ["/no/such/file.png", b"", "ftp://a/b", "file:///etc/passwd", 3, None, {"a": 1}, "", "."]
)
def test_an_input_that_is_none_is_refused_with_the_name_of_the_field(value: Any) -> None:
    with pytest.raises(RequestError, match=r"^ImageToVideo: image: "):
        ImageToVideo(image=value)


@pytest.mark.parametrize("size", ["640x480", "640 x 480", "640×480", (640, 480), [640, 480]])
def test_a_size_may_be_written_in_several_ways(size: Any) -> None:
    assert TextToImage(prompt="x", size=size).size == (640, 480)


@pytest.mark.parametrize("other", [{"resolution": "720p"}, {"aspect_ratio": "16:9"}])
def test_size_excludes_resolution_and_ratio(other: dict[str, str]) -> None:
    with pytest.raises(RequestError, match="give size, or resolution and aspect_ratio, not both"):
        TextToVideo(prompt="x", size=(640, 480), **other)


@pytest.mark.parametrize(
    ("cls", "values", "fits"),
    [
        (FrameInterpolation, {}, False),
        (FrameInterpolation, {"image": URL}, False),
        (FrameInterpolation, {"image": URL, "last_image": URL}, True),
        (FrameInterpolation, {"video": URL}, True),
        (FrameInterpolation, {"video": URL, "image": URL, "last_image": URL}, False),
        (LipSync, {"audio": URL}, False),
        (LipSync, {"audio": URL, "video": URL}, True),
        (LipSync, {"audio": URL, "image": URL}, True),
        (LipSync, {"audio": URL, "image": URL, "video": URL}, False),
    ],
)
def test_inputs_that_exclude_each_other(cls: type[Request], values: dict[str, Any], fits: bool) -> None:
    if fits:
        assert request_from_json(cls(**values).as_json()) == cls(**values)
    else:
        with pytest.raises(RequestError, match=f"^{cls.__name__}: give a video"):
            cls(**values)


def test_a_request_does_not_change() -> None:
    request = TextToSpeech(text="x", speed=1.0)
    with pytest.raises(ValidationError):
        request.text = "y"
    changed = request.with_(text="y", speed=None)
    assert (changed.values(), request.values()) == ({"text": "y"}, {"text": "x", "speed": 1.0})
    with pytest.raises(RequestError, match="speed"):
        request.with_(speed=9)


def test_zero_false_and_empty_text_are_values_and_none_is_not() -> None:
    request = TextToVideo(prompt="x", seed=0, audio=False, negative_prompt="", fps=None)
    assert request.values() == {"prompt": "x", "seed": 0, "audio": False, "negative_prompt": ""}
    assert request.as_json() == {"task": "text-to-video", **request.values()}


def test_every_input_is_found_and_can_be_exchanged() -> None:
    first, second, third = (Media(source=bytes([number])) for number in (1, 2, 3))
    request = ImageToImage(image=first, prompt="x", mask=second, references=[Reference(image=third, role="style")])
    assert [(name, media.source) for name, media in request.media()] == [
        ("image", b"\x01"),
        ("mask", b"\x02"),
        ("references", b"\x03"),
    ]
    stored = {id(media): Media(sha256=str(number) * 64) for number, (_, media) in enumerate(request.media())}
    after = request.replace_media(stored)
    assert [media.sha256 for _, media in after.media()] == ["0" * 64, "1" * 64, "2" * 64]
    assert after.values()["references"][0].role == "style"
    assert request_from_json(json.loads(json.dumps(after.as_json()))) == after


def test_an_input_that_is_not_stored_cannot_be_written() -> None:
    with pytest.raises(AggregatorError, match="not stored yet"):
        ImageToVideo(image=b"bytes").as_json()


@pytest.mark.parametrize("value", [{}, {"task": "text-to-smell"}, {"task": None}, {"task": "text-to-image"}])
def test_json_that_is_no_request_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        request_from_json(value)


def test_every_task_is_registered_under_its_name() -> None:
    concrete = [
        cls for _, cls in inspect.getmembers(inspect.getmodule(Request), inspect.isclass) if "task" in vars(cls)
    ]
    assert {cls.task: cls for cls in concrete} == dict(TASKS)
