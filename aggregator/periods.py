"""Days, weeks and months in UTC: which of them a moment is in, and what it is called. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

__all__ = ["DAY_MS", "PERIODS", "Period", "Window", "day_of", "moment", "start_of", "window_of"]

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """One day, week or month: from its first millisecond to just before `until_at`."""

    period: Period
    label: str
    """`2026-11-21`, `2026-W47` or `2026-11`."""
    from_at: int
    until_at: int


def window_of(period: Period, at: int) -> Window:
    """The day, the week (from Monday, ISO 8601) or the month that a moment in milliseconds is in."""
    day = day_of(at)
    if period == "day":
        return Window(period, day.isoformat(), start_of(day), start_of(day + timedelta(1)))
    if period == "week":
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(weekday - 1)
        return Window(period, f"{year}-W{week:02}", start_of(monday), start_of(monday + timedelta(7)))
    first = day.replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return Window(period, f"{first:%Y-%m}", start_of(first), start_of(following))


def day_of(at: int) -> date:
    """The day of a moment in milliseconds since the epoch."""
    return _EPOCH + timedelta(at // DAY_MS)


def start_of(day: date) -> int:
    """The first millisecond of a day."""
    return (day - _EPOCH).days * DAY_MS


def moment(at: int) -> datetime:
    """A moment in milliseconds, in UTC."""
    return datetime.fromtimestamp(at // 1000, UTC)
