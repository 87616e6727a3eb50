"""A key that does not show itself: no text, no repr, no pickle; revealed only where the header is written."""

import base64
import hashlib
import hmac
from typing import NoReturn
from urllib.parse import quote

__all__ = ["Secret", "SecretHeaders", "scrub"]

BLANK = "•••"


class Secret:
    """Holds a credential. `account` is a fingerprint that may be stored and compared."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    @property
    def account(self) -> str:
        return hmac.new(b"aggregator account", self._value.encode(), hashlib.sha256).hexdigest()[:16]

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
        value = secret.reveal()
        parts = {value, *value.split(":")}
        parts |= (
            {part.strip() for part in parts}
            | {quote(part, safe="") for part in parts}
            | {part.replace("/", "\\/") for part in parts}
        )
        encoded = base64.b64encode(value.encode()).decode()
        for part in sorted(parts | {encoded, encoded.rstrip("=")}, key=len, reverse=True):
            if len(part) >= 6:  # shorter parts would blank ordinary words  # noqa: PLR2004
                text = text.replace(part, BLANK)
    return text


class SecretHeaders(dict[str, str]):
    """Headers with a credential among them: a traceback that shows local variables shows the names only."""

    def __repr__(self) -> str:
        return f"SecretHeaders({', '.join(self)})"
