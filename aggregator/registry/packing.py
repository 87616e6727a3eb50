"""The compiled index: every row on a line of its own, and what several offers say alike written once.

Most of a thousand offers have their limits, fields and files in common with others. `parts` holds these by a digest of
what they say, so that a change stays a line in a diff, and a row has the digest in its place. Unpacked, rows share
them: less is read, less is kept, and what is made of a part is made once.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json  # half of what `json` takes: it reads the bytes as they are

if TYPE_CHECKING:
    from aggregator.registry.rows import Rows

__all__ = ["PARTS", "index_text", "packed_text", "unpacked"]

PARTS = ("defaults", "facts", "fields", "files", "fixed", "inputs", "limits", "meters", "outputs", "required")
"""What an offer may have in common with others: a table or a list, so that a text in its place is a digest."""
_DIGITS = 8


def index_text(rows: "Rows") -> str:
    """The catalogue as a feed writes it: sorted and stable, one card, offer or board a line, so that a change is a line
    in a diff.
    """
    return "{" + _sections(rows, _by_task(rows)) + "}\n"


def packed_text(rows: "Rows") -> str:
    """The same as the package keeps it, with what several offers say alike written once."""
    parts, offers = _packed(_by_task(rows))
    return f'{{"parts":{{\n{_lines(parts)}\n}},\n{_sections(rows, offers)}}}\n'


def unpacked(text: bytes) -> dict[str, Any]:
    """`cards`, `offers` by task and `boards` of a compiled index. Nobody may change a row: others share its parts."""
    index: dict[str, Any] = from_json(text)
    parts = index.pop("parts")
    for rows in index["offers"].values():
        for row in rows:
            for name in PARTS:
                if isinstance(digest := row.get(name), str):
                    row[name] = parts[digest]
    return index


def _packed(
    offers: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The parts by their digest, and the offers with those in their place."""
    said = Counter(_line(row[name]) for rows in offers.values() for row in rows for name in PARTS if name in row)
    digests = {text: hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] for text, times in said.items() if times > 1}
    assert len(set(digests.values())) == len(digests), "two parts have one digest: it needs more digits"
    parts: dict[str, Any] = {}

    def thin(row: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(row)
        for name in PARTS:
            if name in row and (digest := digests.get(_line(row[name]))):
                found[name], parts[digest] = digest, row[name]
        return found

    thinned = {task: [thin(row) for row in rows] for task, rows in offers.items()}
    return parts, thinned


def _by_task(rows: "Rows") -> dict[str, list[Mapping[str, Any]]]:
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows.offers.values(), key=lambda row: (row["task"], row["provider"], row["endpoint"])):
        by_task.setdefault(row["task"], []).append(row)
    return by_task


def _sections(rows: "Rows", offers: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    task_blocks = ",\n".join(
        f"{json.dumps(task)}:[\n" + ",\n".join(map(_line, of_task)) + "\n]" for task, of_task in offers.items()
    )
    return (
        f'"cards":{{\n{_lines(rows.cards)}\n}},\n"offers":{{\n{task_blocks}\n}},\n'
        f'"boards":{{\n{_lines(rows.boards)}\n}}'
    )


def _lines(rows: Mapping[str, Any]) -> str:
    return ",\n".join(f"{json.dumps(name)}:{_line(rows[name])}" for name in sorted(rows))


def _line(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
