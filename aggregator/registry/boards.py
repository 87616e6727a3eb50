"""The boards on disk: `boards.toml` says what each is, `<board>.csv` what it said: a line for a model on a day."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from aggregator.config import Table, read_toml
from aggregator.errors import ConfigurationError
from aggregator.registry.cards import Board, Claim, Reading
from aggregator.tasks import TASKS

__all__ = ["COLUMNS", "board_of", "checked_board", "joined", "read_boards"]

COLUMNS = ("model", "name", "score", "as_of", "ci95", "rank", "votes", "source", "confidence", "note")
"""Of a board's file, in this order; a row of the index is the same, from the left, without what is empty at its end."""

_NUMBERS = {"score": float, "ci95": float, "rank": int, "votes": int}
_NEEDED = ("name", "source")
"""Without a score or a day it is a claim: kept, and worth nothing."""


class _Board(Table):
    title: Annotated[str, Field(min_length=1)]
    task: str
    kind: Literal["arena", "benchmark", "vendor"]
    unit: Annotated[str, Field(min_length=1)]


def read_boards(root: Path) -> dict[str, dict[str, Any]]:
    """Every board below `root`/boards, as the index holds it.

    Raises:
        ConfigurationError: Names the file, the line and the reason.

    """
    directory, found = root / "boards", {}
    if not directory.is_dir():
        return {}
    said = read_toml(directory / "boards.toml")
    for file in sorted(directory.rglob("*.csv")):
        board = file.relative_to(directory).with_suffix("").as_posix()
        if board not in said:
            raise ConfigurationError(f"{directory / 'boards.toml'}: has no table [{board!r}] for {file}")
        table = _Board.read(said[board], source=f"{directory / 'boards.toml'}: {board}")
        if table.task not in TASKS:
            raise ConfigurationError(f"{directory / 'boards.toml'}: {board}: unknown task {table.task!r}")
        found[board] = {**table.model_dump(), "readings": _readings(file)}
    return found


def _readings(file: Path) -> list[list[Any]]:
    rows: dict[tuple[str, str], list[Any]] = {}
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ConfigurationError(f"{file}: line 1: the columns must be {','.join(COLUMNS)}")
            for words in reader:
                row = _reading(words, f"{file}: line {reader.line_num}")
                if (key := (row[3], row[1])) in rows:
                    raise ConfigurationError(f"{file}: line {reader.line_num}: {row[1]!r} on {row[3]} is there already")
                rows[key] = row
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{file}: cannot be read: {error}") from None
    return _sorted(rows.values())


def _reading(words: Mapping[str | None, Any], where: str) -> list[Any]:
    if None in words or None in words.values():
        raise ConfigurationError(f"{where}: there must be {len(COLUMNS)} columns")
    row: list[Any] = []
    for name in COLUMNS:
        text = words[name].strip()
        if not text and name in _NEEDED:
            raise ConfigurationError(f"{where}: {name} is empty")
        row.append(_value(name, text, where))
    while row[-1] is None or row[-1] == "":
        row.pop()
    return row


def _value(name: str, text: str, where: str) -> Any:
    if name == "as_of":
        try:
            return date.fromisoformat(text).isoformat() if text else ""
        except ValueError:
            raise ConfigurationError(f"{where}: as_of: write a day as 2026-11-20") from None
    if name not in _NUMBERS:
        return text
    if not text:
        return None
    try:
        number = _NUMBERS[name](text)
    except ValueError:
        raise ConfigurationError(f"{where}: {name}: {text!r} is not a number") from None
    if not isfinite(number) or (number < 0 and name != "score"):
        raise ConfigurationError(f"{where}: {name}: {text!r} cannot be")
    return number


def checked_board(row: Any, source: str) -> dict[str, Any]:
    """A board's row of an index, checked as its files are.

    Raises:
        ConfigurationError: Begins with `source`, names the reading and the reason.

    """
    said = dict(row) if isinstance(row, dict) else {}
    listed = said.pop("readings", None)
    table = _Board.read(said, source=source)
    if not isinstance(listed, list) or not all(isinstance(words, list) for words in listed):
        raise ConfigurationError(f"{source}: readings: this must be a list of lists")
    for index, words in enumerate(listed):
        where = f"{source}: readings.{index}"
        filled = ["" if word is None else str(word) for word in words] + [""] * (len(COLUMNS) - len(words))
        if len(filled) != len(COLUMNS) or _reading(dict(zip(COLUMNS, filled, strict=True)), where) != words:
            raise ConfigurationError(f"{where}: not written as {', '.join(COLUMNS)}")
    if table.task not in TASKS:
        raise ConfigurationError(f"{source}: unknown task {table.task!r}")
    return {**table.model_dump(), "readings": _sorted(listed)}


def joined(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> dict[str, Any]:
    """A board with another's readings added; for the same name and day the other's count."""
    rows = {(row[3], row[1]): row for board in (one or {}, other) for row in board.get("readings", ())}
    return {**other, "readings": _sorted(rows.values())}


def _sorted(rows: Iterable[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=lambda row: (row[3], row[1]))


def board_of(board: str, row: Mapping[str, Any]) -> Board:
    """A board from its row of the index. The columns are the fields of a reading, in their order."""
    readings = tuple(Reading(board, *_dated(words)) for words in row["readings"] if _is_whole(words))
    claims = tuple(Claim(board, *_dated(words)) for words in row["readings"] if not _is_whole(words))
    return Board(board, row["title"], row["task"], row["kind"], row["unit"], readings, claims)


def _is_whole(words: Sequence[Any]) -> bool:
    return words[2] is not None and bool(words[3])


def _dated(words: Sequence[Any]) -> tuple[Any, ...]:
    return (*words[:3], date.fromisoformat(words[3]) if words[3] else None, *words[4:])
