"""The contact sheet as one HTML text: nothing is fetched, everything is escaped, and it works when opened from disk."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files as resources

from aggregator.workflow.sheet.cards import Media
from aggregator.workflow.sheet.data import File, Sheet, Step
from aggregator.workflow.sheet.markup import Tag, document, tag
from aggregator.workflow.sheet.posters import THUMB_PX, Poster
from aggregator.workflow.sheet.rows import bill_line, rows_of
from aggregator.workflow.sheet.strip import drawn

__all__ = ["INLINE_BYTES", "Live", "csp", "page", "shown"]

INLINE_BYTES = 64 * 2**20
"""How much of the files themselves is in a page; the smallest go in first. Of others it has a still, and a link."""
HINTS = (("← → ↑ ↓", "move"), ("space", "play"), ("1–9", "pick"), ("f", "full screen"))


@dataclass(frozen=True, slots=True)
class Live:
    """What a page that is served knows of its server."""

    media: Mapping[str, str] = field(default_factory=dict)
    """By hash, the address of a file."""
    version: str = ""
    """What is on it, to ask for what is newer."""
    shape: str = ""
    """The same without what is picked."""


def page(
    sheet: Sheet, posters: Mapping[str, Poster | None], *, inline_bytes: int = INLINE_BYTES, live: Live | None = None
) -> str:
    """The page.

    Args:
        posters: By hash, what files look like.
        inline_bytes: How many bytes of files it may hold.
        live: It is served, and picks can be made on it.

    """
    style, script = _part("page.css"), _part("page.js")
    media = _media(sheet, posters, inline_bytes, live)
    thumbs = {step.name: found for step in sheet.steps if (found := _thumb(step, posters))}
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=csp(is_live=live is not None)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{sheet.run}: {sheet.project}"),
        tag("style", style),
    )
    body = tag(
        "body",
        _header(sheet),
        tag("nav", drawn(sheet, thumbs), class_="strip", aria_label="Steps", tabindex=0),
        tag("main", rows_of(sheet, media, is_live=live is not None)),
        _footer(),
        tag("div", id="news", role="status", aria_live="polite"),
        tag("script", script),
        data_live=live is not None,
        data_run=sheet.run,
        data_version=live.version if live else None,
        data_shape=live.shape if live else None,
    )
    return document(tag("html", head, body, lang="en"))


def csp(*, is_live: bool) -> str:
    """What the page may do: run its own script, show what is in it, and, where it is served, ask its own server."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash(_part("page.js")),
        "style-src": _hash(_part("page.css")),
        "img-src": "'self' data:" if is_live else "data:",
        "media-src": "'self'" if is_live else "data:",
        "connect-src": "'self'" if is_live else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _part(name: str) -> str:
    return resources(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _media(
    sheet: Sheet, posters: Mapping[str, Poster | None], inline_bytes: int, live: Live | None
) -> Mapping[str, Media]:
    """By hash, how each file is shown; the smallest are written into the page itself."""
    found: dict[str, Media] = {}
    room = inline_bytes
    uses = Counter(take.file.sha256 for step in sheet.steps for take in step.takes if take.file is not None)
    for file in sorted(shown(sheet), key=lambda file: (file.size_bytes or 0, file.sha256)):
        poster = posters.get(file.sha256)
        still = _data("image/jpeg", poster.jpeg()) if poster is not None and poster.picture is not None else None
        link = file.path.as_uri() if file.path is not None else None
        bars = poster.bars if poster is not None else ()
        address = live.media.get(file.sha256) if live is not None else None
        if live is None and file.path is not None and (taken := file.path.stat().st_size * uses[file.sha256]) <= room:
            room -= taken
            address = _data(file.mime_type, file.path.read_bytes())
        found[file.sha256] = Media(address=address, still=still, bars=bars, link=None if live else link)
    return found


def shown(sheet: Sheet) -> tuple[File, ...]:
    """The files that are on a sheet, each once."""
    files = {file.sha256: file for step in sheet.steps for take in step.takes if (file := take.file) is not None}
    return tuple(files.values())


def _data(mime_type: str, content: bytes) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"


def _thumb(step: Step, posters: Mapping[str, Poster | None]) -> str | None:
    """A small picture of the take that goes on, or of the first that is there."""
    there = {take.number: take.file for take in step.takes if take.file is not None}
    chosen = there.get(step.picked or 0) or next(iter(there.values()), None)
    poster = posters.get(chosen.sha256) if chosen is not None else None
    if poster is None or poster.picture is None:
        return None
    return _data("image/jpeg", poster.jpeg(THUMB_PX))


def _header(sheet: Sheet) -> Tag:
    at = datetime.fromtimestamp(sheet.at_ms / 1000, UTC)
    waits = f"waits for a pick: {', '.join(sheet.waiting)}" if sheet.waiting else sheet.state
    facts = (sheet.project, sheet.stage)
    return tag(
        "header",
        tag(
            "div",
            tag("h1", sheet.run),
            tag(
                "p",
                [tag("span", fact) for fact in facts],
                tag("span", waits, class_="state", id="state"),
                tag("time", f"{at:%d %b %Y, %H:%M} UTC", datetime=at.isoformat()),
                class_="facts",
            ),
            class_="title",
        ),
        bill_line(sheet),
        tag(
            "div",
            tag("button", "Play all", type="button", id="play-all", aria_pressed="false"),
            tag("button", "Sound", type="button", id="sound", aria_pressed="false"),
            class_="controls",
        ),
    )


def _footer() -> Tag:
    return tag("footer", tag("p", [[tag("kbd", key), f" {what} "] for key, what in HINTS]))
