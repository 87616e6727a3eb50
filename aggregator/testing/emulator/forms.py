"""Reads the bodies of forms: `multipart/form-data`, and the plain kind."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

__all__ = ["FormPart", "read_form"]

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part: a text, or a file with its name and type."""

    name: str
    content: bytes
    filename: str | None = None
    mime_type: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode()


def read_form(content_type: str, body: bytes) -> dict[str, list[FormPart]]:
    """The parts by name, each name's in order; empty for a body that is no form."""
    found: dict[str, list[FormPart]] = {}
    for part in _parts(content_type, body):
        found.setdefault(part.name, []).append(part)
    return found


def _parts(content_type: str, body: bytes) -> list[FormPart]:
    if content_type.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        return [FormPart(name, value.encode()) for name, value in pairs]
    boundary = _BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        return []
    line = b"\r\n--" + boundary[1].encode()
    _, *pieces = (b"\r\n" + body).split(line)
    return [_part(piece.removeprefix(b"\r\n")) for piece in pieces if not piece.startswith(b"--")]


def _part(piece: bytes) -> FormPart:
    head, _, content = piece.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode().split("\r\n"))
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    told = {
        name: value.replace('\\"', '"') for name, value in _PARAMETER.findall(headers.get("content-disposition", ""))
    }
    return FormPart(told.get("name", ""), content, told.get("filename"), headers.get("content-type"))
