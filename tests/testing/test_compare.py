"""The comparison of two requests: blind to what is named, and to nothing else."""

import httpx
import pytest

from aggregator.testing.emulator.recorder import Recorded
from tests.conformance.compare import same


def recorded(method="POST", path="/v1/x", query="", body=None, files=None, **headers) -> Recorded:
    given = {"files": files} if files else {"json": body} if body is not None else {}
    request = httpx.Request(method, "http://x/", **given)
    told = dict(request.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
    return Recorded("x", method, path, {}, told, request.read(), raw_query=query)


def test_the_same_is_the_same() -> None:
    one = recorded(body={"a": [1, {"b": None}]}, query="a=1&b=2", authorization="Bearer k", user_agent="ours")
    other = recorded(body={"a": [1.0, {"b": None}]}, query="b=2&a=1", authorization="Bearer k", user_agent="theirs")
    assert same(one, other) == []


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"method": "PUT"}, "method: ours 'POST', theirs 'PUT'"),
        ({"path": "/v2/x"}, "path: ours '/v1/x', theirs '/v2/x'"),
        ({"query": "a=1"}, 'query: ours [], theirs [["a", "1"]]'),
        ({"authorization": "Key k"}, "header authorization: ours 'Bearer k', theirs 'Key k'"),
        ({"x_more": "1"}, "header x-more: only theirs, '1'"),
        ({"content_type": "text/json"}, "header content-type: ours 'application/json', theirs 'text/json'"),
        ({"body": {"a": 1, "n": {"b": [True, 2]}}}, "body n b[0]: ours 1, theirs True"),
        ({"body": {"a": 1, "n": {"b": [1]}}}, "body n b: ours [1, 2], theirs [1]"),
        ({"body": {"a": 1, "n": None}}, 'body n: ours {"b": [1, 2]}, theirs None'),
        ({"body": {"n": {"b": [1, 2]}}}, "body a: only ours, 1"),
        ({"body": {"a": 1, "n": {"b": [1, 2]}, "z": None}}, "body z: only theirs, None"),
    ],
)
def test_every_difference_is_said(theirs: dict, said: str) -> None:
    usual = {"body": {"a": 1, "n": {"b": [1, 2]}}, "authorization": "Bearer k"}
    assert same(recorded(**usual), recorded(**(usual | theirs))) == [said]


def test_what_is_named_is_let_pass() -> None:
    one = recorded(body={"prompt": "x", "seed": None, "n": 1, "deep": {"id": 1, "k": 0}}, query="v=1", x_lang="a")
    other = recorded(body={"text": "x", "deep": {"id": 2}, "size": "auto"}, query="v=2", x_lang="b", x_os="c")
    assert len(same(one, other)) == 10
    named = {
        "ignore_headers": ("X-*",),
        "ignore_query": ("v",),
        "ignore_body": ("deep.id", "nowhere.at.all"),
        "they_add": {"size": "auto"},
        "we_add": {"n": 1, "deep.k": 0},
        "drop_nulls": True,
        "rename": {"text": "prompt"},
    }
    assert same(one, other, **named) == []
    for name in named:
        assert same(one, other, **{key: value for key, value in named.items() if key != name}), name


def test_what_is_announced_must_be_there_as_it_was_announced() -> None:
    one, other = recorded(body={"n": 1}), recorded(body={"n": 1})
    assert same(one, other, they_add={"n": 2}, we_add={"m": 1}) == [
        "body: ours was to add m = 1, and does not",
        "body: theirs was to add n = 2, and adds 1",
        "body n: only ours, 1",
    ]


def test_forms_are_compared_part_by_part() -> None:
    parts = [("prompt", (None, "fox")), ("image", ("a.png", b"1", "image/png"))]
    one = recorded(files=parts)
    assert same(one, recorded(files=parts)) == []  # whatever their boundaries
    assert same(one, recorded(files=parts[::-1])) != []
    assert same(one, recorded(files=parts[::-1]), unordered_parts=True) == []
    renamed = [parts[0], ("image", ("b.png", b"1", "image/png"))]
    assert same(one, recorded(files=renamed)) != []
    assert same(one, recorded(files=renamed), ignore_filenames=True) == []
    for changed in (("image", ("a.png", b"2", "image/png")), ("image", ("a.png", b"1", "image/webp"))):
        assert same(one, recorded(files=[parts[0], changed]), ignore_filenames=True) != []
    assert same(one, recorded(files=parts[1:]), ignore_body=("prompt",)) == []
    assert any("part" in line for line in same(one, recorded(body={})))


def test_other_bodies_are_compared_as_bytes() -> None:
    one, other = recorded(body=1), recorded(body=1)
    one.body, other.body = b"RIFF", b"RIFX"
    one.headers["content-type"] = other.headers["content-type"] = "audio/wav"
    assert same(one, other) == ["body: ours b'RIFF', theirs b'RIFX'"]
