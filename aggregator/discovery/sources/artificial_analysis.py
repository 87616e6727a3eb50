"""Artificial Analysis: scores of its arenas, with intervals and counts. No history: keep what it said.

Read with artificialanalysis.ai/documentation (free API, `data/media/…`): `elo`, `rank`, `ci95` as "-5/+5",
`appearances`. Its answers name no day, so a reading is of the day it was asked for. Not compared with a live answer.
"""

import re

from aggregator.contract import Auth
from aggregator.discovery.found import Found, FoundReading
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, rows

_TASKS = {
    "text-to-image": "text-to-image",
    "image-editing": "image-to-image",
    "text-to-video": "text-to-video",
    "image-to-video": "image-to-video",
    "text-to-speech": "text-to-speech",
}
_AT = "/api/v2/data/media/"
_INTERVAL = re.compile(r"\s*[-–−]\s*(\d+(?:\.\d+)?)\s*/\s*\+\s*(\d+(?:\.\d+)?)\s*")


def _read(answer: Answer) -> Found:
    board = answer.path.removeprefix(_AT)
    readings, left_out = [], []
    for row in rows(answer.body, "data"):
        score, name = row.get("elo"), row.get("slug") or row.get("name")
        if not isinstance(name, str) or isinstance(score, bool) or not isinstance(score, int | float):
            left_out.append(f"{str(row)[:60]}: no name or no elo")
            continue
        spread = _INTERVAL.fullmatch(str(row.get("ci95") or ""))
        readings.append(
            FoundReading(
                f"artificial-analysis/{_TASKS[board]}",
                name,
                float(score),
                answer.asked,
                task=_TASKS[board],
                rank=row["rank"] if isinstance(row.get("rank"), int) else None,
                votes=row["appearances"] if isinstance(row.get("appearances"), int) else None,
                plus=float(spread[2]) if spread else None,
                minus=float(spread[1]) if spread else None,
            )
        )
    return Found("artificial-analysis", answer.asked, readings=tuple(readings), left_out=tuple(left_out))


SOURCE = Source(
    name="artificial-analysis",
    title="Artificial Analysis",
    docs="https://artificialanalysis.ai/documentation",
    checked="2026-11-20",
    read=_read,
    ask=these(*(f"{_AT}{board}" for board in _TASKS)),
    base_url="https://artificialanalysis.ai",
    auth=Auth(env=("ARTIFICIAL_ANALYSIS_API_KEY",), header="x-api-key", template="{key}"),
)
