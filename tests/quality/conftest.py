"""Boards and days as the tests of quality want them."""

from datetime import date, timedelta
from typing import Any

from aggregator.registry.load import Registry

DAY = date(2026, 8, 1)


def before(days: int) -> str:
    """So many days before the day of the tests."""
    return (DAY - timedelta(days)).isoformat()


def registry_of(*boards: tuple[str, list[list[Any]]], task: str = "text-to-video", **said: Any) -> Registry:
    """A registry of boards alone; a reading is [model, score, days ago, ci95, rank, votes, confidence]."""
    of = {"task": task, "kind": "arena", "unit": "elo", **said}
    rows = {}
    models = set()
    for board, readings in boards:
        found = []
        for model, score, days, *more in readings:
            ci95, rank, votes, confidence = (*more, *[None] * (4 - len(more)))
            found.append([model, model, score, before(days), ci95, rank, votes, "", confidence or "confirmed"])
            models.add(model)
        rows[board] = {"title": board, **of, "readings": sorted(found, key=lambda row: (row[3], row[1]))}
    return Registry({model: {"maker": "m", "tier": "hero"} for model in models}, {}, rows)
