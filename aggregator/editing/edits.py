"""The edits: one frozen model per local operation, as there is one per task.

Their inputs are given as those of tasks are. What can be seen to be wrong without opening a file is a `RequestError`
when the edit is made; what only the files tell is an `EditError` when it runs.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field

from aggregator.editing.edit import Edit
from aggregator.editing.layout import Fit, Grid, even, other_edge
from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import MAX_DURATION_S, MAX_EDGE_PX, Input, request_from_json

__all__ = ["EDITS", "Edit", "edit_from_json"]

MAX_INPUTS = 1_000
MAX_CROSSFADE_S = 30.0
MAX_CAPTION_CHARACTERS = 2_000

_At = Annotated[float, Field(ge=0, le=MAX_DURATION_S)]
_Seconds = Annotated[float, Field(gt=0, le=MAX_DURATION_S)]
_Decibels = Annotated[float, Field(ge=-96, le=24)]
_Edge = Annotated[int, Field(ge=2, le=MAX_EDGE_PX)]
_Inputs = Annotated[tuple[Input, ...], Field(min_length=1, max_length=MAX_INPUTS)]
_Words = Annotated[str, Field(min_length=1, max_length=MAX_CAPTION_CHARACTERS)]
_Fps = Annotated[float, Field(gt=0, le=240)]


class _OfVideo(Edit):
    """Makes a clip of a clip, of the same size and rate."""

    video: Input

    def makes(self) -> str:
        return "video"

    def _facts(self) -> Mapping[str, Any]:
        return _film(self._only("video"))


class _Still(Edit):
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"video": ("video",)}
    video: Input

    def makes(self) -> str:
        return "image"

    def _facts(self) -> Mapping[str, Any]:
        video = self._only("video")
        return {"width": video.width, "height": video.height}


class FirstFrame(_Still):
    task: ClassVar[str] = "first-frame"


class LastFrame(_Still):
    task: ClassVar[str] = "last-frame"


class FrameAt(_Still):
    """The picture that is on the screen at a moment."""

    task: ClassVar[str] = "frame"
    at_s: _At


class Trim(Edit):
    """A part of a clip or of a sound, which keeps its own rate and channels."""

    task: ClassVar[str] = "trim"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"clip": ("video", "audio")}
    clip: Input
    start_s: _At = 0.0
    end_s: _Seconds | None = None
    duration_s: _Seconds | None = None

    def model_post_init(self, _context: Any, /) -> None:
        if self.end_s is not None and self.duration_s is not None:
            raise RequestError("Trim: give end_s or duration_s, not both")
        if self.end_s is None and self.duration_s is None and self.start_s == 0:
            raise RequestError("Trim: give start_s, end_s or duration_s: there is nothing to cut off")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise RequestError(f"Trim: end_s {self.end_s:g} is not after start_s {self.start_s:g}")

    @property
    def until_s(self) -> float | None:
        """Where it ends; `None`: where the clip does."""
        return self.end_s if self.duration_s is None else self.start_s + self.duration_s

    def makes(self) -> str:
        return self._kind("clip")

    def _facts(self) -> Mapping[str, Any]:
        clip = self._only("clip")
        until_s = clip.duration_s if self.until_s is None else self.until_s
        facts = _film(clip) if self.makes() == "video" else {}
        return {**facts, "duration_s": None if until_s is None else until_s - self.start_s}


class Concatenate(Edit):
    """Clips one after the other, in the size and at the rate of the first; a clip without sound is silent."""

    task: ClassVar[str] = "concatenate"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"clips": ("video",)}
    clips: _Inputs
    crossfade_s: Annotated[float, Field(ge=0, le=MAX_CROSSFADE_S)] = 0.0
    """How long each clip is seen through the next: the whole gets shorter by that at every change."""
    fit: Fit = "contain"

    def makes(self) -> str:
        return "video"

    def _facts(self) -> Mapping[str, Any]:
        clips = self.inputs("clips")
        whole_s = _total([clip.duration_s for clip in clips])
        overlap_s = self.crossfade_s * (len(clips) - 1)
        return {**_film(clips[0]), "duration_s": None if whole_s is None else whole_s - overlap_s}


class MuxSound(_OfVideo):
    """A clip with a sound: instead of its own, or mixed with it."""

    task: ClassVar[str] = "mux-sound"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"video": ("video",), "audio": ("audio", "video")}
    audio: Input
    fit: Literal["video", "shortest", "loop"] = "video"
    """Where lengths differ. `video`: as long as the clip, the sound cut or followed by silence. `shortest`: both end
    with the shorter. `loop`: as long as the clip, a shorter sound begins again."""
    keep_sound: bool = False
    """Mix with the sound that the clip has; without it, that sound is gone."""
    volume_db: _Decibels = 0.0
    """Of the sound that is added."""

    def _facts(self) -> Mapping[str, Any]:
        video, audio = self._only("video"), self._only("audio")
        known_s = [video.duration_s, audio.duration_s]
        if self.fit != "shortest":
            return _film(video)
        return {**_film(video), "duration_s": None if None in known_s else min(cast("list[float]", known_s))}


class Mix(Edit):
    """Sounds, also those of clips, laid over each other; turned down as a whole where their sum would clip."""

    task: ClassVar[str] = "mix"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"tracks": ("audio", "video")}
    tracks: _Inputs
    volumes_db: tuple[_Decibels, ...] = ()
    """One for each track; left out: as they are."""
    starts_s: tuple[_At, ...] = ()
    """When each track begins; left out: all at once."""

    def model_post_init(self, _context: Any, /) -> None:
        for name, given in (("volumes_db", self.volumes_db), ("starts_s", self.starts_s)):
            if given and len(given) != len(self.tracks):
                raise RequestError(
                    f"Mix: {len(self.tracks)} tracks and {len(given)} {name}: give one for each, or none"
                )

    def makes(self) -> str:
        return "audio"

    def _facts(self) -> Mapping[str, Any]:
        known_s = [track.duration_s for track in self.inputs("tracks")]
        if None in known_s:
            return {}
        starts_s = self.starts_s or (0.0,) * len(known_s)
        ends_s = (start_s + (known or 0) for start_s, known in zip(starts_s, known_s, strict=True))
        return {"duration_s": max(ends_s)}


class Resize(Edit):
    """A picture or a clip in another size. A clip's edges are even: an odd one is raised by one."""

    task: ClassVar[str] = "resize"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"picture": ("image", "video")}
    picture: Input
    width: _Edge | None = None
    height: _Edge | None = None
    """With only one of them the other follows the shape of the picture."""
    fit: Fit = "contain"

    def model_post_init(self, _context: Any, /) -> None:
        if self.width is None and self.height is None:
            raise RequestError("Resize: give width, height, or both")

    def makes(self) -> str:
        return self._kind("picture")

    def _facts(self) -> Mapping[str, Any]:
        picture, is_video = self._only("picture"), self.makes() == "video"
        facts = _film(picture) if is_video else {}
        given = (picture.width, picture.height)
        size: tuple[int | None, int | None] = (self.width, self.height)
        if None in size and None not in given:
            size = other_edge(cast("tuple[int, int]", given), self.width, self.height)
        if is_video:
            size = _even(*size)
        return {**facts, "width": size[0], "height": size[1]}


