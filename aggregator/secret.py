"""A key that does not show itself: no text, no repr, no pickle; revealed only where the header is written."""

import base64
import hashlib
import hmac
import json
from typing import NoReturn
from urllib.parse import quote

__all__ = ["Secret", "SecretHeaders", "echoes", "scrub"]

BLANK = "•••"
MIN_ECHO = 6
MIN_BASE64 = 10


class Secret:
    """Holds a credential. `account` is a fingerprint that may be stored and compared."""

    __slots__ = ("_value", "account")

    def __init__(self, value: str) -> None:
        self._value = value
        self.account = hmac.new(b"aggregator account", value.encode(), hashlib.sha256).hexdigest()[:16]

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({BLANK})"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


def scrub(text: str, secrets: "tuple[Secret, ...]") -> str:
    """Blank every secret, and every part of one that a provider might echo, in `text`."""
    for secret in secrets:
        for form in echoes(secret.reveal()):
            text = text.replace(form, BLANK)
    return text


def echoes(value: str) -> list[str]:
    """How a secret may come back: as it is, in parts, quoted, in hexadecimal, in base64; the longest first.

    Parts of less than 6 characters are left out: they would blank ordinary words.
    """
    parts = {value, *value.split(":")}
    parts |= {part.strip() for part in parts}
    forms = set(parts)
    for part in parts:
        forms |= {quote(part, safe=""), quote(part), part.replace("/", "\\/"), json.dumps(part)[1:-1]}
        forms |= {part.encode().hex(), *_in_base64(part.encode())}
    return sorted((form for form in forms if len(form) >= MIN_ECHO), key=len, reverse=True)


def _in_base64(value: bytes) -> set[str]:
    """The characters that stand for `value`, wherever it was in what was encoded."""
    forms = {base64.b64encode(value).decode()}
    for before in range(3):
        whole = base64.b64encode(bytes(before) + value).decode()
        bits = 8 * (before + len(value))
        inside = whole[-(-8 * before // 6) : bits // 6]  # whose six bits are all of the value's
        if len(inside) >= MIN_BASE64:
            forms.add(inside)
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}


class SecretHeaders(dict[str, str]):
    """Headers with a credential among them: a traceback that shows local variables shows the names only."""

    def __repr__(self) -> str:
        return f"SecretHeaders({', '.join(self)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("headers with a secret are not pickled or copied")
