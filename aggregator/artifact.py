"""What comes out: an artifact (one file), its lineage (how it was made), and a result (all that one job delivered).

Bytes are never whole in memory: files are streamed to the store, and read from there. Writing them is
`aggregator.store.files`.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import JsonValue

from aggregator.inputs import Media
from aggregator.pricing.quote import Cost, Quote
from aggregator.tasks import Request

__all__ = ["Artifact", "Facts", "Lineage", "Result", "Shortfall", "shortfalls"]

CHUNK_BYTES = 256 * 2**10
DURATION_TOLERANCE_S = 0.25
DURATION_TOLERANCE = 0.03
RATIO_TOLERANCE = 0.03
FPS_TOLERANCE = 0.5
"""29.97 is 30."""
WHOLE = 1e-3
"""How far from a whole number of frames a length may be that was rounded to microseconds."""
_TYPES: Mapping[str, tuple[str, ...]] = {
    "png": ("image/png",),
    "jpeg": ("image/jpeg",),
    "webp": ("image/webp",),
    "wav": ("audio/wav", "audio/x-wav"),
    "mp3": ("audio/mpeg",),
    "flac": ("audio/flac",),
    "opus": ("audio/ogg", "audio/opus", "video/webm", "audio/webm"),
    "aac": ("audio/aac", "audio/mp4"),
}
"""What a file of a format begins like; raw samples begin like anything."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What probing found in a file. `None`: the file does not say, or nothing here can read it."""

    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    frames: int | None = None
    """Of a clip, as its container counts them."""

    def as_json(self) -> dict[str, JsonValue]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    def __str__(self) -> str:
        parts = [
            f"{self.width}x{self.height}" if self.width else "",
            f"{self.duration_s:.1f} s" if self.duration_s else "",
            f"{self.fps:g} fps" if self.fps else "",
            self.video_codec or "",
            self.audio_codec or "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Lineage:
    """The recipe of an artifact: what was asked, who made it, and from what."""

    job_id: str
    project: str
    key: str
    stage: str
    request: Request
    offer: str
    model: str
    parents: Mapping[str, str]
    """Jobs whose artifacts went in: job id by the content hash of the input."""
    seed: int | None = None
    """The seed that was used, if it was given or reported."""
    ask: Mapping[str, Any] = field(default_factory=dict)
    """The options that routing read."""
    served_model: str | None = None
    """What the answer calls the model that made it; `None`: it names none."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "job_id": self.job_id,
            "project": self.project,
            "key": self.key,
            "stage": self.stage,
            "request": self.request.as_json(),
            "offer": self.offer,
            "model": self.model,
            "parents": dict(self.parents),
            "seed": self.seed,
            "served_model": self.served_model,
        }


@dataclass(frozen=True, slots=True)
class Artifact:
    """One output file, in the artifact store."""

    sha256: str
    mime_type: str
    size_bytes: int
    path: Path
    """Where it lies. It belongs to the store: copy it with `save`."""
    facts: Facts | None
    """`None`: not probed; `pip install "aggregator[local]"` brings the reader."""
    lineage: Lineage
    is_stand_in: bool = False
    """Made by the embedded backend: for previews and tests."""
    provider_refs: Mapping[str, str] = field(default_factory=dict)
    """What the provider that made it calls it, with `provider` and `account`; `until`: how long it knows it."""

    def as_media(self) -> Media:
        """The artifact as an input of the next request."""
        facts = self.facts or Facts()
        return Media(
            sha256=self.sha256,
            mime_type=self.mime_type,
            size_bytes=self.size_bytes,
            job_id=self.lineage.job_id,
            width=facts.width,
            height=facts.height,
            duration_s=facts.duration_s,
            fps=facts.fps,
            refs=self.provider_refs or None,
        )

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")

    async def stream(self, chunk_bytes: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """Read the file piece by piece."""
        with self.open() as file:
            while chunk := await asyncio.to_thread(file.read, chunk_bytes):
                yield chunk

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Copy the file to `path`, whole or not at all; an existing file is replaced."""
        return await asyncio.to_thread(self._copy, Path(path))

    def _copy(self, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            shutil.copyfile(self.path, beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        return target


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What was ordered and what the file holds, where they differ."""

    field: str
    ordered: JsonValue
    delivered: JsonValue

    def __str__(self) -> str:
        return f"{self.field}: ordered {self.ordered}, delivered {self.delivered}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one job delivered. It can be given to the next verb as it is: its first artifact is meant."""

    job_id: str
    artifacts: tuple[Artifact, ...]
    quote: Quote
    cost: Cost
    warnings: tuple[Shortfall, ...]
    lineage: Lineage
    notes: tuple[str, ...] = ()
    """What the provider or the plan had to say."""
    reused: bool = False
    """The result was there already under its key: this call paid nothing."""
    kind: Literal["result"] = "result"

    @property
    def artifact(self) -> Artifact:
        """The first (and most often only) file."""
        return self.artifacts[0]

    @property
    def key(self) -> str:
        return self.lineage.key

    @property
    def model(self) -> str:
        return self.lineage.model

    @property
    def is_stand_in(self) -> bool:
        return self.artifact.is_stand_in

    @property
    def path(self) -> Path:
        return self.artifact.path

    def as_media(self) -> Media:
        return self.artifact.as_media()

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Copy the first file to `path`."""
        return await self.artifact.save(path)

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "job_id": self.job_id,
            "artifacts": [
                {
                    "sha256": item.sha256,
                    "mime_type": item.mime_type,
                    "size_bytes": item.size_bytes,
                    "path": str(item.path),
                    "facts": item.facts.as_json() if item.facts else None,
                    "is_stand_in": item.is_stand_in,
                }
                for item in self.artifacts
            ],
            "quote": self.quote.as_json(),
            "cost": self.cost.as_json(),
            "warnings": [
                {"field": item.field, "ordered": item.ordered, "delivered": item.delivered} for item in self.warnings
            ],
            "notes": list(self.notes),
            "lineage": self.lineage.as_json(),
            "reused": self.reused,
        }


def shortfalls(request: Request, facts: Facts, mime_type: str = "") -> list[Shortfall]:
    """Compare what was ordered with what was probed. Only what both sides know is compared.

    Args:
        mime_type: By the file's first bytes, whatever the answer called it.

    """
    ordered = request.values()
    known = _TYPES.get(str(ordered.get("format")), ())
    found = [Shortfall("format", ordered["format"], mime_type)] if known and mime_type not in ("", *known) else []
    return [*found, *_probed_shortfalls(request, ordered, facts)]


def _probed_shortfalls(request: Request, ordered: Mapping[str, Any], facts: Facts) -> list[Shortfall]:
    found = _frame_shortfalls(ordered, facts.width, facts.height) if facts.width and facts.height else []
    duration_s = ordered.get("duration_s")
    if duration_s is not None and facts.duration_s is not None and request.task != "video-extension":
        tolerance_s = max(DURATION_TOLERANCE_S, DURATION_TOLERANCE * duration_s)
        if abs(facts.duration_s - duration_s) > tolerance_s:
            found.append(Shortfall("duration_s", duration_s, round(facts.duration_s, 3)))
    if (fps := ordered.get("fps")) and facts.fps and abs(facts.fps - fps) > FPS_TOLERANCE:
        found.append(Shortfall("fps", fps, round(facts.fps, 3)))
    if duration_s and fps and facts.frames and request.task != "video-extension":
        count = duration_s * fps  # who says both says how many: the plan has seen to it that the model makes so many
        if abs(count - round(count)) < WHOLE and facts.frames != round(count):
            found.append(Shortfall("frames", round(count), facts.frames))
    audio = ordered.get("audio")
    if isinstance(audio, bool) and facts.video_codec and audio != (facts.audio_codec is not None):
        found.append(Shortfall("audio", audio, facts.audio_codec or False))
    return found


def _frame_shortfalls(ordered: Mapping[str, Any], width: int, height: int) -> list[Shortfall]:
    found: list[Shortfall] = []
    if (size := ordered.get("size")) and tuple(size) != (width, height):
        found.append(Shortfall("size", f"{size[0]}x{size[1]}", f"{width}x{height}"))
    if ratio := ordered.get("aspect_ratio"):
        wide, high = (int(part) for part in ratio.split(":"))
        if abs(width / height / (wide / high) - 1) > RATIO_TOLERANCE:
            found.append(Shortfall("aspect_ratio", ratio, f"{width}:{height}"))
    resolution = ordered.get("resolution")
    if resolution and resolution.endswith("p") and min(width, height) != int(resolution[:-1]):
        found.append(Shortfall("resolution", resolution, f"{min(width, height)}p"))
    return found
