"""What a step or a take is made of, told apart: the words, what goes in and where that came from, and the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from aggregator.workflow.kinds import takes
from aggregator.workflow.model import Ref
from aggregator.workflow.sheet.data import Made, Origin

__all__ = ["Known", "recipe_of"]

WORDS = ("prompt", "text")
_OWN = frozenset({"task", "seed"})
"""What is shown in a place of its own."""
HASH_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Known:
    """Which take made a file."""

    step: str
    take: int
    is_one_of_many: bool


def recipe_of(values: Mapping[str, Any], task: str, known: Mapping[str, Known]) -> Made:
    """The recipe of what is asked for.

    Args:
        values: As a workflow writes them (`@still` is a step), or as a journal does (inputs by their hash).
        task: Which of the values are inputs is known by it.
        known: By hash, which take made a file.

    """
    inputs = takes(task)
    words, rest, origins = "", dict[str, Any](), list[Origin]()
    for name, value in values.items():
        if name in _OWN or value in (None, "", [], ()):
            continue
        if name in inputs or name == "references":
            origins += [_origin(name, one, known) for one in _each(value)]
        elif name in WORDS and isinstance(value, str) and not words:
            words = value.removeprefix("@") if value.startswith("@@") else value
        else:
            rest[name] = value
    return Made(words=words, values=rest, origins=tuple(dict.fromkeys(origins)))


def _each(value: Any) -> Iterator[Any]:
    """Inputs one by one; what a reference stands for is left aside."""
    for one in value if isinstance(value, list | tuple) else [value]:
        yield one["image"] if isinstance(one, Mapping) and "image" in one else one


def _origin(field: str, value: Any, known: Mapping[str, Known]) -> Origin:
    if isinstance(value, Mapping):
        made = known.get(value.get("sha256") or "")
        if made is not None:
            return Origin(field=field, step=made.step, take=made.take if made.is_one_of_many else None)
        if value.get("url"):
            return Origin(field=field, name=urlsplit(str(value["url"])).netloc or str(value["url"]))
        kind = str(value.get("mime_type") or "file").partition("/")[0]
        return Origin(field=field, name=f"{kind} {str(value.get('sha256'))[:HASH_DIGITS]}")
    if (ref := Ref.of(value)) is not None:
        return Origin(field=field, step=ref.step, take=ref.take)
    text = str(value)
    return Origin(field=field, name=urlsplit(text).netloc if "://" in text[:12] else PurePath(text).name)
