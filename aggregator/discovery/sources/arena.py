"""LMArena by way of a daily mirror: scores of its boards, with intervals, votes and the day of each board.

Read with aabao325/arena-ai-leaderboards (data/2026-08-01; the same form is served one board at a time; `ci_low` and
`ci_high`, in other copies `ci`, are distances from the score). The mirror is a third party and limits how often it is
asked; its answers were not seen live. The boards' own data set is `lmarena`.
"""

from collections.abc import Mapping
from datetime import date, datetime

from aggregator.discovery.found import Found, FoundReading
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, rows

_TASKS = {
    "text-to-image": "text-to-image",
    "image-edit": "image-to-image",
    "text-to-video": "text-to-video",
    "image-to-video": "image-to-video",
    "video-edit": "video-to-video",
}


def _read(answer: Answer) -> Found:
    about = answer.body["meta"]
    board = about["leaderboard"]
    as_of = _day(about)
    readings, left_out = [], []
    for row in rows(answer.body, "models"):
        score, name = row.get("score"), row.get("model")
        if not isinstance(name, str) or isinstance(score, bool) or not isinstance(score, int | float):
            left_out.append(f"{str(row)[:60]}: no name or no score")
            continue
        readings.append(
            FoundReading(
                f"lmarena/{_TASKS[board]}",
                name,
                float(score),
                as_of,
                task=_TASKS[board],
                rank=row["rank"] if isinstance(row.get("rank"), int) else None,
                votes=row["votes"] if isinstance(row.get("votes"), int) else None,
                plus=_distance(row.get("ci_high", row.get("ci"))),
                minus=_distance(row.get("ci_low", row.get("ci"))),
            )
        )
    return Found("arena", answer.asked, readings=tuple(readings), left_out=tuple(left_out))


def _day(about: Mapping[str, object]) -> date:
    """The day the board itself was last brought up to date: `Jun 29, 2026`; else that of the copy."""
    try:
        return datetime.strptime(str(about.get("last_updated")), "%b %d, %Y").date()  # noqa: DTZ007 - a day, no time
    except ValueError:
        return date.fromisoformat(str(about["fetched_at"])[:10])


def _distance(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


SOURCE = Source(
    name="arena",
    title="LMArena's mirror",
    docs="https://api.wulong.dev/arena-ai-leaderboards/v1",
    checked="2026-11-20",
    read=_read,
    ask=these(*(f"/arena-ai-leaderboards/v1/leaderboard?name={board}" for board in _TASKS)),
    base_url="https://api.wulong.dev",
    needs_key=False,
)
