"""Accepted proposals as ordinary files of a directory of the user's: offers that say so, readings that are appended."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from aggregator.discovery.propose import Proposal
from aggregator.errors import RequestError
from aggregator.registry.boards import COLUMNS
from aggregator.registry.cards import Board, Offer
from aggregator.registry.load import Registry
from aggregator.registry.writing import toml_text

__all__ = ["write"]

_DAYS = frozenset(
    {"announced", "checked", "deprecated", "preview", "released", "retires", "retires_checked", "serves_from"}
)
_BACK: Mapping[str, Any] = {"status": "active", "retires": None, "retires_checked": None}


def write(
    accepted: Sequence[Proposal], registry: Registry, into: Path, today: date, *, overwrite: bool = False
) -> tuple[list[Path], list[str]]:
    """Write what was accepted; the files, and what a person has to do instead.

    An offer's file is its row with the change laid over it: it wins over the package's own. Files that are there are
    left as they are, unless `overwrite`; readings are appended.

    Raises:
        RequestError: A file is there already. Nothing is written then.

    """
    texts: dict[Path, str] = {}
    todo: list[str] = []
    for one in accepted:
        if one.kind == "new":
            todo.append(f"aggregator registry import {one.subject.replace(':', ' ', 1)} --model MODEL --maker MAKER")
        elif one.kind != "reading":
            texts |= dict(_offers(one, registry, into, today))
    there = sorted(str(file) for file in texts if file.exists())
    if there and not overwrite:
        raise RequestError(f"{there[0]} is there already: --overwrite replaces it")
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    readings = [one for one in accepted if one.kind == "reading"]
    return [*texts, *_append(readings, registry.boards, into)], todo


def _offers(one: Proposal, registry: Registry, into: Path, today: date) -> Iterable[tuple[Path, str]]:
    for offer in one.offers:
        row = dict(registry.row(offer))
        change = dict(_BACK if one.kind == "back" else one.change)
        if one.kind == "renamed":  # the old name stays, so that a pin to it says where it went
            new = str(change.pop("endpoint"))
            fresh = replace(offer, endpoint=new)
            yield _file(fresh, into), _text({**row, "endpoint": new}, one, today)
            change = {"status": "retired", "retires": today, "successor": fresh.id}
        yield _file(offer, into), _text({**row, **change}, one, today)


def _file(offer: Offer, into: Path) -> Path:
    name = offer.endpoint.replace("/", "-").replace(":", "-")
    return into / "offers" / offer.provider / f"{name}@{offer.task}.toml"


def _text(row: Mapping[str, Any], one: Proposal, today: date) -> str:
    said = f"{one.source}, asked {today}"
    source = row.get("source") or ""
    values = {name: _day(name, value) for name, value in row.items() if name != "provider" and value is not None}
    values |= {"checked": today, "source": f"{source}; {said}" if source else said}
    return toml_text({name: value for name, value in values.items() if value not in ((), [], {})})


def _day(name: str, value: Any) -> Any:
    """Days are days in TOML, and texts in the index."""
    if name in _DAYS and isinstance(value, str):
        return date.fromisoformat(value)
    if name == "retires_was":
        return [date.fromisoformat(one) if isinstance(one, str) else one for one in value]
    return value


def _append(accepted: Sequence[Proposal], boards: Mapping[str, Board], into: Path) -> list[Path]:
    """Readings at the end of each board's file, and the boards' own words beside them."""
    files: dict[str, Path] = {}
    for one in accepted:
        reading = one.reading
        assert reading is not None
        file = files.setdefault(reading.board, into / "boards" / f"{reading.board}.csv")
        new = not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            if new:
                writer.writerow(COLUMNS)
            spread = None if reading.plus is None or reading.minus is None else (reading.plus + reading.minus) / 2
            known = {"model": one.model, "name": reading.name, "score": f"{reading.score:g}", "as_of": reading.as_of}
            known |= {"ci95": _number(spread), "rank": _number(reading.rank), "votes": _number(reading.votes)}
            known |= {"source": one.source, "confidence": "single source"}
            writer.writerow([known.get(name, "") for name in COLUMNS])
    if files:
        _say(files, boards, into / "boards" / "boards.toml")
    return list(files.values())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _say(files: Iterable[str], boards: Mapping[str, Board], file: Path) -> None:
    """The tables of `boards.toml` that are not there yet."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for name in files:
        if f'["{name}"]' not in text:
            board = boards[name]
            about = {"title": board.title, "task": board.task, "kind": board.kind, "unit": board.unit}
            text += f'\n["{name}"]\n{toml_text(about)}'
    file.write_text(text.lstrip("\n"), encoding="utf-8")