class ColourMatch(Edit):
    """A picture or a clip in the colours of a reference picture."""

    task: ClassVar[str] = "colour-match"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"picture": ("image", "video"), "reference": ("image",)}
    picture: Input
    reference: Input
    strength: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How far of the way to the reference's colours it goes."""

    def makes(self) -> str:
        return self._kind("picture")

    def _facts(self) -> Mapping[str, Any]:
        picture = self._only("picture")
        return _film(picture) if self.makes() == "video" else {"width": picture.width, "height": picture.height}


class Captions(_OfVideo):
    """Words burnt into a clip: each for its time, or one text for the whole of it."""

    task: ClassVar[str] = "captions"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"video": ("video",)}
    captions: tuple[tuple[_At, _Seconds, _Words], ...] = ()
    """Start and end in seconds, and the words."""
    text: _Words | None = None
    font: str | None = None
    """A TTF or OTF file of this machine. The built-in typeface has the letters of English only."""

    def model_post_init(self, _context: Any, /) -> None:
        if bool(self.captions) == (self.text is not None):
            raise RequestError("Captions: give captions (start_s, end_s, words), or one text for the whole clip")
        for start_s, end_s, words in self.captions:
            if end_s <= start_s:
                raise RequestError(f"Captions: {words!r} ends at {end_s:g} s, which is not after {start_s:g} s")


