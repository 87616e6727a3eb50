"""In which line of a TOML text a key is: `tomllib` does not say, and who mends a file wants to know."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["Lines", "line_of", "lines_in", "lines_of"]

Path_ = tuple[str | int, ...]
Lines = Callable[[Sequence[str | int]], int]
"""From a path of keys and indexes to the line of as much of it as the text has, counted from 1."""

_WORD = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_TABLE = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)


def lines_in(file: Path, *, under: Sequence[str | int] = ()) -> Lines:
    """The lines of a file, which is read when somebody asks; what is also below `under` is meant there."""
    return lambda path: line_of(file.read_text(encoding="utf-8"), path, under=under)


def lines_of(text: str) -> Lines:
    """The lines of a text, which is scanned once."""
    known = _known(text)
    return lambda path: _line(known, path, ())


def line_of(text: str, path: Sequence[str | int], *, under: Sequence[str | int] = ()) -> int:
    """The line of a key, or of the table around it; the first where there is neither."""
    return _line(_known(text), path, under)


def _known(text: str) -> dict[Path_, int]:
    """Every place; one that has no line of its own is where the first thing in it is."""
    known: dict[Path_, int] = {}
    for place, line in _places(text):
        known.setdefault(place, line)
    for place, line in list(known.items()):
        for length in range(1, len(place)):
            known.setdefault(place[:length], line)
    return known


def _line(known: Mapping[Path_, int], path: Sequence[str | int], under: Sequence[str | int]) -> int:
    inner, outer = (*under, *path), tuple(path)
    for left_out in range(len(outer)):
        for wanted in (inner, outer):
            if (line := known.get(wanted[: len(wanted) - left_out])) is not None:
                return line
    return known.get(tuple(under), 1)


def _places(text: str) -> Iterator[tuple[Path_, int]]:
    """Each table and each key that begins a line, the deepest last."""
    table: Path_ = ()
    seen: Counter[Path_] = Counter()
    depth = 0
    for number, line in enumerate(_bare(text).split("\n"), start=1):
        if depth == 0 and (header := _TABLE.match(line)):
            table = tuple(_words(header[2]))
            if header[1] == "[[":
                if table not in seen:
                    yield table, number
                seen[table] += 1
                table = (*table, seen[table] - 1)
            else:  # a table inside the last one of a list
                table = _inside(table, seen)
            yield table, number
            continue
        if depth == 0 and (key := _KEY.match(line)):
            words = tuple(_words(key[1]))
            for length in range(1, len(words) + 1):
                yield (*table, *words[:length]), number
        depth = max(0, depth + sum(map(line.count, "[{")) - sum(map(line.count, "]}")))


def _inside(table: Path_, seen: Counter[Path_]) -> Path_:
    for length in range(len(table) - 1, 0, -1):
        if table[:length] in seen:
            return (*table[:length], seen[table[:length]] - 1, *table[length:])
    return table


def _bare(text: str) -> str:
    """The text with the inside of values blanked, so that no bracket in them counts; keys in quotes stay."""

    def blank(found: re.Match[str]) -> str:
        after = text[found.end() : found.end() + 40].lstrip(" \t")
        before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
        if found[0][0] != "#" and "\n" not in found[0] and (after[:1] in ("=", ".", "]") and "=" not in before):
            return found[0]
        return re.sub(r"[^\n]", " ", found[0])

    return _STRING.sub(blank, text)


def _words(dotted: str) -> Iterator[str]:
    return (word.strip("\"'") for word in re.findall(_WORD, dotted))
