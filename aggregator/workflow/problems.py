"""What is wrong with a workflow, gathered: all of it is said at once, each with where it is written."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from aggregator.errors import WorkflowCheckError
from aggregator.workflow.model import Place

__all__ = ["Problem", "Problems", "unknown"]


class Problem(NamedTuple):
    """One thing that is wrong."""

    place: str | None
    """`film.toml:12`; `None`: it is written down nowhere."""
    step: str | None
    """`None`: it is no step's."""
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class Problems:
    """A collection that ends in an error, if there is anything in it."""

    def __init__(self) -> None:
        self._found: dict[Problem, tuple[str, int]] = {}
        self.noted = 0
        """How often something was noted."""

    def add(self, place: Place | None, step: str | None, text: str) -> None:
        """Note one; the same is said once."""
        self.noted += 1
        problem = Problem(None if place is None else str(place), step, text)
        self._found[problem] = ("", 0) if place is None else (place.file, place.line)

    def raise_all(self, name: str) -> None:
        """End with all that was noted.

        Args:
            name: The workflow's.

        Raises:
            WorkflowCheckError: Something was noted.

        """
        found = tuple(sorted(self._found, key=self._found.__getitem__))
        if found:
            head = f"{name} cannot run: {len(found)} problem{'s' * (len(found) > 1)}; nothing was sent"
            raise WorkflowCheckError("\n".join([head, *(f"  {one}" for one in found)]), problems=found)


def unknown(what: str, word: str, known: Iterable[str], *, beside: Iterable[str] = ()) -> str:
    """There is no such thing; the nearest there is, also of what may stand `beside` it, or all."""
    known = list(known)
    close = get_close_matches(word, [*known, *beside], n=1)
    if close:
        return f"unknown {what} {word!r}: did you mean {close[0]!r}?"
    return f"unknown {what} {word!r}: " + (f"there are {', '.join(known)}" if known else "there are none")
