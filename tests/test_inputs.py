"""What may be handed in as a picture, a clip or a sound, and what is said of everything else."""

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from aggregator import inputs
from aggregator.errors import RequestError
from aggregator.inputs import Media

PIXEL = b"\x89PNG"


class Earlier:
    """A result of before."""

    def as_media(self) -> Media:
        return Media(sha256="0" * 64, mime_type="image/png", size_bytes=4, job_id="j-1", width=1, height=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    path.write_bytes(PIXEL)
    return path


def test_a_path_is_understood_as_text_and_as_path(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    for given in (file, str(file), "in.png", os.fspath(file)):
        media = Media.of(given)
        assert isinstance(media.source, Path)
        assert media.source.read_bytes() == PIXEL
        assert media.url is None


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_understood_and_copied(kind: Any) -> None:
    given = kind(PIXEL)
    media = Media.of(given)
    if kind is bytearray:
        given[0] = 0
    assert media.source == PIXEL


@pytest.mark.parametrize("url", ["https://a.example/x.png?sig=1#f", "HTTP://a.example/x"])
def test_a_url_stays_as_it_is(url: str) -> None:
    media = Media.of(url)
    assert (media.url, media.source) == (url, None)
    assert media.identity == f"url:{url}"


@pytest.mark.parametrize(
    ("uri", "raw", "mime_type"),
    [
        (f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}", PIXEL, "image/png"),
        ("data:image/svg+xml;charset=utf-8,%3Csvg%3E", b"<svg>", "image/svg+xml"),
        ("data:text/plain;charset=utf-8;base64,YQ==", b"a", "text/plain"),
        ("data:;base64,YQ==", b"a", None),
        ("data:,a", b"a", None),
    ],
)
def test_a_data_uri_is_read(uri: str, raw: bytes, mime_type: str | None) -> None:
    media = Media.of(uri)
    assert (media.source, media.mime_type, media.url) == (raw, mime_type, None)


def test_an_open_file_is_understood(file: Path) -> None:
    with file.open("rb") as opened:
        assert Media.of(opened).source is opened
    memory = io.BytesIO(PIXEL)
    assert Media.of(memory).source is memory


def test_an_earlier_result_is_understood_with_all_that_is_known_of_it() -> None:
    media = Media.of(Earlier())
    assert (media.sha256, media.job_id, media.width, media.mime_type) == ("0" * 64, "j-1", 1, "image/png")
    assert media.identity == f"sha256:{'0' * 64}"
    assert Media.of(media) is media


def test_what_was_written_is_read_again() -> None:
    media = Earlier().as_media()
    assert Media.from_json(json.loads(json.dumps(media.as_json()))) == media
    url = Media.of("https://a.example/x.png")
    assert Media.from_json(json.loads(json.dumps(url.as_json()))) == url


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("/no/such/file.png", "no file at /no/such/file.png"),
        ("no-such-file.png", "relative to"),
        ("", "is not a file"),
        ("/", "is not a file"),
        ("a\0b", "no file at"),
        ("file:///etc/passwd", "give the path itself"),
        ("ftp://a.example/x", "'ftp' URLs are not understood"),
        ("s3://bucket/x", "'s3' URLs are not understood"),
        (b"", "empty"),
        (bytearray(), "empty"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png", "empty"),
        ("data:image/png;base64,@@@", "not valid base64"),
        ("data:image/png;base64,YQ", "not valid base64"),
        (None, "a NoneType is not an input"),
        (3, "a int is not an input"),
        ([b"x"], "a list is not an input"),
        ({}, "not an input"),
        ({"mime_type": "image/png"}, "not an input"),
        ({"url": "https://a", "source": "/etc/passwd"}, "not an input"),
    ],
)
def test_what_is_not_understood_is_said(value: Any, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        Media.of(value)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not (Path(path) == file and mode == os.R_OK))
    with pytest.raises(RequestError, match="cannot be read: check its permissions"):
        Media.of(file)


def test_an_empty_file_is_refused(file: Path) -> None:
    file.write_bytes(b"")
    with pytest.raises(RequestError, match="is empty"):
        Media.of(file)


def test_a_data_uri_that_is_too_long_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_DATA_URI_BYTES", 30)
    assert Media.of("data:," + "a" * 30).source == b"a" * 30
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(RequestError, match="longer than 30 bytes: give a path instead"):
        Media.of("data:;base64," + "a" * 41)


def test_bytes_are_not_written_into_a_journal_or_a_log() -> None:
    media = Media.of(PIXEL)
    assert "PNG" not in repr(media)
    with pytest.raises(RequestError, match="not stored yet"):
        media.as_json()


@pytest.mark.parametrize(
    "value",
    [
        "a" * 5000,
        "data:;base64,é",
        {"sha256": "../../etc/passwd"},
        {"url": "https://example.com/a.png"},
    ],
)
def test_what_looks_like_an_input_and_is_none_is_refused(value: Any) -> None:
    with pytest.raises(RequestError):
        Media.of(value)


@pytest.mark.parametrize(
    "value",
    [{"sha256": "../../etc/passwd"}, {"sha256": 5}, {}, {"url": "x", "sha256": "0" * 64}, {"url": "x", "who": 1}],
)
def test_what_no_journal_wrote_is_not_read(value: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        Media.from_json(value)
