"""The file of a bundle: what is signed, and that nothing else is read."""

import json
import re
from datetime import timedelta

import pytest

from aggregator.errors import ConfigurationError, FeedError
from aggregator.registry.bundle import FORMAT, MAX_BYTES, key_bytes, pack, public_text, serial_of, unpack
from aggregator.signing import ed25519_public, ed25519_sign
from tests.feed.publisher import NOW, OTHER, PRIVATE, PUBLIC, Publisher, document

KEYS = [ed25519_public(PRIVATE)]


def refused(data: bytes, reason: str) -> str:
    with pytest.raises(FeedError) as error:
        unpack(data, KEYS, source="feed")
    assert error.value.reason == reason
    assert str(error.value).startswith("feed: ")
    return str(error.value)


def signed(lines: bytes, rest: bytes) -> bytes:
    """Whatever it says, signed with the right key."""
    import base64

    return lines + b"\n" + base64.b64encode(ed25519_sign(PRIVATE, lines)) + b"\n" + rest


def test_what_is_packed_is_read_again(publisher):
    bundle = unpack(publisher.bundle(), KEYS, source="feed")
    assert bundle.catalogue == json.loads(document(publisher.words))
    assert (bundle.head.serial, bundle.head.issued_at) == (1, NOW)
    assert bundle.head.expires_at == NOW + timedelta(days=30)


def test_the_same_is_packed_to_the_same_bytes(publisher):
    one, two = Publisher(publisher.words), Publisher(publisher.words)
    assert one.bundle() == two.bundle()


def test_any_of_several_keys_will_do(publisher):
    data = publisher.bundle(private=OTHER)
    assert unpack(data, [*KEYS, ed25519_public(OTHER)], source="feed").head.serial == 1
    assert "none of the configured keys" in refused(data, "signature")


def test_every_byte_counts(publisher):
    """No byte of the head can be changed, and none of the document."""
    data = publisher.bundle()
    head = len(b"\n".join(data.split(b"\n", 3)[:3]))
    places = [*range(head), *range(head + 1, len(data), 997)]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(FeedError) as error:
            unpack(bytes(changed), KEYS, source="feed")
        assert error.value.reason in ("signature", "malformed", "newer"), place


@pytest.mark.parametrize("kept", [0, 1, 17, 18, 100, 200, 300, 1000, -1])
def test_a_bundle_that_was_cut_short_is_refused(publisher, kept):
    with pytest.raises(FeedError) as error:
        unpack(publisher.bundle()[:kept], KEYS, source="feed")
    assert error.value.reason in ("malformed", "signature")


def test_what_is_longer_than_was_signed_is_refused(publisher):
    assert "not the signed one" in refused(publisher.bundle() + b" ", "malformed")


def test_a_later_format_is_refused_before_anything_else(publisher):
    data = publisher.bundle().replace(b"aggregator-feed 1", f"aggregator-feed {FORMAT + 1}".encode(), 1)
    assert "upgrade the package" in refused(data, "newer")


@pytest.mark.parametrize("first", [b"aggregator-feed 0", b"aggregator-feed 01", b"aggregator-feed 1 ", b"{}", b""])
def test_another_first_line_is_no_feed(publisher, first):
    data = publisher.bundle().split(b"\n", 1)[1]
    refused(first + b"\n" + data, "malformed")


@pytest.mark.parametrize(
    "words",
    [
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"serial":1}',
        b'{"expires_at":"2026-12-21T12:00:00Z","issued_at":"2026-11-21T12:00:00","serial":1,"sha256":"","size_bytes":0}',
        b'{"expires_at":"2026-12-21T12:00:00Z","issued_at":"2026-11-21T12:00:00Z","serial":true,"sha256":"","size_bytes":0}',
        b'{"expires_at":"2026-12-21T12:00:00Z","issued_at":"2026-11-21T12:00:00Z","serial":0,"sha256":"","size_bytes":0}',
        b'{"expires_at":"2026-12-21T12:00:00Z","issued_at":"2026-11-21T12:00:00Z","serial":1e3,"sha256":"","size_bytes":0}',
        b'{"serial":1,"expires_at":"2026-12-21T12:00:00Z","issued_at":"2026-11-21T12:00:00Z","sha256":"","size_bytes":0}',
        b'{"expires_at":"2026-12-21T12:00:00Z","extra":1,"issued_at":"2026-11-21T12:00:00Z","serial":1,"sha256":"","size_bytes":0}',
    ],
)
def test_a_head_has_one_form(words):
    assert "line 2" in refused(signed(b"aggregator-feed 1\n" + words, b""), "malformed")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "line 4: not valid JSON"),
        (b'{"cards":{},\n"offers":{},\n"boards" {}}', "line 6: not valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "must hold cards, offers, boards, rates"),
        (b'{"cards":{},"offers":{},"boards":{}}', "must hold"),
        (b'{"cards":{},"offers":{},"boards":{},"rates":{},"hosts":{}}', "nothing else"),
        (b'{"cards":{},"offers":{},"boards":{},"rates":[]}', "must hold"),
        (b'{"cards":{"a":NaN},"offers":{},"boards":{},"rates":{}}', "number"),
        (b'{"cards":{"a":' + b"9" * 5000 + b'},"offers":{},"boards":{},"rates":{}}', "number"),
    ],
)
def test_a_document_is_refused_with_its_line(text, said):
    data = pack(text, PRIVATE, serial=1, issued_at=NOW, expires_at=NOW + timedelta(days=1))
    assert said in refused(data, "malformed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"serial": 0}, "serial"),
        ({"serial": 2**53}, "serial"),
        ({"expires_at": NOW}, "cannot expire"),
        ({"document": bytes(MAX_BYTES + 1)}, "at most"),
    ],
)
def test_a_publisher_is_told_before_it_publishes(change, said):
    given = {"document": b"{}", "serial": 1, "issued_at": NOW, "expires_at": NOW + timedelta(days=1), **change}
    with pytest.raises(ConfigurationError, match=said):
        pack(given.pop("document"), PRIVATE, **given)


def test_a_key_is_never_repeated():
    with pytest.raises(ConfigurationError) as error:
        key_bytes("c2VjcmV0LXdvcmRz", "FEED_KEY")
    assert "c2Vj" not in str(error.value)
    assert key_bytes(PUBLIC) == KEYS[0]
    assert re.fullmatch(r"[A-Za-z0-9+/]{43}=", public_text(PRIVATE))


def test_a_serial_is_read_without_belief(publisher):
    assert serial_of(publisher.bundle(serial=41)) == 41
    assert serial_of(b"") == serial_of(b"{}") == serial_of(b"a\nb\nc") == 0
