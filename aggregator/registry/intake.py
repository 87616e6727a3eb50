"""Cards, offers and readings from tables: `python -m aggregator.registry.intake CATALOGUE.csv --into DIR [--write]`.

The tables are what somebody collected: a line for a model at a host (`CATALOGUE.csv`), a line for what a board said of
a model on a day (`--quality QUALITY.csv`). A file that is there is never written again: once written, it is owned by
people. Nothing is guessed: what an endpoint takes is not in the table, so a new offer is listed as `unmapped`; a line
that nobody confirmed is left out. Without `--write` it only says what it would write, and what it leaves out and why.
"""

import argparse
import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from aggregator.backends import provider_names
from aggregator.errors import ConfigurationError
from aggregator.registry.readings import board_files
from aggregator.registry.rows import Rows
from aggregator.registry.schema import read_directory
from aggregator.registry.writing import toml_text
from aggregator.tasks import TASKS

__all__ = ["Intake", "main", "taken"]

Row = Mapping[str, str]

UNMAPPED = "what its endpoint takes was not read"
_OURS = {
    "alibaba": "dashscope",
    "bytedance-ark": "ark",
    "google-gemini": "gemini",
    "google-vertex": "vertex",
    "lightricks": "ltx",
}
"""Providers that the tables call by another name."""
_EXACT = frozenset({"fal", "replicate"})
"""Providers whose endpoints are each of their own kind; elsewhere a model serves a task in one way, whatever the table
calls it."""
_STATUS = {"unknown": "active"}
"""An offer nobody saw end is taken to be there still; when it was last seen stands in `checked`."""
_NEEDED = ("model_id", "maker", "task", "provider", "endpoint", "source", "confidence", "last_seen")


@dataclass(frozen=True, slots=True)
class Intake:
    """What would be written, by its path below the directory, and what is left out, each with the reason."""

    files: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def taken(catalogue: Sequence[Row], quality: Sequence[Row], known: Rows, providers: Iterable[str]) -> Intake:
    """What the tables have that `known` has not.

    Args:
        providers: Those there is a table for. What others serve is written on the card, as a fact.
    """
    found, tables = Intake(), frozenset(providers) - {"local"}
    rows = list(_confirmed(catalogue, found))
    names = {alias: model for model, card in known.cards.items() for alias in card.get("aliases", ())}
    models: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        models[_model(row, names)].append(row)
    for model, of_model in models.items():
        if model not in known.cards:
            card = _card(of_model, tables)
            found.files[f"models/{model}.toml"] = toml_text(card)
    fresh = [row for row in rows if _is_listed(row, tables) and not _is_known(row, names, known)]
    for (provider, endpoint), same in _grouped(fresh).items():
        offer = _offer(same, names, known.cards.keys() | models.keys())
        found.files[_free(f"offers/{provider}", endpoint, found.files, known)] = toml_text(offer)
    boards, passed_over = board_files(quality, known.boards, known.cards.keys() | models.keys(), names)
    found.files.update(boards)
    found.left_out.extend(passed_over)
    return found


def _confirmed(rows: Sequence[Row], found: Intake) -> Iterator[Row]:
    for row in rows:
        where = f"{row['model_id']} at {row['provider']} ({row['endpoint']}) for {row['task']}"
        if row["confidence"] == "unconfirmed":
            found.left_out.append(f"{where}: nobody confirmed it")
        elif row["task"] not in TASKS:
            found.left_out.append(f"{where}: no task of ours is called so")
        else:
            yield row


# -------------------------------------------------------------------------------------------------------------- cards


def _card(rows: Sequence[Row], tables: frozenset[str]) -> dict[str, Any]:
    """The facts of a model, the hosts without a table, and its weights. Its tier is a judgement: nobody made one."""
    first = rows[0]
    ends = [row["retires"] for row in rows if row["status_2026_11_20"] == "retired" and row["retires"]]
    gone = all(row["status_2026_11_20"] == "retired" for row in rows)
    model = {
        "maker": _slug(re.split(r"[/(]", first["maker"])[0]).replace(".", "-"),
        "tier": "workhorse",
        "family": first["family"],
        "released": min(filter(None, (_day(row["released"]) for row in rows)), default=None),
        "status": "retired" if gone else None,
        "retired": date.fromisoformat(max(ends)) if gone and ends else None,
        "license": first["open_weights"] or None,
        "source": _sources(rows),
        "checked": max(filter(None, (_seen(row) for row in rows)), default=None),
    }
    hosts = [_host(row) for row in rows if not _is_listed(row, tables) and row["provider"] != "local"]
    weights = [_weights(row) for row in rows if row["provider"] == "local"]
    return {"model": model, "hosts": hosts or None, "weights": weights or None}


def _host(row: Row) -> dict[str, Any]:
    return {
        "provider": row["provider"],
        "endpoint": row["endpoint"],
        "task": row["task"],
        "status": row["status_2026_11_20"] if row["status_2026_11_20"] != "active" else None,
        "retires": _day(row["retires"]),
        "checked": _seen(row),
        "source": row["source"],
        "note": row["notes"] or None,
    }


def _weights(row: Row) -> dict[str, Any]:
    facts = {"repository": row["endpoint"], "tasks": [row["task"]], "license": row["open_weights"]}
    return {**facts, "checked": _seen(row), "source": row["source"], "note": row["notes"] or None}


# ------------------------------------------------------------------------------------------------------------- offers


