"""Forms, as real clients send them."""

import httpx
import pytest

from aggregator.testing.emulator.forms import FormPart, read_form

RAW = bytes(range(256)) + b"\r\n--\r\n\r\n--boundary?\n"


def form(**given):
    request = httpx.Request("POST", "http://x", **given)
    return read_form(request.headers["content-type"], request.read())


def test_texts_and_files_arrive_as_they_were() -> None:
    parts = form(
        data={"prompt": "ein Füchslein", "empty": "", "list[]": ["a", "b"]},
        files=[("image", ("fox.png", RAW, "image/png")), ("image", ("", b"2", None))],
    )
    assert parts["prompt"] == [FormPart("prompt", "ein Füchslein".encode())]
    assert [part.text for part in parts["list[]"]] == ["a", "b"]
    assert parts["empty"][0].text == ""
    assert parts["image"][0] == FormPart("image", RAW, "fox.png", "image/png")
    assert parts["image"][1].content == b"2"


def test_plain_forms_too() -> None:
    assert form(data={"a": "1 & 2", "b": ""}) == {"a": [FormPart("a", b"1 & 2")], "b": [FormPart("b", b"")]}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", ""])
def test_what_is_no_form_has_no_parts(kind: str) -> None:
    assert read_form(kind, b"--x\r\n\r\n1\r\n--x--") == {}


def test_boundaries_may_be_quoted() -> None:
    body = b'--a b\r\nContent-Disposition: form-data; name="q\\"q"\r\n\r\n1\r\n--a b--\r\n'
    assert read_form('multipart/form-data; boundary="a b"', body) == {'q"q': [FormPart('q"q', b"1")]}
