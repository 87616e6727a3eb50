"""A table of what boards said, as the boards' own files: new lines are added, and none that is there is touched."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import Any

from aggregator.registry.boards import COLUMNS
from aggregator.registry.writing import toml_text
from aggregator.tasks import TASKS

__all__ = ["board_files"]

_ARENA, _COPIES, _ANALYSIS = "LMArena", "LMArena, second-hand copies", "Artificial Analysis"
_BOARDS = {
    "LMArena (arena.ai) text-to-image": ("lmarena/text-to-image", _ARENA),
    "LMArena (arena.ai) image-edit": ("lmarena/image-to-image", _ARENA),
    "LMArena (arena.ai) text-to-video": ("lmarena/text-to-video", _ARENA),
    "LMArena (arena.ai) image-to-video": ("lmarena/image-to-video", _ARENA),
    "LMArena (arena.ai) video-edit": ("lmarena/video-to-video", _ARENA),
    "LMArena text-to-image": ("lmarena-copies/text-to-image", _COPIES),
    "LMArena image-to-video": ("lmarena-copies/image-to-video", _COPIES),
    "Artificial Analysis Speech Arena": ("artificial-analysis/text-to-speech", _ANALYSIS),
    "Artificial Analysis Video Arena text-to-video": ("artificial-analysis/text-to-video", _ANALYSIS),
    "Artificial Analysis Video Arena image-to-video": ("artificial-analysis/image-to-video", _ANALYSIS),
    "Artificial Analysis Video Arena text-to-video with audio": (
        "artificial-analysis/text-to-video-with-audio",
        "Artificial Analysis, with sound",
    ),
    "Artificial Analysis Video Arena image-to-video with audio": (
        "artificial-analysis/image-to-video-with-audio",
        "Artificial Analysis, with sound",
    ),
    "GenAI-Arena (TIGER-Lab) text-to-image": ("genai-arena/text-to-image", "GenAI-Arena"),
    "GenAI-Arena (TIGER-Lab) video generation": ("genai-arena/text-to-video", "GenAI-Arena"),
    "TTS Arena (Hugging Face), normalised copy": ("tts-arena/text-to-speech", "TTS Arena, a copy scaled to 100"),
    "Provider Voice Arena": ("provider-voice-arena/text-to-speech", "A provider's own voice arena"),
    "VBench total score": ("vbench/text-to-video", "VBench, total score"),
    "FysicsWorld video generation": ("fysicsworld/text-to-video", "FysicsWorld"),
}
"""Their ids and titles here; another board is called what it calls itself."""
_UNITS = {"elo": ("arena", "elo"), "elo (bradley-terry)": ("arena", "elo"), "percent": ("benchmark", "percent")}
_WORDS = (("vendor claim", "vendor"), ("preliminary", "preliminary"), ("copy", "copy"), ("normalised", "copy"))
"""What a note says of how far a line is to be believed, the least first."""


def board_files(
    rows: Sequence[Mapping[str, str]],
    known: Mapping[str, Mapping[str, Any]],
    cards: Container[str],
    names: Mapping[str, str],
) -> tuple[dict[str, str], list[str]]:
    """The files below the registry's directory, whole, where a line is new; and the lines that are passed over.

    Args:
        known: The boards that are there, as the index holds them.
        cards: The models that have one; a board's other names are kept without a model.
        names: Other names of models.
    """
    said: dict[str, list[list[Any]]] = defaultdict(list)
    tables: dict[str, dict[str, str]] = {}
    left_out: list[str] = []
    for row in rows:
        board, title = _board(row["board"])
        if row["task"] not in TASKS:
            left_out.append(f"{row['board']}: no task of ours is called {row['task']}")
            continue
        kind, unit = _UNITS.get(row["score_unit"].lower(), ("benchmark", row["score_unit"]))
        kind = "vendor" if "vendor claim" in row["notes"] else kind
        tables.setdefault(board, {"title": f"{title}, {row['task']}", "task": row["task"], "kind": kind, "unit": unit})
        model = names.get(row["model_id"], row["model_id"])
        said[board].append(_line(row, model if model in cards else ""))
    files = {}
    for board, lines in said.items():
        old = [[*line, *[None] * (len(COLUMNS) - len(line))] for line in known.get(board, {}).get("readings", ())]
        fresh = _new(lines, {(line[3], line[1]) for line in old})
        if fresh:
            files[f"boards/{board}.csv"] = _text([*old, *fresh])
    if any(board not in known for board in said):
        whole = {board: {name: one[name] for name in ("title", "task", "kind", "unit")} for board, one in known.items()}
        files["boards/boards.toml"] = _boards_text({**tables, **whole})
    return files, left_out


def _board(name: str) -> tuple[str, str]:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return _BOARDS.get(name, (slug, name))


def _line(row: Mapping[str, str], model: str) -> list[Any]:
    half = max((int(number) for number in re.findall(r"\d+", row["ci95"])), default=None)
    confidence = next((word for mark, word in _WORDS if mark in row["notes"]), row["confidence"])
    numbers = [float(row["score"]) if row["score"] else None, row["as_of"], half]
    return [
        model,
        row["board_model_name"],
        *numbers,
        row["rank"],
        row["votes"],
        row["source"],
        confidence,
        row["notes"],
    ]


def _new(lines: Sequence[list[Any]], there: set[tuple[str, str]]) -> list[list[Any]]:
    """Those that are not there. A board that gives one name twice on one day means two models: the second has none."""
    named: dict[tuple[str, str], list[Any]] = {}
    for line in lines:
        again = ["", f"{line[1]} (rank {line[5]})", *line[2:9], "the source gives this name twice on this day"]
        one = again if (line[3], line[1]) in named else line
        named[one[3], one[1]] = one
    return [line for key, line in named.items() if key not in there]


def _text(lines: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in sorted(lines, key=lambda line: (line[3], line[1])):
        writer.writerow(["" if word is None else f"{word:g}" if isinstance(word, float) else word for word in line])
    return out.getvalue()


def _boards_text(boards: Mapping[str, Mapping[str, str]]) -> str:
    head = "# What each board compares and how; its readings are in <board>.csv, appended, never edited.\n"
    return head + "".join(f"\n[{_quoted(name)}]\n{toml_text(boards[name])}" for name in sorted(boards))


def _quoted(name: str) -> str:
    return f'"{name}"'
