"""A bundle: a whole catalogue in one signed file, which any web server can host.

Three lines and a document:

    aggregator-feed 1
    {"expires_at":…,"issued_at":…,"serial":…,"sha256":…,"size_bytes":…}
    <Ed25519 signature of the two lines above, in base64>
    {"cards":…,"offers":…,"boards":…,"rates":…}

The signature is over the bytes as they are, and the second line holds the digest of the document: nothing is parsed
before it is known who wrote it. Ed25519 comes with the extra `signing`.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aggregator.errors import ConfigurationError, FeedError
from aggregator.pricing.table import rates_text
from aggregator.registry.packing import index_text
from aggregator.registry.rows import Rows
from aggregator.signing import ED25519_KEY_BYTES, ed25519_public, ed25519_sign, ed25519_verify

__all__ = ["MAX_BYTES", "Bundle", "Head", "catalogue_text", "key_bytes", "pack", "public_text", "serial_of", "unpack"]

FORMAT = 1
"""Raised when an older package could no longer read a catalogue rightly."""
MAX_BYTES = 32 * 2**20
"""Twenty times the package's own catalogue."""
_MAGIC = b"aggregator-feed "
_FIRST_LINE = re.compile(rb"aggregator-feed ([1-9][0-9]{0,5})")
_MAX_SERIAL = 2**53
_PARTS = ("cards", "offers", "boards", "rates")


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed: which bundle this is, for how long, of which document."""

    serial: int
    """It only rises: an older bundle is never taken for a newer one."""
    issued_at: datetime
    expires_at: datetime
    sha256: str
    size_bytes: int

    def line(self) -> bytes:
        words = {
            "serial": self.serial,
            "issued_at": _text(self.issued_at),
            "expires_at": _text(self.expires_at),
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
        }
        return json.dumps(words, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature is right. What its rows say is still to be checked (`bounds`)."""

    head: Head
    catalogue: Mapping[str, Any]


def catalogue_text(rows: Rows, rates: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """The document of a bundle: both indexes of the package in one."""
    index = index_text(rows).rstrip().removesuffix("}")
    return f'{index},\n"rates":{rates_text(rates)}}}\n'.encode()


def pack(document: bytes, private: bytes, *, serial: int, issued_at: datetime, expires_at: datetime) -> bytes:
    """Sign a document. The same arguments make the same bytes.

    Raises:
        ConfigurationError: It would be refused by whoever reads it: it is too large, or ends before it begins.

    """
    if len(document) > MAX_BYTES:
        raise ConfigurationError(f"the catalogue has {len(document)} bytes; a feed has at most {MAX_BYTES}")
    if not 0 < serial < _MAX_SERIAL:
        raise ConfigurationError(f"the serial {serial} is not between 1 and {_MAX_SERIAL - 1}")
    if expires_at <= issued_at:
        raise ConfigurationError(f"a feed issued at {_text(issued_at)} cannot expire at {_text(expires_at)}")
    head = Head(serial, issued_at, expires_at, hashlib.sha256(document).hexdigest(), len(document))
    signed = _MAGIC + str(FORMAT).encode() + b"\n" + head.line()
    return b"\n".join((signed, base64.b64encode(ed25519_sign(private, signed)), document))


def unpack(data: bytes, keys: Sequence[bytes], *, source: str) -> Bundle:
    """Read a bundle that one of the public `keys` signed.

    Raises:
        FeedError: It is not whole, not signed by any of the keys, or made for a later version of this package.

    """
    first, _, rest = data.partition(b"\n")
    head_line, _, rest = rest.partition(b"\n")
    signature, _, document = rest.partition(b"\n")
    made = _FIRST_LINE.fullmatch(first)
    if made is None:
        raise FeedError(
            f"{source}: line 1: this is no feed: it does not begin with 'aggregator-feed'", reason="malformed"
        )
    if int(made[1]) > FORMAT:
        raise FeedError(
            f"{source}: line 1: format {int(made[1])}; this version reads up to {FORMAT}: upgrade the package",
            reason="newer",
        )
    if not _signed(first + b"\n" + head_line, signature, keys):
        raise FeedError(
            f"{source}: line 3: signed with none of the configured keys ([registry] feed_key): it was changed on its "
            "way, or somebody else made it",
            reason="signature",
        )
    head = _head(head_line, source)
    if len(document) != head.size_bytes or hashlib.sha256(document).hexdigest() != head.sha256:
        raise FeedError(
            f"{source}: line 4: this document ({len(document)} bytes) is not the signed one ({head.size_bytes} bytes): "
            "it was cut short or changed",
            reason="malformed",
        )
    return Bundle(head, _parsed(document, source))


def serial_of(data: bytes) -> int:
    """The serial of what claims to be a bundle, unverified: to make a higher one. 0 where it is none."""
    try:
        return _head(data.split(b"\n", 2)[1], "").serial
    except (FeedError, IndexError):
        return 0


def key_bytes(text: str, name: str = "the key") -> bytes:
    """The 32 bytes of a key in base64.

    Raises:
        ConfigurationError: It is none; the text is not repeated, since it may be a private key.

    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != ED25519_KEY_BYTES:
        raise ConfigurationError(
            f"{name} is not {ED25519_KEY_BYTES} bytes in base64: `aggregator registry keygen` makes a pair"
        )
    return key


def public_text(private: bytes) -> str:
    """The public half, as `[registry] feed_key` wants it."""
    return base64.b64encode(ed25519_public(private)).decode()


def _signed(message: bytes, signature: bytes, keys: Sequence[bytes]) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(ed25519_verify(key, raw, message) for key in keys)


def _head(line: bytes, source: str) -> Head:
    """The second line, written exactly as `Head.line` writes it: there is one way to say one thing."""
    try:
        words = json.loads(line)
        head = Head(
            serial=words["serial"],
            issued_at=datetime.fromisoformat(words["issued_at"]),
            expires_at=datetime.fromisoformat(words["expires_at"]),
            sha256=words["sha256"],
            size_bytes=words["size_bytes"],
        )
        right = head.line() == line and type(head.serial) is int and 0 < head.serial < _MAX_SERIAL
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        right = False
    if not right:
        raise FeedError(
            f"{source}: line 2: serial, dates, digest and size are not as a bundle says them", reason="malformed"
        )
    return head


def _parsed(document: bytes, source: str) -> Mapping[str, Any]:
    try:
        found = json.loads(document, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise FeedError(f"{source}: the document is not UTF-8 text", reason="malformed") from None
    except json.JSONDecodeError as error:
        raise FeedError(
            f"{source}: line {error.lineno + 3}: not valid JSON: {error.msg} (column {error.colno})", reason="malformed"
        ) from None
    except (ValueError, RecursionError):
        raise FeedError(
            f"{source}: JSON that is nested too deep or holds a number that is too long", reason="malformed"
        ) from None
    if (
        not isinstance(found, dict)
        or set(found) != set(_PARTS)
        or not all(isinstance(found[one], dict) for one in _PARTS)
    ):
        raise FeedError(
            f"{source}: line 4: the document must hold {', '.join(_PARTS)}, and nothing else", reason="malformed"
        )
    return found


def _no_number(word: str) -> None:
    raise ValueError(word)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
