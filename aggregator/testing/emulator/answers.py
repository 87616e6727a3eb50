"""What a service says: an `Answer`, a refusal, a webhook's delivery, and how often it lets itself be asked."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "DroppedError", "Fault", "HookDelivery", "RateLimit", "RefusedError"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. A mapping or list is sent as JSON, a text as it is, bytes as a file.

    Any other iterable is a stream, sent in chunks: each item is bytes, or a number of seconds to wait.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def mime_type(self) -> str:
        """What the answer is, unless its headers say it."""
        if isinstance(self.body, str):
            return "text/plain; charset=utf-8"
        return "application/json" if self.is_json else "application/octet-stream"

    @property
    def is_json(self) -> bool:
        return isinstance(self.body, Mapping | list | tuple | bool | int | float)

    def content(self, pause: Callable[[float], Any]) -> bytes | AsyncIterator[bytes]:
        """The body as it is sent. `pause`: how to wait."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body).encode() if self.is_json else _streamed(self.body, pause)


async def _streamed(items: Iterable[bytes | float], pause: Callable[[float], Any]) -> AsyncIterator[bytes]:
    for item in items:
        if isinstance(item, bytes):
            yield item
        else:
            await pause(item)


Fault = Answer | Callable[[str], Answer]
"""An error as the vendor words it; a function is told what is wrong."""


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """What is sent to a callback address."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a second are answered, and the headers that tell how many are left."""

    per_second: float
    headers: Callable[[int, float], Mapping[str, str]] = lambda _left, _reset_s: {}
    """From the requests left and the seconds until there are more, to what is said of that in each answer."""
    per_s: float = 1.0
    """The length of the window."""

    @property
    def allowed(self) -> int:
        """Requests in one window."""
        return max(1, round(self.per_second * self.per_s))


class RefusedError(Exception):
    """Ends a handler with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {answer.status}")
        self.answer = answer


class DroppedError(Exception):
    """Ends a handler without a word: `drop_before` ends the connection, `hang_before` leaves it open."""
