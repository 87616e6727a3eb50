"""What all edits are: a request with a name, what its inputs may be, and what can be said of the result beforehand."""

import mimetypes
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import Request

__all__ = ["Edit"]

MIME_TYPES: Mapping[str, str] = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}


class Edit(Request):
    """One local operation with its parameters, checked."""

    kinds: ClassVar[Mapping[str, tuple[str, ...]]]
    """What each field with inputs takes: `image`, `video`, `audio`."""
    version: ClassVar[int] = 1
    """Raised when the same inputs give other bytes."""
    beyond: ClassVar[str] = ""

    def inputs(self, field: str) -> list[Media]:
        """The inputs of one field, in order."""
        return [media for name, media in self.media() if name == field]

    @abstractmethod
    def makes(self) -> str:
        """`image`, `video` or `audio`.

        Raises:
            RequestError: It depends on the kind of an input, and nobody knows that yet.

        """

    def expected(self) -> Mapping[str, Any]:
        """`mime_type`, `width`, `height`, `duration_s`, `fps` of what is made; what cannot be known yet is left out."""
        facts = {"mime_type": MIME_TYPES[self.makes()], **self._facts()}
        return {name: value for name, value in facts.items() if value is not None}

    def _facts(self) -> Mapping[str, Any]:
        return {}

    def _only(self, field: str) -> Media:
        return self.inputs(field)[0]

    def _kind(self, field: str) -> str:
        media = self._only(field)
        named = str(media.source) if isinstance(media.source, Path) else media.url or ""
        kind = (media.mime_type or mimetypes.guess_type(named)[0] or "").partition("/")[0]
        if kind not in self.kinds[field]:
            raise RequestError(
                f"{self.task}: {field} is {kind or 'of an unknown kind'}, it takes {' or '.join(self.kinds[field])}"
            )
        return kind