class ContactSheet(Edit):
    """Pictures, and the middles of clips, in one picture with labels."""

    task: ClassVar[str] = "contact-sheet"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"pictures": ("image", "video")}
    pictures: _Inputs
    labels: tuple[str, ...] = ()
    """One for each; left out: their numbers."""
    columns: Annotated[int, Field(ge=1, le=100)] | None = None
    tile_px: Annotated[int, Field(ge=16, le=2_048)] = 320
    """The width of a tile; its height follows the shape of the first picture."""

    def model_post_init(self, _context: Any, /) -> None:
        if self.labels and len(self.labels) != len(self.pictures):
            raise RequestError(f"ContactSheet: {len(self.pictures)} pictures and {len(self.labels)} labels")

    def makes(self) -> str:
        return "image"

    def _facts(self) -> Mapping[str, Any]:
        first = self.inputs("pictures")[0]
        if first.width is None or first.height is None:
            return {}
        size = Grid.of(len(self.pictures), self.columns, self.tile_px, (first.width, first.height)).size
        return {"width": size[0], "height": size[1]}


class CutOnBeats(Edit):
    """Clips under music, each shown from its start and cut so that every change falls on a beat.

    How long the whole gets depends on the beats. They and the cuts are written into the file: `editing.beats.cuts_of`.
    """

    task: ClassVar[str] = "cut-on-beats"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"clips": ("video",), "music": ("audio",)}
    clips: _Inputs
    music: Input
    beats_per_clip: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Left out: each clip gets a share of the music by its length, to the nearest beat."""
    fit: Fit = "contain"

    def makes(self) -> str:
        return "video"

    def _facts(self) -> Mapping[str, Any]:
        return {**_film(self.inputs("clips")[0]), "duration_s": None}


class Hold(Edit):
    """A picture as a clip of so many seconds."""

    task: ClassVar[str] = "hold"
    kinds: ClassVar[Mapping[str, tuple[str, ...]]] = {"image": ("image",)}
    image: Input
    duration_s: _Seconds
    fps: _Fps = 24.0
    push_in: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much larger the picture is at the end: 0.1 is a tenth."""

    def makes(self) -> str:
        return "video"

    def _facts(self) -> Mapping[str, Any]:
        return {**_film(self._only("image")), "duration_s": self.duration_s, "fps": self.fps}


def _film(media: Media) -> dict[str, Any]:
    """What a clip of the size, length and rate of an input is."""
    width, height = _even(media.width, media.height)
    return {"width": width, "height": height, "duration_s": media.duration_s, "fps": media.fps}


def _even(width: int | None, height: int | None) -> tuple[int | None, int | None]:
    return (None if width is None else even((width, 0))[0]), (None if height is None else even((0, height))[1])


def _total(known_s: list[float | None]) -> float | None:
    return None if None in known_s else sum(cast("list[float]", known_s))


EDITS: Mapping[str, type[Edit]] = {
    cls.task: cls
    for cls in (
        FirstFrame,
        LastFrame,
        FrameAt,
        Trim,
        Concatenate,
        MuxSound,
        Mix,
        Resize,
        ColourMatch,
        Captions,
        ContactSheet,
        CutOnBeats,
        Hold,
    )
}
"""Every edit by its name."""


def edit_from_json(value: Mapping[str, Any]) -> Edit:
    """Read back what `Edit.as_json` wrote."""
    return cast("Edit", request_from_json(value, EDITS))
