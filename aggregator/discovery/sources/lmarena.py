"""LMArena's own data set, by way of the JSON that Hugging Face makes of it: scores, intervals, votes and the day of
each board. First hand where `arena` is a copy; a hundred rows at a time, in all categories, of which `overall` is read.

Read with huggingface.co/docs/dataset-viewer/rows (`rows`, `row`, `num_rows_total`, `partial`) and
arena.ai/blog/arena-leaderboard-dataset (subsets, split `latest`); the columns as programs that read it name them:
`model_name`, `rating`, `rating_lower`, `rating_upper`, `vote_count`, `rank`, `category`, `leaderboard_publish_date`.
Not compared with a live answer. CC BY 4.0: whoever shows its figures names LMArena.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.discovery.found import Found, FoundReading
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, day, rows

_TASKS = {
    "text_to_image": "text-to-image",
    "image_edit": "image-to-image",
    "text_to_video": "text-to-video",
    "image_to_video": "image-to-video",
    "video_edit": "video-to-video",
}
_MANY = 100
"""Rows that are given at most at once."""
_BEGIN = "/rows?dataset=lmarena-ai/leaderboard-dataset&split=latest&config="


def _read(answer: Answer) -> Found:
    task = _TASKS[_asked(answer)[0]]
    if answer.body["partial"]:
        raise ValueError("only a part of the board is there")
    readings, left_out = [], []
    for one in rows(answer.body, "rows"):
        row = one["row"]
        if row["category"] != "overall":
            continue
        score, as_of, name = _number(row.get("rating")), day(row.get("leaderboard_publish_date")), row.get("model_name")
        if not isinstance(name, str) or score is None or as_of is None:
            left_out.append(f"{str(row)[:60]}: no name, no rating or no day")
            continue
        low, high = _number(row.get("rating_lower")), _number(row.get("rating_upper"))
        readings.append(
            FoundReading(
                f"lmarena/{task}",
                name,
                score,
                as_of,
                task=task,
                rank=_count(row, "rank"),
                votes=_count(row, "vote_count"),
                plus=None if high is None else high - score,
                minus=None if low is None else score - low,
            )
        )
    return Found("lmarena", answer.asked, readings=tuple(readings), left_out=tuple(left_out))


def _more(answer: Answer) -> str:
    board, offset = _asked(answer)
    following = offset + _MANY
    return _path(board, following) if following < answer.body["num_rows_total"] else ""


def _path(board: str, offset: int = 0) -> str:
    return f"{_BEGIN}{board}&offset={offset}&length={_MANY}"


def _asked(answer: Answer) -> tuple[str, int]:
    """The board and the first row that were asked for."""
    board, offset, _ = answer.path.removeprefix(_BEGIN).split("&")
    return board, int(offset.removeprefix("offset="))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(row: Mapping[str, Any], name: str) -> int | None:
    """A number without a fraction: some columns of the set are of another type than in the copies."""
    value = _number(row.get(name))
    return int(value) if value is not None and value.is_integer() else None


SOURCE = Source(
    name="lmarena",
    title="LMArena's data set",
    docs="https://huggingface.co/datasets/lmarena-ai/leaderboard-dataset",
    checked="2026-11-22",
    read=_read,
    more=_more,
    ask=these(*map(_path, _TASKS)),
    base_url="https://datasets-server.huggingface.co",
    needs_key=False,
)
