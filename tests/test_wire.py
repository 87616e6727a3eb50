"""Building a body and reading an answer: pure, so every rule is tried directly."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import errors
from aggregator._build import build_body, call_request, fill
from aggregator._paths import find, first, place
from aggregator._results import Delivery, read_result
from aggregator._wire import capture, code_of, error_of, message_of, read_status, retry_after_s
from aggregator.contract import Auth, Call, Codes, Endpoint, Files, HttpResponse, Meter, Provider, State, Status, To
from aggregator.inputs import Media
from aggregator.tasks import ImageToVideo, Lora, Reference, Request, TextToImage, TextToSpeech, TextToVideo

PLAIN = Provider(
    name="plain",
    docs="",
    checked="2026-11-21",
    base_url="http://plain.example/v1/",
    auth=Auth(env=()),
    submit=Call("POST", "/jobs", {"id": "data.id"}),
    status=Status("state", {"ok": State.SUCCEEDED, "bad": State.FAILED, "off": State.CANCELED}, error="why"),
    tasks={},
    codes=Codes(("error.code", "errors[].code"), {"safety": "content_policy", "safety.face": "invalid_request"}),
)
NESTED = Provider(**{**{name: getattr(PLAIN, name) for name in PLAIN.__slots__}, "input_path": "input.data"})


def built(endpoint: Endpoint, request: Request, options: Any = None, provider: Provider = PLAIN, **names: str) -> Any:
    return build_body(provider, endpoint, request, names=names, media=lambda _name, media: media.url, options=options)


# ---------------------------------------------------------------------------------------------------------- building


def test_zero_and_false_are_sent_and_none_is_not() -> None:
    endpoint = Endpoint({"prompt": "prompt", "seed": "seed", "audio": "audio", "fps": "fps", "negative_prompt": "no"})
    request = TextToVideo(prompt="x", seed=0, audio=False, fps=None, negative_prompt="")
    assert built(endpoint, request) == {"prompt": "x", "seed": 0, "audio": False, "no": ""}


def test_a_field_that_is_not_mapped_is_refused_by_name() -> None:
    with pytest.raises(errors.UnsupportedFieldError, match="plain does not take seed here") as caught:
        built(Endpoint({"prompt": "prompt", "fps": "fps"}), TextToVideo(prompt="x", seed=0))
    assert caught.value.supported == ("fps", "prompt")


@pytest.mark.parametrize(
    ("target", "field", "value", "expected"),
    [
        ("duration", "duration_s", 5.0, {"duration": 5}),
        ("duration", "duration_s", 2.5, {"duration": 2.5}),
        (To("duration", form="{:g}s"), "duration_s", 8.0, {"duration": "8s"}),
        (To("duration", form="{:g}s"), "duration_s", 2.5, {"duration": "2.5s"}),
        (To("d", values={"5": "short", "10": "long"}), "duration_s", 10.0, {"d": "long"}),
        (To("d", values={"16:9": 0}), "aspect_ratio", "16:9", {"d": 0}),
        (To("d", listed=True), "seed", 0, {"d": [0]}),
        (To("w h"), "size", (640, 480), {"w": 640, "h": 480}),
        (To("size.w size.h"), "size", "640x480", {"size": {"w": 640, "h": 480}}),
        (To("size", form="{}*{}"), "size", (640, 480), {"size": "640*480"}),
        ("size", "size", (640, 480), {"size": [640, 480]}),
        (To("a.b.c"), "seed", 1, {"a": {"b": {"c": 1}}}),
        (To("r", cast=lambda value: [value, 1]), "seed", 3, {"r": [3, 1]}),
    ],
)
def test_a_value_is_written_as_the_table_says(target: Any, field: str, value: Any, expected: Any) -> None:
    body = built(Endpoint({"prompt": "prompt", field: target}), TextToVideo(prompt="x", **{field: value}))
    assert body == {"prompt": "x", **expected}
    assert json.dumps(body, sort_keys=True) == json.dumps({"prompt": "x", **expected}, sort_keys=True)  # 5, not 5.0


def test_a_value_that_is_not_in_the_table_is_refused_with_those_that_are() -> None:
    endpoint = Endpoint({"prompt": "p", "duration_s": To("d", values={"5": 5, "10": 10})})
    with pytest.raises(errors.UnsupportedFieldError, match="duration_s=7: one of 5, 10") as caught:
        built(endpoint, TextToVideo(prompt="x", duration_s=7))
    assert caught.value.supported == ("5", "10")


def test_a_value_of_the_wrong_number_of_parts_is_refused() -> None:
    with pytest.raises(errors.RequestError, match="does not fill 'a b'"):
        built(Endpoint({"prompt": "p", "seed": "a b"}), TextToVideo(prompt="x", seed=1))


def test_inputs_references_and_parts_are_written() -> None:
    endpoint = Endpoint(
        {"image": "image.url", "references": "refs", "loras": "loras", "last_image": To("tail", listed=True)}
    )
    request = ImageToVideo(
        image="https://a/1.png",
        last_image="https://a/2.png",
        references=[Reference(image="https://a/3.png"), Reference(image="https://a/4.png")],
        loras=[Lora(weights="w")],
    )
    assert built(endpoint, request) == {
        "image": {"url": "https://a/1.png"},
        "tail": ["https://a/2.png"],
        "refs": ["https://a/3.png", "https://a/4.png"],
        "loras": [{"weights": "w", "scale": 1.0}],
    }


def test_fixed_values_may_be_templates_paths_and_objects() -> None:
    endpoint = Endpoint({"prompt": "in.text"}, {"model": "{model}", "in.n": 1, "in.off": False, "opts": {"a": [1]}})
    body = built(endpoint, TextToImage(prompt="x"), model="m-1")
    assert body == {"model": "m-1", "in": {"n": 1, "off": False, "text": "x"}, "opts": {"a": [1]}}


def test_a_fixed_value_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(errors.ResponseFormatError, match=r"nothing is known for \{model\}"):
        built(Endpoint({"prompt": "p"}, {"m": "{model}"}), TextToImage(prompt="x"))


def test_objects_are_merged_at_every_depth() -> None:
    endpoint = Endpoint(
        {"text": "text", "voice": "a.b.voice", "speed": "a.b.speed"}, {"a.b.rate": 44100, "a.c": True, "a.b.pitch": 0}
    )
    body = built(endpoint, TextToSpeech(text="x", voice="v"), {"a.b.vol": 2})
    assert body == {"text": "x", "a": {"b": {"rate": 44100, "pitch": 0, "vol": 2, "voice": "v"}, "c": True}}


def test_fixed_values_below_the_input_path_stay() -> None:
    endpoint = Endpoint({"prompt": "prompt"}, {"input.data.n": 1, "input.mode": "fast", "model": "m"})
    body = built(endpoint, TextToImage(prompt="x"), {"extra": 1}, NESTED)
    assert body == {"model": "m", "input": {"mode": "fast", "data": {"n": 1, "prompt": "x", "extra": 1}}}


def test_building_does_not_write_into_the_table_or_the_options() -> None:
    fixed: dict[str, Any] = {"voice": {"rate": 1}, "voice.pitch": 2}
    options: dict[str, Any] = {"more": {"a": 1}, "more.b": 2}
    endpoint = Endpoint({"text": "text", "voice": "voice.id"}, fixed)
    for voice in ("anna", "bert"):
        body = built(endpoint, TextToSpeech(text="x", voice=voice), options)
        assert body["voice"] == {"rate": 1, "pitch": 2, "id": voice}
    assert "voice" not in built(endpoint, TextToSpeech(text="x"))["voice"]
    assert "id" not in built(endpoint, TextToSpeech(text="x"))["voice"]
    assert fixed == {"voice": {"rate": 1}, "voice.pitch": 2}
    assert options == {"more": {"a": 1}, "more.b": 2}


@pytest.mark.parametrize("path", ["duration", "size", "size.w", "size.w.x", "n", "in", "in.a", "in.a.b"])
def test_an_option_may_not_touch_what_is_mapped_or_fixed(path: str) -> None:
    endpoint = Endpoint({"prompt": "p", "duration_s": "duration", "size": To("size.w size.h")}, {"n": 1, "in.a": 2})
    with pytest.raises(errors.RequestError, match=r"provider_options\['plain'\] may not set"):
        built(endpoint, TextToVideo(prompt="x"), {path: 4})


@pytest.mark.parametrize(("path", "refused"), [("prompt", True), ("n", True), ("n.x", True), ("other", False)])
def test_options_are_compared_below_the_input_path(path: str, refused: bool) -> None:
    endpoint = Endpoint({"prompt": "prompt"}, {"input.data.n": 1, "other": 2})
    if refused:
        with pytest.raises(errors.RequestError):
            built(endpoint, TextToImage(prompt="x"), {path: 4}, NESTED)
    else:
        assert built(endpoint, TextToImage(prompt="x"), {path: 4}, NESTED)["input"]["data"][path] == 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal(1), b"x", {1, 2}, "\ud800", [object()]])
def test_an_option_that_is_no_json_is_refused_by_name(value: Any) -> None:
    with pytest.raises(errors.RequestError, match=r"provider_options\['plain'\]: 'extra' cannot be written"):
        built(Endpoint({"prompt": "p"}), TextToImage(prompt="x"), {"extra": value})


@pytest.mark.parametrize("path", ["", ".", "a..b", "a."])
def test_an_option_without_a_proper_path_is_refused(path: str) -> None:
    with pytest.raises(errors.RequestError, match="not a dotted path"):
        built(Endpoint({"prompt": "p"}), TextToImage(prompt="x"), {path: 1})


def test_an_option_that_goes_through_a_value_is_refused() -> None:
    with pytest.raises(errors.RequestError, match="already holds a value"):
        built(Endpoint({"prompt": "p"}), TextToImage(prompt="x"), {"a": 1, "a.b": 2})


# --------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("template", "names", "url"),
    [
        ("/jobs/{id}", {"id": "a%2Fb"}, "http://plain.example/v1/jobs/a%2Fb"),
        ("{status_url}?logs=0", {"status_url": "https://q.example/s"}, "https://q.example/s?logs=0"),
        ("/jobs/{id}", {"id": "http://a/../x?y"}, "http://plain.example/v1/jobs/http%3A%2F%2Fa%2F..%2Fx%3Fy"),
        ("/{endpoint}", {"endpoint": "fal-ai/veo3.1"}, "http://plain.example/v1/fal-ai/veo3.1"),
    ],
)
def test_an_address_begins_a_url_and_an_id_stays_inside_it(template: str, names: dict[str, str], url: str) -> None:
    assert call_request(PLAIN, Call("GET", template), names).url == url


def test_a_name_that_was_never_captured_is_named() -> None:
    with pytest.raises(errors.ResponseFormatError, match=r"nothing is known for {id} in '/jobs/{id}'"):
        fill("/jobs/{id}", {"other": "1"})


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        (0, "0"),
        (17, "17"),
        ("abc-1_2.3~", "abc-1_2.3~"),
        ("../x?y", "..%2Fx%3Fy"),
        ("https://q.example/a/b?c=d", "https://q.example/a/b?c=d"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("http:nothing", "http%3Anothing"),
    ],
)
def test_what_is_captured_is_quoted_unless_it_is_an_address(value: Any, captured: str) -> None:
    assert capture(PLAIN, PLAIN.submit.capture, {"data": {"id": value}}) == {"id": captured}


@pytest.mark.parametrize("value", [None, "", ".", "..", "...", True, False, [], ["a"], {}, {"a": 1}, "half-\ud800"])
def test_what_names_nothing_is_not_captured(value: Any) -> None:
    with pytest.raises(errors.ResponseFormatError, match=r"without 'data\.id'") as caught:
        capture(PLAIN, PLAIN.submit.capture, {"data": {"id": value}})
    assert caught.value.accepted is None


# ------------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("zero", [0]),
        ("no", [False]),
        ("blank", [""]),
        ("none", []),
        ("a.b", [1]),
        ("list.0", [{"u": 1}]),
        ("list.9", []),
        ("list.-1", []),
        ("list[].u", [1, 0]),
        ("list[]", [{"u": 1}, {"u": 0}, {"v": 2}]),
        ("deep[].in[].x", [1, 2]),
        ("a[]", []),
        ("a.b.c", []),
        ("missing.x", []),
    ],
)
def test_paths_find_every_value_falsy_ones_too(path: str, found: list[Any]) -> None:
    value = {
        "zero": 0,
        "no": False,
        "blank": "",
        "none": None,
        "a": {"b": 1},
        "list": [{"u": 1}, {"u": 0}, {"v": 2}],
        "deep": [{"in": [{"x": 1}]}, {"in": [{"x": 2}, {"x": None}]}, {}],
    }
    assert find(value, path) == found
    assert first(value, path) == (found[0] if found else None)


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5), st.integers() | st.booleans())
def test_what_is_placed_is_found(parts: list[str], value: Any) -> None:
    body: dict[str, Any] = {}
    place(body, ".".join(parts), value)
    assert find(body, ".".join(parts)) == [value]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_answer_breaks_the_reader(body: Any) -> None:
    with pytest.raises(errors.ResponseFormatError):
        read_status(PLAIN, {"state": body})
    with pytest.raises(errors.ResponseFormatError):
        capture(PLAIN, PLAIN.submit.capture, {"data": {"id": [body]}})
    response = HttpResponse(500, {}, json.dumps(body).encode())
    assert error_of(PLAIN, response, accepted=None, doing="x").status_code == 500


# ----------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("body", "code", "kind"),
    [
        ({"error": {"code": "safety"}}, "safety", "content_policy"),
        ({"error": {"code": "safety.text.hate"}}, "safety.text.hate", "content_policy"),
        ({"error": {"code": "safety.face.child"}}, "safety.face.child", "invalid_request"),
        ({"error": {"code": "safetyx"}}, "safetyx", None),
        ({"errors": [{"code": "new"}, {"code": "safety"}]}, "safety", "content_policy"),
        ({"errors": [{"code": "new"}, {"code": 7}]}, "new", None),
        ({}, None, None),
    ],
)
def test_a_code_means_itself_or_its_dotted_prefix(body: Any, code: str | None, kind: str | None) -> None:
    assert code_of(PLAIN, body) == (code, kind)


def test_the_body_is_read_before_the_status_is_believed() -> None:
    response = HttpResponse(500, {"retry-after": "2"}, b'{"error": {"code": "safety", "message": "no"}}')
    error = error_of(PLAIN, response, accepted=True, doing="polling")
    assert type(error) is errors.ContentPolicyError
    assert (error.code, error.status_code, error.accepted, error.retry_after_s) == ("safety", 500, True, 2.0)


def test_a_long_message_is_cut_and_raw_bytes_are_shown_where_there_is_no_message() -> None:
    assert len(message_of(PLAIN, {"message": "x" * 10_000})) == 500
    assert message_of(PLAIN, None, b"\xff<html>") == "�<html>"


@pytest.mark.parametrize(("value", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("1e999", None), ("x", None)])
def test_retry_after_is_a_finite_number_of_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}) == seconds


@pytest.mark.parametrize(
    ("progress", "position", "read"),
    [
        (0, 0, (0.0, 0)),
        (0.5, 3, (0.5, 3)),
        (10**400, True, (None, None)),
        ("50%", "1", (None, None)),
        (7, 1.5, (None, None)),
    ],
)
def test_progress_and_position_are_numbers_or_nothing(progress: Any, position: Any, read: Any) -> None:
    status = Status("state", {"ok": State.RUNNING}, progress="p", position="q")
    provider = Provider(**{**{name: getattr(PLAIN, name) for name in PLAIN.__slots__}, "status": status})
    reading = read_status(provider, {"state": "ok", "p": progress, "q": position})
    assert (reading.progress, reading.position) == read


def test_what_was_reported_is_read_exactly() -> None:
    endpoint = Endpoint(files=Files("out", "image/*"), meters=(Meter("megapixel", "request.size", "usage.mp"),))
    delivery = read_result(PLAIN, endpoint, {"out": "u", "usage": {"mp": 0.1}}, {})
    assert delivery.reported == {"megapixel": Decimal("0.1")}
    assert Delivery.from_json(json.loads(json.dumps(delivery.as_json()))) == delivery


@pytest.mark.parametrize("value", ["many", -1, "NaN", "Infinity", {}, True])
def test_a_quantity_that_is_none_is_loud(value: Any) -> None:
    endpoint = Endpoint(files=Files("out", "image/*"), meters=(Meter("megapixel", "request.size", "mp"),))
    with pytest.raises(errors.ResponseFormatError, match="not a quantity"):
        read_result(replace(PLAIN, poll=Call("GET", "/jobs/{id}")), endpoint, {"out": "u", "mp": value}, {})


def test_a_media_is_what_the_caller_makes_of_it() -> None:
    body = build_body(
        PLAIN,
        Endpoint({"image": "image"}),
        ImageToVideo(image=Media(sha256="0" * 64)),
        names={},
        media=lambda _name, media: f"data:{media.sha256}",
    )
    assert body == {"image": f"data:{'0' * 64}"}


def test_seconds_are_written_as_so_many_frames():
    film = TextToVideo(prompt="a fox", duration_s=5.0625, fps=24)
    by_rate = Endpoint({"prompt": "prompt", "duration_s": To("length", times=16), "fps": "rate"})
    by_field = Endpoint({"prompt": "prompt", "duration_s": To("length", times="fps"), "fps": "rate"})
    assert built(by_rate, film) == {"prompt": "a fox", "length": 81, "rate": 24}
    assert built(by_field, film.with_(duration_s=2)) == {"prompt": "a fox", "length": 48, "rate": 24}
    with pytest.raises(errors.RequestError, match="duration_s=2 is counted by fps: give that too"):
        built(by_field, TextToVideo(prompt="a fox", duration_s=2))
