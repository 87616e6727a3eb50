"""Which function makes which edit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aggregator.editing import cutting, looks, sounding, stills
from aggregator.editing.sources import Source
from aggregator.editing.writing import Progress

__all__ = ["OPERATIONS"]

OPERATIONS: Mapping[str, Callable[[Any, dict[str, list[Source]], Path, Progress], None]] = {
    "first-frame": stills.first_frame,
    "last-frame": stills.last_frame,
    "frame": stills.frame_at,
    "trim": cutting.trim,
    "concatenate": cutting.concatenate,
    "mux-sound": sounding.mux_sound,
    "mix": sounding.mix,
    "resize": looks.resize,
    "colour-match": looks.colour_match,
    "captions": looks.captions,
    "contact-sheet": stills.contact_sheet,
    "cut-on-beats": cutting.cut_on_beats,
    "hold": looks.hold,
}
