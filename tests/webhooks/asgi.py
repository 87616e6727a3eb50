"""One call of an ASGI application, without a server."""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Body:
    """What arrives of a request, and what was read of it."""

    def __init__(self, parts: Iterable[bytes], *, ends: str = "done") -> None:
        self._parts = list(parts) or [b""]
        self._ends = ends
        self.read = 0

    async def receive(self) -> dict[str, Any]:
        if not self._parts:
            if self._ends == "never":
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        part = self._parts.pop(0)
        self.read += len(part)
        more = bool(self._parts) or self._ends != "done"
        return {"type": "http.request", "body": part, "more_body": more}


async def call(
    app: Any,
    path: str,
    body: Any = b"",
    headers: Mapping[str, str] | Iterable[tuple[bytes, bytes]] = (),
    *,
    method: str = "POST",
    **scope: Any,
) -> Answer | None:
    """The answer; `None`: there was none, since the sender had hung up."""
    sent: list[dict[str, Any]] = []
    raw = body if isinstance(body, bytes | Body) else json.dumps(body).encode()
    arriving = raw if isinstance(raw, Body) else Body([raw])
    pairs = (
        [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if isinstance(headers, Mapping)
        else list(headers)
    )

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = {"type": "http", "method": method, "path": path, "query_string": b"", "root_path": "", "headers": pairs}
    await app({**given, **scope}, arriving.receive, send)
    if not sent:
        return None
    start, end = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], end["body"], told)


def standard(secret: str, msg_id: str, at: float, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{msg_id}.{int(at)}.".encode() + body, "sha256").digest()
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": msg_id, "webhook-timestamp": str(int(at)), "webhook-signature": signature}