def _offer(rows: Sequence[Row], names: Mapping[str, str], cards: Iterable[str]) -> dict[str, Any]:
    """An offer that is known to be there, for one task or several. Its limits are the table's, where they are clear."""
    first = rows[0]
    status = _STATUS.get(first["status_2026_11_20"], first["status_2026_11_20"])
    heir = first["successor_model_id"] if status in ("deprecated", "retired") else ""
    said = [first["notes"]]
    if _endpoint(first) != first["endpoint"]:
        said.append(f"Listed as {first['endpoint']!r}: what its endpoint is called was not found")
    if heir in cards and first["successor_basis"] != "maker":
        said.append("The successor is our inference")
    top = {
        "model": _model(first, names),
        "endpoint": _endpoint(first),
        "task": first["task"] if len(rows) == 1 else None,
        "status": status if status != "active" else None,
        "retires": _day(first["retires"]),
        "successor": heir if heir in cards else None,
        "unmapped": UNMAPPED,
        "checked": min(seen for row in rows if (seen := _seen(row))),
        "source": _sources(rows),
        "note": ". ".join(text.strip(" .") for text in said if text) or None,
    }
    if len(rows) == 1:
        return {**top, "limits": _limits(first) or None}
    return {**top, "tasks": {row["task"]: {"limits": _limits(row)} if _limits(row) else {} for row in rows}}


def _limits(row: Row) -> dict[str, Any]:
    """What the table says plainly: `5 10`, `3-15`, `720p 1080p`, `16:9 9:16`. Anything else is not taken."""
    own = TASKS[row["task"]].model_fields
    lengths = row["durations"].split()
    limits: dict[str, Any] = {}
    if span := re.fullmatch(r"(\d+)-(\d+)", row["durations"]):
        limits["duration_s"] = {"min": int(span[1]), "max": int(span[2])}
    elif lengths and all(re.fullmatch(r"\d+", word) for word in lengths):
        limits["duration_s"] = [int(word) for word in lengths]
    for name, column, pattern in (
        ("resolution", "resolutions", r"\d{3,4}p|[1-9]\d?k"),
        ("aspect_ratio", "aspect_ratios", r"\d{1,4}:\d{1,4}"),
    ):
        words = row[column].lower().split()
        if words and all(re.fullmatch(pattern, word) for word in words):
            limits[name] = words
    return {name: value for name, value in limits.items() if name in own}


def _is_listed(row: Row, tables: frozenset[str]) -> bool:
    """Whether it becomes an offer: its provider has a table, and what it is called there is known."""
    return _provider(row) in tables and not row["endpoint"].startswith("(")


def _is_known(row: Row, names: Mapping[str, str], known: Rows) -> bool:
    provider, model = _provider(row), _model(row, names)
    for (at, endpoint, task), offer in known.offers.items():
        if at != provider and not at.startswith(f"{provider}_"):  # an older interface has a table of its own
            continue
        if _endpoint(row) in (endpoint, *offer.get("aliases", ())):
            return True
        if provider not in _EXACT and offer["model"] == model and task == row["task"]:
            return True
    return False


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """The lines of one endpoint together, a line for a task."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        group = groups[(_provider(row), _endpoint(row))]
        if all(other["task"] != row["task"] for other in group):
            group.append(row)
    return groups


def _free(directory: str, endpoint: str, taken_names: Mapping[str, str], known: Rows) -> str:
    """A file name that nobody has: the endpoint, or the endpoint and a number."""
    used = {*taken_names, *("/".join(Path(file).parts[-3:]) for file in known.files.values())}
    slug = _slug(endpoint)
    names = (f"{directory}/{slug}{end}.toml" for end in ("", *(f"-{number}" for number in range(2, 100))))
    return next(name for name in names if name not in used)


# ----------------------------------------------------------------------------------------------------------- the words


def _provider(row: Row) -> str:
    return _OURS.get(row["provider"], row["provider"])


def _endpoint(row: Row) -> str:
    """As it is written, or a word for it where it is a description."""
    return _slug(row["endpoint"]) if " " in row["endpoint"] else row["endpoint"]


def _model(row: Row, names: Mapping[str, str]) -> str:
    return names.get(row["model_id"], row["model_id"])


def _sources(rows: Sequence[Row]) -> str:
    """Everyone who says so, each once."""
    return "; ".join(dict.fromkeys(source for row in rows for source in row["source"].split("; ")))


def _seen(row: Row) -> date | None:
    return _day(row["last_seen"])


def _day(text: str) -> date | None:
    """A day; of a month alone its first, so that nothing looks fresher than it is."""
    if re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    return date.fromisoformat(text) if text else None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


# ------------------------------------------------------------------------------------------------------------- running


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, say, and with `--write` write. The exit code."""
    parser = argparse.ArgumentParser(prog="python -m aggregator.registry.intake", description=__doc__)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--quality", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    try:
        catalogue = _table(given.catalogue, _NEEDED)
        quality = _table(given.quality, ("board", "board_model_name")) if given.quality else []
        known = read_directory(given.into) if any(given.into.glob("*/*")) else Rows()
        found = taken(catalogue, quality, known, provider_names())
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, text in sorted(found.files.items()):
        sys.stdout.write(f"{name}\n")
        if given.write:
            (given.into / name).parent.mkdir(parents=True, exist_ok=True)
            (given.into / name).write_text(text, encoding="utf-8")
    for line in found.left_out:
        sys.stdout.write(f"left out: {line}\n")
    sys.stdout.write(f"{len(found.files)} files, {len(found.left_out)} lines left out\n")
    return 0


def _table(file: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines, strict=True)
            if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
                raise ConfigurationError(f"{file}: line 1: there is no column {missing[0]!r}")
            return list(reader)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{file}: cannot be read: {error}") from None


if __name__ == "__main__":
    raise SystemExit(main())
